"""Installs distributions for another machine with `uv`, and says in one line why it could not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from orkestra_bridge.packaging.distributions import normalized

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from orkestra_bridge.options import Target
    from orkestra_bridge.packaging.model import Requirement

_OLDEST = "manylinux2014"
PLATFORMS = {
    **dict.fromkeys(("3.10", "3.11"), _OLDEST),  # Amazon Linux 2: glibc 2.26
    **dict.fromkeys(("3.12", "3.13", "3.14"), "manylinux_2_34"),  # Amazon Linux 2023: glibc 2.34
}
"""Python of a Lambda runtime -> wheels it can load (Lambda Developer Guide, "Lambda runtimes"; PEP 600)."""

UNUSABLE = re.compile(
    r"([A-Za-z0-9][\w.-]*?(?:==[\w.+!-]+)?) "
    r"(?:has no (?:usable )?wheels|was not found in|has no source distribution|needs to be built)"
)
NO_VERSION = re.compile(r"there (?:is|are) no versions? of ([\w.-]+(?:==[\w.+!-]+)?)")


_NO_AIRFLOW = [
    f"{name}; python_version < '3'"
    for name in ("apache-airflow", "apache-airflow-core", "apache-airflow-task-sdk")
]
"""A provider needs it, and the package has the facade for it: with a marker that is never true nothing is installed."""


class InstallError(Exception):
    """uv could not install; ``unusable`` names the distributions to blame, none if it is the network.

    ``other`` names those whose files have none of the hashes that they should have.
    """

    def __init__(self, reason: str, unusable: tuple[str, ...] = (), other: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unusable = unusable
        self.other = other


def platform_tag(target: Target) -> str:
    """Return the platform of a target as uv names it, the newest that wheels may be made for."""
    machine = "aarch64" if target.architecture == "arm64" else "x86_64"
    return f"{machine}-{PLATFORMS.get(target.python, _OLDEST)}"


def install(
    requirements: Sequence[Requirement],
    folder: Path,
    target: Target,
    index: Sequence[str] = (),
    *,
    from_source: frozenset[str] = frozenset(),
    constraints: Sequence[str] = (),
) -> None:
    """Install distributions into a folder: wheels for the target, and sources of pure ones that have no wheel.

    Those with a line of their own come with all that they need; ``constraints``, and the versions of the others, hold
    for that.

    Raises InstallError if uv is missing, the index cannot be reached or there is nothing for the target.
    """
    added = [each for each in requirements if each.line]
    if added:
        rest = [each for each in requirements if not each.line]
        _uv([*_for(target), *index], locked(added), folder, (*pins(rest), *constraints))
        there = _names(folder)
        requirements = [each for each in rest if normalized(each.name) not in there]
        if not requirements:
            return
    try:
        _run(requirements, folder, target, sorted(from_source), index)
    except InstallError as error:
        pure = {normalized(requirement.name) for requirement in requirements if requirement.pure}
        unusable = {normalized(pin.partition("==")[0]) for pin in error.unusable}
        more = (unusable & pure) - from_source
        if not more:
            raise
        install(requirements, folder, target, index, from_source=from_source | more)


def install_here(
    added: Sequence[str], constraints: Sequence[str], folder: Path, python: Path, index: Sequence[str] = ()
) -> None:
    """Install what lines of a requirements file name, with all that it needs, for an interpreter of this machine.

    Raises InstallError as `install` does.
    """
    _uv(["--python", str(python), *index], added, folder, constraints)


def _names(folder: Path) -> frozenset[str]:
    """Return the normalized names of the distributions in a folder."""
    return frozenset(normalized(each.name.partition("-")[0]) for each in folder.glob("*.dist-info"))


def pins(requirements: Iterable[Requirement]) -> tuple[str, ...]:
    """Return the lines of a requirements.txt for these requirements, sorted; without what the target does without."""
    needed = (each for each in requirements if not each.elsewhere)
    lines = (each.line or (f"{each.name}=={each.version}" if each.version else each.name) for each in needed)
    return tuple(sorted(lines))


def _run(
    requirements: Sequence[Requirement],
    folder: Path,
    target: Target,
    from_source: Sequence[str],
    index: Sequence[str],
) -> None:
    more = [*_for(target), *(word for name in from_source for word in ("--no-binary", name))]
    if all(requirement.version for requirement in requirements):
        more.append("--no-deps")  # with every version known, the list is complete
    _uv([*more, *index], locked(requirements), folder, ())


def _for(target: Target) -> list[str]:
    """Return the arguments of uv that make it install for Lambda."""
    python = ["--python", sys.executable, "--python-version", target.python]
    return [*python, "--python-platform", platform_tag(target), "--only-binary", ":all:"]


def _uv(more: Sequence[str], lines: Sequence[str], folder: Path, constraints: Sequence[str]) -> None:
    program = find_uv()
    if program is None:
        raise InstallError("uv is not installed")
    command = [program, "pip", "install", "--quiet", "--no-progress", "--color", "never"]
    command += ["--target", str(folder), "-r", _listing(folder.parent / "requirements.txt", lines)]
    if constraints:
        command += ["--constraint", _listing(folder.parent / "constraints.txt", constraints)]
        command += ["--override", _listing(folder.parent / "overrides.txt", _NO_AIRFLOW)]
    done = subprocess.run([*command, *more], capture_output=True, text=True, check=False, env=_variables())
    if done.returncode:
        raise _failure(done.stderr)


def _listing(path: Path, lines: Iterable[str]) -> str:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def locked(requirements: Iterable[Requirement]) -> tuple[str, ...]:
    """Return the lines of a requirements file with the hashes that are known, which uv compares."""
    lines = (
        " ".join((line, *(f"--hash={each}" for each in requirement.hashes)))
        for requirement in requirements
        for line in pins((requirement,))
    )
    return tuple(sorted(lines))


def find_uv() -> str | None:
    """Return the program that the `uv` distribution brings, else the one on PATH; None if there is none."""
    from shutil import which

    try:
        from uv import find_uv_bin
    except ImportError:
        return which("uv")
    try:
        return str(find_uv_bin())
    except FileNotFoundError:
        return which("uv")


def _variables() -> dict[str, str]:
    return {"UV_HTTP_RETRIES": "1", **os.environ}


def _failure(output: str) -> InstallError:
    """Return what uv's message comes down to."""
    text = " ".join(output.split())
    lines = [re.sub(r"^\W*(error|cause):\s*", "", line) for line in output.splitlines() if line.strip()]
    if re.search(r"Failed to fetch|error sending request|network was disabled", text, re.IGNORECASE):
        return InstallError("the package index cannot be reached")
    other = tuple(dict.fromkeys(re.findall(r"Hash mismatch for `([^`]+)`", text)))
    if other:
        return InstallError("the files that the index has are others", other=other)
    because = re.search(r"Because (.+?)(?: and you require|, we can conclude)", text)
    unusable = tuple(dict.fromkeys([*UNUSABLE.findall(text), *NO_VERSION.findall(text)]))
    if not unusable and "unsatisfiable" in text:
        unusable = tuple(dict.fromkeys(re.findall(r"you require ([A-Za-z0-9][\w.-]*)", text)))
    return InstallError(because[1] if because else lines[0] if lines else "uv gave no reason", unusable)
