"""What code around tasks imports: virtual environments that it makes itself, and pages of plugins."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pendulum
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("facade")


def wheel(folder: Path) -> Path:
    """Return a wheel with the module `greeting`."""
    path = folder / "greeting-1.0-py3-none-any.whl"
    files = {
        "greeting.py": "WORD = 'hello'\n",
        "greeting-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n",
        "greeting-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files["greeting-1.0.dist-info/RECORD"] = "".join(f"{name},,\n" for name in files)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_a_task_makes_a_virtual_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = import_module("airflow.providers.standard.utils.python_virtualenv")
    monkeypatch.setenv("PATH", str(tmp_path))
    python = tools.prepare_virtualenv(
        venv_directory=str(tmp_path / "venv"),
        python_bin=sys.executable,
        system_site_packages=False,
        requirements=[str(wheel(tmp_path))],
        index_urls=[],
    )
    said = subprocess.check_output([python, "-c", "import greeting; print(greeting.WORD)"], text=True)
    assert said == "hello\n"
    assert subprocess.call([python, "-c", "import pytest"], stderr=subprocess.DEVNULL) == 1


def test_uv_makes_it_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = tmp_path / "said"
    program = tmp_path / "uv"
    program.write_text(f'#!/bin/sh\necho "$@ from $UV_DEFAULT_INDEX and $UV_INDEX" >> {said}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    prepare = import_module("airflow.utils.python_virtualenv").prepare_virtualenv
    indexes = ["https://a.example", "https://b.example", "https://c.example"]
    folder = str(tmp_path / "venv")
    python = prepare(folder, "python3.12", True, None, "wanted.txt", ["--no-deps"], index_urls=indexes)
    assert python == f"{folder}/bin/python"
    made, installed = said.read_text().splitlines()
    assert (
        made == f"venv --allow-existing --seed --python python3.12 --system-site-packages {folder} from  and "
    )
    assert installed == (
        f"pip install --python {python} --no-deps -r wanted.txt"
        " from https://a.example and https://b.example https://c.example"
    )
    assert (
        (tmp_path / "venv/pip.conf")
        .read_text()
        .endswith("extra-index-url = https://b.example https://c.example")
    )


def test_requirements_are_given_in_one_way(tmp_path: Path) -> None:
    prepare = import_module("airflow.utils.python_virtualenv").prepare_virtualenv
    with pytest.raises(ValueError, match="not both"):
        prepare(str(tmp_path / "venv"), sys.executable, False, ["a"], "b.txt")
    assert not (tmp_path / "venv").exists()


def test_a_plugin_with_pages_loads_and_no_page_is_shown(facade: Any) -> None:
    facade.configure(version="2.11.2", dags_folder="")
    names: dict[str, Any] = {}
    exec(
        "from airflow.www.auth import has_access\n"
        "from airflow.www.views import AirflowBaseView\n"
        "class Page(AirflowBaseView):\n"
        "    default_view = 'index'\n"
        "    @has_access([('can_read', 'Website')])\n"
        "    def index(self):\n"
        "        'The first page.'\n"
        "    def other(self):\n"
        "        return self.render_template('other.html')\n",
        names,
    )
    page = names["Page"]()
    assert page.index.__doc__ == "The first page."
    assert facade.SETTINGS.absent == []
    for show in (page.index, page.other):
        with pytest.raises(Exception, match="needs Airflow's web server"):
            show()


@pytest.mark.parametrize("path", ["airflow.operators.python", "airflow.providers.standard.operators.python"])
def test_files_see_whether_virtualenv_was_there_when_they_were_parsed(facade: Any, path: str) -> None:
    answers = []
    for virtualenv in (True, False):
        facade.configure(version="3.3.2", dags_folder="", virtualenv=virtualenv)
        answers.append(import_module(path).is_venv_installed())
    assert answers == [True, False]


@pytest.mark.parametrize(("version", "expected"), [("2.7.3", [True, False]), ("2.9.3", [True, True])])
def test_multiple_outputs_are_inferred_as_that_version_does(
    facade: Any, version: str, expected: list[bool]
) -> None:
    facade.configure(version=version, dags_folder="")
    names: dict[str, Any] = {}
    exec(
        "from typing import Dict, TypedDict\n"
        "from airflow.decorators import task\n"
        "class Pair(TypedDict):\n"
        "    a: int\n"
        "@task\n"
        "def plain() -> Dict[str, int]: ...\n"
        "@task\n"
        "def typed() -> Pair: ...\n"
        "made = [task().operator.multiple_outputs for task in (plain, typed)]\n",
        names,
    )
    assert names["made"] == expected


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        ("2024-07-01T02:30", "2024-07-01T02:30:00+02:00"),
        ("2024-10-27T02:30", "2024-10-27T02:30:00+01:00"),
        ("2024-03-31T02:30", "2024-03-31T03:30:00+02:00"),
    ],
)
def test_hours_that_the_clock_shows_twice_or_skips(hour: str, expected: str) -> None:
    """As `airflow.utils.timezone` of Airflow 2.11 and 3.3 has them."""
    made = import_module("airflow.utils.timezone").make_aware(
        datetime.fromisoformat(hour), pendulum.timezone("Europe/Berlin")
    )
    assert made.isoformat() == expected
