"""Setup and teardown: which setups a task needs besides its direct upstream, and what a teardown waits for.

Source: `get_upstreams_only_setups` of Airflow's DAG nodes, and `_evaluate_setup_constraint` and
`_evaluate_teardown_scope` in `airflow/ti_deps/deps/trigger_rule_dep.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@final
class SetupGraph(NamedTuple):
    """The edges of a DAG, and which of its tasks are setups or teardowns.

    Attributes:
        upstream: Direct upstream task ids of every task.
        teardowns: Teardowns and whether their failure fails the run.
    """

    upstream: Mapping[str, Iterable[str]]
    setups: frozenset[str]
    teardowns: Mapping[str, bool]

    @classmethod
    def of(cls, tasks: Iterable[Mapping[str, Any]]) -> SetupGraph:
        """Return the graph of a manifest's tasks."""
        known = list(tasks)
        return cls(
            upstream={task["task_id"]: task["upstream"] for task in known},
            setups=frozenset(task["task_id"] for task in known if task.get("is_setup")),
            teardowns={
                task["task_id"]: bool(task.get("on_failure_fail_dagrun"))
                for task in known
                if task.get("is_teardown")
            },
        )

    def needed_by(self, task_id: str) -> list[str]:
        """Return the setups further up that have to succeed for this task to run, whatever its trigger rule, sorted.

        A setup counts if it has no teardown, or one that is downstream of this task. Direct upstream tasks are left to
        the trigger rule, and so are all of a teardown's.
        """
        if not self.setups or task_id in self.teardowns:
            return []
        downstream = self.downstream()
        above = reachable(task_id, self.upstream) & self.setups
        indirect = sorted(above - set(self.upstream[task_id]))
        below = reachable(task_id, downstream) if indirect else set()
        found = []
        for setup in indirect:
            teardowns = self.teardowns.keys() & downstream[setup]
            if not teardowns or teardowns & below:
                found.append(setup)
        return found

    def scope_of(self, task_id: str) -> list[str]:
        """Return the tasks between a teardown and its setups that are not directly upstream of it, sorted.

        Airflow 3.3 lets a teardown wait for them too, although its trigger rule does not look at them.
        """
        if task_id not in self.teardowns:
            return []
        direct = set(self.upstream[task_id])
        downstream = self.downstream()
        indirect = reachable(task_id, self.upstream) - direct
        inside: set[str] = set()
        for setup in direct & self.setups:
            inside |= indirect & reachable(setup, downstream)
        return sorted(inside)

    def leaves(self) -> list[str]:
        """Return the tasks that decide the state of the run, in the order of the tasks.

        A teardown counts only with on_failure_fail_dagrun (`DagRun._tis_for_dagrun_state`).
        """
        ignored = {name for name, fails_run in self.teardowns.items() if not fails_run}
        downstream = self.downstream()
        found = [name for name in self.upstream if name not in ignored and not downstream[name] - ignored]
        return found or [name for name in self.upstream if not downstream[name]]

    def downstream(self) -> dict[str, set[str]]:
        """Return the direct downstream task ids of every task."""
        found: dict[str, set[str]] = {name: set() for name in self.upstream}
        for name, parents in self.upstream.items():
            for parent in parents:
                found[parent].add(name)
        return found


def reachable(start: str, edges: Mapping[str, Iterable[str]]) -> set[str]:
    """Return all that the edges lead to, without the start."""
    found: set[str] = set()
    todo = list(edges[start])
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(edges[name])
    return found
