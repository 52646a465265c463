from __future__ import annotations

import json
from typing import Any

import pytest
from jsonata import Jsonata

from orkestra_bridge.asl.check import check
from orkestra_bridge.ir.model import ScheduleKind
from orkestra_bridge.local.interpreter.expressions import compiled
from orkestra_bridge.naming import execution_name
from orkestra_bridge.stack.launcher import RUN_INPUT, due_condition, launcher_definition
from orkestra_bridge.stack.model import Period, ScheduleView


def view(**fields: Any) -> ScheduleView:
    return ScheduleView(kind=ScheduleKind.CRON, text="x", expressions=("cron(0 5 * * ? *)",), **fields)


def evaluate(text: str, moment: str) -> Any:
    expression = compiled(text.removeprefix("{% ").removesuffix(" %}"))
    expression.assign("states", {"input": {**json.loads(RUN_INPUT), "scheduled_time": moment}})
    return expression.evaluate(None)


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ("2024-01-02T04:59:00Z", False),
        ("2024-01-02T05:00:00Z", True),
        ("2024-02-01T05:00:00Z", True),
        ("2024-03-01T05:00:00Z", True),
        ("2024-03-02T05:00:00Z", False),
    ],
)
def test_runs_are_due_from_the_first_to_the_last(moment: str, due: bool) -> None:
    condition = due_condition(view(start="2024-01-02T05:00:00Z", end="2024-03-01T05:00:00Z"))
    assert evaluate(condition, moment) is due


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ("2024-01-01T00:10:00Z", True),
        ("2024-01-01T00:10:59Z", True),
        ("2024-01-01T07:10:00Z", True),
        ("2024-01-01T08:10:00Z", False),
        ("2024-01-02T04:10:00Z", True),
        ("2023-12-31T17:10:00Z", True),
    ],
)
def test_a_period_is_counted_from_its_anchor(moment: str, due: bool) -> None:
    condition = due_condition(view(period=Period(minutes=420, anchor="2024-01-01T00:10:00Z")))
    assert evaluate(condition, moment) is due


def test_the_execution_is_named_after_the_moment() -> None:
    moment = "2026-03-22T18:59:00Z"
    start = launcher_definition(view())["States"]["Start the run"]
    assert evaluate(start["Arguments"]["Name"], moment) == execution_name(f"scheduled__{moment}")
    assert evaluate(start["Arguments"]["Input"], moment) == {
        "run_type": "scheduled",
        "scheduled_time": moment,
    }


@pytest.mark.parametrize("bounds", [{}, {"start": "2024-01-02T05:00:00Z"}])
def test_the_launcher_is_a_sound_machine(bounds: dict[str, str]) -> None:
    definition = launcher_definition(view(**bounds))
    filled = ("${StateMachineArn}", "${UndeliveredRunsUrl}")
    assert check(definition, placeholders=filled, expressions=True) == ()
    assert definition["StartAt"] == ("Is a run due" if bounds else "Start the run")


def test_no_missed_run_is_lost() -> None:
    states = launcher_definition(view())["States"]
    catch = {tuple(rule["ErrorEquals"]): rule["Next"] for rule in states["Start the run"]["Catch"]}
    assert catch == {
        ("StepFunctions.ExecutionAlreadyExistsException",): "Nothing to start",
        ("States.ALL",): "Report the missed run",
    }
    expression = Jsonata(states["Report the missed run"]["Arguments"]["MessageBody"][3:-3])
    expression.assign(
        "states", {"input": {"Error": "E"}, "context": {"Execution": {"Input": {"run_type": "scheduled"}}}}
    )
    assert json.loads(expression.evaluate(None)) == {
        "run": {"run_type": "scheduled"},
        "error": {"Error": "E"},
    }
