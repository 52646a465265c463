# ruff: noqa: DTZ001
"""Mapped tasks: what they may be expanded over, how they fail and skip, and what later tasks see of them."""

import time
from datetime import datetime, timedelta

from airflow import DAG
from airflow.decorators import task
from airflow.exceptions import AirflowSkipException
from airflow.operators.bash import BashOperator
from airflow.operators.empty import EmptyOperator
from airflow.operators.python import PythonOperator, get_current_context

COMMON = {"start_date": datetime(2024, 1, 1), "schedule": None}


@task
def numbers():
    return [1, 2, 3]


@task
def pair_of_numbers():
    return (4, 5)


@task
def mapping():
    return {"a": 1, "b": 2}


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
def total(xs):
    return sum(xs)


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


with DAG("map_literal", **COMMON):
    total(double.expand(x=[1, 2, 3]))
with DAG("map_xcom", **COMMON):
    total(double.expand(x=numbers()))
with DAG("map_cross_product", **COMMON):
    both.expand(x=numbers(), y=["a", "b"])
with DAG("map_literal_dict", **COMMON):
    double.expand(x={"k": 1})
with DAG("map_dict", **COMMON):
    double.expand(x=mapping())
with DAG("map_tuple", **COMMON):
    double.expand(x=pair_of_numbers())
with DAG("map_partial", **COMMON):
    both.partial(y=numbers()).expand(x=pair_of_numbers())

with DAG("map_zero", **COMMON):
    total(double.expand(x=nothing())) >> end(trigger_rule="all_done")
with DAG("map_zero_literal", **COMMON):
    double.expand(x=[]) >> end()
with DAG("map_zero_behind_a_failure", **COMMON):
    boom() >> double.expand(x=[])
with DAG("map_zero_times_some", **COMMON):
    both.expand(x=nothing(), y=["a", "b"])

with DAG("map_over_none", **COMMON):

    @task
    def none():
        return None

    double.expand(x=none())
with DAG("map_over_text", **COMMON):

    @task
    def text():
        return "abc"

    double.expand(x=text())
with DAG("map_over_too_much", **COMMON):

    @task
    def too_much():
        return list(range(1025))

    double.expand(x=too_much())

with DAG("map_some_fail", **COMMON):
    found = some_fail.expand(x=numbers())
    shown(found)
    shown.override(task_id="what_there_is", trigger_rule="all_done")(found)
    for rule in (
        "all_done",
        "one_success",
        "none_failed",
        "one_failed",
        "all_skipped",
        "all_failed",
        "none_skipped",
    ):
        found >> EmptyOperator(task_id=rule, trigger_rule=rule)
with DAG("map_leaf_fails", **COMMON):
    some_fail.expand(x=[1, 2])
with DAG("map_literal_behind_a_failure", **COMMON):
    boom() >> double.expand(x=[1, 2]) >> end()
with DAG("map_literal_behind_a_skip", **COMMON):
    skip() >> double.expand(x=[1, 2]) >> end()
with DAG("map_over_a_failure", **COMMON):
    double.expand(x=boom()) >> end()
with DAG("map_over_a_skip", **COMMON):
    double.expand(x=skip()) >> end()
with DAG("map_over_a_failure_in_any_case", **COMMON):
    double.override(trigger_rule="all_done").expand(x=boom()) >> end()
with DAG("map_over_a_skip_in_any_case", **COMMON):
    double.override(trigger_rule="all_done").expand(x=skip()) >> end()
    nothing_at_all = double.override(task_id="of_none").expand(x=nothing())
    double.override(task_id="over_none", trigger_rule="all_done").expand(x=nothing_at_all)
with DAG("map_behind_another_failure", **COMMON):
    boom() >> double.expand(x=numbers())
with DAG("map_literal_in_any_case", **COMMON):
    boom() >> double.override(trigger_rule="all_done").expand(x=[1, 2])
with DAG("map_retries", **COMMON):

    @task(retries=2, retry_delay=timedelta(seconds=2))
    def flaky(x, ti=None):
        if ti.try_number <= x:
            raise ValueError(x)
        return [x, ti.try_number, ti.map_index]

    flaky.expand(x=[0, 1, 2, 3])

with DAG("map_over_mapped", **COMMON):
    total(double.override(task_id="again").expand(x=double.expand(x=numbers())))
with DAG("map_over_what_there_is", **COMMON):
    double.override(trigger_rule="all_done").expand(x=some_fail.expand(x=numbers()))
with DAG("map_through_function", **COMMON):

    def plus_ten(x):
        if x == 2:
            raise AirflowSkipException
        return x + 10

    shown.override(trigger_rule="none_failed")(double.expand(x=numbers().map(plus_ten)))
with DAG("map_through_failing_function", **COMMON):

    def fails(x):
        if x == 2:
            raise ValueError(x)
        return x + 10

    double.override(retries=1, retry_delay=timedelta(seconds=1)).expand(x=numbers().map(fails))
with DAG("map_zip", **COMMON):
    double.expand(x=numbers().zip(pair_of_numbers()))
with DAG("map_zip_filled", **COMMON):
    double.expand(x=numbers().zip(pair_of_numbers(), fillvalue=0))
with DAG("map_concat", **COMMON):
    double.expand(x=numbers().concat(pair_of_numbers(), mapping()))

with DAG("map_literal_kwargs", **COMMON):
    both.expand_kwargs([{"x": 1, "y": 2}, {"x": 3, "y": 4}])
with DAG("map_kwargs", **COMMON):

    @task
    def sets():
        return [{"x": 1, "y": 2}, {"x": 3, "y": 4}]

    both.expand_kwargs(sets())
    both.override(task_id="given_twice").partial(y=1).expand_kwargs(sets.override(task_id="other_sets")())
with DAG("map_kwargs_through_function", **COMMON):
    both.expand_kwargs(numbers().map(lambda x: {"x": x, "y": -x}))
with DAG("map_kwargs_that_are_none", **COMMON):
    both.expand_kwargs(numbers())

with DAG("map_operators", params={"p": 1}, **COMMON):
    BashOperator.partial(task_id="bash", env={"Z": "{{ ds }}"}).expand(
        bash_command=["echo {{ ds }} $Z", "echo number {{ ti.map_index }}"]
    )
    PythonOperator.partial(task_id="python", python_callable=lambda *args: list(args)).expand(
        op_args=[[1], [2, 3]]
    )
    PythonOperator.partial(task_id="params", python_callable=lambda params: params["p"]).expand(
        params=[{"p": 2}, {"p": 3}]
    )
with DAG("map_templates", **COMMON):

    @task
    def templates():
        return ["{{ ds }}", "x"]

    double.expand(x=templates())
    double.override(task_id="literal").expand(x=["{{ ds }}", "x"])
with DAG("map_index_template", **COMMON):

    @task(map_index_template="{{ mine }}")
    def named(x):
        get_current_context()["mine"] = f"n{x}"
        return x

    @task(map_index_template="{{ missing.x.y }}")
    def badly_named(x):
        return x

    named.expand(x=[1, 2])
    badly_named.expand(x=[1, 2])
with DAG("map_context", **COMMON):

    @task
    def context(x, **context):
        ti = context["ti"]
        return [x, context.get("expanded_ti_count"), ti.map_index, context["task"].task_id, ti.task.task_id]

    context.expand(x=[1, 2])

with DAG("map_seen_later", **COMMON):
    doubled = double.expand(x=numbers())
    shown(doubled)

    @task
    def pulled(ti=None):
        def plain(value):
            return value if value is None or isinstance(value, int) else [type(value).__name__, *value]

        return [
            plain(ti.xcom_pull(task_ids="double")),
            plain(ti.xcom_pull(task_ids="double", map_indexes=1)),
            plain(ti.xcom_pull(task_ids="double", map_indexes=[2, 0])),
            plain(ti.xcom_pull(task_ids="double", map_indexes=7, default=-1)),
            plain(ti.xcom_pull(task_ids="double", map_indexes=None)),
            plain(ti.xcom_pull(task_ids="double", key="other")),
            plain(ti.xcom_pull(task_ids=["double", "numbers"])),
            plain(ti.xcom_pull(task_ids=["double"], map_indexes=1)),
            plain(ti.xcom_pull(task_ids="numbers", map_indexes=-1)),
        ]

    doubled >> pulled()
    doubled >> BashOperator(task_id="shell", bash_command="echo seen: {{ ti.xcom_pull(task_ids='double') }}")
with DAG("map_one_seen_later", **COMMON):
    doubled = double.expand(x=[5])
    shown(doubled)

    @task
    def pulled_one(ti=None):
        value = ti.xcom_pull(task_ids="double")
        return [type(value).__name__, str(value)]

    doubled >> pulled_one()
with DAG("map_returned_again", **COMMON):

    @task
    def same(xs):
        return xs

    @task
    def inside(xs):
        return {"xs": xs}

    doubled = double.expand(x=numbers())
    same(doubled)
    inside(doubled)
with DAG("map_multiple_outputs", **COMMON):

    @task
    def two(x) -> dict:
        return {"a": x, "b": -x}

    shown(two.expand(x=[1, 2])["a"])

with DAG("map_below_branch", **COMMON):

    @task.branch
    def branch():
        return ["numbers"]

    items = numbers()
    chosen = branch()
    chosen >> items
    chosen >> double.override(task_id="literal").expand(x=[1, 2])
    chosen >> double.override(task_id="open").expand(x=items)
with DAG("map_below_short_circuit", **COMMON):

    @task.short_circuit
    def stop():
        return False

    stopped = stop()
    literal = double.override(task_id="literal").expand(x=[1, 2])
    stopped >> literal >> double.override(task_id="further", trigger_rule="all_done").expand(x=[1, 2])
    stopped >> double.override(task_id="open").expand(x=numbers())
with DAG("map_branches", **COMMON):

    @task.branch
    def branches(x):
        return "a" if x == 1 else "b"

    branches.expand(x=[1, 2]) >> [
        EmptyOperator(task_id="a"),
        EmptyOperator(task_id="b"),
        double.override(task_id="literal").expand(x=[1, 2, 3]),
        double.override(task_id="open").expand(x=numbers()),
    ]
with DAG("map_short_circuits", **COMMON):

    @task.short_circuit
    def only_one(x):
        return x == 1

    stopped = only_one.expand(x=[1, 2])
    stopped >> [EmptyOperator(task_id="a"), double.override(task_id="literal").expand(x=[1, 2, 3])] >> end()
