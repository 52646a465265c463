"""Calls the callbacks of tasks and DAGs, those included that the handler could not call when the task failed."""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.failure import message_of
from orkestra_bridge.runtime.prepare import Instance, prepare, run_of

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger("airflow.task")

TASK_FAILURE = "on_failure"
DAG_EVENTS = {
    "dag_success": ("on_success_callback", "success", "success"),
    "dag_failure": ("on_failure_callback", "failed", "task_failure"),
}
"""Event -> the DAG's callback, the state of the run, and the reason that Airflow gives."""


def call_all(callbacks: Any, context: Any, name: str) -> None:
    """Call one callback or a list of them with the context; one that fails is logged, as in Airflow."""
    callbacks = callbacks or []
    for callback in callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]:
        try:
            callback(context)
        except Exception:  # noqa: PERF203
            log.exception("Error when executing %s", name)


def run_callback(dag: Any, manifest: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Call what the event names; return the ledger entry of the task, for a DAG an empty object.

    Raises:
        RuntimeSetupError: If no callback has this name.
    """
    name = event["callback"]
    if name == TASK_FAILURE:
        return _after_failure(dag, manifest, event)
    if name in DAG_EVENTS:
        _after_run(dag, manifest, event)
        return {}
    raise RuntimeSetupError(
        f"there is no callback {name!r}; is the event from a state machine of another version?"
    )


def _after_failure(dag: Any, manifest: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Call on_failure_callback of a task that failed without the handler: it was killed or ran out of time."""
    entry = dict(event["ledger"][event["task_id"]])
    if entry.pop("called", False):
        return entry
    instance = prepare(dag, manifest, {**event, "attempt": entry["tries"] - 1})
    error = entry.get("error") or {}
    instance.context["exception"] = _exception(error.get("type", ""), message_of(error.get("message") or ""))
    _call_in_context(instance, instance.task.on_failure_callback, "failed")
    if instance.ti.pushed:
        instance.ti.put_away()
        entry["xcom"] = {**entry.get("xcom", {}), **instance.ti.pushed}
    return entry


def _exception(name: str, message: str) -> BaseException:
    errors = importlib.import_module("airflow._impl.exceptions")
    kind = (
        errors.AirflowTaskTimeout
        if name in ("States.Timeout", "Sandbox.Timedout")
        else errors.AirflowException
    )
    error: BaseException = kind(f"{name}: {message}" if message else name)
    return error


def _after_run(dag: Any, manifest: Mapping[str, Any], event: Mapping[str, Any]) -> None:
    """Call the DAG's callback with the context of the task that decided the run, as far as the ledger tells.

    Airflow 3 takes the task that failed last, or succeeded last; here it is the last one in the order of the DAG. Where
    there is none, it gives no more than DAG, run id and reason. Airflow 2 takes any task.
    """
    attribute, state, reason = DAG_EVENTS[event["callback"]]
    ledger = event.get("ledger") or {}
    known = [task["task_id"] for task in manifest["workflow"]["tasks"] if not task.get("mapped")]
    decisive = [task_id for task_id in known if ledger.get(task_id, {}).get("state") == state]
    if not decisive and not manifest["workflow"]["airflow_version"].startswith("2."):
        run_id = run_of(manifest["workflow"], event).run_id
        call_all(getattr(dag, attribute), {"dag": dag, "run_id": run_id, "reason": reason}, attribute)
        return
    task_id = (decisive or known)[-1]
    entry = ledger.get(task_id) or {"state": state, "tries": 0}
    instance = prepare(dag, manifest, {**event, "task_id": task_id, "attempt": entry["tries"] - 1})
    instance.ti.dag_run.state = state
    instance.context["reason"] = reason
    _call_in_context(instance, getattr(dag, attribute), entry["state"])


def _call_in_context(instance: Instance, callbacks: Any, state: str) -> None:
    instance.ti.state = state
    current = importlib.import_module("airflow._impl.current")
    with current.set_current_context(instance.context):
        call_all(callbacks, instance.context, "callback")
