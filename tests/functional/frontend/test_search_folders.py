"""Modules of folders beside the DAG folder, loaded for one file after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.frontend.discovery import discover
from orkestra_bridge.frontend.loader import Frontend
from orkestra_bridge.project.surroundings import Surroundings

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.frontend.model import Environment

DAG = 'from airflow import DAG\nfrom company.shared.deep.names import NAME\ndag = DAG(f"{NAME}_{{}}", schedule=None)\n'


def test_nested_namespace_packages_serve_every_file(environment: Environment, tmp_path: Path) -> None:
    deep = tmp_path / "libs" / "company" / "shared" / "deep"
    deep.mkdir(parents=True)
    (deep / "names.py").write_text('NAME = "shared"\n')
    dags = tmp_path / "dags"
    dags.mkdir()
    for number in range(4):
        (dags / f"dag_{number}.py").write_text(DAG.replace("{{}}", str(number)))
    around = Surroundings(search=(tmp_path / "libs",))
    files = discover([dags], search=around.search).files
    with Frontend(environment, parse_timeout=60, cache=None, surroundings=around) as frontend:
        loaded = list(frontend.load(files))
    assert [each.findings for each in loaded] == [()] * 4
    assert [each.workflows[0].dag_id for each in loaded] == [f"shared_{number}" for number in range(4)]
