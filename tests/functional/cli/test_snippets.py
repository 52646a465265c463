"""Each code block of the README and the documentation has a check; other tests run those with the language console."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from commands import bridge
from moto.events.models import EventPattern
from moto.server import ThreadedMotoServer
from snippets import ROOT, Snippet, snippets

from orkestra_bridge.assess.durations import read_durations
from orkestra_bridge.cli.configured import fields_of
from orkestra_bridge.cli.convert import command as convert
from orkestra_bridge.config.find import read_source
from orkestra_bridge.config.read import read_configuration

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = snippets()
ELSEWHERE = {
    "console": "test_docs.py and test_readme.py run them",
    "mermaid": "test_readme.py compares it with what is emitted",
    "python": "test_readme.py compares it with the sample, test_docs.py runs the one with a title",
}
FOREIGN = {
    ("pip", "install", "."): "how CI installs the package",
    ("aws", "s3", "sync"): "the AWS command line is no part of the tests",
    ("aws", "s3", "cp"): "the same",
    ("aws", "s3", "rb"): "the same",
    ("kubectl", "get", "secret"): "the command line of Kubernetes is no part of the tests",
    ("aws", "cloudformation", "deploy"): "the same; its parameters are compared with a template",
}
AWS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1"}


def of(language: str) -> list[Snippet]:
    return [each for each in ALL if each.language == language]


def commands() -> list[list[str]]:
    shells = [each for each in ALL if each.language in {"sh", "console"}]
    return [words for each in shells for words in each.commands]


def called(program: str) -> list[list[str]]:
    return [words[1:] for words in commands() if words[0] == program]


def test_every_snippet_is_of_a_kind_that_is_checked() -> None:
    assert len(ALL) > 25
    assert {each.language for each in ALL} == {*ELSEWHERE, "json", "toml", "yaml", "sh", "text"}
    for each in of("text"):
        assert each.title or each.page == "README.md", (
            "test_docs.py writes it as a file; test_readme.py compares it"
        )


def test_every_command_is_checked() -> None:
    checked = {"orkestra-bridge", "airflow", "psql", "curl", "eval", "tox"}
    for words in commands():
        foreign = any(tuple(words[: len(prefix)]) == prefix for prefix in FOREIGN)
        completion = words[0].startswith("_ORKESTRA_BRIDGE_COMPLETE=")
        assert foreign or completion or words[0] in checked | {"pip"}, words


def configurations() -> list[Snippet]:
    return of("toml")


@pytest.mark.parametrize("number", range(len(configurations())))
def test_configurations_are_valid(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("orkestra.toml").write_text(configurations()[number].text)
    source = read_source(Path("orkestra.toml"))
    assert source is not None
    found = read_configuration(source, fields_of(convert))
    assert found.values or found.overrides


def test_there_are_configurations_in_the_readme_and_in_the_docs() -> None:
    assert {each.page.partition("/")[0] for each in configurations()} == {"README.md", "docs"}


def test_the_workflow_of_github_runs_a_command_of_ours(tmp_path: Path) -> None:
    (snippet,) = of("yaml")
    steps = yaml.safe_load(snippet.text)
    shutil.copytree(ROOT / "sample_dags", tmp_path / "dags", ignore=shutil.ignore_patterns("broken"))
    for step in steps:
        if "run" in step:
            words = shlex.split(step["run"])
            assert words[0] == "orkestra-bridge"
            assert bridge(*words[1:], cwd=tmp_path).code == 0
    uploads = [step["with"]["sarif_file"] for step in steps if "with" in step]
    assert uploads
    assert all(json.loads((tmp_path / name).read_text())["version"] == "2.1.0" for name in uploads)


def test_the_event_that_is_shown_starts_a_dag(tmp_path: Path) -> None:
    (event,) = [json.loads(each.text) for each in of("json")]
    (dags,) = [each for each in of("python") if each.title == "shop/orders.py"]
    (tmp_path / "orders.py").write_text(dags.text)
    assert bridge("convert", "orders.py", "-o", "out", "--layers", "skip", cwd=tmp_path).code == 0
    template = json.loads((tmp_path / "out" / "counts_orders" / "template.json").read_text())
    rules = [each for each in template["Resources"].values() if each["Type"] == "AWS::Events::Rule"]
    sent = {"source": event["Source"], "detail-type": event["DetailType"], "detail": event["Detail"]}
    patterns = [json.dumps(rule["Properties"]["EventPattern"]) for rule in rules]
    assert any(EventPattern.load(pattern).matches_event(sent) for pattern in patterns)
    for event["Detail"]["keys"] in (["uri s3://shop/other"], []):
        assert not any(EventPattern.load(pattern).matches_event(sent) for pattern in patterns)


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, str]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield {**AWS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    server.stop()


def test_our_commands_in_shells_blocks_work(tmp_path: Path, aws: dict[str, str]) -> None:
    """Those with the language sh, which need more than the sample DAGs: exports, and AWS."""
    (tmp_path / "dags").mkdir()
    shutil.copy(ROOT / "sample_dags" / "shell_pipeline.py", tmp_path / "dags" / "sales.py")
    text = (tmp_path / "dags" / "sales.py").read_text()
    (tmp_path / "dags" / "sales.py").write_text(text.replace("shell_pipeline", "daily_sales"))
    (tmp_path / "variables.json").write_text('{"bucket": "b"}')
    (tmp_path / "connections.json").write_text('{"warehouse": "http://u:p@h"}')
    secret = {"kind": "Secret", "metadata": {"name": "etl"}, "data": {"token": "c2VjcmV0"}}
    (tmp_path / "etl.json").write_text(json.dumps(secret))
    (tmp_path / "orkestra.toml").write_text('paths = ["dags"]\nlayers = "skip"\nerror-level = "never"\n')
    ours = [words[1:] for each in of("sh") for words in each.commands if words[0] == "orkestra-bridge"]
    assert len(ours) >= 5
    for words in ours:
        done = bridge(*words, cwd=tmp_path, **aws)
        assert done.code == 0, (words, done.out, done.err)


def test_completion_is_what_a_shell_can_read() -> None:
    lines = [line for each in of("sh") for line in each.text.splitlines() if "_COMPLETE=" in line]
    assert len(lines) == 3
    program = f"{sys.executable} -m orkestra_bridge"
    for line in lines:
        shell = re.search(r"_COMPLETE=(\w+)_source", line)
        assert shell is not None
        called_in_bash = line.partition("#")[0].replace("orkestra-bridge", program)
        script = called_in_bash.partition("(")[2].partition(")")[0] or called_in_bash.partition("|")[0]
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
        assert "orkestra" in done.stdout
        if shell[1] == "bash":
            checked = subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=False)
            assert checked.returncode == 0


ASKED = """
import json, pathlib, sys
import airflow
from airflow.cli.cli_parser import get_parser
from airflow.models.taskinstance import TaskInstance
for words in json.loads(sys.argv[1]):
    get_parser().parse_args(words)
api = next(pathlib.Path(airflow.__file__).parent.rglob("v2-rest-api-generated.yaml"))
print(json.dumps({"columns": [each.name for each in TaskInstance.__table__.columns], "api": str(api)}))
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow itself says, asked once in a process of its own; it has parsed the commands that are shown."""
    found = called("airflow")
    assert found
    done = subprocess.run(
        [sys.executable, "-c", ASKED, json.dumps(found)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=tmp_path_factory.mktemp("airflow"),  # its parser opens the files that it is to write
    )
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return facts


def test_the_query_for_durations_gives_what_we_read(airflow: dict[str, Any], tmp_path: Path) -> None:
    """It is run on a table that has the columns of Airflow's own; the interval is PostgreSQL's."""
    (words,) = called("psql")
    query = words[words.index("-c") + 1]
    assert "--csv" in words
    with sqlite3.connect(":memory:") as database:
        database.execute(f"CREATE TABLE task_instance ({', '.join(airflow['columns'])})")
        database.executemany(
            "INSERT INTO task_instance (dag_id, task_id, state, duration, start_date) VALUES (?, ?, ?, ?, ?)",
            [
                ("sales", "load", "success", 10.0, "9999-01-01"),
                ("sales", "load", "success", 20.0, "9999-01-01"),
                ("sales", "load", "failed", 99.0, "9999-01-01"),
                ("sales", "load", "success", 99.0, "2000-01-01"),
            ],
        )
        portable = query.replace("now() - interval '30 days'", "datetime('now', '-30 days')")
        assert portable != query
        cursor = database.execute(portable)
        rows = [[each[0] for each in cursor.description], *cursor.fetchall()]
    (tmp_path / "durations.csv").write_text("".join(f"{','.join(map(str, row))}\n" for row in rows))
    assert read_durations(tmp_path / "durations.csv") == {("sales", "load"): 15.0}


def test_the_address_of_airflows_api_exists(airflow: dict[str, Any]) -> None:
    (words,) = called("curl")
    address = urlsplit(next(word for word in words if "/api/" in word).replace("$AIRFLOW", ""))
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = yaml.load(Path(airflow["api"]).read_text(), Loader=loader)
    shapes = {re.sub(r"\{\w+\}", "~", path): each for path, each in document["paths"].items()}
    known = {each["name"]: each["schema"] for each in shapes[address.path]["get"]["parameters"]}
    assert parse_qs(address.query).keys() <= known.keys()
    assert "task_instances" in json.dumps(document["components"]["schemas"]["TaskInstanceCollectionResponse"])


def test_the_parameters_of_a_deployment_are_those_of_a_template(tmp_path: Path) -> None:
    (words,) = [words for words in called("aws") if words[0] == "cloudformation"]
    done = bridge(
        "convert", ROOT / "sample_dags" / "hourly_etl.py", "-o", "out", "--layers", "skip", cwd=tmp_path
    )
    assert done.code == 0, done.err
    template = json.loads((tmp_path / words[words.index("--template-file") + 1]).read_text())
    given = {word.partition("=")[0] for word in words[words.index("--parameter-overrides") + 1 :]}
    needed = {name for name, each in template["Parameters"].items() if "Default" not in each}
    assert given == needed
