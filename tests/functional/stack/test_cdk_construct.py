"""The example app synthesises, and what it holds is what ``orkestra-bridge convert`` writes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import orkestra_bridge
from orkestra_bridge.frontend.discovery import discover
from orkestra_bridge.frontend.environments import resolve_environment
from orkestra_bridge.frontend.loader import Frontend
from orkestra_bridge.options import AirflowSource, Target
from orkestra_bridge.packaging.build import build_package
from orkestra_bridge.packaging.layer import layer_hash

SOURCES = Path(orkestra_bridge.__file__).parents[1]
APP = SOURCES / "docs" / "examples" / "cdk_app"
CONVERT = "from orkestra_bridge.cli.main import main; main()"
GIVEN: dict[str, dict[str, Any]] = {
    "orders": {},
    "refunds": {"ScheduleState": "DISABLED", "LogLevel": "ERROR"},
    "archive": {"SubnetIds": ["subnet-0a1b2c3d", "subnet-4e5f6a7b"], "SecurityGroupIds": [""]},
}

Json = dict[str, Any]

pytestmark = pytest.mark.skipif(
    shutil.which(os.environ.get("JSII_NODE", "node")) is None,
    reason="the CDK needs Node.js, and there is none on the PATH",
)


def environment(cache: Path, **more: str) -> dict[str, str]:
    """Return an environment with a cache of its own, but for jsii's 200 MB of unpacked packages."""
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return {
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(usual / "aws" / "jsii" / "package-cache"),
        **os.environ,
        "XDG_CACHE_HOME": str(cache),
        "PYTHONPATH": os.pathsep.join([str(SOURCES), os.environ.get("PYTHONPATH", "")]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "CDK_VALIDATION": "false",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        "UV_OFFLINE": "1",
        **more,
    }


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that has the layers of the DAGs, so that nothing is fetched."""
    folder = tmp_path_factory.mktemp("cache")
    ours = folder / "orkestra-bridge"
    (ours / "layers").mkdir(parents=True)
    parser = resolve_environment(AirflowSource(), ours)
    with Frontend(parser, parse_timeout=60, cache=ours) as frontend:
        files = list(frontend.load(discover([APP / "dags"]).files))
    for workflow, file in [(workflow, loaded.file) for loaded in files for workflow in loaded.workflows]:
        package = build_package(workflow, file, parser, Target()).package
        key = layer_hash(package.requirements, Target())
        with zipfile.ZipFile(ours / "layers" / f"{key}.zip", "w") as layer:
            layer.writestr("python/jinja2/__init__.py", "")
        (ours / "layers" / f"{key}.json").write_text(json.dumps({"size": 0}))
    return folder


@pytest.fixture(scope="module")
def synthesised(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Json:
    out = tmp_path_factory.mktemp("cdk")
    variables = environment(cache, CDK_OUTDIR=str(out))
    subprocess.run([sys.executable, str(APP / "app.py")], check=True, timeout=300, cwd=out, env=variables)
    manifest = json.loads((out / "Pipelines.assets.json").read_text())
    for asset in manifest["files"].values():
        assert (out / asset["source"]["path"]).is_file()
    template: Json = json.loads((out / "Pipelines.template.json").read_text())
    return template


@pytest.fixture(scope="module")
def converted(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    out = tmp_path_factory.mktemp("out")
    program = [sys.executable, "-c", CONVERT, "convert", str(APP / "dags"), "-o", str(out)]
    subprocess.run(program, check=True, timeout=300, env=environment(cache), stdout=subprocess.DEVNULL)
    return {name: json.loads((out / name / "template.json").read_text()) for name in GIVEN}


def ours(synthesised: Json, prefix: str) -> dict[str, Json]:
    """Return the resources of one construct under the ids that the template has for them."""
    pattern = re.compile(rf"{prefix}Resources(?:Conditions)?([A-Za-z0-9]+?)[0-9A-F]{{8}}\Z")
    names = {name: match[1] for name in _names(synthesised) if (match := pattern.match(name))}
    return {
        names[name]: _renamed(resource, names)
        for name, resource in synthesised["Resources"].items()
        if name in names
    }


def _names(template: Json) -> list[str]:
    return [*template["Resources"], *template["Conditions"]]


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def filled(value: Any, values: dict[str, Any]) -> Any:
    """Return the resources of a template with the values of its parameters in place."""
    if isinstance(value, list):
        return [filled(item, values) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"} and value["Ref"] in values:
        return values[value["Ref"]]
    if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
        return {"Fn::Sub": _with_texts(value["Fn::Sub"], values)}
    return {key: filled(item, values) for key, item in value.items()}


def repository_and_tag(definition: Json) -> dict[str, Any]:
    """Return what the construct filled in for the image that CDK builds."""
    [container] = definition["Properties"]["ContainerDefinitions"]
    colon, (uri, tag) = container["Image"]["Fn::Join"]
    assert colon == ":"
    return {"ContainerRepositoryUri": uri, "ContainerImageTag": tag}


def _with_texts(text: str, values: dict[str, Any]) -> str:
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value) if isinstance(value, str) else text
    return text


@pytest.mark.parametrize("dag_id", sorted(GIVEN))
def test_the_construct_has_the_resources_of_the_template(
    synthesised: Json, converted: dict[str, Json], dag_id: str
) -> None:
    found = ours(synthesised, dag_id.title())
    template = converted[dag_id]
    values = {name: item.get("Default") for name, item in template["Parameters"].items()} | GIVEN[dag_id]
    code = found["TasksFunction"]["Properties"]["Code"]
    layer = found["DependenciesLayer"]["Properties"]["Content"]
    values |= {
        "AssetBucket": code["S3Bucket"],
        "TasksCodeKey": code["S3Key"],
        "LayerKey": layer["S3Key"],
    }
    if "ContainerTask" in found:
        values |= repository_and_tag(found["ContainerTask"])
    expected = filled(template["Resources"], values)
    assert sorted(found) == sorted(expected)
    for name, resource in expected.items():
        assert found[name] == resource, name


def test_the_stack_has_no_parameters_left_and_one_schedule_for_each_expression(synthesised: Json) -> None:
    assert set(synthesised.get("Parameters", {})) <= {"BootstrapVersion"}
    schedules = [
        item["Properties"]["ScheduleExpression"]
        for item in synthesised["Resources"].values()
        if item["Type"] == "AWS::Scheduler::Schedule"
    ]
    assert sorted(schedules) == ["cron(0 6 * * ? *)", "cron(0 6 1 * ? *)", "cron(0 6 ? * MON *)"]


def test_grants_reach_the_role_of_the_tasks(synthesised: Json) -> None:
    [policy] = [item for item in synthesised["Resources"].values() if item["Type"] == "AWS::IAM::Policy"]
    [role] = policy["Properties"]["Roles"]
    assert role["Ref"].startswith("OrdersResourcesTasksFunctionRole")
