"""Answers Task states that call a service which is here; leaves all others to another runner."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

from orkestra_bridge.local.services.containers import RUN_TASK
from orkestra_bridge.local.services.dynamodb import Table
from orkestra_bridge.local.services.engine import RUN_TASK as RUN_IMAGE
from orkestra_bridge.local.services.executions import START

if TYPE_CHECKING:
    from orkestra_bridge.local.interpreter import Json, TaskCall, TaskRunner
    from orkestra_bridge.local.services.executions import Executions

_DYNAMODB = re.compile(r"arn:aws:states:::(aws-sdk:)?dynamodb:(\w+)(?:\.waitForTaskToken)?")


@final
class ServiceTasks:
    """A `TaskRunner` with tables of its own.

    ``others`` gets the calls of all other services; ``executions`` has the machines that the machine may start, and
    ``containers`` starts those that are built from a package; ``images`` runs those of the user's.
    """

    def __init__(
        self,
        others: TaskRunner,
        executions: Executions | None = None,
        containers: TaskRunner | None = None,
        images: TaskRunner | None = None,
    ) -> None:
        self._others = others
        self._executions = executions
        self._containers = containers
        self._images = images
        self._table = Table()

    async def __call__(self, call: TaskCall) -> Json:
        """Return the result of the call.

        Raises StatesError: the service says no. Raises LocalRunError: the call is not understood here.
        """
        if call.resource == START and self._executions is not None:
            return await self._executions.start(call, self)
        if call.resource == RUN_TASK and self._containers is not None:
            return await self._containers(call)
        if call.resource == RUN_IMAGE and self._images is not None:
            return await self._images(call)
        match = _DYNAMODB.fullmatch(call.resource)
        if match is None:
            return await self._others(call)
        return self._table.call(match[2], call.arguments, "DynamoDb" if match[1] else "DynamoDB")
