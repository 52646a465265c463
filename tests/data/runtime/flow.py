"""Control: branches, short circuits, skips, failures, retries, groups, commands."""

from __future__ import annotations

import datetime as dt
import os
import sys

from airflow import DAG
from airflow.decorators import task, task_group
from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from airflow.models.baseoperator import BaseOperator, chain, cross_downstream
from airflow.operators.bash import BashOperator
from airflow.operators.empty import EmptyOperator
from airflow.operators.python import BranchPythonOperator, PythonOperator, ShortCircuitOperator
from airflow.utils.edgemodifier import Label
from airflow.utils.task_group import TaskGroup
from airflow.utils.trigger_rule import TriggerRule

START = dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)
ARGS = {"start_date": START, "schedule": None, "catchup": False}


def value(result):
    return lambda: result


with DAG("branching", **ARGS) as branching:
    a, b, c, join, late = (EmptyOperator(task_id=name) for name in "abcjl")
    join.trigger_rule = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
    choose = BranchPythonOperator(task_id="choose", python_callable=value("a"))
    choose >> [a, b, c, join]
    [a, b, c] >> join >> late

    several = BranchPythonOperator(task_id="several", python_callable=value(["x", "z"]))
    several >> [EmptyOperator(task_id=name) for name in "xyz"]
    none = BranchPythonOperator(task_id="none", python_callable=value(None))
    none >> EmptyOperator(task_id="after_none")
    all_of_them = BranchPythonOperator(task_id="everything", python_callable=value(["after_everything"]))
    all_of_them >> EmptyOperator(task_id="after_everything")
    wrong = BranchPythonOperator(task_id="wrong", python_callable=value("no_such_task"))
    wrong >> EmptyOperator(task_id="after_wrong")

    @task.branch
    def to_group(ti=None):
        return "picked"

    with TaskGroup("picked") as picked:
        EmptyOperator(task_id="first") >> EmptyOperator(task_id="second")
    with TaskGroup("dropped") as dropped:
        EmptyOperator(task_id="first")
    to_group() >> Label("either") >> [picked, dropped]

with DAG("circuits", **ARGS) as circuits:
    for name, result, options in (
        ("open", 0, {}),
        ("closed", [1], {}),
        ("direct", "", {"ignore_downstream_trigger_rules": False}),
    ):
        gate = ShortCircuitOperator(task_id=name, python_callable=value(result), **options)
        after = EmptyOperator(task_id=f"after_{name}")
        last = EmptyOperator(task_id=f"last_{name}", trigger_rule="all_done")
        gate >> after >> last
    ShortCircuitOperator(task_id="alone", python_callable=value(False))

    @task.short_circuit
    def decorated():
        return False

    decorated() >> EmptyOperator(task_id="after_decorated")

with DAG("outcomes", default_args={"retry_delay": dt.timedelta(0)}, **ARGS) as outcomes:

    @task
    def fine():
        return 1

    @task
    def skips():
        raise AirflowSkipException("no work")

    @task(retries=2)
    def fails():
        raise RuntimeError("broken")

    @task(retries=2)
    def fails_for_good():
        raise AirflowFailException("hopeless")

    @task(retries=2)
    def works_later(ti=None):
        ti.xcom_push("try", ti.try_number)
        if ti.try_number < 3:
            raise AirflowException("not yet")
        return ti.max_tries

    @task
    def exits():
        sys.exit(0)

    @task
    def exits_badly():
        sys.exit(3)

    @task(execution_timeout=dt.timedelta(seconds=0.3))
    def takes_long():
        import time

        try:
            time.sleep(20)
        except Exception:  # noqa: BLE001
            return "swallowed"

    ended = [fine(), skips(), fails(), fails_for_good(), works_later(), exits(), exits_badly(), takes_long()]
    for rule in TriggerRule.all_triggers():
        if "setup" in str(rule) or str(getattr(rule, "value", rule)) in ("dummy", "none_failed_or_skipped"):
            continue
        if "min_one_success" in str(rule) and "all_done" in str(rule):
            continue
        EmptyOperator(task_id=f"after_all_{getattr(rule, 'value', rule)}", trigger_rule=rule) << ended
        EmptyOperator(task_id=f"after_good_{getattr(rule, 'value', rule)}", trigger_rule=rule) << ended[0]
        EmptyOperator(task_id=f"after_skip_{getattr(rule, 'value', rule)}", trigger_rule=rule) << ended[:2]

with DAG("commands", params={"size": 6}, **ARGS) as commands:
    BashOperator(task_id="last_line", bash_command="echo one; echo two {{ ds }}; echo 'three  '")
    BashOperator(task_id="silent", bash_command="true")
    BashOperator(task_id="own_env", bash_command='echo "$WORD-$HOME_LIKE"', env={"WORD": "{{ ds_nodash }}"})
    BashOperator(
        task_id="more_env", bash_command='echo "$WORD ${PATH:+path}"', env={"WORD": "w"}, append_env=True
    )
    BashOperator(
        task_id="context",
        bash_command='echo "$AIRFLOW_CTX_DAG_ID $AIRFLOW_CTX_TASK_ID $AIRFLOW_CTX_TRY_NUMBER"',
    )
    BashOperator(task_id="in_folder", bash_command="pwd", cwd="/usr")
    BashOperator(task_id="no_folder", bash_command="pwd", cwd="/no/such/folder")
    BashOperator(task_id="skips", bash_command="exit 99")
    BashOperator(task_id="skips_on_4", bash_command="exit 4", skip_on_exit_code=[4, 5])
    BashOperator(task_id="fails", bash_command="echo before; exit 1")
    BashOperator(task_id="script", bash_command="job.sh")
    BashOperator(task_id="errors_too", bash_command="echo out; echo err >&2")
    BashOperator(task_id="processed", bash_command="echo '[1, 2]'", output_processor=lambda text: text + "!")

    @task.bash
    def command(word):
        return f"echo {word} " + "{{ ds }}"

    @task.bash(env={"A": "b"})
    def not_text():
        return 3

    command("hello")
    not_text()

with DAG("groups", default_args={"owner": "dag", "retries": 1}, **ARGS) as groups:
    with TaskGroup("outer", default_args={"owner": "outer"}) as outer:
        with TaskGroup("inner", prefix_group_id=False, tooltip="t") as inner:
            PythonOperator(
                task_id="p", python_callable=lambda ti, task: [ti.task_id, task.owner, task.retries]
            )
        EmptyOperator(task_id="e", owner="own")
        inner >> EmptyOperator(task_id="f")

    @task_group
    def made(n):
        @task
        def one(x, task=None):
            return [x, task.task_id, task.owner]

        return one(one(n))

    @task_group(group_id="empty_return")
    def unit():
        EmptyOperator(task_id="u")

    begin, end = EmptyOperator(task_id="begin"), EmptyOperator(task_id="end")
    chain(begin, outer, [made(1), made(2)], unit(), end)
    cross_downstream([EmptyOperator(task_id=n) for n in "ab"], [EmptyOperator(task_id=n) for n in "cd"])

CALLS = []

with DAG("callbacks", default_args={"retry_delay": dt.timedelta(0)}, **ARGS) as callbacks:

    class Counting(BaseOperator):
        def __init__(self, fail=False, **kwargs):
            super().__init__(**kwargs)
            self.fail = fail

        def pre_execute(self, context):
            CALLS.append("pre")

        def execute(self, context):
            if self.fail:
                raise ValueError("no")
            return [*CALLS, os.environ["AIRFLOW_CTX_TASK_ID"]]

        def post_execute(self, context, result=None):
            CALLS.append(f"post {result and len(result)}")

    def note(word):
        return lambda context: CALLS.append(f"{word} {context['ti'].task_id}")

    hooks = {f"on_{word}_callback": note(word) for word in ("execute", "success", "failure", "retry")}
    good = Counting(task_id="good", **hooks)
    bad = Counting(task_id="bad", fail=True, retries=1, **hooks)
    good >> bad
