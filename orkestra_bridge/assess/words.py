"""What the forms for people say in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.assess.model import DEFINITION_LIMIT

if TYPE_CHECKING:
    from orkestra_bridge.assess.model import Assessment, DagAssessment

RUNS = {"lambda": "on Lambda", "pass": "nothing to run", "refused": "refused", "container": "in a container"}


def runs_text(dag: DagAssessment) -> str:
    """Return how many tasks there are and how they run."""
    parts = ", ".join(f"{count} {RUNS.get(name, name)}" for name, count in dag.runs.items())
    return f"{len(dag.tasks)}: {parts}" if parts else "none"


def schedule_text(dag: DagAssessment) -> str:
    """Return the schedule as Airflow and as EventBridge Scheduler have it."""
    schedule = dag.schedule
    expressions = ", ".join(schedule["expressions"])
    if not expressions:
        return f"{schedule['text']}: nothing starts it by itself"
    paused = ", disabled" if schedule["state"] == "DISABLED" else ""
    return f"{schedule['text']} -> {expressions} in {schedule['timezone']}{paused}"


def limits_text(dag: DagAssessment) -> str:
    """Return the size of the machine, as a share of what AWS allows."""
    share = dag.definition_bytes / DEFINITION_LIMIT
    return (
        f"{dag.states} states, {dag.transitions} transitions a run, "
        f"definition {dag.definition_bytes / 1024:.1f} KB ({share:.1%} of 1 MB)"
    )


def attributes_text(dag: DagAssessment) -> str:
    """Return what became of the arguments that differ from Airflow's defaults."""
    return ", ".join(f"{count} {name}" for name, count in dag.attributes.items() if count) or "all defaults"


def totals_text(assessment: Assessment) -> str:
    """Return the last line."""
    summary = assessment.summary()
    return (
        f"{summary['dags']} DAGs: {summary['ready']} ready, {summary['differs']} differ in something, "
        f"{summary['blocked']} blocked; {summary['tasks']} tasks; "
        f"{summary['errors']} errors, {summary['warnings']} warnings, {summary['infos']} notes. "
        "Packages are not checked here: `convert` does that."
    )
