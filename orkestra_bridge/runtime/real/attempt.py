"""One try of a task that Airflow runs: what came of it, and what goes on in the container that Airflow does elsewhere."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from orkestra_bridge.runtime.prepare import Instance

log = logging.getLogger("airflow.task")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a try ended.

    Attributes:
        state: ``success`` or ``skipped``; of no meaning if there is an error.
        error: What failed the task.
        final: True if the state machine must not try again.
        retried: True if Airflow would try again.
        outlet_events: What the task said about its outlets.
    """

    instance: Instance
    state: str = "failed"
    error: BaseException | None = None
    final: bool = False
    retried: bool = False
    outlet_events: Any = field(default_factory=dict)


def wait_until(moment: datetime) -> None:
    """Sleep until a sensor in reschedule mode wants to look again."""
    seconds = (moment - datetime.now(timezone.utc)).total_seconds()
    log.info("The task looks again in %.0f s", max(seconds, 0))
    time.sleep(max(seconds, 0))


def event_of(trigger: Any, timeout: float | None) -> tuple[str | None, Any]:
    """Run a trigger here, in place of Airflow's triggerer.

    Returns the payload of its first event with None, or what Airflow says of a trigger that gave none.
    """
    try:
        return None, asyncio.run(_first(trigger, timeout))
    except (TimeoutError, asyncio.TimeoutError):
        return "Trigger timeout", None
    except Exception:
        log.exception("The trigger failed")
        return "Trigger failure", None


async def _first(trigger: Any, timeout: float | None) -> Any:
    async def wait() -> Any:
        async for event in trigger.run():
            return event.payload
        raise RuntimeError("the trigger ended without an event")

    try:
        return await asyncio.wait_for(wait(), timeout)
    finally:
        await trigger.cleanup()
