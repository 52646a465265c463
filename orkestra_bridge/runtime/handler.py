"""The Lambda handler: decides by the ledger whether a task runs, runs it, and answers its ledger entry."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime import logs
from orkestra_bridge.runtime.archive import put_away, whole_ledger
from orkestra_bridge.runtime.callbacks import run_callback
from orkestra_bridge.runtime.clock import clock_of
from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.event import unpacked
from orkestra_bridge.runtime.execution import run_task
from orkestra_bridge.runtime.expansion import expand, expand_group
from orkestra_bridge.runtime.handover import pack
from orkestra_bridge.runtime.loading import load_dag, read_manifest
from orkestra_bridge.runtime.mapping import resumed
from orkestra_bridge.runtime.own_image import MODE, entry_before
from orkestra_bridge.runtime.real import runs_in_airflow
from orkestra_bridge.runtime.stopped import is_stop, report_stop
from orkestra_bridge.runtime.verdict import verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Package:
    """An unpacked package; reads its manifest and loads its DAG file once, each when it is first needed."""

    def __init__(self, task_root: str) -> None:
        self.task_root = task_root
        self._manifest: dict[str, Any] | None = None
        self._dag: Any = None

    @property
    def manifest(self) -> dict[str, Any]:
        """Return the manifest; raises RuntimeSetupError if it cannot be read."""
        if self._manifest is None:
            self._manifest = read_manifest(self.task_root)
        return self._manifest

    @property
    def dag(self) -> Any:
        """Return the loaded DAG; raises what the DAG file raises."""
        if self._dag is None:
            self._dag = load_dag(self.task_root, self.manifest)
        return self._dag

    def run(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the ledger entry of the task that the event names; for a callback of the DAG an empty object.

        An event with ``partitions`` is about no run: the asset launcher asks which runs events of assets are for.

        Raises:
            RuntimeSetupError: If the event names no task, or a ledger that lacks an upstream task.
            Exception: What failed the task.
        """
        if "partitions" in event:
            return self._partitions(event["partitions"])
        event = unpacked(event)
        event["ledger"] = whole_ledger(self.manifest["workflow"], event)
        logs.about(dag_id=self.manifest["workflow"]["dag_id"], **_instance(event))
        if "archive" in event:
            return put_away(self.manifest["workflow"], event)
        if event.get("callback"):
            return run_callback(self.dag, self.manifest, event)
        task_id, map_index = event.get("task_id"), int(event.get("map_index", -1))
        if not isinstance(task_id, str):
            raise RuntimeSetupError(
                "the event names no task_id; is it from a state machine of another version?"
            )
        kept = _kept(task_id, map_index, event)
        if kept:
            return dict(kept)
        now = clock_of(event)
        groups = {group["group_id"] for group in self.manifest["workflow"].get("mapped_groups", ())}
        if "expand" in event and task_id in groups:
            entries = expand_group(self.dag, self.manifest, event)
            return {name: _ended(entry, now) for name, entry in entries.items()}
        entry = _ended(self._entry(task_id, map_index, event), now)
        return entry if map_index < 0 else {**entry, "map_index": map_index}

    def _partitions(self, request: Mapping[str, Any]) -> dict[str, Any]:
        from orkestra_bridge.runtime.partition_events import entries_of

        logs.about(dag_id=self.manifest["workflow"]["dag_id"])
        return entries_of(self.dag, request)

    def _entry(self, task_id: str, map_index: int, event: Mapping[str, Any]) -> dict[str, Any]:
        workflow = self.manifest["workflow"]
        if event.get("container") == MODE and entry_before(event):  # that it runs has been decided
            return run_task(self.dag, self.manifest, event)
        verdict = verdict_of(task_id, workflow, event.get("ledger") or {}, map_index=map_index)
        if verdict.decision != "run":
            return verdict.entry()
        if event.get("container") == "prepare":
            return {"container": {"event": pack(event)}}
        if "expand" in event:
            return expand(self.dag, self.manifest, event)
        if runs_in_airflow(workflow, task_id):
            from orkestra_bridge.runtime.real.start import run_in_airflow

            return run_in_airflow(self.task_root, self.manifest, event)
        return run_task(self.dag, self.manifest, event)


def _instance(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an event says about the task instance, as log lines have it; `prepare` knows the rest."""
    run_id = (event.get("run") or {}).get("run_id")
    return {
        **({"run_id": run_id} if run_id else {}),
        "task_id": event.get("task_id"),
        "map_index": int(event.get("map_index", -1)),
        "try_number": int(event.get("attempt") or 0) + 1,
    }


def _ended(entry: dict[str, Any], now: Callable[[], int]) -> dict[str, Any]:
    """Return the entry with the time, unless it has one or nothing has ended."""
    return {**entry, "at": entry.get("at", now())} if "state" in entry else entry


def _kept(task_id: str, map_index: int, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the entry that there is already, None if the task instance has to run."""
    entry = resumed(((event.get("run") or {}).get("ledger") or {}).get(task_id), map_index)
    if entry or map_index < 0:
        return entry
    # A task of a mapped group that was not expanded, for it was skipped, say, has one entry for all instances.
    unexpanded = (event.get("ledger") or {}).get(task_id, {})
    return unexpanded if "state" in unexpanded else None


OWN_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
_PACKAGE: list[Package] = []


def handle(event: dict[str, Any], context: Any = None) -> dict[str, Any]:  # noqa: ARG001
    """Return the ledger entry of a task: the entry point of the Lambda function.

    The package is where Lambda unpacked it (``LAMBDA_TASK_ROOT``), or else the folder that this code was loaded from.
    """
    if is_stop(event):
        return report_stop(event)
    if not _PACKAGE:
        logs.configure()
        _PACKAGE.append(Package(os.environ.get("LAMBDA_TASK_ROOT") or OWN_ROOT))
    with logs.task_output():
        try:
            return _PACKAGE[0].run(event)
        except Exception as error:
            shown = logs.without_secrets(error)
            if shown is error:
                raise
    raise shown
