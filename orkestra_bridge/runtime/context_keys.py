"""The keys of Airflow's template context, per major version."""

from __future__ import annotations

_BOTH = frozenset(
    {
        "conn",
        "dag",
        "dag_run",
        "data_interval_end",
        "data_interval_start",
        "ds",
        "ds_nodash",
        "inlet_events",
        "inlets",
        "logical_date",
        "macros",
        "map_index_template",
        "outlet_events",
        "outlets",
        "params",
        "prev_data_interval_end_success",
        "prev_data_interval_start_success",
        "prev_end_date_success",
        "prev_start_date_success",
        "run_id",
        "task",
        "task_instance",
        "task_instance_key_str",
        "ti",
        "ts",
        "ts_nodash",
        "ts_nodash_with_tz",
        "var",
    }
)

ONLY_2 = frozenset(
    {
        "conf",
        "execution_date",
        "expanded_ti_count",
        "next_ds",
        "next_ds_nodash",
        "next_execution_date",
        "prev_ds",
        "prev_ds_nodash",
        "prev_execution_date",
        "prev_execution_date_success",
        "test_mode",
        "tomorrow_ds",
        "tomorrow_ds_nodash",
        "triggering_dataset_events",
        "yesterday_ds",
        "yesterday_ds_nodash",
    }
)

ONLY_3 = frozenset({"partition_date", "partition_key", "task_reschedule_count", "triggering_asset_events"})

STORES = frozenset({"asset_state_store", "task_state_store"})
"""What Airflow gives from 3.3 on; here only where there is a table for it (`runtime/context.py`)."""
TASK_STATE = "ORKESTRA_TASK_STATE"
"""The environment variable that names the table with what tasks store for their next tries (`runtime/tables.py`)."""
ASSET_STATE = "ORKESTRA_ASSET_STATE"
"""The one that names the table with what tasks store with assets, which all DAGs share."""
ASSET_HISTORY = "ORKESTRA_ASSET_HISTORY"
"""The one that names the table with past events of assets."""

_SOMETIMES = frozenset(
    {"exception", "expanded_ti_count", "reason", "templates_dict", "test_mode", "try_number"}
)
"""What only callbacks or some operators find, or what is only a reserved name."""

DATED = frozenset(
    {
        "data_interval_end",
        "data_interval_start",
        "ds",
        "ds_nodash",
        "logical_date",
        "prev_data_interval_end_success",
        "prev_data_interval_start_success",
        "ts",
        "ts_nodash",
        "ts_nodash_with_tz",
    }
)
"""What a run without a logical date has not (`RuntimeTaskInstance.get_template_context`)."""

KNOWN_KEYS = _BOTH | ONLY_2 | ONLY_3 | STORES | _SOMETIMES
"""The names that a function's parameters may have without a value (`KNOWN_CONTEXT_KEYS`)."""


def keys_of(major: int) -> frozenset[str]:
    """Return the keys that a task of this Airflow major version finds in its context."""
    return _BOTH | (ONLY_2 if major == 2 else ONLY_3)
