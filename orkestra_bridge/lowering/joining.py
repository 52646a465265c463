"""Which tasks join branches that run side by side, who reports to them, and what each report carries.

What a nesting does not order is ordered by joins. A waiting task gets a report from each task that it waits for beside
its place in the nesting, with the ledger entries that it does not know from there; so that every task knows what its
direct upstream tasks and all above them left, as if the graph had nested.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, final

from orkestra_bridge.ir.graph import bits
from orkestra_bridge.lowering.regions import masks_before

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orkestra_bridge.ir.graph import Order
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.lowering.early import Starts
    from orkestra_bridge.lowering.regions import Decomposition


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one task tells a waiting task when it has ended.

    Attributes:
        number: Counts the reports of a machine, those in its mapped groups included.
        carries: Ids of the ledger entries that go with it, its own included.
        states: States of the sender at which the waiting task starts at once; none if it needs all reports.
        may_skip: True if the sender can skip the waiting task, which then starts at once, too.
    """

    number: int
    sender: str
    waiter: str
    carries: tuple[str, ...]
    states: tuple[str, ...] = ()
    may_skip: bool = False

    @property
    def decisive(self) -> bool:
        """True if this report alone can make the waiting task start."""
        return bool(self.states) or self.may_skip


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Joins:
    """The joins of one machine.

    Attributes:
        waiting: The reports that each waiting task gets, by its id.
        sent: The reports that each task sends, by its id.
        known: For each task, what the ledger holds before it without any report, as a mask of the order's tasks.
        order: What the masks refer to.
        index: The place in the order of each task by its id.
    """

    order: Order
    waiting: Mapping[str, tuple[Report, ...]] = field(default_factory=dict)
    sent: Mapping[str, tuple[Report, ...]] = field(default_factory=dict)
    known: tuple[int, ...] = ()
    index: Mapping[str, int] = field(default_factory=dict)

    @property
    def reports(self) -> int:
        """The number of reports."""
        return sum(map(len, self.waiting.values()))

    def imported(self, inside: tuple[str, ...], siblings: frozenset[str]) -> tuple[str, ...]:
        """Return what reports bring into a branch with these tasks, in their order, that is new to its Parallel.

        ``siblings`` are all tasks of the Parallel: what they leave comes out of it anyway.
        """
        brought = {
            name for task in inside for report in self.waiting.get(task, ()) for name in report.carries
        }
        if not brought:
            return ()
        before = self.known[self.index[inside[0]]]
        return tuple(sorted(name for name in brought - siblings if not before >> self.index[name] & 1))

    def unsure(self, inside: tuple[str, ...]) -> frozenset[str]:
        """Return what reports may bring into a branch with these tasks, or not: one of them starts a task alone."""
        reports = [report for task in inside for report in self.waiting.get(task, ()) if report.decisive]
        return frozenset(name for report in reports for name in report.carries)


def joins_of(workflow: Workflow, starts: Starts, decomposition: Decomposition, first: int = 1) -> Joins:
    """Return the joins that a nesting of the starting order needs; the first report has the number ``first``."""
    order = starts.order
    known = tuple(_with_above(order, mask) for mask in masks_before(order, decomposition.region))
    senders: dict[str, list[str]] = {}
    for sender, waiter in decomposition.relaxed:
        senders.setdefault(waiter, []).append(sender)
    numbers = count(first)
    waiting: dict[str, tuple[Report, ...]] = {}
    sent: dict[str, list[Report]] = {}
    for i, task in enumerate(workflow.tasks):
        if task.task_id in starts.early:
            reports = tuple(_early_reports(task, starts, known[i], numbers))
        else:
            reports = tuple(_reports(order, i, senders.get(task.task_id, []), known[i], numbers))
        if reports:
            waiting[task.task_id] = reports
        for report in reports:
            sent.setdefault(report.sender, []).append(report)
    return Joins(
        order=order,
        waiting=waiting,
        sent={name: tuple(reports) for name, reports in sent.items()},
        known=known,
        index={name: i for i, name in enumerate(order.names)},
    )


def _with_above(order: Order, mask: int) -> int:
    return mask | _union(order.above[i] for i in bits(mask))


def _union(masks: Iterator[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found


def _reports(
    order: Order, waiter: int, senders: list[str], known: int, numbers: Iterator[int]
) -> Iterator[Report]:
    """Yield the reports to a task that needs them all; an entry that several know goes with one of them."""
    for i, sender in enumerate(order.names):
        if sender in senders:
            carried = (order.above[i] | 1 << i) & ~known
            known |= carried
            yield Report(
                number=next(numbers),
                sender=sender,
                waiter=order.names[waiter],
                carries=_names(order, carried),
            )


def _early_reports(task: Task, starts: Starts, known: int, numbers: Iterator[int]) -> Iterator[Report]:
    """Yield the reports to a task that may start at the first of them: each has to carry all that is new."""
    order, states = starts.order, starts.early[task.task_id]
    direct, deciders = set(task.upstream if states else ()), set(starts.deciders.get(task.task_id, ()))
    for i, sender in enumerate(order.names):
        if sender in direct | deciders:
            yield Report(
                number=next(numbers),
                sender=sender,
                waiter=task.task_id,
                carries=_names(order, (order.above[i] & ~known) | 1 << i),
                states=states if sender in direct else (),
                may_skip=sender in starts.skippers,
            )


def _names(order: Order, mask: int) -> tuple[str, ...]:
    return tuple(order.names[i] for i in bits(mask))
