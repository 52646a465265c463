"""A DynamoDB table for joins and for what launchers remember: items with a string key, updated one at a time.

Why not moto's: importing it takes more than a second, many times what a run takes otherwise, and a run has to wait for
it. So this is a small table that understands exactly the expressions that `convert` emits and refuses all others; the
tests run the same machines and the same calls on moto's table.

Sources: DynamoDB developer guide, "Update expressions", "Condition expressions"; API reference of UpdateItem, GetItem and
DeleteItem.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.local.interpreter import StatesError
from orkestra_bridge.local.services.conditions import NAME, VALUE, Item, UnknownConditionError, holds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.local.interpreter import Json

Items = dict[tuple[str, str], Item]
"""By table and key. Attributes as DynamoDB writes them: ``{"S": text}``, ``{"N": text}`` or ``{"SS": [text, ...]}``."""

ITEM_LIMIT = 409_600
"""Bytes of names and values that an item may have (AWS: "Quotas in Amazon DynamoDB")."""

_SET = re.compile(rf"{NAME} = {VALUE}")
_ADD = re.compile(rf"{NAME} {VALUE}")
_UPDATE = re.compile(r"(?:SET (?P<set>.+?))?(?:(?:^| )ADD (?P<add>.+))?")
_FIELDS = {
    "updateItem": frozenset(
        {
            "TableName",
            "Key",
            "UpdateExpression",
            "ConditionExpression",
            "ExpressionAttributeValues",
            "ReturnValues",
        }
    ),
    "getItem": frozenset({"TableName", "Key", "ConsistentRead"}),
    "deleteItem": frozenset(
        {"TableName", "Key", "ConditionExpression", "ExpressionAttributeValues", "ReturnValues"}
    ),
}


@final
class Table:
    """All items of all tables; an execution is alone here. ``items`` are those that there are already."""

    def __init__(self, items: Items | None = None) -> None:
        self._items: Items = {} if items is None else items

    def call(self, action: str, arguments: Mapping[str, Json], service: str) -> Json:
        """Return the result of ``updateItem``, ``getItem`` or ``deleteItem``.

        ``service`` is how the integration names the service in errors: ``DynamoDB`` for Step Functions' own,
        ``DynamoDb`` for the generic one.

        Raises:
            StatesError: The condition does not hold, or the item would be too large.
            LocalRunError: The call has something in it that this table does not understand.
        """
        unknown = sorted(set(arguments) - _FIELDS.get(action, frozenset()))
        if action not in _FIELDS or unknown:
            raise _refused(f"{action} with {', '.join(unknown) or 'anything'}")
        place = _place(arguments)
        if action == "getItem":
            found = self._items.get(place)
            return {} if found is None else {"Item": _copy(found)}
        if action == "deleteItem":
            _check(self._items.get(place, {}), arguments, service)
            old = self._items.pop(place, None)
            return {"Attributes": old} if old and arguments.get("ReturnValues") == "ALL_OLD" else {}
        item = _updated(self._items.get(place, {"id": {"S": place[1]}}), arguments, service)
        self._items[place] = item
        return {"Attributes": _copy(item)} if arguments.get("ReturnValues") == "ALL_NEW" else {}


def _place(arguments: Mapping[str, Json]) -> tuple[str, str]:
    match arguments["Key"]:
        case {"id": {"S": str(key)}} if len(arguments["Key"]) == 1:
            return str(arguments["TableName"]), key
    raise _refused(f"the key {arguments['Key']}")


def _check(item: Item, arguments: Mapping[str, Json], service: str) -> _Values:
    """Return the values of a call whose condition holds; raises StatesError if it does not."""
    values = _Values(arguments.get("ExpressionAttributeValues", {}), service)
    if not _holds(arguments.get("ConditionExpression"), item, values):
        raise StatesError(f"{service}.ConditionalCheckFailedException", "The conditional request failed")
    return values


def _updated(item: Item, arguments: Mapping[str, Json], service: str) -> Item:
    values = _check(item, arguments, service)
    after = _applied(arguments["UpdateExpression"], item, values)
    values.all_used()
    size = sum(len(name.encode()) + _size(value) for name, value in after.items())
    if size > ITEM_LIMIT:
        message = "Item size to update has exceeded the maximum allowed size"
        raise StatesError(f"{service}.DynamoDbException", message)
    return after


def _applied(expression: str, item: Item, values: _Values) -> Item:
    clauses = _UPDATE.fullmatch(expression)
    if clauses is None:
        raise _refused(f"the update {expression!r}")
    after = dict(item)
    for name, value in _pairs(_SET, clauses["set"]):
        after[name] = values[value]
    for name, value in _pairs(_ADD, clauses["add"]):
        known = set(after.get(name, {}).get("SS", ()))
        after[name] = {"SS": sorted(known | set(values[value]["SS"]))}
    return after


def _pairs(pattern: re.Pattern[str], clause: str | None) -> list[tuple[str, str]]:
    found = []
    for part in clause.split(", ") if clause else []:
        match = pattern.fullmatch(part)
        if match is None:
            raise _refused(f"the update {part!r}")
        found.append((match[1], match[2]))
    return found


def _holds(expression: str | None, item: Item, values: _Values) -> bool:
    try:
        return expression is None or holds(expression, item, values)
    except UnknownConditionError as unknown:
        raise _refused(f"the condition {expression!r}") from unknown


@final
class _Values:
    """ExpressionAttributeValues, each of which has to be used, as in DynamoDB."""

    def __init__(self, values: Mapping[str, Json], service: str) -> None:
        self._values = values
        self._service = service
        self._used: set[str] = set()
        # the generic integration has other names for sets than DynamoDB
        known = {"S", "N", "SS"} if service == "DynamoDB" else {"S", "N"}
        for name, value in values.items():
            if len(value) != 1 or not set(value) <= known:
                raise _refused(f"the value {name} of type {', '.join(value)}")

    def __getitem__(self, name: str) -> Json:
        self._used.add(name)
        if name not in self._values:
            raise self._invalid(f"An expression attribute value used in expression is not defined: {name}")
        return self._values[name]

    def all_used(self) -> None:
        unused = sorted(set(self._values) - self._used)
        if unused:
            raise self._invalid(f"Value provided in ExpressionAttributeValues unused: {', '.join(unused)}")

    def _invalid(self, message: str) -> StatesError:
        return StatesError(f"{self._service}.DynamoDbException", message)


def _size(value: Mapping[str, Json]) -> int:
    [content] = value.values()
    return sum(len(text.encode()) for text in ([content] if isinstance(content, str) else content))


def _copy(item: Item) -> Item:
    return {
        name: {
            kind: list(content) if isinstance(content, list) else content for kind, content in value.items()
        }
        for name, value in item.items()
    }


def _refused(what: str) -> LocalRunError:
    return LocalRunError(
        f"DynamoDB: {what} is not understood on this machine", remedy="run it on AWS, or mock the state"
    )
