"""What is said about DAGs that others start or wait for."""

from __future__ import annotations

import pytest
from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import Polling
from orkestra_bridge.operators.other_dags import other_dags, started_dags
from orkestra_bridge.passes.other_dags import about_other_dags

TRIGGER = a_task("go", operator="TriggerDagRunOperator", calls="b")
SENSOR = a_task("see", operator="ExternalTaskSensor", calls="c", polling=Polling())
WAITS = a_task("wait", operator="TriggerDagRunOperator", calls="d", polling=Polling(resumes=True))
TEMPLATE = a_task("any", operator="TriggerDagRunOperator", calls="{{ params.which }}")
CALLER = a_workflow(TRIGGER, SENSOR, WAITS, TEMPLATE, dag_id="a")


def test_dags_that_are_seen_and_dags_that_are_started() -> None:
    assert other_dags(CALLER) == ("b", "c", "d")
    assert started_dags(CALLER) == ("b", "d")


@pytest.mark.parametrize(
    ("known", "ids"),
    [
        ((), {"go": "OB241", "see": "OB241", "wait": "OB241", "any": "OB240"}),
        (("b", "c", "d"), {"any": "OB240"}),
    ],
)
def test_findings(known: tuple[str, ...], ids: dict[str, str]) -> None:
    dags = {dag_id: a_workflow(dag_id=dag_id) for dag_id in known}
    found = list(about_other_dags(CALLER, dags))
    assert {str(each.task_id): each.id for each in found} == ids
    assert all(each.remedy and each.attribute in ("trigger_dag_id", "external_dag_id") for each in found)
    by_task = {str(each.task_id): each.message for each in found if each.id == "OB241"}
    assert all(f"'{CALLER.task(task_id).calls}'" in message for task_id, message in by_task.items())
