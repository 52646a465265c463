"""Tasks with requirements of their own, from the configuration to a run: what they name is for these tasks alone."""

from __future__ import annotations

import importlib.metadata
import json
import zipfile
from typing import TYPE_CHECKING

import pytest
from commands import bridge
from packages import wheel

if TYPE_CHECKING:
    from pathlib import Path

DAG = """\
from datetime import datetime

from airflow.sdk import dag, task


@dag(schedule=None, start_date=datetime(2024, 1, 1), catchup=False)
def words():
    @task
    def count():
        try:
            import fixture_words
        except ImportError:
            return 3
        raise RuntimeError("these packages are another task's")

    @task
    def show(number):
        import importlib.metadata

        import fixture_words

        return [fixture_words.NAME * number, importlib.metadata.version("fixture-words")]

    @task
    def archive(shown):
        import fixture_words

        return [fixture_words.NAME, *shown]

    archive(show(count()))


words()
"""
CONFIGURATION = """\
paths = ["dags"]

[dags.words.tasks.show]
requirements = "show.txt"

[dags.words.tasks.archive]
requirements = "show.txt"
timeout = 3600
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "words.py").write_text(DAG)
    (tmp_path / "orkestra.toml").write_text(CONFIGURATION)
    (tmp_path / "show.txt").write_text("fixture-words>=1,<3\n")
    wheel(tmp_path / "wheels", "fixture-words", "1.0", {"fixture_words.py": "NAME = 'old'\n"})
    wheel(tmp_path / "wheels", "fixture-words", "2.5", {"fixture_words.py": "NAME = 'word'\n"})
    return tmp_path


def offline(home: Path) -> dict[str, str]:
    """Return variables by which uv finds the test's wheels and nothing else."""
    cache = str(home / "uv")
    return {"UV_FIND_LINKS": str(home / "wheels"), "UV_OFFLINE": "1", "UV_CACHE_DIR": cache}


def test_a_run_has_the_packages_where_they_belong(home: Path) -> None:
    """The layers cannot be built here, since the runtime's own packages are in no folder of wheels."""
    done = bridge("convert", cwd=home, **offline(home))
    assert done.code == 0, done.out + done.err
    report = json.loads((home / "orkestra-out" / "report.json").read_text())
    said = {each["id"]: each["message"] for each in report["dags"][0]["findings"]}
    assert said["OB445"] == (
        "fixture_words is packed for show, archive alone; another task that imports it fails"
    )
    assert "OB424" not in said, "the preflight has loaded the DAG with them"

    folder = home / "orkestra-out" / "words"
    assert "fixture-words" in (folder / "functions" / "requirements-2.txt").read_text()
    assert "fixture-words" not in (folder / "functions" / "requirements.txt").read_text()
    assert "fixture-words<3,>=1" in (folder / "container-2" / "requirements.txt").read_text()
    template = json.loads((folder / "template.json").read_text())
    functions = [
        name for name, each in template["Resources"].items() if each["Type"] == "AWS::Lambda::Function"
    ]
    assert functions == ["TasksFunction", "TasksRequirements2Function"]

    run = bridge("run", "words", "--format", "json", cwd=home, **offline(home))
    assert run.code == 0, run.out + run.err
    xcoms = json.loads(run.out)["xcom"]
    assert xcoms["show"]["return_value"] == ["wordwordword", "2.5"]
    assert xcoms["archive"]["return_value"] == ["word", "wordwordword", "2.5"]

    explained = bridge("explain", "dags/words.py", cwd=home)
    assert "with packages of its own: show (show.txt)" in explained.out


def test_another_version_makes_another_conversion(home: Path) -> None:
    options = ("--cache-dir", "cache")
    bridge("convert", *options, cwd=home, **offline(home))
    listing = home / "orkestra-out" / "words" / "functions" / "requirements-2.txt"
    before = listing.stat().st_mtime_ns
    bridge("convert", *options, cwd=home, **offline(home))
    assert listing.stat().st_mtime_ns == before
    (home / "show.txt").write_text("fixture-words==1.0\n")
    bridge("convert", *options, cwd=home, **offline(home))
    assert "fixture-words==1.0" in listing.read_text()
    run = bridge("run", "words", "--format", "json", cwd=home, **offline(home))
    assert json.loads(run.out)["xcom"]["show"]["return_value"] == ["oldoldold", "1.0"]


def test_what_cannot_be_had_refuses_the_dag_and_names_the_file(home: Path) -> None:
    (home / "show.txt").write_text("fixture-words==9\n")
    done = bridge("convert", "--format", "json", cwd=home, **offline(home))
    [dag] = json.loads(done.out)["dags"]
    said = {each["id"]: each for each in dag["findings"]}
    assert "show.txt" in said["OB424"]["message"]
    assert "Traceback" not in done.err
    run = bridge("run", "words", cwd=home, **offline(home))
    assert run.code != 0
    assert "Traceback" not in run.err


def test_packages_that_the_dag_does_not_load_with_are_found_before_it_runs(home: Path) -> None:
    (home / "dags" / "words.py").write_text(f"from jinja2 import Template\n{DAG}")
    wheel(home / "wheels", "jinja2", "99.0", {"jinja2/__init__.py": ""})
    (home / "show.txt").write_text("fixture-words\njinja2==99.0\n")
    done = bridge("convert", "--format", "json", cwd=home, **offline(home))
    assert done.code == 1
    said = {each["id"]: each for each in json.loads(done.out)["dags"][0]["findings"]}
    assert said["OB412"]["message"].startswith(
        "with the packages of show, archive (show.txt): an import fails"
    )
    assert said["OB412"]["line"] == 1


def test_a_layer_holds_the_packages_of_the_dag_and_those_of_the_task(home: Path) -> None:
    for name in ("jinja2", "markupsafe", "pendulum", "python-dateutil", "six", "tzdata"):
        version = importlib.metadata.version(name)
        wheel(home / "wheels", name, version, {f"{name.replace('-', '_')}_fixture.py": ""})
    done = bridge("convert", "--cache-dir", "cache", cwd=home, **offline(home))
    assert done.code == 0, done.out + done.err
    template = json.loads((home / "orkestra-out" / "words" / "template.json").read_text())
    contents = {}
    for parameter in ("LayerKey", "Requirements2LayerKey"):
        key = template["Parameters"][parameter]["Default"].removeprefix("orkestra-bridge/")
        with zipfile.ZipFile(home / "orkestra-out" / ".layers" / key) as layer:
            contents[parameter] = set(layer.namelist())
    assert "python/fixture_words.py" in contents["Requirements2LayerKey"] - contents["LayerKey"]
    assert "python/pendulum_fixture.py" in contents["LayerKey"] & contents["Requirements2LayerKey"]
    functions = template["Resources"]["TasksRequirements2Function"]["Properties"]
    assert functions["Layers"] == [{"Ref": "Requirements2Layer"}]
