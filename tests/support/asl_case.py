"""What a conformance case is, and the words that cases are written in.

Expected outcomes are read from the ASL specification and the AWS Step Functions developer guide.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from orkestra_bridge.local.interpreter import StatesError

LAMBDA = "arn:aws:states:::lambda:invoke"
END: dict[str, Any] = {"End": True}


@dataclass(frozen=True)
class Case:
    """A machine, its input and how it has to end.

    Attributes:
        output: Of a machine that succeeds; ``error`` of one that does not.
        moto: Why moto's engine is not asked, if it is not.
    """

    name: str
    definition: dict[str, Any]
    given: Any = field(default_factory=dict)
    output: Any = None
    error: str | None = None
    status: str = "SUCCEEDED"
    moto: str = ""


def work(payload: Any) -> Any:
    """Return what the function of all cases answers; raises StatesError as a failed Lambda function would."""
    action = payload.get("do") if isinstance(payload, dict) else None
    if action == "fail":
        raise StatesError(
            payload.get("error", "Trouble"), payload.get("cause", '{"errorMessage":"on purpose"}')
        )
    if action == "fail until" and payload["attempt"] < payload["attempts"]:
        raise StatesError("NotYet", "{}")
    if action == "answer much":
        return "x" * payload["size"]
    if action == "take long":
        time.sleep(payload["seconds"])
    return {"heard": payload}


def machine(start: str, /, **states: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", **block(start, **states)}


def block(start: str, /, **states: Any) -> dict[str, Any]:
    return {"StartAt": start, "States": states}


def task(payload: Any, **fields: Any) -> dict[str, Any]:
    arguments = {"FunctionName": "work", "Payload": payload}
    return {"Type": "Task", "Resource": LAMBDA, "Arguments": arguments, **fields}


def computed(output: Any, **fields: Any) -> dict[str, Any]:
    return {"Type": "Pass", "Output": output, **(fields or END)}


def one(output: Any) -> dict[str, Any]:
    """Return a machine that computes one value."""
    return machine("Compute", Compute=computed(output))


ANSWER = "{% $states.result.Payload.heard %}"
FAILING = {"do": "fail"}
