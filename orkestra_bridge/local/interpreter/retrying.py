"""Retry and Catch, for the three state types that have them.

Source: ASL specification, "Errors"; AWS Step Functions developer guide, "Handling errors in Step Functions
workflows".
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from orkestra_bridge.local.interpreter.document import Document, settle
from orkestra_bridge.local.interpreter.failures import StatesError, matches
from orkestra_bridge.local.interpreter.finishing import assigned, finish, output
from orkestra_bridge.local.interpreter.scope import Outcome, Visit

if TYPE_CHECKING:
    from orkestra_bridge.local.interpreter.model import Json

Work = Callable[[Visit], Awaitable[Document]]


async def with_retries(visit: Visit, work: Work) -> Outcome:
    """Return the outcome of the work, tried again as ``Retry`` says and then caught as ``Catch`` says.

    ``Assign`` belongs to the attempt and ``Output`` does not: its failure is neither retried nor caught.

    Raises StatesError: the last one, if no catcher takes it.
    """
    used: Counter[int] = Counter()
    while True:
        try:
            result = await work(visit)
            values = assigned(visit, visit.state, result=result)
        except StatesError as failure:  # noqa: PERF203 - one round is one attempt
            delay = next_delay(visit, failure, used)
            if delay is None:
                return caught(visit, failure)
            visit.retries += 1
            visit.emit("TaskRetried", attempt=visit.retries, seconds=delay, error=failure.error)
            await asyncio.sleep(delay)
        else:
            given = output(visit, visit.state, result, result=result)
            visit.scope.assign(values)
            return Outcome(given, visit.state.get("Next"))


def next_delay(visit: Visit, failure: StatesError, used: Counter[int]) -> float | None:
    """Return the seconds until the next attempt, or None if there is none; counts the attempt.

    The first retrier that matches decides, even if its attempts are used up.
    """
    for index, retrier in enumerate(visit.state.get("Retry", ())):
        if matches(failure.error, retrier["ErrorEquals"]):
            if used[index] >= retrier.get("MaxAttempts", 3):
                return None
            used[index] += 1
            seconds = delay_of(retrier, used[index])
            return (
                visit.run.jitter.uniform(0, seconds) if retrier.get("JitterStrategy") == "FULL" else seconds
            )
    return None


def delay_of(retrier: Mapping[str, Json], attempt: int) -> float:
    """Return the seconds before this attempt, counted from 1, without jitter."""
    try:
        seconds = retrier.get("IntervalSeconds", 1) * float(retrier.get("BackoffRate", 2.0)) ** (attempt - 1)
    except OverflowError:
        seconds = float("inf")
    # AWS takes at most 99999999 s, about three years, for any time in a definition.
    return float(min(seconds, retrier.get("MaxDelaySeconds", 99_999_999)))


def caught(visit: Visit, failure: StatesError) -> Outcome:
    """Return the outcome that the first matching catcher gives; raises the failure if none matches."""
    for catcher in visit.state.get("Catch", ()):
        if matches(failure.error, catcher["ErrorEquals"]):
            problem = settle(failure.output(), "error output")
            return finish(visit, catcher, problem, catcher["Next"], errorOutput=problem)
    raise failure
