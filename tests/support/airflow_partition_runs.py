"""Asks Airflow's own asset manager and scheduler which runs of partitioned DAGs events of assets start.

    python airflow_partition_runs.py HOME DAG_FILE < STEPS        prints what each step starts

Each step is a list of events of one task: name, URI, partition key (or null) and partition date (or null). What it starts
is a list of runs: dag_id, partition key, date, and the assets and keys of the events that they consumed, sorted.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any


def settle(home: Path) -> None:
    """Let Airflow use a database of its own, which is empty."""
    home.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL",
    }


def register(file: Path, session: Any) -> None:
    """Put the DAGs of a file into the database, switched on."""
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel

    session.add(DagBundleModel(name="b"))
    session.commit()
    sync_bag_to_db(DagBag(str(file), bundle_path=file.parent), "b", None, session=session)
    for model in session.query(DagModel):
        model.is_paused = False
    session.commit()


def started(runner: Any, events: list[tuple[str, str, str | None, str | None]], session: Any) -> list[Any]:
    """Return the runs that the events of one task start at the scheduler's next look."""
    from airflow.assets.manager import asset_manager
    from airflow.models.dagrun import DagRun
    from airflow.serialization.definitions.assets import SerializedAssetUniqueKey
    from sqlalchemy import select

    before = set(session.scalars(select(DagRun.id)))
    for name, uri, key, date in events:
        asset_manager.register_asset_change(
            asset=SerializedAssetUniqueKey(name, uri),
            partition_key=key,
            partition_date=datetime.fromisoformat(date) if date else None,
            session=session,
        )
    session.commit()
    runner._create_dagruns_for_partitioned_asset_dags(session)
    session.commit()
    runs = session.scalars(select(DagRun).where(DagRun.id.not_in(before)))
    return sorted(map(shown, runs))


def shown(run: Any) -> list[Any]:
    assert (run.logical_date, run.data_interval_start) == (None, None)
    date = run.partition_date.astimezone(timezone.utc).isoformat() if run.partition_date else ""
    events = sorted([each.asset.name, each.partition_key] for each in run.consumed_asset_events)
    return [run.dag_id, run.partition_key, date, events]


def main() -> None:
    home, file = map(Path, sys.argv[1:3])
    settle(home)
    sys.path.insert(0, str(Path(__file__).parent))
    from airflow_oracle import make_database, private_stdout

    out = private_stdout()
    make_database(home, None)
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.utils.session import create_session

    with create_session() as session:
        register(file, session)
        runner = SchedulerJobRunner(job=Job())
        runner._max_partition_dag_runs_per_loop = 10_000
        answers = [started(runner, step, session) for step in json.load(sys.stdin)]
    out.write(json.dumps(answers) + "\n")
    out.close()


if __name__ == "__main__":
    main()
