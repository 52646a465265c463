"""Images of DockerOperator and KubernetesPodOperator: every argument of their constructors has an answer."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from workflows import DOCKER, POD, a_task, a_workflow

from orkestra_bridge.ir.model import Attribute, Expansion, Task
from orkestra_bridge.ir.places import Image
from orkestra_bridge.operators.registry import check_operators
from orkestra_bridge.passes.accounting import account
from orkestra_bridge.passes.image_claims import claims_of
from orkestra_bridge.passes.placement import place

OPERATORS = {"docker": ("DockerOperator", DOCKER), "kubernetes": ("KubernetesPodOperator", POD)}
PROVIDERS = {
    "docker": "airflow/providers/docker/operators/docker.py",
    "kubernetes": "airflow/providers/cncf/kubernetes/operators/pod.py",
}
OF_OLDER_PROVIDERS = {
    # docker 3.7, for Airflow 2.7
    "docker": "skip_exit_code",
    # cncf.kubernetes 4 to 7, for Airflow 2.3 to 2.7
    "kubernetes": "resources node_selectors priority_class is_delete_operator_pod",
}


def with_image(kind: str, *attributes: Attribute, expansion: Any = None, **fields: Any) -> Task:
    operator, path = OPERATORS[kind]
    image = Image(**{"kind": kind, "executed_by": path, "reference": "team/etl:1", **fields})
    return a_task("t", operator=operator, image=image, attributes=attributes, expansion=expansion)


def given(name: str, value: Any) -> Attribute:
    return Attribute(name=name, value=value, of_class=True)


def found(task: Task) -> dict[str, str]:
    """Return id -> argument of each finding about a task."""
    findings = account(place(a_workflow(task)))
    return {finding.id: finding.attribute or "" for finding in findings}


@pytest.mark.parametrize("kind", PROVIDERS)
def test_no_argument_of_the_installed_provider_is_unknown(kind: str) -> None:
    spec = importlib.util.find_spec("docker" if kind == "docker" else "kubernetes")
    path = Path(spec.origin).parent.parent / PROVIDERS[kind] if spec and spec.origin else Path("none")
    if not path.is_file():  # the client comes with moto as well
        pytest.skip("the provider is not installed")
    source = path.read_text(encoding="utf-8")
    [init] = [
        node
        for operator in ast.walk(ast.parse(source))
        if isinstance(operator, ast.ClassDef) and operator.name == OPERATORS[kind][0]
        for node in operator.body
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    ]
    names = {argument.arg for argument in init.args.kwonlyargs} | set(OF_OLDER_PROVIDERS[kind].split())
    kept, claims = claims_of(kind, python=False)
    assert len(names) > 40
    assert sorted(names - kept - claims.keys()) == []


def test_what_has_an_effect_on_the_image_is_kept() -> None:
    task = with_image(
        "docker", given("command", "run"), given("environment", {"A": "1"}), given("skip_on_exit_code", 9)
    )
    assert found(task) == {}


@pytest.mark.parametrize(
    ("kind", "attribute", "rule"),
    [
        ("docker", given("auto_remove", "success"), "OB233"),
        ("docker", given("network_mode", "host"), "OB234"),
        ("docker", given("mounts", [{"Target": "/data"}]), "OB235"),
        ("docker", given("privileged", value=True), "OB235"),
        ("docker", given("private_environment", {"TOKEN": "***"}), "OB235"),
        ("docker", given("brand_new", 1), "OB200"),
        ("kubernetes", given("namespace", "etl"), "OB233"),
        ("kubernetes", given("node_selector", {"gpu": "yes"}), "OB234"),
        ("kubernetes", given("service_account_name", "etl"), "OB234"),
        ("kubernetes", given("cluster_name", "etl"), "OB234"),
        ("kubernetes", given("location", "us-west1"), "OB233"),
        ("kubernetes", given("callbacks", "Evicts"), "OB234"),
        ("kubernetes", given("progress_callback", "reads"), "OB235"),
        ("kubernetes", given("volumes", ["{'name': 'v'}"]), "OB235"),
        ("kubernetes", given("secrets", ["Secret(env, ...)"]), "OB235"),
        ("kubernetes", given("pod_template_file", "pod.yaml"), "OB235"),
    ],
)
def test_what_has_none_or_cannot_be_had_is_said(kind: str, attribute: Attribute, rule: str) -> None:
    assert found(with_image(kind, attribute)) == {rule: attribute.name}


@pytest.mark.parametrize("mode", ["bridge", "default"])
def test_a_network_as_it_is_anyway_needs_no_word(mode: str) -> None:
    assert found(with_image("docker", given("network_mode", mode))) == {}


def test_what_a_subclass_takes_is_its_own_business() -> None:
    task = with_image("kubernetes", given("thing", "etl"), given("volumes", ["v"]))
    own = a_task("t", bases=("dag.MyPod", *task.bases), image=task.image, attributes=task.attributes)
    assert found(own) == {"OB235": "volumes"}


def test_callbacks_that_hear_the_log_are_refused() -> None:
    assert found(with_image("kubernetes", given("callbacks", "Parses"), listens=True)) == {
        "OB235": "callbacks"
    }


@pytest.mark.parametrize(
    "name", ["amazon.aws.operators.eks.EksPodOperator", "google.cloud.operators.kubernetes_engine.G"]
)
def test_what_only_finds_a_cluster_first_is_not_refused(name: str) -> None:
    task = with_image("kubernetes", executed_by=f"airflow.providers.{name}")
    assert check_operators(a_workflow(task)) == ()


def test_a_subclass_with_an_execute_of_its_own_is_refused() -> None:
    task = with_image("kubernetes", executed_by="plugins.pods.MyPod")
    [finding] = check_operators(a_workflow(task))
    assert finding.id == "OB301"
    assert "MyPod.execute() cannot run around it" in finding.message


def test_one_that_can_be_called_twice_is_not() -> None:
    task = with_image("kubernetes", executed_by="plugins.pods.MyPod", wraps=True)
    assert check_operators(a_workflow(task)) == ()
    [finding] = account(place(a_workflow(task)))
    assert finding.id == "OB253"
    assert finding.message.startswith("MyPod.execute() is called until it calls super().execute(), and again")


def test_methods_of_a_subclass_that_nothing_calls_are_said() -> None:
    names = ("Base.pre_execute", "MyPod.build_pod_request_obj", "MyPod.cleanup", "MyPod.find_pod")
    findings = account(place(a_workflow(with_image("kubernetes", overridden=names))))
    assert [(each.id, each.message.partition(" is not")[0]) for each in findings] == [
        ("OB235", "MyPod.build_pod_request_obj()"),
        ("OB234", "MyPod.cleanup(), MyPod.find_pod()"),
    ]
    assert found(with_image("docker", overridden=("My.execute", "My.render_template_fields"))) == {}


@pytest.mark.parametrize("reference", ["{{ params.image }}", "***", None, "team/***:1"])
def test_an_image_that_only_the_run_knows_is_named_at_deployment(reference: str | None) -> None:
    assert "OB236" in found(with_image("docker", reference=reference))


def test_an_entry_point_that_is_a_template_needs_a_program() -> None:
    assert "OB237" in found(with_image("kubernetes", entry_point=("{{ params.program }}",)))


def test_instances_of_a_mapped_task_share_what_ecs_fixes() -> None:
    over = {"command": ["a", "b"], "mem_limit": ["1g", "2g"]}
    attributes = (Attribute(name="expand", value=over),)
    task = with_image("docker", *attributes, expansion=Expansion(length=2))
    assert found(task) == {"OB235": "expand"}
    [finding] = [each for each in account(place(a_workflow(task))) if each.id == "OB235"]
    assert "expanded over mem_limit" in finding.message


def test_a_function_runs_in_an_image_built_on_the_users() -> None:
    task = with_image("docker", given("python_callable", "f"), python=True)
    assert found(task) == {"OB238": ""}
    placed = place(a_workflow(task)).tasks[0].container
    assert placed is not None
    assert placed.base == "team/etl:1"
    unknown = with_image("docker", python=True, reference="{{ var.value.image }}")
    assert "OB239" in found(unknown)


def test_sizes_are_those_that_the_operator_asks_for() -> None:
    sizes = []
    for kind, amounts in (
        ("docker", {"cpu": (2,), "memory": ("6g",)}),
        ("docker", {"memory": (512 * 2**20,)}),
        ("kubernetes", {"cpu": ("500m", "1"), "memory": ("3Gi",)}),
    ):
        placed = place(a_workflow(with_image(kind, **amounts))).tasks[0].container
        assert placed is not None
        sizes.append((placed.cpu, placed.memory))
    assert sizes == [(2048, 6144), (256, 512), (1024, 3072)]
