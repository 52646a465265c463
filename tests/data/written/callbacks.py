# ruff: noqa: DTZ001
"""Callbacks and hooks: each writes a line to the file that the environment names."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

from airflow import DAG
from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.models.baseoperator import BaseOperator
from airflow.operators.empty import EmptyOperator
from airflow.operators.python import BranchPythonOperator, PythonOperator

try:
    from airflow.sdk import BaseNotifier
except ImportError:
    from airflow.notifications.basenotifier import BaseNotifier


def write(**line):
    with Path(os.environ.get("ORKESTRA_TEST_CALLS", os.devnull)).open("a", encoding="utf-8") as calls:
        calls.write(json.dumps(line, sort_keys=True) + "\n")


def note(what, context, **more):
    ti = context["ti"]
    error = context.get("exception")
    if error is not None:
        more["error"] = f"{type(error).__name__}: {error}"
    state = str(getattr(ti.state, "value", ti.state))
    write(dag=ti.dag_id, task=ti.task_id, what=what, state=state, tries=ti.try_number, **more)


class Caller:
    def __init__(self, what):
        self.what = what

    def __call__(self, context):
        note(self.what, context)


class Notifier(BaseNotifier):
    template_fields = ("message",)

    def __init__(self, message):
        super().__init__()
        self.message = message

    def notify(self, context):
        note("notifier", context, message=self.message)


class NoisyOperator(BaseOperator):
    def pre_execute(self, context):
        note("own pre_execute", context)

    def execute(self, context):
        note("execute", context)
        return 7

    def post_execute(self, context, result=None):
        note("own post_execute", context, result=result)


def broken(context):
    note("broken", context)
    raise ValueError("this callback fails")


def of_dag(what):
    def call(context):
        task = context["ti"].task_id if "ti" in context else None
        write(dag=context["dag"].dag_id, what=what, reason=context["reason"], decisive=task)

    return call


EVENTS = ("execute", "success", "failure", "retry", "skipped")
ALL = {f"on_{event}_callback": Caller(event) for event in EVENTS}
ARGS = {"start_date": datetime(2024, 1, 1), "schedule": None, "catchup": False}
DAG_CALLBACKS = {"on_success_callback": of_dag("dag success"), "on_failure_callback": of_dag("dag failure")}


def good():
    return 1


def bad():
    raise ValueError("no")


def at_once():
    raise AirflowFailException("no use")


def skip():
    raise AirflowSkipException("not today")


def second_time(ti):
    if ti.try_number < 2:
        raise KeyError("once")
    return ti.try_number


def op(task_id, call, **arguments):
    return PythonOperator(task_id=task_id, python_callable=call, **arguments)


with DAG("outcomes", default_args=ALL, **DAG_CALLBACKS, **ARGS):
    (
        op("good", good)
        >> op("skipped", skip)
        >> op("bad", bad, trigger_rule="all_done")
        >> op("upstream_failed", good)
        >> op("at_once", at_once, retries=3, trigger_rule="all_done")
        >> op("tries", bad, retries=2, retry_delay=timedelta(0), trigger_rule="all_done")
        >> op("second_time", second_time, retries=2, retry_delay=timedelta(0), trigger_rule="all_done")
        >> EmptyOperator(task_id="empty", trigger_rule="all_done")
    )

with DAG("failing_run", **DAG_CALLBACKS, **ARGS):
    op("first", bad, on_failure_callback=[broken, Caller("second")]) >> op("last", good)

with DAG("lists_and_notifiers", on_success_callback=[of_dag("one"), of_dag("two")], **ARGS):
    (
        op(
            "a",
            good,
            on_success_callback=[
                broken,
                Notifier("{{ ti.task_id }} in {{ dag.dag_id }}: {{ message | length }}"),
            ],
        )
        >> op("b", good, on_execute_callback=broken, on_success_callback=Notifier("done"))
    )

with DAG("hooks", **ARGS):
    (
        NoisyOperator(task_id="own", on_execute_callback=Caller("execute callback"))
        >> op(
            "given",
            good,
            pre_execute=Caller("pre"),
            post_execute=lambda context, result: note("post", context, result=result),
        )
        >> op("pre_fails", good, pre_execute=broken, on_failure_callback=Caller("failure"))
    )

with DAG("empty_operators", **ARGS):
    (
        EmptyOperator(task_id="noticed", on_success_callback=Caller("success"))
        >> EmptyOperator(task_id="unnoticed", on_failure_callback=Caller("x"))
    )

with DAG("not_reached", default_args=ALL, **ARGS):
    BranchPythonOperator(task_id="choose", python_callable=lambda: "yes") >> [op("yes", good), op("no", good)]

with DAG("all_skipped", **DAG_CALLBACKS, **ARGS):
    op("skipped", skip) >> op("below", good)

with DAG("template_fails", **ARGS):
    PythonOperator(
        task_id="t",
        python_callable=good,
        op_args=["{{ nothing.here }}"],
        on_failure_callback=Caller("failure"),
        on_execute_callback=Caller("execute"),
    )
