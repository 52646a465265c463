"""Installs distributions for another machine with `uv`, and says in one line why it could not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from orkestra_bridge.options import Target

UNUSABLE = re.compile(
    r"([A-Za-z0-9][\w.-]*?(?:==[\w.+!-]+)?) "
    r"(?:has no (?:usable )?wheels|was not found in|has no source distribution|needs to be built)"
)
NO_VERSION = re.compile(r"there (?:is|are) no versions? of ([\w.-]+(?:==[\w.+!-]+)?)")


class InstallError(Exception):
    """uv could not install; ``unusable`` names the distributions to blame, none if it is the network."""

    def __init__(self, reason: str, unusable: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unusable = unusable


def platform_tag(target: Target) -> str:
    """Return the platform as uv names it: from Python 3.12 on Lambda has glibc 2.34, before it was 2.26."""
    machine = "aarch64" if target.architecture == "arm64" else "x86_64"
    modern = tuple(int(part) for part in target.python.split(".")[:2]) >= (3, 12)
    return f"{machine}-manylinux_2_28" if modern else f"{machine}-manylinux2014"


def install(
    pins: Sequence[str], folder: Path, target: Target, complete: bool, index: Sequence[str] = ()
) -> None:
    """Install wheels into a folder; ``complete`` says that ``pins`` holds all that they need.

    Raises InstallError if uv is missing, the index cannot be reached or there is no wheel for the target.
    """
    program = _uv()
    if program is None:
        raise InstallError("uv is not installed")
    listing = folder.parent / "requirements.txt"
    listing.write_text("".join(f"{pin}\n" for pin in pins))
    command = [program, "pip", "install", "--quiet", "--no-progress", "--color", "never"]
    command += ["--target", str(folder), "--python", sys.executable, "--python-version", target.python]
    command += ["--python-platform", platform_tag(target), "--only-binary", ":all:", "-r", str(listing)]
    command += [*(["--no-deps"] if complete else []), *index]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_variables())
    if done.returncode:
        raise _failure(done.stderr)


def _uv() -> str | None:
    """Return the program that the `uv` distribution brings, else the one on PATH."""
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
    because = re.search(r"Because (.+?) and you require", text)
    unusable = tuple(dict.fromkeys([*UNUSABLE.findall(text), *NO_VERSION.findall(text)]))
    return InstallError(because[1] if because else lines[0] if lines else "uv gave no reason", unusable)
