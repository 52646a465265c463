"""The result of an assessment, as values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge import __version__
from orkestra_bridge.asl.measure import DEFINITION_LIMIT, HISTORY_LIMIT
from orkestra_bridge.assess.cost import environment_month, prices
from orkestra_bridge.diagnostics import Finding, Severity
from orkestra_bridge.lowering.payload import ROOM
from orkestra_bridge.report import TOOL, finding_to_json

if TYPE_CHECKING:
    from orkestra_bridge.assess.cost import Cost
    from orkestra_bridge.ir.model import JsonValue


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task as the assessment shows it.

    Attributes:
        runs: ``lambda``, ``container``, ``pass``..., or ``refused`` where nothing runs its operator.
        place: ``file:line``.
    """

    task_id: str
    operator: str
    runs: str
    upstream: tuple[str, ...]
    place: str
    mapped: bool


@final
@dataclass(frozen=True, slots=True)
class Reason:
    """Why a DAG is not fully ready: a kind of finding, how often it is there and what it costs."""

    id: str
    severity: Severity
    title: str
    count: int
    points: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MachineView:
    """What a state machine takes of AWS's limits.

    Attributes:
        name: ``part-1`` and so on; empty for the DAG's own.
        definition_bytes: Of its definition.
        history_events: The most that one of its executions writes.
        state_data_bytes: What the ledger takes at least when all tasks have pushed: ids, states and references to XComs.
    """

    name: str
    definition_bytes: int
    history_events: int
    state_data_bytes: int

    def shares(self) -> dict[str, float]:
        """Return the part of each limit that it takes, 1 for all of it."""
        return {
            "definition": self.definition_bytes / DEFINITION_LIMIT,
            "history": self.history_events / HISTORY_LIMIT,
            "state_data": self.state_data_bytes / ROOM,
        }

    def to_json(self) -> dict[str, Any]:
        """Return it with its shares."""
        return {**asdict(self), "shares": {name: round(share, 4) for name, share in self.shares().items()}}


def _reason(reason: Reason) -> dict[str, Any]:
    return {**asdict(reason), "severity": reason.severity.value}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DagAssessment:
    """What is known about one DAG.

    Attributes:
        schedule: As `ScheduleView.to_json` has it.
        upcoming: The next times at which a run starts, ISO 8601 with the offset of the schedule's zone.
        readiness: 0 to 100; below 50 something refuses it.
        states, transitions: Of the machine, 0 where there is none; transitions of a run in which every task succeeds.
        machines: The DAG's own state machine first, then those of its parts.
        inline_limit: Bytes of XComs that stay in the entry of a task; what is beyond goes to S3.
        cost: None where there is no machine.
        attributes: How many arguments are kept, approximated, refused and unaccounted for.
    """

    dag_id: str
    file: str
    line: int
    tasks: tuple[TaskView, ...]
    schedule: dict[str, JsonValue]
    upcoming: tuple[str, ...]
    readiness: int
    reasons: tuple[Reason, ...]
    states: int
    transitions: int
    machines: tuple[MachineView, ...]
    inline_limit: int
    cost: Cost | None
    attributes: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """What refuses the DAG."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    @property
    def runs(self) -> dict[str, int]:
        """How many tasks run how, the most frequent first."""
        counts: dict[str, int] = {}
        for task in self.tasks:
            counts[task.runs] = counts.get(task.runs, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def verdict(self) -> str:
        """``ready``, ``differs`` (it runs, but not in every respect as before) or ``blocked``."""
        if self.blockers:
            return "blocked"
        return "differs" if any(each.severity is Severity.WARNING for each in self.findings) else "ready"

    def to_json(self) -> dict[str, Any]:
        """Return the DAG's part of the JSON form."""
        plain = ("dag_id", "file", "line", "schedule", "readiness", "states", "transitions")
        return {
            **{name: getattr(self, name) for name in plain},
            "verdict": self.verdict,
            "definition_bytes": max((each.definition_bytes for each in self.machines), default=0),
            "history_events": max((each.history_events for each in self.machines), default=0),
            "inline_limit": self.inline_limit,
            "machines": [machine.to_json() for machine in self.machines],
            "cost": self.cost.to_json() if self.cost else None,
            "upcoming": list(self.upcoming),
            "runs": self.runs,
            "reasons": [_reason(reason) for reason in self.reasons],
            "attributes": self.attributes,
            "tasks": [{**asdict(task), "upstream": list(task.upstream)} for task in self.tasks],
            "findings": [finding_to_json(finding) for finding in self.findings],
        }


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What is known about all DAGs.

    Attributes:
        airflow_version: Of the Airflow that loaded the files.
        findings: Those about files rather than about one DAG.
    """

    airflow_version: str
    dags: tuple[DagAssessment, ...]
    findings: tuple[Finding, ...]

    def all_findings(self) -> tuple[Finding, ...]:
        """Return the findings of files and DAGs."""
        return (*self.findings, *(finding for dag in self.dags for finding in dag.findings))

    def month(self) -> dict[str, float]:
        """Return the dollars of a month of all scheduled DAGs, here and on MWAA Serverless."""
        costs = [dag.cost for dag in self.dags if dag.cost]
        return {
            "step_functions": sum(cost.month(cost.run) or 0.0 for cost in costs),
            "mwaa_serverless": sum(cost.month(cost.serverless) or 0.0 for cost in costs),
        }

    def summary(self) -> dict[str, int]:
        """Return how many DAGs there are of each verdict, and how many tasks run how."""
        verdicts = [dag.verdict for dag in self.dags]
        found = self.all_findings()
        runs: dict[str, int] = {}
        for dag in self.dags:
            for name, count in dag.runs.items():
                runs[f"tasks_{name}"] = runs.get(f"tasks_{name}", 0) + count
        return {
            "dags": len(self.dags),
            **{name: verdicts.count(name) for name in ("ready", "differs", "blocked")},
            "tasks": sum(len(dag.tasks) for dag in self.dags),
            **dict(sorted(runs.items())),
            **{f"{level.value}s": sum(each.severity is level for each in found) for level in Severity},
        }

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form, which is a contract: names are added, never changed."""
        return {
            "tool": TOOL,
            "version": __version__,
            "airflow_version": self.airflow_version,
            "summary": self.summary(),
            "cost": {"month": self.month(), "mwaa_small_month": environment_month(), **prices()},
            "findings": [finding_to_json(finding) for finding in self.findings],
            "dags": [dag.to_json() for dag in self.dags],
        }
