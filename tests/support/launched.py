"""What launchers call on AWS: DynamoDB, Step Functions, the queue and the DAG's function."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import moto_engine

from orkestra_bridge.local.interpreter import StatesError, TaskCall

if TYPE_CHECKING:
    from collections.abc import Callable


class Aws:
    """A table of moto's, and executions and messages as they come; ``broken`` refuses every new execution.

    ``function`` answers invocations.
    """

    def __init__(self, function: Callable[[Any], Any] | None = None) -> None:
        self.function = function
        self.started: dict[str, Any] = {}
        self.reported: list[Any] = []
        self.broken = False
        self.client = moto_engine._dynamodb()
        moto_engine._new_table(self.client, "${AssetMemory}".strip("${}"))

    async def __call__(self, call: TaskCall) -> Any:
        action = call.resource.rpartition(":")[2]
        if action == "startExecution":
            if self.broken:
                raise StatesError("StepFunctions.ThrottlingException", "too many")
            name = call.arguments["Name"]
            if name in self.started:
                raise StatesError("StepFunctions.ExecutionAlreadyExistsException", name)
            self.started[name] = call.arguments["Input"]
            return {}
        if action == "sendMessage":
            self.reported.append(json.loads(call.arguments["MessageBody"]))
            return {}
        if action == "invoke" and self.function is not None:
            return {"Payload": self.function(call.arguments["Payload"]), "StatusCode": 200}
        arguments = {**call.arguments, "TableName": "AssetMemory"}
        names = {"updateItem": "update_item", "deleteItem": "delete_item"}
        try:
            answer = getattr(self.client, names[action])(**arguments)
        except self.client.exceptions.ConditionalCheckFailedException as refused:
            raise StatesError("DynamoDB.ConditionalCheckFailedException", "no") from refused
        return {key: answer[key] for key in ("Attributes",) if key in answer}
