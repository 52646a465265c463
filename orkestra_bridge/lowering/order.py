"""What each task of a workflow waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.ir.graph import order_of
from orkestra_bridge.runtime.setups import SetupGraph

if TYPE_CHECKING:
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
