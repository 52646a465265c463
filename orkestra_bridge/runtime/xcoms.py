"""XComs of one run, as the running task instance sees them: those in the ledger, and its own.

The differences between Airflow 2 and 3 are all here. Sources: `TaskInstance.xcom_pull` in Airflow 2's
`airflow/models/taskinstance.py`, `RuntimeTaskInstance.xcom_pull` in Airflow 3's
`airflow/sdk/execution_time/task_runner.py`, and `PlainXComArg.resolve` of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime import serde
from orkestra_bridge.runtime.mapping import instances_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RETURN_VALUE = "return_value"
MISSING: Any = object()

_Found = tuple[int, Any]
"""A map index, -1 for a task that is not mapped, and an encoded value."""


class _Values(Sequence[Any]):
    """Values that several task instances pushed; like Airflow's, not a list."""

    def __init__(self, values: Iterable[Any]) -> None:
        self._values = list(values)

    def __getitem__(self, index: Any) -> Any:
        return self._values[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return list(other) == self._values if isinstance(other, Sequence) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self._values))

    def _count(self) -> str:
        return f"[{len(self._values)} item{'' if len(self._values) == 1 else 's'}]"


class LazyXComSelectSequence(_Values):
    """What Airflow 2 gives for several XComs; it may be returned by a task, and is a list from then on."""

    def __repr__(self) -> str:
        return f"LazySelectSequence({self._count()})"


class LazyXComSequence(_Values):
    """What Airflow 3 gives for a mapped task; it does not say how long it is before it was asked."""

    _asked = False

    def __len__(self) -> int:
        self._asked = True
        return super().__len__()

    def __repr__(self) -> str:
        return f"LazyXComSequence({self._count() if self._asked else '<unevaluated length>'})"


class XComs:
    """Finds XComs for one task instance.

    Inside of a mapped task group, of the other tasks of the group the instance with the same map index is all there is.
    """

    def __init__(
        self,
        ledger: Mapping[str, Any],
        *,
        major: int,
        task_id: str = "",
        map_index: int = -1,
        pushed: dict[str, Any] | None = None,
    ) -> None:
        self._ledger = ledger
        self._major = major
        self._task_id = task_id
        self._map_index = map_index
        self._pushed = {} if pushed is None else pushed

    def referred(self, task_id: str, key: str, *, mapped: bool, missing: Any) -> Any:
        """Return what a reference to a task's XCom in the DAG file stands for, or ``missing``.

        Args:
            task_id: The task that is referred to.
            key: The XCom's key.
            mapped: True if the task was made by ``expand``.
            missing: What to return if nothing was pushed.
        """
        found = self._of(task_id, key)
        if mapped and self._major > 2:
            return LazyXComSequence(serde.decode(value) for _, value in found)
        if not found:
            return missing
        if "instances" not in self._ledger.get(task_id, {}):
            return serde.decode(found[0][1])
        return self._pull_2(task_id, key, None, missing) if self._major == 2 else self._all_3([task_id], key)

    def map_length(self, task_id: str, *, mapped: bool) -> int | None:
        """Return the length of what a task returned, or how many instances of a mapped task returned something.

        None if the task returned nothing that can be mapped over (`get_task_map_length` of Airflow's XComArgs).
        """
        found = self._of(task_id, RETURN_VALUE)
        if mapped:
            return len(found)
        return len(serde.decode(found[0][1])) if found and found[0][0] < 0 else None

    def pull(self, task_ids: Any, key: str, *, map_indexes: Any = MISSING, default: Any = None) -> Any:
        """Return what ``xcom_pull`` returns; ``map_indexes`` is MISSING where the call does not name it.

        One task: its value or ``default``; of a mapped one, the values of its instances. No task: in Airflow 2 the
        latest value of any task, in Airflow 3 the task's own. Several: a list, in which Airflow 2 leaves out what is
        missing. Airflow 3 looks at ``default`` only where ``map_indexes`` is given, and then takes a pushed None for a
        missing value.
        """
        if self._major == 2:
            return self._pull_2(task_ids, key, None if map_indexes is MISSING else map_indexes, default)
        single = task_ids is None or isinstance(task_ids, str)
        tasks = [task_ids or self._task_id] if single else list(task_ids)
        if map_indexes is MISSING:
            return self._all_3(tasks, key, single=single)
        return self._given_3(tasks, key, map_indexes, default, single=single)

    def _of(self, task_id: str, key: str) -> list[_Found]:
        """Return what the instances of a task pushed under a key, in the order of their map indexes."""
        entry = self._ledger.get(task_id, {})
        if task_id == self._task_id and "instances" not in entry:
            return [(self._map_index, self._pushed[key])] if key in self._pushed else []
        return [
            (one.get("map_index", -1), one["xcom"][key])
            for one in instances_of(entry)
            if key in one.get("xcom", {})
        ]

    def _pull_2(self, task_ids: Any, key: str, map_indexes: Any, default: Any) -> Any:
        if task_ids is None:
            return self._latest_2(key, map_indexes, default)
        single = isinstance(task_ids, str) and not isinstance(map_indexes, Iterable)
        tasks = [task_ids] if isinstance(task_ids, str) else list(task_ids)
        found = [one for task_id in tasks for one in _chosen(self._of(task_id, key), map_indexes)]
        if single and not found:
            return default
        if single and (map_indexes is not None or found[0][0] < 0):
            return serde.decode(found[0][1])
        return LazyXComSelectSequence(serde.decode(value) for _, value in found)

    def _latest_2(self, key: str, map_indexes: Any, default: Any) -> Any:
        if key in self._pushed:
            return serde.decode(self._pushed[key])
        for task_id in reversed(list(self._ledger)):
            value = self._pull_2(task_id, key, map_indexes, MISSING)
            if value is not MISSING:
                return value
        return default

    def _all_3(self, tasks: list[str], key: str, *, single: bool = True) -> Any:
        """Return the values of all map indexes; a task without any counts as one None."""
        values: list[Any] = []
        for task_id in tasks:
            values += [serde.decode(value) for _, value in self._of(task_id, key)] or [None]
        return values[0] if single and len(values) == 1 else values

    def _given_3(self, tasks: list[str], key: str, map_indexes: Any, default: Any, *, single: bool) -> Any:
        one_index = map_indexes is None or isinstance(map_indexes, int)
        indexes = [-1 if map_indexes is None else map_indexes] if one_index else list(map_indexes)
        values = []
        for task_id in tasks:
            pushed = dict(self._of(task_id, key))
            for index in indexes:
                value = serde.decode(pushed[index]) if index in pushed else None
                values.append(default if value is None else value)
        return values[0] if single and one_index else values


def _chosen(found: list[_Found], map_indexes: Any) -> list[_Found]:
    """Return the values with these map indexes: of all if it is None, else of one or in the order given."""
    if map_indexes is None:
        return found
    pushed = dict(found)
    wanted = map_indexes if isinstance(map_indexes, Iterable) else [map_indexes]
    return [(index, pushed[index]) for index in wanted if index in pushed]
