"""One task instance per file, each on its own; then one that sees what all of them found."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow import DAG
from airflow.decorators import task
from airflow.exceptions import AirflowSkipException
from airflow.operators.bash import BashOperator

FILES = {"a.csv": 120, "b.csv": 0, "c.csv": 45, "notes.txt": 7}


@task
def list_files() -> list[str]:
    return sorted(FILES)


@task(
    retries=1,
    retry_delay=timedelta(seconds=1),
    max_active_tis_per_dagrun=2,
    map_index_template="{{ ti.map_index }}",
)
def count_rows(path: str, unit: str) -> dict[str, int | str]:
    if not path.endswith(".csv"):
        raise AirflowSkipException(f"{path} has no rows")
    return {"path": path, unit: FILES[path]}


@task(trigger_rule="none_failed")
def summarise(counts: list[dict[str, int]]) -> dict[str, int]:
    return {"files": len(counts), "rows": sum(count["rows"] for count in counts)}


def check_command(count: dict[str, int]) -> str:
    if not count["rows"]:
        raise AirflowSkipException(f"{count['path']} is empty")
    return f"echo {count['path']} has {count['rows']} rows"


with DAG("mapped_files", schedule=None, start_date=datetime(2024, 1, 1), tags=["files"]):
    counts = count_rows.partial(unit="rows").expand(path=list_files())
    summary = summarise(counts)
    # One instance per count; those of empty files are skipped by the function that makes the command.
    BashOperator.partial(task_id="check", trigger_rule="none_failed").expand(
        bash_command=counts.map(check_command)
    )
    # Every combination, known before the run starts: no state is needed to find out how many there are.
    (
        BashOperator.partial(task_id="publish").expand(
            bash_command=["echo report", "echo archive"], env=[{"REGION": "eu"}, {"REGION": "us"}]
        )
        << summary
    )
