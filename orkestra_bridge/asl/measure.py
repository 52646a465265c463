"""What a state machine takes of AWS's limits: bytes of its definition, and events of an execution's history.

Sources: AWS Step Functions developer guide, "Service quotas" (1 MB per definition, 25,000 events per history) and the
history events of each state type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from orkestra_bridge.asl.model import (
    ChoiceState,
    MapState,
    ParallelState,
    TaskState,
    WaitState,
    inner_machines,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orkestra_bridge.asl.model import Machine, State

    Instances = Callable[[str], int]

DEFINITION_LIMIT = 1_048_576
"""Bytes of a definition."""
HISTORY_LIMIT = 25_000
"""Events of an execution."""

_VISIT = 2
"""Entered and exited."""
_ATTEMPT = 3
"""Scheduled, started, and succeeded or failed."""
_SUBMITTED = 1
"""More, where a task waits for a job or a token."""
_FAN = 2
"""Started and succeeded: of a Parallel, a Map and each of its iterations."""
_EXECUTION = 2


def definition_bytes(definition: Mapping[str, Any], filled: Mapping[str, int]) -> int:
    """Return the bytes of a definition with its placeholders filled in; ``filled`` has the most that each may take."""
    text = orjson.dumps(definition)
    more = sum(text.count(name.encode()) * (size - len(name)) for name, size in filled.items())
    return len(text) + more


def most_events(machine: Machine, instances: Instances) -> int:
    """Return the most events that an execution writes: each state, with every retry and every catcher.

    ``instances`` says how many iterations there may be of the Map state with a name.
    """
    return _EXECUTION + states_events(machine.states, instances)


def states_events(states: Mapping[str, State], instances: Instances) -> int:
    """Return the most events of states."""
    return sum(_events(name, state, instances) for name, state in states.items())


def _events(name: str, state: State, instances: Instances) -> int:
    inside = sum(states_events(machine.states, instances) for machine in inner_machines(state))
    match state:
        case TaskState():
            waits = "." in state.resource.rpartition(":")[2] or ".sync" in state.resource
            attempts = 1 + sum(retrier.attempts for retrier in state.retry)
            return state.visits * (_VISIT + attempts * (_ATTEMPT + waits * _SUBMITTED))
        case ParallelState():
            return _VISIT + _FAN + inside
        case MapState(distributed=True):
            return _VISIT + 2 * _FAN
        case MapState():
            return _VISIT + _FAN + instances(name) * (_FAN + inside)
        case ChoiceState() | WaitState():
            return state.visits * _VISIT
        case _:
            return _VISIT
