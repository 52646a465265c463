from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from orkestra_bridge.errors import UsageError
from orkestra_bridge.options import Project
from orkestra_bridge.project.env_files import read_env_files
from orkestra_bridge.project.export_files import read_connections, read_variables
from orkestra_bridge.project.surroundings import surroundings_of

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2-secret"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_variables_are_the_text_that_airflow_keeps(tmp_path: Path) -> None:
    document = {
        "text": "plain",
        "number": 5,
        "nested": {"a": [1, 2]},
        "described": {"value": "x", "description": "what it is"},
        "has_value": {"value": 1, "other": 2},
    }
    found = read_variables(write(tmp_path, "v.json", json.dumps(document, indent=1)))
    assert {entry.name: entry.value for entry in found} == {
        "text": "plain",
        "number": "5",
        "nested": '{"a": [1, 2]}',
        "described": "x",
        "has_value": '{"value": 1, "other": 2}',
    }
    assert [entry.line for entry in found][:3] == [2, 3, 4]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.json", '{\n "db": {"conn_type": "postgres", "host": "h", "port": 5432, "login": null}\n}'),
        ("c.yaml", "db:\n  conn_type: postgres\n  host: h\n  port: 5432\n"),
        ("c.env", '# comment\n\ndb={"conn_type": "postgres", "host": "h", "port": 5432}\n'),
    ],
)
def test_connections_of_every_format_are_the_same(tmp_path: Path, name: str, text: str) -> None:
    (entry,) = read_connections(write(tmp_path, name, text))
    assert (entry.name, json.loads(entry.value)) == (
        "db",
        {"conn_type": "postgres", "host": "h", "port": 5432},
    )


def test_a_uri_stays_one_and_an_extra_object_becomes_text(tmp_path: Path) -> None:
    text = 'a: postgres://u:p@h/x\nb: {conn_type: aws, extra_dejson: {region_name: eu}}\n3: ["http://h"]\n'
    first, second, third = read_connections(write(tmp_path, "c.yml", text))
    assert (first.value, third.name, third.value) == ("postgres://u:p@h/x", "3", "http://h")
    assert json.loads(second.value) == {"conn_type": "aws", "extra": '{"region_name": "eu"}'}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("c.json", '{\n "a": 1,,\n}', "c.json:2 is not JSON"),
        ("c.json", "[1]", "c.json:1 must be an object"),
        ("c.yaml", f"a: {SECRET}\n  b: - {SECRET}", "c.yaml:2 is not YAML"),
        ("c.yaml", "- a", "c.yaml:1 must be a mapping"),
        ("c.env", "a", "c.env:1 must be NAME=VALUE"),
        ("c.json", f'{{\n "a": "{SECRET}"\n}}', "c.json:2 'a' is neither a URI"),
        (
            "c.json",
            f'{{"a": {{"conn_type": "x", "pass": "{SECRET}"}}}}',
            "'a' has fields that no connection has: pass",
        ),
        ("c.json", '{"a": {"conn_id": "b"}}', "another one"),
        ("c.json", '{"a": {"port": "many"}}', "port that is no number"),
        ("c.json", '{"a": {"extra": "", "extra_dejson": {}}}', "both extra and extra_dejson"),
        ("c.env", 'a={"x": \n', "c.env:1 'a' is not JSON"),
        ("c.json", '{"": "http://x"}', "connection without an id"),
        ("c.json", '{"a": 5}', "must be a URI or an object"),
        ("c.txt", "", "neither .json, .yaml nor .env"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_without_values(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read_connections(write(tmp_path, name, text))
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)


def test_all_bad_entries_are_told_at_once(tmp_path: Path) -> None:
    text = '{\n "a": "no uri",\n "b": "http://x",\n "c": "none",\n "b": "http://y"\n}'
    with pytest.raises(UsageError) as caught:
        read_connections(write(tmp_path, "c.json", text))
    assert all(f"c.json:{line}" in str(caught.value) for line in (2, 4, 5))


def test_files_that_are_no_text_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "v.json").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "v.json", tmp_path / "gone.json"):
        with pytest.raises(UsageError, match="cannot be read as text"):
            read_variables(path)
    with pytest.raises(UsageError, match="cannot be read as text"):
        read_env_files([tmp_path / "gone.env"])


def test_env_files_as_dotenv_reads_them(tmp_path: Path) -> None:
    first = write(tmp_path, "a.env", "# c\nexport A=1\nB='two words'\nC=${A}x\nD=\n")
    second = write(tmp_path, "b.env", "B=later\n")
    assert read_env_files([first, second]) == {"A": "1", "B": "later", "C": "${A}x", "D": ""}
    with pytest.raises(UsageError, match=r"a\.env:2 must be NAME=VALUE"):
        read_env_files([write(tmp_path, "a.env", "A=1\n=5 x\n")])


def test_surroundings_put_all_sources_together(tmp_path: Path) -> None:
    project = Project(
        pythonpath=(tmp_path, tmp_path),
        plugins_folder=tmp_path,
        env_files=(write(tmp_path, ".env", "STAGE=test\nAIRFLOW_VAR_A=env\n"),),
        variables=write(tmp_path, "v.json", '{"a": 1, "b c": "x"}'),
        connections=write(tmp_path, "c.env", "db=http://h"),
    )
    around = surroundings_of(project)
    assert around.search == (tmp_path,)
    assert around.values == {
        "STAGE": "test",
        "AIRFLOW_VAR_A": "1",
        "AIRFLOW_VAR_B C": "x",
        "AIRFLOW_CONN_DB": "http://h",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(tmp_path),
    }
    with pytest.raises(UsageError, match="--pythonpath"):
        surroundings_of(Project(pythonpath=(tmp_path / "gone",)))
