"""Which Python parses the DAG files, and what is said when there is none."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orkestra_bridge.errors import EnvironmentSetupError
from orkestra_bridge.frontend.environments import build_environment, resolve_environment
from orkestra_bridge.options import AirflowSource

if TYPE_CHECKING:
    from orkestra_bridge.frontend.model import Environment

FAKE_PYTHON = """#!{python}
import json
print(json.dumps({{"python": "3.11.9", "airflow": {airflow!r}, "site_packages": [{site!r}]}}))
"""
FAKE_UV = """#!{python}
import json, os, sys
from pathlib import Path
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[1] == "venv":
    program = Path(sys.argv[-1]) / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text({fake_python!r})
    program.chmod(0o755)
elif "apache-airflow==9.9.9" in sys.argv:
    sys.exit("error: no such version")
"""


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def fake_python(path: Path, airflow: str | None = "2.9.1") -> Path:
    return program(path, FAKE_PYTHON.format(python=sys.executable, airflow=airflow, site=str(path.parent)))


def test_current_interpreter() -> None:
    environment = resolve_environment(AirflowSource(), None)
    assert environment.python == Path(sys.executable)
    assert environment.python_version == platform.python_version()
    assert environment.airflow_major in (2, 3)
    assert all(path.is_absolute() for path in environment.site_packages)


def test_named_interpreter_or_the_folder_of_its_environment(tmp_path: Path) -> None:
    python = fake_python(tmp_path / "venv" / "bin" / "python")
    for named in (python, tmp_path / "venv"):
        environment = resolve_environment(AirflowSource(python=named), None)
        assert (environment.python, environment.airflow_version) == (python, "2.9.1")
        assert environment.site_packages == (python.parent,)


def test_the_answer_is_kept_until_the_environment_changes(tmp_path: Path) -> None:
    python = fake_python(tmp_path / "bin" / "python")
    cache = tmp_path / "cache"

    def version() -> str:
        return resolve_environment(AirflowSource(python=python), cache).airflow_version

    assert version() == "2.9.1"
    (note,) = cache.rglob("*.json")
    known = json.loads(note.read_text())
    note.write_text(json.dumps({**known, "airflow": "2.9.2"}))
    assert version() == "2.9.2"
    fake_python(python, airflow="2.10.0")
    (tmp_path / "bin" / "new-distribution").touch()
    assert version() == "2.10.0"


@pytest.mark.parametrize(
    ("airflow", "message"), [(None, "has no Airflow"), ("2.6.3", "too old"), ("1.10.15", "too old")]
)
def test_unusable_airflow(tmp_path: Path, airflow: str | None, message: str) -> None:
    python = fake_python(tmp_path / "python", airflow)
    with pytest.raises(EnvironmentSetupError, match=message) as caught:
        resolve_environment(AirflowSource(python=python), None)
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["nowhere/python", "text"])
def test_no_interpreter(tmp_path: Path, name: str) -> None:
    (tmp_path / "text").write_text("x")
    with pytest.raises(EnvironmentSetupError, match="is not a Python interpreter"):
        resolve_environment(AirflowSource(python=tmp_path / name), None)


def test_a_program_that_is_no_python(tmp_path: Path) -> None:
    broken = program(tmp_path / "python", "#!/bin/sh\necho 'something broke' >&2\nexit 1\n")
    with pytest.raises(EnvironmentSetupError, match="something broke"):
        resolve_environment(AirflowSource(python=broken), None)


@pytest.fixture
def uv(tmp_path: Path) -> Path:
    python = FAKE_PYTHON.format(python=sys.executable, airflow="2.8.4", site=str(tmp_path))
    text = FAKE_UV.format(python=sys.executable, log=str(tmp_path / "log"), fake_python=python)
    return program(tmp_path / "uv", text)


def commands(tmp_path: Path) -> list[list[str]]:
    return [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]


def build(version: str, tmp_path: Path, uv: Path, requirements: Path | None = None) -> Environment:
    return build_environment(version, requirements, tmp_path / "cache", uv=uv)


def test_environment_is_made_once_with_the_requirements(tmp_path: Path, uv: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("pandas\n")
    for _ in range(2):
        assert build("2.8.4", tmp_path, uv, requirements).airflow_version == "2.8.4"
    made = commands(tmp_path)
    assert [command[:2] for command in made] == [["venv", "--quiet"], ["pip", "install"]]
    assert made[1][-3:] == ["apache-airflow==2.8.4", "-r", str(requirements)]
    requirements.write_text("polars\n")
    build("2.8.4", tmp_path, uv, requirements)
    assert len(commands(tmp_path)) == 4


def test_failure_leaves_nothing_and_says_why(tmp_path: Path, uv: Path) -> None:
    with pytest.raises(EnvironmentSetupError, match="no such version"):
        build("9.9.9", tmp_path, uv)
    assert list((tmp_path / "cache" / "airflow").iterdir()) == []


def test_missing_requirements_file(tmp_path: Path, uv: Path) -> None:
    with pytest.raises(EnvironmentSetupError, match="does not exist"):
        build("2.8.4", tmp_path, uv, tmp_path / "none.txt")
