"""What the handler writes behind the message of an error for the state machine, and how it is taken away again.

A failed invocation has no result but its error: whatever the machine has to know stands in the message.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.large import with_execution

if TYPE_CHECKING:
    from collections.abc import Mapping

# Nothing of the user's own follows this in the message of an error.
NOTE_BEGINS = "\n[orkestra-bridge "

# Stands between the message of an error and the XComs that the task had pushed before it: JSON in base64, which can be
# found in a cause without parsing it, for a cause is cut off where it is too long; a bracket ends it.
PUSHED_BEFORE_FAILURE = "\n[orkestra-bridge xcom "

# Says that on_failure_callback has been called: a function that was killed cannot say so.
CALLED = "\n[orkestra-bridge callback called]"

_PUSHED = re.compile(r"\[orkestra-bridge xcom ([A-Za-z0-9+/=]+)\]")
_NOTE = re.compile(r"\n\[orkestra-bridge [^\]\n]*\]?|\n\[o[a-z-]*\Z")
_MESSAGE = re.compile(r'"errorMessage":\s*("(?:[^"\\]|\\.)*")')
_CUT_MESSAGE = re.compile(r'"errorMessage":\s*"((?:[^"\\]|\\.)*)')


def message_of(cause: str) -> str:
    """Return the message of an error from the cause of a failed invocation, without what the handler added.

    The cause is Lambda's error document, whole or cut off; any other text is a message by itself.
    """
    text = cause
    if cause.startswith("{"):
        whole = _MESSAGE.search(cause)
        cut = None if whole else _CUT_MESSAGE.search(cause)
        if whole:
            text = json.loads(whole[1])
        elif cut:
            text = cut[1].replace("\\n", "\n").replace('\\"', '"')
    return _NOTE.sub("", text)


def completed(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a ledger entry, as the state machine has it, with what a failed task said in its error.

    That is its ``xcom``, and ``called`` if its on_failure_callback has been called. Of a mapped task all instances are
    completed, those of a distributed Map with what it leaves out: the map index, and a single try.
    """
    if "error" not in entry and "instances" not in entry:
        return dict(entry)
    if "instances" in entry:
        execution = entry.get("execution", "")
        found_all = [_of_instance(index, one, execution) for index, one in enumerate(entry["instances"])]
        return {**entry, "instances": found_all}
    cause = str((entry.get("error") or {}).get("message") or "")
    pushed = _PUSHED.search(cause)
    found: dict[str, Any] = {"xcom": json.loads(base64.b64decode(pushed[1]))} if pushed else {}
    if CALLED.strip() in cause:
        found["called"] = True
    return {**entry, **found}


def _of_instance(index: int, entry: Mapping[str, Any], execution: str) -> dict[str, Any]:
    found = completed({"tries": 1, "map_index": index, **entry})
    if execution and "xcom" in found:
        found["xcom"] = with_execution(found["xcom"], execution)
    return found
