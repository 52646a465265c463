"""What goes into an execution and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, final

Json: TypeAlias = Any
"""None, bool, int, float, str, list or dict with str keys; treated as immutable by everybody."""

Status: TypeAlias = Literal["SUCCEEDED", "FAILED", "TIMED_OUT"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in an execution.

    Attributes:
        id: Counts from 1.
        timestamp: ISO 8601 with milliseconds and ``Z``, read from the execution's clock.
        type: As in AWS's execution history (``TaskStateEntered``, ``TaskScheduled``, ``TaskFailed``...), and
            ``TaskRetried`` for a retry that was decided.
        name: The state's name, empty for events of the execution itself.
        scope: Where the state stands, such as ``fan[2]/each[0]`` for nested Parallel and Map states.
    """

    id: int
    timestamp: str
    type: str
    name: str = ""
    scope: str = ""
    details: Mapping[str, Json] = field(default_factory=dict)


EventSink: TypeAlias = Callable[[Event], None]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How an execution ended, with the words of AWS's DescribeExecution; ``output`` only if it succeeded."""

    status: Status
    output: Json = None
    error: str | None = None
    cause: str | None = None


Answering: TypeAlias = Callable[[str, Mapping[str, Json]], Json]
Waiting: TypeAlias = Callable[[], AbstractContextManager[None]]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCall:
    """One attempt of a Task state: the resource's ARN, the evaluated arguments and the context object.

    Attributes:
        attempt: Counts from 0, like ``$states.context.State.RetryCount``.
        waiting: Makes a context in which the state's time limit stands still.
        answering: Answers for a task that waits for its token: the resource of Step Functions' own integration
            (``...:aws-sdk:sfn:sendTaskSuccess``) and its arguments. Raises StatesError as the service would.
    """

    resource: str
    arguments: Json
    state: str
    attempt: int
    context: Mapping[str, Json]
    waiting: Waiting = nullcontext
    answering: Answering | None = None


class TaskRunner(Protocol):
    """Answers Task states."""

    async def __call__(self, call: TaskCall, /) -> Json:
        """Return the result (``$states.result``) or raise StatesError.

        A time-out or the failure of a sibling cancels the call.
        """
        ...
