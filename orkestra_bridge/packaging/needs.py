"""What a DAG needs of its surroundings: Variables, connections and environment variables, each with a place.

Put together from what was looked up while the file was loaded, what the tasks' arguments and templates name, and what the
sources of the package ask for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.ir.model import Need, Needs, SourceSpan, UnknownNeed
from orkestra_bridge.packaging.hook_defaults import default_connection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orkestra_bridge.frontend.model import DagFile, Environment
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.packaging.model import Closure
    from orkestra_bridge.packaging.static_lookups import StaticLookup

PRESENT = frozenset(
    {
        "HOME",
        "HOSTNAME",
        "LANG",
        "LC_ALL",
        "LOGNAME",
        "PATH",
        "PWD",
        "PYTHONPATH",
        "SHELL",
        "TMPDIR",
        "TZ",
        "USER",
    }
)
"""Environment variables that every process has, or that are about the machine and not about the project."""
RESERVED = ("AWS_", "LAMBDA_", "_HANDLER", "_X_AMZN_TRACE_ID")
"""What Lambda itself sets, and lets nobody set (Lambda Developer Guide, "Working with environment variables")."""

_ATTRIBUTES = {"variable": "variables", "connection": "connections", "environment": "environment"}


def find_needs(workflow: Workflow, file: DagFile, closure: Closure, environment: Environment) -> Needs:
    """Return the needs of a DAG; places are relative to the DAG folder."""
    found = _Collected()
    for path, lookups in closure.lookups:
        place = SourceSpan(file.from_base(path))
        # What the DAG file itself looks up while it is loaded has been seen by name.
        own = place.file == file.relative
        found.add_static(
            place, [each for each in lookups if each.name or each.deferred or not own], environment
        )
    for need in workflow.needs.variables:
        found.add("variable", need)
    for need in workflow.needs.connections:
        found.add("connection", need)
    for name in workflow.variables:
        found.add("variable", Need(name=name, file=workflow.span.file))
    for name in workflow.connections:
        found.add("connection", Need(name=name, file=workflow.span.file))
    found.unknown.extend(workflow.needs.unknown)
    return found.needs()


class _Collected:
    def __init__(self) -> None:
        self.known: dict[str, dict[str, Need]] = {name: {} for name in _ATTRIBUTES.values()}
        self.unknown: list[UnknownNeed] = []

    def add(self, kind: str, need: Need) -> None:
        """Keep the first place of a name, one with a line before one without."""
        group = self.known[_ATTRIBUTES[kind]]
        if need.name not in group or (need.line and not group[need.name].line):
            group[need.name] = need

    def add_static(
        self, place: SourceSpan, lookups: Iterable[StaticLookup], environment: Environment
    ) -> None:
        for each in lookups:
            kind, name = str(each.kind), each.name
            if kind == "hook" and name:
                kind, name = "connection", default_connection(environment.site_packages, name)
                if name is None:
                    continue
            if kind == "environment" and (not name or name in PRESENT or name.startswith(RESERVED)):
                continue
            if name is None:
                self.unknown.append(UnknownNeed(kind=_ATTRIBUTES[kind], file=place.file, line=each.line))
            else:
                self.add(kind, Need(name=name, file=place.file, line=each.line))

    def needs(self) -> Needs:
        groups = {
            kind: tuple(sorted(group.values(), key=lambda need: need.name))
            for kind, group in self.known.items()
        }
        unknown = sorted(set(self.unknown), key=lambda each: (each.kind, each.file, each.line))
        return Needs(
            variables=groups["variables"],
            connections=groups["connections"],
            environment=groups["environment"],
            unknown=tuple(unknown),
        )
