"""As `drive.py`, but Airflow itself runs each task, as in a container: in a fork of a process that has it.

python drive_airflow.py PACKAGE OPTIONS        prints {dag_id: {"tasks", "xcom", "errors"}} on the last line
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))

from orkestra_bridge.runtime import logs, serde
from orkestra_bridge.runtime.handler import Package
from orkestra_bridge.runtime.real.surroundings import settle

if TYPE_CHECKING:
    from collections.abc import Callable


_driver: Any = import_module("drive")


class Forking:
    """A package whose tasks run in processes of their own, each with a new database."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.manifest = Package(root).manifest

    def run(self, event: dict[str, Any]) -> Any:
        return in_child(partial(self._run, event))

    def _run(self, event: dict[str, Any]) -> Any:
        """Do what the handler does with a package."""
        with logs.task_output():
            try:
                return Package(self.root).run(event)
            except Exception as error:  # noqa: BLE001
                shown = logs.without_secrets(error)
        raise shown


def in_child(work: Callable[[], Any]) -> Any:
    """Return what a function returns in a copy of this process; raise what it raises there."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            answer = ("returned", work())
        except Exception as error:  # noqa: BLE001
            answer = ("raised", (type(error).__name__, str(error)))
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(answer, pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    Path(os.environ["AIRFLOW_HOME"], "airflow.db").unlink(missing_ok=True)
    how, what = pickle.loads(data)
    if how == "raised":
        raise type(what[0], (Exception,), {})(what[1])
    return what


def workflow_of(root: str, dag_file: str, dag_id: str) -> list[dict[str, Any]]:
    """Return the tasks of a workflow document, with Airflow to run each."""
    try:
        bags = import_module("airflow.dag_processing.dagbag")
    except ImportError:
        bags = import_module("airflow.models.dagbag")
    dag = bags.DagBag(f"{root}/source/{dag_file}", safe_mode=False).dags[dag_id]
    return [
        {
            "task_id": task.task_id,
            "operator": task.task_type,
            "upstream": sorted(task.upstream_task_ids),
            "trigger_rule": str(getattr(task.trigger_rule, "value", task.trigger_rule)),
            "is_setup": task.is_setup,
            "is_teardown": task.is_teardown,
            "retry": {"attempts": task.retries},
            "container": {"airflow": True},
        }
        for task in _driver.in_order(dag)
    ]


def drive(root: str, run: dict[str, Any], mapped: dict[str, int]) -> dict[str, Any]:
    """Return states, tries and XComs of all tasks, retried as on AWS; ``mapped`` has how many instances they have."""
    package = Forking(root)
    ledger: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for task in package.manifest["workflow"]["tasks"]:
        task_id, retries = task["task_id"], task["retry"]["attempts"]
        event = {
            "task_id": task_id,
            "run": run,
            "execution": {**_driver.EXECUTION, "start_time": "2024-03-01T00:00:00Z"},
        }
        if task_id not in mapped:
            ledger[task_id] = _driver.attempts(package, {**event, "map_index": -1}, ledger, retries, errors)
            continue
        ledger[task_id] = {"length": mapped[task_id]}
        found = [
            _driver.attempts(package, {**event, "map_index": index}, ledger, retries, errors)
            for index in range(mapped[task_id])
        ]
        ledger[task_id] = {
            "instances": [{**one, "map_index": index} for index, one in enumerate(found)],
            "execution": "e",
        }
    return {
        "tasks": {key: _shown(entry) for key, entry in ledger.items()},
        "xcom": {
            key: {name: serde.to_plain(value) for name, value in e["xcom"].items()}
            for key, e in ledger.items()
            if e.get("xcom")
        },
        "errors": errors,
    }


def _shown(entry: dict[str, Any]) -> Any:
    if "instances" in entry:
        return [_shown(one) for one in entry["instances"]]
    return {"state": entry["state"], "tries": entry["tries"]}


def main() -> None:
    """Run each DAG that the options name; an object with one result per DAG id is printed."""
    root, options = sys.argv[1], json.loads(sys.argv[2])
    manifest: dict[str, Any] = {
        "version": 1,
        "workflow": {"airflow_version": options["version"], "schedule": _driver.NO_SCHEDULE, "tasks": []},
        "source": "source",
        "dag_file": options["dag_file"],
        "requirements": [],
    }
    settle(root, manifest)
    import_module("airflow")
    import_module("airflow.models").import_all_models()
    results = {}
    for dag_id in options["dag_ids"]:
        manifest["workflow"]["dag_id"] = dag_id
        manifest["workflow"]["tasks"] = in_child(partial(workflow_of, root, options["dag_file"], dag_id))
        Path(root, "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        results[dag_id] = drive(root, options.get("run", {}), options.get("mapped", {}))
    sys.stdout.write("\n" + json.dumps(results) + "\n")


if __name__ == "__main__":
    main()
