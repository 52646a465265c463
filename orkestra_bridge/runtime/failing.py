"""The error that leaves the handler when a task has failed: named so that the state machine knows whether to retry."""

from __future__ import annotations

import base64
import json
import logging
from typing import TYPE_CHECKING

from orkestra_bridge.runtime.errors import XComStorageError, XComTooLargeError
from orkestra_bridge.runtime.failure import CALLED, PUSHED_BEFORE_FAILURE
from orkestra_bridge.runtime.large import KEPT_IN_ERROR

if TYPE_CHECKING:
    from orkestra_bridge.runtime.instances import TaskInstance
    from orkestra_bridge.runtime.prepare import Instance

log = logging.getLogger("airflow.task")

# A state machine keeps 32,768 characters of a cause, and a traceback follows.
MAX_PUSHED = 8_000
MAX_MESSAGE = 4_000

# Never retried by the state machine, whatever the task's retries are.
NO_RETRY = "AirflowFailException"


def failure_of(
    error: BaseException, instance: Instance, *, final: bool, called: bool, told: str = ""
) -> BaseException:
    """Return the error that leaves the handler: the user's own wherever nothing has to be added to it.

    Args:
        error: What failed the task.
        instance: The task instance, with what it has pushed.
        final: True if there must be no other try.
        called: True if on_failure_callback has been called.
        told: What to say instead of the error, for one that says nothing to its reader.
    """
    kind = type(error)
    message, longest = str(error), min(MAX_MESSAGE, instance.error_limit // 2)
    if len(message) > longest:
        message = f"{message[:longest]}... ({len(message)} characters; all of it is in the log)"
    notes = f"{CALLED if called else ''}{_pushed_before(instance.ti, instance.error_limit - len(message))}"
    if told:
        return _named(NO_RETRY, f"{told}{notes}")
    if final:
        prefix = "" if kind.__name__ == NO_RETRY else f"{kind.__name__}: "
        return _named(NO_RETRY, f"{prefix}{message}{notes}")
    if isinstance(error, SystemExit):
        name = "AirflowException" if instance.major == 2 else "SystemExit"
        return _named(name, f"Task failed due to SystemExit({error.code}){notes}")
    if notes or message != str(error) or not isinstance(error, Exception):
        return _named(kind.__name__, f"{message}{notes}")
    return error


def _pushed_before(ti: TaskInstance, room: int) -> str:
    if not ti.pushed:
        return ""
    try:
        ti.put_away(KEPT_IN_ERROR)
    except (XComStorageError, XComTooLargeError):
        log.exception("The XComs pushed before the failure cannot be kept")
        return ""
    text = json.dumps(ti.pushed, separators=(",", ":"), sort_keys=True)
    if len(text) > min(MAX_PUSHED, room * 3 // 4):
        log.warning("The XComs pushed before the failure are too large to be kept: %s characters", len(text))
        return ""
    return f"{PUSHED_BEFORE_FAILURE}{base64.b64encode(text.encode()).decode()}]"


def _named(name: str, message: str) -> Exception:
    """Return an Exception of this class name: Lambda reports an error by its class, and only an Exception at that."""
    return type(name, (Exception,), {"__module__": __name__})(message)  # type: ignore[no-any-return]
