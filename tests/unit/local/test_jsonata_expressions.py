"""Expressions: how they are recognised, bound, checked and answered."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orkestra_bridge.local.interpreter.document import SIZE_LIMIT, settle
from orkestra_bridge.local.interpreter.expressions import (
    evaluate,
    expression_in,
    expressions_of,
    syntax_error,
)
from orkestra_bridge.local.interpreter.failures import DATA_LIMIT, QUERY, StatesError
from orkestra_bridge.local.interpreter.functions import hash_of, partition, random_number, range_of

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def value(text: str, **bindings: Any) -> Any:
    bound = {name: settle(given, name).bound for name, given in bindings.items()}
    return evaluate(f"{{% {text} %}}", bound, "Output").value


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("{% $x %}", "$x"),
        ("{%$x%}", "$x"),
        ("{% $x", None),
        ("a {% $x %}", None),
        ("", None),
        (3, None),
        (None, None),
    ],
)
def test_only_a_whole_string_is_an_expression(text: Any, inside: str | None) -> None:
    assert expression_in(text) == inside


def test_expressions_are_found_wherever_they_stand() -> None:
    template = {"a": ["{% 1 %}", {"b": "{% 2 %}"}], "c": "no", "d": 4}
    assert list(expressions_of(template)) == ["1", "2"]


@given(JSON)
def test_data_comes_through_as_it_was(data: Any) -> None:
    assert value("$d", d=data) == data
    assert value("{'inside': $d}", d=data) == {"inside": data}
    assert value("$lookup($d, 'key')", d={"key": data}) == data


@given(JSON)
def test_an_answer_shares_nothing_with_the_data(data: Any) -> None:
    held = settle({"key": data}, "held")
    answer = evaluate({"copy": "{% $d %}"}, {"d": held.bound}, "Output").value
    answer["copy"]["new"] = 1
    assert held.value == {"key": data}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[null, 1]", [None, 1]),
        ("$exists($d.nothing)", False),
        ("$exists($d.n)", True),
        ("$type($d.n)", "null"),
        ("$d.n = null", True),
        ("$d.list[1]", None),
        ("$count($d.list)", 2),
        ("$string($d)", '{"n":null,"list":[1,null]}'),
        ("$map($d.list, function($v) {$v})", [1, None]),
        ("$append($d.list, null)", [1, None, None]),
        ("7 / 2", 3.5),
        ("6 / 2", 3),
        ("$uppercase('é')", "É"),
        ("$length($uuid())", 36),
        ("$hash('x', 'MD5')", "9dd4e461268c8034f5c8564e155c67a6"),
        ("$random(3) = $random(3)", True),
    ],
)
def test_values(text: str, expected: Any) -> None:
    assert value(text, d={"n": None, "list": [1, None]}) == expected


@pytest.mark.parametrize(
    "text",
    ["$nothing", "$d.nothing", "1 / 0", "'a' + 1", "$error('x')", "function($x) {$x}", "$eval('1')", "$", "$$", "$f(1)",
     "$parse('no')", "$partition([1], 0)", "$range(1, 2, 0)", "$range(1, 5000, 1)", "$hash('x', 'CRC')"],
)  # fmt: skip
def test_failures(text: str) -> None:
    with pytest.raises(StatesError) as raised:
        value(text, d={})
    assert raised.value.error == QUERY


@pytest.mark.parametrize("text", ["1 +", "(", "$x..", "{'a' 1}", ""])
def test_syntax_errors_are_found_before_the_run(text: str) -> None:
    assert syntax_error(text)
    assert syntax_error("$states.input") is None


def test_too_much_data_has_an_error_of_its_own() -> None:
    with pytest.raises(StatesError) as raised:
        evaluate("{% $pad('', 300000, 'é') %}", {}, "Output")
    assert raised.value.error == DATA_LIMIT


def test_the_limit_counts_bytes() -> None:
    settle("x" * (SIZE_LIMIT - 2), "input")
    settle("é" * (SIZE_LIMIT // 2 - 1), "input")
    for text in ("x" * (SIZE_LIMIT - 1), "é" * (SIZE_LIMIT // 2)):
        with pytest.raises(StatesError):
            settle(text, "input")


@pytest.mark.parametrize("data", [{1, 2}, float("nan"), float("inf"), object()])
def test_what_is_not_json_is_refused(data: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        settle(data, "input")


def test_functions_that_aws_adds() -> None:
    assert partition([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
    assert range_of(0, 1, 0.5) == [0, 0.5, 1]
    assert range_of(3, 1, -1) == [3, 2, 1]
    assert range_of(3, 1, 1) == []
    assert hash_of({"b": 1, "a": [2]}) == hash_of('{"b":1,"a":[2]}')
    assert 0 <= random_number() < 1
