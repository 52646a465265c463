"""What events with partition keys do on this machine: the launchers that `convert` wrote are executed.

A launcher asks the DAG's function, as on AWS; its table is a file for each DAG below ``OUT/.runs/.assets``.
"""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, final
from uuid import uuid4

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.local.assets import MEMORY, Consumer, details_in, waiting_in
from orkestra_bridge.local.functions.pool import FunctionPool
from orkestra_bridge.local.functions.tasks import LambdaTasks
from orkestra_bridge.local.interpreter import StatesError, execute
from orkestra_bridge.local.prepared import FUNCTION, TEMPLATE, filled, prepare, read_json
from orkestra_bridge.local.services.dynamodb import Items, Table
from orkestra_bridge.naming import machine_name
from orkestra_bridge.packaging.pythons import RUNS
from orkestra_bridge.runtime.asset_events import PARTITIONED_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from orkestra_bridge.ir.model import AssetCondition, Workflow
    from orkestra_bridge.local.interpreter import Clock, Json, TaskCall, TaskRunner
    from orkestra_bridge.local.record import RunFolder
    from orkestra_bridge.local.run import RunRequest

LOG = "partitions"
"""What the log of a function that is asked for partitions is named after, beside its DAG."""
LAUNCHER = "AssetLauncher"
"""The launcher's name in the template."""
PLACES = {"${StateMachineArn}": "machine", "${UndeliveredRunsUrl}": "queue", "${AssetMemory}": "memory"}
"""What stands where CloudFormation would put names."""
_PATH = "dynamodb:"


async def hear_partitions(request: RunRequest, folder: RunFolder, clock: Clock) -> tuple[Consumer, ...]:
    """Return the partitioned DAGs of OUT that wait for something of which a run has put events into its folder.

    Raises:
        LocalRunError: What `convert` or an earlier run wrote cannot be read, or the function cannot say the partitions.
    """
    details = details_in(folder.asset_events, PARTITIONED_TYPE)
    found: list[Consumer] = []
    for workflow, condition in waiting_in(request.out.resolve()) if details else ():
        touching = [each for each in details if condition.touched_by(each["keys"])]
        if workflow.schedule.partitions and touching:
            found.extend(await _heard(request, (workflow, condition), touching, folder, clock))
    return tuple(found)


async def _heard(
    request: RunRequest,
    waiting: tuple[Workflow, AssetCondition],
    details: Sequence[Mapping[str, Any]],
    folder: RunFolder,
    clock: Clock,
) -> list[Consumer]:
    """Return what events mean for one DAG: the runs that they start, and the partitions that still wait."""
    workflow, condition = waiting
    home = request.out.resolve()
    prepared = prepare(replace(request, dag_id=workflow.dag_id), {})
    function = prepared.functions[FUNCTION]
    names = {**PLACES, FUNCTION: function.arn}
    definition = filled(_launcher(home / workflow.dag_id / TEMPLATE), names)
    memory = _Memory(home / RUNS / MEMORY / f"{machine_name(workflow.dag_id)}.partitions.json")
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(FunctionPool(function))
        functions = LambdaTasks(
            {function.arn: pool}, clock, lambda _: folder.log_named(f"{workflow.dag_id}.{LOG}", 0)
        )
        aws = _Aws(functions, Table(memory.items), workflow.dag_id, condition, memory.items)
        for detail in details:
            given = {"id": str(uuid4()), "detail": dict(detail)}
            execution = await execute(definition, given, tasks=aws, clock=clock)
            if execution.status != "SUCCEEDED":
                message = (
                    f"which partitions of {workflow.dag_id} the events are for cannot be told: {aws.problem}"
                )
                raise LocalRunError(message, remedy=f"look at the log in {folder.path}")
    memory.keep()
    return aws.consumers


def _launcher(template: Path) -> Mapping[str, Json]:
    properties = read_json(template)["Resources"][LAUNCHER]["Properties"]
    definition: Mapping[str, Json] = properties.get("Definition") or json.loads(
        properties["DefinitionString"]
    )
    return definition


@final
class _Memory:
    """The table of one DAG, in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.items: Items = {}
        if path.exists():
            self.items = {("memory", key): item for key, item in read_json(path).items()}

    def keep(self) -> None:
        if not self.items:
            self.path.unlink(missing_ok=True)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps({key: item for (_, key), item in self.items.items()}), "utf-8")


@final
class _Aws:
    """What a launcher calls: the function, its table, and the start of runs, which makes consumers."""

    def __init__(
        self, functions: TaskRunner, table: Table, dag_id: str, condition: AssetCondition, items: Items
    ) -> None:
        self.functions = functions
        self.table = table
        self.dag_id = dag_id
        self.condition = condition
        self.items = items
        self.consumers: list[Consumer] = []
        self.problem = ""

    async def __call__(self, call: TaskCall) -> Json:
        action = call.resource.rpartition(":")[2]
        if action == "startExecution":
            self.consumers.append(Consumer(dag_id=self.dag_id, document=call.arguments["Input"]))
            return {}
        if action == "sendMessage":
            self.problem = call.arguments["MessageBody"]
            return {}
        if _PATH not in call.resource:
            return await self.functions(call)
        try:
            return self.table.call(action, call.arguments, "DynamoDB")
        except StatesError:
            self._waits(call.arguments["Key"]["id"]["S"])
            raise

    def _waits(self, item: str) -> None:
        """Take note of what a partition still waits for."""
        there = self.items.get(("memory", item), {})
        key = item.removeprefix(f"{self.dag_id} ").partition(" ")[2]
        missing = []
        for number, leaf in enumerate(self.condition.leaves):
            arrived = len(there.get(f"arrived{number}", {}).get("SS", ()))
            needed = int(there.get(f"needed{number}", {}).get("N", 0))
            if not arrived or arrived < needed:
                counted = f", {arrived} of {needed} are there" if needed > 1 else ""
                missing.append(f"{leaf.uri or leaf.name} (partition {key}{counted})")
        self.consumers.append(Consumer(dag_id=self.dag_id, waits_for=tuple(missing)))
