"""One state type per file; each takes a `Visit` and returns an `Outcome`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from orkestra_bridge.local.interpreter.scope import Outcome, Visit
from orkestra_bridge.local.interpreter.states.choice import run_choice
from orkestra_bridge.local.interpreter.states.fail import run_fail
from orkestra_bridge.local.interpreter.states.map import run_map
from orkestra_bridge.local.interpreter.states.parallel import run_parallel
from orkestra_bridge.local.interpreter.states.passing import run_pass
from orkestra_bridge.local.interpreter.states.succeed import run_succeed
from orkestra_bridge.local.interpreter.states.task import run_task
from orkestra_bridge.local.interpreter.states.wait import run_wait

StateType = Callable[[Visit], Awaitable[Outcome]]

STATE_TYPES: Mapping[str, StateType] = {
    "Choice": run_choice,
    "Fail": run_fail,
    "Map": run_map,
    "Parallel": run_parallel,
    "Pass": run_pass,
    "Succeed": run_succeed,
    "Task": run_task,
    "Wait": run_wait,
}
