"""Map: runs its states once per item, in this execution or each in an execution of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from orkestra_bridge.local.interpreter.document import Document, settle
from orkestra_bridge.local.interpreter.failures import QUERY, StatesError
from orkestra_bridge.local.interpreter.fanout import side_by_side
from orkestra_bridge.local.interpreter.retrying import with_retries
from orkestra_bridge.local.interpreter.scope import Outcome, Scope, Visit

if TYPE_CHECKING:
    from orkestra_bridge.local.interpreter.model import Json

INLINE_LIMIT = 40
"""Iterations at once that AWS allows for an inline Map, whatever MaxConcurrency says."""
DISTRIBUTED_LIMIT = 10_000
"""Executions at once that AWS allows for a distributed Map."""


async def run_map(visit: Visit) -> Outcome:
    """Return the list of the iterations' outputs, with retries and catchers applied."""
    return await with_retries(visit, _iterations)


async def _iterations(visit: Visit) -> Document:
    state = visit.state
    wanted = int(visit.number(state.get("MaxConcurrency", 0), "MaxConcurrency"))
    distributed = state["ItemProcessor"].get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED"
    most = DISTRIBUTED_LIMIT if distributed else INLINE_LIMIT
    starts = []
    for index, value in enumerate(_items(visit)):
        item = settle({"Item": {"Index": index, "Value": value}}, "item")
        inside = visit.scope.inside(f"{visit.name}[{index}]", item)
        given = _given(visit, inside, value)
        if distributed:
            inside = visit.scope.apart(f"{visit.name}[{index}]", given, index)
        starts.append(partial(visit.run.run_block, state["ItemProcessor"], given, inside))
    outputs = await side_by_side(starts, min(wanted or most, most))
    return settle([output.value for output in outputs], "result")


def _items(visit: Visit) -> list[Json]:
    given = visit.evaluate(visit.state["Items"], "Items") if "Items" in visit.state else visit.input
    value = given.value
    if isinstance(value, dict):
        return [{"Key": key, "Value": item} for key, item in value.items()]
    if not isinstance(value, list):
        raise StatesError(
            QUERY, f"The items of state '{visit.name}' must be an array or object, got {value!r}."
        )
    return value


def _given(visit: Visit, inside: Scope, value: Json) -> Document:
    if "ItemSelector" not in visit.state:
        return settle(value, "item")
    selecting = Visit(inside, visit.name, visit.state, visit.input)
    return selecting.evaluate(visit.state["ItemSelector"], "ItemSelector")
