"""Which files may hold DAGs. Source: `airflow.utils.file.list_py_file_paths` and `might_contain_dag`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from orkestra_bridge.errors import UsageError
from orkestra_bridge.frontend import rules
from orkestra_bridge.frontend.ignore import IgnoreRules, Syntax
from orkestra_bridge.frontend.model import DagFile, Discovery
from orkestra_bridge.ir.model import SourceSpan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.frontend.model import Environment


def discover(
    paths: Sequence[Path],
    *,
    syntax: Syntax = "glob",
    search: tuple[Path, ...] = (),
    working_directory: Path | None = None,
) -> Discovery:
    """Return the DAG files among the paths.

    A file that is named is always taken, a folder is searched as Airflow would.

    ``syntax`` is that of .airflowignore: ``glob`` (Airflow 3) or ``regexp`` (Airflow 2); ``search`` and
    ``working_directory`` are what each `DagFile` says of them. Raises UsageError for a path that does not exist.
    """
    files: dict[Path, DagFile] = {}
    findings: list[Finding] = []
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} does not exist", remedy="give a DAG file or a folder of DAG files")
        found, said = _folder(path, syntax) if path.is_dir() else _single(path)
        findings += said
        for file in found:
            placed = replace(file, search=search, working_directory=working_directory)
            files.setdefault(file.path, placed)
    return Discovery(
        files=tuple(sorted(files.values(), key=lambda file: (file.display, str(file.root)))),
        findings=tuple(findings),
    )


def ignore_syntax(environment: Environment) -> Syntax:
    """Return how an Airflow reads .airflowignore: ``[core] dag_ignore_file_syntax``, whose default changed with 3.0."""
    syntax = os.environ.get("AIRFLOW__CORE__DAG_IGNORE_FILE_SYNTAX")
    if syntax in ("glob", "regexp"):
        return cast("Syntax", syntax)
    return "regexp" if environment.airflow_major == 2 else "glob"


def _single(path: Path) -> tuple[list[DagFile], list[Finding]]:
    if path.suffix == ".py":
        absolute = path.absolute()
        return [DagFile(root=absolute.parent, relative=path.name, display=path.as_posix())], []
    remedy = (
        "unpack the archive and convert the folder"
        if path.suffix == ".zip"
        else "give a .py file or a folder"
    )
    return [], [rules.NOT_A_DAG_FILE.at(SourceSpan(path.as_posix()), "is not a Python file", remedy)]


def _folder(path: Path, syntax: Syntax) -> tuple[list[DagFile], list[Finding]]:
    root = path.absolute()
    ignore = IgnoreRules(root, syntax)
    files = []
    for found in _walk(root, ignore):
        relative = found.relative_to(root).as_posix()
        if might_contain_dag(found):
            files.append(DagFile(root=root, relative=relative, display=(path / relative).as_posix()))
    findings = [
        rules.IGNORE_PATTERN.at(
            SourceSpan((path / bad.file.relative_to(root)).as_posix(), bad.line),
            f"the pattern {bad.pattern!r} is not a {syntax} pattern and is ignored, as in Airflow",
            "correct it; Airflow 2 reads regular expressions, Airflow 3 glob patterns",
        )
        for bad in ignore.invalid
    ]
    if not files:
        findings.append(
            rules.NOTHING_TO_LOAD.at(
                SourceSpan(path.as_posix()),
                "holds no DAG file",
                'Airflow loads .py files that hold the words "airflow" and "dag" and are not ignored',
            )
        )
    return files, findings


def _walk(root: Path, ignore: IgnoreRules) -> Iterator[Path]:
    """Yield the .py files below a folder.

    Virtual environments and folders seen before (links) are left out.
    """
    seen = {root.resolve()}
    for folder, subfolders, names in os.walk(root, followlinks=True):
        here = Path(folder)
        ignore.enter(here)
        kept = []
        for name in sorted(subfolders):
            real = (here / name).resolve()
            if name == "__pycache__" or real in seen or (here / name / "pyvenv.cfg").exists():
                continue
            if not ignore.ignores(here / name, folder=True):
                seen.add(real)
                kept.append(name)
        subfolders[:] = kept
        for name in sorted(names):
            if name.endswith(".py") and not ignore.ignores(here / name, folder=False):
                yield here / name


def might_contain_dag(path: Path) -> bool:
    """Return True if Airflow's safe mode would load the file.

    It holds "airflow" and "dag" or "asset", in any case.
    """
    try:
        content = path.read_bytes().lower()
    except OSError:
        return True  # loading it says why it cannot be read
    return b"airflow" in content and (b"dag" in content or b"asset" in content)
