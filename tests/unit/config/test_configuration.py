"""The configuration file: found, read, checked with the line of everything that is wrong, and shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from orkestra_bridge.cli.configured import allowances, defaults, fields_of, overrides_of, targets
from orkestra_bridge.cli.convert import command as convert
from orkestra_bridge.cli.main import cli
from orkestra_bridge.config.find import find_source, read_source
from orkestra_bridge.config.model import Configuration, Override, Value
from orkestra_bridge.config.places import line_of
from orkestra_bridge.config.read import read_configuration
from orkestra_bridge.config.schema import json_schema
from orkestra_bridge.errors import UsageError
from orkestra_bridge.options import Overrides, Scoped, for_dag, for_task
from orkestra_bridge.policy import Allowance

GOOD = """\
# the project
paths = ["dags", "more/dags"]
airflow-version = "2.11.2"
memory = 1024
no-cache = true

[dags."sales_*"]
memory = 2048
[dags."sales_*".tasks.load]
allow = ["OB206", "OB201"]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(file: Path) -> Configuration:
    source = read_source(file)
    assert source is not None
    return read_configuration(source, fields_of(convert))


def test_values_have_the_place_where_they_are_written(home: Path) -> None:
    (home / "orkestra.toml").write_text(GOOD)
    found = read(home / "orkestra.toml")
    assert found.values == {
        "paths": Value(["dags", "more/dags"], "orkestra.toml:2"),
        "airflow-version": Value("2.11.2", "orkestra.toml:3"),
        "memory": Value(1024, "orkestra.toml:4"),
        "no-cache": Value(True, "orkestra.toml:5"),
    }
    assert found.overrides == (
        Override(dag="sales_*", key="memory", value=2048, origin="orkestra.toml:8"),
        Override(
            dag="sales_*", task="load", key="allow", value=["OB206", "OB201"], origin="orkestra.toml:10"
        ),
    )


def test_overrides_reach_the_options(home: Path) -> None:
    (home / "orkestra.toml").write_text(GOOD)
    overrides = read(home / "orkestra.toml").overrides
    assert allowances(["OB212"], overrides) == (
        Allowance("OB212"),
        Allowance("OB206", "sales_*", "load"),
        Allowance("OB201", "sales_*", "load"),
    )
    runs_in = (Override(dag="sales_*", task="load", key="target", value="lambda", origin=""),)
    assert targets(["sales_x.*"], ["sales_y.*"], runs_in) == {
        "sales_*.load": "lambda",
        "sales_x.*": "container",
        "sales_y.*": "airflow",
    }
    assert targets(
        [],
        [],
        (
            Override(dag="a", task="load", key="target", value="lambda", origin=""),
            Override(dag="a", key="target", value="container", origin=""),
        ),
    ) == {"a.*": "container", "a.load": "lambda"}
    assert overrides_of(overrides) == Overrides(memory=(Scoped(2048, "sales_*"),))


EVERYTHING = """\
[dags."sales_*"]
memory = 2048
timeout = 600
target = "lambda"
requirements = "sales/requirements.txt"
allow = ["OB201"]

[[dags."sales_*".events]]
source = ["aws.s3"]
detail.bucket.name = [{ prefix = "in-" }]

[[dags."sales_*".events]]
detail-type = ["Scheduled Event"]

[dags."sales_*".tasks."load_*"]
memory = 20480
timeout = 7200
target = "container"
allow = ["OB206"]
"""


def test_every_kind_of_override_is_read_with_its_place(home: Path) -> None:
    (home / "orkestra.toml").write_text(EVERYTHING)
    written = read(home / "orkestra.toml").overrides
    assert {(each.task, each.key): int(each.origin.partition(":")[2]) for each in written} == {
        ("*", "memory"): 2,
        ("*", "timeout"): 3,
        ("*", "target"): 4,
        ("*", "requirements"): 5,
        ("*", "allow"): 6,
        ("*", "events"): 8,
        ("load_*", "memory"): 16,
        ("load_*", "timeout"): 17,
        ("load_*", "target"): 18,
        ("load_*", "allow"): 19,
    }
    found = overrides_of(written)
    assert (for_dag(found.memory, "sales_x"), for_task(found.memory, "sales_x", "load_a")) == (2048, 20480)
    assert (for_dag(found.memory, "other"), for_task(found.memory, "sales_x", "other")) == (None, None)
    assert for_dag(found.requirements, "sales_x") == Path("sales/requirements.txt")
    assert for_dag(found.events, "sales_x") == (
        {"source": ["aws.s3"], "detail": {"bucket": {"name": [{"prefix": "in-"}]}}},
        {"detail-type": ["Scheduled Event"]},
    )


def test_show_has_every_override(home: Path) -> None:
    (home / "orkestra.toml").write_text(EVERYTHING)
    rows = [(line.split()[0], line.split()[-1]) for line in run("config", "show")[1].splitlines()]
    shown = [(key, origin) for key, origin in rows if key.startswith("dags.")]
    assert len(shown) == 10
    assert ("dags.sales_*.tasks.load_*.timeout", "orkestra.toml:17") in shown
    assert '{"source": ["aws.s3"]' in run("config", "show")[1]


def test_paths_are_relative_to_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "orkestra.toml").write_text('paths = ["dags"]\nenv-file = [".env"]\nout = "/absolute"\n')
    inner = home / "dags" / "team"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    source = find_source(inner)
    assert source is not None
    values = read_configuration(source, fields_of(convert)).values
    assert values["paths"].value == [".."]
    assert values["env-file"].value == ["../../.env"]
    assert (inner / values["out"].value).resolve() == (home / "/absolute").resolve()
    assert values["paths"].origin == "../../orkestra.toml:1"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"orkestra.toml": "", "pyproject.toml": "[tool.orkestra-bridge]\n"}, "orkestra.toml"),
        ({"pyproject.toml": "[tool.orkestra-bridge]\nmemory = 256\n"}, "pyproject.toml"),
        ({"pyproject.toml": "[tool.other]\n"}, None),
        ({}, None),
    ],
)
def test_which_file_counts(home: Path, files: dict[str, str], expected: str | None) -> None:
    for name, text in files.items():
        (home / name).write_text(text)
    inner = home / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[project]\n")
    source = find_source(inner)
    assert (source.file.name if source else None) == expected


def test_places_in_pyproject(home: Path) -> None:
    (home / "pyproject.toml").write_text('[project]\nname = "x"\n\n[tool.orkestra-bridge]\nmemory = 256\n')
    assert read(home / "pyproject.toml").values == {"memory": Value(256, "pyproject.toml:5")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("memry = 1", "1: there is no key 'memry'; did you mean 'memory'?"),
        ("\nno_cache = true", "2: there is no key 'no_cache'; did you mean 'no-cache'?"),
        ('joins = "tokens"', "1: joins must be one of token, barrier, not 'tokens'; did you mean 'token'?"),
        ('memory = "1"', "1: memory must be a whole number, not '1'"),
        ("memory = true", "1: memory must be a whole number, not True"),
        ("memory = 1", "1: memory must be at least 128, not 1"),
        ("memory = 99999", "1: memory must be at most 10240, not 99999"),
        ("no-cache = 1", "1: no-cache must be true or false, not 1"),
        ('allow = "OB201"', "1: allow must be a list, not 'OB201'"),
        ("allow = [1]", "1: allow must be a text, not 1"),
        ("dags = 1", "1: dags must have a table for each pattern"),
        ("[dags]\nx = 1", "2: x must be a table"),
        ("[dags.x]\ntasks = 1", "2: tasks must have a table for each pattern"),
        ("[dags.x]\n[dags.x.tasks.y]\nevents = 'x'", "3: there is no key 'events'"),
        ("[dags.x]\n[dags.x.tasks.y]\nmemroy = 128", "3: there is no key 'memroy'; did you mean 'memory'?"),
        ("[dags.x]\ntimout = 1", "2: there is no key 'timout'; did you mean 'timeout'?"),
        ("[dags.x]\ntimeout = 0", "2: timeout must be at least 1, not 0"),
        ("[dags.x]\nevents = {}", "2: events must be a list, not {}"),
        ("[dags.x]\nevents = [1]", "2: events must be an event pattern"),
        ("[dags.x]\nevents = [{}]", "2: events must say which events it matches"),
        ("[dags.x]\nevents = [{time = ['x']}]", "2: events must say which events it matches"),
        (
            "[[dags.x.events]]\ndetailtype = ['x']",
            "1: events has no field 'detailtype'; did you mean 'detail-type'?",
        ),
        (
            "[[dags.x.events]]\nsource = 'aws.s3'",
            "1: events source must be a list of the values that it may have, not 'aws.s3'",
        ),
        ("[[dags.x.events]]\nsource = []", "1: events source must be a list"),
        (
            "[[dags.x.events]]\ndetail.key = [{prefx = 'a'}]",
            "1: events detail.key has no comparison 'prefx'; did you mean 'prefix'?",
        ),
        ("[[dags.x.events]]\nsource = [[1]]", "1: events source has [1], which is neither"),
        (f"[[dags.x.events]]\nsource = ['{'x' * 2048}']", "1: events has more than 2048 characters"),
        ("[dags.x]\ntask = 1", "2: there is no key 'task'; did you mean 'tasks'?"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(home: Path, text: str, message: str) -> None:
    (home / "orkestra.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        read(home / "orkestra.toml")
    assert f"orkestra.toml:{message}" in str(caught.value)


def test_everything_that_is_wrong_is_said_at_once(home: Path) -> None:
    (home / "orkestra.toml").write_text("a = 1\nb = 2\n[dags.x]\nc = 3\n")
    with pytest.raises(UsageError) as caught:
        read(home / "orkestra.toml")
    assert [line.partition(": ")[0] for line in caught.value.message.splitlines()[1:]] == [
        "orkestra.toml:1",
        "orkestra.toml:2",
        "orkestra.toml:4",
    ]


@pytest.mark.parametrize("content", [b"a = ", b"\xff\xfe"])
def test_a_file_that_is_not_toml(home: Path, content: bytes) -> None:
    (home / "orkestra.toml").write_bytes(content)
    with pytest.raises(UsageError, match="is not TOML"):
        find_source(home)


@given(st.text(max_size=200), st.lists(st.text(max_size=5), max_size=4))
def test_a_line_is_always_found(text: str, path: list[str]) -> None:
    assert 1 <= line_of(text, tuple(path)) <= max(1, len(text.splitlines()))


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, [*arguments])
    return done.exit_code, done.output


def test_show_says_where_each_value_comes_from(home: Path) -> None:
    (home / "orkestra.toml").write_text(GOOD)
    code, text = run("config", "show", "--joins", "barrier")
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines()}
    assert code == 0
    assert rows["memory"] == ["1024", "orkestra.toml:4"]
    assert rows["joins"] == ["barrier", "command", "line"]
    assert rows["architecture"] == ["arm64", "default"]
    assert rows["dags.sales_*.tasks.load.allow"][-1] == "orkestra.toml:10"
    assert dict(run_rows("--no-config"))["memory"] == ["512", "default"]


def run_rows(*options: str) -> list[tuple[str, list[str]]]:
    return [(line.split()[0], line.split()[1:]) for line in run(*options, "config", "show")[1].splitlines()]


def test_another_file_can_be_named(home: Path) -> None:
    (home / "other.toml").write_text("memory = 300\n")
    assert dict(run_rows("--config", "other.toml"))["memory"] == ["300", "other.toml:1"]


def test_paths_are_needed_from_somewhere(home: Path) -> None:
    code, text = run("convert")
    assert code == 2
    assert "PATHS" in text


def test_the_schema_knows_every_option() -> None:
    code, text = run("config", "schema")
    schema: dict[str, Any] = json.loads(text)
    assert code == 0
    fields = fields_of(convert)
    assert schema["properties"].keys() == {field.key for field in fields} | {"dags"}
    assert schema == json_schema(fields)
    assert schema["properties"]["joins"]["enum"] == ["token", "barrier"]
    assert all(each.get("description") for each in schema["properties"].values())


def test_every_field_can_be_a_default_of_its_option(home: Path) -> None:
    (home / "orkestra.toml").write_text(GOOD)
    mapped = defaults(read(home / "orkestra.toml"), [convert])["convert"]
    assert mapped == {
        "paths": ["dags", "more/dags"],
        "airflow_version": "2.11.2",
        "memory": 1024,
        "no_cache": True,
    }


def test_requirements_of_all_tasks_are_told_from_those_of_the_dag(home: Path) -> None:
    (home / "orkestra.toml").write_text(
        '[dags.x]\nrequirements = "dag.txt"\n[dags.x.tasks."*"]\nrequirements = "task.txt"\nmemory = 256\n'
    )
    source = find_source(home)
    assert source is not None
    found = overrides_of(read_configuration(source, ()).overrides)
    assert for_dag(found.requirements, "x") == Path("dag.txt")
    assert for_task(found.requirements, "x", "any") == Path("task.txt")
    assert for_dag(found.memory, "x") == 256
    assert "dags.x.tasks.*.requirements" in run("config", "show")[1]
