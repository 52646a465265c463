"""Several blocks side by side; the first failure ends them all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from orkestra_bridge.local.interpreter.document import Document

Start = Callable[[], Awaitable[Document]]


async def side_by_side(starts: Sequence[Start], limit: int = 0) -> list[Document]:
    """Return the outputs of the blocks in their order, running at most ``limit`` at once (0: all).

    Raises what the first block that fails raises, after the others have been cancelled and have cleaned up.
    """
    gate = asyncio.Semaphore(limit or max(1, len(starts)))
    tasks = [asyncio.ensure_future(_gated(gate, start)) for start in starts]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _gated(gate: asyncio.Semaphore, start: Start) -> Document:
    async with gate:
        return await start()
