"""Assets (datasets) of schedules, inlets and outlets as plain values.

Source: `airflow.datasets` (2.x) and `airflow.sdk.definitions.asset` (3.x).

Part of the worker program: standard library only, Python 3.8 and later. Classes are told apart by the names in their
MRO, since those of the two majors are unrelated and users derive from them.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, Tuple

from .worker_attributes import signature_defaults
from .worker_values import differs

_KINDS = {
    "AssetAny": "any",
    "DatasetAny": "any",
    "AssetAll": "all",
    "DatasetAll": "all",
    "AssetAlias": "alias",
    "DatasetAlias": "alias",
    "_DatasetAliasCondition": "alias",  # what a schedule of 2.10 makes of it
    "AssetNameRef": "asset",
    "AssetUriRef": "asset",
    "Asset": "asset",
    "Dataset": "asset",
}


_TOLD = frozenset(["name", "uri", "watchers"])
_SHOWN = 100
_baselines: Dict[type, Any] = {}


def asset_of(value: Any) -> dict[str, Any] | None:
    """Return the fields of `orkestra_bridge.ir.model.AssetCondition`, None for what is no asset.

    A reference knows only the name or the URI, the other one is empty.
    """
    if isinstance(value, (list, tuple, set)):
        return _combined("all", value)
    names = (cls.__name__ for cls in type(value).__mro__ if cls.__module__.startswith("airflow."))
    kind = next((_KINDS[name] for name in names if name in _KINDS), None)
    if kind is None:
        return None
    if kind in ("any", "all"):
        return _combined(kind, value.objects)
    found = {"kind": kind, **{name: str(getattr(value, name, None) or "") for name in ("name", "uri")}}
    watchers = [str(watcher.name) for watcher in getattr(value, "watchers", None) or ()]
    arguments = dict(_arguments(value))
    return {
        **found,
        **({"watchers": watchers} if watchers else {}),
        **({"arguments": arguments} if arguments else {}),
    }


def _arguments(value: Any) -> Iterator[Tuple[str, str]]:
    """Yield the constructor's other arguments that differ from those of an asset that was given a name only, as text."""
    cls = type(value)
    if cls not in _baselines:
        try:
            _baselines[cls] = cls("baseline")
        except Exception:  # noqa: BLE001 - a class of the user's may want anything
            _baselines[cls] = None
    for name, default in signature_defaults(cls).items():
        if name in _TOLD:
            continue
        usual = getattr(_baselines[cls], name, default)
        given = getattr(value, name, usual)
        if differs(given, usual):
            yield name, str(given)[:_SHOWN]


def _combined(kind: str, values: Any) -> dict[str, Any]:
    found = [member for member in map(asset_of, values) if member is not None]
    return {"kind": kind, "of": found}


def written(condition: dict[str, Any]) -> str:
    """Return a condition as the user would write it, with URIs for assets: ``a & (b | c)``."""
    kind = condition["kind"]
    if kind in ("any", "all"):
        parts = [
            f"({written(member)})" if len(member.get("of", ())) > 1 else written(member)
            for member in condition["of"]
        ]
        return (" & " if kind == "all" else " | ").join(parts)
    shown = condition["uri"] or condition["name"]
    return f"alias {shown}" if kind == "alias" else shown


def assets_of(values: Any) -> list[dict[str, Any]]:
    """Return the assets among what a task has as inlets or outlets; lineage of other kinds makes no events."""
    if not isinstance(values, (list, tuple, set)):
        values = [values]
    return [found for found in map(asset_of, values) if found is not None]


def schedule_assets(dag: Any) -> dict[str, Any] | None:
    """Return what a DAG's schedule waits for, None if it waits for no assets."""
    timetable = dag.timetable
    for owner, name in (
        (timetable, "asset_condition"),
        (timetable, "dataset_condition"),
        (timetable, "datasets"),
        (dag, "dataset_triggers"),
    ):
        found = asset_of(getattr(owner, name, None))
        if found is not None:
            return found
    return None
