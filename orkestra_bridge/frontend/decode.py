"""The worker's JSON as nodes of the representation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orkestra_bridge.ir.model import (
    AssetCondition,
    Attribute,
    ContextRead,
    Expansion,
    MappedGroup,
    Need,
    Needs,
    PartitionedBy,
    Partitions,
    Polling,
    Retry,
    Schedule,
    ScheduleKind,
    SourceSpan,
    Task,
    TaskGroup,
    UnknownNeed,
    Workflow,
)
from orkestra_bridge.ir.places import ClusterValue, Image

Document = Mapping[str, Any]


def _attributes(rows: Sequence[Sequence[Any]]) -> tuple[Attribute, ...]:
    return tuple(
        Attribute(name=name, value=value, inherited=inherited, of_class=of_class)
        for name, value, inherited, of_class in rows
    )


def _task(document: Document) -> Task:
    fields = dict(document)
    fields["span"] = SourceSpan(*fields["span"])
    fields["bases"] = tuple(fields["bases"])
    fields["upstream"] = tuple(fields["upstream"])
    fields["retry"] = Retry(**fields["retry"])
    fields["attributes"] = _attributes(fields["attributes"])
    fields["expansion"] = _expansion(fields["expansion"])
    for name in ("inlets", "outlets"):
        fields[name] = tuple(map(_asset, fields[name]))
    fields["polling"] = None if fields["polling"] is None else Polling(**fields["polling"])
    fields["image"] = _image(fields["image"])
    return Task(**fields)


def _image(document: Document | None) -> Image | None:
    if document is None:
        return None
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document.items()
    }
    fields["cluster"] = tuple(ClusterValue(**each) for each in document["cluster"])
    return Image(**fields)


def _expansion(document: Document | None) -> Expansion | None:
    if document is None:
        return None
    return Expansion(over=tuple(document["over"]), length=document["length"], most=document["most"])


def _group(document: Document) -> MappedGroup:
    expansion = _expansion(document["expansion"])
    assert expansion is not None, "a mapped group is expanded over something"
    return MappedGroup(group_id=document["group_id"], expansion=expansion, parent=document["parent"])


def _schedule(document: Document) -> Schedule:
    fields = dict(document)
    fields["kind"] = ScheduleKind(fields["kind"])
    fields["expressions"] = tuple(fields.get("expressions", ()))
    fields["attributes"] = _attributes(fields["attributes"])
    fields["assets"] = _asset(fields["assets"]) if fields.get("assets") else None
    fields["partitions"] = _partitions(fields["partitions"]) if fields.get("partitions") else None
    return Schedule(**fields)


def _partitions(document: Document) -> Partitions:
    return Partitions(
        by=PartitionedBy(document["by"]),
        key_format=document.get("key_format", ""),
        offset=document.get("offset", 0),
        mappers=tuple(document.get("mappers", ())),
        rollup=document.get("rollup", False),
    )


def _asset(document: Document) -> AssetCondition:
    return AssetCondition(
        kind=document["kind"],
        name=document.get("name", ""),
        uri=document.get("uri", ""),
        watchers=tuple(document.get("watchers", ())),
        arguments=tuple(
            Attribute(name=name, value=value) for name, value in document.get("arguments", {}).items()
        ),
        of=tuple(map(_asset, document.get("of", ()))),
    )


def _task_group(document: Document) -> TaskGroup:
    return TaskGroup(
        group_id=document["group_id"],
        span=SourceSpan(*document["span"]),
        attributes=_attributes(document["attributes"]),
    )


def _needs(rows: Sequence[Sequence[Any]]) -> Needs:
    kinds = {"variable": "variables", "connection": "connections"}
    known: dict[str, dict[str, Need]] = {"variables": {}, "connections": {}}
    unknown: list[UnknownNeed] = []
    for kind, name, file, line in rows:
        if name is None:
            unknown.append(UnknownNeed(kind=kinds[kind], file=file, line=line))
        else:
            known[kinds[kind]].setdefault(name, Need(name=name, file=file, line=line))
    return Needs(
        variables=tuple(known["variables"].values()),
        connections=tuple(known["connections"].values()),
        unknown=tuple(unknown),
    )


def decode_workflow(document: Document, answer: Document) -> Workflow:
    """Return one DAG of a worker's answer; raises KeyError, TypeError or ValueError if it is not one."""
    fields = dict(document)
    fields["span"] = SourceSpan(*fields["span"])
    fields["schedule"] = _schedule(fields["schedule"])
    fields["tasks"] = tuple(_task(task) for task in fields["tasks"])
    fields["groups"] = tuple(_task_group(group) for group in fields["groups"])
    fields["unused_default_args"] = tuple(fields["unused_default_args"])
    fields["mapped_groups"] = tuple(_group(group) for group in fields["mapped_groups"])
    fields["tags"] = tuple(fields["tags"])
    fields["files"] = tuple(fields["files"])
    fields["attributes"] = _attributes(fields["attributes"])
    fields["variables"] = tuple(answer["variables"])
    fields["connections"] = tuple(answer["connections"])
    fields["needs"] = _needs(fields["needs"])
    fields["context_reads"] = tuple(
        ContextRead(task_id=task_id, key=key, span=SourceSpan(file, line), attribute=attribute)
        for task_id, key, file, line, attribute in fields["context_reads"]
    )
    fields["made_up"] = tuple(f"{kind} {name}" for kind, name in answer["made_up"])
    return Workflow(**fields)
