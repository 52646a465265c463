"""What uv adds for tasks with requirements of their own on this machine: to load their DAG with it, and to run them.

On AWS it is in their layer or image, built for the target; here it is in a folder beside what is installed, made once.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from orkestra_bridge.packaging.distributions import index_of
from orkestra_bridge.packaging.installer import install_here
from orkestra_bridge.packaging.model import Requirement

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME_LENGTH = 16


def make_folder(added: Sequence[str], constraints: Sequence[str], python: Path, home: Path) -> Path:
    """Return the folder below ``home`` with what these lines name, made with uv unless it is there.

    Args:
        added: Lines of a requirements file.
        constraints: Lines of a constraints file.
        python: The interpreter that is to import from it.
        home: Where such folders are kept.

    Raises:
        InstallError: uv cannot install it.
        OSError: The folder cannot be made.
    """
    interpreter = [str(python), str(python.resolve())]
    facts = json.dumps([sorted(added), sorted(constraints), interpreter])
    folder = home / hashlib.sha256(facts.encode()).hexdigest()[:_NAME_LENGTH]
    if folder.is_dir():
        return folder
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".packages-", dir=home) as growing:
        made = Path(growing) / "packages"
        install_here(added, constraints, made, python)
        try:
            made.rename(folder)
        except OSError:  # another process was first
            if not folder.is_dir():
                raise
    return folder


def in_folder(folder: Path) -> tuple[Requirement, ...]:
    """Return the distributions in a folder that uv has made, with the modules that they bring, sorted by name."""
    index = index_of((folder,))
    found = [index.get(name) for name in index.names("")]
    return tuple(
        Requirement(
            name=each.name, version=each.version, modules=each.modules, provided=False, reason="added by uv"
        )
        for each in found
        if each is not None
    )
