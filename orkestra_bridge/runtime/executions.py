"""Runs of other DAGs: executions of their state machines, in this account and region.

Source: AWS Step Functions API reference (StartExecution, DescribeExecution, GetExecutionHistory).
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.mapping import instances_of
from orkestra_bridge.runtime.run_names import execution_name, machine_name, names_for_date

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

# A JSON object of dag id -> ARN, for state machines that are not named after their DAG.
MACHINES = "ORKESTRA_STATE_MACHINES"

# Where Step Functions is in a local run.
ENDPOINT = "ORKESTRA_STEP_FUNCTIONS"

# Of one run.
MOST_EXECUTIONS = 100

_STATES = {"RUNNING": "running", "PENDING_REDRIVE": "running", "SUCCEEDED": "success"}


class AlreadyStartedError(Exception):
    """There is an execution for this run id already."""


class Executions:
    """The executions of other DAGs' state machines.

    Args:
        own: ARN of the execution that asks: it has the region and the account.
        others: What the package knows of other DAGs, by dag id: ``schedule``, and ``groups`` by task id.
        client: boto3's client of Step Functions; None for one that is made when it is first needed, and kept.
    """

    def __init__(self, own: str, others: Mapping[str, Any], client: Any = None) -> None:
        self._own = own
        self._others = others
        self._client = client

    @property
    def client(self) -> Any:
        """Return boto3's client."""
        return self._client or _client(os.environ.get(ENDPOINT))

    def machine(self, dag_id: str) -> str:
        """Return the ARN of a DAG's state machine."""
        known: dict[str, str] = json.loads(os.environ.get(MACHINES) or "{}")
        prefix = self._own.partition(":execution:")[0]
        return known.get(dag_id) or f"{prefix}:stateMachine:{machine_name(dag_id)}"

    def start(self, dag_id: str, document: Mapping[str, Any], *, again: bool = False) -> str:
        """Start a run and return the ARN of its execution; the run document has a ``run_id``.

        With ``again`` one more execution is started where there has been one: AWS cannot clear it.

        Raises:
            AlreadyStartedError: If there has been a run with this id, for as long as AWS remembers: 90 days.
        """
        machine, text = self.machine(dag_id), json.dumps(document, sort_keys=True)
        names = _names(document["run_id"])
        for name in names if again else [next(names)]:
            try:
                answer = self.client.start_execution(stateMachineArn=machine, name=name, input=text)
            except self.client.exceptions.ExecutionAlreadyExists:
                continue
            arn: str = answer["executionArn"]
            return arn
        raise AlreadyStartedError(document["run_id"])

    def exists(self, dag_id: str) -> bool:
        """Return True if the DAG has a state machine."""
        try:
            self.client.describe_state_machine(stateMachineArn=self.machine(dag_id))
        except self.client.exceptions.StateMachineDoesNotExist:
            return False
        return True

    def find(self, dag_id: str, logical_date: datetime) -> str | None:
        """Return the ARN of the last execution that is a DAG's run for a logical date, None if there is none."""
        schedule = (self._others.get(dag_id) or {}).get("schedule") or {}
        machine = self.machine(dag_id)
        for run_name in names_for_date(logical_date, schedule):
            found = None
            for name in _names(run_name):
                arn = _execution(machine, name)
                if self._described(arn) is None:
                    break
                found = arn
            if found:
                return found
        return None

    def state(self, arn: str) -> str | None:
        """Return the state of a run as Airflow has it: running, success or failed; None if there is none."""
        found = self._described(arn)
        return None if found is None else _STATES.get(found["status"], "failed")

    def task_states(self, arn: str) -> dict[str, list[str]]:
        """Return the states of the task instances of a run that have ended, by task id.

        A run that succeeded has them in its output. One that runs or failed has no output: they are read from the
        history of the execution.
        """
        found = self._described(arn) or {}
        if found.get("status") == "SUCCEEDED":
            return _states_in(json.loads(found.get("output") or "{}"))
        states: dict[str, list[str]] = {}
        pages = self.client.get_paginator("get_execution_history").paginate(
            executionArn=arn, includeExecutionData=True
        )
        for page in pages:
            for event in page["events"]:
                output = event.get("stateExitedEventDetails", {}).get("output")
                states.update(_states_in(json.loads(output)) if output else {})
        return states

    def group(self, dag_id: str, group_id: str) -> list[str]:
        """Return the task ids of a task group of another DAG, and of the groups in it."""
        groups: Mapping[str, str | None] = (self._others.get(dag_id) or {}).get("groups") or {}
        return [
            task_id
            for task_id, name in groups.items()
            if name and (name == group_id or name.startswith(f"{group_id}."))
        ]

    def _described(self, arn: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self.client.describe_execution(executionArn=arn)
        except self.client.exceptions.ExecutionDoesNotExist:
            return None
        return found


@lru_cache(maxsize=2)
def _client(endpoint: str | None) -> Any:
    """Return a client, for as long as the process lives: making one takes longer than many pokes."""
    import boto3

    return _local(endpoint) if endpoint else boto3.client("stepfunctions")


def _local(endpoint: str) -> Any:
    """Return a client that needs no account."""
    import boto3

    return boto3.client(
        "stepfunctions",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - there is nothing to be secret here
    )


def _names(run_id: str) -> Iterator[str]:
    """Yield the names of the executions of a run: the first one, and those that were started again."""
    yield execution_name(run_id)
    yield from (execution_name(f"{run_id}__{number}") for number in range(2, MOST_EXECUTIONS + 1))


def _execution(machine: str, name: str) -> str:
    return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"


def _states_in(output: Any) -> dict[str, list[str]]:
    """Return the states that a state's output has for tasks; anything else in it says nothing."""
    if not isinstance(output, dict):
        return {}
    entries = {name: instances_of(entry) for name, entry in output.items() if isinstance(entry, dict)}
    return {
        name: [str(one["state"]) for one in found] for name, found in entries.items() if found and _are(found)
    }


def _are(found: Any) -> bool:
    return all(isinstance(one, dict) and isinstance(one.get("state"), str) for one in found)
