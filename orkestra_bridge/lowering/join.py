"""The states of a join: one item of a DynamoDB table per execution and waiting task instance, no function, no polling.

    wait      puts the task's token into the item, unless all have reported already; then `collect` reads what they left
    report    adds the sender and its ledger entries to the item, unless that would complete it and somebody waits; then
              `complete` adds them all the same, and `wake` hands what the item holds to the one that waits

Every update is atomic, so that either the waiting task sees the last report or the last report sees the token. An update
that is tried again changes nothing, for reports are sets. A task that may start at the first matching report gets
this report in the name of all senders.

Reports use Step Functions' own DynamoDB integration, because it spells string sets as DynamoDB does (``SS``); the generic
one, which is the only one that can wait for a token, has names of its own for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.asl.jsonata import expression, lookup, merge, picked, text, texts
from orkestra_bridge.asl.model import Catcher, Machine, PassState, Retrier, State, TaskState
from orkestra_bridge.lowering.scope import INPUT

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task
    from orkestra_bridge.lowering.joining import Report
    from orkestra_bridge.lowering.scope import Plan, Scope

TABLE = "${JoinsTable}"
UPDATE_AND_WAIT = "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken"
UPDATE = "arn:aws:states:::dynamodb:updateItem"
GET = "arn:aws:states:::dynamodb:getItem"
SEND = "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess"

JOIN_TRANSITIONS = 2
"""Of each join, beside its `wait` and its reports: either `collect`, or the last report's `complete` and `wake`."""

DAY = 86_400
LONGEST_RUN = 365 * DAY
"""Seconds after which Step Functions ends a standard execution (AWS: "Step Functions service quotas")."""
_LISTED = 40
"""Ledger entries that a report names one by one; beyond, it carries the sender's whole ledger."""

_REFUSED = ("DynamoDB.ConditionalCheckFailedException",)
_REFUSED_WAIT = ("DynamoDb.ConditionalCheckFailedException",)
"""The same error, as Step Functions' own integration and the generic one name it."""
_USED_TOKEN = ("Sfn.InvalidTokenException", "Sfn.TaskDoesNotExistException", "Sfn.TaskTimedOutException")
_AGAIN = Retrier(errors=("States.ALL",), interval=1, attempts=7, backoff=2.0)
_LEDGERS = "$map({item}.ledgers.SS, function($entries) {{ $parse($entries) }})"
_ADD = "ADD arrived :arrived, ledgers :ledgers"
_KNOWN = "attribute_not_exists(waiting) OR contains(arrived, :sender)"
_NOT_COMPLETE = f"{_KNOWN} OR attribute_not_exists(arrived) OR size(arrived) < :others"


def lower_reports(plan: Plan, task: Task, scope: Scope, following: str | None) -> Machine | None:
    """Return the states that send a task's reports, one after the other; None if it sends none."""
    reports = plan.joins.sent.get(task.task_id)
    if not reports:
        return None
    names = [plan.names.fresh(f"Report {report.sender} to {report.waiter}") for report in reports]
    states: dict[str, State] = {}
    for name, report, onward in zip(names, reports, [*names[1:], following], strict=True):
        states |= _reporting(plan, report, name, scope, onward)
    return Machine(start_at=names[0], states=states)


def waiting_name(task_id: str) -> str:
    """Return what the state is called at which a task waits for reports."""
    return f"Wait before {task_id}"


def lower_waiting(plan: Plan, task: Task, scope: Scope, name: str, after: str) -> dict[str, State]:
    """Return the states that wait for the reports to a task; the first is ``name``, both lead to ``after``."""
    reports = plan.joins.waiting[task.task_id]
    collect = plan.names.fresh(f"Collect reports to {task.task_id}")
    senders = ", ".join(report.sender for report in reports)
    how = "the first that matters or all" if any(report.decisive for report in reports) else "all"
    return {
        name: TaskState(
            comment=f"{task.task_id} needs reports from {senders}: {how}",
            resource=UPDATE_AND_WAIT,
            arguments={
                **_item(task.task_id, scope),
                "UpdateExpression": "SET waiting = :token, expires = :expires",
                "ConditionExpression": "attribute_not_exists(arrived) OR size(arrived) < :all",
                "ExpressionAttributeValues": {
                    ":token": {"S": expression("$states.context.Task.Token")},
                    ":all": {"N": str(len(reports))},
                    ":expires": _expires(plan),
                },
            },
            output=expression(merge(scope.ledger, "$states.result")),
            next=after,
            retry=(Retrier(errors=_REFUSED_WAIT, attempts=0), _AGAIN),
            catch=(Catcher(errors=_REFUSED_WAIT, next=collect, output=expression(scope.ledger)),),
        ),
        collect: TaskState(
            comment=f"All reports to {task.task_id} came before it had to wait",
            resource=GET,
            arguments={**_item(task.task_id, scope), "ConsistentRead": True},
            output=expression(f"$merge($append([{INPUT}], {_LEDGERS.format(item='$states.result.Item')}))"),
            next=after,
            retry=(_AGAIN,),
        ),
    }


def _reporting(
    plan: Plan, report: Report, name: str, scope: Scope, following: str | None
) -> dict[str, State]:
    parts = f"{report.sender} to {report.waiter}"
    complete = plan.names.fresh(f"Complete {parts}")
    wake = plan.names.fresh(f"Wake {report.waiter} after {report.sender}")
    used = following or plan.names.fresh(f"{wake}: not needed")
    onward = scope.passed(last=following is None)
    variable = f"report{report.number}"
    states: dict[str, State] = {
        name: TaskState(
            comment=f"{report.waiter} waits for {report.sender}, which runs in another branch",
            resource=UPDATE,
            arguments=_update_unless_complete(plan, report, scope),
            output=onward,
            next=following,
            retry=(Retrier(errors=_REFUSED, attempts=0), _AGAIN),
            catch=(Catcher(errors=_REFUSED, next=complete, output=expression(INPUT)),),
        ),
        complete: TaskState(
            resource=UPDATE,
            arguments={**_update(plan, report, scope), "ReturnValues": "ALL_NEW"},
            assign={
                variable: {
                    "token": expression("$states.result.Attributes.waiting.S"),
                    "ledger": expression(
                        f"$string($merge({_LEDGERS.format(item='$states.result.Attributes')}))"
                    ),
                }
            },
            output=expression(INPUT),
            next=wake,
            retry=(_AGAIN,),
        ),
        wake: TaskState(
            resource=SEND,
            arguments={
                "TaskToken": expression(f"${variable}.token"),
                "Output": expression(f"${variable}.ledger"),
            },
            output=onward,
            next=following,
            retry=(Retrier(errors=_USED_TOKEN, attempts=0), _AGAIN),
            catch=(Catcher(errors=_USED_TOKEN, next=used, output=onward),),
        ),
    }
    if following is None:
        states[used] = PassState(comment=f"Another report has woken {report.waiter}", next=None)
    return states


def _update(plan: Plan, report: Report, scope: Scope) -> dict[str, Any]:
    everybody = texts([one.sender for one in plan.joins.waiting[report.waiter]])
    return {
        **_item(report.waiter, scope),
        "UpdateExpression": _ADD,
        "ExpressionAttributeValues": {
            ":arrived": {"SS": _if_decisive(report, everybody, texts([report.sender]), [report.sender])},
            ":ledgers": {"SS": [expression(f"$string({_carried(plan, report, scope)})")]},
        },
    }


def _update_unless_complete(plan: Plan, report: Report, scope: Scope) -> dict[str, Any]:
    """Return the update that has nobody to wake: nobody waits, or others have to report as well, or it came before."""
    update, others = _update(plan, report, scope), len(plan.joins.waiting[report.waiter]) - 1
    values = update["ExpressionAttributeValues"]
    values[":expires"] = _expires(plan)
    update["UpdateExpression"] = f"SET expires = :expires {_ADD}"
    if not others:
        return {**update, "ConditionExpression": "attribute_not_exists(waiting)"}
    values |= {":sender": {"S": report.sender}, ":others": {"N": str(others)}}
    if report.decisive:
        # stored for no other reason than that DynamoDB refuses values that are not used
        update["UpdateExpression"] = f"SET expires = :expires, remaining = :others {_ADD}"
    condition = _if_decisive(report, text(_KNOWN), text(_NOT_COMPLETE), _NOT_COMPLETE)
    return {**update, "ConditionExpression": condition}


def _if_decisive(report: Report, yes: str, no: str, always: Any) -> Any:
    """Return what depends on whether the report alone starts the waiting task; ``always`` where none can."""
    if not report.decisive:
        return always
    entry = lookup(INPUT, report.sender)
    ways = []
    if report.states:
        ways.append(f"{entry}.state in {texts(report.states)}")
    if report.may_skip:
        ways.append(f"{text(report.waiter)} in {entry}.skip")
    return expression(f"{' or '.join(ways)} ? {yes} : {no}")


def _carried(plan: Plan, report: Report, scope: Scope) -> str:
    carried = plan.ledger_ids(report.carries)
    # the ledger of an instance has entries of tasks that have not run yet
    if len(carried) > _LISTED and not scope.map_index:
        return INPUT
    return picked(INPUT, carried)


def _item(waiter: str, scope: Scope) -> dict[str, Any]:
    index = f" & '#' & $string({scope.map_index})" if scope.map_index else ""
    key = expression(f"{scope.execution}.Id & {text(f'#{waiter}')}{index}")
    return {"TableName": TABLE, "Key": {"id": {"S": key}}}


def _expires(plan: Plan) -> dict[str, str]:
    """Return when DynamoDB may delete the item, in seconds since 1970: at least a day after the run must have ended."""
    longest = plan.workflow.dagrun_timeout or LONGEST_RUN
    return {"N": expression(f"$string($floor($millis() / 1000) + {int(min(longest, LONGEST_RUN)) + DAY})")}
