"""What each task of a workflow waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.ir.graph import order_of
from orkestra_bridge.runtime.setups import SetupGraph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.ir.graph import Order
    from orkestra_bridge.ir.model import Task


def setup_graph(tasks: tuple[Task, ...]) -> SetupGraph:
    """Return the edges, setups and teardowns of a workflow's tasks."""
    return SetupGraph(
        upstream={task.task_id: task.upstream for task in tasks},
        setups=frozenset(task.task_id for task in tasks if task.is_setup),
        teardowns={task.task_id: task.on_failure_fail_dagrun for task in tasks if task.is_teardown},
    )


def waiting_order(tasks: tuple[Task, ...]) -> Order:
    """Return the order in which tasks may run.

    A teardown also waits for what lies between its setups and itself, directly upstream or not, as in Airflow 3.3: it
    would matter as soon as a task between them started before all of its own upstream had finished.
    """
    graph = setup_graph(tasks)
    names = tuple(graph.upstream)
    return order_of(names, {task.task_id: (*task.upstream, *graph.scope_of(task.task_id)) for task in tasks})


def scopes_in(tasks: tuple[Task, ...], place: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return what each task, or the mapped group that is its place, waits for as the scope of a teardown.

    ``place`` has the group's or the task's own id for each task; a group never waits for itself.
    """
    graph = setup_graph(tasks)
    found: dict[str, set[str]] = {name: set() for name in place.values()}
    for teardown in graph.teardowns:
        found[place[teardown]].update(place[name] for name in graph.scope_of(teardown))
    return {name: tuple(sorted(scope - {name})) for name, scope in found.items()}
