"""What is said about DAGs that others start, wait for or get assets from, where nobody converts them with these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from orkestra_bridge.ir.model import PartitionedBy
from orkestra_bridge.naming import machine_name
from orkestra_bridge.operators.other_dags import is_sensor, is_template, other_dags
from orkestra_bridge.passes import rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import AssetCondition, Workflow


@final
@dataclass(slots=True)
class Loaded:
    """The DAGs that have been loaded so far.

    Attributes:
        dags: Each by its id.
        made: Keys of the assets, and of the aliases, that their tasks make events of.
        keyed: Those among them of which DAGs make events that have the partition key of the run.
        plain: Those of which DAGs make events without a partition key, unless a task adds one.
    """

    dags: dict[str, Workflow] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    keyed: set[str] = field(default_factory=set)
    plain: set[str] = field(default_factory=set)

    def learn(self, workflows: Iterable[Workflow]) -> None:
        """Take in the DAGs of another file."""
        for workflow in workflows:
            self.dags[workflow.dag_id] = workflow
            outlets = (each for task in workflow.tasks for each in task.outlets)
            made = {key for each in outlets for leaf in each.leaves for key in leaf.keys}
            self.made |= made
            by = workflow.schedule.partitions.by if workflow.schedule.partitions else None
            if by is not None:
                self.keyed |= made
            if by in (None, PartitionedBy.RUNTIME):
                self.plain |= made

    def lacks(self, workflow: Workflow) -> bool:
        """Return True if files that are not loaded yet may have what a DAG refers to."""
        assets = workflow.schedule.assets
        unmade = assets is not None and not all(leaf.holds(self.made) for leaf in assets.leaves)
        return (
            unmade
            or bool(self._without_events(workflow))
            or not self.dags.keys() >= set(other_dags(workflow))
        )

    def about(self, workflow: Workflow) -> Iterator[Finding]:
        """Yield what a DAG refers to that no DAG has; to be asked when all files are loaded, or nothing is lacking."""
        yield from about_other_dags(workflow, self.dags)
        yield from self._about_assets(workflow)
        yield from self._about_partitions(workflow)

    def _without_events(self, workflow: Workflow) -> list[AssetCondition]:
        """Return the assets of a schedule whose events all have a partition key where it wants none, or none at all.

        Source: `AssetManager._queue_dagruns`.
        """
        assets = workflow.schedule.assets
        heard = self.keyed if workflow.schedule.maps_partitions else self.plain
        return (
            [leaf for leaf in assets.leaves if leaf.holds(self.made) and not leaf.holds(heard)]
            if assets
            else []
        )

    def _about_partitions(self, workflow: Workflow) -> Iterator[Finding]:
        leaves = self._without_events(workflow)
        if not leaves:
            return
        partitioned = workflow.schedule.partitions is not None
        shown = ", ".join(leaf.uri or leaf.name for leaf in leaves)
        message = (
            f"events of {shown} have the partition keys of the runs that make them, and start partitioned DAGs alone, "
            "as in Airflow"
        )
        if partitioned:
            message = (
                f"events of {shown} have no partition key unless a task adds one, and without it they start no run of a "
                "partitioned DAG, as in Airflow"
            )
        remedy = (
            "schedule by a PartitionedAssetTimetable, or make the events in a DAG that is not partitioned"
        )
        if partitioned:
            remedy = "add keys in the task (outlet_events[asset].add_partitions), or give its DAG a partitioned schedule"
        yield rules.NO_SUCH_EVENTS.at(
            workflow.span, message, remedy, dag_id=workflow.dag_id, attribute="schedule"
        )

    def _about_assets(self, workflow: Workflow) -> Iterator[Finding]:
        assets = workflow.schedule.assets
        unmade = [leaf for leaf in assets.leaves if not leaf.holds(self.made)] if assets else []
        if not assets or not unmade:
            return
        shown = ", ".join(
            f"alias {leaf.name}" if leaf.kind == "alias" else leaf.uri or leaf.name for leaf in unmade
        )
        starts = "runs start by the others alone" if assets.holds(self.made) else "no run starts"
        aliases = sorted(key for key in self.made if key.startswith("alias "))
        perhaps = f", unless a task does through {', '.join(aliases)}" if aliases else ""
        yield rules.ASSET_OF_NOBODY.at(
            workflow.span,
            f"no task of this conversion makes events of {shown}{perhaps}: {starts} until something else does",
            "convert the DAG that makes them together with this one, or put their events on the bus from elsewhere "
            "(docs/how-to/assets.md)",
            dag_id=workflow.dag_id,
            attribute="schedule",
        )


def about_other_dags(workflow: Workflow, known: Mapping[str, Workflow]) -> Iterator[Finding]:
    """Yield a finding for each task whose other DAG is not among the known ones, or has no fixed name."""
    for task in workflow.tasks:
        attribute = "external_dag_id" if is_sensor(task) else "trigger_dag_id"
        if task.calls and is_template(task.calls):
            yield rules.OTHER_DAG_TEMPLATE.at(
                task.span,
                f"only the run knows which DAG {task.calls} is, and the function may not start or see just any",
                "name the DAG, or use one task for each of them behind a @task.branch",
                dag_id=workflow.dag_id,
                task_id=task.task_id,
                attribute=attribute,
            )
        elif task.calls and task.calls not in known:
            yield rules.OTHER_DAG_UNKNOWN.at(
                task.span,
                f"DAG {task.calls!r} is not part of this conversion: its state machine is expected to be named "
                f"{machine_name(task.calls)!r}, with the schedule of this DAG",
                "convert the two together, or set the parameter for its state machine's name when you deploy",
                dag_id=workflow.dag_id,
                task_id=task.task_id,
                attribute=attribute,
            )
