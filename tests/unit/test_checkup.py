from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from orkestra_bridge.checkup import Check, checkup
from orkestra_bridge.cli.main import cli
from orkestra_bridge.options import AirflowSource

if TYPE_CHECKING:
    from pathlib import Path


def look(cache: Path, *, airflow: Path | None = None, aws: tuple[str | None, str | None]) -> dict[str, Check]:
    return {check.name: check for check in checkup(AirflowSource(python=airflow), cache, lambda: aws)}


def test_what_is_there_is_ok(tmp_path: Path) -> None:
    found = look(tmp_path / "cache", aws=("env", "eu-west-1"))
    assert {name for name, check in found.items() if check.status == "ok"} >= {
        "Python", "Airflow", "uv", "cache", "AWS credentials", "AWS region",
    }  # fmt: skip
    assert list((tmp_path / "cache").glob(".checkup")) == []


def test_what_is_missing_has_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "file").touch()
    found = look(tmp_path / "file" / "cache", airflow=tmp_path / "no-python", aws=(None, None))
    assert {name: check.status for name, check in found.items() if check.status != "ok"} == {
        "Airflow": "error",
        "cache": "warning",
        "Node.js": "warning",
        "AWS credentials": "warning",
        "AWS region": "warning",
    }
    assert all(check.remedy for check in found.values() if check.status != "ok")


def test_the_command_never_shows_a_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDNOTSHOWN")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "notshowneither")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    done = CliRunner().invoke(cli, ["doctor", "--format", "json", "--cache-dir", str(tmp_path)])
    found = {check["name"]: check for check in json.loads(done.output)["checks"]}
    assert found["AWS credentials"]["found"] == "from env, not tried"
    assert found["AWS region"]["found"] == "eu-north-1"
    assert "NOTSHOWN" not in done.output.upper()


@pytest.mark.parametrize("arguments", [["-q", "-v", "doctor"]])
def test_quiet_and_verbose_exclude_each_other(arguments: list[str]) -> None:
    assert CliRunner().invoke(cli, arguments).exit_code == 2
