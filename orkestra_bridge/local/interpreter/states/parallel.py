"""Parallel: runs branches side by side and gathers their outputs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from orkestra_bridge.local.interpreter.document import Document, settle
from orkestra_bridge.local.interpreter.fanout import side_by_side
from orkestra_bridge.local.interpreter.retrying import with_retries

if TYPE_CHECKING:
    from orkestra_bridge.local.interpreter.scope import Outcome, Visit


async def run_parallel(visit: Visit) -> Outcome:
    """Return the list of the branches' outputs, with retries and catchers applied."""
    return await with_retries(visit, _branches)


async def _branches(visit: Visit) -> Document:
    state = visit.state
    given = visit.evaluate(state["Arguments"], "Arguments") if "Arguments" in state else visit.input
    starts = [
        partial(visit.run.run_block, branch, given, visit.scope.inside(f"{visit.name}[{index}]"))
        for index, branch in enumerate(state["Branches"])
    ]
    return settle([output.value for output in await side_by_side(starts)], "result")
