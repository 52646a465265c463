"""Bases of triggers: what deferrable operators give to whoever waits for them (`airflow/triggers/base.py`)."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow._impl import timezone
from airflow._impl.logs import LoggingMixin
from airflow._impl.templates import Templater

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import timedelta


@dataclass
class StartTriggerArgs:
    """What a task that starts in the triggerer would start with."""

    trigger_cls: str
    next_method: str
    trigger_kwargs: dict[str, Any] | None = None
    next_kwargs: dict[str, Any] | None = None
    timeout: timedelta | None = None


class BaseTrigger(abc.ABC, Templater, LoggingMixin):
    """Waits for something and yields one event for it."""

    supports_triggerer_queue = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        self.task_instance: Any = None
        self.trigger_id: Any = None
        self.template_fields: Any = ()
        self.template_ext: Any = ()

    def _set_context(self, context: Any) -> None: ...

    @property
    def task(self) -> Any:
        return self.task_instance.task if self.task_instance else None

    @abc.abstractmethod
    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments to make it again."""

    @abc.abstractmethod
    def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, then yield the event."""

    async def cleanup(self) -> None:
        """Free what `run` holds."""

    def __repr__(self) -> str:
        path, kwargs = self.serialize()
        arguments = ", ".join(f"{key}={value!r}" for key, value in kwargs.items())
        return f"<{path} {arguments}>"


class BaseEventTrigger(BaseTrigger):
    """A trigger that asset watchers use."""

    @staticmethod
    def hash(classpath: str, kwargs: dict[str, Any]) -> int:
        import json

        return hash((classpath, json.dumps(kwargs, sort_keys=True, default=str)))


class TriggerEvent:
    """What a trigger says when it fires."""

    def __init__(self, payload: Any, **kwargs: Any) -> None:
        self.payload = payload

    def __repr__(self) -> str:
        return f"TriggerEvent<{self.payload!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TriggerEvent) and other.payload == self.payload

    def __hash__(self) -> int:
        return hash(repr(self.payload))


class BaseTaskEndEvent(TriggerEvent):
    """An event that ends the task in a state of its own, without running it again."""

    task_instance_state: Any = None

    def __init__(self, *, xcoms: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(payload=str(self.task_instance_state))
        self.xcoms = xcoms


class TaskSuccessEvent(BaseTaskEndEvent):
    """Ends the task with success."""

    task_instance_state = "success"


class TaskFailedEvent(BaseTaskEndEvent):
    """Ends the task with failure."""

    task_instance_state = "failed"


class TaskSkippedEvent(BaseTaskEndEvent):
    """Ends the task as skipped."""

    task_instance_state = "skipped"


class DateTimeTrigger(BaseTrigger):
    """Fires at a moment; the runtime reads the moment and does not run it."""

    def __init__(
        self, moment: Any = None, *, target_time: Any = None, end_from_trigger: bool = False
    ) -> None:
        super().__init__()
        given = moment if moment is not None else target_time
        parsed = timezone.parse(given) if isinstance(given, str) else given
        if parsed is None or parsed.tzinfo is None:
            raise ValueError("You cannot pass naive datetimes")
        self.moment = timezone.convert_to_utc(parsed)
        self.end_from_trigger = end_from_trigger

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "airflow._impl.triggers.DateTimeTrigger", {"moment": self.moment}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        yield TriggerEvent(self.moment)


class TimeDeltaTrigger(DateTimeTrigger):
    """Fires after some time."""

    def __init__(self, delta: timedelta, *, end_from_trigger: bool = False) -> None:
        super().__init__(timezone.utcnow() + delta, end_from_trigger=end_from_trigger)
