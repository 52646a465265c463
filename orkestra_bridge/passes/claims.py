"""Which attribute is kept, approximated or refused: the table that every non-default argument must be found in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from orkestra_bridge.passes import rules

if TYPE_CHECKING:
    from orkestra_bridge.diagnostics import Rule


@final
@dataclass(frozen=True, slots=True)
class Claim:
    """What is said about an attribute that is not kept; ``message`` may use ``{value}``, and gets the name in front."""

    rule: Rule
    message: str
    remedy: str


# fmt: off
KEPT_BY_DAG = frozenset(
    {
        "dag_id", "description", "schedule", "schedule_interval", "timetable", "start_date",
        "end_date", "timezone", "params", "default_args", "tags", "doc_md", "dagrun_timeout",
        "render_template_as_native_obj", "user_defined_macros", "user_defined_filters",
        "template_searchpath", "template_undefined", "jinja_environment_kwargs",
        "is_paused_upon_creation", "catchup", "max_active_runs", "auto_register", "full_filepath",
        "on_success_callback", "on_failure_callback", "fail_fast", "fail_stop",
    }
)
KEPT_BY_TASK = frozenset(
    {
        # Airflow 1 had to be asked for the context; PythonOperator of 2 takes the argument out
        "provide_context",
        "task_id", "owner", "retries", "retry_delay", "retry_exponential_backoff",
        "max_retry_delay", "start_date", "end_date", "trigger_rule", "execution_timeout", "params",
        "default_args", "do_xcom_push", "multiple_outputs", "doc", "doc_md", "doc_json", "doc_yaml",
        "doc_rst", "task_group", "dag", "python_callable", "op_args", "op_kwargs", "templates_dict",
        "templates_exts", "show_return_value_in_logs", "bash_command", "env", "append_env",
        "output_encoding", "skip_exit_code", "skip_on_exit_code", "cwd", "output_processor",
        "ignore_downstream_trigger_rules", "render_template_as_native_obj",
        "ignore_first_depends_on_past", "_airflow_map_validation_only", "kwargs_to_upstream",
        "is_setup", "is_teardown", "on_failure_fail_dagrun", "on_execute_callback",
        "on_success_callback", "on_failure_callback", "on_retry_callback", "on_skipped_callback",
        "pre_execute", "post_execute", "follow_task_ids_if_true", "follow_task_ids_if_false",
        "week_day", "target_lower", "target_upper", "use_task_logical_date",
        "use_task_execution_day", "use_task_execution_date", "poke_interval", "timeout", "mode",
        "soft_fail", "silent_fail", "never_fail", "exponential_backoff", "max_wait", "target_time",
        "delta", "time_to_wait", "retry_exit_code", "deferrable", "start_from_trigger",
        "end_from_trigger", "trigger_kwargs", "trigger_dag_id", "trigger_run_id", "conf",
        "logical_date", "execution_date", "run_after", "wait_for_completion", "allowed_states",
        "failed_states", "skipped_states", "skip_when_already_exists", "external_dag_id",
        "outlets", "external_task_id", "external_task_ids", "external_task_group_id", "execution_delta",
        "execution_date_fn", "check_existence", "poll_interval", "recursion_depth",
        "requirements", "python_version", "system_site_packages", "use_dill", "serializer", "pip_install_options",
        "index_urls", "string_args", "python", "env_vars", "inherit_env",
    }
)
# fmt: on
KEPT_BY_GROUP = frozenset({"doc_md"})
KEPT_BY_SCHEDULE = frozenset({"interval"})
"""A timetable with an interval is a custom one, about which the schedule's own findings speak."""
_NO_COUNTERPART = "Step Functions has no counterpart; the work itself is the same"
_EMAIL = Claim(
    rules.EMAIL,
    "e-mail to {value} is not sent",
    "set a CloudWatch alarm on the state machine's ExecutionsFailed metric, with an SNS topic as its target",
)
_EMAIL_FLAG = Claim(rules.EMAIL, "no e-mail is sent in any case ({value})", "see the remedy for `email`")
_PAST = Claim(
    rules.DEPENDS_ON_PAST,
    "each run is an execution of its own, and none knows how the run before it ended",
    "remove the argument and let the first task check what the last run left behind; if runs must wait for each other, "
    "keep this DAG on Airflow",
)
_LIMIT = Claim(
    rules.CONCURRENCY,
    "the limit of {value} is not enforced",
    "limit the function's reserved concurrency, or make the tasks safe to run side by side",
)
_QUEUE = Claim(
    rules.QUEUE,
    "there are no workers to choose from by {value}: the task runs in the DAG's function",
    'nothing if it fits there; else give the task memory, or target = "container", in orkestra.toml',
)
_NO_QUEUE = "no task waits in a queue: each starts as soon as the tasks before it allow"
_DISPLAY = Claim(rules.DISPLAY, "only Airflow's pages show it", "nothing; it stays in your source")
_INLETS = Claim(
    rules.LINEAGE,
    "nothing shows that the task reads {value}; code that looks at their events finds them (OB256)",
    "nothing, unless you need the lineage",
)
_TEAM = Claim(rules.MULTI_TEAM, _NO_COUNTERPART, "nothing")

CLAIMS_BY_DAG = {
    "max_active_tasks": _LIMIT,
    "concurrency": _LIMIT,
    "max_consecutive_failed_dag_runs": Claim(
        rules.PAUSE_ON_FAILURES,
        "the schedule goes on after {value} failed runs",
        "set an alarm on ExecutionsFailed and disable the schedule in its action",
    ),
    "sla_miss_callback": Claim(
        rules.SLA, "nothing watches SLAs, so it is never called", "set a CloudWatch alarm on ExecutionTime"
    ),
    "default_view": _DISPLAY,
    "orientation": _DISPLAY,
    "owner_links": _DISPLAY,
    "dag_display_name": _DISPLAY,
    "access_control": Claim(
        rules.ACCESS,
        "Airflow roles do not exist on AWS",
        "grant states:StartExecution on the machine to those who may run it",
    ),
    "deadline": Claim(
        rules.DEADLINE, "nobody watches whether a run keeps it", "set a CloudWatch alarm on ExecutionTime"
    ),
    "allowed_run_types": _TEAM,
    "disable_bundle_versioning": _TEAM,
    "rerun_with_latest_version": _TEAM,
}
CLAIMS_BY_GROUP = {
    "group_display_name": _DISPLAY,
    "tooltip": _DISPLAY,
    "ui_color": _DISPLAY,
    "ui_fgcolor": _DISPLAY,
}
CLAIMS_BY_SCHEDULE = {
    "run_immediately": Claim(
        rules.FIRST_RUN,
        "run_immediately={value} starts nothing: the first run is the first one that is due after the deployment",
        "start a run with StartExecution when you have deployed, if one is wanted at once",
    ),
}
KEPT_BY_ASSET = frozenset({"extra"})
CLAIMS_BY_ASSET = {
    "group": Claim(
        rules.DISPLAY,
        "only Airflow's pages show the group {value} of an asset",
        "nothing; it stays in your source",
    ),
    "access_control": Claim(
        rules.MULTI_TEAM,
        "who may make events of an asset is not decided by {value}",
        "let the policies of the bus allow events:PutEvents to those who may",
    ),
}
CLAIMS_BY_TASK = {
    "pool": Claim(
        rules.POOL,
        "pool {value} is not enforced: tasks of different executions may run at the same time",
        "protect the resource itself, or limit the function's reserved concurrency",
    ),
    "pool_slots": Claim(
        rules.POOL, "no pool is enforced, so that {value} slots mean nothing", "see the remedy for `pool`"
    ),
    "priority_weight": Claim(rules.PRIORITY, _NO_QUEUE, "nothing"),
    "weight_rule": Claim(rules.PRIORITY, _NO_QUEUE, "nothing"),
    "queue": _QUEUE,
    "executor": _QUEUE,
    "executor_config": _QUEUE,
    "run_as_user": Claim(
        rules.RUN_AS,
        "a Lambda function has one user, and cannot run a task as {value}",
        "remove the argument; what the task may do on AWS is for the function's role to say (TaskPolicyArn)",
    ),
    "resources": _QUEUE,
    "email": _EMAIL,
    "email_on_failure": _EMAIL_FLAG,
    "email_on_retry": _EMAIL_FLAG,
    "sla": Claim(
        rules.SLA,
        "nobody watches whether the task ends within {value} s",
        "set a CloudWatch alarm on the state machine's ExecutionTime",
    ),
    "depends_on_past": _PAST,
    "wait_for_downstream": _PAST,
    "wait_for_past_depends_before_skipping": _PAST,
    "max_active_tis_per_dag": _LIMIT,
    "max_active_tis_per_dagrun": _LIMIT,
    "task_concurrency": _LIMIT,
    "reset_dag_run": Claim(
        rules.RESET_DAG_RUN,
        "an execution cannot be cleared: where a run exists already, another execution of it is started beside it",
        "nothing if the tasks may run again; else set skip_when_already_exists",
    ),
    "fail_when_dag_is_paused": Claim(
        rules.PAUSED_DAG, "a state machine starts whether its schedule is enabled or not", "nothing"
    ),
    "note": Claim(rules.DISPLAY, "only Airflow's pages show it", "put it into conf"),
    "openlineage_inject_parent_info": Claim(rules.LINEAGE, "no lineage is added to conf", "nothing"),
    "retry_policy": Claim(
        rules.RETRY_POLICY,
        "a task in a container is retried by Step Functions, which asks no Python code about it",
        "use retries and raise AirflowFailException, or let the task run in the function",
    ),
    "venv_cache_path": Claim(rules.ENVIRONMENT, "the environment is a part of the image", "nothing"),
    "expect_airflow": Claim(rules.ENVIRONMENT, "plugins are not loaded for the function", "nothing"),
    "expect_pendulum": Claim(rules.ENVIRONMENT, "nothing is checked before the function runs", "nothing"),
    "use_airflow_context": Claim(
        rules.ENVIRONMENT_LACKS,
        "there is no Airflow in the environment to ask for the context",
        "take the values that are needed as arguments of the function",
    ),
    "index_urls_from_connection_ids": Claim(
        rules.ENVIRONMENT_LACKS,
        "connections are not looked up when the image is built: {value}",
        "name the index in index_urls, and give its password to `docker build`",
    ),
    "inlets": _INLETS,
    "task_display_name": _DISPLAY,
    "map_index_template": _DISPLAY,
    "logger_name": _DISPLAY,
    "allow_nested_operators": _DISPLAY,
}
