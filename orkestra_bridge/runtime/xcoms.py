"""XComs of one run, as the running task instance sees them: those in the ledger, and its own.

The differences between Airflow 2 and 3 are all here. Sources: `TaskInstance.xcom_pull` in Airflow 2's
`airflow/models/taskinstance.py`, `RuntimeTaskInstance.xcom_pull` in Airflow 3's
`airflow/sdk/execution_time/task_runner.py`, and `PlainXComArg.resolve` of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.large import LargeXComs, Place
from orkestra_bridge.runtime.mapping import instances_of
from orkestra_bridge.runtime.storage import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RETURN_VALUE = "return_value"
MISSING: Any = object()


class _Pushed:
    """One XCom: a large one is read from its store when somebody looks at the value."""

    __slots__ = ("_large", "encoded", "place")

    def __init__(self, large: LargeXComs, encoded: Any, place: Place) -> None:
        self._large = large
        self.encoded = encoded
        self.place = place

    @property
    def map_index(self) -> int:
        """Return the map index of the instance that pushed it, -1 for a task that is not mapped."""
        return self.place.map_index

    @property
    def value(self) -> Any:
        """Return the value, made anew each time: who gets it may change it."""
        return self._large.value(self.encoded, self.place)

    @property
    def length(self) -> int:
        """Return the number of its items; raises TypeError if it has none."""
        return self._large.length(self.encoded, self.place)


class _Values(Sequence[Any]):
    """Values that several task instances pushed; like Airflow's, not a list, and each is read when it is asked for."""

    def __init__(self, found: Iterable[_Pushed], large: LargeXComs) -> None:
        self._found = list(found)
        self._large = large

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return _all_values(self._found[index], self._large)
        return self._found[index].value

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self._found), CONNECTIONS):
            yield from _all_values(self._found[start : start + CONNECTIONS], self._large)

    def __len__(self) -> int:
        return len(self._found)

    def __eq__(self, other: object) -> bool:
        return list(other) == list(self) if isinstance(other, Sequence) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def _count(self) -> str:
        return f"[{len(self._found)} item{'' if len(self._found) == 1 else 's'}]"


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
        large: LargeXComs | None = None,
    ) -> None:
        self._ledger = ledger
        self._major = major
        self._task_id = task_id
        self._map_index = map_index
        self._pushed = {} if pushed is None else pushed
        self._large = large or LargeXComs()

    @property
    def ledger(self) -> Mapping[str, Any]:
        """Return what is known of the tasks that have ended."""
        return self._ledger

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
            return LazyXComSequence(found, self._large)
        if not found:
            return missing
        if "instances" not in self._ledger.get(task_id, {}):
            return found[0].value
        return self._pull_2(task_id, key, None, missing) if self._major == 2 else self._all_3([task_id], key)

    def map_length(self, task_id: str, *, mapped: bool) -> int | None:
        """Return the length of what a task returned, or how many instances of a mapped task returned something.

        None if the task returned nothing that can be mapped over (`get_task_map_length` of Airflow's XComArgs).
        """
        found = self._of(task_id, RETURN_VALUE)
        if mapped:
            return len(found)
        return found[0].length if found and found[0].map_index < 0 else None

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

    def of_instances(self, task_id: str, key: str) -> list[tuple[int, Any]]:
        """Return map index and value of what the instances of a task pushed under a key, in their order."""
        found = self._of(task_id, key)
        return list(zip((one.map_index for one in found), _all_values(found, self._large), strict=True))

    def _of(self, task_id: str, key: str) -> list[_Pushed]:
        """Return what the instances of a task pushed under a key, in the order of their map indexes."""
        entry = self._ledger.get(task_id, {})
        if task_id == self._task_id and "instances" not in entry:
            return [self._own(key)] if key in self._pushed else []
        return [
            _Pushed(self._large, one["xcom"][key], Place(task_id, one.get("map_index", -1), key))
            for one in instances_of(entry)
            if key in one.get("xcom", {})
        ]

    def _own(self, key: str) -> _Pushed:
        return _Pushed(self._large, self._pushed[key], Place(self._task_id, self._map_index, key))

    def _pull_2(self, task_ids: Any, key: str, map_indexes: Any, default: Any) -> Any:
        if task_ids is None:
            return self._latest_2(key, map_indexes, default)
        single = isinstance(task_ids, str) and not isinstance(map_indexes, Iterable)
        tasks = [task_ids] if isinstance(task_ids, str) else list(task_ids)
        found = [one for task_id in tasks for one in _chosen(self._of(task_id, key), map_indexes)]
        if single and not found:
            return default
        if single and (map_indexes is not None or found[0].map_index < 0):
            return found[0].value
        return LazyXComSelectSequence(found, self._large)

    def _latest_2(self, key: str, map_indexes: Any, default: Any) -> Any:
        if key in self._pushed:
            return self._own(key).value
        for task_id in reversed(list(self._ledger)):
            value = self._pull_2(task_id, key, map_indexes, MISSING)
            if value is not MISSING:
                return value
        return default

    def _all_3(self, tasks: list[str], key: str, *, single: bool = True) -> Any:
        """Return the values of all map indexes; a task without any counts as one None."""
        values: list[Any] = []
        for task_id in tasks:
            values += _all_values(self._of(task_id, key), self._large) or [None]
        return values[0] if single and len(values) == 1 else values

    def _given_3(self, tasks: list[str], key: str, map_indexes: Any, default: Any, *, single: bool) -> Any:
        one_index = map_indexes is None or isinstance(map_indexes, int)
        indexes = [-1 if map_indexes is None else map_indexes] if one_index else list(map_indexes)
        values = []
        for task_id in tasks:
            pushed = {one.map_index: one for one in self._of(task_id, key)}
            for index in indexes:
                value = pushed[index].value if index in pushed else None
                values.append(default if value is None else value)
        return values[0] if single and one_index else values


def _all_values(found: list[_Pushed], large: LargeXComs) -> list[Any]:
    large.fetch((one.encoded, one.place) for one in found)
    return [one.value for one in found]


def _chosen(found: list[_Pushed], map_indexes: Any) -> list[_Pushed]:
    """Return the values with these map indexes: of all if it is None, else of one or in the order given."""
    if map_indexes is None:
        return found
    pushed = {one.map_index: one for one in found}
    wanted = map_indexes if isinstance(map_indexes, Iterable) else [map_indexes]
    return [pushed[index] for index in wanted if index in pushed]
