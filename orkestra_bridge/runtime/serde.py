"""XCom values <-> JSON that survives Step Functions.

Numbers in a state machine are doubles and JSON has no tuples, dates or sets, so everything that would lose something is
tagged: ``{"__xcom__": kind, "value": ...}``. Scalars, lists and dicts with str keys stay as they are, so that state
machines and people can read them. What can be pushed, and what it comes back as, is Airflow's serde
(`airflow/serialization/serde.py`, `airflow/sdk/serde`): a dict's keys become str, a named tuple a tuple, an Enum of a
primitive its value; anything else that has no serializer is an error.
"""

from __future__ import annotations

import datetime as dt
import enum
import math
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.errors import XComSerializationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

TAG = "__xcom__"
VALUE = "value"
STORED = "stored"
"""The kind of a value that is kept elsewhere (`runtime/large.py`); `decode` never meets one."""

# Doubles hold every integer up to here exactly.
EXACT = 2**53

# Deeper values raise RecursionError in Airflow too (`MAX_RECURSION_DEPTH` of serde, one less than Python's limit).
DEPTH = 200


def encode(value: Any, *, task_id: str = "", key: str = "") -> Any:
    """Return the JSON form of a value.

    Raises:
        XComSerializationError: If Airflow could not push it either; names the type, the task and the key.
    """
    try:
        return _encode(value, 0)
    except _UnknownTypeError as unknown:
        raise XComSerializationError(unknown.kind, task_id=task_id, key=key) from None


def as_airflow_2(value: Any) -> Any:
    """Return a value as Airflow 2 keeps it: a tuple inside of a list or dict is a list there.

    Its `XComEncoder` (`airflow/utils/json.py`) only looks at the value itself before JSON takes tuples for lists.
    """
    if isinstance(value, dict):
        return {key: _without_tuples(item) for key, item in value.items()}
    return [_without_tuples(item) for item in value] if isinstance(value, list) else value


def _without_tuples(value: Any) -> Any:
    return as_airflow_2(list(value) if isinstance(value, tuple) else value)


def decode(document: Any) -> Any:
    """Return the value that `encode` was given; raises ImportError if its class cannot be found."""
    if isinstance(document, list):
        return [decode(item) for item in document]
    if not isinstance(document, dict):
        return document
    if TAG not in document:
        return {key: decode(item) for key, item in document.items()}
    return _DECODERS[document[TAG]](document)


def length_of(document: Any) -> int | None:
    """Return how many items an encoded value has, None if it cannot be mapped over or only its class knows."""
    if isinstance(document, dict) and document.get(TAG) in ("dict", "tuple", "set", "frozenset"):
        return len(document[VALUE])
    plain = isinstance(document, list) or (isinstance(document, dict) and TAG not in document)
    return len(document) if plain else None


def to_plain(document: Any) -> Any:
    """Return an encoded value as plain JSON for people: ISO dates, lists, and a repr where JSON has no form."""
    if isinstance(document, list):
        return [to_plain(item) for item in document]
    if not isinstance(document, dict):
        return document
    if TAG not in document:
        return {key: to_plain(item) for key, item in document.items()}
    return _plain_tagged(document)


class _UnknownTypeError(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__(type(value).__name__)
        self.kind = qualified_name(type(value))


def qualified_name(kind: type) -> str:
    """Return ``module.Class`` of a class."""
    return f"{kind.__module__}.{kind.__qualname__}"


def _tag(kind: str, value: Any, **more: Any) -> dict[str, Any]:
    return {TAG: kind, VALUE: value, **more}


def _encode(value: Any, depth: int) -> Any:
    if depth > DEPTH:
        raise RecursionError("the XCom value is nested too deeply")
    if value is None or isinstance(value, (str, bool, int, float)):
        return _primitive(value)
    if isinstance(value, list):
        return [_encode(item, depth + 1) for item in value]
    if isinstance(value, dict):
        document = {str(key): _encode(item, depth + 1) for key, item in value.items()}
        return _tag("dict", list(document.items())) if TAG in document else document
    for kind, encoder in _ENCODERS:
        if isinstance(value, kind):
            return encoder(value, depth)
    return _object(value, depth)


def _primitive(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return _primitive(value.value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > EXACT:
        return _tag("int", str(value))
    return value


def _float(value: float) -> Any:
    # 3.0 comes back from a state machine as 3, and JSON has no NaN.
    if not math.isfinite(value) or value.is_integer():
        return _tag("float", float(value).hex())
    return float(value)


def _items(kind: str) -> Callable[[Any, int], Any]:
    return lambda value, depth: _tag(kind, [_encode(item, depth + 1) for item in value])


def _set(kind: str) -> Callable[[Any, int], Any]:
    # Sorted, so that equal sets give equal bytes.
    return lambda value, depth: _tag(kind, [_encode(item, depth + 1) for item in sorted(value, key=repr)])


def _datetime(value: dt.datetime, _depth: int) -> Any:
    zone = getattr(value.tzinfo, "key", None)
    family = "pendulum" if type(value).__module__.startswith("pendulum") else "datetime"
    more = {"zone": zone} if zone else {}
    return _tag(family, value.isoformat(), **more, **({"fold": 1} if value.fold else {}))


def _decimal(value: Decimal) -> str:
    # Airflow keeps a Decimal as an int or a float (its serializer `bignum`), so 1.50 comes back as 1.5 there too.
    exponent = value.as_tuple().exponent
    return str(int(value) if isinstance(exponent, int) and exponent >= 0 else float(value))


def _timedelta(value: dt.timedelta, _depth: int) -> Any:
    return _tag("timedelta", [value.days, value.seconds, value.microseconds])


_ENCODERS: tuple[tuple[type, Callable[[Any, int], Any]], ...] = (
    (tuple, _items("tuple")),
    (set, _set("set")),
    (frozenset, _set("frozenset")),
    (dt.datetime, _datetime),
    (dt.date, lambda value, _depth: _tag("date", value.isoformat())),
    (dt.timedelta, _timedelta),
)


def _object(value: Any, depth: int) -> Any:
    kind = type(value)
    name = qualified_name(kind)
    if name == "decimal.Decimal":
        return _tag("decimal", _decimal(value))
    if name == "uuid.UUID":
        return _tag("uuid", str(value))
    if kind.__module__ == "numpy" and hasattr(value, "item") and not getattr(value, "shape", ()):
        return _tag("numpy", _encode(value.item(), depth + 1), dtype=str(value.dtype))
    if name.startswith("pandas.") and kind.__name__ == "DataFrame":
        return _tag("parquet", value.to_parquet(index=True).hex())
    fields = _fields(value)
    if fields is None:
        raise _UnknownTypeError(value)
    form, content, version = fields
    return _tag("object", _encode(content, depth + 1), **{"class": name, "form": form, "version": version})


def _fields(value: Any) -> tuple[str, Any, int] | None:
    kind = type(value)
    version = getattr(kind, "__version__", 0)
    version = version if isinstance(version, int) else 0
    if callable(getattr(value, "serialize", None)):
        return "custom", value.serialize(), version
    if hasattr(kind, "model_dump") and hasattr(kind, "model_validate"):
        return "pydantic", value.model_dump(), version
    if hasattr(kind, "__dataclass_fields__"):
        from dataclasses import fields

        content = {f.name: getattr(value, f.name) for f in fields(kind) if f.init}
        return "fields", content, version
    if hasattr(kind, "__attrs_attrs__"):
        content = {a.name.lstrip("_"): getattr(value, a.name) for a in kind.__attrs_attrs__ if a.init}
        return "fields", content, version
    return None


def _decode_datetime(document: dict[str, Any]) -> dt.datetime:
    moment = dt.datetime.fromisoformat(document[VALUE])
    if "zone" not in document:
        return moment
    from zoneinfo import ZoneInfo

    return moment.replace(tzinfo=ZoneInfo(document["zone"]), fold=document.get("fold", 0))


def _decode_pendulum(document: dict[str, Any]) -> Any:
    import pendulum

    moment = dt.datetime.fromisoformat(document[VALUE])
    zone = document.get("zone")
    return pendulum.instance(moment, tz=zone).in_timezone(zone) if zone else pendulum.instance(moment)


def _decode_numpy(document: dict[str, Any]) -> Any:
    import numpy as np  # type: ignore[import-not-found, unused-ignore]

    return np.dtype(document["dtype"]).type(decode(document[VALUE]))


def _decode_parquet(document: dict[str, Any]) -> Any:
    from io import BytesIO

    import pandas as pd  # type: ignore[import-not-found, import-untyped, unused-ignore]

    return pd.read_parquet(BytesIO(bytes.fromhex(document[VALUE])))


def _decode_decimal(document: dict[str, Any]) -> Any:
    from decimal import Decimal

    return Decimal(document[VALUE])


def _decode_uuid(document: dict[str, Any]) -> Any:
    from uuid import UUID

    return UUID(document[VALUE])


def _decode_object(document: dict[str, Any]) -> Any:
    from importlib import import_module

    module, _, name = document["class"].rpartition(".")
    kind = getattr(import_module(module), name)
    content = decode(document[VALUE])
    if document["form"] == "custom":
        return kind.deserialize(content, document["version"])
    if document["form"] == "pydantic":
        return kind.model_validate(content)
    return kind(**content)


_DECODERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "dict": lambda document: {key: decode(item) for key, item in document[VALUE]},
    "int": lambda document: int(document[VALUE]),
    "float": lambda document: float.fromhex(document[VALUE]),
    "tuple": lambda document: tuple(decode(document[VALUE])),
    "set": lambda document: set(decode(document[VALUE])),
    "frozenset": lambda document: frozenset(decode(document[VALUE])),
    "datetime": _decode_datetime,
    "pendulum": _decode_pendulum,
    "date": lambda document: dt.date.fromisoformat(document[VALUE]),
    "timedelta": lambda document: dt.timedelta(*document[VALUE]),
    "decimal": _decode_decimal,
    "uuid": _decode_uuid,
    "numpy": _decode_numpy,
    "parquet": _decode_parquet,
    "object": _decode_object,
}


def _plain_tagged(document: dict[str, Any]) -> Any:
    kind, value = document[TAG], document[VALUE]
    if kind in ("int", "float"):
        return decode(document)
    if kind == "dict":
        return {key: to_plain(item) for key, item in value}
    if kind in ("tuple", "set", "frozenset", "numpy"):
        return to_plain(value)
    if kind in ("datetime", "pendulum", "date"):
        return value
    return {"__repr__": _repr(document)}


def _repr(document: dict[str, Any]) -> str:
    if document[TAG] == "parquet":
        return f"DataFrame({len(document[VALUE]) // 2} bytes of Parquet)"
    if document[TAG] != "object":
        return repr(decode(document))
    name = document["class"].rpartition(".")[2]
    content = to_plain(document[VALUE])
    if not isinstance(content, dict):
        return f"{name}({content!r})"
    return f"{name}({', '.join(f'{key}={item!r}' for key, item in content.items())})"
