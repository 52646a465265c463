"""Runs a converted DAG on this machine: its state machine here, its tasks in worker processes."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal, final

from orkestra_bridge.errors import LocalRunError, UsageError
from orkestra_bridge.local.assets import Consumer, hear_events
from orkestra_bridge.local.interpreter import Clock, Execution, Json, RealClock
from orkestra_bridge.local.ledger import Ledger, TaskResult
from orkestra_bridge.local.partition_keys import check_partition
from orkestra_bridge.local.partitions import hear_partitions
from orkestra_bridge.local.prepared import DEFINITION, EventSink, Prepared, prepare, run_prepared, storing
from orkestra_bridge.local.record import RunFolder
from orkestra_bridge.local.services.step_functions import StepFunctions, keep
from orkestra_bridge.naming import execution_name
from orkestra_bridge.packaging.pythons import RUNS
from orkestra_bridge.runtime.executions import ENDPOINT
from orkestra_bridge.runtime.storage import store_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MOST_FOLLOWED = 100
"""Runs that assets may start one after the other, from a single run."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What to run.

    Attributes:
        out: The folder that `convert` wrote.
        conf: ``dag_run.conf``.
        logical_date: ISO 8601, UTC unless it says otherwise; None for now.
        partition_key: The partition that the run is about, None for none.
        python: The interpreter of the workers; modules that the package requires come from its site-packages.
        run_id: None for ``manual__<logical date>``, as Airflow names a manual run.
        memory: MiB per worker, None for no limit.
        environment: Further environment variables of the tasks. AIRFLOW_VAR_* and AIRFLOW_CONN_* are passed
        anyway.
        container_command: The program that runs images of the user's, None for docker or podman.
        kubernetes: What Parameter Store would give them, by its name below the prefix.
        images: Images by the template's parameters, instead of what the DAG says.
        follow_assets: Also run the DAGs that wait for the assets that its tasks update.
    """

    out: Path
    dag_id: str
    python: Path
    conf: Mapping[str, Json] = field(default_factory=dict)
    logical_date: str | None = None
    partition_key: str | None = None
    run_id: str | None = None
    memory: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    container_command: str | None = None
    kubernetes: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    follow_assets: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run ended.

    Attributes:
        seconds: Wall time from the start of the workers to the end of the last task.
        logs: The folder with a log per task and ``events.jsonl``.
        error, cause: What the execution ended with, where that is not just a failed task.
        triggered: The runs of other DAGs that its tasks started, in the order in which they ended.
        consumers: The DAGs that wait for assets that its tasks updated.
    """

    dag_id: str
    run_id: str
    run_state: Literal["success", "failed"]
    logical_date: str | None
    seconds: float
    tasks: Mapping[str, TaskResult]
    logs: Path
    error: str | None = None
    cause: str | None = None
    triggered: tuple[RunResult, ...] = ()
    consumers: tuple[Consumer, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Return the document that ``orkestra-bridge run --format json`` prints."""
        others: dict[str, Json] = {}
        if self.triggered:
            others["triggered"] = [run.to_json() for run in self.triggered]
        if self.consumers:
            others["asset_consumers"] = [consumer.to_json() for consumer in self.consumers]
        return {
            "dag_id": self.dag_id,
            "run_id": self.run_id,
            "run_state": self.run_state,
            "logical_date": self.logical_date,
            "seconds": round(self.seconds, 3),
            "tasks": {key: {"state": task.state, "tries": task.tries} for key, task in self.tasks.items()},
            "xcom": {key: dict(task.xcom) for key, task in self.tasks.items() if task.xcom},
            **others,
        }


def run_dag(
    request: RunRequest, *, on_event: EventSink | None = None, clock: Clock | None = None
) -> RunResult:
    """Run a DAG from what `convert` wrote and return how it ended; a failed run is a result as well.

    Raises:
        UsageError: There is no such DAG in OUT, the logical date is not a date, or the DAG does not take the partition
            key.
        OutputError: The folder for the logs cannot be made.
        LocalRunError: The machine, the package or the interpreter cannot be used on this machine, or an XCom that was
            stored is gone.
    """
    if not hasattr(os, "fork"):
        message = "tasks run in forked processes, which this system does not have"
        raise LocalRunError(message, remedy="use Linux, macOS or WSL")
    clock = clock or RealClock()
    if request.partition_key is not None:
        check_partition(request.out / request.dag_id, request.partition_key)
    prepared = prepare(request, run_document(request, clock.now()))
    triggered: list[RunResult] = []
    result = clock.run(_with_others(request, prepared, clock, on_event, triggered))
    if request.follow_assets:
        triggered.extend(_followed(request, clock, [*triggered, result]))
    return replace(result, triggered=tuple(triggered))


def _followed(request: RunRequest, clock: Clock, results: list[RunResult]) -> Iterator[RunResult]:
    """Run the DAGs that start by assets that these runs updated, and those that start by theirs; yield the results."""
    waiting = [consumer for result in results for consumer in result.consumers if consumer.document]
    for _ in range(MOST_FOLLOWED):
        if not waiting:
            return
        consumer = waiting.pop(0)
        following = replace(request, dag_id=consumer.dag_id, partition_key=None)
        prepared = prepare(following, dict(consumer.document or {}))
        triggered: list[RunResult] = []
        result = clock.run(_with_others(following, prepared, clock, None, triggered))
        for each in (*triggered, result):
            waiting.extend(one for one in each.consumers if one.document)
            yield each
    if waiting:
        message = f"assets have started {MOST_FOLLOWED} runs, and {waiting[0].dag_id} would be the next one"
        raise LocalRunError(message, remedy="look whether the DAGs start each other in a circle")


async def _with_others(
    request: RunRequest,
    prepared: Prepared,
    clock: Clock,
    on_event: EventSink | None,
    triggered: list[RunResult],
) -> RunResult:
    """Return the result of a run, after the runs that its tasks started: those are added to ``triggered``."""
    sinks = [] if on_event is None else [on_event]
    if not prepared.calls_others:
        return (await _one(request, prepared, clock, sinks, {}))[0]

    async def run_other(dag_id: str, document: Mapping[str, Json], hear: EventSink) -> Execution:
        other = prepare(replace(request, dag_id=dag_id), document)
        result, execution = await _one(request, other, clock, [hear], {ENDPOINT: services.address})
        triggered.append(result)
        return execution

    dag_ids = [found.parent.name for found in prepared.home.glob(f"*/{DEFINITION}")]
    services = StepFunctions(dag_ids, clock, run_other, prepared.home / RUNS)
    async with services:
        record = services.record(prepared.dag_id, prepared.document)
        result, execution = await _one(
            request, prepared, clock, [*sinks, record.hear], {ENDPOINT: services.address}
        )
        record.execution = execution
    return result


async def _one(
    request: RunRequest,
    prepared: Prepared,
    clock: Clock,
    sinks: list[EventSink],
    environment: Mapping[str, str],
) -> tuple[RunResult, Execution]:
    with RunFolder(prepared.home, prepared.document["run_id"]) as folder:
        prepared = storing(prepared, folder)
        name = execution_name(prepared.document["run_id"])
        ledger = Ledger(store_of(prepared.spec.environment), name)
        began = time.monotonic()
        execution = await run_prepared(
            prepared, clock, folder, [ledger.hear, folder.hear, *sinks], environment
        )
        seconds = time.monotonic() - began
        consumers = (
            *hear_events(prepared.home, folder.asset_events),
            *await hear_partitions(request, folder, clock),
        )
    keep(prepared.home / RUNS, prepared.dag_id, prepared.document, execution, ledger.states())
    result = RunResult(
        dag_id=prepared.dag_id,
        run_id=prepared.document["run_id"],
        run_state="success" if execution.status == "SUCCEEDED" else "failed",
        logical_date=prepared.document.get("logical_date"),
        seconds=seconds,
        tasks=ledger.results(),
        logs=folder.path,
        error=execution.error,
        cause=execution.cause,
        consumers=consumers,
    )
    return result, execution


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
        **({} if request.partition_key is None else {"partition_key": request.partition_key}),
    }


def _parsed(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as problem:
        message = f"{text!r} is not a date in ISO 8601"
        raise UsageError(message, remedy="write it as 2024-03-01T00:00:00+00:00") from problem
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
