"""The built package of a DAG, unzipped, and what its manifest says about imports."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import sysconfig
import tempfile
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge.errors import LocalRunError, OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGES = ".packages"
"""Folder below ``OUT/.runs`` with the unzipped packages, named by the content of their zips."""
FACADE = "orkestra_bridge/runtime/facade"
AWS_SDK = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
IN_EVERY_RUNTIME = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
"""The AWS SDK and what it needs: every Lambda runtime has it (Lambda Developer Guide, "Runtime-included SDK versions").

Our own runtime imports it to look Variables and connections up, so it is there whatever the DAG imports.
"""
RUNTIME = "orkestra_bridge.runtime.handler"
LONG_AGO = 315532800
"""1980 in seconds: Python takes compiled modules for those of a source file with the same time and size."""
OWN = "orkestra_bridge"
"""The folder of a package with the runtime, the same in all packages of a conversion."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskModules:
    """What tasks with packages of their own may import from site-packages, and what is still to be added for them.

    Attributes:
        task_ids: The tasks.
        added: Lines of a requirements file, for uv.
        constraints: Lines of a constraints file for them.
    """

    task_ids: frozenset[str]
    modules: tuple[str, ...]
    distributions: tuple[str, ...]
    added: tuple[str, ...]
    constraints: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An unzipped package.

    Attributes:
        root: Its folder.
        keeps_bytecode: Compiled modules may be written beside its modules.
        facade: The folder of the `airflow` that tasks see.
        preload: The runtime and all of the facade, as module names: user code is never among them.
        modules, distributions: What may be imported from site-packages.
        calls_others: True if its tasks start runs of other DAGs or wait for them.
        of_tasks: The packages that single tasks have, by their number.
    """

    root: Path
    keeps_bytecode: bool
    facade: Path
    preload: tuple[str, ...]
    modules: tuple[str, ...]
    distributions: tuple[str, ...]
    calls_others: bool
    of_tasks: Mapping[str, TaskModules]


def unpack(archive: Path, home: Path) -> Package:
    """Return the package, unzipped below ``home``; one with the same content is used again.

    Raises:
        UsageError: There is no such zip.
        OutputError: The folder cannot be made.
        LocalRunError: The zip is broken or cannot be unzipped.
    """
    try:
        data = archive.read_bytes()
    except OSError as problem:
        raise UsageError(f"{archive} cannot be read: {problem}", remedy="convert the DAG first") from problem
    folder = home / PACKAGES / _digest(data)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise OutputError(
            f"{folder} cannot be made: {problem}", remedy="name another folder with --out"
        ) from problem
    try:
        if not (folder / "task").is_dir():
            _unzip(archive, folder)
        manifest = json.loads((folder / "task" / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, zipfile.BadZipFile) as problem:
        message = f"the package {archive} cannot be used: {problem}"
        raise LocalRunError(message, remedy="convert the DAG again") from problem
    return _described(folder / "task", manifest, keeps_bytecode=True)


def in_place(root: Path) -> Package:
    """Return the package that a container's build context holds; raises LocalRunError if it is not there."""
    try:
        manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        message = f"the container's package {root} cannot be used: {problem}"
        raise LocalRunError(message, remedy="convert the DAG again") from problem
    return _described(root, manifest, keeps_bytecode=False)


def _described(root: Path, manifest: dict[str, Any], *, keeps_bytecode: bool) -> Package:
    requirements: list[dict[str, Any]] = manifest["requirements"]
    facade = root / FACADE
    modules = [path.relative_to(facade).with_suffix("").parts for path in sorted(facade.rglob("*.py"))]
    names = [".".join(parts[:-1] if parts[-1] == "__init__" else parts) for parts in modules]
    return Package(
        root=root,
        facade=facade,
        preload=(RUNTIME, *names),
        keeps_bytecode=keeps_bytecode,
        modules=_modules(requirements),
        distributions=_distributions(requirements),
        calls_others=bool(manifest.get("others")),
        of_tasks={
            number: TaskModules(
                task_ids=_given(manifest, number),
                modules=_modules(each["requirements"]),
                distributions=_distributions(each["requirements"]),
                added=tuple(each["added"]),
                constraints=tuple(each["constraints"]),
            )
            for number, each in manifest.get("of_tasks", {}).items()
        },
    )


def _given(manifest: dict[str, Any], number: str) -> frozenset[str]:
    return frozenset(
        task["task_id"]
        for task in manifest["workflow"]["tasks"]
        for packages in [(task.get("given") or {}).get("packages")]
        if packages and str(packages["number"]) == number
    )


def _modules(requirements: list[dict[str, Any]]) -> tuple[str, ...]:
    found = (name for requirement in requirements for name in requirement["modules"])
    return tuple(sorted({*IN_EVERY_RUNTIME, *found}))


def _distributions(requirements: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(sorted({*AWS_SDK, *(requirement["name"] for requirement in requirements)}))


def _unzip(archive: Path, folder: Path) -> None:
    """Unzip next to the folder and move it there as a whole: two runs may do this at the same time."""
    scratch = Path(tempfile.mkdtemp(prefix="unzip-", dir=folder))
    try:
        with zipfile.ZipFile(archive) as opened:
            infos = opened.infolist()
            for info in infos:
                path = Path(opened.extract(info, scratch / "task"))
                if info.external_attr >> 16 & 0o100:
                    path.chmod(0o755)
                os.utime(path, (LONG_AGO, LONG_AGO))
        runtime = [(info.filename, info.CRC) for info in infos if info.filename.startswith(f"{OWN}/")]
        first = folder.parent / f"runtime-{_digest(repr(sorted(runtime)).encode())}"
        _take_bytecode(scratch / "task" / OWN, first)
        if not (folder / "task").is_dir():
            try:
                (scratch / "task").rename(folder / "task")
            except OSError:
                # Another run was faster; its files are the same.
                if not (folder / "task").is_dir():
                    raise
        _offer_bytecode(folder / "task" / OWN, first)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _take_bytecode(own: Path, first: Path) -> None:
    """Give the runtime of a new package the compiled modules of the first one that had the same.

    They are links: whoever sees a file sees all of it. Without them, each package compiles its own.
    """
    for compiled in first.rglob("__pycache__/*.pyc"):
        place = own / compiled.relative_to(first)
        with suppress(OSError):
            place.parent.mkdir(exist_ok=True)
            place.hardlink_to(compiled)


def _offer_bytecode(own: Path, first: Path) -> None:
    """Let a link lead to a package's runtime, unless it leads to another's that is still there."""
    with suppress(OSError):
        if not first.exists():
            first.unlink(missing_ok=True)
            first.symlink_to(own)


def site_packages_of(python: Path) -> tuple[Path, ...]:
    """Return where an interpreter finds third-party modules; raises LocalRunError if it cannot be asked."""
    if python == Path(sys.executable):
        paths = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    else:
        paths = _asked(python)
    return tuple(Path(path) for path in dict.fromkeys(paths) if os.path.isdir(path))  # noqa: PTH112


def _asked(python: Path) -> list[str]:
    import subprocess

    program = "import json, sysconfig as s; print(json.dumps([s.get_path('purelib'), s.get_path('platlib')]))"
    try:
        run = subprocess.run(
            [python, "-I", "-c", program], capture_output=True, text=True, timeout=30, check=True
        )
        paths: list[str] = json.loads(run.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as problem:
        message = f"{python} does not work as a Python interpreter: it does not say where its packages are"
        raise LocalRunError(message, remedy="name another interpreter with --python") from problem
    return paths
