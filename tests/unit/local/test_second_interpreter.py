"""The second interpreter says clearly when moto has changed under it, and keeps runs apart."""

from __future__ import annotations

import threading
from typing import Any

import moto_engine
import pytest
from asl_case import block, machine, task

from orkestra_bridge.local.interpreter import StatesError

END = {"End": True}


@pytest.mark.parametrize(
    ("module", "path", "words"),
    [
        ("moto.stepfunctions.no_such_part", "", "has no moto.stepfunctions.no_such_part"),
        ("moto.stepfunctions.parser.api", "NoSuchName", r"has no .*\.NoSuchName"),
        ("moto.stepfunctions.parser.api", "HistoryEventType.NoSuch", r"has no .*HistoryEventType\.NoSuch"),
    ],
)
def test_a_name_that_is_gone_is_told(module: str, path: str, words: str) -> None:
    with pytest.raises(moto_engine.MotoChangedError, match=words) as raised:
        moto_engine._find(module, path)
    assert moto_engine.WRITTEN_FOR in str(raised.value)


def test_runs_at_the_same_time_do_not_mix() -> None:
    definition = machine(
        "P",
        P={
            "Type": "Parallel",
            "Branches": [block("A", A=task({"n": 1}, Output="{% $states.result.Payload %}", **END))] * 3,
            **END,
        },
    )
    outputs: dict[int, Any] = {}

    def run(number: int) -> None:
        outputs[number] = moto_engine.run_with_moto(
            definition, {}, lambda payload: payload["n"] * number
        ).output

    threads = [threading.Thread(target=run, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert outputs == {number: [number] * 3 for number in range(5)}


def test_a_bad_definition_does_not_spoil_the_next() -> None:
    with pytest.raises(Exception, match=r"."):
        moto_engine.run_with_moto(
            {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "No"}}}, {}, str
        )
    ended = moto_engine.run_with_moto(machine("T", T=task({}, **END)), {}, fail)
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "Mine", "because")


def fail(_: Any) -> Any:
    raise StatesError("Mine", "because")
