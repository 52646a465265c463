"""The bus for events of assets, and who may put events on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.asset_events import SOURCE, VARIABLE
from orkestra_bridge.stack.iam import allow

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Workflow

BUS = "AssetEventBus"

Json = dict[str, Any]


def makes_events(workflow: Workflow) -> bool:
    """Return True if a task of the DAG has an asset as an outlet."""
    return any(task.outlets for task in workflow.tasks)


def bus_parameter() -> Json:
    """Return the parameter with the name of the event bus, the account's own by default."""
    return {
        BUS: {
            "Type": "String",
            "Description": "EventBridge bus on which DAGs tell each other of updated assets",
            "Default": "default",
            "AllowedPattern": "[/.A-Za-z0-9_-]+",
        }
    }


def event_variable() -> Json:
    """Return the environment variable that tells tasks where events of their outlets go."""
    return {VARIABLE: {"Fn::Sub": f"bus:${{{BUS}}}"}}


def event_rights() -> list[Json]:
    """Return the statement for the role of whatever runs tasks: our own events, on this one bus."""
    arn = f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:event-bus/${{{BUS}}}"
    statement = allow("TellOfAssets", ("events:PutEvents",), {"Fn::Sub": arn})
    statement["Condition"] = {"StringEquals": {"events:source": SOURCE}}
    return [statement]
