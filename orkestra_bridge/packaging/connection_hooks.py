"""Which hooks are found by the type of a connection, when a task runs: their providers must be packed beforehand.

The type is in the connection, which may be known only on AWS; so what the environment defines is believed, then what the
connection's name says, then come the databases that are everywhere.
"""

from __future__ import annotations

import ast
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

from orkestra_bridge.packaging.lookup import package_init
from orkestra_bridge.packaging.providers import PROVIDER_PREFIX, is_core

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.packaging.distributions import Distribution, DistributionIndex

EVERYWHERE = ("mysql", "postgres", "sqlite")
"""Connection types that a hook is packed for, if its provider is installed, where nothing is known of a connection."""


@final
@dataclass(frozen=True, slots=True)
class HookClass:
    """The hook of a connection type, and where it is."""

    connection_type: str
    module: str
    owner: Distribution


def hook_classes(index: DistributionIndex, folders: tuple[Path, ...]) -> Iterator[HookClass]:
    """Yield the hooks that the installed providers have for connection types (``get_provider_info``)."""
    for name in index.names(PROVIDER_PREFIX):
        owner = index.get(name)
        if owner is None or is_core(name):
            continue
        for module in owner.modules:
            for kind, path in _connection_types(folders, module):
                yield HookClass(kind, path.rpartition(".")[0], owner)


def _connection_types(folders: tuple[Path, ...], module: str) -> Iterator[tuple[str, str]]:
    for folder in folders:
        relative = module.replace(".", "/")
        if package_init(str(folder), relative):
            yield from _read_info(folder / relative / "get_provider_info.py")
            return


@lru_cache(maxsize=512)
def _read_info(path: Path) -> tuple[tuple[str, str], ...]:
    """Return (connection type, class) as the module says it; it returns a literal and is not run."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ()
    returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value]
    try:
        info = ast.literal_eval(returned[0]) if returned else {}
    except ValueError:
        return ()
    kinds = info.get("connection-types", ()) if isinstance(info, dict) else ()
    return tuple((each["connection-type"], each["hook-class-name"]) for each in kinds)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The hooks to pack: those that connections are known to need, and those that they may need."""

    known: tuple[HookClass, ...]
    guessed: tuple[HookClass, ...]


def choose_hooks(workflow: Workflow, hooks: Sequence[HookClass]) -> Chosen:
    """Return the hooks for the connections that the tasks of a workflow name."""
    ids = connection_ids(workflow) or {""}
    types = {conn_id: connection_type(conn_id) for conn_id in ids}
    known = {kind for kind in types.values() if kind}
    guesses = {
        kind for conn_id, found in types.items() if not found for kind in _likely(conn_id, hooks)
    } - known
    return Chosen(
        known=tuple(hook for hook in hooks if hook.connection_type in known),
        guessed=tuple(hook for hook in hooks if hook.connection_type in guesses),
    )


def connection_ids(workflow: Workflow) -> set[str]:
    """Return the connections that tasks are given as arguments, or that the file looks up."""
    named = {
        attribute.value
        for task in workflow.tasks
        for attribute in task.attributes
        if attribute.name.endswith("conn_id") and isinstance(attribute.value, str)
    }
    return named | set(workflow.connections)


def connection_type(conn_id: str) -> str | None:
    """Return the type of a connection that the environment defines, None if it defines none of this name."""
    text = os.environ.get(f"AIRFLOW_CONN_{conn_id.upper()}", "").strip()
    if text.startswith("{"):
        try:
            kind = json.loads(text).get("conn_type")
        except ValueError:
            return None
    else:
        kind = text.partition("://")[0] or None
    return {"postgresql": "postgres"}.get(kind, str(kind).replace("-", "_")) if kind else None


def _likely(conn_id: str, hooks: Sequence[HookClass]) -> set[str]:
    """Return the types that a connection's name speaks of, else those of the databases that are everywhere."""
    named = {hook.connection_type for hook in hooks if hook.connection_type in conn_id.lower()}
    return named or set(EVERYWHERE)
