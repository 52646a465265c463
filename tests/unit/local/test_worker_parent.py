from __future__ import annotations

import asyncio
from pathlib import Path

from orkestra_bridge.local.functions.model import FunctionSpec
from orkestra_bridge.local.functions.parent import WorkerParent


def test_a_worker_that_starts_when_nobody_waits_any_more_is_no_error() -> None:
    async def start_late() -> None:
        spec = FunctionSpec(task_root=Path(), python=Path("python"), site_packages=(), modules=())
        parent = WorkerParent(spec, lambda _pid, _code: None)
        waiting: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        waiting.cancel()
        parent._starts[1] = waiting
        parent._heard({"started": 1, "pid": 4_000_000})
        assert parent._starts == {}

    asyncio.run(start_late())
