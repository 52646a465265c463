"""One task that waits -> a Task state, and a Wait state for what a retrier cannot say. Of a sensor, attempts are pokes.

    v         pokes; "not yet" is an error of its own, whose retrier has the poke interval: one transition per poke
    v: wait   waits as long as the function asked for, keeps what it asked to remember, and goes back to v

The Wait is for intervals that grow, for the delay before another try (a function cannot tell a retry after a poke from
one after a failure), and for pokes that leave something behind on the sensor. A task whose retry_policy decides about
its tries waits in the same way, without pokes. See `runtime/poking.py`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orkestra_bridge.asl.jsonata import expression
from orkestra_bridge.asl.model import Catcher, Retrier, State, TaskState, WaitState
from orkestra_bridge.lowering.poll_limits import pace_of
from orkestra_bridge.lowering.scope import INPUT
from orkestra_bridge.lowering.task import SERVICE_ERRORS, lower_task, retriers
from orkestra_bridge.naming import shorten
from orkestra_bridge.runtime.poking import NOT_READY, NOTE, WAITS

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task
    from orkestra_bridge.lowering.poll_limits import Pace
    from orkestra_bridge.lowering.scope import Plan, Scope

KILLED = (
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "Lambda.Unknown",
    "States.Timeout",
)
"""How a function ends that cannot say whether it may be tried again."""
_VARIABLE_LIMIT = 68
"""Characters of a variable's name without what stands around it: AWS allows 80."""
_NOTED = (
    "$parse($base64decode($substringBefore($substringAfter($states.errorOutput.Cause, "
    f"'{NOTE.strip()} '), ']')))"
)


def lower_polling(plan: Plan, task: Task, scope: Scope, following: str | None) -> dict[str, State]:
    """Return the states of a task that waits; ``following`` is None at the end of a branch."""
    name, variable = plan.names.of_task[task.task_id], _variable(plan, task)
    before = f"$exists(${variable}) ? ${variable} : {{}}"
    tries = f"($exists(${variable}) ? ${variable}.tries : 1)"
    pace = pace_of(plan.workflow, task)
    waiting = plan.names.fresh(f"{name}: wait")
    states = {
        key: _told(state, before, pace) if isinstance(state, TaskState) else state
        for key, state in lower_task(plan, task, scope, following, tries=tries).items()
    }
    poking = states[name]
    assert isinstance(poking, TaskState), "a sensor is run by the function"
    again = Catcher(
        errors=(WAITS,),
        next=waiting,
        output=expression(INPUT),
        assign={variable: expression(_NOTED)},
    )
    states[name] = replace(
        poking, retry=(SERVICE_ERRORS, *_retriers(task, pace)), catch=(again, *poking.catch)
    )
    wait = WaitState(
        comment=f"Until {name} {'looks again' if task.polling else 'is tried again'}",
        seconds=expression(f"${variable}.seconds"),
        next=name,
    )
    return {name: states.pop(name), waiting: wait, **states}


def _told(state: TaskState, before: str, pace: Pace) -> TaskState:
    """Return a state that also tells the function what time it is, and what it asked to remember."""
    told: dict[str, Any] = {
        "now": expression("$now()"),
        "before": expression(before),
        "interval": pace.interval,
        "steady": pace.steady,
        "share": pace.share,
    }
    payload = {**state.arguments["Payload"], "waiting": told}
    return replace(state, arguments={**state.arguments, "Payload": payload})


def _retriers(task: Task, pace: Pace) -> tuple[Retrier, ...]:
    steady = Retrier(errors=(NOT_READY,), interval=pace.interval, attempts=pace.steady)
    killed = tuple(replace(again, errors=KILLED) for again in retriers(task.retry) if again.attempts)
    return (*((steady,) if pace.steady else ()), *killed)


def _variable(plan: Plan, task: Task) -> str:
    """Return the name of the variable that keeps what a sensor remembers; no two sensors of a DAG have the same."""
    plain = _plain(task.task_id)
    alike = [other.task_id for other in plan.workflow.tasks if _plain(other.task_id) == plain]
    number = alike.index(task.task_id)
    return f"poked{number}_{plain}" if number else f"poked_{plain}"


def _plain(task_id: str) -> str:
    return shorten(re.sub(r"[^A-Za-z0-9_]", "_", task_id), _VARIABLE_LIMIT).replace("-", "_")
