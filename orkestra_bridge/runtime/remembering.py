"""What a waiting task leaves behind from one invocation to the next: attributes and XComs, as in one process.

In poke mode Airflow keeps the sensor's object between pokes, so a poke may count on `self`; in reschedule mode it does
not. Here every poke has a new object, and what the last one changed on its own is put back.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime import serde
from orkestra_bridge.runtime.errors import XComSerializationError
from orkestra_bridge.runtime.large import KEPT_IN_ERROR

if TYPE_CHECKING:
    from orkestra_bridge.runtime.instances import TaskInstance

log = logging.getLogger("airflow.task")

_UNKNOWN = object()


class Remembered:
    """The state of one task instance that waits; for any other task it does nothing."""

    def __init__(self, task: Any, ti: TaskInstance) -> None:
        self.task = task
        self.ti = ti
        self.continuous = False
        self._before: dict[str, Any] = {}

    @property
    def is_start(self) -> bool:
        """True unless Airflow would still be in the same process since an earlier poke."""
        poking = self.ti.poking
        return not self.continuous or not poking.possible or poking.first_of_try(self.ti.pokes_of_state)

    @property
    def running(self) -> float:
        """Seconds for which Airflow would say that the task has been running: sleeping counts in poke mode."""
        poking = self.ti.poking
        counts = self.continuous and poking.possible and poking.deferred is None
        return poking.waited() if counts else 0.0

    def restore(self, task: Any) -> None:
        """Give a task, whose templates are rendered, what the last poke left; remember how it looks now."""
        self.task = task
        self.continuous = getattr(task, "mode", None) == "poke"
        if not self.ti.poking.possible:
            return
        for name, value in self.ti.poking.kept.items():
            object.__setattr__(task, name, serde.decode(value))
        self.ti.pushed.update(self.ti.poking.pushed)
        if self.continuous:
            self._before = {name: _encoded(value, name) for name, value in vars(task).items()}

    def another_poke(self, again: Any) -> Exception:
        """Return the error that answers a sensor's PokeAgain."""
        if again.left is not None:
            return self.ti.poking.goes_on(again.seconds, again.left, self.ti.pushed, exact=again.exact)
        if self.continuous:
            self.ti.put_away(KEPT_IN_ERROR)
        kept, pushed = self._changed(), self.ti.pushed if self.continuous else {}
        limit = self.task.execution_timeout if self.continuous else None
        if limit and limit.total_seconds() - self.running < again.seconds:
            return self.ti.poking.waits(limit.total_seconds() - self.running, kept=kept, xcom=pushed)
        return self.ti.poking.another_poke(
            again.seconds,
            attempt=self.ti.pokes_of_state,
            remaining=again.remaining,
            exact=again.exact,
            kept=kept,
            pushed=pushed,
        )

    def _changed(self) -> dict[str, Any]:
        """Return the encoded attributes that differ from before, but for templates: they are rendered anew."""
        if not self.continuous:
            return {}
        fields = set(self.task.template_fields)
        changed = dict(self.ti.poking.kept)
        for name, value in vars(self.task).items():
            encoded = _encoded(value, name)
            if name in fields or encoded is _UNKNOWN or encoded == self._before.get(name, _UNKNOWN):
                continue
            changed[name] = encoded
        return changed


def _encoded(value: Any, name: str) -> Any:
    """Return the JSON form of an attribute; a mark for what has none, such as a hook, which a poke makes anew."""
    if callable(value) or name.startswith("__"):
        return _UNKNOWN
    try:
        return serde.encode(value, key=name)
    except (XComSerializationError, RecursionError, ValueError, TypeError):
        return _UNKNOWN
