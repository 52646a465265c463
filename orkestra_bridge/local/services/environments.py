"""The environments of single functions on this machine: made with uv, as the image would, and kept for the next run."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.packaging.environments import commands_for, environments_in
from orkestra_bridge.packaging.installer import find_uv
from orkestra_bridge.packaging.pythons import RUNS, named_python

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOLDER = ".environments"


def make_environments(manifest: Mapping[str, Any], out: Path) -> Path | None:
    """Return the folder with all environments that a package needs, None if it needs none.

    One that is there already is used again. Where a task names an interpreter that is still on this machine, it is that
    one itself, and nothing has to be fetched.

    Raises LocalRunError: uv is not there, or cannot make one of them.
    """
    folder = out / RUNS / FOLDER
    environments = environments_in(manifest)
    for environment in environments:
        program = folder / environment.name / "bin" / "python"
        named = named_python(out, manifest["workflow"]["dag_id"], environment.name)
        if named is not None:
            _hand_over(program, named)
        elif not program.exists():
            _make(environment, folder)
    return folder if environments else None


def _hand_over(program: Path, python: Path) -> None:
    """Make a program that is another Python: by a link it would not find its own environment."""
    if program.is_symlink():  # made by uv before
        shutil.rmtree(program.parents[1])
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(str(python))} "$@"\n', encoding="utf-8")
    program.chmod(0o755)


def _make(environment: Any, folder: Path) -> None:
    uv = find_uv()
    if uv is None:
        raise LocalRunError(
            "a task has an environment of its own, and uv is not here to make it", remedy="pip install uv"
        )
    folder.mkdir(parents=True, exist_ok=True)
    listing = folder / f"{environment.name}.txt"
    listing.write_text("".join(f"{line}\n" for line in environment.requirements), encoding="utf-8")
    for arguments in commands_for(environment, str(folder), str(listing)):
        if "-r" in arguments and not environment.requirements:
            continue
        done = subprocess.run([uv, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(folder / environment.name, ignore_errors=True)
            said = " ".join(done.stderr.split())[-400:]
            raise LocalRunError(
                f"the environment of a task ({', '.join(environment.requirements)}) cannot be made: {said}",
                remedy="see that its packages and its Python can be had from here",
            )
