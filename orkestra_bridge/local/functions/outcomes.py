"""Errors that Lambda itself reports when a function does not answer.

Source: AWS Lambda developer guide, "Understanding retry behavior" and "Using the Lambda runtime API"; the
texts are those that Lambda writes into the payload of a failed invocation.
"""

from __future__ import annotations

import signal

from orkestra_bridge.local.functions.model import Answer

RESPONSE_LIMIT = 6 * 1024 * 1024
"""Bytes of a synchronous answer (AWS: "Lambda quotas")."""


def timed_out(request_id: str, seconds: float) -> Answer:
    """Return the answer of a function that ran past its timeout."""
    return _failure(
        "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
    )


def exited(request_id: str, status: int) -> Answer:
    """Return the answer of a function whose process ended: an exit code, or minus the number of a signal."""
    if status == 0:
        return _failure(
            "Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited without providing a reason"
        )
    how = f"exit status {status}" if status > 0 else f"signal: {_signal_words(-status)}"
    return _failure("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {how}")


def out_of_memory(request_id: str) -> Answer:
    """Return the answer of a function that used more than its memory."""
    message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
    return _failure("Runtime.OutOfMemory", message)


def response_too_large(size: int) -> Answer:
    """Return the answer of a function whose answer has more bytes than Lambda passes on."""
    message = f"Response payload size ({size} bytes) exceeded maximum allowed payload size (6291556 bytes)."
    return _failure("Function.ResponseSizeTooLarge", message)


def not_json(detail: str) -> Answer:
    """Return the answer of a function that answered something other than JSON."""
    return _failure("Runtime.MarshalError", f"Unable to marshal response: {detail}")


def _signal_words(number: int) -> str:
    words = {signal.SIGKILL: "killed", signal.SIGSEGV: "segmentation fault", signal.SIGABRT: "aborted"}
    try:
        known = signal.Signals(number)
    except ValueError:
        return str(number)
    return words.get(known, known.name[3:].lower())


def _failure(kind: str, message: str) -> Answer:
    return Answer(payload={"errorType": kind, "errorMessage": message}, failed=True)
