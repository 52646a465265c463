"""Runs one task with the Airflow of the image, and says how it ended as the handler does."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime import logs
from orkestra_bridge.runtime.asset_events import tell_of_outlets
from orkestra_bridge.runtime.execution import entry_of
from orkestra_bridge.runtime.failing import failure_of
from orkestra_bridge.runtime.masking import MASKER
from orkestra_bridge.runtime.real.surroundings import leave_nothing, settle
from orkestra_bridge.runtime.verdict import major_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.runtime.real.attempt import Ended


def run_in_airflow(task_root: str, manifest: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ledger entry of a task after Airflow has run it.

    Raises:
        RuntimeSetupError: If there is no Airflow here, or the DAG file no longer makes the task.
        Exception: What failed the task, as `runtime.execution.run_task` raises it.
    """
    workflow = manifest["workflow"]
    source = settle(task_root, manifest)
    MASKER.minimum = 1 if major_version(workflow) == 2 else 5
    import_module("airflow")
    logs.configure()  # Airflow has set up its own
    code = import_module(f"orkestra_bridge.runtime.real.airflow{major_version(workflow)}")
    try:
        return _answer(code.run(source, manifest, event))
    finally:
        leave_nothing()


def _answer(ended: Ended) -> dict[str, Any]:
    instance = ended.instance
    if ended.error is not None:
        called = bool(instance.task.on_failure_callback) and not ended.retried
        raise failure_of(ended.error, instance, final=ended.final, called=called) from ended.error
    if ended.state == "success" and instance.task.outlets:
        tell_of_outlets(instance.ti, {"outlet_events": ended.outlet_events}, instance.outlets)
    instance.ti.put_away()
    return entry_of(ended.state, instance.ti)
