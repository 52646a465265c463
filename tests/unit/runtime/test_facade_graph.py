"""Ids, edges and default arguments of DAGs made with the facade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.runtime.loading import describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from orkestra_bridge.runtime.handler import Package

HEAD = """
from datetime import datetime, timedelta
from airflow.sdk import DAG, BaseOperator, Label, Param, TaskGroup, XComArg, chain, chain_linear, cross_downstream
from airflow.sdk import setup, task, task_group, teardown
from airflow.operators.empty import EmptyOperator as E
from airflow.operators.python import PythonOperator
ARGS = dict(start_date=datetime(2024, 1, 1), schedule=None)
"""


def edges(package: Package) -> dict[str, list[str]]:
    return {task_id: task["upstream"] for task_id, task in describe(package.dag).items()}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a >> [b, c] >> d", {"b": ["a"], "c": ["a"], "d": ["b", "c"]}),
        ("d << [b, c] << a", {"b": ["a"], "c": ["a"], "d": ["b", "c"]}),
        ("a >> Label('x') >> b >> Label('y') >> [c, d]", {"b": ["a"], "c": ["b"], "d": ["b"]}),
        ("[a, b] >> Label('x') >> c", {"c": ["a", "b"]}),
        ("c << Label('x') << a", {"c": ["a"]}),
        ("chain(a, [b, c], d)", {"b": ["a"], "c": ["a"], "d": ["b", "c"]}),
        ("chain([a, b], [c, d])", {"c": ["a"], "d": ["b"]}),
        ("chain(a, Label('x'), b)", {"b": ["a"]}),
        ("chain_linear([a, b], [c, d])", {"c": ["a", "b"], "d": ["a", "b"]}),
        ("cross_downstream([a, b], [c, d])", {"c": ["a", "b"], "d": ["a", "b"]}),
        ("a.set_downstream([b]); d.set_upstream(b)", {"b": ["a"], "d": ["b"]}),
        ("dag.set_dependency('a', 'd')", {"d": ["a"]}),
    ],
)
def test_edges(unpack: Callable[..., Package], body: str, expected: dict[str, list[str]]) -> None:
    made = "with DAG('d', **ARGS) as dag:\n    a, b, c, d = (E(task_id=name) for name in 'abcd')\n"
    package = unpack(f"{HEAD}{made}    {body}\n")
    assert edges(package) == {name: expected.get(name, []) for name in "abcd"}


def test_groups_prefix_ids_and_stand_for_their_ends(unpack: Callable[..., Package]) -> None:
    package = unpack(
        HEAD
        + """
with DAG('d', **ARGS):
    start, end = E(task_id='start'), E(task_id='end')
    with TaskGroup('g') as g:
        a = E(task_id='a')
        with TaskGroup('inner', prefix_group_id=False):
            b = E(task_id='b')
        with TaskGroup('empty') as empty:
            pass
        a >> b >> empty
    start >> g >> end
    @task_group
    def twice(x):
        task(lambda x: x, task_id='t')(x)
    twice(1) >> twice(2)
"""
    )
    assert edges(package) == {
        "start": [],
        "g.a": ["start"],
        "b": ["g.a"],
        "end": ["b"],
        "twice.t": [],
        "twice__1.t": ["twice.t"],
    }


def test_references_draw_edges_however_deep(unpack: Callable[..., Package]) -> None:
    package = unpack(
        HEAD
        + """
with DAG('d', **ARGS):
    @task
    def one(x=None, **more):
        return x
    first, second = one(), one()
    third = one({'k': [first, ('x', second['part'])]}, more={first['a']})
    op = PythonOperator(task_id='op', python_callable=print, op_kwargs={'v': third})
    late = PythonOperator(task_id='late', python_callable=print)
    late.op_args = [op.output]
    one.override(task_id='mapped').partial(y=third).expand(x=[1, 2]) >> E(task_id='end')
    PythonOperator.partial(task_id='wide', python_callable=print).expand(op_args=first.map(lambda v: [v]))
    one.expand_kwargs(second.zip(first))
    E.partial(task_id='plain', owner=second['name'], doc=op.output).expand(depends_on_past=first)
    @task_group
    def per(x):
        one.override(task_id='inside')(x)
    per.expand(x=first.concat(second))
"""
    )
    assert edges(package) == {
        "one": [],
        "one__1": [],
        "one__2": ["one", "one__1"],
        "op": ["one__2"],
        "late": ["op"],
        "mapped": ["one__2"],
        "end": ["mapped"],
        "wide": ["one"],
        "one__3": ["one", "one__1"],
        "plain": ["one"],
        "per.inside": ["one", "one__1"],
    }
    operators = {task_id: task["operator"] for task_id, task in describe(package.dag).items()}
    assert operators["one"] == operators["mapped"] == "_PythonDecoratedOperator"
    assert operators["wide"] == "PythonOperator"


def test_setups_and_teardowns_stand_around_their_work(unpack: Callable[..., Package]) -> None:
    package = unpack(
        HEAD
        + """
with DAG('d', **ARGS):
    @setup
    def create(): ...
    @teardown(on_failure_fail_dagrun=True)
    def delete(): ...
    with create() >> delete() as scope:
        w1 = E(task_id='w1')
        w2 = E(task_id='w2')
        w1 >> w2
    E(task_id='plain') >> E(task_id='down').as_teardown(setups=E(task_id='up'))
"""
    )
    dag = package.dag
    assert edges(package) == {
        "create": [],
        "delete": ["create", "w2"],
        "w1": ["create"],
        "w2": ["w1"],
        "plain": [],
        "down": ["plain", "up"],
        "up": [],
    }
    assert dag.get_task("delete").on_failure_fail_dagrun
    assert dag.get_task("down").trigger_rule == "all_done_setup_success"
    assert dag.get_task("up").is_setup


def test_default_arguments_reach_every_level(unpack: Callable[..., Package]) -> None:
    package = unpack(
        HEAD
        + """
class Mine(BaseOperator):
    def __init__(self, bucket, *, key='k', **kwargs):
        super().__init__(**kwargs)
        self.bucket, self.key = bucket, key

class Fixed(Mine):
    def __init__(self, **kwargs):
        super().__init__(bucket='fixed', **kwargs)

with DAG('d', default_args={'bucket': 'b', 'retries': 2, 'retry_delay': 30, 'params': {'x': 1}, 'word': 'w'},
         params={'y': 2}, **ARGS):
    with TaskGroup('g', default_args={'retries': 3, 'owner': 'group'}):
        Mine(task_id='in_group', key='own', default_args={'owner': 'task'})
    Mine(task_id='out', retries=0, params={'x': 5})
    Fixed(task_id='fixed')
    @task
    def f(word): ...
    f()
"""
    )
    dag = package.dag
    inside, out = dag.get_task("g.in_group"), dag.get_task("out")
    assert (inside.bucket, inside.key, inside.retries, inside.owner) == ("b", "own", 3, "task")
    assert (out.bucket, out.retries, out.owner, out.retry_delay.total_seconds()) == ("b", 0, "airflow", 30)
    assert dict(out.params) == {"x": 5, "y": 2}
    assert dag.get_task("fixed").bucket == "fixed"
    assert dag.get_task("f").op_kwargs == {"word": "w"}


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        ("E(task_id='a'); E(task_id='a')", "DuplicateTaskIdFound", "'a' has already been added"),
        ("TaskGroup('g'); TaskGroup('g')", "DuplicateTaskIdFound", "group_id 'g'"),
        ("E('a')", "TypeError", "keyword arguments"),
        ("PythonOperator(task_id='a')", "TypeError", "missing keyword argument 'python_callable'"),
        ("E(task_id='a') >> 3", "AirflowException", "received int"),
        ("chain([E(task_id='a')], [E(task_id='b'), E(task_id='c')])", "AirflowException", "different length"),
        ("task(lambda x: x, task_id='t')()", "TypeError", "missing a required argument: 'x'"),
        ("task(lambda x: x, task_id='t').expand()", "TypeError", "no arguments"),
        ("task(lambda x: x, task_id='t').expand(x=3)", "ValueError", "unexpected type 'int'"),
        ("task(lambda ds='x': x, task_id='t')()", "ValueError", "ds can't have a default"),
    ],
)
def test_mistakes_are_refused_as_in_airflow(
    unpack: Callable[..., Package], body: str, error: str, words: str
) -> None:
    with pytest.raises(Exception, match=words) as caught:
        unpack(f"{HEAD}with DAG('d', **ARGS):\n    {body}\n")
    assert type(caught.value).__name__ == error


def test_a_task_in_two_dags_is_refused(unpack: Callable[..., Package]) -> None:
    source = (
        "with DAG('d', **ARGS):\n    a = E(task_id='a')\nwith DAG('e', **ARGS):\n    a >> E(task_id='b')\n"
    )
    with pytest.raises(Exception, match="more than one DAG: d, e"):
        unpack(HEAD + source)


def test_version_2_takes_what_version_2_took(unpack: Callable[..., Package]) -> None:
    package = unpack(
        """
from airflow import DAG
from airflow.operators.dummy import DummyOperator
from airflow.utils.dates import days_ago
dag = DAG('d', schedule_interval='@daily', start_date=days_ago(2), concurrency=3)
a = DummyOperator(task_id='a', dag=dag, trigger_rule='dummy')
""",
        version="2.11.2",
    )
    dag: Any = package.dag
    assert dag.get_task("a").trigger_rule == "always"
    assert dag.schedule_interval == "@daily"
    assert dag.max_active_tasks == 3


def test_a_class_that_watches_its_arguments_is_told_of_each(unpack: Callable[..., Package]) -> None:
    package = unpack(
        HEAD
        + """
class Watching(BaseOperator):
    def __setattr__(self, name, value):
        self.__dict__.setdefault('seen', []).append(name)
        super().__setattr__(name, value)


class Doubling(BaseOperator):
    @property
    def retries(self):
        return self._retries

    @retries.setter
    def retries(self, value):
        self._retries = 2 * value


with DAG('d', default_args={'retries': 2}, **ARGS):
    Watching(task_id='watching'), Doubling(task_id='doubling'), E(task_id='plain')
"""
    )
    watching, doubling, plain = (package.dag.get_task(name) for name in ("watching", "doubling", "plain"))
    assert {"retries", "pool", "inlets"} <= set(watching.seen)
    assert (watching.retries, doubling.retries, plain.retries) == (2, 4, 2)


def test_tasks_do_not_share_what_they_were_not_given(unpack: Callable[..., Package]) -> None:
    package = unpack(HEAD + "with DAG('d', **ARGS):\n    E(task_id='a'), E(task_id='b')\n")
    one, other = package.dag.tasks
    one.add_inlets(["x"])
    one.executor_config["cpu"] = 1
    assert (other.inlets, other.outlets, other.executor_config) == ([], [], {})
