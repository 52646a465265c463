"""What the function hands over to a container: the event that it would have run itself, as the text of a variable.

An ECS task takes no input but its environment, and all overrides of a task may have 8,192 characters (API reference of
RunTask); so the event is packed: the ledger of two hundred tasks without large XComs has some hundred characters then.
One that is still too long goes where large XComs go, and its key travels instead.
"""

from __future__ import annotations

import base64
import json
import os
import zlib
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.storage import VARIABLE, part, store_of

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN, EVENT, ATTEMPT = "ORKESTRA_TASK_TOKEN", "ORKESTRA_EVENT", "ORKESTRA_ATTEMPT"
"""What the state machine puts into a container's environment."""

OVERRIDES_LIMIT = 8192
"""Characters of all overrides of a task, written as JSON."""
TOKEN_LENGTH = 2048
"""Characters that a task token may have (API reference of SendTaskSuccess)."""
_AROUND = 512
"""Characters of names, sizes and brackets around the values."""
LONGEST_EVENT = OVERRIDES_LIMIT - TOKEN_LENGTH - _AROUND
CAUSE_LIMIT = 32_768
"""Characters of a cause (API reference of SendTaskFailure)."""
_STORED = "stored:"
_ONLY_HERE = frozenset({"container", "attempt", "now"})


def pack(event: Mapping[str, Any]) -> str:
    """Return the event as short text; `unpack` gives it back, but for what is about this invocation alone.

    Raises:
        RuntimeSetupError: If there is too much of it for a container's environment, and no store.
        XComStorageError: If it cannot be stored.
    """
    kept = {name: value for name, value in event.items() if name not in _ONLY_HERE}
    text = json.dumps(kept, separators=(",", ":"), ensure_ascii=False)
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    if len(packed) <= LONGEST_EVENT:
        return packed
    store = store_of(os.environ)
    if store is None:
        raise RuntimeSetupError(
            f"the ledger has {len(text)} characters, {len(packed)} when packed; a container's environment takes "
            f"{LONGEST_EVENT}, and there is no store for more ({VARIABLE} is not set)"
        )
    key = _key(event)
    store.write(key, text.encode())
    return f"{_STORED}{key}"


def _key(event: Mapping[str, Any]) -> str:
    execution = (event.get("execution") or {}).get("name") or (event.get("run") or {}).get("run_id") or "run"
    return f"{part(execution)}/{part(event['task_id'])}/{int(event.get('map_index', -1))}/event"


def unpack(packed: str, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return what was packed; ``environment`` says where the store is.

    Raises:
        RuntimeSetupError: If it is no such text, or the store is not there.
        XComStorageError: If it was stored and cannot be read.
    """
    if packed.startswith(_STORED):
        store = store_of(environment)
        if store is None:
            raise RuntimeSetupError(f"the container's event is stored, and {VARIABLE} is not set")
        stored: dict[str, Any] = json.loads(store.read(packed.removeprefix(_STORED)))
        return stored
    try:
        event: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(packed, validate=True)))
    except (ValueError, zlib.error) as error:
        raise RuntimeSetupError(f"the container got no readable event: {error}") from error
    return event
