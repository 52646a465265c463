"""The import paths that DAG files use, of Airflow 2 and 3 alike: path -> ("module of this folder: Name Name=attribute").

``Name=*`` stands for the module itself.
"""

from __future__ import annotations

_OPERATORS_PYTHON = (
    "python: PythonOperator BranchPythonOperator ShortCircuitOperator determine_kwargs",
    "current: get_current_context",
    "taskflow: task",
)
_OPERATORS_BASH = ("bash: BashOperator",)
_OPERATORS_EMPTY = ("simple: EmptyOperator",)
_SENSORS = ("sensor: BaseSensorOperator PokeReturnValue poke_mode_only",)
_BRANCH = ("skipping: BaseBranchOperator BranchMixIn",)
_SKIPMIXIN = ("skipping: SkipMixin XCOM_SKIPMIXIN_KEY XCOM_SKIPMIXIN_SKIPPED XCOM_SKIPMIXIN_FOLLOWED",)
_TIMEZONE = (
    "timezone: utc TIMEZONE utcnow is_localized is_naive make_aware make_naive convert_to_utc coerce_datetime datetime parse "
    "parse_timezone beginning_of_day td_format from_timestamp",
)
_EDGES = ("edges: chain chain_linear cross_downstream",)
_LABELS = ("edges: Label EdgeModifier",)
_NODE = ("node: DependencyMixin DAGNode TaskMixin=DependencyMixin",)
_ASSETS = (
    "assets: Asset Dataset Model AssetAlias DatasetAlias=AssetAlias AssetAny DatasetAny=AssetAny AssetAll DatasetAll=AssetAll "
    "AssetRef AssetWatcher Metadata asset",
)
_EXCEPTIONS = (
    "exceptions: AirflowBadRequest AirflowClusterPolicyViolation AirflowConfigException AirflowDagCycleException "
    "AirflowDagDuplicatedIdException AirflowDagInconsistent AirflowException AirflowFailException "
    "AirflowInternalRuntimeError AirflowNotFoundException AirflowOptionalProviderFeatureException "
    "AirflowProviderDeprecationWarning AirflowRescheduleException AirflowRuntimeError AirflowSensorTimeout "
    "AirflowSkipException AirflowTaskTerminated AirflowTaskTimeout AirflowTimetableInvalid DagNotFound DagRunNotFound "
    "DownstreamTasksSkipped DuplicateTaskIdFound NodeNotFound ParamValidationError RemovedInAirflow3Warning "
    "RemovedInAirflow4Warning TaskAlreadyInTaskGroup TaskDeferralError TaskDeferred TaskInstanceNotFound TaskNotFound "
    "UnmappableXComTypePushed XComForMappingNotPushed XComNotFound",
)
_TASKFLOW = ("taskflow: dag task task_group setup=setup_task teardown=teardown_task",)
_TIMETABLES = {
    "airflow.timetables.base": (
        "timetables: Timetable DataInterval DagRunInfo TimeRestriction",
    ),
    "airflow.timetables.trigger": (
        "timetables: CronTriggerTimetable DeltaTriggerTimetable MultipleCronTriggerTimetable",
    ),
    "airflow.timetables.interval": ("timetables: CronDataIntervalTimetable DeltaDataIntervalTimetable",),
    "airflow.timetables.events": ("timetables: EventsTimetable",),
    "airflow.timetables.simple": ("timetables: NullTimetable OnceTimetable ContinuousTimetable",),
    "airflow.timetables.assets": ("timetables: AssetOrTimeSchedule",),
    "airflow.timetables.datasets": ("timetables: DatasetOrTimeSchedule=AssetOrTimeSchedule",),
}

_INSTANCES = ("instance_types: TaskInstance DagRun",)

MODULES: dict[str, tuple[str, ...]] = {
    "airflow": ("dag: DAG", "xcom_arg: XComArg", "assets: Dataset Asset", "edges: EdgeModifier"),
    "airflow.configuration": ("configuration: conf AirflowConfigParser AIRFLOW_HOME get_airflow_home",),
    "airflow.datasets": _ASSETS,
    "airflow.datasets.metadata": ("assets: Metadata",),
    "airflow.decorators": (*_TASKFLOW, "xcom_arg: XComArg"),
    "airflow.decorators.base": (
        "taskflow: DecoratedOperator TaskDecorator=_TaskDecorator get_unique_task_id task_decorator_factory",
    ),
    "airflow.exceptions": _EXCEPTIONS,
    "airflow.hooks.base": ("connection: BaseHook",),
    "airflow.hooks.base_hook": ("connection: BaseHook",),
    "airflow.macros": (
        "macros: ds_add ds_format ds_format_locale datetime_diff_for_humans datetime timedelta json random time uuid",
    ),
    "airflow.models": (
        "dag: DAG",
        "operator: BaseOperator BaseOperatorLink",
        "params: Param",
        "variable: Variable",
        "connection: Connection",
        "xcom_arg: XComArg",
        "skipping: SkipMixin",
        "mapped: MappedOperator",
        *_INSTANCES,
    ),
    "airflow.models.abstractoperator": ("operator: AbstractOperator=BaseOperator",),
    "airflow.models.baseoperator": ("operator: BaseOperator BaseOperatorMeta BaseOperatorLink", *_EDGES),
    "airflow.models.baseoperatorlink": ("operator: BaseOperatorLink",),
    "airflow.models.connection": ("connection: Connection",),
    "airflow.models.dag": ("dag: DAG", "contexts: DagContext", "taskflow: dag"),
    "airflow.models.dagrun": ("instance_types: DagRun",),
    "airflow.models.expandinput": ("mapped: DictOfListsExpandInput ListOfDictsExpandInput MappedArgument",),
    "airflow.models.mappedoperator": ("mapped: MappedOperator OperatorPartial",),
    "airflow.models.operator": ("operator: Operator=BaseOperator",),
    "airflow.models.param": ("params: Param ParamsDict DagParam",),
    "airflow.models.skipmixin": _SKIPMIXIN,
    "airflow.models.taskinstance": ("instance_types: TaskInstance", "current: Context get_current_context set_current_context"),
    "airflow.models.taskmixin": _NODE,
    "airflow.models.variable": ("variable: Variable",),
    "airflow.models.xcom": ("xcom_arg: XCOM_RETURN_KEY",),
    "airflow.models.xcom_arg": ("xcom_arg: XComArg PlainXComArg MapXComArg ZipXComArg ConcatXComArg",),
    "airflow.notifications.basenotifier": ("misc: BaseNotifier",),
    "airflow.operators.bash": _OPERATORS_BASH,
    "airflow.operators.bash_operator": _OPERATORS_BASH,
    "airflow.operators.branch": _BRANCH,
    "airflow.operators.branch_operator": _BRANCH,
    "airflow.operators.dummy": ("simple: DummyOperator EmptyOperator",),
    "airflow.operators.dummy_operator": ("simple: DummyOperator EmptyOperator",),
    "airflow.operators.empty": _OPERATORS_EMPTY,
    "airflow.operators.python": (*_OPERATORS_PYTHON, *_SKIPMIXIN),
    "airflow.operators.python_operator": _OPERATORS_PYTHON,
    "airflow.plugins_manager": ("misc: AirflowPlugin",),
    "airflow.providers.common.compat.assets": _ASSETS,
    "airflow.providers.common.compat.sdk": (
        *_EXCEPTIONS,
        *_EDGES,
        *_TASKFLOW,
        "dag: DAG",
        "group: TaskGroup",
        "operator: BaseOperator BaseOperatorLink",
        "skipping: SkipMixin",
        "connection: BaseHook Connection",
        "variable: Variable",
        "params: Param",
        "xcom_arg: XComArg",
        "sensor: BaseSensorOperator PokeReturnValue",
        "current: Context get_current_context",
        "enums: TriggerRule TaskInstanceState DagRunState WeightRule",
        "configuration: conf",
        "timezone: timezone=*",
        "simple: EmptyOperator",
        *_LABELS,
    ),
    "airflow.providers.standard.decorators.bash": ("taskflow: _BashDecoratedOperator",),
    "airflow.providers.standard.operators.bash": _OPERATORS_BASH,
    "airflow.providers.standard.operators.branch": _BRANCH,
    "airflow.providers.standard.operators.empty": _OPERATORS_EMPTY,
    "airflow.providers.standard.operators.python": (*_OPERATORS_PYTHON, *_SKIPMIXIN),
    "airflow.providers.standard.sensors.python": ("sensor: PythonSensor",),
    "airflow.providers.standard.utils.skipmixin": _SKIPMIXIN,
    "airflow.sdk": (
        *_ASSETS,
        *_EDGES,
        *_LABELS,
        *_TASKFLOW,
        "configuration: conf",
        "connection: BaseHook Connection",
        "current: Context get_current_context",
        "dag: DAG",
        "enums: DagRunState TaskInstanceState TriggerRule WeightRule",
        "group: TaskGroup",
        "mapped: MappedOperator",
        "misc: BaseNotifier",
        "operator: BaseOperator BaseOperatorLink",
        "params: Param ParamsDict",
        "sensor: BaseSensorOperator PokeReturnValue",
        "simple: EmptyOperator",
        "skipping: SkipMixin BaseBranchOperator",
        "templates: literal",
        "timetables: CronTriggerTimetable CronDataIntervalTimetable DeltaTriggerTimetable DeltaDataIntervalTimetable "
        "MultipleCronTriggerTimetable EventsTimetable AssetOrTimeSchedule",
        "timezone: timezone=*",
        "variable: Variable",
        "xcom_arg: XComArg",
    ),
    "airflow.sdk.bases.hook": ("connection: BaseHook",),
    "airflow.sdk.bases.notifier": ("misc: BaseNotifier",),
    "airflow.sdk.bases.operator": ("operator: BaseOperator", *_EDGES),
    "airflow.sdk.bases.operatorlink": ("operator: BaseOperatorLink",),
    "airflow.sdk.bases.sensor": _SENSORS,
    "airflow.sdk.configuration": ("configuration: conf",),
    "airflow.sdk.definitions.asset": _ASSETS,
    "airflow.sdk.definitions.connection": ("connection: Connection",),
    "airflow.sdk.definitions.context": ("current: Context get_current_context",),
    "airflow.sdk.definitions.dag": ("dag: DAG", "taskflow: dag"),
    "airflow.sdk.definitions.decorators": _TASKFLOW,
    "airflow.sdk.definitions.edges": _LABELS,
    "airflow.sdk.definitions.mappedoperator": ("mapped: MappedOperator",),
    "airflow.sdk.definitions.param": ("params: Param ParamsDict",),
    "airflow.sdk.definitions.taskgroup": ("group: TaskGroup",),
    "airflow.sdk.definitions.variable": ("variable: Variable",),
    "airflow.sdk.definitions.xcom_arg": ("xcom_arg: XComArg PlainXComArg",),
    "airflow.sdk.exceptions": _EXCEPTIONS,
    "airflow.sdk.execution_time.context": ("current: get_current_context set_current_context",),
    "airflow.sdk.timezone": _TIMEZONE,
    "airflow.sdk.types": ("instance_types: RuntimeTaskInstanceProtocol=TaskInstance DagRunProtocol=DagRun",),
    "airflow.sensors.base": _SENSORS,
    "airflow.sensors.base_sensor_operator": _SENSORS,
    "airflow.sensors.python": ("sensor: PythonSensor",),
    "airflow.settings": ("configuration: AIRFLOW_HOME conf",),
    "airflow.task.trigger_rule": ("enums: TriggerRule",),
    "airflow.task.weight_rule": ("enums: WeightRule",),
    "airflow.template.templater": ("templates: Templater LiteralValue",),
    **_TIMETABLES,
    "airflow.utils.context": ("current: Context",),
    "airflow.utils.dates": ("dates: days_ago cron_presets round_time parse_execution_date",),
    "airflow.utils.db": ("misc: create_session provide_session",),
    "airflow.utils.decorators": ("dates: apply_defaults",),
    "airflow.utils.edgemodifier": _LABELS,
    "airflow.utils.helpers": (
        *_EDGES,
        "dates: as_tuple alchemy_to_dict chunks reduce_in_chunks is_container exactly_one at_most_one prune_dict",
    ),
    "airflow.utils.log.logging_mixin": ("logs: LoggingMixin",),
    "airflow.utils.log.secrets_masker": ("misc: mask_secret redact",),
    "airflow.utils.module_loading": ("misc: import_string qualname",),
    "airflow.utils.operator_helpers": ("python: determine_kwargs",),
    "airflow.utils.session": ("misc: create_session provide_session NEW_SESSION",),
    "airflow.utils.setup_teardown": ("contexts: SetupTeardownContext",),
    "airflow.utils.state": ("enums: State TaskInstanceState DagRunState TerminalTIState",),
    "airflow.utils.task_group": ("group: TaskGroup MappedTaskGroup", "contexts: TaskGroupContext"),
    "airflow.utils.template": ("templates: literal",),
    "airflow.utils.timeout": ("misc: timeout",),
    "airflow.utils.timezone": _TIMEZONE,
    "airflow.utils.trigger_rule": ("enums: TriggerRule",),
    "airflow.utils.types": ("enums: DagRunType", "params: NOTSET ArgNotSet"),
    "airflow.utils.weekday": ("enums: WeekDay",),
    "airflow.utils.weight_rule": ("enums: WeightRule",),
    "airflow.utils.xcom": ("xcom_arg: XCOM_RETURN_KEY",),
    "airflow.version": ("version: version",),
}

# Paths that only one of the majors has, so that `try: ... except ImportError: ...` in a DAG file goes the same way as there.
ONLY_2 = (
    "airflow.datasets",
    "airflow.hooks.base_hook",
    "airflow.operators.bash_operator",
    "airflow.operators.branch_operator",
    "airflow.operators.dummy",
    "airflow.operators.dummy_operator",
    "airflow.operators.python_operator",
    "airflow.sensors.base_sensor_operator",
    "airflow.timetables.datasets",
    "airflow.utils.dates",
    "airflow.utils.log.secrets_masker",
)
ONLY_3 = ("airflow.sdk", "airflow.timetables.assets")
