"""Where a state stands: which ledger it sees, and what its scope has to return."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

from orkestra_bridge.asl.jsonata import expression, lookup, merge, picked, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orkestra_bridge.asl.model import Machine
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.lowering.groups import Grouped
    from orkestra_bridge.lowering.joining import Joins
    from orkestra_bridge.lowering.map_data import Share
    from orkestra_bridge.lowering.map_limits import Members
    from orkestra_bridge.lowering.regions import Region
    from orkestra_bridge.naming import StateNames
    from orkestra_bridge.operators.images import Build, ImageDefinition
    from orkestra_bridge.operators.registry import Family
    from orkestra_bridge.runtime.setups import SetupGraph

INPUT = "$states.input"
EXECUTION = "$states.context.Execution"
FIRST_INPUT = "($exists($states.input.ledger) ? $states.input.ledger : {})"


def _anything(_: Machine) -> None:
    pass


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What all states of one machine have in common.

    Attributes:
        families: How each task runs, by task id.
        skippers: For each task, the tasks above it that may decide to skip it.
        setups: Which tasks are setups and teardowns, and what that means for others.
        joins: Which tasks wait for reports from other branches.
        beside: For a task in a part, the tasks and mapped groups that share its state machine.
        archives: True if a part puts its entries away when it ends, because all together are too large.
        watchers: For each task, the tasks that look at its state, once that has been asked for.
        archived: For each such part, the tasks of which it has entries, as far as it has been lowered.
        parts: The state machines of the parts by number, as far as they have been lowered.
        weigh: Called with each of them as it is there; raises what ends the lowering if it is too heavy.
        groups: The workflow with each mapped task group as one task.
        members: The tasks of the mapped groups, and their joins.
        inside: For each mapped group, the nesting of its tasks.
        images: The definitions of the user's images, of which each task has one that runs its image as it is.
        builds: The images that are built for tasks in containers.
        distributed: The mapped tasks and groups whose instances are executions of their own.
        shares: What the instances of those of unknown length may take of the ledger.
    """

    workflow: Workflow
    names: StateNames
    families: Mapping[str, Family]
    skippers: Mapping[str, tuple[str, ...]]
    setups: SetupGraph
    joins: Joins
    groups: Grouped
    members: Members
    inside: Mapping[str, Region] = field(default_factory=dict)
    images: tuple[ImageDefinition, ...] = ()
    builds: tuple[Build, ...] = ()
    distributed: frozenset[str] = frozenset()
    beside: Mapping[str, Workflow] = field(default_factory=dict)
    archives: bool = False
    shares: Mapping[str, Share] = field(default_factory=dict)
    watchers: dict[str, set[str]] = field(default_factory=dict)
    archived: dict[int, tuple[str, ...]] = field(default_factory=dict)
    parts: dict[int, Machine] = field(default_factory=dict)
    weigh: Callable[[Machine], None] = _anything

    def node(self, name: str) -> Task:
        """Return the task with this id, or the one that stands for the mapped group; raises KeyError if there is none."""
        return (self.groups.workflow if name in self.groups.members else self.workflow).task(name)

    def ledger_ids(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the ids under which the ledger has these tasks and mapped groups: a group stands for its tasks."""
        members = self.groups.members
        if not members:
            return tuple(names)
        return tuple(
            task_id
            for name in names
            for task_id in ([task.task_id for task in members[name]] if name in members else [name])
        )

    def sharing(self, name: str) -> Workflow:
        """Return the tasks and mapped groups that share a state machine with one of them."""
        return self.beside.get(name, self.groups.workflow)

    @property
    def mapped(self) -> frozenset[str]:
        """The ids of tasks that may have several instances."""
        return frozenset(task.task_id for task in self.workflow.tasks if task.mapped)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The machine itself or one branch of a Parallel.

    Attributes:
        ledger: JSONata for the ledger that the next state to be built receives.
        returns: Task ids of the branch: what a branch returns is what it added, and nothing that it inherited (else k
            branches would carry the ledger k times into the 256 KiB limit). None for the machine itself.
        map_index: JSONata for the map index of the instance that runs here, in the next state to be built; None outside
            of a Map. AWS shows the context object's ``Map`` to the Map state alone, so it travels with the input.
        later_index: The same for the states after that one.
        unsure: Those of ``returns`` that may not have finished when the branch ends.
        execution: JSONata for the context object's ``Execution`` of the whole run: its own in the DAG's state machine, in
            those of its parts what their input says.
    """

    ledger: str
    returns: tuple[str, ...] | None = None
    map_index: str | None = None
    later_index: str | None = None
    unsure: frozenset[str] = frozenset()
    execution: str = EXECUTION

    def of_branch(self, returns: tuple[str, ...], unsure: frozenset[str] = frozenset()) -> Scope:
        """Return the scope of a branch of a Parallel in this one."""
        index = self.map_index
        return replace(self, ledger=INPUT, returns=returns, map_index=index, later_index=index, unsure=unsure)

    def after_first(self) -> Scope:
        """Return the scope as it is for every state but the first: the input is the ledger."""
        if self.ledger == INPUT and self.map_index == self.later_index:
            return self
        return replace(self, ledger=INPUT, map_index=self.later_index)

    def output(self, added: Mapping[str, str], *, last: bool) -> str:
        """Return the Output of a state that adds entries to the ledger.

        Args:
            added: JSONata of the entry of each new task id.
            last: True if the state ends its scope.
        """
        entries = ", ".join(f"{text(task_id)}: {entry}" for task_id, entry in added.items())
        if not last or self.returns is None:
            return expression(merge(self.ledger, f"{{{entries}}}"))
        kept = self._kept(frozenset(added))
        if len(kept) > 1 or not self.unsure.isdisjoint(kept):
            return expression(merge(self._picked(kept), f"{{{entries}}}"))
        listed = [f"{text(task_id)}: {lookup(self.ledger, task_id)}, " for task_id in kept]
        return expression(f"{{{''.join(listed)}{entries}}}")

    def passed(self, *, last: bool) -> str:
        """Return the Output of a state that adds nothing."""
        if not last or self.returns is None:
            return expression(self.ledger)
        return expression(self._picked(self._kept(frozenset())))

    def gathered(self, inner: frozenset[str], *, last: bool) -> str:
        """Return the Output of a Parallel whose branches hold the ``inner`` tasks."""
        if not last or self.returns is None:
            return expression(f"$merge($append([{self.ledger}], $states.result))")
        kept = self._kept(inner)
        if not kept:
            return expression("$merge($states.result)")
        return expression(f"$merge($append([{self._picked(kept)}], $states.result))")

    def _picked(self, names: list[str]) -> str:
        """Return JSONata for these entries; before an instance has run, the ledger has an entry without a state."""
        if self.unsure.isdisjoint(names):
            return picked(self.ledger, names)
        return f"$sift({picked(self.ledger, names)}, function($entry) {{$exists($entry.state)}})"

    def _kept(self, but: frozenset[str]) -> list[str]:
        return [task_id for task_id in self.returns or () if task_id not in but]
