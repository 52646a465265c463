"""What is said about a schedule that waits for assets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.stack.rules import (
    ALIAS_ROLLUP,
    ASSET_ALIAS,
    ASSET_WATCHER,
    EACH_ASSET_EVENT,
    NO_ASSETS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.diagnostics import Finding, Rule
    from orkestra_bridge.ir.model import AssetCondition, Workflow


def about_assets(workflow: Workflow, condition: AssetCondition) -> Iterator[Finding]:
    """Yield a finding for each way in which runs start otherwise than in Airflow."""

    def say(rule: Rule, message: str, remedy: str) -> Finding:
        return rule.at(workflow.span, message, remedy, dag_id=workflow.dag_id, attribute="schedule")

    if not condition.leaves:
        yield say(
            NO_ASSETS, "the schedule names no asset, so nothing starts the DAG", "give it assets, or None"
        )
        return
    yield say(
        EACH_ASSET_EVENT,
        "a run starts at once when the assets are there; Airflow's scheduler starts one for all events of some seconds",
        "nothing, if the tasks may run once for each event",
    )
    partitions = workflow.schedule.partitions
    for leaf in condition.leaves:
        shown = leaf.uri or leaf.name
        if leaf.kind == "alias":
            yield say(
                ASSET_ALIAS,
                f"events that a task makes through the alias {shown} start runs; in Airflow, later on, so do others "
                "of the assets that it was used for",
                "name these assets in the schedule as well if tasks make events of them without the alias",
            )
        if leaf.kind == "alias" and partitions and partitions.rollup:
            yield say(
                ALIAS_ROLLUP,
                f"the schedule waits for several partitions by {', '.join(partitions.mappers)}, and for the alias "
                f"{shown}: which partitions of which of its assets there are is only in Airflow's database",
                "name the assets in the schedule instead of the alias",
            )
        for watcher in leaf.watchers:
            yield say(
                ASSET_WATCHER,
                f"the watcher {watcher} of the asset {shown} is run by Airflow's triggerer, which AWS has not",
                "remove the watcher and let a rule or pipe of EventBridge put an event of the asset on the bus "
                "(docs/how-to/assets.md)",
            )
