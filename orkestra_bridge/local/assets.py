"""What events of assets do on this machine: which DAGs of OUT they start, and what others still wait for.

DAGs that are partitioned have `partitions.py` for that. On AWS a rule of EventBridge and the asset launcher do this
(`stack/asset_launcher.py`); here their part is played by a file for each DAG below ``OUT/.runs/.assets``, so that what
one run leaves is there for the next.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final
from uuid import uuid4

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.ir.serialize import from_document
from orkestra_bridge.naming import machine_name
from orkestra_bridge.packaging.pythons import RUNS
from orkestra_bridge.runtime.asset_events import DETAIL_TYPE, type_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from orkestra_bridge.ir.model import AssetCondition, Workflow

WORKFLOW = "workflow.json"
MEMORY = ".assets"
"""Folder below ``OUT/.runs`` with what has arrived for each DAG since its last run."""

Json = dict[str, Any]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """A DAG that waits for an asset of which there was an event.

    Attributes:
        document: The run document that the event starts a run with; None if it starts none yet.
        waits_for: The assets that are not there yet.
    """

    dag_id: str
    document: Mapping[str, Any] | None = None
    waits_for: tuple[str, ...] = ()

    def to_json(self) -> Json:
        """Return what ``orkestra-bridge run --format json`` says about it."""
        if self.document is None:
            return {"dag_id": self.dag_id, "waits_for": list(self.waits_for)}
        return {"dag_id": self.dag_id, "starts": self.document["run_id"]}


@final
@dataclass(slots=True)
class _Memory:
    """What has arrived for a DAG since its last run."""

    path: Path
    arrived: list[str] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)

    @classmethod
    def of(cls, home: Path, dag_id: str) -> _Memory:
        path = home / RUNS / MEMORY / f"{machine_name(dag_id)}.json"
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls(path)
        except (OSError, ValueError) as problem:
            raise LocalRunError(f"{path} cannot be read: {problem}", remedy="delete it") from problem
        return cls(path, kept["arrived"], kept["events"])

    def keep(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        document = {"arrived": self.arrived, "events": self.events}
        self.path.write_text(json.dumps(document), encoding="utf-8")

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


def hear_events(home: Path, folder: Path) -> tuple[Consumer, ...]:
    """Return the DAGs of OUT that wait for something that was put into a folder of events, by event and dag id.

    Raises:
        LocalRunError: If what `convert` or an earlier run wrote cannot be read.
    """
    details = details_in(folder, DETAIL_TYPE)
    waiting = [each for each in waiting_in(home) if not each[0].schedule.maps_partitions] if details else []
    return tuple(
        consumer
        for detail in details
        for workflow, condition in waiting
        if (consumer := _hear(home, workflow, condition, detail))
    )


def details_in(folder: Path, kind: str) -> list[Json]:
    """Return the details of a folder's events of one type, the oldest first; raises LocalRunError for a broken one."""
    if not folder.is_dir():
        return []
    found = (_read(path) for path in folder.glob("*.json"))
    return sorted((each for each in found if type_of(each) == kind), key=lambda detail: detail["timestamp"])


def waiting_in(home: Path) -> Iterator[tuple[Workflow, AssetCondition]]:
    """Yield the DAGs of OUT whose schedule waits for assets."""
    for path in sorted(home.glob(f"*/{WORKFLOW}")):
        document = _read(path)
        if document["schedule"].get("assets"):
            workflow = from_document(document)
            assert workflow.schedule.assets is not None, "it has just been looked at"
            yield workflow, workflow.schedule.assets


def _hear(home: Path, workflow: Workflow, condition: AssetCondition, detail: Json) -> Consumer | None:
    relevant = [event for event in detail["events"] if condition.touched_by(event["keys"])]
    if not relevant:
        return None
    memory = _Memory.of(home, workflow.dag_id)
    memory.arrived.extend(key for event in relevant for key in event["keys"] if key not in memory.arrived)
    memory.events.extend(relevant)
    if condition.holds(memory.arrived):
        memory.forget()
        document = _document(workflow, memory.events, detail["timestamp"])
        return Consumer(dag_id=workflow.dag_id, document=document)
    memory.keep()
    missing = [leaf.uri or leaf.name for leaf in condition.leaves if not leaf.holds(memory.arrived)]
    return Consumer(dag_id=workflow.dag_id, waits_for=tuple(missing))


def _document(workflow: Workflow, events: Sequence[Json], moment: str) -> Json:
    """Return the run document that the asset launcher would make."""
    old = workflow.airflow_version.startswith("2.")
    kind, unique = ("dataset_triggered", "") if old else ("asset_triggered", f"_{uuid4().hex[:8]}")
    return {
        "run_type": kind,
        "run_id": f"{kind}__{moment}{unique}",
        "triggered_at": moment,
        "asset_events": sorted(events, key=lambda event: event["timestamp"]),
    }


def _read(path: Path) -> Json:
    try:
        document: Json = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise LocalRunError(f"{path} cannot be read: {problem}", remedy="convert the DAG again") from problem
    return document
