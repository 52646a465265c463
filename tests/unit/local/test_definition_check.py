"""Definitions that are refused before anything runs, and in which words."""

from __future__ import annotations

from typing import Any

import pytest
from asl_cases import CASES

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.local.interpreter.check import check_definition

END = {"End": True}
PASS: dict[str, Any] = {"Type": "Pass", **END}


def machine(**states: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}


def block(**states: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def test_every_case_is_accepted() -> None:
    for case in CASES:
        check_definition(case.definition)


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ({**machine(A=PASS), "QueryLanguage": "JSONPath"}, '"QueryLanguage": "JSONata"'),
        ({"StartAt": "A", "States": {"A": PASS}}, '"QueryLanguage": "JSONata"'),
        ({**machine(A=PASS), "StartAt": "B"}, "no state 'B' to start at"),
        ({**machine(A=PASS), "Extra": 1}, "the machine has Extra"),
        ({"QueryLanguage": "JSONata"}, "no state None to start at"),
        (machine(A={**PASS, "Parameters": {}}), "state 'A' has Parameters"),
        (machine(A={**PASS, "QueryLanguage": "JSONPath"}), "state 'A' is not in JSONata"),
        (machine(A={"Type": "Activity", **END}), "has the type 'Activity'"),
        (machine(A={**END}), "has the type 'None'"),
        (machine(A={"Type": "Pass", "Next": "B"}), "goes on to 'B', which is not there"),
        (machine(A={"Type": "Pass"}), "needs either Next or End"),
        (machine(A={"Type": "Pass", "Next": "A", "End": True}), "needs either Next or End"),
        (machine(A={"Type": "Task", **END}), "needs the field Resource"),
        (machine(A={"Type": "Choice"}), "needs the field Choices"),
        (machine(A={"Type": "Wait", **END}), "exactly one of Seconds and Timestamp"),
        (machine(A={"Type": "Wait", "Seconds": 1, "Timestamp": "x", **END}), "exactly one of"),
        (
            machine(A={"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "B"}]}),
            "goes on to 'B'",
        ),
        (
            machine(A={"Type": "Choice", "Choices": [{"Variable": "$.x", "Next": "A"}]}),
            "Choices[0] of state 'A' has Variable",
        ),
        (machine(A={"Type": "Task", "Resource": "r", "HeartbeatSeconds": 1, **END}), "has HeartbeatSeconds"),
        (
            machine(A={"Type": "Task", "Resource": "r", "Retry": [{"ErrorEquals": [], "Rate": 1}], **END}),
            "Retry[0] of state 'A' has Rate",
        ),
        (
            machine(A={"Type": "Task", "Resource": "r", "Catch": [{"ErrorEquals": [], "Next": "B"}], **END}),
            "goes on to 'B'",
        ),
        (machine(A={"Type": "Pass", "Output": {"a": ["{% 1 + %}"]}, **END}), "JSONata error in '1 +'"),
        (
            machine(A={"Type": "Parallel", "Branches": [block(B={"Type": "Pass", "Next": "A"})], **END}),
            "state 'B' goes on to 'A'",
        ),
        (
            machine(
                A={
                    "Type": "Map",
                    "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, **block(B=PASS)},
                    **END,
                }
            ),
            "the mode DISTRIBUTED",
        ),
    ],
)
def test_what_is_refused(definition: dict[str, Any], words: str) -> None:
    with pytest.raises(LocalRunError) as raised:
        check_definition(definition)
    assert words in raised.value.message
    assert raised.value.remedy


def test_all_problems_are_told_at_once() -> None:
    definition = machine(A={"Type": "Pass", "Next": "B", "Extra": 1}, C={"Type": "Task", **END})
    with pytest.raises(LocalRunError) as raised:
        check_definition(definition)
    assert all(words in raised.value.message for words in ("Extra", "'B'", "Resource"))
