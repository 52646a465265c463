from __future__ import annotations

from typing import Any

import pytest

from orkestra_bridge.asl.check import check


def machine(states: dict[str, Any], start: str = "a") -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": start, "States": states}


END = {"Type": "Pass", "End": True}


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (machine({"a": {"Type": "Pass", "Next": "b"}}), "goes to 'b'"),
        (machine({"a": END}, start="b"), "StartAt names 'b'"),
        (machine({"a": END, "b": END}), "b: no way leads there"),
        (machine({"a": {"Type": "Pass"}}), "needs either Next or End"),
        (machine({"a": {"Type": "Pass", "Next": "a", "End": True}}), "needs either Next or End"),
        (machine({"a": {"Type": "Choice", "Choices": []}}), "without Default"),
        (machine({"x" * 81: END}, start="x" * 81), "at most 80"),
        (machine({"a": {"Type": "Parallel", "Branches": [machine({"a": END})], "End": True}}), "two states"),
        (machine({"a": {"Type": "Task", "Catch": [{"Next": "gone"}], "End": True}}), "goes to 'gone'"),
        (machine({"a": {"Type": "Pass", "Output": "{% $x & '${Y}' %}", "End": True}}), "'${Y}'"),
        (machine({"a": {"Type": "Pass", "Output": "{% $merge([ %}", "End": True}}), "not JSONata"),
    ],
)
def test_each_problem_is_named(definition: dict[str, Any], words: str) -> None:
    assert any(words in problem for problem in check(definition, expressions=True))


def test_a_sound_machine_has_no_problems() -> None:
    choice = {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "b"}], "Default": "c"}
    sound = machine(
        {"a": choice, "b": {"Type": "Pass", "Output": "${Known}", "End": True}, "c": {"Type": "Succeed"}}
    )
    assert check(sound, placeholders=("${Known}",), expressions=True) == ()


def test_a_next_across_the_border_of_a_branch_is_a_problem() -> None:
    inner = machine({"b": {"Type": "Pass", "Next": "c"}}, start="b")
    outer = machine({"a": {"Type": "Parallel", "Branches": [inner], "Next": "c"}, "c": END})
    assert check(outer) == ("b: goes to 'c', which is not in its scope",)
