"""What the container of a pod would get from its cluster: keys of Secrets and ConfigMaps, and the pod's own fields.

Part of the worker program: standard library and the objects of Kubernetes' client only, Python 3.8 and later.

Sources: `KubernetesPodOperator.build_pod_request_obj`, which adds `secrets` behind `env_vars`; `Secret.attach_to_pod`;
Kubernetes' API reference, "EnvVarSource" and "EnvFromSource".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEYS = (("secret_key_ref", "secret"), ("config_map_key_ref", "configmap"))
_OBJECTS = (("secret_ref", "secret"), ("config_map_ref", "configmap"))


def cluster_values(given: dict[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the fields of each `ClusterValue`; ``rows`` is what a mapped task is expanded over.

    Of values for the same variable only the last one, as in a container.
    """
    variables: dict[str, dict[str, Any] | None] = {}
    for each in _objects(given.get("env_vars")):
        variables[str(each.name)] = _from_cluster(each)
    others = []
    for found in _of_secrets(given.get("secrets")):
        if found["variable"] is None:
            others.append(found)
        else:
            variables[found["variable"]] = found
    others += [found for each in _objects(given.get("env_from")) for found in _whole(each)]
    others += [
        {"argument": "configmaps", "kind": "configmap", "name": each}
        for each in given.get("configmaps") or ()
        if isinstance(each, str)
    ]
    others += [
        {"argument": "expand", "kind": "expanded", "variable": each.name}
        for row in rows
        for each in _all_objects(row.get("env_vars"))
        if getattr(each, "value_from", None) is not None
    ]
    return [each for each in variables.values() if each is not None] + others


def _objects(values: Any) -> Iterator[Any]:
    """Yield the items of a list that are objects of Kubernetes' client; templates and dicts have no such values."""
    if isinstance(values, (list, tuple)):
        yield from (each for each in values if hasattr(each, "to_dict"))


def _all_objects(values: Any) -> Iterator[Any]:
    """Yield the objects in the lists that a mapped task is expanded over."""
    yield from _objects(values)
    if isinstance(values, (list, tuple)):
        for each in values:
            yield from _objects(each)


def _from_cluster(variable: Any) -> dict[str, Any] | None:
    source = getattr(variable, "value_from", None)
    if source is None:
        return None
    known = {"argument": "env_vars", "variable": variable.name}
    for field, kind in _KEYS:
        key = getattr(source, field, None)
        if key is not None:
            return {**known, "kind": kind, "name": key.name, "key": key.key, "optional": bool(key.optional)}
    return {**known, "kind": next((name for name, value in source.to_dict().items() if value), "unknown")}


def _of_secrets(secrets: Any) -> Iterator[dict[str, Any]]:
    for each in secrets if isinstance(secrets, (list, tuple)) else ():
        kind = getattr(each, "deploy_type", None)
        if kind not in ("env", "volume"):
            continue
        yield {
            "argument": "secrets",
            "kind": "secret",
            "name": each.secret,
            "key": each.key,
            "variable": each.deploy_target if kind == "env" and each.key is not None else None,
            "path": each.deploy_target if kind == "volume" else None,
        }


def _whole(source: Any) -> Iterator[dict[str, Any]]:
    for field, kind in _OBJECTS:
        found = getattr(source, field, None)
        if found is not None:
            yield {
                "argument": "env_from",
                "kind": kind,
                "name": found.name,
                "optional": bool(found.optional),
            }
