"""The JSONata functions that Step Functions adds, the one it takes away, and one that the engine lacks a part of.

Source: AWS Step Functions developer guide, "Transforming data with JSONata in Step Functions".
"""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from orkestra_bridge.local.interpreter.model import Json

HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
RANGE_LIMIT = 1000
"""Items that $range may return."""


def partition(items: list[Json], size: float) -> list[list[Json]]:
    """Return the items in chunks; raises ValueError if the size is not positive."""
    width = int(size)
    if width < 1:
        raise ValueError("the chunk size of $partition must be a positive integer")
    return [items[start : start + width] for start in range(0, len(items), width)]


def range_of(first: float, last: float, step: float) -> list[float]:
    """Return the numbers from first to last, both included; raises ValueError for step 0 or over 1000."""
    if step == 0:
        raise ValueError("the step of $range may not be 0")
    count = max(0, int((last - first) // step) + 1)
    if count > RANGE_LIMIT:
        raise ValueError(f"$range would return {count} items, the limit is {RANGE_LIMIT}")
    return [first + index * step for index in range(count)]


def hash_of(value: Json, algorithm: str = "SHA-256") -> str:
    """Return the hex digest of the text; raises ValueError for an algorithm that AWS does not offer."""
    if algorithm not in HASHES:
        raise ValueError(f"$hash knows {', '.join(HASHES)}, not {algorithm}")
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return hashlib.new(HASHES[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def random_number(seed: float | None = None) -> float:
    """Return a number in [0, 1), the same for the same seed."""
    return random.Random(seed).random()  # noqa: S311 - AWS's $random is not for secrets either


def parse(text: str) -> Json:
    """Return the value that the JSON text holds; raises ValueError if it is not JSON."""
    return json.loads(text)


def to_millis(text: str, picture: str | None = None) -> Json:
    """Return the milliseconds since 1970 of a timestamp, also where Python's own parser does not know Z (3.10)."""
    from jsonata.functions import Functions

    return Functions.datetime_to_millis(text if picture else text.replace("Z", "+00:00"), picture)


def refuse_eval(*_: Any) -> Json:
    """Raise ValueError: Step Functions has no $eval."""
    raise ValueError("$eval is not available in Step Functions; use $parse for JSON text")


def clock_functions(now: datetime) -> dict[str, Any]:
    """Return $now and $millis as they are at a moment of the execution's own clock, to be bound like variables."""
    from jsonata import Jsonata
    from jsonata.functions import Functions

    millis = int(now.timestamp() * 1000)

    def text(picture: str | None = None, zone: str | None = None) -> Json:
        return Functions.datetime_from_millis(millis, picture, zone)

    return {"now": Jsonata.JLambda(text), "millis": Jsonata.JLambda(lambda: millis)}


ADDED: Mapping[str, Callable[..., Any]] = {
    "partition": partition,
    "range": range_of,
    "hash": hash_of,
    "random": random_number,
    "uuid": lambda: str(uuid.uuid4()),
    "parse": parse,
    "toMillis": to_millis,
    "eval": refuse_eval,
}
