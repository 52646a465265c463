"""How much of the ledger the instances of mapped tasks may take whose number only the run knows.

The state data has 256 KiB (`payload.py`). What all other tasks may take of it is known; the rest is for mapped tasks.
Those that run one after the other use it as they come, since each sees what the ones before it have left; those that may
run side by side do not see each other, and have equal shares. So a run that has too much to remember fails in the task
that would be too long, with the numbers, and not with States.DataLimitExceeded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from orkestra_bridge.lowering.map_limits import instance_bytes
from orkestra_bridge.lowering.payload import ENTRY, ROOM, instances_of, may_push

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.ir.graph import Order
    from orkestra_bridge.ir.model import Task, Workflow


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What the instances of a mapped task or group may take of the ledger.

    Attributes:
        room: Bytes for its instances and for those of the ones before it.
        each: Bytes of one instance, if its XComs are stored.
        after: The ids in the ledger of the ones before it.
        sharers: How many it and the ones after it are.
    """

    room: int
    each: int
    after: tuple[str, ...]
    sharers: int

    @property
    def most(self) -> int:
        """The number of instances that there is room for if the ones before it have left nothing."""
        return max(0, self.room // self.each)


def ledger_shares(
    workflow: Workflow,
    nodes: Workflow,
    members: Mapping[str, tuple[Task, ...]],
    order: Order,
    distributed: frozenset[str],
) -> dict[str, Share]:
    """Return the share of each mapped task or group of unknown length, by its id.

    ``nodes`` has each mapped group as one task, and ``order`` is theirs.
    """
    open_ended = [task for task in nodes.tasks if task.expansion and not task.expansion.length]
    chains = _chains([task.task_id for task in open_ended], order)
    room = max(0, ROOM - _known_bytes(workflow, distributed))
    found = {}
    for chain in chains:
        for position, name in enumerate(chain):
            tasks = members.get(name, (nodes.task(name),))
            before = [each for other in chain[:position] for each in members.get(other, (nodes.task(other),))]
            found[name] = Share(
                room=room // len(chains),
                each=sum(instance_bytes(task, distributed=name in distributed) for task in tasks),
                after=tuple(task.task_id for task in before),
                sharers=len(chain) - position,
            )
    return found


def _chains(names: list[str], order: Order) -> list[list[str]]:
    """Return the tasks in chains in which each waits for the one before it."""
    index = {name: position for position, name in enumerate(order.names)}
    chains: list[list[str]] = []
    for name in sorted(names, key=index.__getitem__):
        above = order.above[index[name]]
        chain = next((each for each in chains if above >> index[each[-1]] & 1), None)
        if chain is None:
            chains.append([name])
        else:
            chain.append(name)
    return chains


def _known_bytes(workflow: Workflow, distributed: frozenset[str]) -> int:
    """Return the most bytes that the ledger has of all tasks whose number of instances is known."""
    return sum(
        instances_of(workflow, task) * _entry_bytes(workflow, task, distributed) for task in workflow.tasks
    )


def _entry_bytes(workflow: Workflow, task: Task, distributed: frozenset[str]) -> int:
    if task.task_id in distributed or task.mapped_group in distributed:
        return instance_bytes(task, distributed=True)
    return ENTRY + len(task.task_id.encode()) + workflow.inline_limit * may_push(task)
