"""Airflow's own example DAGs: the same DAGs, tasks and edges as Airflow's DagBag finds in the same environment."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.frontend.discovery import discover
from orkestra_bridge.frontend.loader import Frontend
from orkestra_bridge.frontend.process import worker_environment

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.frontend.model import Environment

DAGBAG = """
import inspect, json, sys, warnings
warnings.simplefilter("ignore")
try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models.dagbag import DagBag
parameters = inspect.signature(DagBag.__init__).parameters
found = {}
for folder in sys.argv[1:]:
    sys.path.insert(0, folder)
    bag = DagBag(folder, **({"include_examples": False} if "include_examples" in parameters else {}))
    for dag in bag.dags.values():
        found[dag.dag_id] = {
            t.task_id: [sorted(t.upstream_task_ids), t.task_type, t.retries or 0, t.trigger_rule.value] for t in dag.tasks
        }
print(json.dumps(found))
"""


def folders(environment: Environment) -> list[Path]:
    candidates = [
        site / folder
        for site in environment.site_packages
        for folder in ("airflow/example_dags", "airflow/providers/standard/example_dags")
    ]
    return [folder for folder in candidates if folder.is_dir()]


def by_dagbag(environment: Environment, paths: list[Path], home: Path) -> dict[str, Any]:
    done = subprocess.run(
        [environment.python, "-c", DAGBAG, *paths],
        env=worker_environment(home),
        capture_output=True,
        text=True,
        check=True,
        cwd=home,
    )
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def both(
    environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], dict[str, Any]]:
    paths = folders(environment)
    with Frontend(environment, parse_timeout=30, cache=None) as frontend:
        loaded = list(frontend.load(discover(paths).files))
    errors = [
        str(finding) for file in loaded for finding in file.findings if finding.severity.value == "error"
    ]
    assert errors == []
    ours = {
        workflow.dag_id: {
            task.task_id: [list(task.upstream), task.operator, task.retry.attempts, task.trigger_rule]
            for task in workflow.tasks
        }
        for file in loaded
        for workflow in file.workflows
    }
    return ours, by_dagbag(environment, paths, tmp_path_factory.mktemp("home"))


def test_same_dags_tasks_and_edges(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, theirs = both
    assert len(theirs) > 50
    assert {dag_id: ours.get(dag_id) for dag_id in theirs} == theirs


def test_what_only_we_load_needs_a_database_in_dagbag(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, theirs = both
    more = ours.keys() - theirs.keys()
    assert all(dag_id.startswith(("dataset_", "example_subdag_operator")) for dag_id in more)
