"""XCom values survive the state machine: JSON text in which numbers are doubles."""

from __future__ import annotations

import datetime as dt
import enum
import json
import math
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orkestra_bridge.runtime.errors import XComSerializationError
from orkestra_bridge.runtime.serde import EXACT, TAG, as_airflow_2, decode, encode, to_plain


class Point(NamedTuple):
    x: int
    y: int


class Colour(str, enum.Enum):
    RED = "red"


@dataclass
class Order:
    customer: str
    lines: tuple[int, ...]


class Custom:
    __version__ = 2

    def __init__(self, text: str) -> None:
        self.text = text

    def serialize(self) -> dict[str, Any]:
        return {"text": self.text}

    @staticmethod
    def deserialize(data: dict[str, Any], version: int) -> Custom:
        return Custom(f"{data['text']} v{version}")


def through_aws(document: Any) -> Any:
    """Return the document as a state machine hands it on: every number a double, whole ones without a fraction."""

    def number(text: str) -> float | int:
        value = float(text)
        return int(value) if value.is_integer() else value

    return json.loads(json.dumps(document, allow_nan=False), parse_int=number, parse_float=number)


def there_and_back(value: Any) -> Any:
    return decode(through_aws(encode(value)))


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.datetimes(timezones=st.timezones()),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return bool(one.keys() == other.keys()) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, dt.datetime):
        return bool(one == other and one.utcoffset() == other.utcoffset())
    return bool(one == other)


@given(plain)
def test_every_plain_value_comes_back_with_its_type(value: Any) -> None:
    assert same(there_and_back(value), value)


@pytest.mark.parametrize(
    "value",
    [
        EXACT + 1,
        -(10**30),
        2.0,
        1e300,
        math.inf,
        {1, 2, 3},
        frozenset({"a"}),
        (1, (2.0, [3])),
        dt.date(2024, 2, 29),
        dt.timedelta(days=-1, microseconds=3),
        dt.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
        Decimal("0.1"),
        uuid.UUID(int=7),
        Order("ada", (1, 2)),
        {TAG: "not a tag", "k": [{TAG: 1}]},
    ],
)
def test_what_json_lacks_comes_back(value: Any) -> None:
    back = there_and_back(value)
    assert back == value
    assert type(back) is type(value)


def test_what_airflow_changes_is_changed_alike() -> None:
    assert there_and_back(Point(1, 2)) == (1, 2)
    assert there_and_back(Colour.RED) == "red"
    assert there_and_back({1: "a", None: "b"}) == {"1": "a", "None": "b"}
    assert repr(there_and_back(Decimal("1.50"))) == "Decimal('1.5')"


def test_nan_and_a_pendulum_moment_come_back() -> None:
    import pendulum

    assert math.isnan(there_and_back(float("nan")))
    moment = pendulum.datetime(2024, 3, 31, 12, tz="Europe/Paris")
    back = there_and_back(moment)
    assert back == moment
    assert back.timezone_name == "Europe/Paris"
    assert isinstance(back, pendulum.DateTime)


def test_a_class_with_its_own_serializer() -> None:
    assert there_and_back(Custom("hello")).text == "hello v2"


def test_a_value_that_cannot_be_pushed_names_type_task_and_key() -> None:
    with pytest.raises(XComSerializationError, match=r"builtins\.bytes.*'load'.*'rows'"):
        encode({"a": [b"x"]}, task_id="load", key="rows")


def test_equal_sets_give_equal_bytes() -> None:
    assert json.dumps(encode({"b", "a", "c"})) == json.dumps(encode({"c", "b", "a"}))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ((1, {2}), [1, [2]]),
        (dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc), "2024-01-02T00:00:00+00:00"),
        (2.0, 2.0),
        (2**60, 2**60),
        (dt.timedelta(days=1), {"__repr__": "datetime.timedelta(days=1)"}),
        (Decimal("1.5"), {"__repr__": "Decimal('1.5')"}),
        (Order("ada", (1,)), {"__repr__": "Order(customer='ada', lines=[1])"}),
        ({"k": (1,)}, {"k": [1]}),
    ],
)
def test_values_as_people_see_them(value: Any, shown: Any) -> None:
    assert to_plain(encode(value)) == shown


@pytest.mark.parametrize(
    ("pushed", "kept"),
    [
        ((1, (2, 3)), (1, (2, 3))),
        ({"a": (1, 2)}, {"a": [1, 2]}),
        ([(1, [(2,)])], [[1, [[2]]]]),
        ([Point(1, 2)], [[1, 2]]),
        ({"a": {(1, 2)}}, {"a": {(1, 2)}}),
        ("text", "text"),
    ],
)
def test_airflow_2_keeps_no_tuple_inside_of_lists_and_dicts(pushed: Any, kept: Any) -> None:
    assert as_airflow_2(pushed) == kept
