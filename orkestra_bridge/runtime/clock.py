"""The time at which task instances end, in whole milliseconds since 1970, like ``$millis()`` in a state machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def clock_of(event: Mapping[str, Any]) -> Callable[[], int]:
    """Return a function that says what time it is for the execution that sent the event.

    ``now`` in the event is the time of an execution whose time is not the real one (`orkestra_bridge.local`).
    """
    if "now" not in event:
        return lambda: int(time.time() * 1000)
    began, now = time.monotonic(), event["now"]
    return lambda: int(now + (time.monotonic() - began) * 1000)
