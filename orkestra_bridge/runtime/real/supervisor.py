"""Plays the supervisor of Airflow 3: answers what a task asks for from the ledger, and takes what it pushes.

Source: `airflow/sdk/execution_time/comms.py` for questions and answers, `supervisor.py` for which answers which, and
`airflow/api_fastapi/execution_api/routes/xcoms.py` for what is not there.
"""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, NoReturn

from orkestra_bridge.runtime.asset_history import events_of
from orkestra_bridge.runtime.context_keys import ASSET_STATE, TASK_STATE
from orkestra_bridge.runtime.mapping import instances_of
from orkestra_bridge.runtime.masking import MASKER
from orkestra_bridge.runtime.storage import part
from orkestra_bridge.runtime.tables import FolderTable, asset_scope, clear, scope_of, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from orkestra_bridge.runtime.prepare import Instance
    from orkestra_bridge.runtime.tables import Table

_DONE = frozenset(
    {"SetRenderedFields", "SetRenderedMapIndex", "SucceedTask", "TaskState", "RetryTask", "DeferTask", "RescheduleTask"}
)  # fmt: skip
_BETWEEN = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Supervisor:
    """What a task's process talks to; ``instance`` is known as soon as the DAG file is loaded."""

    def __init__(self, workflow: Mapping[str, Any], run_id: str) -> None:
        self.instance: Instance | None = None
        self.began: datetime | None = None
        self._comms: Any = import_module("airflow.sdk.execution_time.comms")
        self._errors: Any = import_module("airflow.sdk.exceptions").ErrorType
        self._workflow = workflow
        self._run_id = run_id
        self._table: Table | None = None
        self._last: Any = None

    def send(self, msg: Any) -> Any:
        """Return the answer to a question; for one that nobody can answer here, an error that says so."""
        name = type(msg).__name__
        if name in _DONE:
            return self._comms.OKResponse(ok=True)
        answer = getattr(self, f"_on_{_BETWEEN.sub('_', name).lower()}", None)
        if answer is None:
            self._refuse(f"{name} cannot be answered in a container")
        return answer(msg)

    async def asend(self, msg: Any) -> Any:
        """Return what `send` returns."""
        return self.send(msg)

    def send_request(self, _log: Any, msg: Any) -> None:
        """Take a question as Airflow 3.0 puts it."""
        self._last = self.send(msg)

    def get_message(self) -> Any:
        """Return the answer to the last question of Airflow 3.0."""
        return self._last

    def _absent(self, what: str, kind: str) -> Any:
        """Return the answer that something is not there."""
        return self._comms.ErrorResponse(error=self._errors[kind], detail={"message": f"there is no {what}"})

    def _refuse(self, why: str) -> NoReturn:
        """Raise what Airflow raises if the supervisor cannot do something."""
        answer = self._comms.ErrorResponse(error=self._errors.GENERIC_ERROR, detail={"message": why})
        raise import_module("airflow.sdk.exceptions").AirflowRuntimeError(answer)

    def _on_get_xcom(self, msg: Any) -> Any:
        found = self._pushed(msg)
        index = -1 if msg.map_index is None else msg.map_index
        value = next((self._kept(msg, value) for at, value in found if at == index), None)
        return self._comms.XComResult(key=msg.key, value=value)

    def _on_get_xcom_count(self, msg: Any) -> Any:
        return self._comms.XComCountResponse(len=len(self._pushed(msg)))

    def _on_get_xcom_sequence_item(self, msg: Any) -> Any:
        found = self._pushed(msg)
        try:
            _, value = found[msg.offset]
        except IndexError:
            return self._absent(f"XCom number {msg.offset} of {len(found)}", "XCOM_NOT_FOUND")
        return self._comms.XComSequenceIndexResult(root=self._kept(msg, value))

    def _on_get_xcom_sequence_slice(self, msg: Any) -> Any:
        found = self._pushed(msg)[slice(msg.start, msg.stop, msg.step)]
        return self._comms.XComSequenceSliceResult(root=[self._kept(msg, value) for _, value in found])

    def _on_set_xcom(self, msg: Any) -> Any:
        ti = self._ti()
        if (msg.dag_id, msg.task_id, msg.run_id) != (ti.dag_id, ti.task_id, ti.run_id):
            self._refuse("a task can only push XComs of its own")
        ti.xcom_push(
            msg.key, self._backend().deserialize_value(self._comms.XComResult(key=msg.key, value=msg.value))
        )
        return self._comms.OKResponse(ok=True)

    def _on_delete_xcom(self, msg: Any) -> Any:
        ti = self._ti()
        if msg.task_id == ti.task_id:
            ti.pushed.pop(msg.key, None)
        return self._comms.OKResponse(ok=True)

    def _on_skip_downstream_tasks(self, msg: Any) -> Any:
        tasks = (each if isinstance(each, str) else each[0] for each in msg.tasks)
        self._ti().skipped_task_ids.extend(tasks)
        return self._comms.OKResponse(ok=True)

    def _on_get_variable(self, msg: Any) -> Any:
        return self._absent(f"Variable {msg.key!r}", "VARIABLE_NOT_FOUND")

    def _on_get_connection(self, msg: Any) -> Any:
        return self._absent(f"connection {msg.conn_id!r}", "CONNECTION_NOT_FOUND")

    def _on_mask_secret(self, msg: Any) -> Any:
        MASKER.add(msg.value, msg.name)
        return self._comms.OKResponse(ok=True)

    def _on_validate_inlets_and_outlets(self, _msg: Any) -> Any:
        return self._comms.InactiveAssetsResult(inactive_assets=[])

    def _on_get_previous_dag_run(self, _msg: Any) -> Any:
        return self._comms.PreviousDagRunResult(dag_run=None)

    def _on_get_previous_ti(self, _msg: Any) -> Any:
        return self._comms.PreviousTIResult(task_instance=None)

    def _on_get_prev_successful_dag_run(self, _msg: Any) -> Any:
        return self._comms.PrevSuccessfulDagRunResult()

    def _on_get_task_reschedule_start_date(self, _msg: Any) -> Any:
        return self._comms.TaskRescheduleStartDate(start_date=self.began)

    def _on_get_ticount(self, msg: Any) -> Any:
        if not self._is_own(msg):
            self._refuse("other DAGs and runs cannot be seen from a container")
        wanted = msg.states and {str(getattr(state, "value", state)) for state in msg.states}
        states = [state for _, _, state in self._instances(msg)]
        return self._comms.TICount(count=sum(1 for state in states if not wanted or state in wanted))

    def _on_get_task_states(self, msg: Any) -> Any:
        if not self._is_own(msg):
            self._refuse("other DAGs and runs cannot be seen from a container")
        states = {
            task_id if index < 0 else f"{task_id}_{index}": state
            for task_id, index, state in self._instances(msg)
            if state
        }
        return self._comms.TaskStatesResult(task_states={self._run_id: states} if states else {})

    def _on_get_dag_run_state(self, msg: Any) -> Any:
        if msg.run_id != self._run_id:
            self._refuse("other DAGs and runs cannot be seen from a container")
        return self._comms.DagRunStateResult(state="running")

    def _on_get_task_state_store(self, msg: Any) -> Any:
        text = self._task_state().read(scope_of(self._ti()), part(msg.key))
        if text is None:
            return self._absent(f"value of {msg.key!r}", "TASK_STORE_NOT_FOUND")
        return self._comms.TaskStateStoreResult(value=json.loads(text))

    def _on_set_task_state_store(self, msg: Any) -> Any:
        expires = msg.expires_at.timestamp() if msg.expires_at else None
        self._task_state().write(scope_of(self._ti()), part(msg.key), json.dumps(msg.value), expires)
        return self._comms.OKResponse(ok=True)

    def _on_delete_task_state_store(self, msg: Any) -> Any:
        self._task_state().delete(scope_of(self._ti()), part(msg.key))
        return self._comms.OKResponse(ok=True)

    def _on_clear_task_state_store(self, _msg: Any) -> Any:
        clear(self._task_state(), scope_of(self._ti()))
        return self._comms.OKResponse(ok=True)

    def _on_get_asset_state_store_by_name(self, msg: Any) -> Any:
        text = self._asset_state().read(asset_scope(msg.name), part(msg.key))
        if text is None:
            return self._absent(f"value of {msg.key!r}", "ASSET_STORE_NOT_FOUND")
        return self._comms.AssetStateStoreResult(value=json.loads(text))

    def _on_set_asset_state_store_by_name(self, msg: Any) -> Any:
        self._asset_state().write(asset_scope(msg.name), part(msg.key), json.dumps(msg.value))
        return self._comms.OKResponse(ok=True)

    def _on_delete_asset_state_store_by_name(self, msg: Any) -> Any:
        self._asset_state().delete(asset_scope(msg.name), part(msg.key))
        return self._comms.OKResponse(ok=True)

    def _on_clear_asset_state_store_by_name(self, msg: Any) -> Any:
        clear(self._asset_state(), asset_scope(msg.name))
        return self._comms.OKResponse(ok=True)

    def _on_get_asset_by_name(self, msg: Any) -> Any:
        uri = next((uri for name, uri in self._assets() if name == msg.name and uri), msg.name)
        return self._comms.AssetResult(name=msg.name, uri=uri, group="asset")

    def _on_get_asset_by_uri(self, msg: Any) -> Any:
        name = next((name for name, uri in self._assets() if uri == msg.uri and name), msg.uri)
        return self._comms.AssetResult(name=name, uri=msg.uri, group="asset")

    def _assets(self) -> Iterator[tuple[str, str]]:
        """Yield name and URI of the assets that tasks of the DAG have; of references one of them is empty."""
        for task in self._workflow["tasks"]:
            for each in (*task.get("inlets", ()), *task.get("outlets", ())):
                yield each.get("name", ""), each.get("uri", "")

    def _on_get_asset_event_by_asset(self, msg: Any) -> Any:
        keys = [f"{label} {text}" for label, text in (("uri", msg.uri), ("name", msg.name)) if text]
        return self._events(keys, msg)

    def _on_get_asset_event_by_asset_alias(self, msg: Any) -> Any:
        return self._events([f"alias {msg.alias_name}"], msg)

    def _events(self, keys: list[str], msg: Any) -> Any:
        query = {name: getattr(msg, name) for name in ("after", "before", "ascending", "limit")}
        found = events_of(keys, self._ti().dag_run.asset_events, **query)
        sources = ("task_id", "dag_id", "run_id", "map_index")
        events = [
            {
                "id": number,
                "timestamp": event["timestamp"],
                "extra": event.get("extra") or {},
                "asset": {"name": event["name"], "uri": event["uri"], "group": event.get("group") or "asset"},
                "created_dagruns": [],
                "partition_key": event.get("partition_key"),
                **{f"source_{name}": event.get(f"source_{name}") for name in sources},
            }
            for number, event in enumerate(found, 1)
        ]
        return self._comms.AssetEventsResult.model_validate({"asset_events": events})

    def _on_get_assets_by_alias(self, _msg: Any) -> Any:
        return self._comms.AssetsByAliasResult(assets=[])

    def _asset_state(self) -> Table:
        table = table_of(ASSET_STATE)
        if table is None:
            self._refuse("nothing of the DAG's is known to store something with assets")
        return table

    def _task_state(self) -> Table:
        """Return the table of the template, or one for this try where nothing of the DAG's is known to use it."""
        if self._table is None:
            self._table = table_of(TASK_STATE) or FolderTable(Path(mkdtemp()))
        return self._table

    def _ti(self) -> Any:
        assert self.instance is not None, "a DAG file pushes nothing while it is loaded"
        return self.instance.ti

    def _pushed(self, msg: Any) -> list[tuple[int, Any]]:
        """Return what instances of this run pushed; of other DAGs and runs nothing is known."""
        ti = self._ti()
        if msg.dag_id != ti.dag_id or msg.run_id != ti.run_id:
            raise ValueError(
                f"task {ti.task_id!r} asks for an XCom of another DAG or run ({msg.dag_id}, {msg.run_id}); a run only "
                "holds its own. Pass the value through the run's conf or store it in S3"
            )
        found: list[tuple[int, Any]] = ti.xcoms.of_instances(msg.task_id, msg.key)
        return found

    def _kept(self, msg: Any, value: Any) -> Any:
        """Return a value as Airflow keeps it."""
        ids = {"task_id": msg.task_id, "dag_id": msg.dag_id, "run_id": msg.run_id, "map_index": -1}
        return self._backend().serialize_value(value, key=msg.key, **ids)

    def _backend(self) -> Any:
        return import_module("airflow.sdk.execution_time.xcom").XCom

    def _is_own(self, msg: Any) -> bool:
        return msg.dag_id == self._workflow["dag_id"] and (not msg.run_ids or msg.run_ids == [self._run_id])

    def _instances(self, msg: Any) -> list[tuple[str, int, str]]:
        """Return task id, map index and state of this run's task instances; those that have not ended have none."""
        wanted = set(msg.task_ids or ())
        group = f"{msg.task_group_id}." if msg.task_group_id else ""
        found = []
        for task in self._workflow["tasks"]:
            task_id = task["task_id"]
            if (wanted and task_id not in wanted) or not task_id.startswith(group):
                continue
            found += [(task_id, index, state) for index, state in self._states(task_id)]
        return [each for each in found if msg.map_index in (None, each[1])]

    def _states(self, task_id: str) -> list[tuple[int, str]]:
        entry = self._ti().xcoms.ledger.get(task_id) or {}
        if "length" in entry and "state" not in entry and "instances" not in entry:
            return [(index, "") for index in range(int(entry["length"]))]
        found = instances_of(entry)
        return [(one.get("map_index", -1), str(one.get("state", ""))) for one in found] or [(-1, "")]
