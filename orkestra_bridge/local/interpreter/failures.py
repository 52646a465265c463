"""Errors that a state can end with, and which of them a Retry or Catch matches.

Source: AWS Step Functions developer guide, "Handling errors in Step Functions workflows".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orkestra_bridge.local.interpreter.model import Json

ALL = "States.ALL"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
RUNTIME = "States.Runtime"
DATA_LIMIT = "States.DataLimitExceeded"
QUERY = "States.QueryEvaluationError"
NO_CHOICE = "States.NoChoiceMatched"

NEVER_BY_ALL = frozenset({RUNTIME, DATA_LIMIT})
"""Terminal errors that States.ALL leaves alone."""


class StatesError(Exception):
    """A state failed: an error name and, if known, a cause."""

    def __init__(self, error: str, cause: str | None = None) -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause

    def __str__(self) -> str:
        return f"{self.error}: {self.cause}" if self.cause else self.error

    def output(self) -> dict[str, Json]:
        """Return ``$states.errorOutput``."""
        return {"Error": self.error, "Cause": self.cause or ""}


def matches(error: str, equals: Sequence[str]) -> bool:
    """Return True if an ``ErrorEquals`` list names this error.

    ``States.TaskFailed`` stands for every error except ``States.Timeout``; neither it nor ``States.ALL``
    takes the terminal errors, which have to be named.
    """
    if error in equals:
        return True
    if error in NEVER_BY_ALL:
        return False
    return ALL in equals or (TASK_FAILED in equals and error != TIMEOUT)
