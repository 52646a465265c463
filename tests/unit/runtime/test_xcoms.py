"""Pulling XComs of mapped tasks, by the rules of both Airflow majors."""

from __future__ import annotations

from typing import Any

import pytest

from orkestra_bridge.runtime.xcoms import MISSING, LazyXComSelectSequence, LazyXComSequence, XComs

LEDGER = {
    "one": {"state": "success", "xcom": {"return_value": "a"}},
    "m": {
        "instances": [
            {"state": "success", "map_index": 0, "xcom": {"return_value": 10}},
            {"state": "failed", "map_index": 1},
            {"state": "success", "map_index": 2, "xcom": {"return_value": 30}},
        ]
    },
    "whole": {"state": "skipped"},
    "single": {"instances": [{"state": "success", "map_index": 0, "xcom": {"return_value": 5}}]},
}


def xcoms(major: int) -> XComs:
    return XComs(LEDGER, major=major, task_id="me", pushed={"return_value": "mine"})


@pytest.mark.parametrize(
    ("arguments", "in_airflow_2", "in_airflow_3"),
    [
        ({"task_ids": "one"}, "a", "a"),
        ({"task_ids": "m"}, [10, 30], [10, 30]),
        ({"task_ids": "single"}, [5], 5),
        ({"task_ids": "whole"}, None, None),
        ({"task_ids": "whole", "default": 1}, 1, None),
        ({"task_ids": "m", "map_indexes": 2}, 30, 30),
        ({"task_ids": "m", "map_indexes": 1, "default": 0}, 0, 0),
        ({"task_ids": "m", "map_indexes": [2, 1, 0]}, [30, 10], [30, None, 10]),
        ({"task_ids": "m", "map_indexes": None}, [10, 30], None),
        ({"task_ids": ["m", "one", "whole"]}, [10, 30, "a"], [10, 30, "a", None]),
        ({"task_ids": ["m", "one"], "map_indexes": 0}, [10], [10, None]),
        ({"task_ids": "one", "map_indexes": -1}, "a", "a"),
        ({"task_ids": None}, "mine", "mine"),
    ],
)
def test_pull(arguments: dict[str, Any], in_airflow_2: Any, in_airflow_3: Any) -> None:
    for major, expected in ((2, in_airflow_2), (3, in_airflow_3)):
        found = xcoms(major).pull(key="return_value", **arguments)
        assert (list(found) if isinstance(expected, list) else found) == expected, major
        if isinstance(expected, list):
            assert isinstance(found, LazyXComSelectSequence if major == 2 else list)


def test_the_latest_in_airflow_2_may_be_that_of_a_mapped_task() -> None:
    ledger = {key: LEDGER[key] for key in ("one", "m", "whole")}
    assert list(XComs(ledger, major=2).pull(None, "return_value")) == [10, 30]


@pytest.mark.parametrize(
    ("task_id", "mapped", "in_airflow_2", "in_airflow_3"),
    [
        ("one", False, "a", "a"),
        ("m", True, [10, 30], [10, 30]),
        ("m", False, [10, 30], [10, 30]),
        ("single", True, [5], [5]),
        ("single", False, [5], 5),
        ("whole", True, MISSING, []),
        ("whole", False, MISSING, MISSING),
    ],
)
def test_a_reference(task_id: str, mapped: bool, in_airflow_2: Any, in_airflow_3: Any) -> None:
    for major, expected in ((2, in_airflow_2), (3, in_airflow_3)):
        found = xcoms(major).referred(task_id, "return_value", mapped=mapped, missing=MISSING)
        assert (list(found) if isinstance(expected, list) else found) == expected, major


def test_lengths_to_map_over() -> None:
    found = xcoms(3)
    assert found.map_length("m", mapped=True) == 2
    assert found.map_length("one", mapped=False) == 1
    assert found.map_length("whole", mapped=False) is None
    # An instance of a mapped task group has returned something, but not for all to map over.
    assert found.map_length("single", mapped=False) is None


def test_lazy_sequences_look_as_in_airflow() -> None:
    ledger = {"m": {"instances": [{"state": "success", "map_index": 0, "xcom": {"return_value": 1}}]}}
    two = XComs(ledger, major=2).pull("m", "return_value")
    ledger["m"]["instances"].append({"state": "success", "map_index": 1, "xcom": {"return_value": 2}})
    three = XComs(ledger, major=3).referred("m", "return_value", mapped=True, missing=MISSING)
    assert (type(two), type(three)) == (LazyXComSelectSequence, LazyXComSequence)
    assert str(two) == "LazySelectSequence([1 item])"
    assert f"{three}" == "LazyXComSequence(<unevaluated length>)"
    assert (len(three), str(three)) == (2, "LazyXComSequence([2 items])")
    assert three == [1, 2]
    assert three[-1] == 2
    assert list(three[:1]) == [1]
