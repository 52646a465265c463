"""DAGs that start others and look at their runs; they run in the order of their ids."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow import DAG
from airflow.decorators import task, task_group
from airflow.exceptions import AirflowSkipException
from airflow.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sensors.external_task import ExternalTaskMarker, ExternalTaskSensor

ARGS = {"start_date": datetime(2024, 1, 1), "schedule": None, "catchup": False}  # noqa: DTZ001 - as people write it

with DAG("a_called", **ARGS):

    @task
    def work():
        return 1

    @task
    def skips():
        raise AirflowSkipException

    @task_group
    def more():
        work.override(task_id="one")()
        work.override(task_id="two")()

    work()
    skips()
    more()

with DAG("b_breaks", **ARGS):

    @task
    def bad():
        raise ValueError("meant to fail")

    work.override(task_id="fine")() >> bad()

with DAG("c_triggers", **ARGS):

    def go(task_id, dag_id, day, **more):
        return TriggerDagRunOperator(
            task_id=task_id,
            trigger_dag_id=dag_id,
            poke_interval=1,
            logical_date=f"2024-04-{day:02}T00:00:00+00:00",
            **{"trigger_run_id": f"{task_id}__{{{{ ds }}}}", **more},
        )

    plain = go("plain", "a_called", 1, conf={"day": "{{ ds }}"})
    april = "manual__2024-04-02T00:00:00+00:00"  # runs are found by the ids that Airflow gives them
    go("waits", "a_called", 2, wait_for_completion=True, trigger_run_id=april)
    go("broken", "b_breaks", 1, wait_for_completion=True, retries=1)
    go("allowed", "b_breaks", 2, wait_for_completion=True, allowed_states=["failed"], failed_states=[])
    go("lost", "nobody_knows_it", 1)
    go("no_run_id", "a_called", 3, trigger_run_id="with a space")
    again = {"logical_date": "2024-04-01T00:00:00+00:00", "trigger_run_id": "plain__{{ ds }}"}
    same = {"trigger_dag_id": "a_called", **again}
    plain >> [
        TriggerDagRunOperator(task_id="twice", retries=1, **same),
        TriggerDagRunOperator(task_id="skips_twice", skip_when_already_exists=True, **same),
    ]

with DAG("d_sees", **ARGS):

    def see(task_id, dag_id="a_called", **more):
        return ExternalTaskSensor(task_id=task_id, external_dag_id=dag_id, poke_interval=1, timeout=1, **more)

    see("dag")
    see("dag_by_trigger", deferrable=True)
    see("dag_that_failed", "b_breaks")
    see("dag_may_have_failed", "b_breaks", allowed_states=["success", "failed"])
    see("dag_fails", "b_breaks", failed_states=["failed"], retries=1)
    see("one_task", external_task_id="work")
    see("a_skipped_task", external_task_id="skips", soft_fail=True)
    see("skipped_is_fine", external_task_id="skips", allowed_states=["skipped"])
    see("skips_too", external_task_id="skips", skipped_states=["skipped"])
    see("two_tasks", external_task_ids=["work", "more.one"])
    see("group", external_task_group_id="more")
    see("fine", "b_breaks", external_task_id="fine")
    see("fails", "b_breaks", external_task_id="bad", failed_states=["failed"])
    see("skips_instead", "b_breaks", external_task_id="bad", failed_states=["failed"], soft_fail=True)
    see("day_before", execution_delta=timedelta(days=1))
    see("skips_day_before", execution_delta=timedelta(days=1), soft_fail=True)
    see("april", execution_date_fn=lambda date: date.replace(month=4, day=2))
    see("two_days", execution_date_fn=lambda date: [date, date.replace(month=4, day=2)])
    see("no_such_dag", "nobody_knows_it_either", check_existence=True)
    ExternalTaskMarker(task_id="mark", external_dag_id="a_called", external_task_id="work")
