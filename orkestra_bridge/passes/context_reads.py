"""What is said about tasks that read what Airflow keeps in its database and hands out as part of the context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.ir.stored import assets_with_state, keys_of_history
from orkestra_bridge.passes import rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orkestra_bridge.diagnostics import Finding, Rule
    from orkestra_bridge.ir.model import AssetCondition, ContextRead, Workflow

_STORES = ("task_state_store", "asset_state_store")


def about_context_reads(workflow: Workflow) -> tuple[Finding, ...]:
    """Return what is said about code and templates that read such keys.

    An error for each place that reads what is nowhere on AWS, and one note for each of the keys that DynamoDB has.
    """
    notes = (*(_note(workflow, key) for key in _STORES), _since(workflow))
    return (*_refused(workflow), *(note for note in notes if note is not None))


def _refused(workflow: Workflow) -> Iterator[Finding]:
    for read in workflow.context_reads:
        for why, remedy in _lacking(workflow, read):
            yield _at(workflow, read, rules.CONTEXT_KEY, f"it reads {read.key} of the context: {why}", remedy)


def _lacking(workflow: Workflow, read: ContextRead) -> Iterator[tuple[str, str]]:
    """Yield why a place cannot have what it reads, and what to do instead."""
    if read.task_id is None:
        why = "a callback of the DAG belongs to no task instance, and what Airflow keeps is kept for those"
        yield why, "read it in a task, or in a callback of one"
    elif read.key == "asset_state_store":
        task = workflow.task(read.task_id)
        yield from _unknown(task.inlets, task.outlets)


def _unknown(
    inlets: Iterable[AssetCondition], outlets: Iterable[AssetCondition]
) -> Iterator[tuple[str, str]]:
    """Yield what is said about assets whose names only Airflow's database has: what is stored is kept under names."""
    for leaf in inlets:
        if leaf.kind == "alias":
            why = f"which assets the alias {leaf.name} stands for is in Airflow's database"
            yield why, "name the assets themselves in the task's inlets"
    for leaf in dict.fromkeys((*inlets, *outlets)):
        if leaf.kind == "asset" and not leaf.name:
            why = f"which asset {leaf.uri} is the URI of is in Airflow's database"
            yield why, "give the asset itself, or Asset.ref(name=...)"


def _note(workflow: Workflow, key: str) -> Finding | None:
    """Return where what tasks store under a key is kept, None if none does."""
    read = next((each for each in workflow.context_reads if each.key == key and each.task_id), None)
    if read is None or (key == "asset_state_store" and not assets_with_state(workflow)):
        return None
    where = "a table of DynamoDB" if key == "task_state_store" else "a table of DynamoDB that all DAGs share"
    message = f"what it stores in {key} is in {where}: a value has 400,000 bytes at most"
    if key == "task_state_store":
        message = f"{message}, and what has expired is gone at once"
        remedy = "nothing, unless values are larger: put these into S3, and store their place"
    else:
        message = f"{message}, and the function may use what is stored with the task's own assets"
        remedy = (
            "deploy asset_state_table.json of the DAG's folder once, for all DAGs of the account and region"
        )
    return _at(workflow, read, rules.STATE_TABLE, message, remedy)


def _since(workflow: Workflow) -> Finding | None:
    """Return from when on the events of inlets are known, None if no task reads them."""
    read = next(
        (each for each in workflow.context_reads if each.key == "inlet_events" and each.task_id), None
    )
    if read is None or not keys_of_history(workflow):
        return None
    message = (
        "it reads inlet_events: a rule of EventBridge keeps the events of its inlets from the deployment of this DAG "
        "on, for 400 days; what was before is not there, nor are the ids of events and the runs that they started"
    )
    remedy = "nothing, if that is enough; an earlier event can be put on the bus once more"
    return _at(workflow, read, rules.ASSET_HISTORY, message, remedy)


def _at(workflow: Workflow, read: ContextRead, rule: Rule, message: str, remedy: str) -> Finding:
    return rule.at(
        read.span,
        message,
        remedy,
        dag_id=workflow.dag_id,
        task_id=read.task_id,
        attribute=read.attribute,
    )
