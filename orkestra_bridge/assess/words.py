"""What the forms for people say in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.asl.measure import DEFINITION_LIMIT, HISTORY_LIMIT
from orkestra_bridge.assess.cost import environment_month
from orkestra_bridge.lowering.payload import ROOM

if TYPE_CHECKING:
    from orkestra_bridge.assess.model import Assessment, DagAssessment

RUNS = {"lambda": "on Lambda", "pass": "nothing to run", "refused": "refused", "container": "in a container"}


def runs_text(dag: DagAssessment) -> str:
    """Return how many tasks there are and how they run."""
    parts = [f"{count} {RUNS.get(name, name)}" for name, count in dag.runs.items()]
    total = f"{len(dag.tasks)}: " if len(parts) > 1 else ""
    return total + ", ".join(parts) if parts else "none"


def reasons_text(dag: DagAssessment) -> str:
    """Return what keeps the readiness from 100, the heaviest first."""
    return "; ".join(
        f"{each.id} {each.title}{f' ({each.count} times)' if each.count > 1 else ''}" for each in dag.reasons
    )


def schedule_text(dag: DagAssessment) -> str:
    """Return the schedule as Airflow and as EventBridge Scheduler have it."""
    schedule = dag.schedule
    expressions = ", ".join(schedule["expressions"])
    partitions = "partitions of " if schedule.get("partitions") else ""
    paused = ", disabled" if schedule["state"] == "DISABLED" else ""
    starts = [
        *([f"{expressions} in {schedule['timezone']}"] if expressions else []),
        *([f"events of {partitions}its assets"] if schedule.get("assets") else []),
        *(["events that match the configuration"] if schedule.get("events") else []),
    ]
    if not starts:
        return f"{schedule['text']}: nothing starts it by itself"
    return f"{schedule['text']} -> {' and '.join(starts)}{paused}"


def limits_text(dag: DagAssessment) -> str:
    """Return the size of the machine, or of the largest of several, as a share of what AWS allows."""
    size = max(each.definition_bytes for each in dag.machines)
    events = max(each.history_events for each in dag.machines)
    data = max(each.state_data_bytes for each in dag.machines)
    several = f" in {len(dag.machines)} machines" if len(dag.machines) > 1 else ""
    each_at_most = "the largest " if several else ""
    return (
        f"{dag.states} states{several}, {dag.transitions} transitions a run; {each_at_most}definition "
        f"{size / 1024:.1f} KB, {size / DEFINITION_LIMIT:.1%} of the limit; at most {events} history events, "
        f"{events / HISTORY_LIMIT:.1%}; state data {data / 1024:.1f} KB, {data / ROOM:.1%}, without XComs of up to "
        f"{dag.inline_limit / 1024:.1f} KB a task, beyond which they go to S3"
    )


def cost_text(dag: DagAssessment) -> str:
    """Return the cost of a run and of a month, and the same on MWAA Serverless; empty if there is no machine."""
    cost = dag.cost
    if cost is None:
        return ""
    if cost.runs is None:
        a_run = f"{_dollars(cost.run)} a run, {_dollars(cost.serverless)} on MWAA Serverless"
        return f"{a_run}; runs a month are not known"
    return (
        f"{_dollars(cost.month(cost.run) or 0)} a month for {cost.runs:,.0f} runs, "
        f"{_dollars(cost.month(cost.serverless) or 0)} on MWAA Serverless"
    )


def month_text(assessment: Assessment) -> str:
    """Return the cost of all DAGs, beside an environment that is always there."""
    month = assessment.month()
    if not any(dag.cost and dag.cost.runs for dag in assessment.dags):
        return (
            "None of the DAGs that can be translated is started by a schedule, so a month has no price here; an "
            f"mw1.small environment of MWAA has {_dollars(environment_month())}, whatever runs there."
        )
    return (
        f"List prices for a month: {_dollars(month['step_functions'])} on Step Functions, Lambda and Fargate, "
        f"{_dollars(month['mwaa_serverless'])} on MWAA Serverless (at Tokyo's price), "
        f"{_dollars(environment_month())} for an mw1.small environment of MWAA, whatever runs there. "
        "Without measured durations a task is taken to run for as long as "
        "--task-seconds says; prices are in orkestra_bridge/assess/prices.json with their sources."
    )


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount >= 0.1 or amount == 0 else f"${amount:.2g}"


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
