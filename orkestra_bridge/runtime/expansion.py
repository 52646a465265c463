"""How many instances a mapped task has in this run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.mapping import expanded
from orkestra_bridge.runtime.verdict import major_version
from orkestra_bridge.runtime.xcoms import XComs

if TYPE_CHECKING:
    from collections.abc import Mapping


def expand(dag: Any, manifest: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of a mapped task that may run: its length, or its end if there is nothing to run.

    Raises:
        MapTooLongError: If there are more instances than ``event["expand"]["limit"]``.
    """
    xcoms = XComs(event.get("ledger") or {}, major=major_version(manifest["workflow"]))
    task = dag.get_task(event["task_id"])
    return expanded(task.expand_input.length(xcoms), event["expand"]["limit"])
