"""Operators that defer, converted and run: their triggers fire in the function."""

from __future__ import annotations

import sys
from pathlib import Path

from orkestra_bridge.local.interpreter import VirtualClock
from orkestra_bridge.local.run import RunRequest, run_dag
from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.pipeline import convert

FILE = Path(__file__).parents[2] / "data" / "sensors" / "deferring.py"


def test_deferred_tasks_go_on_where_they_stopped(tmp_path: Path) -> None:
    out = tmp_path / "out"
    convert(ConvertOptions(paths=(FILE,), out=out, layers="skip", cache=None))
    request = RunRequest(
        out=out, dag_id="deferring", python=Path(sys.executable), logical_date="2024-03-01T00:00:00+00:00"
    )
    tasks = run_dag(request, clock=VirtualClock()).tasks
    assert {task_id: (task.state, task.tries) for task_id, task in tasks.items()} == {
        "once": ("success", 1),
        "thrice": ("success", 1),
        "use": ("success", 1),
        "use_thrice": ("success", 1),
        "skips": ("skipped", 1),
        "fails": ("failed", 2),
    }
    assert tasks["use"].xcom["return_value"] == {"heard": ["a"], "year": 2024}
    assert tasks["use_thrice"].xcom["return_value"] == {"heard": ["a", "b", "c"], "year": 2024}
