"""What is read from a DAG, the same from Airflow 2 and 3 where they mean the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.frontend.discovery import discover
from orkestra_bridge.frontend.loader import Frontend
from orkestra_bridge.ir.attributes import is_given
from orkestra_bridge.ir.model import (
    Attribute,
    Expansion,
    MappedGroup,
    Retry,
    ScheduleKind,
    SourceSpan,
    Task,
    Workflow,
)
from orkestra_bridge.ir.serialize import from_document, to_document

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.frontend.model import Environment

HEADER = """\
import os
from datetime import datetime, timedelta

from airflow import DAG

try:
    from airflow.sdk import TaskGroup, Variable, task, task_group
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.providers.standard.operators.python import PythonOperator, ShortCircuitOperator
except ImportError:
    from airflow.decorators import task, task_group
    from airflow.models import Variable
    from airflow.operators.bash import BashOperator
    from airflow.operators.empty import EmptyOperator
    from airflow.operators.python import PythonOperator, ShortCircuitOperator
    from airflow.utils.task_group import TaskGroup

# line 21
"""
SOURCE = """
def notify(context): ...


class LoudOperator(BashOperator):
    def __init__(self, *, volume=3, **kwargs):
        super().__init__(bash_command="echo loud", **kwargs)
        self.volume = volume


with DAG(
    "full",
    description="everything",
    schedule="30 6 * * 1-5",
    start_date=datetime(2024, 1, 1),
    end_date=datetime(2025, 1, 1),
    catchup=False,
    max_active_runs=3,
    dagrun_timeout=timedelta(hours=2),
    tags=["b", "a"],
    params={"size": 3, "names": ["x"]},
    render_template_as_native_obj=True,
    is_paused_upon_creation=True,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1), "owner": "me"},
) as full:
    full.doc_md = "About it."

    @task(multiple_outputs=True)
    def extract(day):
        return {"day": day}

    @task.branch(trigger_rule="none_failed")
    def choose(data):
        return "load"

    first = extract("{{ ds }}")
    with TaskGroup("inner", default_args={"retries": 7}):
        load = PythonOperator(
            task_id="load",
            python_callable=print,
            op_kwargs={"a": 1},
            retry_exponential_backoff=True,
            max_retry_delay=timedelta(minutes=10),
            execution_timeout=timedelta(seconds=90),
            on_failure_callback=notify,
        )
    choose(first) >> load
    quiet = LoudOperator(task_id="quiet", volume=1, depends_on_past=True)
    load >> quiet
    quiet.trigger_rule = "all_done"
    ShortCircuitOperator(task_id="short", python_callable=bool, ignore_downstream_trigger_rules=False) << quiet
    mapped = BashOperator.partial(task_id="mapped", retries=1).expand(bash_command=["a", "b"])
    make = EmptyOperator(task_id="make").as_setup()
    drop = EmptyOperator(task_id="drop").as_teardown(setups=make)
    make >> mapped >> drop

SECRET = os.environ.get("ORKESTRA_TEST_PASSWORD", "none")
for number in range(2):
    with DAG(f"loop_{number}", schedule=None, start_date=datetime(2024, 1, 1)):
        BashOperator(
            task_id="a",
            bash_command=f"login {SECRET} {Variable.get('orkestra_test_bucket')}",
            env={"P": SECRET},
        )
"""


def line_of(text: str) -> int:
    return next(number for number, line in enumerate((HEADER + SOURCE).splitlines(), 1) if text in line)


def load(environment: Environment, folder: Path) -> list[Workflow]:
    with Frontend(environment, parse_timeout=30, cache=None) as frontend:
        loaded = list(frontend.load(discover([folder]).files))
    assert [
        str(finding) for file in loaded for finding in file.findings if finding.severity.value != "info"
    ] == []
    return [workflow for file in loaded for workflow in file.workflows]


@pytest.fixture(scope="module")
def workflows(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> list[Workflow]:
    folder = tmp_path_factory.mktemp("dags")
    (folder / "etl.py").write_text(HEADER + SOURCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORKESTRA_TEST_PASSWORD", "very-secret-password")
        patch.setenv("AIRFLOW_VAR_ORKESTRA_TEST_BUCKET", "hidden-bucket")
        return load(environment, folder)


@pytest.fixture
def full(workflows: list[Workflow]) -> Workflow:
    return workflows[0]


def attributes(item: Task | Workflow) -> dict[str, Attribute]:
    return {attribute.name: attribute for attribute in item.attributes}


def values(item: Task | Workflow) -> dict[str, Any]:
    return {attribute.name: attribute.value for attribute in item.attributes}


def test_dags_come_in_the_order_in_which_they_are_made(workflows: list[Workflow]) -> None:
    assert [(dag.dag_id, dag.span) for dag in workflows] == [
        ("full", SourceSpan("etl.py", line_of("with DAG("))),
        ("loop_0", SourceSpan("etl.py", line_of("with DAG(f"))),
        ("loop_1", SourceSpan("etl.py", line_of("with DAG(f"))),
    ]


def test_dag(full: Workflow, environment: Environment) -> None:
    assert (full.description, full.tags, full.max_active_runs) == ("everything", ("a", "b"), 3)
    assert (full.start_date, full.end_date) == ("2024-01-01T00:00:00+00:00", "2025-01-01T00:00:00+00:00")
    assert (full.catchup, full.paused, full.render_native, full.dagrun_timeout) == (False, True, True, 7200.0)
    assert full.params == {"size": 3, "names": ["x"]}
    assert full.airflow_version == environment.airflow_version
    assert (full.schedule.kind, full.schedule.expressions) == (ScheduleKind.CRON, ("30 6 * * 1-5",))
    assert (full.schedule.text, full.schedule.timezone) == ("30 6 * * 1-5", "UTC")
    assert full.schedule.data_interval is (environment.airflow_major == 2)


def test_dag_attributes_are_what_differs_from_the_defaults(full: Workflow, environment: Environment) -> None:
    expected = {
        "default_args",
        "dagrun_timeout",
        "description",
        "doc_md",
        "end_date",
        "is_paused_upon_creation",
        "max_active_runs",
        "params",
        "render_template_as_native_obj",
        "schedule",
        "start_date",
        "tags",
    }
    if environment.airflow_major == 2:
        expected.add("catchup")  # True is the default there
    assert values(full).keys() == expected
    assert values(full)["doc_md"] == "About it."


def test_tasks_are_in_topological_order_with_their_places(full: Workflow) -> None:
    assert [task.task_id for task in full.tasks] == [
        "extract",
        "choose",
        "inner.load",
        "quiet",
        "short",
        "make",
        "mapped",
        "drop",
    ]
    assert full.task("extract").span == SourceSpan("etl.py", line_of('extract("{{ ds }}")'))
    assert full.task("mapped").span.line == line_of("mapped = ")
    assert full.task("quiet").span.line == line_of("quiet = ")


def test_task_kinds(full: Workflow) -> None:
    extract, choose, load, quiet = (full.task(name) for name in ("extract", "choose", "inner.load", "quiet"))
    assert (extract.decorator, choose.decorator, load.decorator) == ("@task", "@task.branch", None)
    assert load.operator == "PythonOperator"
    assert load.bases[0].endswith(".operators.python.PythonOperator")
    assert quiet.bases[0] == "etl.LoudOperator"
    assert choose.upstream == ("extract",)
    assert (choose.trigger_rule, quiet.trigger_rule, load.trigger_rule) == (
        "none_failed",
        "all_done",
        "all_success",
    )
    assert load.group == "inner"
    assert is_given(load.attributes, "on_failure_callback")
    assert not is_given(extract.attributes, "on_failure_callback")
    assert full.task("short").ignore_downstream_trigger_rules is False


def test_retries(full: Workflow) -> None:
    assert full.task("extract").retry == Retry(attempts=2, delay=60.0)
    assert full.task("inner.load").retry == Retry(attempts=7, delay=60.0, backoff=2.0, max_delay=600.0)
    assert full.task("mapped").retry == Retry(attempts=1, delay=60.0)
    assert full.task("inner.load").execution_timeout == 90.0


def test_task_attributes(full: Workflow) -> None:
    load = attributes(full.task("inner.load"))
    assert load["retries"] == Attribute(name="retries", value=7, inherited=True)
    assert load["op_kwargs"] == Attribute(name="op_kwargs", value={"a": 1}, of_class=True)
    assert load["python_callable"].value == "print"
    assert load["on_failure_callback"].value in ("notify", ["notify"])
    assert load["owner"].inherited
    assert values(full.task("quiet")) == {
        "retries": 2,
        "retry_delay": 60.0,
        "owner": "me",
        "depends_on_past": True,
        "trigger_rule": "all_done",
        "volume": 1,
        "bash_command": "echo loud",
    }
    assert values(full.task("extract"))["op_args"] == ["{{ ds }}"]
    assert values(full.task("choose"))["op_args"] == ["XCom of extract"]


def test_mapping_and_setup(full: Workflow) -> None:
    mapped, make, drop = full.task("mapped"), full.task("make"), full.task("drop")
    assert (mapped.mapped, make.mapped) == (True, False)
    assert values(mapped)["expand"] == {"bash_command": ["a", "b"]}
    assert attributes(mapped)["retries"].inherited is False
    assert (make.is_setup, make.is_teardown, drop.is_setup, drop.is_teardown) == (True, False, False, True)


def test_no_looked_up_value_is_in_the_result(workflows: list[Workflow]) -> None:
    looped = workflows[1]
    assert looped.variables == ("orkestra_test_bucket",)
    assert values(looped.tasks[0])["bash_command"] == "login *** ***"
    assert values(looped.tasks[0])["env"] == {"P": "***"}
    text = json.dumps([to_document(workflow) for workflow in workflows])
    assert "very-secret-password" not in text
    assert "hidden-bucket" not in text


def test_result_has_no_path_and_survives_json(workflows: list[Workflow], tmp_path: Path) -> None:
    for workflow in workflows:
        text = json.dumps(to_document(workflow), allow_nan=False)
        assert str(tmp_path.parent.parent) not in text
        assert from_document(json.loads(text)) == workflow


SCHEDULES = """
for name, schedule in {
    "none": None, "once": "@once", "hourly": "@hourly", "delta": timedelta(hours=6), "weekly": "@weekly",
}.items():
    globals()[name] = DAG(name, schedule=schedule, start_date=datetime(2024, 1, 1))
globals()["always"] = DAG("always", schedule="@continuous", start_date=datetime(2024, 1, 1), max_active_runs=1)
import pendulum
globals()["rome"] = DAG("rome", schedule="0 3 * * *", start_date=pendulum.datetime(2024, 1, 1, tz="Europe/Rome"))
"""


def test_schedules(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text(HEADER + SCHEDULES)
    found = {workflow.dag_id: workflow.schedule for workflow in load(environment, tmp_path)}
    assert {name: schedule.kind.value for name, schedule in found.items()} == {
        "none": "none",
        "once": "once",
        "hourly": "cron",
        "delta": "delta",
        "weekly": "cron",
        "always": "continuous",
        "rome": "cron",
    }
    assert (found["hourly"].expressions, found["hourly"].text) == (("0 * * * *",), "@hourly")
    assert (found["delta"].seconds, found["delta"].text) == (21600.0, "6:00:00")
    assert found["delta"].data_interval is (environment.airflow_major == 2)
    assert found["rome"].timezone == "Europe/Rome"


MAPPED_GROUP = """
with DAG("groups", schedule=None, start_date=datetime(2024, 1, 1)):
    @task
    def work(item): ...

    @task_group
    def each(item):
        work(item)

    each.expand(item=[1, 2])
    work.override(task_id="alone")("x")
"""


def test_task_in_a_mapped_group_is_mapped(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "g.py").write_text(HEADER + MAPPED_GROUP)
    (workflow,) = load(environment, tmp_path)
    inside, alone = workflow.task("each.work"), workflow.task("alone")
    assert (inside.mapped, alone.mapped) == (True, False)
    assert values(inside)["task_group.expand"] == {"group_id": "each", "over": {"item": [1, 2]}}


EXPANSIONS = """
with DAG("expansions", schedule=None, start_date=datetime(2024, 1, 1)):
    @task
    def items():
        return [1, 2]

    @task
    def work(a, b=None): ...

    found = items()
    work.override(task_id="cross").expand(a=[1, 2, 3], b={"x": 1, "y": 2})
    work.override(task_id="some", max_active_tis_per_dagrun=2).partial(b=found).expand(a=found.map(str))
    work.override(task_id="mixed").expand(a=[1], b=found.zip(found))
    work.override(task_id="sets").expand_kwargs([{"a": 1}, {"a": 2}])
    work.override(task_id="unknown_sets").expand_kwargs(found)

    @task_group
    def each(item):
        work(item)

    each.expand(item=found)
"""


def test_what_is_known_about_expansions(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "e.py").write_text(HEADER + EXPANSIONS)
    (workflow,) = load(environment, tmp_path)
    expansions = {task.task_id: task.expansion for task in workflow.tasks}
    assert expansions == {
        "items": None,
        "cross": Expansion(length=6),
        "some": Expansion(over=("items",)),
        "mixed": Expansion(over=("items",), most=1024),
        "sets": Expansion(length=2),
        "unknown_sets": Expansion(over=("items",)),
        "each.work": None,
    }
    assert [(task.task_id, task.max_active) for task in workflow.tasks if task.max_active] == [("some", 2)]
    assert workflow.task("each.work").mapped_group == "each"
    assert workflow.mapped_groups == (MappedGroup(group_id="each", expansion=Expansion(over=("items",))),)
