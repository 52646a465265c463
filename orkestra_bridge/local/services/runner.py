"""Answers Task states that call a service which is here; leaves all others to another runner."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

from orkestra_bridge.local.services.dynamodb import Table

if TYPE_CHECKING:
    from orkestra_bridge.local.interpreter import Json, TaskCall, TaskRunner

_DYNAMODB = re.compile(r"arn:aws:states:::(aws-sdk:)?dynamodb:(\w+)(?:\.waitForTaskToken)?")


@final
class ServiceTasks:
    """A `TaskRunner` with tables of its own; ``others`` gets the calls of all other services."""

    def __init__(self, others: TaskRunner) -> None:
        self._others = others
        self._table = Table()

    async def __call__(self, call: TaskCall) -> Json:
        """Return the result of the call.

        Raises StatesError: the service says no. Raises LocalRunError: the call is not understood here.
        """
        match = _DYNAMODB.fullmatch(call.resource)
        if match is None:
            return await self._others(call)
        return self._table.call(match[2], call.arguments, "DynamoDb" if match[1] else "DynamoDB")
