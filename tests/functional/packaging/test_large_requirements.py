"""DAGs whose third-party packages no function can have: they run in containers alone, or are refused."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from orkestra_bridge.frontend.discovery import discover
from orkestra_bridge.frontend.environments import resolve_environment
from orkestra_bridge.frontend.loader import Frontend
from orkestra_bridge.local.run import RunRequest, run_dag
from orkestra_bridge.options import AirflowSource, ConvertOptions, Target
from orkestra_bridge.packaging.build import build_package
from orkestra_bridge.packaging.layer import UNZIPPED_LIMIT, layer_hash
from orkestra_bridge.pipeline import convert

if TYPE_CHECKING:
    import pytest

    from orkestra_bridge.pipeline import Conversion

DAGS = """
from datetime import datetime
from airflow import DAG
from airflow.decorators import task
from airflow.operators.empty import EmptyOperator

with DAG("plain", start_date=datetime(2024, 1, 1), schedule=None):
    @task
    def one():
        return 1

    @task
    def add(number, more):
        return number + more

    add.partial(number=one()).expand(more=[1, 2]) >> EmptyOperator(task_id="end")

with DAG("calls_back", start_date=datetime(2024, 1, 1), schedule=None, on_failure_callback=print):
    one()
"""


def with_large_layer(home: Path) -> Conversion:
    """Convert the DAGs with a cache that has a layer for them beyond Lambda's limit."""
    (home / "dag.py").write_text(DAGS, encoding="utf-8")
    cache = home / "cache"
    (cache / "layers").mkdir(parents=True)
    parser = resolve_environment(AirflowSource(), cache)
    with Frontend(parser, parse_timeout=60, cache=cache) as frontend:
        [loaded] = frontend.load(discover([home / "dag.py"]).files)
    package = build_package(loaded.workflows[0], loaded.file, parser, Target()).package
    path = cache / "layers" / f"{layer_hash(package.requirements, Target())}.zip"
    with zipfile.ZipFile(path, "w") as layer:
        layer.writestr("python/jinja2/__init__.py", "")
    path.with_suffix(".json").write_text(json.dumps({"size": UNZIPPED_LIMIT + 1}))
    return convert(ConvertOptions(paths=(home / "dag.py",), out=home / "out", cache=cache))


def test_all_tasks_run_in_containers_where_no_function_needs_the_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    conversion = with_large_layer(tmp_path)
    reports = {dag.dag_id: dag for dag in conversion.report.dags}
    plain = reports["plain"]
    assert plain.verdict == "translated"
    placed = [finding for finding in plain.findings if finding.id == "OB230"]
    assert [finding.task_id for finding in placed] == ["one", "add"]
    assert all("its third-party packages have 250 MB, Lambda takes 250 MB" in each.message for each in placed)
    template = json.loads((conversion.out / "plain" / "template.json").read_text())
    assert "LayerKey" not in template["Parameters"]
    result = run_dag(RunRequest(out=conversion.out, dag_id="plain", python=Path(sys.executable)))
    assert result.run_state == "success"
    assert [result.tasks[f"add[{index}]"].xcom["return_value"] for index in (0, 1)] == [2, 3]

    refused = reports["calls_back"]
    assert refused.verdict == "refused"
    assert [finding.id for finding in refused.findings if finding.severity.value == "error"] == ["OB433"]
