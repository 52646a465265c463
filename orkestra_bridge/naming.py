"""Names that AWS will see: bounded, unique and the same in every release.

Sources: state names have at most 80 characters (AWS: "Step Functions service quotas"), and so have execution names,
which allow letters, digits, ``-`` and ``_`` (API reference of StartExecution).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.runtime.run_names import execution_name, machine_name, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["STATE_NAME_LIMIT", "StateNames", "execution_name", "machine_name", "shorten"]

STATE_NAME_LIMIT = 80


class StateNames:
    """Hands out state names that are unique in one machine."""

    def __init__(self, task_ids: Iterable[str]) -> None:
        self._taken: set[str] = set()
        self._of_task: dict[str, str] = {task_id: self.fresh(task_id) for task_id in task_ids}

    @property
    def of_task(self) -> Mapping[str, str]:
        """The state name of each task id."""
        return self._of_task

    def fresh(self, wanted: str) -> str:
        """Return a name close to the wanted one that no other state has."""
        name, count = shorten(wanted, STATE_NAME_LIMIT), 2
        while name in self._taken:
            name = shorten(f"{wanted} ({count})", STATE_NAME_LIMIT)
            count += 1
        self._taken.add(name)
        return name
