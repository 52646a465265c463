"""Runs every task of the DAGs of an unpacked package in dependency order, carrying the ledger as the state machine does.

    python drive.py PACKAGE OPTIONS        prints {dag_id: {"tasks", "xcom", "edges", "errors"}} on the last line

The manifest is written from the DAG file itself: options are JSON with dag_file, version, dag_ids, schedule and run.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

from orkestra_bridge.runtime import serde
from orkestra_bridge.runtime.failure import PUSHED_BEFORE_FAILURE
from orkestra_bridge.runtime.handler import Package
from orkestra_bridge.runtime.loading import describe, load_dag

NO_SCHEDULE = {"kind": "none"}
EXECUTION = {"id": "arn:aws:states:eu-west-1:123456789012:execution:m:e", "name": "e"}


def workflow_of(dag: Any, version: str, schedule: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a workflow document that the runtime reads."""
    tasks = [
        {
            "task_id": task.task_id,
            "operator": task.task_type,
            "upstream": sorted(task.upstream_task_ids),
            "trigger_rule": str(task.trigger_rule),
            "is_setup": task.is_setup,
            "is_teardown": task.is_teardown,
            "retries": task.retries,
        }
        for task in in_order(dag)
    ]
    return {"dag_id": dag.dag_id, "airflow_version": version, "schedule": schedule, "tasks": tasks}


def in_order(dag: Any) -> list[Any]:
    """Return the tasks, each after the ones it waits for."""
    done: dict[str, Any] = {}
    while len(done) < len(dag.tasks):
        ready = [t for t in dag.tasks if t.task_id not in done and t.upstream_task_ids <= done.keys()]
        done.update((task.task_id, task) for task in ready)
    return list(done.values())


def write_manifest(root: Path, dag_file: str, version: str, dag_id: str, schedule: dict[str, Any]) -> None:
    """Write the manifest of a package whose source is in place."""
    workflow = {"dag_id": dag_id, "airflow_version": version, "schedule": schedule, "tasks": []}
    manifest: dict[str, Any] = {
        "version": 1,
        "workflow": workflow,
        "source": "source",
        "dag_file": dag_file,
        "requirements": [],
    }
    manifest["workflow"] = workflow_of(load_dag(str(root), manifest), version, schedule)
    (root / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def drive(root: str, run: dict[str, Any], start_time: str) -> dict[str, Any]:
    """Return states, tries and XComs of all tasks, retrying as the state machine would."""
    package = Package(root)
    ledger: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for task in package.manifest["workflow"]["tasks"]:
        event = {
            "task_id": task["task_id"],
            "map_index": -1,
            "run": run,
            "execution": {**EXECUTION, "start_time": start_time},
        }
        ledger[task["task_id"]] = attempts(package, event, ledger, task["retries"], errors)
    return {
        "tasks": {key: {"state": e["state"], "tries": e["tries"]} for key, e in ledger.items()},
        "xcom": {
            key: {name: serde.to_plain(value) for name, value in e["xcom"].items()}
            for key, e in ledger.items()
            if e.get("xcom")
        },
        "edges": describe(package.dag),
        "errors": errors,
    }


def attempts(
    package: Package, event: dict[str, Any], ledger: dict[str, Any], retries: int, errors: dict[str, str]
) -> dict[str, Any]:
    """Return the entry of a task after as many tries as it has."""
    for attempt in range(retries + 1):
        sent = json.loads(json.dumps({**event, "ledger": ledger, "attempt": attempt}))
        try:
            return json.loads(json.dumps(package.run(sent)))  # type: ignore[no-any-return]
        except Exception as error:  # noqa: BLE001
            errors[event["task_id"]] = f"{type(error).__name__}: {error}"
            if type(error).__name__ == "AirflowFailException" or attempt == retries:
                return {"state": "failed", "tries": attempt + 1, "xcom": pushed_before(str(error))}
    raise AssertionError("unreachable")


def pushed_before(message: str) -> dict[str, Any]:
    """Return the XComs behind an error message, as the state machine reads them back."""
    _message, mark, text = message.partition(PUSHED_BEFORE_FAILURE)
    return json.loads(base64.b64decode(text.rstrip("]"))) if mark else {}


def main() -> None:
    """Make a manifest for each DAG and run it; an object with one result per DAG id is printed."""
    root, options = Path(sys.argv[1]), json.loads(sys.argv[2])
    results = {}
    for dag_id in options["dag_ids"]:
        write_manifest(
            root, options["dag_file"], options["version"], dag_id, options.get("schedule") or NO_SCHEDULE
        )
        results[dag_id] = drive(str(root), options.get("run", {}), "2024-03-01T00:00:00Z")
    sys.stdout.write("\n" + json.dumps(results) + "\n")


if __name__ == "__main__":
    main()
