"""Every argument of DAGs, tasks, sensors and task groups with a value that is not its default.

It raises where this Airflow has an argument that the tables here do not name.
"""

import inspect
from datetime import datetime, timedelta, timezone

import jinja2

try:
    from airflow.sdk import DAG, BaseOperator, TaskGroup
    from airflow.providers.standard.operators.empty import EmptyOperator
except ImportError:
    from airflow.models import DAG, BaseOperator
    from airflow.operators.empty import EmptyOperator
    from airflow.utils.task_group import TaskGroup

try:
    from airflow.sdk import Asset
except ImportError:
    from airflow.datasets import Dataset as Asset

try:
    from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference
except ImportError:
    DeadlineAlert = None

try:
    from airflow.sdk import ExceptionRetryPolicy
except ImportError:
    ExceptionRetryPolicy = None

STRUCTURE = {
    "self",
    "kwargs",
    "dag",
    "task_group",
    "parent_group",
    "dag_id",
    "task_id",
    "group_id",
    "default_args",
}
START = datetime(2024, 1, 1, tzinfo=timezone.utc)


def note(context=None, *args, **kwargs):
    return None


async def anote(**kwargs):
    return None


class MyUndefined(jinja2.Undefined):
    pass


def deadline():
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=1),
        callback=AsyncCallback(anote),
    )


OF_DAG = {
    "description": "everything",
    "schedule": "0 6 * * *",
    "start_date": START,
    "end_date": START + timedelta(days=900),
    "full_filepath": "/somewhere/else.py",
    "template_searchpath": ["sql"],
    "template_undefined": MyUndefined,
    "user_defined_macros": {"double": lambda x: 2 * x},
    "user_defined_filters": {"shout": str.upper},
    "concurrency": None,  # the old name of max_active_tasks, which stands for it below
    "schedule_interval": None,  # the old names of schedule
    "timetable": None,
    "max_active_tasks": 3,
    "max_active_runs": 2,
    "max_consecutive_failed_dag_runs": 5,
    "dagrun_timeout": timedelta(hours=3),
    "deadline": DeadlineAlert and deadline(),
    "sla_miss_callback": note,
    "default_view": "graph",
    "orientation": "TB",
    "catchup": None,
    "on_success_callback": note,
    "on_failure_callback": note,
    "doc_md": "# Everything",
    "params": {"size": 3},
    "access_control": {"Viewer": {"can_read"}},
    "is_paused_upon_creation": True,
    "jinja_environment_kwargs": {"trim_blocks": True},
    "render_template_as_native_obj": True,
    "tags": ["a"],
    "owner_links": {"me": "mailto:me@example.com"},
    "auto_register": False,
    "fail_fast": None,  # it excludes trigger rules, so a DAG of its own has it
    "fail_stop": None,
    "allowed_run_types": ["scheduled"],
    "dag_display_name": "All of it",
    "disable_bundle_versioning": True,
    "rerun_with_latest_version": True,
}
OF_TASK = {
    "owner": "me",
    "email": ["ops@example.com"],
    "email_on_retry": False,
    "email_on_failure": False,
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(hours=1),
    "retry_policy": ExceptionRetryPolicy and ExceptionRetryPolicy(rules=[]),
    "start_date": START + timedelta(days=1),
    "end_date": START + timedelta(days=2),
    "depends_on_past": True,
    "ignore_first_depends_on_past": None,
    "wait_for_past_depends_before_skipping": True,
    "wait_for_downstream": True,
    "params": {"of_task": 1},
    "priority_weight": 5,
    "weight_rule": "upstream",
    "queue": "large",
    "pool": "small",
    "pool_slots": 2,
    "sla": timedelta(hours=1),
    "execution_timeout": timedelta(minutes=5),
    "on_execute_callback": note,
    "on_failure_callback": note,
    "on_success_callback": note,
    "on_retry_callback": note,
    "on_skipped_callback": note,
    "pre_execute": note,
    "post_execute": note,
    "trigger_rule": "all_done",
    "resources": {"cpus": 2},
    "run_as_user": "etl",
    "task_concurrency": None,  # the old name of max_active_tis_per_dag
    "map_index_template": "{{ x }}",
    "max_active_tis_per_dag": 1,
    "max_active_tis_per_dagrun": 1,
    "executor": "LocalExecutor",
    "executor_config": {"image": "x"},
    "do_xcom_push": False,
    "multiple_outputs": True,
    "inlets": [Asset("s3://bucket/in")],
    "outlets": [Asset("s3://bucket/out")],
    "doc": "doc",
    "doc_md": "doc_md",
    "doc_json": '{"doc": 1}',
    "doc_yaml": "doc: yaml",
    "doc_rst": "doc_rst",
    "task_display_name": "Shown",
    "logger_name": "mine",
    "allow_nested_operators": False,
    "render_template_as_native_obj": True,
}
OF_GROUP = {
    "group_display_name": "Shown",
    "prefix_group_id": False,
    "tooltip": "tip",
    "doc_md": "doc",
    "ui_color": "#123456",
    "ui_fgcolor": "#654321",
    "add_suffix_on_collision": True,
}


def names(cls):
    return [name for name in inspect.signature(cls.__init__).parameters if name not in STRUCTURE]


def given(cls, table):
    """Return the constructor's arguments; KeyError names what this table does not know yet."""
    values = {name: table[name] for name in names(cls)}
    if values.get("catchup", ...) is None:
        default = inspect.signature(cls.__init__).parameters["catchup"].default
        values["catchup"] = default is not True
    if values.get("ignore_first_depends_on_past", ...) is None:
        default = inspect.signature(cls.__init__).parameters["ignore_first_depends_on_past"].default
        values["ignore_first_depends_on_past"] = not default
    return {name: value for name, value in values.items() if value is not None}


class MyOperator(BaseOperator):
    def __init__(self, *, of_class=1, **kwargs):
        super().__init__(**kwargs)
        self.of_class = of_class

    def execute(self, context):
        return None


# an argument that this version of Airflow has and takes no value for is accepted, and without effect
FOR_DAG = {name: value for name, value in given(DAG, OF_DAG).items() if name != "auto_register"}
everything = DAG("everything", default_args={"no_such_argument": 1}, **FOR_DAG)
with everything:
    direct = MyOperator(task_id="direct", of_class=2, **given(BaseOperator, OF_TASK))
    with TaskGroup("group", **given(TaskGroup, OF_GROUP)):
        MyOperator(task_id="set_later").of_class = 4
        later = EmptyOperator(task_id="later")
        later.pool = "set later"
        of_mapped = {name: value for name, value in given(BaseOperator, OF_TASK).items() if name != "sla"}
        MyOperator.partial(task_id="mapped", **of_mapped).expand(of_class=[1, 2])
with DAG("inherited", schedule=None, start_date=START, default_args=given(BaseOperator, OF_TASK)):
    EmptyOperator(task_id="by_default_args")

EXPECTED = {
    "dag": sorted(FOR_DAG),
    "direct": sorted(given(BaseOperator, OF_TASK)),
    "by_default_args": sorted(set(given(BaseOperator, OF_TASK)) - {"params", "start_date"}),
    "mapped": sorted(of_mapped),
    "group": sorted(set(given(TaskGroup, OF_GROUP)) - {"prefix_group_id", "add_suffix_on_collision"}),
}
with DAG("expected", schedule=None, start_date=START, params=EXPECTED):
    EmptyOperator(task_id="nothing")
