"""The local files that a DAG file needs: what it imports below the DAG folder, and the data files it names.

Airflow puts the DAG folder itself on ``sys.path`` (airflow/settings.py, prepare_syspath_for_dags_folder) and
loads a DAG file as a top-level module. The same rules apply here, read from the source alone: imports inside
functions, relative imports, the ``__init__`` of each package on the way, namespace packages. Nothing is run.
"""

from __future__ import annotations

import os
import posixpath
import sys
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, final

from orkestra_bridge.ir.model import SourceSpan
from orkestra_bridge.packaging import rules
from orkestra_bridge.packaging.lookup import COMPILED, Found, find_module, package_init
from orkestra_bridge.packaging.model import Closure, ThirdPartyImport
from orkestra_bridge.packaging.old_paths import provider_of
from orkestra_bridge.packaging.providers import is_provider_module
from orkestra_bridge.packaging.scan import ImportStatement, ScannedSource, scan
from orkestra_bridge.packaging.standard import REMOVED_FROM_PYTHON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.frontend.model import DagFile
    from orkestra_bridge.packaging.static_lookups import StaticLookup

PRESENT = frozenset({"orkestra_bridge", "__main__"})
"""Top-level names that the package brings itself, beside all of `airflow` but its providers."""
EXAMPLES = "airflow.example_dags"


def local_closure(file: DagFile, extra: Sequence[str] = ()) -> Closure:
    """Return the files that a package for this DAG file must hold and what they import from elsewhere.

    ``extra`` are more files, relative to the DAG folder (templates that tasks read); those that do not
    exist are left out, Python files among them are read too. The files are relative to ``file.base``.
    """
    home = file.home
    folders = dict.fromkeys([home, *map(file.in_base, file.search)])
    walk = _Walk(file=file, root=str(file.base), home=home, folders=list(folders))
    walk.add(posixpath.join(home, file.relative))
    for path in (posixpath.normpath(posixpath.join(home, each)) for each in extra):
        if Path(file.base, path).is_file():
            walk.add(path)
    while walk.pending:
        walk.visit(walk.pending.pop())
    return Closure(
        files=tuple(sorted(walk.files)),
        imports=tuple(
            sorted(walk.imports.values(), key=lambda found: (found.file, found.line, found.module))
        ),
        finds_hooks=walk.finds_hooks,
        findings=tuple(
            sorted(walk.findings, key=lambda finding: (finding.file, finding.line, finding.message))
        ),
        lookups=tuple(sorted(walk.lookups, key=lambda pair: pair[0])),
    )


@final
class Closures:
    """The closures of one conversion: each is asked for several times, and made once."""

    def __init__(self) -> None:
        self._known: dict[tuple[DagFile, tuple[str, ...]], Closure] = {}

    def of(self, file: DagFile, extra: Sequence[str]) -> Closure:
        """Return the `local_closure` of a DAG file with these files."""
        key = (file, tuple(extra))
        if key not in self._known:
            self._known[key] = local_closure(*key)
        return self._known[key]


@lru_cache(maxsize=4096)
def _scan_file(path: str, _stamp: tuple[int, int]) -> ScannedSource:
    return scan(Path(path).read_bytes(), path)


@final
@dataclass(slots=True, kw_only=True)
class _Walk:
    """One walk over the import graph of a DAG file.

    Paths are relative to ``root``; ``folders`` are the search paths below it, the DAG folder (``home``) the first of
    them, ``outside`` those elsewhere.
    """

    file: DagFile
    root: str
    home: str
    folders: list[str]
    files: set[str] = field(default_factory=set)
    pending: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    imports: dict[tuple[str, tuple[str, ...]], ThirdPartyImport] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    finds_hooks: bool = False
    lookups: list[tuple[str, tuple[StaticLookup, ...]]] = field(default_factory=list)

    def shown(self, relative: str) -> str:
        """Return a path as the user would type it."""
        return self.file.shown(self.file.from_base(relative))

    def add(self, relative: str) -> None:
        if relative not in self.files and not relative.startswith("../"):
            self.files.add(relative)
            if relative.endswith(".py"):
                self.pending.append(relative)

    def visit(self, relative: str) -> None:
        """Read one Python file and follow what it imports and names."""
        path = posixpath.join(self.root, relative)
        try:
            stat = Path(path).stat()
            source = _scan_file(path, (stat.st_mtime_ns, stat.st_size))
        except (SyntaxError, ValueError, OSError) as error:
            self._report_unreadable(relative, error)
            return
        self.finds_hooks = self.finds_hooks or source.finds_hooks
        if source.lookups:
            self.lookups.append((relative, source.lookups))
        self._follow_paths(source)
        for statement in source.imports:
            self._follow(relative, statement)

    def _report_unreadable(self, relative: str, error: Exception) -> None:
        line = error.lineno or 0 if isinstance(error, SyntaxError) else 0
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        self.findings.append(
            rules.UNREADABLE_SOURCE.at(
                SourceSpan(self.shown(relative), line),
                f"it cannot be read as Python: {reason}",
                "correct the file, or remove the import of it",
            )
        )

    def _follow_paths(self, source: ScannedSource) -> None:
        for use in source.paths:
            inside = self._relative(use.path)
            if use.searched:
                known = self.outside if inside is None else self.folders
                place = use.path if inside is None else inside
                if place not in known:
                    known.append(place)
            elif inside and use.named:
                self._add_data(inside)

    def _relative(self, path: str) -> str | None:
        """Return a path below the DAG folder relative to it ("" is the folder itself), None for any other."""
        if path == self.root:
            return ""
        return path[len(self.root) + 1 :] if path.startswith(f"{self.root}/") else None

    def _add_data(self, relative: str) -> None:
        path = posixpath.join(self.root, relative)
        if Path(path).is_file():
            self.add(relative)
        elif Path(path).is_dir():
            for folder, names, files in os.walk(path):
                names[:] = [name for name in names if not name.startswith((".", "__pycache__"))]
                for name in files:
                    if not name.startswith(".") and not name.endswith((".py", ".pyc", *COMPILED)):
                        self.add(posixpath.relpath(posixpath.join(folder, name), self.root))

    def _follow(self, relative: str, statement: ImportStatement) -> None:
        if statement.level:
            self._follow_relative(relative, statement)
            return
        top = statement.module.partition(".")[0]
        if top == "airflow":
            if not self._takes_example(relative, statement):
                self._note_provider(relative, statement)
            return
        if top in PRESENT or (top in sys.stdlib_module_names and top not in REMOVED_FROM_PYTHON):
            return
        lacking = ""
        for folder in self.folders:
            found = find_module(self.root, folder, statement.module)
            if found.files or found.complete:
                self._take(relative, statement, found)
                return
            lacking = lacking or (found.missing if found.parent else "")
        # A namespace package: the rest of the name may come from a distribution.
        self._note_third_party(relative, statement, lacking)

    def _takes_example(self, relative: str, statement: ImportStatement) -> bool:
        """Take what Airflow's own examples import from beside them; the facade finds it there by its full name."""
        prefix, _, rest = statement.module.partition(f"{EXAMPLES}.")
        if prefix or not rest or not f"/{self.file.root}".endswith(f"/{EXAMPLES.replace('.', '/')}"):
            return False
        found = find_module(self.root, self.home, rest)
        if found.complete:
            self._take(relative, statement, found)
        return found.complete

    def _note_provider(self, relative: str, statement: ImportStatement) -> None:
        """Note an import of a provider, by its own path or one of Airflow 1; the rest of `airflow` is in the package."""
        module = provider_of(statement.module) or statement.module
        if is_provider_module(module):
            self._note_third_party(relative, replace(statement, module=module), "")

    def _follow_relative(self, relative: str, statement: ImportStatement) -> None:
        base = posixpath.dirname(relative)
        for _ in range(statement.level - 1):
            base = posixpath.dirname(base)
        if statement.module:
            self._take(relative, statement, find_module(self.root, base, statement.module))
        else:
            self._take(
                relative, statement, Found(complete=True, folder=base, files=package_init(self.root, base))
            )

    def _take(self, relative: str, statement: ImportStatement, found: Found) -> None:
        for path in found.files:
            self._add_module(relative, statement, path)
        if not found.complete:
            self._report_missing(relative, statement, found)
            return
        for name in statement.names:
            if found.folder is not None and name != "*":
                self._take_submodule(relative, statement, found.folder, name)

    def _take_submodule(self, relative: str, statement: ImportStatement, folder: str, name: str) -> None:
        child = find_module(self.root, folder, name)
        if child.complete:
            for path in child.files:
                self._add_module(relative, statement, path)

    def _add_module(self, relative: str, statement: ImportStatement, path: str) -> None:
        self.add(path)
        if path.endswith(COMPILED):
            self.findings.append(
                rules.COMPILED_MODULE.at(
                    SourceSpan(self.shown(relative), statement.line),
                    f"the local module {path} is compiled for this machine, not for Lambda",
                    "publish it as a wheel for the target and install that, or use its Python source",
                )
            )

    def _report_missing(self, relative: str, statement: ImportStatement, found: Found) -> None:
        if statement.optional:
            return
        name = "." * statement.level + statement.module
        where = (
            f"{found.parent} has no {found.missing}" if found.parent else f"there is no {found.missing} here"
        )
        self.findings.append(
            rules.MISSING_LOCAL_MODULE.at(
                SourceSpan(self.shown(relative), statement.line),
                f"import of {name}: {where}",
                f"add {found.missing}.py or {found.missing}/__init__.py, or correct the import",
            )
        )

    def _note_third_party(self, relative: str, statement: ImportStatement, lacking: str) -> None:
        if self._report_machine_path(relative, statement) or self._report_folder_prefix(relative, statement):
            return
        found = ThirdPartyImport(
            module=statement.module,
            names=statement.names,
            file=self.shown(relative),
            line=statement.line,
            optional=statement.optional,
            deferred=statement.deferred,
            lacking=lacking,
            inside=(f"{posixpath.basename(relative)[:-3]}.{statement.inside}",),
        )
        key = (statement.module, statement.names)
        known = self.imports.get(key, found)
        first = min(known, found, key=_rank)
        self.imports[key] = replace(first, inside=tuple(sorted({*known.inside, *found.inside})))

    def _report_machine_path(self, relative: str, statement: ImportStatement) -> bool:
        for folder in self.outside:
            if find_module(folder, "", statement.module).complete:
                top = statement.module.partition(".")[0]
                self.findings.append(
                    rules.MACHINE_PATH.at(
                        SourceSpan(self.shown(relative), statement.line),
                        f"{statement.module} is imported from a folder outside of the DAG folder "
                        "that the file adds to sys.path; it does not exist in Lambda",
                        f"name its folder with --pythonpath, move {top} below the DAG folder, or install it as a "
                        "distribution",
                    )
                )
                return True
        return False

    def _report_folder_prefix(self, relative: str, statement: ImportStatement) -> bool:
        """``from dags.helpers import x`` works only where the folder above the DAG folder is on sys.path."""
        top, _, rest = statement.module.partition(".")
        dag_folder = posixpath.basename(str(self.file.root))
        if not rest or top != dag_folder or not find_module(self.root, self.home, rest).complete:
            return False
        self.findings.append(
            rules.MACHINE_PATH.at(
                SourceSpan(self.shown(relative), statement.line),
                f"{statement.module} is only found with the folder above the DAG folder on sys.path",
                f"import it as {rest}: Airflow and the package put the DAG folder itself on sys.path; "
                "or name the folder above with --pythonpath",
            )
        )
        return True


def _rank(found: ThirdPartyImport) -> tuple[bool, bool, str, int]:
    """The import that matters most is one that must work, and that loading the file runs."""
    return (found.optional, found.deferred, found.file, found.line)
