"""Where small values are kept under a scope and a key: a table of DynamoDB, or a folder on this machine.

Variables of the environment name the tables, one for each purpose (`context_keys.py`): ``dynamodb:NAME`` on AWS, the path
of a folder in a local run. An item may say when it expires; from then on it is not there, whether it has been deleted
already or not.

Why not objects of a bucket, as for large XComs: whoever may not list a bucket cannot tell an object that is missing from
one that is forbidden, a bucket deletes by days and not when an item expires, and it has no order to look for the last
ones in.

Source: Amazon DynamoDB developer guide, "Working with items", "Query" and "Using time to live".
"""

from __future__ import annotations

import json
import os
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from orkestra_bridge.runtime.errors import StateStorageError
from orkestra_bridge.runtime.storage import part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LIMIT = 400_000
"""Bytes that a value may have: an item of DynamoDB has 400 KB with its names (AWS: "Quotas in Amazon DynamoDB")."""
HASH, RANGE, CONTENT, EXPIRES = "scope", "key", "content", "expires"
"""The attributes of an item."""
_DYNAMODB = "dynamodb:"


class Table(Protocol):
    """Keeps texts under scopes and keys of up to 1,024 bytes."""

    def read(self, scope: str, key: str) -> str | None:
        """Return what was kept and has not expired, or None; raises StateStorageError if that cannot be found out."""
        ...

    def write(self, scope: str, key: str, text: str, expires: float | None = None) -> None:
        """Keep a text, instead of what was there, until a time (Unix) or for ever; raises StateStorageError."""
        ...

    def delete(self, scope: str, key: str) -> None:
        """Forget what was kept, if anything was; raises StateStorageError if that cannot be done."""
        ...

    def entries(
        self, scope: str, low: str = "", high: str = "", *, newest_first: bool = False
    ) -> Iterator[tuple[str, str]]:
        """Yield keys and texts of a scope by key, from ``low`` to ``high``, both included, as far as they are given."""
        ...


def table_of(variable: str, environment: Mapping[str, str] = os.environ) -> Table | None:
    """Return the table that an environment variable names, None if it names none."""
    place = environment.get(variable)
    return _table(place) if place else None


@lru_cache(maxsize=8)
def _table(place: str) -> Table:
    """Return one table for one place, so that a warm function keeps its connections."""
    if place.startswith(_DYNAMODB):
        return DynamoTable(place[len(_DYNAMODB) :])
    from pathlib import Path

    return FolderTable(Path(place))


def scope_of(ti: Any) -> str:
    """Return where a task instance keeps what it stores, whichever try it is (`airflow.models.task_state_store`)."""
    return f"{part(ti.run_id)}/{part(ti.task_id)}/{ti.map_index}"


def asset_scope(name: str) -> str:
    """Return where the values of an asset are kept: its name is its own as long as it is active in Airflow."""
    return f"name {name}"


def clear(table: Table, scope: str) -> None:
    """Forget all that was kept in a scope."""
    for key in [key for key, _ in table.entries(scope)]:
        table.delete(scope, key)


def _checked(text: str, key: str) -> str:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > LIMIT:
        raise StateStorageError(
            f"the value of {key!r} has {size:,} bytes, DynamoDB keeps {LIMIT:,}: put it into S3, and store its place here"
        )
    return text


class DynamoTable:
    """Items of a table; ``client`` is boto3's, made when it is first needed."""

    def __init__(self, name: str, client: Any = None) -> None:
        self._name = name
        self._made = client

    def read(self, scope: str, key: str) -> str | None:
        """Return what the last write left (a consistent read)."""
        answer = self._call("get_item", Key=_item(scope, key), ConsistentRead=True)
        item = answer.get("Item")
        return item[CONTENT]["S"] if item and not _is_over(item) else None

    def write(self, scope: str, key: str, text: str, expires: float | None = None) -> None:
        """Put an item."""
        item = {**_item(scope, key), CONTENT: {"S": _checked(text, key)}}
        if expires is not None:
            item[EXPIRES] = {"N": str(int(expires))}
        self._call("put_item", Item=item)

    def delete(self, scope: str, key: str) -> None:
        """Delete an item."""
        self._call("delete_item", Key=_item(scope, key))

    def entries(
        self, scope: str, low: str = "", high: str = "", *, newest_first: bool = False
    ) -> Iterator[tuple[str, str]]:
        """Yield what a query finds, page by page."""
        values = {
            ":s": {"S": scope},
            **({":low": {"S": low}} if low else {}),
            **({":high": {"S": high}} if high else {}),
        }
        bounds = {(True, True): " AND #k BETWEEN :low AND :high", (True, False): " AND #k >= :low"}
        bound = bounds.get((bool(low), bool(high)), " AND #k <= :high" if high else "")
        query = {
            "KeyConditionExpression": f"#s = :s{bound}",
            "ExpressionAttributeNames": {"#s": HASH, **({"#k": RANGE} if bound else {})},
            "ExpressionAttributeValues": values,
            "ScanIndexForward": not newest_first,
            "ConsistentRead": True,
        }
        following: dict[str, Any] = {}
        while True:
            answer = self._call("query", **query, **following)
            for item in answer["Items"]:
                if not _is_over(item):
                    yield item[RANGE]["S"], item[CONTENT]["S"]
            if "LastEvaluatedKey" not in answer:
                return
            following = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _call(self, action: str, **arguments: Any) -> Any:
        try:
            if self._made is None:
                from importlib import import_module

                boto3: Any = import_module("boto3")
                config: Any = import_module("botocore.config")
                retries = {"mode": "standard", "total_max_attempts": 5}
                self._made = boto3.client("dynamodb", config=config.Config(retries=retries))
            return getattr(self._made, action)(TableName=self._name, **arguments)
        except Exception as problem:
            raise StateStorageError(
                f"the table {self._name} of DynamoDB cannot be used; is it deployed? {problem}"
            ) from problem


def _item(scope: str, key: str) -> dict[str, Any]:
    return {HASH: {"S": scope}, RANGE: {"S": key}}


def _is_over(item: Mapping[str, Any]) -> bool:
    return EXPIRES in item and float(item[EXPIRES]["N"]) <= time.time()


class FolderTable:
    """A file for each item, in a folder for each scope."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, scope: str, key: str) -> str | None:
        """Return what a file holds."""
        found = self._read(self._path(scope, key))
        return found[CONTENT] if found else None

    def write(self, scope: str, key: str, text: str, expires: float | None = None) -> None:
        """Write a file, whole or not at all."""
        path = self._path(scope, key)
        item = {RANGE: key, CONTENT: _checked(text, key), EXPIRES: expires}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            scratch = path.with_name(f"{path.name[:100]}.{os.getpid()}~")
            scratch.write_text(json.dumps(item), encoding="utf-8")
            scratch.replace(path)
        except OSError as problem:
            raise StateStorageError(f"{path} cannot be written: {problem.strerror or problem}") from problem

    def delete(self, scope: str, key: str) -> None:
        """Delete a file."""
        self._path(scope, key).unlink(missing_ok=True)

    def entries(
        self, scope: str, low: str = "", high: str = "", *, newest_first: bool = False
    ) -> Iterator[tuple[str, str]]:
        """Yield what the files of a folder hold."""
        items = (self._read(path) for path in (self._folder / part(scope)).glob("*.json"))
        found = {item[RANGE]: item[CONTENT] for item in items if item}
        for key in sorted(found, reverse=newest_first):
            if key >= low and (not high or key <= high):
                yield key, found[key]

    def _path(self, scope: str, key: str) -> Path:
        return self._folder / part(scope) / f"{part(key)}.json"

    def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            item: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as problem:
            raise StateStorageError(f"{path} cannot be read: {problem}") from problem
        expires = item[EXPIRES]
        return item if expires is None or int(expires) > time.time() else None
