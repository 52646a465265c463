# ruff: noqa: B023, DTZ001
"""Mapped task groups: an instance of a task sees those with its own map index, a task outside sees all of them."""

import time
from datetime import datetime, timedelta

from airflow import DAG
from airflow.decorators import task, task_group
from airflow.exceptions import AirflowSkipException
from airflow.operators.bash import BashOperator
from airflow.operators.empty import EmptyOperator

COMMON = {"start_date": datetime(2024, 1, 1), "schedule": None}


@task
def numbers():
    return [1, 2, 3]


@task
def nothing():
    return []


@task
def boom():
    raise ValueError("boom")


@task
def skip():
    raise AirflowSkipException


@task
def double(x):
    return x * 2


@task
def both(x, y):
    return [x, y]


@task
def shown(xs):
    return [type(xs).__name__, str(xs), list(xs)]


@task
def some_fail(x):
    if x == 2:
        raise ValueError(x)
    if x == 3:
        time.sleep(1.5)  # a skip that comes before the failure would be seen before it
        raise AirflowSkipException
    return x


def end(**arguments):
    return EmptyOperator(task_id="end", **arguments)


@task_group
def doubled(x):
    return both(double(x), x)


@task_group
def chain_of_three(x):
    second = double(double(x))
    second >> double.override(task_id="in_any_case", trigger_rule="all_done")(x)


with DAG("group_literal", **COMMON):
    shown(doubled.expand(x=[1, 2]))
with DAG("group_xcom", **COMMON):
    shown(doubled.expand(x=numbers()))
with DAG("group_of_one", **COMMON):
    shown(doubled.expand(x=[5]))
with DAG("group_cross_product", **COMMON):

    @task_group
    def pair(x, y):
        both(x, y)

    pair.expand(x=numbers(), y=[1, 2])
with DAG("group_kwargs", **COMMON):

    @task_group
    def sets(x, y):
        both(x, y)

    sets.expand_kwargs([{"x": 1, "y": 2}, {"x": 3, "y": 4}])
with DAG("group_nested", **COMMON):

    @task_group
    def inner(x):
        return double(x)

    @task_group
    def outer(x):
        return both(inner(x), x)

    shown(outer.expand(x=[1, 2]))
with DAG("group_with_fixed_task", **COMMON):

    @task_group
    def mixed(x):
        double(x)
        double.override(task_id="fixed")(7)

    mixed.expand(x=numbers())

with DAG("group_some_fail", **COMMON):

    @task_group
    def some(x):
        below = double(some_fail(x))
        below >> double.override(task_id="in_any_case", trigger_rule="all_done")(x)
        below >> EmptyOperator(task_id="empty", trigger_rule="none_failed")
        below >> EmptyOperator(task_id="strict")

    some.expand(x=numbers()) >> [
        EmptyOperator(task_id="all_success"),
        EmptyOperator(task_id="all_done", trigger_rule="all_done"),
        EmptyOperator(task_id="one_success", trigger_rule="one_success"),
    ]
with DAG("group_zero", **COMMON):
    chain_of_three.expand(x=nothing()) >> end()
with DAG("group_zero_literal", **COMMON):
    chain_of_three.expand(x=[]) >> end()
with DAG("group_over_a_failure", **COMMON):
    chain_of_three.expand(x=boom()) >> end()
with DAG("group_over_a_skip", **COMMON):
    chain_of_three.expand(x=skip()) >> end()
with DAG("group_literal_behind_a_failure", **COMMON):
    boom() >> chain_of_three.expand(x=[1, 2]) >> end()
with DAG("group_that_needs_another_task", **COMMON):
    others = numbers()

    @task_group
    def needs(x):
        both(double(x), others)

    needs.expand(x=[1, 2])
with DAG("group_that_needs_a_failed_task", **COMMON):
    failed = boom()

    @task_group
    def in_need(x):
        both(double(x), failed) >> EmptyOperator(task_id="empty", trigger_rule="all_done")

    in_need.expand(x=numbers())
with DAG("group_literal_that_needs_a_failed_task", **COMMON):
    failed = boom()

    @task_group
    def in_literal_need(x):
        both(double(x), failed)

    in_literal_need.expand(x=[1, 2])
with DAG("group_retries", **COMMON):

    @task_group
    def retried(x):
        @task(retries=2, retry_delay=timedelta(seconds=1))
        def flaky(x, ti=None):
            if ti.try_number <= x:
                raise ValueError(x)
            return ti.try_number

        double(flaky(x))

    retried.expand(x=[0, 1, 3])
with DAG("group_pulls", **COMMON):

    @task_group
    def pulling(x):
        value = double(x)

        @task
        def pulled(ti=None):
            return [ti.map_index, ti.xcom_pull(task_ids="pulling.double", map_indexes=ti.map_index)]

        value >> pulled()
        template = "{{ ti.xcom_pull(task_ids='pulling.double', map_indexes=ti.map_index) }}"
        value >> BashOperator(task_id="shell", bash_command=f"echo value {template}")

    pulling.expand(x=[1, 2])

with DAG("group_branches", **COMMON):

    @task_group
    def forks(x):
        @task.branch
        def choose(x):
            return "forks.a" if x == 1 else "forks.b"

        join = EmptyOperator(task_id="join", trigger_rule="none_failed_min_one_success")
        choose(x) >> [EmptyOperator(task_id="a"), double.override(task_id="b")(x)] >> join

    forks.expand(x=[1, 2, 3])
with DAG("group_short_circuits", **COMMON):

    @task_group
    def stops(x):
        @task.short_circuit
        def only_one(x):
            return x == 1

        last = EmptyOperator(task_id="last", trigger_rule="all_done")
        only_one(x) >> double.override(task_id="first")(x) >> last

    stops.expand(x=[1, 2])
for name, items in (("literal", [1, 2]), ("open", None)):
    with DAG(f"group_below_branch_{name}", **COMMON):

        @task.branch
        def branch():
            return "other"

        branch() >> [doubled.expand(x=items or numbers()), EmptyOperator(task_id="other")]
    with DAG(f"group_below_short_circuit_{name}", **COMMON):

        @task.short_circuit
        def stop():
            return False

        stop() >> chain_of_three.expand(x=items or numbers())

with DAG("group_mapped_over", **COMMON):

    @task_group
    def each(x):
        return double(x)

    double.override(task_id="after").expand(x=each.expand(x=[1, 2]))
with DAG("group_of_lists_mapped_over", **COMMON):

    @task_group
    def lists(x):
        return both(x, x)

    double.expand(x=lists.expand(x=[1, 2]))
with DAG("group_in_group_arguments", **COMMON):

    @task_group
    def first(x):
        return double(x)

    @task_group
    def second(x, y):
        double.override(task_id="of_y")(y) >> shown(x)

    second.partial(x=first.expand(x=[1, 2])).expand(y=["a", "b"])

for name, items in (("literal", [1, 2, 3]), ("open", None)):
    with DAG(f"group_does_not_nest_{name}", **COMMON):

        @task_group
        def zigzag(x):
            left, right = some_fail(x), double(x)
            double.override(task_id="of_left")(left) >> EmptyOperator(task_id="empty")
            both(left, right)
            right >> EmptyOperator(task_id="of_right") >> double.override(task_id="last")(x)

        zigzag.expand(x=items or numbers()) >> end(trigger_rule="all_done")
    for member in (double, some_fail):
        with DAG(f"group_setup_{name}_{member.function.__name__}", **COMMON):

            @task_group
            def prepared(x):
                first = member.override(task_id="s")(x).as_setup()
                last = double.override(task_id="t")(x).as_teardown(setups=first)
                work = some_fail.override(task_id="work")(x)
                below = double.override(task_id="below", trigger_rule="all_done")(x)
                first >> work >> [below, EmptyOperator(task_id="empty", trigger_rule="all_done")] >> last

            prepared.expand(x=items or numbers()) >> [
                EmptyOperator(task_id="one_failed", trigger_rule="one_failed"),
                end(trigger_rule="none_failed"),
            ]
    with DAG(f"group_teardown_fails_{name}", **COMMON):

        @task_group
        def cleaned(x):
            first = double(x).as_setup()
            last = some_fail(x).as_teardown(setups=first, on_failure_fail_dagrun=True)
            first >> EmptyOperator(task_id="work") >> last

        cleaned.expand(x=items or numbers()) >> end()
    with DAG(f"group_setup_without_teardown_{name}", **COMMON):

        @task_group
        def only_prepared(x):
            last = double.override(task_id="in_any_case", trigger_rule="all_done")(x)
            some_fail(x).as_setup() >> double(x) >> last

        only_prepared.expand(x=items or numbers()) >> [
            EmptyOperator(task_id="all_done", trigger_rule="all_done") >> end(trigger_rule="all_done")
        ]
    with DAG(f"group_torn_down_outside_{name}", **COMMON):

        @task_group
        def begun(x):
            some_fail(x).as_setup() >> double(x)

        last = end()
        (
            begun.expand(x=items or numbers())
            >> EmptyOperator(task_id="between", trigger_rule="all_done")
            >> last
        )
        last.as_teardown(setups=last.dag.get_task("begun.some_fail"))
    for outcome in (double, boom):
        with DAG(f"group_tears_down_{name}_{outcome.function.__name__}", **COMMON):
            outside = (boom() if outcome is boom else numbers.override(task_id="outside")()).as_setup()

            @task_group
            def ended(x):
                last = double.override(task_id="t")(x).as_teardown(setups=outside)
                some_fail(x) >> double.override(task_id="below", trigger_rule="all_done")(x) >> last

            outside >> ended.expand(x=items or numbers()) >> end(trigger_rule="all_done")
    with DAG(f"group_short_circuits_before_teardown_{name}", **COMMON):

        @task_group
        def stopped(x):
            @task.short_circuit
            def only_one(x):
                return x == 1

            first = double.override(task_id="s")(x).as_setup()
            last = double.override(task_id="t")(x).as_teardown(setups=first)
            first >> only_one(x) >> double.override(task_id="work")(x) >> last

        stopped.expand(x=items or numbers()) >> end(trigger_rule="all_done")
