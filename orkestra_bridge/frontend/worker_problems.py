"""What is wrong with a DAG file, as plain records: kind, place and facts.

The words are found later, in `diagnose.py`.

Part of the worker program: standard library only, Python 3.8 and later.
"""

from __future__ import annotations

import linecache
import os
import re
import sys
import sysconfig
import traceback
from typing import TYPE_CHECKING, Any, Tuple

from .worker_watch import HardExit, Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from .worker_lookups import Lookups

Place = Tuple[str, int]

_SYS_PATH = re.compile(r"\bsys\.path\b|\bsite\.addsitedir\b")
# How Python words that a source file is not text in its encoding; errors in literals read otherwise.
_NOT_TEXT = re.compile(
    r"source code string cannot contain null bytes|\(unicode error\) '|encoding problem|unknown encoding:"
)
_TEXT_LIMIT = 500


class Problems:
    """Collects the records of one DAG file."""

    def __init__(self, watch: Watch, lookups: Lookups, relative: str) -> None:
        self._watch = watch
        self._lookups = lookups
        self.relative = relative
        self._records: list[dict[str, Any]] = []
        self.dag_places: dict[str, list[Place]] = {}
        self.timed_out = False
        self.lacking: tuple[str, str] | None = None
        self.unset: list[str] = []
        self.failed = False

    def add(self, kind: str, place: Place | None, **facts: Any) -> None:
        """Add a record; without a place it is about the DAG file as a whole."""
        file, line = place or (self.relative, 0)
        self._records.append({"kind": kind, "file": file or self.relative, "line": line, **facts})

    def redacted(self, redact: Callable[[str], str]) -> list[dict[str, Any]]:
        """Return the records without values of Variables, Connections or the environment in their texts."""
        for record in self._records:
            if "text" in record:
                record["text"] = redact(record["text"].replace(self._watch.root + "/", ""))
        return self._records

    def exception(self, error: BaseException, dag_id: str | None = None, place: Place | None = None) -> None:
        """Add what user code raised, with the innermost place in the user's files."""
        trail = self._trail(error)
        where = trail[-1] if trail else place
        facts: dict[str, Any] = {"text": _one_line(error), "type": type(error).__name__, "dag_id": dag_id}
        if where is not None and where[0] != self.relative:
            own = [line for file, line in trail if file == self.relative]
            facts["via"] = own[-1] if own else 0
        kind, more = self._classify(error)
        self.lacking, self.failed = self._lacked(kind, more), True
        self.unset = self._watch.unset()
        if kind == "exception" and self.unset:
            more = {**more, "unset": self.unset}
        if kind in ("syntax", "undecodable") and isinstance(error, SyntaxError) and error.filename:
            path = os.path.abspath(error.filename)
            where = (self._watch.relative(path), error.lineno or 0) if self._watch.is_local(path) else where
        self.add(kind, where, **{**facts, **more})

    def _lacked(self, kind: str, facts: dict[str, Any]) -> tuple[str, str] | None:
        """Return kind and name of what stopped the load and can be made up, None for anything else."""
        if kind == "missing":
            return str(facts["what"]), str(facts["name"])
        if kind == "import" and facts["absent"] and facts["module"]:
            return "module", str(facts["module"])
        return None

    def _trail(self, error: BaseException) -> list[Place]:
        frames = traceback.walk_tb(error.__traceback__)
        return [
            (self._watch.relative(frame.f_code.co_filename), line)
            for frame, line in frames
            if self._watch.is_local(frame.f_code.co_filename)
        ]

    def _classify(self, error: BaseException) -> tuple[str, dict[str, Any]]:
        if isinstance(error, (SystemExit, HardExit)):
            return "exit", {}
        if isinstance(error, (SyntaxError, ValueError)) and _NOT_TEXT.search(str(error)):
            return "undecodable", {}
        if isinstance(error, SyntaxError):
            return "syntax", {"text": error.msg}
        if isinstance(error, ImportError):
            return "import", self._import_facts(error)
        return self._classify_airflow(error)

    def _classify_airflow(self, error: BaseException) -> tuple[str, dict[str, Any]]:
        missing = self._lookups.missing(str(error))
        if missing:
            return "missing", {"what": missing[0], "name": missing[1]}
        name = _unset_name(error)
        if name is not None:
            return "missing", {"what": "environ", "name": name}
        if type(error).__name__ == "AirflowTimetableInvalid" or type(error).__module__.startswith("croniter"):
            return "schedule", {}
        return "exception", {}

    def _import_facts(self, error: ImportError) -> dict[str, Any]:
        """Return what tells an absent module from one that only lacks a name."""
        module = error.name or ""
        absent = isinstance(error, ModuleNotFoundError)
        top = module.split(".", 1)[0]
        stdlib = top in getattr(sys, "stdlib_module_names", ()) or top in sys.builtin_module_names
        if absent and top:
            # Both are inputs of the answer: it changes as soon as one of them exists.
            for base in (os.path.join(folder, top) for folder in self._watch.folders()):
                self._watch.opened.update((base + ".py", os.path.join(base, "__init__.py")))
        return {
            "module": module,
            "absent": absent,
            "stdlib": stdlib,
            "local": bool(error.path) and self._watch.is_local(str(error.path)),
            "nearby": self._nearby(top) if absent else "",
        }

    def _nearby(self, top: str) -> str:
        """Return the folder between DAG folder and DAG file that holds a module of this name, else ""."""
        folder = os.path.dirname(self.relative)
        while folder:
            base = os.path.join(self._watch.root, folder, top)
            if os.path.isfile(base + ".py") or os.path.isdir(base):
                return folder
            folder = os.path.dirname(folder)
        return ""

    def timeout(self, error: BaseException, limit: float) -> None:
        """Add that the file took too long, with the place where it was when the time was up."""
        self.timed_out = True
        trail = self._trail(error)
        self.add("timeout", trail[-1] if trail else None, limit=limit)

    def duplicates(self) -> set[str]:
        """Add a record for each dag_id that was used twice and return these ids."""
        twice = {dag_id: places for dag_id, places in self.dag_places.items() if len(places) > 1}
        for dag_id, places in twice.items():
            self.add("duplicate", places[1], dag_id=dag_id, first=list(places[0]))
        return set(twice)

    def cycle(self, dag_id: str, place: Place, ring: list[str], places: dict[str, Place]) -> None:
        """Add a cycle, at the task that closes it."""
        where = max((places[task_id] for task_id in ring if task_id in places), default=place)
        self.add("cycle", where, dag_id=dag_id, tasks=ring)

    def skipped_by_policy(self, dag_id: str, place: Place) -> None:
        """Add that a cluster policy left a DAG out."""
        self.add("policy_skip", place, dag_id=dag_id)

    def deprecations(self, found: list[tuple[str, int, str]]) -> None:
        """Add one record for all deprecated names that the file uses."""
        if found:
            file, line, text = found[0]
            self.add("deprecated", (file, line), text=text[:_TEXT_LIMIT], count=len(found))

    def habits(self, has_dags: bool) -> None:
        """Add what the file printed and changed, and that it holds no DAG if nothing else explains that."""
        if not has_dags and not self._records:
            self.add("empty", None)
        if self._watch.printed is not None:
            self.add("printed", self._watch.printed)
        for what, (file, line, *name) in self._watch.changes.items():
            place = (file, line) if line else self._mention(what)
            self.add("changed", place, what=what, name=name[0] if name else "")

    def _mention(self, what: str) -> Place | None:
        if what != "sys.path":
            return None
        for path in sorted(
            self._watch.opened, key=lambda path: (self._watch.relative(path) != self.relative, path)
        ):
            if path.endswith(".py") and self._watch.is_local(path):
                for number, line in enumerate(linecache.getlines(path), 1):
                    if _SYS_PATH.search(line.split("#", 1)[0]):
                        return self._watch.relative(path), number
        return None


def _unset_name(error: BaseException) -> str | None:
    """Return the name that ``os.environ[name]`` did not find, None for any other error."""
    if not isinstance(error, KeyError) or error.__traceback__ is None:
        return None
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    lookup = os._Environ.__getitem__.__code__
    return str(error.args[0]) if frames[-1].f_code is lookup else None


def _one_line(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 -- the user's __str__ may do anything
        text = ""
    text = text.replace(_folder("purelib"), "").replace(_folder("stdlib"), "")
    return " ".join(text.split())[:_TEXT_LIMIT]


def _folder(name: str) -> str:
    return os.path.join(sysconfig.get_paths()[name], "")
