from __future__ import annotations

import datetime as dt
import enum
import json
from collections import OrderedDict
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orkestra_bridge.frontend.worker_values import Encoder, Redactor, differs, seconds


class Colour(str, enum.Enum):
    RED = "red"


class Mute:
    def __repr__(self) -> str:
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


def named(value: int) -> int:
    return value


def encode(value: Any, *secrets: str) -> Any:
    return Encoder({"/home/me/dags/": ""}, Redactor(secrets))(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (2.5, 2.5),
        (float("inf"), "inf"),
        (Colour.RED, "red"),
        (dt.timedelta(minutes=5), 300.0),
        (dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc), "2024-01-02T00:00:00+00:00"),
        (dt.date(2024, 1, 2), "2024-01-02"),
        ((1, [2, {"a": {3}}]), [1, [2, {"a": [3]}]]),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        ({1: 2}, "{1: 2}"),
        (named, "named"),
        ("/home/me/dags/sql/x.sql", "sql/x.sql"),
        (b"x", "b'x'"),
        (Mute(), "<Mute>"),
    ],
)
def test_values(value: object, expected: object) -> None:
    assert encode(value) == expected


def test_no_address_is_shown() -> None:
    assert "0x" not in encode(object())


def test_a_set_inside_an_object_has_one_order() -> None:
    words = ["us", "apac", "eu", "mars"]
    texts = {encode(SimpleNamespace(words=set(order))) for order in permutations(words)}
    assert texts == {"namespace(words={'apac', 'eu', 'mars', 'us'})"}
    assert encode(SimpleNamespace(a={"b": "c", "a": "d"})) == "namespace(a={'b': 'c', 'a': 'd'})"


def test_looked_up_values_are_masked() -> None:
    assert encode({"password": "pw", "uri": "db://me:long-secret@host"}, "pw", "long-secret") == {
        "password": "***",
        "uri": "db://me:***@host",
    }


def test_short_values_are_not_masked_inside_words() -> None:
    assert encode("production", "prod") == "production"


@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_every_value_becomes_strict_json(value: object) -> None:
    assert json.dumps(encode(value), allow_nan=False)


def test_deep_and_circular_values_end() -> None:
    ring: list[Any] = []
    ring.append(ring)
    assert "..." in json.dumps(encode(ring))


@pytest.mark.parametrize(
    ("value", "default", "expected"), [(1, 1, False), ("a", "b", True), ([], [], False), (Mute(), 1, True)]
)
def test_differs(value: object, default: object, expected: bool) -> None:
    assert differs(value, default) is expected


@pytest.mark.parametrize(
    ("value", "expected"), [(dt.timedelta(hours=1), 3600.0), (5, 5.0), (None, None), ("x", None)]
)
def test_seconds(value: object, expected: float | None) -> None:
    assert seconds(value) == expected
