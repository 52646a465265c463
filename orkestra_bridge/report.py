"""What a conversion has to say: the same values for the terminal, for report.json and for callers.

The JSON form is a contract: `Report.to_json` gives ``{"tool", "version", "summary", "findings", "dags"}``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge import __version__
from orkestra_bridge.diagnostics import Finding, Severity, Verdict, refuses
from orkestra_bridge.ir.model import Need, Needs, UnknownNeed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.frontend.model import Missing
    from orkestra_bridge.ir.model import JsonValue

TOOL = "orkestra-bridge"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DagReport:
    """One DAG's part of the report.

    Attributes:
        states: States of the machines, 0 if the DAG was refused before there was one.
        transitions: State transitions of a run in which every task succeeds; with joins, the most there can be.
        machines: State machines: one, and one for each part of a DAG that does not fit into it.
        relaxed_edges: Edges that the nesting leaves to a join at run time.
        schedule: As EventBridge sees it: kind, text, expressions, timezone, start, end, state.
        needs: Variables, connections, environment variables and keys of Kubernetes' that it needs, with places.
        requirements: Third-party distributions of the package, ``name==version``.
    """

    dag_id: str
    file: str
    line: int
    tasks: int
    states: int = 0
    transitions: int = 0
    machines: int = 0
    relaxed_edges: int = 0
    schedule: dict[str, JsonValue]
    needs: Needs = field(default_factory=Needs)
    requirements: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> str:
        """``translated`` or ``refused``."""
        return "refused" if refuses(self.findings) else "translated"

    def to_json(self) -> dict[str, Any]:
        """Return the DAG's entry of report.json."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return {
            **fields,
            "verdict": self.verdict,
            "needs": asdict(self.needs),
            "requirements": list(self.requirements),
            "findings": [finding_to_json(finding) for finding in self.findings],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> DagReport:
        """Return the entry that `to_json` wrote; raises KeyError, TypeError or ValueError if it is not one."""
        fields = {name: document[name] for name in cls.__slots__}
        return cls(
            **{
                **fields,
                "needs": needs_from_json(document["needs"]),
                "requirements": tuple(document["requirements"]),
                "findings": tuple(map(finding_from_json, document["findings"])),
            }
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that one conversion found.

    Attributes:
        findings: Those about files rather than about one DAG.
        missing: What files cannot be loaded without.
    """

    dags: tuple[DagReport, ...]
    findings: tuple[Finding, ...]
    missing: tuple[Missing, ...] = ()

    def all_findings(self) -> tuple[Finding, ...]:
        """Return the findings of files and DAGs in the order of the report."""
        return (*self.findings, *(finding for dag in self.dags for finding in dag.findings))

    def to_json(self) -> dict[str, Any]:
        """Return the content of report.json."""
        return {
            "tool": TOOL,
            "version": __version__,
            "summary": self.summary(),
            "findings": [finding_to_json(finding) for finding in self.findings],
            "missing": [asdict(each) for each in self.missing],
            "dags": [dag.to_json() for dag in self.dags],
        }

    def summary(self) -> dict[str, int]:
        """Return the numbers of DAGs, tasks and findings."""
        every = self.all_findings()
        translated = sum(dag.verdict == "translated" for dag in self.dags)
        return {
            "dags": len(self.dags),
            "translated": translated,
            "refused": len(self.dags) - translated,
            "tasks": sum(dag.tasks for dag in self.dags),
            **{f"{level.value}s": sum(finding.severity is level for finding in every) for level in Severity},
        }


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """Return a finding with its enums as plain text."""
    fields = {name: getattr(finding, name) for name in finding.__slots__}
    return {**fields, "severity": finding.severity.value, "verdict": finding.verdict.value}


def finding_from_json(document: Mapping[str, Any]) -> Finding:
    """Return the finding that `finding_to_json` wrote."""
    severity, verdict = Severity(document["severity"]), Verdict(document["verdict"])
    return Finding(**{**document, "severity": severity, "verdict": verdict})


def needs_from_json(document: Mapping[str, Any]) -> Needs:
    """Return needs that were written as plain values."""
    known = {
        name: tuple(Need(**each) for each in document[name])
        for name in ("variables", "connections", "environment", "kubernetes_secrets", "kubernetes_configmaps")
    }
    return Needs(**known, unknown=tuple(UnknownNeed(**each) for each in document["unknown"]))
