"""No argument of a DAG, a task or a task group gets lost: each one that was given is seen, and answered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orkestra_bridge.frontend.discovery import discover
from orkestra_bridge.frontend.loader import Frontend
from orkestra_bridge.passes.accounting import account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orkestra_bridge.frontend.model import Environment
    from orkestra_bridge.ir.model import Attribute, Workflow

DATA = Path(__file__).parents[2] / "data" / "attributes"


@pytest.fixture(scope="module")
def workflows(environment: Environment) -> dict[str, Workflow]:
    with Frontend(environment, parse_timeout=60, cache=None) as frontend:
        loaded = list(frontend.load(discover([DATA]).files))
    problems = [str(each) for file in loaded for each in file.findings if each.severity.value != "info"]
    assert problems == []
    return {workflow.dag_id: workflow for file in loaded for workflow in file.workflows}


def names(attributes: Iterable[Attribute]) -> set[str]:
    return {attribute.name for attribute in attributes}


@pytest.mark.parametrize(
    ("dag_id", "task_id"),
    [("everything", "direct"), ("everything", "mapped"), ("inherited", "by_default_args")],
)
def test_every_argument_of_a_task_is_seen(workflows: dict[str, Workflow], dag_id: str, task_id: str) -> None:
    expected = workflows["expected"].params[task_id]
    assert len(expected) > 40
    seen = workflows[dag_id].task(task_id).attributes
    assert set(expected) - names(seen) == set()
    assert all(each.inherited for each in seen if dag_id == "inherited" and each.name in expected)


def test_every_argument_of_a_dag_is_seen(workflows: dict[str, Workflow]) -> None:
    expected = workflows["expected"].params["dag"]
    assert len(expected) > 20
    assert set(expected) - names(workflows["everything"].attributes) == set()


def test_every_argument_of_a_task_group_is_seen(workflows: dict[str, Workflow]) -> None:
    (group,) = workflows["everything"].groups
    assert set(workflows["expected"].params["group"]) - names(group.attributes) == set()
    assert (group.group_id, group.span.line) == ("group", line_of("with TaskGroup("))


def line_of(text: str) -> int:
    lines = (DATA / "everything.py").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_nothing_is_unaccounted(workflows: dict[str, Workflow]) -> None:
    for workflow in workflows.values():
        assert [str(each) for each in account(workflow) if each.verdict.value == "unaccounted"] == []


def test_arguments_of_the_class_are_told_from_those_of_every_operator(workflows: dict[str, Workflow]) -> None:
    of_class = {each.name for each in workflows["everything"].task("direct").attributes if each.of_class}
    assert of_class == {"of_class"}


def test_what_is_set_on_the_object_later_counts(workflows: dict[str, Workflow]) -> None:
    (pool,) = workflows["everything"].task("later").attributes
    assert (pool.name, pool.value) == ("pool", "set later")
    (size,) = workflows["everything"].task("set_later").attributes
    assert (size.name, size.value, size.of_class) == ("of_class", 4, True)


def test_default_args_that_no_task_takes_are_named(workflows: dict[str, Workflow]) -> None:
    assert workflows["everything"].unused_default_args == ("no_such_argument",)
    assert workflows["inherited"].unused_default_args == ()


TIMETABLES = """
from datetime import datetime, timedelta
from airflow.sdk import DAG
from airflow.timetables.trigger import CronTriggerTimetable, MultipleCronTriggerTimetable

START = datetime(2024, 1, 1)
quiet = DAG("quiet", schedule=CronTriggerTimetable("0 6 * * *", timezone="Europe/Paris"), start_date=START)
LATER = CronTriggerTimetable("0 6 * * *", timezone="UTC", run_immediately=True)
at_once = DAG("at_once", schedule=LATER, start_date=START)
several = DAG(
    "several",
    schedule=MultipleCronTriggerTimetable(
        "0 6 * * *", "0 7 * * 1", timezone="UTC", run_immediately=timedelta(hours=1)
    ),
    start_date=START,
)
"""


def test_arguments_of_timetables_are_seen(airflow_3: Environment, tmp_path: Path) -> None:
    (tmp_path / "t.py").write_text(TIMETABLES)
    with Frontend(airflow_3, parse_timeout=60, cache=None) as frontend:
        (loaded,) = frontend.load(discover([tmp_path]).files)
    found = {
        workflow.dag_id: [(each.name, each.value) for each in workflow.schedule.attributes]
        for workflow in loaded.workflows
    }
    assert found == {
        "quiet": [],
        "at_once": [("run_immediately", True)],
        "several": [("run_immediately", 3600.0)],
    }
    found_by = [each for workflow in loaded.workflows for each in account(workflow)]
    assert [each.attribute for each in found_by if each.id == "OB223"] == [
        "run_immediately",
        "run_immediately",
    ]


ASSETS = """
import inspect
from datetime import datetime
from airflow.sdk import DAG, Asset, AssetAlias, task

given = {"name": "orders", "uri": "s3://bucket/orders", "group": "sales", "extra": {"team": "x"}}
if "access_control" in inspect.signature(Asset.__init__).parameters:
    from airflow.sdk.definitions.asset import AssetAccessControl
    given["access_control"] = AssetAccessControl(producer_teams=["x"])
asset = Asset(**given)
with DAG("reader", schedule=[asset | Asset("plain")], start_date=datetime(2024, 1, 1)):
    @task(inlets=[asset], outlets=[AssetAlias("alias", group="sales")])
    def read(): ...

    read()
names = [name for name in inspect.signature(Asset.__init__).parameters if name not in ("self", "watchers")]
with DAG("expected_of_assets", schedule=None, params={"names": names}):
    @task
    def nothing(): ...

    nothing()
"""


def test_arguments_of_assets_are_seen_and_answered(airflow_3: Environment, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(ASSETS)
    with Frontend(airflow_3, parse_timeout=60, cache=None) as frontend:
        (loaded,) = frontend.load(discover([tmp_path]).files)
    workflows = {workflow.dag_id: workflow for workflow in loaded.workflows}
    reader = workflows["reader"]
    assert reader.schedule.assets is not None
    orders, plain = reader.schedule.assets.leaves
    assert {"name", "uri", *names(orders.arguments)} == set(workflows["expected_of_assets"].params["names"])
    assert plain.arguments == ()
    answers = [(each.id, each.attribute, each.task_id) for each in account(reader)]
    assert ("OB212", "group", None) in answers  # once, at the schedule
    assert ("OB212", "group", "read") in answers  # of the alias
    assert len([each for each in answers if each[1] == "group"]) == 2
    assert "OB200" not in {each[0] for each in answers}
