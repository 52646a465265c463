"""Import paths of what does not run in a task: what Lambda has no place for, schedules, Airflow's tables, its web server.

The names can be imported, so that what else a file has runs; who uses them is told why they are not there.
"""

from __future__ import annotations

_FILE = ("refused: FileSensor",)
_SUBDAG = ("refused: SubDagOperator SkippedStatePropagationOptions",)
_VIRTUALENV = ("virtualenvs: prepare_virtualenv", "absent: write_python_script")
_PERMISSIONS = tuple(
    f"permissions: {names}"
    for names in (
        "ACTION_CAN_ACCESS_MENU ACTION_CAN_CREATE ACTION_CAN_DELETE ACTION_CAN_EDIT ACTION_CAN_READ",
        "RESOURCE_DAG RESOURCE_DAG_PREFIX RESOURCE_DAG_RUN RESOURCE_WEBSITE resource_name_for_dag",
    )
)
_WINDOWS = (
    "partition_windows: DayWindow HourWindow MonthWindow QuarterWindow SegmentWindow WeekWindow Window YearWindow",
)
_TIMES = (
    "partition_times: FanOutMapper StartOfDayMapper StartOfHourMapper StartOfMonthMapper StartOfQuarterMapper",
    "partition_times: StartOfWeekMapper StartOfYearMapper",
)
PARTITION_MAPPERS = (
    "partitions: AllowedKeyMapper ChainMapper FixedKeyMapper IdentityMapper PartitionMapper ProductMapper RollupMapper",
    "partition_windows: MinimumCount WaitForAll",
    *_WINDOWS,
    *_TIMES,
)

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "airflow.api_fastapi.app": (
        "web: AUTH_MANAGER_FASTAPI_APP_PREFIX",
        "absent: create_app get_auth_manager",
    ),
    "airflow.api_fastapi.auth.managers.base_auth_manager": (
        "web: COOKIE_NAME_JWT_TOKEN",
        "absent: BaseAuthManager",
    ),
    "airflow.models.asset": (
        "assets: expand_alias_to_assets=expand_alias",
        "absent: AssetModel AssetEvent AssetAliasModel AssetDagRunQueue",
    ),
    "airflow.models.base": ("absent: Base", "lengths: ID_LEN COLLATION_ARGS"),
    "airflow.models.dagbag": ("absent: DagBag",),
    "airflow.models.dataset": ("absent: DatasetModel DatasetEvent DatasetAliasModel DatasetDagRunQueue",),
    "airflow.models.errors": ("absent: ImportError ParseImportError",),
    "airflow.models.log": ("absent: Log",),
    "airflow.models.pool": ("absent: Pool",),
    "airflow.models.renderedtifields": ("absent: RenderedTaskInstanceFields",),
    "airflow.models.serialized_dag": ("absent: SerializedDagModel",),
    "airflow.models.slamiss": ("absent: SlaMiss",),
    "airflow.models.taskfail": ("absent: TaskFail",),
    "airflow.models.taskreschedule": ("absent: TaskReschedule",),
    "airflow.models.trigger": ("absent: Trigger",),
    "airflow.operators.subdag": _SUBDAG,
    "airflow.operators.subdag_operator": _SUBDAG,
    "airflow.partition_mappers": PARTITION_MAPPERS,
    "airflow.partition_mappers.allowed_key": ("partitions: AllowedKeyMapper",),
    "airflow.partition_mappers.base": ("partitions: PartitionMapper RollupMapper",),
    "airflow.partition_mappers.chain": ("partitions: ChainMapper",),
    "airflow.partition_mappers.fixed_key": ("partitions: FixedKeyMapper",),
    "airflow.partition_mappers.identity": ("partitions: IdentityMapper",),
    "airflow.partition_mappers.product": ("partitions: ProductMapper",),
    "airflow.partition_mappers.temporal": (*_TIMES, "partition_times: _BaseTemporalMapper=_TemporalMapper"),
    "airflow.partition_mappers.wait_policy": ("partition_windows: MinimumCount WaitForAll WaitPolicy",),
    "airflow.partition_mappers.window": _WINDOWS,
    "airflow.providers.standard.sensors.filesystem": _FILE,
    "airflow.providers.standard.triggers.file": (
        "refused: FileTrigger FileDeleteTrigger DirectoryFileDeleteTrigger",
    ),
    "airflow.security.permissions": _PERMISSIONS,
    "airflow.security": ("permissions: permissions=*",),
    "airflow.sensors.filesystem": _FILE,
    "airflow.sensors.file_sensor": _FILE,
    "airflow.providers.standard.utils.python_virtualenv": _VIRTUALENV,
    "airflow.utils.python_virtualenv": _VIRTUALENV,
    "airflow.www.app": ("absent: create_app csrf",),
    "airflow.www.auth": ("web: has_access", "absent: has_access_dag"),
    "airflow.www.views": ("web: AirflowBaseView", "absent: AirflowModelView"),
}

ONLY_2 = (
    "airflow.models.dataset",
    "airflow.models.slamiss",
    "airflow.models.taskfail",
    "airflow.operators.subdag",
    "airflow.operators.subdag_operator",
    "airflow.security",
    "airflow.sensors.file_sensor",
    "airflow.www",
)
ONLY_3 = ("airflow.api_fastapi",)
