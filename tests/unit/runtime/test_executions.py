# ruff: noqa: A002, N803, N818 - the fake is called as boto3 is
"""Runs of other DAGs, with a Step Functions that remembers what it was asked."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.ir.model import ScheduleKind
from orkestra_bridge.naming import machine_name as converters_name
from orkestra_bridge.runtime.executions import MACHINES, AlreadyStartedError, Executions
from orkestra_bridge.runtime.run_names import machine_name, names_for_date
from orkestra_bridge.stack.launcher import launcher_definition
from orkestra_bridge.stack.model import ScheduleView

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN = "arn:aws:states:eu-west-1:111122223333:execution:caller:manual__x"
MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:"
DATE = datetime(2024, 3, 1, 5, tzinfo=timezone.utc)


class Fake:
    """Step Functions with the executions that a test puts there: name -> status, output, exits."""

    class exceptions:  # noqa: N801 - boto3 has it like this
        class ExecutionAlreadyExists(Exception):
            pass

        class ExecutionDoesNotExist(Exception):
            pass

        class StateMachineDoesNotExist(Exception):
            pass

    def __init__(self, **executions: dict[str, Any]) -> None:
        self.executions = executions
        self.asked: list[str] = []

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, str]:
        if name in self.executions:
            raise self.exceptions.ExecutionAlreadyExists
        self.executions[name] = {"status": "RUNNING", "input": json.loads(input)}
        return {"executionArn": f"{stateMachineArn.replace('stateMachine', 'execution')}:{name}"}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        self.asked.append(executionArn)
        name = executionArn.rpartition(":")[2]
        if name not in self.executions:
            raise self.exceptions.ExecutionDoesNotExist
        return self.executions[name]

    def describe_state_machine(self, *, stateMachineArn: str) -> None:
        if not stateMachineArn.endswith(":there"):
            raise self.exceptions.StateMachineDoesNotExist

    def get_paginator(self, _name: str) -> Fake:
        return self

    def paginate(self, *, executionArn: str, includeExecutionData: bool) -> Iterator[dict[str, Any]]:
        assert includeExecutionData
        for output in self.executions[executionArn.rpartition(":")[2]]["exits"]:
            yield {"events": [{"type": "x"}, {"stateExitedEventDetails": {"output": json.dumps(output)}}]}


def executions(fake: Fake, **others: Any) -> Executions:
    return Executions(OWN, others, fake)


def test_the_machine_is_named_after_the_dag(monkeypatch: pytest.MonkeyPatch) -> None:
    known = executions(Fake())
    names = {known.machine(name) for name in ("team.daily", "team_daily", "team-daily", "größe", "grö.e")}
    assert len(names) == 5
    assert {f"{MACHINE}team_daily", f"{MACHINE}team-daily"} < names
    monkeypatch.setenv(MACHINES, json.dumps({"team.daily": f"{MACHINE}other"}))
    assert known.machine("team.daily") == f"{MACHINE}other"
    assert known.machine("b") == f"{MACHINE}b"
    assert converters_name is machine_name, "the template names machines in the same way"


def test_a_run_is_started_once_under_its_id() -> None:
    fake = Fake()
    known = executions(fake)
    document = {"run_id": "manual__2024-03-01T05:00:00+00:00", "conf": {"a": 1}}
    arn = known.start("b", document)
    assert arn.endswith(":execution:b:manual__2024-03-01T05_00_00_00_00")
    with pytest.raises(AlreadyStartedError):
        known.start("b", document)
    assert known.start("b", document, again=True).endswith("_00__2")
    assert known.find("b", DATE) == f"{arn}__2", "the last one counts"


def test_names_of_scheduled_runs_are_the_launchers() -> None:
    text = json.dumps(launcher_definition(ScheduleView(kind=ScheduleKind.CRON, text="0 5 * * *")))
    assert "'scheduled__' & $replace(" in text
    assert names_for_date(DATE, {"kind": "cron"})[0] == "scheduled__2024-03-01T05_00_00Z"
    interval = {"kind": "cron", "data_interval": True, "expressions": ["0 5 * * *"]}
    assert names_for_date(DATE, interval) == (
        "scheduled__2024-03-02T05_00_00Z",
        "manual__2024-03-01T05_00_00_00_00",
    )
    partitioned = {"kind": "cron", "partitions": {"by": "cron"}}
    assert names_for_date(DATE, partitioned) == ("manual__2024-03-01T05_00_00_00_00",), "no date, no such run"
    zone = timezone(timedelta(hours=2))
    assert names_for_date(DATE.astimezone(zone), {}) == names_for_date(DATE, {})


@pytest.mark.parametrize(
    ("status", "state"),
    [("RUNNING", "running"), ("SUCCEEDED", "success"), ("FAILED", "failed"), ("TIMED_OUT", "failed")],
)
def test_states_of_runs(status: str, state: str) -> None:
    fake = Fake(scheduled__2024_03={}, manual__2024={"status": status})
    assert executions(fake).state(f"{MACHINE}b:manual__2024") == state
    assert executions(fake).state(f"{MACHINE}b:nothing") is None


def test_a_run_that_succeeded_has_the_states_of_its_tasks_in_its_output() -> None:
    output = {
        "a": {"state": "success", "tries": 1},
        "m": {"instances": [{"state": "success"}, {"state": "skipped"}]},
    }
    fake = Fake(r={"status": "SUCCEEDED", "output": json.dumps(output)})
    assert executions(fake).task_states(f"{MACHINE}b:r") == {"a": ["success"], "m": ["success", "skipped"]}


@pytest.mark.parametrize("status", ["RUNNING", "FAILED"])
def test_otherwise_they_are_in_the_history(status: str) -> None:
    exits = [
        {"a": {"state": "success"}},
        {"a": {"state": "success"}, "b": {"state": "failed"}, "c": {"length": 3}},
        [1],
        "text",
    ]
    fake = Fake(r={"status": status, "exits": exits})
    assert executions(fake).task_states(f"{MACHINE}b:r") == {"a": ["success"], "b": ["failed"]}


def test_groups_and_existence() -> None:
    groups = {"g.a": "g", "g.h.b": "g.h", "gone.c": "gone", "d": None}
    known = executions(Fake(), b={"groups": groups})
    assert known.group("b", "g") == ["g.a", "g.h.b"]
    assert known.exists("there")
    assert not known.exists("missing")
