"""How a task waits without a running function: what it is told about its earlier invocations, and how it answers.

A sensor's state invokes the function once per poke. Where the sensor is not ready, the handler raises one of two errors:

``SensorNotReady``
    Look again after the poke interval. The state's retrier does that, and nothing is remembered.
``TaskWaits``
    Look again after the seconds that stand in a note behind the message. The state keeps the note, waits, and shows it
    to the next invocation as ``before``. For intervals that grow, for the delay before another try, and for what a poke
    left behind: attributes of the sensor, XComs, the trigger of a deferred task.

Times are read from the state machine (``entered`` and ``now``): the function's own clock only counts the seconds since
it was invoked. Only the standard library, and the converter reads the names of the errors from here.
"""

from __future__ import annotations

import base64
import json
import math
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.rundates import parse_moment

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_READY = "SensorNotReady"
WAITS = "TaskWaits"

# Stands before what the state machine has to remember: JSON in base64, and a bracket ends it.
NOTE = "\n[orkestra-bridge wait "

# A state machine keeps 32,768 characters of a cause, which is JSON with a traceback behind the message.
MAX_NOTE = 16_000

# Below this interval the first pokes are made in one invocation: starting another one would take as long.
SHORT_INTERVAL = 10.0
IN_ONE_INVOCATION = 60.0


class SensorNotReady(Exception):  # noqa: N818 - the state machine knows it by this name
    """Not yet: the retrier of the state looks again."""


class TaskWaits(Exception):  # noqa: N818 - the state machine knows it by this name
    """Not yet: the state waits as long as the note says."""


class Poking:
    """The time that a task instance has waited, and what it remembers.

    Args:
        told: ``waiting`` of the event; empty where the state machine cannot let the task wait.
    """

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._began = time.monotonic()
        self._invoked = parse_moment(told["now"]) if told else datetime.now(timezone.utc)
        entered = parse_moment(told["entered"]) if told else self._invoked
        before: Mapping[str, Any] = told.get("before") or {}
        self.possible = bool(told)
        self.tries = int(before.get("tries", 1))
        self.since = parse_moment(before["since"]) if "since" in before else entered
        self.try_since = parse_moment(before["try_since"]) if "try_since" in before else entered
        self.pokes = int(before.get("pokes", 0))
        self.kept: Mapping[str, Any] = before.get("kept") or {}
        self.pushed: Mapping[str, Any] = before.get("xcom") or {}
        self.deferred: Mapping[str, Any] | None = before.get("deferred")
        self.interval = float(told.get("interval", 0))
        self.steady = int(told.get("steady", 0))
        self.share = float(told.get("share", 0))

    def now(self) -> datetime:
        """Return the time, UTC."""
        return self._invoked + timedelta(seconds=time.monotonic() - self._began)

    def waited(self, *, all_tries: bool = False) -> float:
        """Return the seconds since the first poke of this try, or of the first try."""
        return max(0.0, (self.now() - (self.since if all_tries else self.try_since)).total_seconds())

    def first_of_try(self, attempt: int) -> bool:
        """Return True if no poke of this try was made in an earlier invocation; ``attempt`` is the state's count."""
        return attempt == 0 and self.pokes == 0 and self.deferred is None

    def sleeps(self, seconds: float) -> bool:
        """Sleep and return True, if that is better than another invocation."""
        if self.possible and (seconds >= SHORT_INTERVAL or self.waited() + seconds > IN_ONE_INVOCATION):
            return False
        time.sleep(seconds)
        return True

    def another_poke(
        self,
        seconds: float,
        *,
        attempt: int,
        remaining: float = math.inf,
        exact: bool = False,
        kept: Mapping[str, Any] | None = None,
        pushed: Mapping[str, Any] | None = None,
    ) -> Exception:
        """Return the error that makes the state machine look again.

        Args:
            seconds: Until the next poke.
            attempt: How often the state has been retried since it was entered.
            remaining: Seconds until the sensor gives up: it looks again then at the latest.
            exact: True if looking again later would be too late.
            kept: Attributes that the poke changed, encoded.
            pushed: XComs that it pushed, encoded.
        """
        steady = attempt < self.steady and self.waited() < self.steady * self.interval
        if steady and math.ceil(seconds) == self.interval and not kept and not pushed:
            return SensorNotReady(f"not ready, looks again in {self.interval:g} s")
        latest = max(remaining, 0.0) + 1.0
        pause = min(seconds, latest) if exact else max(seconds, min(self.share * self.waited(), latest))
        return self.waits(pause, kept=dict(kept or {}), xcom=dict(pushed or {}))

    def goes_on(
        self, seconds: float, left: Mapping[str, Any], pushed: Mapping[str, Any], *, exact: bool = False
    ) -> Exception:
        """Return the error that lets the task go on later from what it has left, however long it takes."""
        if not self.possible:
            return ValueError("the state machine of this task cannot let it wait; convert the DAG again")
        pause = seconds if exact else max(seconds, self.share * self.waited())
        return self.waits(pause, deferred=dict(left), xcom=dict(pushed))

    def another_try(self, seconds: float) -> Exception:
        """Return the error that makes the state machine try again after a failure."""
        return self._note(
            seconds, {"tries": self.tries + 1, "since": self.since.isoformat()}, restart=seconds
        )

    def waits(self, seconds: float, **left: Any) -> Exception:
        """Return the error that makes the state machine wait and remember; raises ValueError if it is too much."""
        note = {
            "tries": self.tries,
            "since": self.since.isoformat(),
            "try_since": self.try_since.isoformat(),
            "pokes": self.pokes,
        }
        return self._note(seconds, {**note, **{name: value for name, value in left.items() if value}})

    def _note(self, seconds: float, note: dict[str, Any], restart: float | None = None) -> Exception:
        pause = max(1, math.ceil(seconds))
        if restart is not None:
            note["try_since"] = (self.now() + timedelta(seconds=pause)).isoformat()
        text = json.dumps({**note, "seconds": pause}, separators=(",", ":"), sort_keys=True)
        if len(text) > MAX_NOTE:
            raise ValueError(
                f"the task leaves {len(text):,} characters behind to go on with, {MAX_NOTE:,} can be kept: "
                "store them in S3 and keep the key"
            )
        coded = base64.b64encode(text.encode()).decode()
        return TaskWaits(f"not ready, goes on in {pause} s{NOTE}{coded}]")
