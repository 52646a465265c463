"""States of a JSONata machine, as far as this product emits them.

Source of the field names: AWS Step Functions developer guide, "State machine structure" and the state type pages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, final

if TYPE_CHECKING:
    from collections.abc import Iterator


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Retrier:
    """One entry of ``Retry``; times in whole seconds."""

    errors: tuple[str, ...]
    attempts: int
    interval: int = 1
    backoff: float = 1.0
    max_delay: int | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Catcher:
    """One entry of ``Catch``; ``assign`` sets variables of the scope."""

    errors: tuple[str, ...]
    next: str
    output: Any
    assign: dict[str, Any] | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """Calls a service. ``next`` is None where the state ends its scope; ``assign`` sets variables of the scope.

    ``timeout`` and ``heartbeat`` in whole seconds; only a state that waits for a task token gets heartbeats. ``visits``
    is how often a state is entered that is part of a loop, here as in other states.
    """

    resource: str
    arguments: dict[str, Any]
    output: Any
    next: str | None
    comment: str | None = None
    assign: dict[str, Any] | None = None
    timeout: int | None = None
    heartbeat: int | None = None
    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()
    visits: int = 1


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PassState:
    """Computes its output, calls nothing; ``assign`` sets variables of the scope."""

    next: str | None
    output: Any = None
    assign: dict[str, Any] | None = None
    comment: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class WaitState:
    """Lets time pass and hands on its input; ``seconds`` is JSONata."""

    seconds: str
    next: str
    comment: str | None = None
    visits: int = 1


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelState:
    """Runs branches side by side and gathers their outputs."""

    branches: tuple[Machine, ...]
    output: Any
    next: str | None
    arguments: Any = None
    comment: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MapState:
    """Runs its states once per item and gathers the outputs in the items' order.

    Attributes:
        items: JSONata for the array of items.
        selector: What an iteration gets as its input.
        at_once: How many iterations may run at the same time; None for as many as AWS allows, which is 40 inline.
        distributed: True if each iteration is an execution of its own, with a history of its own.
    """

    items: str
    selector: dict[str, Any]
    processor: Machine
    output: Any
    next: str | None
    at_once: int | None = None
    distributed: bool = False
    comment: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceRule:
    """One way out of a Choice."""

    condition: str
    next: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceState:
    """Takes the first rule whose condition is true, else the default."""

    choices: tuple[ChoiceRule, ...]
    default: str
    comment: str | None = None
    visits: int = 1


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SucceedState:
    """Ends the execution well."""

    comment: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FailState:
    """Ends the execution with an error."""

    error: str
    cause: str


State: TypeAlias = (
    TaskState | PassState | WaitState | ParallelState | MapState | ChoiceState | SucceedState | FailState
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """States and where to start; also the shape of a Parallel's branch and of a Map's states.

    ``timeout`` in whole seconds.
    """

    start_at: str
    states: dict[str, State] = field(default_factory=dict)
    comment: str | None = None
    timeout: int | None = None


def child_machines(machine: Machine) -> Iterator[tuple[str, Machine]]:
    """Yield the name and the states of each Map, however deep, whose iterations are executions of their own."""
    for name, state in machine.states.items():
        if isinstance(state, MapState) and state.distributed:
            yield name, state.processor
        for inner in inner_machines(state):
            yield from child_machines(inner)


def inner_machines(state: State) -> tuple[Machine, ...]:
    """Return the machines inside of a state: a Parallel's branches, a Map's states."""
    if isinstance(state, ParallelState):
        return state.branches
    return (state.processor,) if isinstance(state, MapState) else ()


def state_names(machine: Machine) -> Iterator[str]:
    """Yield the names of all states of a machine and of those inside of its states."""
    for name, state in machine.states.items():
        yield name
        for inner in inner_machines(state):
            yield from state_names(inner)
