"""Values: what can be pushed and pulled, rendered and asked of the context."""

from __future__ import annotations

import datetime as dt
import enum
from collections import namedtuple
from decimal import Decimal
from typing import Any, TypedDict

from airflow import DAG
from airflow.decorators import dag, task
from airflow.exceptions import AirflowSkipException
from airflow.models import Variable
from airflow.models.baseoperator import BaseOperator
from airflow.models.param import Param
from airflow.operators.python import PythonOperator, get_current_context

START = dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)
Point = namedtuple("Point", "x y")  # noqa: PYI024


class Colour(str, enum.Enum):
    RED = "red"


class Pair(TypedDict):
    a: int
    b: str


VALUES = {
    "none": None,
    "int": 3,
    "big": 2**60 + 1,
    "floats": [2.0, -0.0, 1e300],
    "small": 0.1,
    "text": "line\nend ü",
    "list": [1, [2, {"k": None}]],
    "tuple": (1, (2, 3)),
    "set": {3, 1, 2},
    "point": Point(1, 2),
    "moment": dt.datetime(2024, 5, 6, 7, 8, 9, 10, tzinfo=dt.timezone.utc),
    "delta": dt.timedelta(days=1, seconds=2),
    "decimal": Decimal("1.50"),
    "colour": Colour.RED,
    "keys": {1: "one", "two": 2},
    "true": True,
}

with DAG("xcoms", start_date=START, schedule=None, catchup=False) as xcoms:

    def give(name):
        return VALUES[name]

    def push(ti):
        ti.xcom_push(key="a", value=(1, 2))
        ti.xcom_push("b", {"x": {1}})
        ti.xcom_push(key="gone", value=None)

    def take(ti, **context):
        names = sorted(VALUES)
        pulled = ti.xcom_pull(task_ids=[f"give_{name}" for name in names])
        return {
            "many": [
                repr(value) if isinstance(value, (dt.timedelta, Decimal)) else value for value in pulled
            ],
            "types": [type(value).__name__ for value in pulled],
            "one": ti.xcom_pull(task_ids="give_tuple"),
            "key": ti.xcom_pull(task_ids="push", key="b"),
            "missing": ti.xcom_pull(task_ids="push", key="nothing"),
            "default": ti.xcom_pull(task_ids="push", key="nothing", default="d"),
            "own": ti.xcom_pull(task_ids="take", key="mine"),
            "null": ti.xcom_pull(task_ids="push", key="gone", default="d"),
            "keys": sorted(
                key for key in context if key in ("ds", "params", "dag", "conf", "execution_date", "var")
            ),
        }

    pushed = PythonOperator(task_id="push", python_callable=push)
    silent = PythonOperator(task_id="silent", python_callable=lambda: 5, do_xcom_push=False)
    taken = PythonOperator(task_id="take", python_callable=take)
    for name in VALUES:
        PythonOperator(task_id=f"give_{name}", python_callable=give, op_kwargs={"name": name}) >> taken
    [pushed, silent] >> taken


def halve(x):
    return x / 2


with DAG(
    "templates",
    start_date=START,
    schedule=None,
    catchup=False,
    params={"size": 3, "name": Param("n", type="string"), "table": "t"},
    user_defined_macros={"double": lambda x: x * 2, "team": "data", "ds": "never"},
    user_defined_filters={"halve": halve},
    default_args={"params": {"extra": [1, 2]}, "owner": "someone"},
) as templates:

    class Record(BaseOperator):
        template_fields = ("text", "nested", "query")
        template_ext = (".sql",)

        def __init__(self, *, text, nested=None, query="", marker="m", **kwargs):
            super().__init__(**kwargs)
            self.text = text
            self.nested = nested
            self.query = query
            self.marker = marker

        def execute(self, context):
            return [self.text, self.nested, self.query, self.marker]

    class Inner:
        template_fields = ("value",)

        def __init__(self, value):
            self.value = value

    DATES = (
        "{{ ds }}|{{ ds_nodash }}|{{ ts }}|{{ ts_nodash }}|{{ ts_nodash_with_tz }}|{{ logical_date }}"
        "|{{ data_interval_start }}|{{ data_interval_end | ds }}|{{ task_instance_key_str }}|{{ dag.dag_id }}"
        "|{{ task.task_id }}|{{ ti.try_number }}|{{ dag_run.conf }}|{{ dag_run.run_type }}|{{ task.owner }}"
        "|{{ prev_start_date_success }}|{{ logical_date | ts_nodash }}|{{ logical_date.add(days=1) | ds_nodash }}"
    )
    dates = Record(task_id="dates", text=DATES)
    macros = Record(
        task_id="macros",
        text="{{ macros.ds_add(ds, 5) }}|{{ macros.ds_format(ds, '%Y-%m-%d', '%d.%m.%y') }}"
        "|{{ macros.datetime(2020, 1, 2).year }}|{{ macros.timedelta(days=2).days }}|{{ macros.json.dumps([1]) }}",
        nested={"a": ["{{ double(4) }}", ("{{ team }}", 5)], "b": {"{{ 1 }}"}, "c": None},
        query="sql/day.sql",
    )
    settings = Record(
        task_id="settings",
        text="{{ var.value.region }}|{{ var.json.limits.high }}|{{ var.value.get('nope', 'fallback') }}"
        "|{{ conn.shop.host }}|{{ conn.shop.extra_dejson.timeout }}|{{ params.size }}|{{ params.extra }}|{{ 8 | halve }}",
        params={"size": 4},
    )
    strict = Record(task_id="strict", text="{{ no_such_name }}")
    newline = Record(task_id="newline", text="plain\n", nested=["{# c #}x\n", "a\r\nb"], marker="{{ ds }}")
    literal = PythonOperator(
        task_id="python",
        python_callable=lambda *args, templates_dict, **kw: [
            list(args),
            templates_dict,
            kw["word"],
            kw["params"]["size"],
        ],
        op_args=["{{ ds }}", ["{{ 1 + 1 }}", 3]],
        op_kwargs={"word": "{{ team }}"},
        templates_dict={"q": "sql/day.sql", "t": "{{ ds }}"},
        templates_exts=[".sql"],
    )

with DAG(
    "native",
    start_date=START,
    schedule=None,
    catchup=False,
    render_template_as_native_obj=True,
    params={"n": 3},
) as native:

    @task
    def show(value, other, text):
        return [value, type(value).__name__, other, type(other).__name__, text]

    show("{{ [1, params.n] }}", {"k": "{{ params.n }}"}, "n: {{ params.n }}")


@dag(start_date=START, schedule=None, catchup=False)
def taskflow(size: int = 2, label="x"):
    """Text."""

    @task
    def one(n, label) -> dict[str, Any]:
        return {"n": n, "label": label}

    @task()
    def pair() -> Pair:
        return {"a": 1, "b": "two"}

    @task(multiple_outputs=False)
    def plain() -> dict:
        return {"k": 1}

    @task
    def nested(values, *rest, key=None, ds=None, ti=None):
        context = get_current_context()
        return {
            "values": values,
            "rest": rest,
            "key": key,
            "ds": ds,
            "same": context["ti"].task_id == ti.task_id,
        }

    @task
    def gathered(**kwargs):
        return sorted(key for key in kwargs if key in ("a", "b", "ds", "ti"))

    @task
    def nothing():
        return None

    @task
    def told(value):
        return f"got {value}"

    first = one(size, label)
    second = pair()

    def closure(offset):
        @task(task_id=f"closed_{offset}")
        def inner(x):
            return x + offset

        return inner

    nested([first["n"], {"deep": (second["a"], [second])}], plain(), key=first["label"])
    gathered(a=1, b=first)
    told(nothing())
    told.override(task_id="renamed", retries=1)(closure(10)(first["n"]))
    closure(20)(x=5)
    second >> told("{{ ti.xcom_pull(task_ids='pair')['b'] }}")


taskflow()

with DAG("mistakes", start_date=START, schedule=None, catchup=False) as mistakes:

    @task(multiple_outputs=True)
    def no_dict():
        return [1]

    @task(multiple_outputs=True)
    def int_keys():
        return {1: 2}

    @task
    def unserialisable():
        return object()

    @task
    def pushes_then_fails(ti=None):
        ti.xcom_push("progress", 7)
        raise ValueError("halfway")

    @task
    def pushes_then_skips(ti=None):
        ti.xcom_push("progress", 8)
        raise AirflowSkipException("enough")

    @task
    def missing_variable():
        return Variable.get("no_such_variable")

    @task
    def default_variable():
        return [Variable.get("no_such_variable", None), Variable.get("limits", deserialize_json=True)]

    @task(trigger_rule="all_done")
    def after(value):
        return value

    no_dict()
    int_keys()
    unserialisable()
    failing = pushes_then_fails()
    pushes_then_skips()
    missing_variable()
    default_variable()
    after(failing)
    after(failing["progress"])
