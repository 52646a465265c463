# ruff: noqa: DTZ001, SIM117
"""Setups and teardowns: what they let run, what the run's state is, and the blocks that tie tasks to them."""

from datetime import datetime

from airflow import DAG
from airflow.decorators import setup, task, teardown
from airflow.exceptions import AirflowSkipException
from airflow.operators.empty import EmptyOperator
from airflow.operators.python import BranchPythonOperator, PythonOperator, ShortCircuitOperator
from airflow.utils.task_group import TaskGroup

try:
    from airflow.sdk.definitions.decorators.setup_teardown import context_wrapper
except ImportError:
    from airflow.decorators.setup_teardown import context_wrapper

ARGS = {"start_date": datetime(2024, 1, 1), "schedule": None, "catchup": False}


def good():
    return 1


def bad():
    raise ValueError("no")


def skip():
    raise AirflowSkipException


def op(task_id, call=good, **arguments):
    return PythonOperator(task_id=task_id, python_callable=call, **arguments)


for outcome in (good, bad, skip):
    with DAG(f"setup_is_{outcome.__name__}", **ARGS):
        s = op("s", outcome).as_setup()
        w = op("w")
        t = EmptyOperator(task_id="t").as_teardown(setups=s)
        below = [
            op("all_done", trigger_rule="all_done"),
            op("always", trigger_rule="always"),
            op("one_failed", trigger_rule="one_failed"),
            EmptyOperator(task_id="empty_all_done", trigger_rule="all_done"),
            EmptyOperator(task_id="empty_always", trigger_rule="always"),
            EmptyOperator(task_id="empty_none_skipped", trigger_rule="none_skipped"),
        ]
        s >> w >> below >> t

with DAG("work_fails", **ARGS):
    s = op("s").as_setup()
    t = op("t", bad).as_teardown(setups=s)
    s >> op("w", bad) >> op("x") >> t

with DAG("teardown_fails_the_run", **ARGS):
    s = op("s").as_setup()
    t = op("t", bad).as_teardown(setups=s, on_failure_fail_dagrun=True)
    s >> op("w") >> t

with DAG("after_a_teardown", **ARGS):
    s = op("s", bad).as_setup()
    t = EmptyOperator(task_id="t").as_teardown(setups=s)
    s >> op("w") >> t >> op("after", trigger_rule="all_done")

with DAG("only_teardowns", **ARGS):
    op("t", bad).as_teardown() >> op("u").as_teardown()

with DAG("two_setups", **ARGS):
    s, r = op("s").as_setup(), op("r", bad).as_setup()
    t = op("t").as_teardown(setups=[s, r])
    [s, r] >> op("w") >> t

with DAG("group", **ARGS):
    with TaskGroup("g") as g:
        s = op("s").as_setup()
        t = op("t").as_teardown(setups=s)
        s >> op("w", bad) >> t
    g >> op("after")

with DAG("short_circuit", **ARGS):
    s = op("s").as_setup()
    t = op("t").as_teardown(setups=s)
    s >> ShortCircuitOperator(task_id="stop", python_callable=lambda: False) >> op("w") >> t

with DAG("branch_inside", **ARGS):
    s = op("s").as_setup()
    t = op("t").as_teardown(setups=s)
    s >> BranchPythonOperator(task_id="choose", python_callable=lambda: "w") >> [op("w"), op("v")] >> t

with DAG("branch_outside", **ARGS):
    s = op("s").as_setup()
    t = op("t").as_teardown(setups=s)
    BranchPythonOperator(task_id="choose", python_callable=lambda: "v") >> [s, op("v")]
    s >> op("w") >> t

with DAG("decorated_blocks", **ARGS):

    @setup
    def cluster():
        return "c"

    @setup
    def table():
        return "t"

    @teardown
    def drop_cluster():
        return "gone"

    @teardown(on_failure_fail_dagrun=True)
    def drop_table():
        raise ValueError

    @task
    def work(number):
        return number

    outer, inner = drop_cluster(), drop_table()
    with cluster() >> outer:
        work(1)
        with table() >> inner:
            work(2) >> work(3)
        work(4)

with DAG("block_of_a_teardown", **ARGS):
    with op("t").as_teardown(setups=op("s").as_setup()):
        op("w1")
        op("w2") >> op("w3")

with DAG("block_of_a_setup", **ARGS):
    s = op("s").as_setup()
    op("t").as_teardown(setups=s)
    with s:
        op("w1") >> op("w2")
        op("w3")

with DAG("block_of_several", **ARGS):
    s, r = op("s").as_setup(), op("r").as_setup()
    op("t").as_teardown(setups=[s, r])
    with context_wrapper([s, r]):
        op("w1") >> op("w2")

with DAG("block_without_teardown", **ARGS):
    with op("s").as_setup():
        op("w1") >> op("w2")

for first, second in (("setup", "teardown"), ("teardown", "setup"), ("teardown", "teardown")):
    with DAG(f"block_of_a_{second}_in_one_of_a_{first}", **ARGS):
        s, r = op("s").as_setup(), op("r").as_setup()
        u, t = op("u").as_teardown(setups=s), op("t").as_teardown(setups=r)
        with s if first == "setup" else u:
            op("w1")
            with r if second == "setup" else t:
                op("w2") >> op("w3")
            op("w4")
