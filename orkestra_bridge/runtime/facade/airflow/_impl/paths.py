"""The import paths that DAG files use, of Airflow 2 and 3 alike: path -> ("module of this folder: Name Name=attribute").

``Name=*`` stands for the module itself.
"""

from __future__ import annotations

from airflow._impl.paths_elsewhere import ELSEWHERE, PARTITION_MAPPERS
from airflow._impl.paths_elsewhere import ONLY_2 as _ONLY_2
from airflow._impl.paths_elsewhere import ONLY_3 as _ONLY_3

PROVIDERS = "airflow.providers."
"""A namespace that the facade shares with the provider packages that are installed."""

REPLACED_BY_PROVIDERS = tuple(f"airflow.providers.common.compat{part}." for part in ("", ".notifier", ".sdk"))
"""What stands here for packages without the distribution, and gives way to it; its assets need a web server."""

_OPERATORS_PYTHON = (
    "python: PythonOperator BranchPythonOperator ShortCircuitOperator determine_kwargs",
    "current: get_current_context",
    "taskflow: task",
)
_VIRTUALENV = (
    "environments: PythonVirtualenvOperator BranchPythonVirtualenvOperator",
    "environments: ExternalPythonOperator BranchExternalPythonOperator",
    "misc: is_venv_installed",
)
_DEFAULTS = "operator: DEFAULT_OWNER DEFAULT_POOL_SLOTS DEFAULT_PRIORITY_WEIGHT DEFAULT_QUEUE DEFAULT_RETRIES"
_OPERATORS_BASH = ("bash: BashOperator",)
_OPERATORS_EMPTY = ("simple: EmptyOperator",)
_SENSORS = ("sensor: BaseSensorOperator PokeReturnValue poke_mode_only",)
_SENSOR_PYTHON = ("calling_sensors: PythonSensor",)
_SENSOR_BASH = ("calling_sensors: BashSensor",)
_SENSOR_DATETIME = ("clock_sensors: DateTimeSensor DateTimeSensorAsync",)
_SENSOR_TIME = ("clock_sensors: TimeSensor TimeSensorAsync",)
_SENSOR_DELTA = ("clock_sensors: TimeDeltaSensor TimeDeltaSensorAsync WaitSensor",)
_TRIGGER_DAGRUN = ("other_dags: TriggerDagRunOperator",)
_EXTERNAL_TASK = (
    "other_dags: ExternalTaskSensor ExternalTaskMarker ExternalDagNotFoundError ExternalTaskFailedError",
    "other_dags: ExternalTaskGroupFailedError ExternalDagFailedError",
)
_SENSOR_WEEKDAY = ("clock_sensors: DayOfWeekSensor",)
_BRANCH = ("skipping: BaseBranchOperator BranchMixIn",)
_LATEST_ONLY = ("calendar_branches: LatestOnlyOperator",)
_WEEKDAY = ("calendar_branches: BranchDayOfWeekOperator", "enums: WeekDay")
_DATETIME = ("calendar_branches: BranchDateTimeOperator target_times_as_dates",)
_SKIPMIXIN = ("skipping: SkipMixin XCOM_SKIPMIXIN_KEY XCOM_SKIPMIXIN_SKIPPED XCOM_SKIPMIXIN_FOLLOWED",)
_TIMEZONE = (
    "timezone: utc TIMEZONE utcnow is_localized is_naive make_aware make_naive convert_to_utc coerce_datetime datetime",
    "timezone: parse parse_timezone beginning_of_day td_format from_timestamp",
)
_EDGES = ("edges: chain chain_linear cross_downstream",)
_LABELS = ("edges: Label EdgeModifier",)
_NODE = ("node: DependencyMixin DAGNode TaskMixin=DependencyMixin",)
_ASSETS = (
    "assets: Asset Dataset Model AssetAlias DatasetAlias=AssetAlias AssetAny DatasetAny=AssetAny AssetAll",
    "assets: DatasetAll=AssetAll AssetRef AssetWatcher Metadata",
    "asset_definitions: asset",
)
_EXCEPTIONS = (
    "exceptions: AirflowBadRequest AirflowClusterPolicyViolation AirflowConfigException AirflowDagCycleException",
    "exceptions: AirflowDagDuplicatedIdException AirflowDagInconsistent AirflowException AirflowFailException",
    "exceptions: AirflowInternalRuntimeError AirflowNotFoundException AirflowOptionalProviderFeatureException",
    "exceptions: AirflowProviderDeprecationWarning AirflowRescheduleException AirflowRuntimeError AirflowSensorTimeout",
    "exceptions: AirflowSkipException AirflowTaskTerminated",
    "exceptions: AirflowTaskTimeout AirflowTimetableInvalid DagNotFound DagRunNotFound",
    "exceptions: DownstreamTasksSkipped DuplicateTaskIdFound NodeNotFound ParamValidationError RemovedInAirflow3Warning",
    "exceptions: RemovedInAirflow4Warning TaskAlreadyInTaskGroup",
    "exceptions: TaskDeferralError TaskDeferred TaskInstanceNotFound TaskNotFound",
    "exceptions: UnmappableXComLengthPushed UnmappableXComTypePushed XComForMappingNotPushed XComNotFound",
    "exceptions: AirflowFileParseException AirflowClusterPolicySkipDag AirflowClusterPolicyError NotMapped",
    "exceptions: AirflowInactiveAssetInInletOrOutletException AirflowSecretsBackendAccessDenied",
    "exceptions: AirflowWebServerTimeout ConnectionNotUnique VariableNotUnique DagCodeNotFound DagRunAlreadyExists",
    "exceptions: DagFileExists DagRunTriggerException FailFastDagInvalidTriggerRule FailStopDagInvalidTriggerRule",
    "exceptions: PodMutationHookException PodReconciliationError PoolNotFound SerializationError DeserializationError",
    "exceptions: DeserializingResultError TaskAlreadyRunningError TaskAwaitingInput TaskDeferralTimeout",
    "exceptions: UnknownExecutorException UnmappableOperator NoAvailablePoolSlot",
)
_XCOM = ("xcom: XCom BaseXCom XCOM_RETURN_KEY",)
_DECORATED = (
    "taskflow: DecoratedOperator DecoratedMappedOperator TaskDecorator get_unique_task_id task_decorator_factory",
    "taskflow: is_async_callable unwrap_callable _TaskDecorator",
    "python: determine_kwargs KeywordParameters",
)
_MASKING = (
    "secrets_masker: mask_secret redact should_hide_value_for_key SecretsMasker DEFAULT_SENSITIVE_FIELDS",
)
_TRIGGERS = (
    "triggers: BaseTrigger BaseEventTrigger TriggerEvent StartTriggerArgs BaseTaskEndEvent TaskSuccessEvent",
    "triggers: TaskFailedEvent TaskSkippedEvent",
)
_RETRY_POLICIES = (
    "retry_policy: RetryPolicy RetryRule RetryAction RetryDecision ExceptionRetryPolicy ChainRetryPolicy",
)
_CONTEXT = (
    "current: Context get_current_context set_current_context context_merge context_to_airflow_vars",
    "current: AIRFLOW_VAR_NAME_FORMAT_MAPPING DEFAULT_FORMAT_PREFIX ENV_VAR_FORMAT_PREFIX get_parsing_context",
    "current: AirflowParsingContext NEVER_EXPIRE",
)
_LINEAGE = (
    "observability: HookLineage HookLineageCollector HookLineageReader NoOpCollector get_hook_lineage_collector",
    "observability: AssetLineageInfo DatasetLineageInfo=AssetLineageInfo",
)
_MODULE_LOADING = ("module_loading: import_string qualname is_valid_dotpath iter_namespace",)
_KEYS = ("keys: TaskInstanceKey",)
_PROVIDERS = (
    "provider_registry: ProvidersManager ProvidersManagerTaskRuntime=ProvidersManager HookInfo ProviderInfo",
)
_STATS = ("observability: Stats",)
_SECRETS = ("secrets_backend: BaseSecretsBackend",)
_EMAIL = ("mail: send_email send_email_smtp send_mime_email build_mime_message get_email_address_list",)
_OPERATOR_EMAIL = ("mail: EmailOperator",)
_TASKFLOW = ("dag_decorators: dag task_group", "taskflow: task setup=setup_task teardown=teardown_task")
_TIMETABLES = {
    "airflow.timetables.base": ("timetables: Timetable DataInterval DagRunInfo TimeRestriction",),
    "airflow.timetables.trigger": (
        "timetables: CronTriggerTimetable DeltaTriggerTimetable MultipleCronTriggerTimetable",
        "partitions: CronPartitionTimetable",
    ),
    "airflow.timetables.interval": ("timetables: CronDataIntervalTimetable DeltaDataIntervalTimetable",),
    "airflow.timetables.events": ("timetables: EventsTimetable",),
    "airflow.timetables.simple": (
        "timetables: NullTimetable OnceTimetable ContinuousTimetable",
        "partitions: PartitionedAssetTimetable PartitionedAtRuntime",
    ),
    "airflow.timetables.assets": ("timetables: AssetOrTimeSchedule",),
    "airflow.timetables.datasets": ("timetables: DatasetOrTimeSchedule=AssetOrTimeSchedule",),
}

_INSTANCES = ("instance_types: TaskInstance DagRun",)

MODULES: dict[str, tuple[str, ...]] = {
    "airflow": (
        "dag: DAG",
        "xcom_arg: XComArg",
        "assets: Dataset Asset",
        "edges: EdgeModifier",
        "exceptions: AirflowException DeprecatedImportWarning",
    ),
    "airflow._shared.module_loading": _MODULE_LOADING,
    "airflow.configuration": ("configuration: conf AirflowConfigParser AIRFLOW_HOME get_airflow_home",),
    "airflow.datasets": (*_ASSETS, "assets: expand_alias_to_datasets=expand_alias"),
    "airflow.datasets.metadata": ("assets: Metadata",),
    "airflow.decorators": (
        *_TASKFLOW,
        "xcom_arg: XComArg",
        "taskflow: TaskDecorator TaskDecoratorCollection",
    ),
    "airflow.decorators.setup_teardown": (
        "setup_blocks: context_wrapper=ContextWrapper ContextWrapper",
        "taskflow: setup_task teardown_task",
    ),
    "airflow.decorators.base": _DECORATED,
    "airflow.exceptions": _EXCEPTIONS,
    "airflow.hooks.base": ("connection: BaseHook",),
    "airflow.hooks.base_hook": ("connection: BaseHook",),
    "airflow.io": ("object_storage: get_fs attach has_fs",),
    "airflow.io.path": ("object_storage: ObjectStoragePath",),
    "airflow.lineage.hook": _LINEAGE,
    "airflow.listeners": ("observability: hookimpl",),
    "airflow.listeners.listener": ("observability: get_listener_manager",),
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
        *_XCOM,
        "absent: DagBag DagModel DagTag Log Pool TaskFail TaskReschedule SlaMiss Trigger RenderedTaskInstanceFields",
        "absent: ImportError DbCallbackRequest DagPickle",
    ),
    "airflow.models.abstractoperator": ("operator: AbstractOperator=BaseOperator", _DEFAULTS),
    "airflow.models.baseoperator": ("operator: BaseOperator BaseOperatorMeta BaseOperatorLink", *_EDGES),
    "airflow.models.baseoperatorlink": ("operator: BaseOperatorLink",),
    "airflow.models.connection": ("connection: Connection",),
    "airflow.models.dag": (
        "dag: DAG",
        "contexts: DagContext",
        "dag_decorators: dag",
        "absent: DagModel DagTag",
    ),
    "airflow.models.dagrun": ("instance_types: DagRun", "enums: DagRunType"),
    "airflow.models.expandinput": (
        "expand_input: DictOfListsExpandInput ListOfDictsExpandInput MappedArgument",
    ),
    "airflow.models.mappedoperator": ("mapped: MappedOperator OperatorPartial",),
    "airflow.models.operator": ("operator: Operator=BaseOperator",),
    "airflow.models.param": ("params: Param ParamsDict DagParam",),
    "airflow.models.skipmixin": _SKIPMIXIN,
    "airflow.models.taskinstance": (
        "instance_types: TaskInstance",
        *_CONTEXT,
        *_KEYS,
        "absent: clear_task_instances SimpleTaskInstance",
    ),
    "airflow.models.taskinstancekey": _KEYS,
    "airflow.models.taskmixin": _NODE,
    "airflow.models.variable": ("variable: Variable",),
    "airflow.models.xcom": _XCOM,
    "airflow.models.xcom_arg": ("xcom_arg: XComArg PlainXComArg MapXComArg ZipXComArg ConcatXComArg",),
    "airflow.notifications.basenotifier": ("misc: BaseNotifier",),
    "airflow.operators.bash": _OPERATORS_BASH,
    "airflow.operators.bash_operator": _OPERATORS_BASH,
    "airflow.operators.branch": _BRANCH,
    "airflow.operators.branch_operator": _BRANCH,
    "airflow.operators.datetime": _DATETIME,
    "airflow.operators.dummy": ("simple: DummyOperator EmptyOperator",),
    "airflow.observability.stats": _STATS,
    "airflow.operators.email": _OPERATOR_EMAIL,
    "airflow.operators.dummy_operator": ("simple: DummyOperator EmptyOperator",),
    "airflow.operators.empty": _OPERATORS_EMPTY,
    "airflow.operators.latest_only": _LATEST_ONLY,
    "airflow.operators.python": (*_OPERATORS_PYTHON, *_VIRTUALENV, *_SKIPMIXIN),
    "airflow.operators.python_operator": (*_OPERATORS_PYTHON, *_VIRTUALENV),
    "airflow.operators.weekday": _WEEKDAY,
    "airflow.policies": ("observability: hookimpl",),
    "airflow.plugins_manager": ("misc: AirflowPlugin",),
    "airflow.providers_manager": _PROVIDERS,
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
    "airflow.providers.common.compat.notifier": ("misc: BaseNotifier",),
    "airflow.providers.docker.operators.docker": ("images: DockerOperator",),
    "airflow.providers.docker.decorators.docker": ("images: _DockerDecoratedOperator",),
    "airflow.providers.cncf.kubernetes.callbacks": (
        "pods: KubernetesPodOperatorCallback ExecutionMode client_type",
    ),
    "airflow.providers.cncf.kubernetes.operators.pod": (
        "images: KubernetesPodOperator",
        "pods: KubernetesPodOperatorCallback OnFinishAction PodPhase",
    ),
    "airflow.providers.cncf.kubernetes.operators.kubernetes_pod": ("images: KubernetesPodOperator",),
    "airflow.providers.cncf.kubernetes.decorators.kubernetes": ("images: _KubernetesDecoratedOperator",),
    "airflow.providers.standard.decorators.bash": ("taskflow: _BashDecoratedOperator",),
    "airflow.providers.standard.operators.bash": _OPERATORS_BASH,
    "airflow.providers.standard.operators.branch": _BRANCH,
    "airflow.providers.standard.operators.datetime": _DATETIME,
    "airflow.providers.standard.operators.empty": _OPERATORS_EMPTY,
    "airflow.providers.standard.operators.hitl": (
        "refused: HITLOperator ApprovalOperator HITLBranchOperator HITLEntryOperator",
    ),
    "airflow.providers.standard.operators.latest_only": _LATEST_ONLY,
    "airflow.providers.standard.operators.python": (*_OPERATORS_PYTHON, *_VIRTUALENV, *_SKIPMIXIN),
    "airflow.providers.standard.operators.weekday": _WEEKDAY,
    "airflow.providers.standard.decorators.sensor": ("calling_sensors: DecoratedSensorOperator",),
    "airflow.providers.standard.sensors.bash": _SENSOR_BASH,
    "airflow.providers.standard.sensors.date_time": _SENSOR_DATETIME,
    "airflow.providers.standard.sensors.python": _SENSOR_PYTHON,
    "airflow.providers.standard.sensors.time": _SENSOR_TIME,
    "airflow.providers.standard.sensors.time_delta": _SENSOR_DELTA,
    "airflow.providers.standard.sensors.weekday": _SENSOR_WEEKDAY,
    "airflow.hooks.filesystem": ("local_hooks: FSHook",),
    "airflow.hooks.subprocess": ("local_hooks: SubprocessHook SubprocessResult working_directory",),
    "airflow.providers.standard.hooks.filesystem": ("local_hooks: FSHook",),
    "airflow.providers.standard.hooks.subprocess": (
        "local_hooks: SubprocessHook SubprocessResult working_directory",
    ),
    "airflow.providers.standard.exceptions": ("exceptions: AirflowException",),
    "airflow.providers.standard.utils.skipmixin": _SKIPMIXIN,
    "airflow.providers.standard.utils.weekday": ("enums: WeekDay",),
    "airflow.sdk": (
        *_ASSETS,
        *_EDGES,
        *_LABELS,
        *_TASKFLOW,
        "configuration: conf",
        "connection: BaseHook Connection",
        "current: Context get_current_context get_parsing_context",
        "dag: DAG",
        "enums: DagRunState TaskInstanceState TriggerRule WeightRule",
        "group: TaskGroup",
        "mapped: MappedOperator",
        "object_storage: ObjectStoragePath",
        "operator: BaseAsyncOperator",
        "resumable: ResumableJobMixin",
        *_KEYS,
        *_RETRY_POLICIES,
        "current: NEVER_EXPIRE",
        "instance_types: TaskInstance",
        "macros: macros=*",
        "partitions: AssetAccessControl CronPartitionTimetable PartitionedAssetTimetable PartitionedAtRuntime",
        *PARTITION_MAPPERS,
        "misc: BaseNotifier",
        "operator: BaseOperator BaseOperatorLink",
        "params: Param ParamsDict",
        "sensor: BaseSensorOperator PokeReturnValue",
        "simple: EmptyOperator",
        "skipping: SkipMixin BaseBranchOperator",
        "templates: literal",
        "timetables: CronTriggerTimetable CronDataIntervalTimetable DeltaTriggerTimetable DeltaDataIntervalTimetable",
        "timetables: MultipleCronTriggerTimetable EventsTimetable AssetOrTimeSchedule",
        "timezone: timezone=*",
        "variable: Variable",
        "xcom_arg: XComArg",
    ),
    "airflow.sdk.bases.branch": _BRANCH,
    "airflow.sdk._shared.listeners": ("observability: hookimpl",),
    "airflow.sdk._shared.module_loading": _MODULE_LOADING,
    "airflow.sdk._shared.observability.metrics.stats": _STATS,
    "airflow.sdk._shared.secrets_masker": _MASKING,
    "airflow.sdk.bases.decorator": _DECORATED,
    "airflow.sdk.bases.resumablejobmixin": ("resumable: ResumableJobMixin",),
    "airflow.sdk.bases.secrets_backend": _SECRETS,
    "airflow.sdk.bases.skipmixin": _SKIPMIXIN,
    "airflow.sdk.bases.trigger": _TRIGGERS,
    "airflow.sdk.bases.xcom": _XCOM,
    "airflow.sdk.bases.hook": ("connection: BaseHook",),
    "airflow.sdk.bases.notifier": ("misc: BaseNotifier",),
    "airflow.sdk.bases.operator": (
        "operator: BaseOperator BaseAsyncOperator BaseOperatorMeta",
        "mapped: OperatorPartial",
        *_EDGES,
    ),
    "airflow.sdk.bases.operatorlink": ("operator: BaseOperatorLink",),
    "airflow.sdk.bases.sensor": _SENSORS,
    "airflow.sdk.configuration": ("configuration: conf",),
    "airflow.sdk._shared.configuration.exceptions": ("exceptions: AirflowConfigException",),
    "airflow.sdk.definitions._internal.abstractoperator": (
        "operator: AbstractOperator=BaseOperator",
        _DEFAULTS,
    ),
    "airflow.sdk.definitions._internal.types": (
        "params: NOTSET ArgNotSet SET_DURING_EXECUTION SetDuringExecution is_arg_set",
    ),
    "airflow.sdk.definitions._internal.templater": ("templates: Templater LiteralValue",),
    "airflow.sdk.definitions._internal.contextmanager": ("contexts: DagContext TaskGroupContext",),
    "airflow.sdk.definitions.asset": _ASSETS,
    "airflow.sdk.definitions.asset.decorators": (
        "asset_definitions: asset AssetDefinition MultiAssetDefinition _AssetMainOperator",
    ),
    "airflow.sdk.definitions.asset.metadata": ("assets: Metadata",),
    "airflow.sdk.definitions.retry_policy": _RETRY_POLICIES,
    "airflow.sdk.definitions.template": ("templates: literal",),
    "airflow.sdk.definitions.connection": ("connection: Connection",),
    "airflow.sdk.definitions.context": _CONTEXT,
    "airflow.sdk.definitions.dag": ("dag: DAG", "dag_decorators: dag"),
    "airflow.sdk.definitions.decorators": _TASKFLOW,
    "airflow.sdk.definitions.decorators.setup_teardown": (
        "setup_blocks: context_wrapper=ContextWrapper ContextWrapper",
        "taskflow: setup_task teardown_task",
    ),
    "airflow.sdk.definitions.edges": _LABELS,
    "airflow.sdk.definitions.mappedoperator": ("mapped: MappedOperator",),
    "airflow.sdk.definitions.param": ("params: Param ParamsDict",),
    "airflow.sdk.definitions.taskgroup": ("group: TaskGroup",),
    "airflow.sdk.definitions.variable": ("variable: Variable",),
    "airflow.sdk.definitions.xcom_arg": ("xcom_arg: XComArg PlainXComArg",),
    "airflow.sdk.exceptions": _EXCEPTIONS,
    "airflow.sdk.execution_time.context": _CONTEXT,
    "airflow.sdk.execution_time.secrets_masker": _MASKING,
    "airflow.sdk.execution_time.timeout": ("misc: timeout",),
    "airflow.sdk.execution_time.xcom": _XCOM,
    "airflow.sdk.io": ("object_storage: ObjectStoragePath get_fs attach has_fs",),
    "airflow.sdk.io.path": ("object_storage: ObjectStoragePath",),
    "airflow.sdk.lineage": _LINEAGE,
    "airflow.sdk.listener": ("observability: get_listener_manager",),
    "airflow.sdk.log": _MASKING,
    "airflow.sdk.module_loading": _MODULE_LOADING,
    "airflow.sdk.observability.stats": _STATS,
    "airflow.sdk.plugins_manager": ("misc: AirflowPlugin",),
    "airflow.sdk.providers_manager_runtime": _PROVIDERS,
    "airflow._shared.secrets_masker": _MASKING,
    "airflow.sdk.execution_time.task_runner": ("instance_types: RuntimeTaskInstance=TaskInstance",),
    "airflow.sdk.timezone": _TIMEZONE,
    "airflow.sdk.types": (
        "instance_types: RuntimeTaskInstanceProtocol=TaskInstance DagRunProtocol=DagRun",
        *_KEYS,
    ),
    "airflow.secrets": _SECRETS,
    "airflow.secrets.base_secrets": _SECRETS,
    "airflow.sensors.base": _SENSORS,
    "airflow.sensors.base_sensor_operator": _SENSORS,
    "airflow.sensors.bash": _SENSOR_BASH,
    "airflow.sensors.date_time": _SENSOR_DATETIME,
    "airflow.sensors.external_task": _EXTERNAL_TASK,
    "airflow.sensors.external_task_sensor": _EXTERNAL_TASK,
    "airflow.operators.trigger_dagrun": _TRIGGER_DAGRUN,
    "airflow.operators.dagrun_operator": _TRIGGER_DAGRUN,
    "airflow.providers.standard.operators.trigger_dagrun": _TRIGGER_DAGRUN,
    "airflow.providers.standard.sensors.external_task": _EXTERNAL_TASK,
    "airflow.sensors.python": _SENSOR_PYTHON,
    "airflow.sensors.time_delta": _SENSOR_DELTA,
    "airflow.sensors.time_sensor": _SENSOR_TIME,
    "airflow.sensors.weekday": _SENSOR_WEEKDAY,
    "airflow.settings": (
        "configuration: AIRFLOW_HOME DAGS_FOLDER PLUGINS_FOLDER conf",
        "timezone: TIMEZONE",
        "misc: json pod_mutation_hook",
        "absent: Session engine",
    ),
    "airflow.stats": _STATS,
    "airflow.task.trigger_rule": ("enums: TriggerRule",),
    "airflow.task.priority_strategy": ("misc: PriorityWeightStrategy",),
    "airflow.task.weight_rule": ("enums: WeightRule",),
    "airflow.template.templater": ("templates: Templater LiteralValue",),
    **_TIMETABLES,
    "airflow.triggers.base": _TRIGGERS,
    "airflow.triggers.temporal": ("triggers: DateTimeTrigger TimeDeltaTrigger",),
    "airflow.providers.standard.triggers.temporal": ("triggers: DateTimeTrigger TimeDeltaTrigger",),
    "airflow.typing_compat": (
        "typing_compat: Literal ParamSpec Protocol Self TypeAlias TypedDict TypeGuard Unpack assert_never",
        "typing_compat: runtime_checkable",
    ),
    "airflow.utils.context": _CONTEXT,
    "airflow.utils.dag_parsing_context": ("current: get_parsing_context AirflowParsingContext",),
    "airflow.utils.dates": ("dates: days_ago cron_presets round_time parse_execution_date",),
    "airflow.utils.db": ("misc: create_session provide_session", "absent: merge_conn"),
    "airflow.utils.decorators": ("dates: apply_defaults",),
    "airflow.utils.deprecation_tools": (
        "texts: add_deprecated_classes",
        "exceptions: DeprecatedImportWarning",
    ),
    "airflow.utils.edgemodifier": _LABELS,
    "airflow.utils.email": _EMAIL,
    "airflow.utils.file": ("dates: mkdirs", "misc: TemporaryDirectory"),
    "airflow.utils.hashlib_wrapper": ("texts: md5",),
    "airflow.utils.json": ("texts: WebEncoder AirflowJsonEncoder=WebEncoder XComEncoder XComDecoder",),
    "airflow.utils.helpers": (
        *_EDGES,
        "texts: merge_dicts validate_key",
        "dates: convert_camel_to_snake as_flattened_list partition",
        "enums: State",
        "dates: as_tuple alchemy_to_dict chunks reduce_in_chunks is_container exactly_one at_most_one prune_dict",
    ),
    "airflow.utils.log.logging_mixin": ("logs: LoggingMixin StreamLogWriter", "texts: remove_escape_codes"),
    "airflow.utils.log.secrets_masker": _MASKING,
    "airflow.utils.module_loading": _MODULE_LOADING,
    "airflow.utils.net": ("misc: get_hostname get_host_ip_address",),
    "airflow.utils.operator_helpers": (
        "python: determine_kwargs KeywordParameters make_kwargs_callable",
        *_CONTEXT,
    ),
    "airflow.utils.operator_resources": ("misc: Resources",),
    "airflow.utils.process_utils": (
        "processes: execute_in_subprocess execute_in_subprocess_with_kwargs patch_environ",
    ),
    "airflow.utils.platform": ("texts: getuser is_tty is_terminal_support_colors",),
    "airflow.utils.session": ("misc: create_session provide_session NEW_SESSION",),
    "airflow.utils.setup_teardown": ("setup_blocks: SetupTeardownContext",),
    "airflow.utils.state": ("enums: State TaskInstanceState DagRunState TerminalTIState",),
    "airflow.utils.task_group": ("group: TaskGroup MappedTaskGroup", "contexts: TaskGroupContext"),
    "airflow.utils.strings": ("texts: to_boolean get_random_string",),
    "airflow.utils.template": ("templates: literal",),
    "airflow.utils.timeout": ("misc: timeout",),
    "airflow.utils.timezone": _TIMEZONE,
    "airflow.utils.trigger_rule": ("enums: TriggerRule",),
    "airflow.utils": ("timezone: timezone=*",),
    "airflow.utils.types": ("enums: DagRunType", "params: NOTSET ArgNotSet is_arg_set"),
    "airflow.utils.weekday": ("enums: WeekDay",),
    "airflow.utils.weight_rule": ("enums: WeightRule",),
    "airflow.utils.xcom": ("xcom: XCOM_RETURN_KEY",),
    "airflow.utils.yaml": ("texts: safe_load=yaml_load dump=yaml_dump", "yaml_names: YAMLError SafeLoader"),
    "airflow.version": ("version: version",),
    **ELSEWHERE,
}

# Paths that only one of the majors has: `try: ... except ImportError: ...` in a DAG file goes the same way as there.
ONLY_2 = (
    *_ONLY_2,
    "airflow.decorators.setup_teardown",
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
    "airflow.utils.weekday",
)
ONLY_3 = (*_ONLY_3, "airflow.partition_mappers", "airflow.sdk", "airflow.timetables.assets")
