"""What the construct says where there is nothing to make resources of."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import orkestra_bridge
from orkestra_bridge.errors import EnvironmentSetupError
from orkestra_bridge.stack.node import require_node

needs_node = pytest.mark.skipif(
    shutil.which(os.environ.get("JSII_NODE", "node")) is None, reason="the CDK needs Node.js"
)
SOURCES = Path(orkestra_bridge.__file__).parents[1]
DAGS = """
from airflow.decorators import dag, task
for name in {names}:
    @dag(dag_id=name, schedule={schedule})
    def make():
        @task
        def work(): ...
        work()
    make()
"""
CONFIGURATION = """
joins = "barrier"
memory = 256
[dags.a]
memory = 2048
timeout = 120
[dags.b]
memory = 3072
[dags."*".tasks.work]
timeout = 60
"""
SHOWS = """
import json, sys, aws_cdk
from orkestra_bridge.options import Overrides, Scoped
from orkestra_bridge.stack.cdk import AirflowDag
app = aws_cdk.App()
stack = aws_cdk.Stack(app, "S")
file, *cases = sys.argv[1:]
for number, case in enumerate(cases):
    AirflowDag(stack, f"D{number}", dag_file=file, dag_id="a", layers="skip", **eval(case))
resources = app.synth().get_stack_by_name("S").template["Resources"]
print(json.dumps([
    [one["Properties"]["MemorySize"], one["Properties"]["Timeout"]]
    for name, one in sorted(resources.items())
    if one["Type"] == "AWS::Lambda::Function" and "Tasks" in name
]))
"""
SHARES = """
import json, sys, aws_cdk
from orkestra_bridge.stack.cdk import AirflowDag, AssetStateTable
app = aws_cdk.App()
stack = aws_cdk.Stack(app, "S")
table = AssetStateTable(stack, "Shared", table_name="asset-state")
AirflowDag(stack, "D", dag_file=sys.argv[1], layers="skip", parameters={"AssetStateTable": table.table_name})
print(json.dumps(app.synth().get_stack_by_name("S").template["Resources"]))
"""
STORES = """
from airflow.sdk import DAG, Asset, task
with DAG("a", schedule=None):
    @task(outlets=[Asset("orders")])
    def work(asset_state_store=None):
        asset_state_store.set("n", 1)
    work()
"""
PROGRAM = """
import sys, aws_cdk
from orkestra_bridge.errors import BridgeError
from orkestra_bridge.stack.cdk import AirflowDag
stack = aws_cdk.Stack(aws_cdk.App(), "S")
file, *cases = sys.argv[1:]
for number, case in enumerate(cases):
    try:
        AirflowDag(stack, f"D{number}", dag_file=file, layers="skip", **eval(case))
    except BridgeError as error:
        print(type(error).__name__, error)
"""


def test_without_node_the_message_names_it(tmp_path: Path) -> None:
    for environment in (
        {"PATH": str(tmp_path)},
        {"PATH": os.environ["PATH"], "JSII_NODE": str(tmp_path / "node")},
    ):
        with pytest.raises(EnvironmentSetupError, match=r"Node\.js") as caught:
            require_node(environment)
        assert "JSII_NODE" in caught.value.remedy


def printed(program: str, folder: Path, file: str, arguments: list[str]) -> str:
    """Return what a program prints that is given a file of the folder and further arguments."""
    return subprocess.run(
        [sys.executable, "-c", program, folder / file, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        env={
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(Path.home() / ".cache" / "aws" / "jsii" / "package-cache"),
            **os.environ,
            "XDG_CACHE_HOME": str(folder / "cache"),
            "PYTHONPATH": str(SOURCES),
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        },
    ).stdout


@needs_node
def test_dags_are_given_the_table_that_they_share(tmp_path: Path) -> None:
    (tmp_path / "dag.py").write_text(STORES)
    resources = json.loads(printed(SHARES, tmp_path, "dag.py", []))
    [(name, table)] = [item for item in resources.items() if item[1]["Type"] == "AWS::DynamoDB::Table"]
    assert table["Properties"]["TableName"] == "asset-state"
    assert table["DeletionPolicy"] == "RetainExceptOnCreate"
    [function] = [each for each in resources.values() if each["Type"] == "AWS::Lambda::Function"]
    place = function["Properties"]["Environment"]["Variables"]["ORKESTRA_ASSET_STATE"]
    assert place == {"Fn::Sub": ["dynamodb:${AssetStateTable}", {"AssetStateTable": {"Ref": name}}]}


@needs_node
def test_the_configuration_is_honoured_and_arguments_win(tmp_path: Path) -> None:
    (tmp_path / "dag.py").write_text(DAGS.format(names=("a", "b"), schedule="None"))
    (tmp_path / "orkestra.toml").write_text(CONFIGURATION)
    file = f"'configuration': {str(tmp_path / 'orkestra.toml')!r}"
    cases = [
        "{}",
        f"{{{file}}}",
        f"{{{file}, 'overrides': Overrides(memory=(Scoped(4096, 'a'),))}}",
        "{'overrides': Overrides(timeout=(Scoped(30, 'b'), Scoped(90, 'a', 'work')))}",
    ]
    assert json.loads(printed(SHOWS, tmp_path, "dag.py", cases)) == [
        [512, 900],
        [2048, 120],
        [2048, 60],
        [4096, 120],
        [4096, 60],
        [512, 900],
        [512, 90],
    ]


@needs_node
def test_errors_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "several.py").write_text(DAGS.format(names=("a", "b"), schedule="None"))
    (tmp_path / "refused.py").write_text(
        DAGS.format(names=("c",), schedule="'@continuous', max_active_runs=1")
    )
    cases = {
        "several.py": ["{}", "{'dag_id': 'x'}", "{'dag_id': 'a', 'parameters': {'Nope': '1'}}"],
        "refused.py": ["{}"],
        "missing.py": ["{}"],
    }
    told = {
        file: printed(PROGRAM, tmp_path, file, arguments).splitlines() for file, arguments in cases.items()
    }
    several, unknown, parameter = told["several.py"]
    assert "defines 2 DAGs -> set dag_id: a, b" in several
    assert "defines no DAG 'x' -> it has a, b" in unknown
    assert "no parameter 'Nope' -> it has AssetBucket" in parameter
    [refused] = told["refused.py"]
    assert refused.startswith("BridgeError")
    assert "OB502" in refused
    [missing] = told["missing.py"]
    assert missing.startswith("UsageError")
