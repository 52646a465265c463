"""What a Kubernetes cluster keeps for an image: single keys come from Parameter Store, all else is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from workflows import POD, a_task, a_workflow

from orkestra_bridge.ir.model import Attribute, Need, Needs, Task
from orkestra_bridge.ir.places import ClusterValue, Image
from orkestra_bridge.passes.accounting import account
from orkestra_bridge.passes.cluster_values import cluster_needs
from orkestra_bridge.passes.placement import place

TOKEN = ClusterValue(argument="secrets", kind="secret", name="etl", key="token", variable="TOKEN")
REGION = ClusterValue(argument="env_vars", kind="configmap", name="site", key="region", variable="REGION")
PUSH = (
    "push them before you deploy: kubectl get configmap/site secret/etl -o json > FILE; "
    "orkestra-bridge secrets push --kubernetes FILE"
)


def with_values(*values: ClusterValue, **fields: Any) -> Task:
    image = Image(kind="kubernetes", executed_by=POD, reference="team/etl:1", cluster=values, **fields)
    given = dict.fromkeys(each.argument for each in values)
    attributes = tuple(Attribute(name=name, value=["..."], of_class=name != "expand") for name in given)
    return a_task("t", operator="KubernetesPodOperator", image=image, attributes=attributes)


def found(task: Task) -> list[tuple[str, str, str]]:
    return [(each.id, each.message, each.remedy) for each in account(place(a_workflow(task)))]


def test_keys_for_variables_are_had_from_parameter_store() -> None:
    assert found(with_values(TOKEN, REGION)) == [
        (
            "OB246",
            "TOKEN, REGION of its environment: from Parameter Store, not the ConfigMap site and the Secret etl",
            PUSH,
        )
    ]


def test_an_optional_key_is_none_on_ecs() -> None:
    optional = ClusterValue(
        argument="env_vars", kind="secret", name="etl", key="k", variable="K", optional=True
    )
    [(_, message, _)] = found(with_values(optional))
    assert message.endswith("; Kubernetes would start it without K, ECS does not")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (ClusterValue(argument="secrets", kind="secret", name="etl"), "all keys of the Secret etl"),
        (ClusterValue(argument="env_from", kind="configmap", name="site"), "all keys of the ConfigMap site"),
        (
            ClusterValue(argument="secrets", kind="secret", name="etl", path="/etc/etl"),
            "mounts no files of a cluster: the Secret etl at /etc/etl",
        ),
        (ClusterValue(argument="env_vars", kind="field_ref", variable="NODE"), r"the pod itself \(field_ref"),
        (
            ClusterValue(argument="secrets", kind="secret", name="{{ x }}", key="k", variable="K"),
            "only known when",
        ),
        (
            ClusterValue(argument="secrets", kind="secret", name="***", key="k", variable="K"),
            "only known when",
        ),
        (ClusterValue(argument="expand", kind="expanded", variable="K"), "another one for each instance"),
    ],
)
def test_what_ecs_cannot_have_is_refused_and_says_why(value: ClusterValue, said: str) -> None:
    [(rule, message, remedy)] = found(with_values(value))
    assert rule == "OB235"
    assert re.search(said, message), message
    assert remedy


def test_a_value_that_is_refused_does_not_hide_one_that_is_not() -> None:
    whole = ClusterValue(argument="secrets", kind="secret", name="etl")
    assert [rule for rule, *_ in found(with_values(TOKEN, whole))] == ["OB246", "OB235"]


def test_a_function_gets_none_of_them() -> None:
    rules = [rule for rule, *_ in found(with_values(TOKEN, python=True))]
    assert rules == ["OB238", "OB235"]


def test_what_is_needed_is_in_the_report() -> None:
    task = with_values(TOKEN, REGION, ClusterValue(argument="env_from", kind="secret", name="other"))
    needs = cluster_needs(a_workflow(task), Needs(variables=(Need(name="v", file="d.py"),)))
    assert [each.name for each in needs.kubernetes_secrets] == ["etl/token"]
    assert [each.name for each in needs.kubernetes_configmaps] == ["site/region"]
    assert [each.name for each in needs.variables] == ["v"]
    assert needs.kubernetes_secrets[0].line == task.span.line
