# ruff: noqa: DTZ001
"""Operators that branch by the clock, and branching operators of the user's own."""

from datetime import datetime, time

from airflow import DAG
from airflow.models.baseoperator import BaseOperator
from airflow.operators.datetime import BranchDateTimeOperator
from airflow.operators.empty import EmptyOperator
from airflow.operators.latest_only import LatestOnlyOperator
from airflow.operators.python import PythonOperator
from airflow.operators.weekday import BranchDayOfWeekOperator

try:
    from airflow.providers.standard.utils.skipmixin import SkipMixin
    from airflow.providers.standard.utils.weekday import WeekDay
    from airflow.sdk import BaseBranchOperator

    AIRFLOW_2 = False
except ImportError:
    from airflow.models.skipmixin import SkipMixin
    from airflow.operators.branch import BaseBranchOperator
    from airflow.utils.weekday import WeekDay

    AIRFLOW_2 = True

ARGS = {"start_date": datetime(2024, 1, 1), "catchup": False}


def arms(*names):
    return [PythonOperator(task_id=name, python_callable=lambda: 1) for name in names]


with DAG("latest_only", schedule=None, **ARGS):
    LatestOnlyOperator(task_id="latest") >> arms("a") >> EmptyOperator(task_id="empty")

for name, days in (
    ("friday", "Friday"),
    ("member", WeekDay.FRIDAY),
    ("several", {WeekDay.MONDAY, "Friday"}),
    ("other", {"Monday", "Tuesday"}),
):
    with DAG(f"weekday_{name}", schedule=None, **ARGS):
        choose = BranchDayOfWeekOperator(
            task_id="choose",
            week_day=days,
            follow_task_ids_if_true="yes",
            follow_task_ids_if_false=["no", "also_no"],
            use_task_logical_date=True,
        )
        choose >> [*arms("yes", "no", "also_no"), EmptyOperator(task_id="neither")]

BOUNDS = {
    "inside": (datetime(2024, 2, 1), datetime(2024, 4, 1)),
    "before": (datetime(2024, 4, 1), None),
    "after": (None, datetime(2024, 2, 1)),
    "night": (time(23), time(1)),
    "midnight": (time(0), time(0)),
    "mixed": (time(22), datetime(2024, 2, 1)),
}
for name, (lower, upper) in BOUNDS.items():
    with DAG(f"time_{name}", schedule=None, **ARGS):
        choose = BranchDateTimeOperator(
            task_id="choose",
            target_lower=lower,
            target_upper=upper,
            follow_task_ids_if_true="yes",
            follow_task_ids_if_false="no",
            use_task_logical_date=True,
        )
        choose >> arms("yes", "no")

with DAG("always_today", schedule=None, **ARGS):
    choose = BranchDateTimeOperator(
        task_id="choose",
        target_lower=datetime(2020, 1, 1),
        target_upper=datetime(2120, 1, 1),
        follow_task_ids_if_true="yes",
        follow_task_ids_if_false="no",
    )
    choose >> arms("yes", "no")


class OwnBranch(BaseBranchOperator):
    def __init__(self, *, arm, **arguments):
        super().__init__(**arguments)
        self.arm = arm

    def choose_branch(self, context):
        return self.arm


class OwnSkip(BaseOperator, SkipMixin):
    def execute(self, context):
        tasks = sorted(context["task"].get_direct_relatives(), key=lambda task: task.task_id)
        if AIRFLOW_2:
            self.skip(context["dag_run"], context["execution_date"], tasks)
        else:
            self.skip(ti=context["ti"], tasks=tasks)


with DAG("own_branch", schedule=None, **ARGS):
    OwnBranch(task_id="choose", arm="yes") >> [*arms("yes"), EmptyOperator(task_id="no")]

with DAG("own_skip", schedule=None, **ARGS):
    last = EmptyOperator(task_id="last", trigger_rule="none_failed")
    OwnSkip(task_id="choose") >> [*arms("a"), EmptyOperator(task_id="b")] >> last
