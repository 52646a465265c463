"""Answers Task states that invoke the function.

Source: AWS Step Functions developer guide, "Invoke an AWS Lambda function with Step Functions" and "Handling
errors".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.local.interpreter import Clock, Json, RealClock, StatesError, TaskCall, millis

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from orkestra_bridge.local.functions.pool import FunctionPool

INVOKE = "arn:aws:states:::lambda:invoke"
UNNAMED = "Lambda.Unknown"
"""The error of a function that failed without saying how."""

LogOf = Callable[[TaskCall], "Path | None"]


class LambdaTasks:
    """A `TaskRunner` with functions, by their ARNs; ``log_of`` names the file that a call's output is added to."""

    def __init__(self, pools: Mapping[str, FunctionPool], clock: Clock, log_of: LogOf) -> None:
        self._pools = pools
        self._clock = clock
        self._log_of = log_of

    async def __call__(self, call: TaskCall) -> Json:
        """Return the result of the invocation as ``lambda:invoke`` gives it.

        Raises StatesError: the function failed; the error is its ``errorType`` and the cause the whole error
        document. Raises LocalRunError: the state wants something else than a function.
        """
        if call.resource != INVOKE:
            message = f"state '{call.state}' calls {call.resource}, which is not there on this machine"
            raise LocalRunError(message, remedy="run it on AWS, or mock the state")
        name = call.arguments.get("FunctionName")
        pool = self._pools.get(name) if isinstance(name, str) else None
        if pool is None:
            raise StatesError("Lambda.ResourceNotFoundException", f"Function not found: {name}")
        with self._clock.working():
            answer = await pool.invoke(
                self._timed(call.arguments.get("Payload", {})), log=self._log_of(call), waiting=call.waiting
            )
        if not answer.failed:
            return {"ExecutedVersion": "$LATEST", "Payload": answer.payload, "StatusCode": 200}
        document = answer.payload if isinstance(answer.payload, dict) else {}
        raise StatesError(
            document.get("errorType") or UNNAMED, json.dumps(answer.payload, separators=(",", ":"))
        )

    def _timed(self, payload: Json) -> Json:
        """Return the payload with the time, where the worker's clock has another one (`runtime/clock.py`)."""
        if isinstance(self._clock, RealClock) or not isinstance(payload, dict):
            return payload
        return {**payload, "now": millis(self._clock.now())}
