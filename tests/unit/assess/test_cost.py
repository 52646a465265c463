from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from workflows import a_task, a_workflow

from orkestra_bridge.assess.cost import Assumptions, cost_of, environment_month, prices, runs_per_month
from orkestra_bridge.assess.durations import read_durations
from orkestra_bridge.errors import UsageError
from orkestra_bridge.ir.model import Expansion, Given, Schedule, ScheduleKind
from orkestra_bridge.ir.places import Container
from orkestra_bridge.stack.schedule import schedule_view

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2025, 1, 1, tzinfo=timezone.utc)
TASKS = (
    a_task("a"),
    a_task("b", "a", expansion=Expansion(length=3), mapped=True),
    a_task("c", "b", operator="EmptyOperator"),
)
RUNS_IN = {"a": "lambda", "b": "lambda", "c": "pass"}


def test_the_cost_of_a_run_by_hand() -> None:
    assumptions = Assumptions(
        seconds=10, memory=1024, architecture="x86_64", durations={("example", "a"): 120.0}
    )
    cost = cost_of(a_workflow(*TASKS), 8, RUNS_IN, 30.0, assumptions)
    seconds = 120 + 3 * 10
    assert cost.transitions == pytest.approx(8 * 0.025 / 1000)
    assert cost.functions == pytest.approx(seconds * 0.0000166667 + 4 * 0.0000002)
    assert cost.serverless == pytest.approx((120 + 3 * 60) / 3600 * 0.104)
    assert cost.month(cost.run) == pytest.approx(30 * (cost.transitions + cost.functions))
    assert cost.measured == 1
    assert cost_of(a_workflow(*TASKS), 8, RUNS_IN, None, assumptions).month(1.0) is None


@pytest.mark.parametrize(
    ("schedule", "dates", "expected"),
    [
        (Schedule(kind=ScheduleKind.CRON, expressions=("0 6 * * *",), text="x"), {}, 365 / 12),
        (Schedule(kind=ScheduleKind.CRON, expressions=("0 6 * * *", "0 6 * * 1"), text="x"), {}, 365 / 12),
        (Schedule(kind=ScheduleKind.CRON, expressions=("0 0 1 * *",), text="x"), {}, 1.0),
        (Schedule(kind=ScheduleKind.DELTA, seconds=3600.0, text="x"), {}, 730.0),
        (Schedule(kind=ScheduleKind.DELTA, seconds=3600.0, data_interval=True, text="x"), {}, 730.0),
        (Schedule(), {}, None),
    ],
)
def test_runs_in_a_month(schedule: Schedule, dates: dict[str, str], expected: float | None) -> None:
    workflow = a_workflow(a_task("t"), schedule=schedule, **dates)
    assert runs_per_month(workflow, schedule_view(workflow)[0], NOW) == (
        None if expected is None else pytest.approx(expected, rel=0.01)
    )


def test_a_container_costs_what_its_size_costs_and_a_minute_at_least() -> None:
    container = Container(reason="x", cpu=2048, memory=8192)
    workflow = a_workflow(a_task("a", container=container), a_task("b", container=container))
    assumptions = Assumptions(seconds=10, architecture="arm64", durations={("example", "b"): 3600.0})
    cost = cost_of(workflow, 0, {"a": "container", "b": "container"}, None, assumptions)
    hour = 2 * 0.03238 + 8 * 0.00356
    assert cost.containers == pytest.approx(hour * (1 + 1 / 60))
    assert (cost.functions, cost.run) == (0, cost.containers)


def test_memory_that_the_configuration_gives_a_task_is_paid() -> None:
    task = a_task("a", given=Given(memory=2048, own=True))
    cost = cost_of(a_workflow(task), 0, {"a": "lambda"}, None, Assumptions(seconds=10, durations={}))
    assert cost.functions == pytest.approx(10 * 2 * 0.0000133334 + 0.0000002)


def test_each_price_says_where_it_is_from() -> None:
    for entry in (*prices()["prices"].values(), *prices()["left_out"].values()):
        assert entry.keys() - {"quotes"} == {"value", "what", "region", "source", "as_of", "verified"}
        assert entry["source"].startswith("https://")
        if entry["verified"]:
            assert entry["source"].startswith("https://aws.amazon.com/")
        if "quotes" in entry:
            assert entry["quotes"].startswith("https://aws.amazon.com/")
            assert not entry["verified"]
    assert environment_month() == pytest.approx(357.7)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("d.csv", "dag_id,task_id,avg_duration\nsales,load,10\nsales,load,20\n"),
        ("d.json", json.dumps([{"dag_id": "sales", "task_id": "load", "seconds": 15}])),
        (
            "d.json",
            json.dumps({"task_instances": [{"dag_id": "sales", "task_id": "load", "duration": 15.0}]}),
        ),
    ],
)
def test_durations(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert read_durations(tmp_path / name) == {("sales", "load"): 15.0}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("d.csv", "dag_id,task_id\na,b\n"),
        ("d.csv", "dag_id,task_id,seconds\na,b,x\n"),
        ("d.json", "{"),
        ("d.json", "[1]"),
    ],
)
def test_a_wrong_file_is_wrong_usage(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UsageError):
        read_durations(tmp_path / name)
    assert read_durations(None) == {}
