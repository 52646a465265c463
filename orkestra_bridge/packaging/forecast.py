"""How large a layer will be, before it is built: from what the same distributions take where the DAG was parsed.

Wheels for another machine differ by a few percent; that a layer is far too large is known without building it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from orkestra_bridge.packaging import rules
from orkestra_bridge.packaging.distributions import index_of
from orkestra_bridge.packaging.layer import DROPPED_SUFFIXES, UNZIPPED_LIMIT

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import SourceSpan
    from orkestra_bridge.packaging.model import Requirement

_NAMED = 5
_MEGABYTE = 1024 * 1024


def size_findings(
    requirements: tuple[Requirement, ...], site_packages: tuple[Path, ...], span: SourceSpan, dag_id: str
) -> tuple[Finding, ...]:
    """Return a finding with the largest distributions if all together will be beyond Lambda's limit."""
    sizes = {each.name: _size(site_packages, each.name) for each in requirements if not each.provided}
    total = sum(sizes.values())
    if total <= UNZIPPED_LIMIT:
        return ()
    largest = sorted(sizes, key=lambda name: -sizes[name])[:_NAMED]
    named = ", ".join(f"{name} {sizes[name] / _MEGABYTE:.0f} MB" for name in largest)
    return (
        rules.LAYER_WILL_BE_TOO_LARGE.at(
            span,
            f"its third-party modules will have some {total / _MEGABYTE:.0f} MB unzipped, Lambda takes "
            f"{UNZIPPED_LIMIT // _MEGABYTE}; the largest are {named}",
            "import the large ones only in DAGs that need them, take smaller ones, or run these tasks in a container",
            dag_id=dag_id,
        ),
    )


@lru_cache(maxsize=2048)
def _size(site_packages: tuple[Path, ...], name: str) -> int:
    """Return the bytes of a distribution's files as RECORD has them, without what a layer leaves out."""
    return sum(
        int(size)
        for path, size in index_of(site_packages).files(name)
        if size.isdigit() and not path.startswith(("..", "/")) and not path.endswith(DROPPED_SUFFIXES)
    )
