"""Bad input: one clear line for each, the other DAGs unharmed, nothing lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from commands import Done, bridge

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
from airflow.sdk import dag, task

@dag(schedule=None)
def {name}():
    @task
    def hello():
        return "hello"

    hello()

{name}()
"""
HEADER = "from airflow.sdk import DAG, Variable, dag, task\n"
BAD = {
    "syntax.py": HEADER + "def broken(:\n    pass\n",
    "no_module.py": HEADER + "import nobody_has_this\n",
    "no_variable.py": HEADER + "Variable.get('not_set_anywhere')\n",
    "cycle.py": HEADER
    + "from airflow.providers.standard.operators.empty import EmptyOperator\n"
    + "with DAG('cycle', schedule=None):\n    a = EmptyOperator(task_id='a')\n    b = EmptyOperator(task_id='b')\n"
    + "    a >> b >> a\n",
    "exits.py": HEADER + "import sys\nsys.exit(3)\n",
    "sleeps.py": HEADER + "import time\ntime.sleep(60)\n",
    "dies.py": HEADER + "import os\nos._exit(5)\n",
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done, dict[str, Any]]:
    home = tmp_path_factory.mktemp("bad")
    (home / "dags").mkdir()
    for name, text in BAD.items():
        (home / "dags" / name).write_text(text)
    (home / "dags" / "not_python.py").write_bytes(b"airflow dag \xff\xfe\x00")
    (home / "dags" / "a_good.py").write_text(GOOD.format(name="first"))
    (home / "dags" / "z_good.py").write_text(GOOD.format(name="last"))
    (home / "dags" / "z_twin.py").write_text(GOOD.format(name="last"))
    (home / "dags" / "prints.py").write_text("print('{}')\n" + GOOD.format(name="talkative"))
    (home / "dags" / "environment.py").write_text(
        "import os\nos.environ['PATH'] = '/nowhere'\n" + GOOD.format(name="meddler")
    )
    (home / "out" / "earlier").mkdir(parents=True)
    (home / "out" / "earlier" / "workflow.json").write_text("{}")
    done = bridge(
        "convert",
        "dags",
        "-o",
        "out",
        "--layers",
        "skip",
        "--no-cache",
        "--format",
        "json",
        "--parse-timeout",
        "4",
        cwd=home,
    )
    return home, done, done.json()


def findings_about(report: dict[str, Any], name: str) -> list[dict[str, Any]]:
    every = [*report["findings"], *(finding for dag in report["dags"] for finding in dag["findings"])]
    return [
        finding for finding in every if finding["file"] == f"dags/{name}" and finding["severity"] == "error"
    ]


def test_good_dags_are_translated_all_the_same(report: tuple[Path, Done, dict[str, Any]]) -> None:
    home, done, content = report
    assert done.code == 1
    translated = {dag["dag_id"] for dag in content["dags"] if dag["verdict"] == "translated"}
    assert {"first", "last", "talkative", "meddler"} <= translated
    assert all((home / "out" / dag_id / "template.json").exists() for dag_id in translated)


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        ("syntax.py", 2, "syntax"),
        ("no_module.py", 2, "nobody_has_this"),
        ("no_variable.py", 2, "not_set_anywhere"),
        ("cycle.py", None, "circle"),
        ("exits.py", 3, "ends the process"),
        ("sleeps.py", None, "4 s"),
        ("dies.py", None, "ends the process"),
        ("not_python.py", None, ""),
    ],
)
def test_each_bad_file_has_one_error_with_place_and_remedy(
    report: tuple[Path, Done, dict[str, Any]], name: str, line: int | None, words: str
) -> None:
    found = findings_about(report[2], name)
    assert len(found) == 1, found
    assert words.lower() in (found[0]["message"] + found[0]["id"]).lower()
    assert found[0]["remedy"]
    if line is not None:
        assert found[0]["line"] == line


def test_a_dag_id_that_is_taken_is_reported_at_the_second_file(
    report: tuple[Path, Done, dict[str, Any]],
) -> None:
    (finding,) = findings_about(report[2], "z_twin.py")
    assert "already" in finding["message"]
    assert "dags/z_good.py" in finding["message"]


def test_what_was_there_before_is_still_there(report: tuple[Path, Done, dict[str, Any]]) -> None:
    assert (report[0] / "out" / "earlier" / "workflow.json").read_text() == "{}"
    assert not [path for path in (report[0] / "out").iterdir() if path.name.startswith(".orkestra-staging")]


def test_a_dag_that_becomes_broken_keeps_its_last_translation(tmp_path: Path) -> None:
    (tmp_path / "dag.py").write_text(GOOD.format(name="mine"))
    arguments = ("convert", "dag.py", "-o", "out", "--layers", "skip", "--no-cache")
    assert bridge(*arguments, cwd=tmp_path).code == 0
    before = (tmp_path / "out" / "mine" / "template.json").read_bytes()
    (tmp_path / "dag.py").write_text(GOOD.format(name="mine") + "\n)")
    assert bridge(*arguments, cwd=tmp_path).code == 1
    assert (tmp_path / "out" / "mine" / "template.json").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("convert", "nowhere"), 2, "nowhere"),
        (("convert",), 2, "PATHS"),
        (("convert", ".", "-o", "a_file"), 3, "cannot write"),
        (("convert", ".", "--airflow-python", "x", "--airflow-version", "2.11.2"), 2, "exclude"),
        (("conver", "."), 2, "Did you mean 'convert'?"),
        (("run", "nothing"), 2, "nothing"),
        (("run", "x", "--conf", "{"), 2, "not JSON"),
        (("explain", "nowhere.py"), 2, "nowhere.py"),
    ],
)
def test_wrong_usage_is_one_line_and_no_traceback(
    tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    (tmp_path / "a_file").write_text("")
    done = bridge(*arguments, cwd=tmp_path)
    assert done.code == code, done.err
    assert words in done.err
    assert "Traceback" not in done.err


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    done = bridge("convert", "dags", "-o", "out", cwd=tmp_path)
    assert "no DAG" in done.out + done.err
    assert "Traceback" not in done.err
