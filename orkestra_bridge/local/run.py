"""Runs a converted DAG on this machine: its state machine here, its tasks in worker processes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal, final

from orkestra_bridge.errors import LocalRunError, UsageError
from orkestra_bridge.local.functions.environment import airflow_settings
from orkestra_bridge.local.functions.model import FunctionSpec
from orkestra_bridge.local.functions.pool import FunctionPool
from orkestra_bridge.local.functions.tasks import LambdaTasks
from orkestra_bridge.local.interpreter import Clock, Event, Execution, Json, RealClock, TaskTokens, execute
from orkestra_bridge.local.interpreter.engine import ARN
from orkestra_bridge.local.ledger import Ledger, TaskResult
from orkestra_bridge.local.package import in_place, site_packages_of, unpack
from orkestra_bridge.local.record import RUNS, RunFolder
from orkestra_bridge.local.services.containers import Containers, ContainerSpec
from orkestra_bridge.local.services.executions import Executions
from orkestra_bridge.local.services.runner import ServiceTasks
from orkestra_bridge.naming import execution_name
from orkestra_bridge.runtime.storage import VARIABLE as STORE_VARIABLE
from orkestra_bridge.runtime.storage import store_of

if TYPE_CHECKING:
    from pathlib import Path

DEFINITION = "state_machine.asl.json"
ARCHIVE = "functions/tasks.zip"
CONTEXT = "container/app"
FUNCTION = "${TasksFunctionArn}"
PARTS = "state_machines"
NAMES = {
    "${JoinsTable}": "joins",
    "${ContainerCluster}": "local",
    "${ContainerTask}": "task:1",
    "${ContainerSubnets}": "subnet-0",
    "${ContainerSecurityGroups}": "",
    "${ContainerPublicIp}": "DISABLED",
}
"""What stands where CloudFormation would put names; none of it exists."""

EventSink = Callable[[Event], None]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What to run.

    Attributes:
        out: The folder that `convert` wrote.
        conf: ``dag_run.conf``.
        logical_date: ISO 8601, UTC unless it says otherwise; None for now.
        python: The interpreter of the workers; modules that the package requires come from its site-packages.
        run_id: None for ``manual__<logical date>``, as Airflow names a manual run.
        memory: MiB per worker, None for no limit.
        environment: Further environment variables of the tasks. AIRFLOW_VAR_* and AIRFLOW_CONN_* are passed
        anyway.
    """

    out: Path
    dag_id: str
    python: Path
    conf: Mapping[str, Json] = field(default_factory=dict)
    logical_date: str | None = None
    run_id: str | None = None
    memory: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run ended.

    Attributes:
        seconds: Wall time from the start of the workers to the end of the last task.
        logs: The folder with a log per task and ``events.jsonl``.
        error, cause: What the execution ended with, where that is not just a failed task.
    """

    dag_id: str
    run_id: str
    run_state: Literal["success", "failed"]
    logical_date: str
    seconds: float
    tasks: Mapping[str, TaskResult]
    logs: Path
    error: str | None = None
    cause: str | None = None

    def to_json(self) -> dict[str, Json]:
        """Return the document that ``orkestra-bridge run --format json`` prints."""
        return {
            "dag_id": self.dag_id,
            "run_id": self.run_id,
            "run_state": self.run_state,
            "logical_date": self.logical_date,
            "seconds": round(self.seconds, 3),
            "tasks": {key: {"state": task.state, "tries": task.tries} for key, task in self.tasks.items()},
            "xcom": {key: dict(task.xcom) for key, task in self.tasks.items() if task.xcom},
        }


def run_dag(
    request: RunRequest, *, on_event: EventSink | None = None, clock: Clock | None = None
) -> RunResult:
    """Run a DAG from what `convert` wrote and return how it ended; a failed run is a result as well.

    Raises:
        UsageError: There is no such DAG in OUT, or the logical date is not a date.
        OutputError: The folder for the logs cannot be made.
        LocalRunError: The machine, the package or the interpreter cannot be used on this machine, or an XCom that was
            stored is gone.
    """
    if not hasattr(os, "fork"):
        message = "tasks run in forked processes, which this system does not have"
        raise LocalRunError(message, remedy="use Linux, macOS or WSL")
    clock = clock or RealClock()
    prepared = _prepare(request, clock.now())
    with RunFolder(prepared.home, prepared.document["run_id"]) as folder:
        prepared = replace(prepared, spec=_storing(prepared.spec, folder))
        ledger = Ledger(store_of(prepared.spec.environment))
        sinks = [sink for sink in (ledger.hear, folder.hear, on_event) if sink is not None]
        began = time.monotonic()
        execution = clock.run(_execute(prepared, clock, folder, sinks))
        seconds = time.monotonic() - began
    return RunResult(
        dag_id=request.dag_id,
        run_id=prepared.document["run_id"],
        run_state="success" if execution.status == "SUCCEEDED" else "failed",
        logical_date=prepared.document["logical_date"],
        seconds=seconds,
        tasks=ledger.results(),
        logs=folder.path,
        error=execution.error,
        cause=execution.cause,
    )


def run_document(request: RunRequest, now: datetime) -> dict[str, Any]:
    """Return the execution's input: the run document of a manual run.

    Raises UsageError: the logical date is not a date.
    """
    date = now if request.logical_date is None else _parsed(request.logical_date)
    logical_date = date.isoformat()
    return {
        "run_id": request.run_id or f"manual__{logical_date}",
        "run_type": "manual",
        "logical_date": logical_date,
        "conf": dict(request.conf),
    }


def _parsed(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as problem:
        message = f"{text!r} is not a date in ISO 8601"
        raise UsageError(message, remedy="write it as 2024-03-01T00:00:00+00:00") from problem
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """Everything that an execution needs, checked."""

    home: Path
    dag_id: str
    definition: Mapping[str, Json]
    parts: Mapping[str, Json]
    document: Mapping[str, Json]
    spec: FunctionSpec
    context: Path


def _prepare(request: RunRequest, now: datetime) -> _Prepared:
    home = request.out.resolve()
    definition = _definition(home, request.dag_id)
    document = run_document(request, now)
    package = unpack(home / request.dag_id / ARCHIVE, home / RUNS)
    spec = FunctionSpec(
        task_root=package.root,
        python=request.python,
        site_packages=site_packages_of(request.python),
        modules=package.modules,
        distributions=package.distributions,
        preload=package.preload,
        preload_path=(package.facade,),
        bytecode=package.bytecode,
        memory=request.memory,
        environment={**airflow_settings(os.environ), **request.environment},
    )
    return _Prepared(
        home=home,
        dag_id=request.dag_id,
        definition=definition,
        parts=_parts(home / request.dag_id / PARTS),
        document=document,
        spec=spec,
        context=home / request.dag_id / CONTEXT,
    )


def _containers(context: Path, function: FunctionSpec) -> ContainerSpec:
    """Return what containers are started from; raises LocalRunError if it is broken."""
    package = in_place(context)
    return ContainerSpec(
        root=package.root,
        python=function.python,
        site_packages=function.site_packages,
        modules=package.modules,
        distributions=package.distributions,
        environment=function.environment,
    )


def _definition(home: Path, dag_id: str) -> dict[str, Json]:
    path = home / dag_id / DEFINITION
    if not path.is_file():
        known = sorted(found.parent.name for found in home.glob(f"*/{DEFINITION}"))
        listed = f"it has {', '.join(known)}" if known else "it has no DAG at all"
        message = f"there is no DAG {dag_id!r} in {home}: {listed}"
        raise UsageError(message, remedy="convert it first, or name another")
    return _read(path)


def _parts(folder: Path) -> dict[str, Json]:
    """Return the definitions of a DAG's parts by name, ``part-1`` and so on; none if it has one state machine."""
    return {path.name.partition(".")[0]: _read(path) for path in folder.glob("*.asl.json")}


def _read(path: Path) -> dict[str, Json]:
    try:
        definition: dict[str, Json] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise LocalRunError(f"{path} cannot be read: {problem}", remedy="convert the DAG again") from problem
    return definition


async def _execute(
    prepared: _Prepared, clock: Clock, folder: RunFolder, sinks: Sequence[EventSink]
) -> Execution:
    def hear(event: Event) -> None:
        for sink in sinks:
            sink(event)

    spec, tokens = prepared.spec, TaskTokens()
    arns = {name: f"{ARN}:stateMachine:{prepared.dag_id}-{name}" for name in prepared.parts}
    names = {FUNCTION: spec.arn, **NAMES}
    names |= {f"${{{name.title().replace('-', '')}Arn}}": arn for name, arn in arns.items()}
    machines = {arns[name]: _filled(part, names) for name, part in prepared.parts.items()}
    executions = Executions(machines, clock=clock, tokens=tokens, on_event=hear)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(FunctionPool(spec))
        containers = None
        if prepared.context.is_dir():
            started_from = _containers(prepared.context, spec)
            containers = await stack.enter_async_context(Containers(started_from, clock, folder.log_named))
        functions = LambdaTasks(pool, spec.arn, clock, folder.log_of)
        return await execute(
            _filled(prepared.definition, names),
            prepared.document,
            tasks=ServiceTasks(functions, executions, containers),
            clock=clock,
            on_event=hear,
            name=execution_name(prepared.document["run_id"]),
            machine=prepared.dag_id,
            tokens=tokens,
        )


def _storing(spec: FunctionSpec, folder: RunFolder) -> FunctionSpec:
    """Return the function with the run's folder as its store for large XComs, unless it was given another one."""
    return replace(spec, environment={STORE_VARIABLE: str(folder.xcoms), **spec.environment})


def _filled(value: Json, names: Mapping[str, str]) -> Json:
    """Return the definition with the names where CloudFormation would put them."""
    if isinstance(value, dict):
        return {key: _filled(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, names) for item in value]
    if isinstance(value, str) and "${" in value:
        for name, replacement in names.items():
            value = value.replace(name, replacement)
    return value
