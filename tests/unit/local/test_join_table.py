"""Our table of joins does what moto's DynamoDB does, and refuses what it does not know."""

from __future__ import annotations

import random
from typing import Any

import moto_engine
import pytest

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.local.interpreter import StatesError
from orkestra_bridge.local.services.dynamodb import ITEM_LIMIT, Table

KEY = {"TableName": "joins", "Key": {"id": {"S": "run#task"}}}
CONDITIONS = (
    None,
    "attribute_not_exists(waiting)",
    "attribute_not_exists(arrived) OR size(arrived) < :n",
    "attribute_not_exists(waiting) OR contains(arrived, :who)",
    "attribute_not_exists(waiting) OR contains(arrived, :who) OR attribute_not_exists(arrived) OR size(arrived) < :n",
)


def update(chance: random.Random) -> dict[str, Any]:
    """Return a call as machines make it."""
    condition = chance.choice(CONDITIONS)
    names = "abcd"
    values: dict[str, Any] = {":now": {"N": str(chance.randint(1, 9))}}
    if condition and ":n" in condition:
        values[":n"] = {"N": str(chance.randint(0, 4))}
    if condition and ":who" in condition:
        values[":who"] = {"S": chance.choice(names)}
    expression = "SET expires = :now"
    if chance.random() < 0.3:
        expression = "SET waiting = :token, expires = :now"
        values[":token"] = {"S": "token"}
    else:
        values[":some"] = {"SS": chance.sample(names, chance.randint(1, 3))}
        expression += " ADD arrived :some, ledgers :some"
        if chance.random() < 0.2:
            expression = "ADD arrived :some"
            del values[":now"]
    return {
        **KEY,
        "UpdateExpression": expression,
        "ExpressionAttributeValues": values,
        **({"ConditionExpression": condition} if condition else {}),
        **({"ReturnValues": "ALL_NEW"} if chance.random() < 0.5 else {}),
    }


def ours(table: Table, action: str, arguments: dict[str, Any]) -> Any:
    try:
        return tidy(table.call(action, arguments, "DynamoDB"))
    except StatesError as problem:
        return problem.error


def motos(client: Any, action: str, arguments: dict[str, Any]) -> Any:
    try:
        answer = getattr(client, action)(**arguments)
    except client.exceptions.ConditionalCheckFailedException:
        return "DynamoDB.ConditionalCheckFailedException"
    return tidy({key: answer[key] for key in ("Item", "Attributes") if key in answer})


def tidy(answer: Any) -> Any:
    """Sets have no order."""
    if isinstance(answer, dict):
        return {key: tidy(value) for key, value in answer.items()}
    return sorted(answer) if isinstance(answer, list) else answer


@pytest.mark.parametrize("seed", range(20))
def test_the_same_calls_have_the_same_answers_on_motos_table(seed: int) -> None:
    chance = random.Random(seed)
    table = Table()
    with moto_engine._TABLES:
        client = moto_engine._dynamodb()
        moto_engine._new_table(client, "joins")
        for _ in range(12):
            call = update(chance)
            assert ours(table, "updateItem", call) == motos(client, "update_item", call), call
            read = {**KEY, "ConsistentRead": True}
            assert ours(table, "getItem", read) == motos(client, "get_item", read)


MEMORY = {"TableName": "memory", "Key": {"id": {"S": "etl"}}}
TAKEN = (
    "contains(arrived, :a)",
    "(contains(arrived, :a) OR contains(arrived, :b))",
    "contains(arrived, :a) OR contains(arrived, :b) AND contains(arrived, :c)",
    "(contains(arrived, :a) OR contains(arrived, :b)) AND contains(arrived, :c)",
    "(attribute_exists(arrived0) AND size(arrived0) >= needed0)",
    (
        "((attribute_exists(arrived0) AND size(arrived0) >= needed0) AND "
        "(attribute_exists(arrived1) AND size(arrived1) >= needed1))"
    ),
)


def remember(chance: random.Random) -> dict[str, Any]:
    """Return an update as launchers make it."""
    number = chance.randint(0, 1)
    names = chance.sample("abc", chance.randint(1, 3))
    return {
        **MEMORY,
        "UpdateExpression": f"SET needed{number} = :needed{number} ADD arrived{number} :some, arrived :some",
        "ExpressionAttributeValues": {
            f":needed{number}": {"N": str(chance.randint(1, 3))},
            ":some": {"SS": names},
        },
    }


def take(chance: random.Random) -> dict[str, Any]:
    condition = chance.choice(TAKEN)
    values = {f":{name}": {"S": name} for name in "abc" if f":{name}" in condition}
    return {
        **MEMORY,
        "ConditionExpression": condition,
        "ReturnValues": "ALL_OLD",
        **({"ExpressionAttributeValues": values} if values else {}),
    }


@pytest.mark.parametrize("seed", range(10))
def test_what_launchers_remember_is_taken_as_from_motos_table(seed: int) -> None:
    chance = random.Random(seed)
    table = Table()
    with moto_engine._TABLES:
        client = moto_engine._dynamodb()
        moto_engine._new_table(client, "memory")
        for _ in range(12):
            calls = {"updateItem": remember(chance), "deleteItem": take(chance)}
            for action, call in calls.items():
                name = {"updateItem": "update_item", "deleteItem": "delete_item"}[action]
                assert ours(table, action, call) == motos(client, name, call), call


def test_names_are_none_that_dynamodb_reserves() -> None:
    from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

    reserved = {word.lower() for word in ReservedKeywords.get_reserved_keywords()}
    used = {"waiting", "arrived", "ledgers", "expires", "remaining", "id", "events", "dates", "carried"}
    assert not used & reserved
    assert not {f"{name}{number}" for name in ("arrived", "needed") for number in range(100)} & reserved


def test_an_item_that_is_not_there() -> None:
    assert Table().call("getItem", {**KEY, "ConsistentRead": True}, "DynamoDB") == {}


def test_an_item_has_a_size_limit() -> None:
    call = {
        **KEY,
        "UpdateExpression": "SET expires = :now ADD ledgers :some",
        "ExpressionAttributeValues": {":now": {"N": "1"}, ":some": {"SS": ["x" * ITEM_LIMIT]}},
    }
    with pytest.raises(StatesError, match="maximum allowed size") as raised:
        Table().call("updateItem", call, "DynamoDB")
    assert raised.value.error == "DynamoDB.DynamoDbException"


@pytest.mark.parametrize(
    ("values", "words"),
    [({":now": {"N": "1"}, ":more": {"N": "2"}}, "unused: :more"), ({}, "not defined: :now")],
)
def test_values_have_to_be_those_of_the_expressions(values: Any, words: str) -> None:
    call = {**KEY, "UpdateExpression": "SET expires = :now", "ExpressionAttributeValues": values}
    with pytest.raises(StatesError, match=words):
        Table().call("updateItem", call, "DynamoDB")


@pytest.mark.parametrize(
    ("action", "change", "words"),
    [
        ("deleteItem", {}, "deleteItem with UpdateExpression"),
        ("putItem", {}, "putItem"),
        ("updateItem", {"ConditionExpression": "(attribute_exists(id)"}, "(attribute_exists"),
        ("updateItem", {"ConditionExpression": "attribute_exists(id) expires"}, "expires"),
        ("updateItem", {"ReturnConsumedCapacity": "TOTAL"}, "ReturnConsumedCapacity"),
        ("updateItem", {"UpdateExpression": "REMOVE expires"}, "REMOVE"),
        ("updateItem", {"UpdateExpression": "SET expires = expires + :now"}, "expires + :now"),
        ("updateItem", {"ConditionExpression": "expires > :now"}, "expires > :now"),
        ("updateItem", {"Key": {"id": {"N": "1"}}}, "the key"),
        ("updateItem", {"ExpressionAttributeValues": {":now": {"BOOL": True}}}, "BOOL"),
    ],
)
def test_what_is_refused(action: str, change: Any, words: str) -> None:
    call = {
        **KEY,
        "UpdateExpression": "SET expires = :now",
        "ExpressionAttributeValues": {":now": {"N": "1"}},
        **change,
    }
    with pytest.raises(LocalRunError) as raised:
        Table().call(action, call, "DynamoDB")
    assert words in str(raised.value)


def test_the_generic_integration_has_no_sets_by_this_name() -> None:
    call = {
        **KEY,
        "UpdateExpression": "SET expires = :now ADD arrived :some",
        "ExpressionAttributeValues": {":now": {"N": "1"}, ":some": {"SS": ["a"]}},
    }
    with pytest.raises(LocalRunError):
        Table().call("updateItem", call, "DynamoDb")
