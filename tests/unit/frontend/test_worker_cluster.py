"""What a pod's operator says about its cluster, from objects that look like those of Kubernetes' client."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from orkestra_bridge.frontend.worker_cluster import cluster_values


class Model(SimpleNamespace):
    """An object of the client: every field there, None where it is not given."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None

    def to_dict(self) -> dict[str, Any]:
        return vars(self)


def a_variable(name: str, value: str | None = None, **source: Any) -> Model:
    return Model(name=name, value=value, value_from=Model(**source) if source else None)


def a_secret(variable: str | None, key: str | None, kind: str = "env") -> SimpleNamespace:
    return SimpleNamespace(deploy_type=kind, deploy_target=variable, secret="etl", key=key)


def values(rows: Any = (), **given: Any) -> list[tuple[Any, ...]]:
    found = cluster_values(given, list(rows))
    return [
        tuple(each.get(name) for name in ("argument", "kind", "name", "key", "variable")) for each in found
    ]


def test_each_way_to_name_a_key() -> None:
    key = Model(name="etl", key="k", optional=True)
    variables = [
        a_variable("A", "1"),
        a_variable("B", secret_key_ref=key),
        a_variable("C", config_map_key_ref=key),
        a_variable("D", field_ref=Model(field_path="spec.nodeName")),
    ]
    assert values(env_vars=variables, secrets=[a_secret("E", "k")]) == [
        ("env_vars", "secret", "etl", "k", "B"),
        ("env_vars", "configmap", "etl", "k", "C"),
        ("env_vars", "field_ref", None, None, "D"),
        ("secrets", "secret", "etl", "k", "E"),
    ]
    assert cluster_values({"env_vars": variables[1:2]}, [])[0]["optional"] is True


def test_whole_objects_and_files() -> None:
    whole = Model(secret_ref=Model(name="all"))
    files = a_secret("/etc/etl", None, "volume")
    assert values(env_from=[whole], configmaps=["site"], secrets=[files, a_secret(None, None)]) == [
        ("secrets", "secret", "etl", None, None),
        ("secrets", "secret", "etl", None, None),
        ("env_from", "secret", "all", None, None),
        ("configmaps", "configmap", "site", None, None),
    ]
    assert [each["path"] for each in cluster_values({"secrets": [files]}, [])] == ["/etc/etl"]


def test_of_the_same_variable_the_last_value_counts() -> None:
    from_cluster = a_variable("A", secret_key_ref=Model(name="etl", key="first"))
    assert values(env_vars=[from_cluster, a_variable("A", "1")]) == []
    assert values(env_vars=[from_cluster], secrets=[a_secret("A", "second")]) == [
        ("secrets", "secret", "etl", "second", "A")
    ]


def test_instances_with_values_of_their_own_and_what_is_no_list() -> None:
    from_cluster = a_variable("A", secret_key_ref=Model(name="etl", key="k"))
    assert values(rows=[{"env_vars": [[from_cluster], [a_variable("A", "1")]]}]) == [
        ("expand", "expanded", None, None, "A")
    ]
    assert values(env_vars={"A": "1"}, secrets=None, env_from=None, configmaps=None) == []
