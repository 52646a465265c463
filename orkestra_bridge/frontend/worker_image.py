"""The image of a task of DockerOperator or KubernetesPodOperator, as it is on the object: subclasses compute it.

Part of the worker program: standard library and Airflow only, Python 3.8 and later.
"""

from __future__ import annotations

import ast
import functools
import inspect
import shlex
import types
from typing import TYPE_CHECKING, Any

from .worker_around import runs_around
from .worker_cluster import cluster_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from .worker_values import Encoder

_KINDS = {"DockerOperator": "docker", "KubernetesPodOperator": "kubernetes"}
_DECORATED = frozenset(("_DockerDecoratedOperator", "_KubernetesDecoratedOperator"))
_TEMPLATE = "{{ expand }}"
_VARYING = {"image": _TEMPLATE, "entrypoint": [_TEMPLATE], "cmds": [_TEMPLATE]}
_AMOUNTS = ("cpu", "memory")
_METHODS = (types.FunctionType, property, staticmethod, classmethod, functools.cached_property)


def image_of(
    task: Any, kind: type, mapped: bool, encode: Encoder, qualified: Callable[[type], str]
) -> dict[str, Any] | None:
    """Return the fields of `Image`, None for a task of another operator; ``qualified`` names classes."""
    names = {base.__name__ for base in kind.__mro__ if base.__module__.startswith("airflow.")}
    found = [_KINDS[name] for name in sorted(names & _KINDS.keys())]
    if not found:
        return None
    given = _given_to_mapped(task, kind) if mapped else vars(task)
    read = _docker if found[0] == "docker" else _kubernetes
    command, more = read(given)
    reference = given.get("image")
    return {
        "kind": found[0],
        "reference": None if reference is None else encode(reference),
        "entry_point": None if command is None else encode(command),
        "executed_by": qualified(next(base for base in kind.__mro__ if "execute" in vars(base))),
        "python": bool(names & _DECORATED),
        "overridden": _overridden(kind),
        "wraps": runs_around(kind),
        "cluster": [
            {name: encode(value) for name, value in each.items()}
            for each in cluster_values(given, _rows(task, mapped))
        ]
        if found[0] == "kubernetes"
        else [],
        **{name: encode(value) for name, value in more.items()},
    }


def _given_to_mapped(task: Any, kind: type) -> dict[str, Any]:
    """Return the arguments of a mapped task; what it is expanded over is a template.

    Airflow gives default_args to the constructor when it makes an instance.
    """
    defaults = {
        **(getattr(task.dag, "default_args", None) or {}),
        **(task.partial_kwargs.get("default_args") or {}),
    }
    given = {**_class_values(kind), **defaults, **task.partial_kwargs}
    names = {name for row in _rows(task, mapped=True) for name in row}
    return {**given, **{name: value for name, value in _VARYING.items() if name in names}}


def _rows(task: Any, mapped: bool) -> list[dict[str, Any]]:
    """Return the arguments that a mapped task is expanded over."""
    if not mapped:
        return []
    expanded = task._get_specified_expand_input().value
    rows = expanded if isinstance(expanded, (list, tuple)) else [expanded]
    return [row for row in rows if isinstance(row, dict)]


def _class_values(kind: type) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if "__init__" in vars(base):
            parameters = inspect.signature(base.__init__).parameters.values()  # type: ignore[misc]
            values.update((each.name, each.default) for each in parameters if each.default is not each.empty)
    return values


def _overridden(kind: type) -> list[str]:
    """Return the methods of the provider's operator that the user's classes have of their own, as ``Class.method``."""
    inherited: set[str] = set()
    found: list[str] = []
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("airflow."):
            inherited.update(vars(base) if ".providers." in base.__module__ else ())
            continue
        methods = sorted(name for name, value in vars(base).items() if isinstance(value, _METHODS))
        found += [
            f"{base.__name__}.{name}" for name in methods if name in inherited and not name.startswith("__")
        ]
    return found


def _docker(given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    user = given.get("user")
    more = {
        "working_directory": given.get("working_dir"),
        "user": None if user is None else str(user),
        "scratch": given.get("tmp_dir") if given.get("mount_tmp_dir") else None,
        "terminal": bool(given.get("tty")),
        "cpu": [given["cpus"]] if given.get("cpus") not in (None, 1.0) else [],
        "memory": [given["mem_limit"]] if given.get("mem_limit") is not None else [],
    }
    return _words(given.get("entrypoint")), more


def _listens(callbacks: Any) -> bool:
    """Return True if one of the callbacks, which are classes or objects, gets the lines of the log."""
    for each in callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]:
        kind = each if isinstance(each, type) else type(each)
        own = (base for base in kind.__mro__ if not base.__module__.startswith("airflow."))
        if any("progress_callback" in vars(base) for base in own):
            return True
    return False


def _words(command: Any) -> list[str] | None:
    """Return an entry point as a list (`DockerOperator.format_command`, then Docker's own client)."""
    if isinstance(command, str) and command.strip().startswith("["):
        command = ast.literal_eval(command)
    if isinstance(command, str):
        return shlex.split(command)
    return None if command is None else [str(word) for word in command]


def _kubernetes(given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    context = given.get("container_security_context")
    asked: dict[str, list[Any]] = {name: [] for name in _AMOUNTS}
    for kind in ("requests", "limits"):
        amounts = getattr(given.get("container_resources"), kind, None) or {}
        for name in _AMOUNTS:
            if amounts.get(name) is not None:
                asked[name].append(amounts[name])
    user = getattr(context, "run_as_user", None)
    more = {
        "working_directory": None,
        "user": None if user is None else str(user),
        "result": "/airflow/xcom/return.json" if given.get("do_xcom_push") else None,
        "listens": _listens(given.get("callbacks")),
        **asked,
    }
    commands = given.get("cmds")
    return (list(commands) if commands else None), more
