"""What states share: the run they belong to, the variables they see, the context object."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, final

from orkestra_bridge.local.interpreter.clock import Clock, iso
from orkestra_bridge.local.interpreter.document import Document, settle
from orkestra_bridge.local.interpreter.expressions import evaluate
from orkestra_bridge.local.interpreter.failures import RUNTIME, StatesError
from orkestra_bridge.local.interpreter.functions import clock_functions
from orkestra_bridge.local.interpreter.model import Event, EventSink, Json, TaskRunner
from orkestra_bridge.local.interpreter.tokens import TaskTokens


@final
class Run:
    """One execution: its clock, its task runner, its task tokens and its events."""

    def __init__(
        self,
        *,
        tasks: TaskRunner,
        clock: Clock,
        on_event: EventSink,
        context: Mapping[str, Json],
        block: Block,
        tokens: TaskTokens | None = None,
    ) -> None:
        self.tasks = tasks
        self.clock = clock
        self.context = settle(context, "context object")
        self.run_block = block
        self.tokens = TaskTokens() if tokens is None else tokens
        # Jitter has to differ between the branches of one run, not between two runs.
        self.jitter = random.Random(0)  # noqa: S311
        self._on_event = on_event
        self._events = 0

    def emit(self, kind: str, name: str = "", scope: str = "", **details: Json) -> None:
        """Report that something happened."""
        self._events += 1
        now = iso(self.clock.now())
        self._on_event(
            Event(id=self._events, timestamp=now, type=kind, name=name, scope=scope, details=details)
        )


@final
@dataclass(slots=True, kw_only=True)
class Scope:
    """The variables of one block of states and those of the blocks around it.

    Attributes:
        outer: Readable here, assigned only where they were made.
        item: ``$states.context.Map`` inside of an iteration.
        context: The context object, where the states run in an execution of their own.
    """

    run: Run
    path: str = ""
    outer: Mapping[str, Document] = field(default_factory=dict)
    own: dict[str, Document] = field(default_factory=dict)
    item: Document | None = None
    context: Document | None = None

    def inside(self, path: str, item: Document | None = None) -> Scope:
        """Return the scope of a branch or iteration of a state in this one."""
        return replace(
            self,
            path=f"{self.path}/{path}" if self.path else path,
            outer=self.visible(),
            own={},
            item=item or self.item,
        )

    def apart(self, path: str, given: Document, index: int) -> Scope:
        """Return the scope of an iteration that is an execution of its own: it sees nothing of this one but its input."""
        own = child_context((self.context or self.run.context).value, given.value, self.run.clock, index)
        whole = f"{self.path}/{path}" if self.path else path
        return Scope(run=self.run, path=whole, context=settle(own, "context object"))

    def visible(self) -> dict[str, Document]:
        """Return all variables that can be read here."""
        return {**self.outer, **self.own}

    def assign(self, values: Mapping[str, Json]) -> None:
        """Set variables; raises StatesError for one that belongs to a scope further out."""
        for name, value in values.items():
            if name in self.outer:
                raise StatesError(RUNTIME, f"The variable '{name}' belongs to an outer scope.")
            self.own[name] = settle(value, f"variable {name}")


def child_context(around: Mapping[str, Json], given: Json, clock: Clock, index: int) -> dict[str, Json]:
    """Return the context object of an execution that a distributed Map starts (AWS: "Map Run")."""
    execution = around["Execution"]
    machine, name = around["StateMachine"]["Name"], f"{execution['Name']}-{index}"
    arn = execution["Id"].rpartition(":execution:")[0]
    return {
        **around,
        "Execution": {
            **execution,
            "Id": f"{arn}:execution:{machine}/map:{name}",
            "Input": given,
            "Name": name,
            "StartTime": iso(clock.now()),
        },
    }


@final
class Visit:
    """One state being executed: everything that its fields may refer to."""

    def __init__(self, scope: Scope, name: str, state: Mapping[str, Json], given: Document) -> None:
        self.scope = scope
        self.run = scope.run
        self.name = name
        self.state = state
        self.input = given
        self.retries = 0
        self.token: str | None = None
        self.entered = iso(self.run.clock.now())

    def emit(self, kind: str, **details: Json) -> None:
        """Report something about this state."""
        self.run.emit(kind, self.name, self.scope.path, **details)

    def context(self, *, bound: bool = False) -> dict[str, Any]:
        """Return the context object as it is now; ``bound`` in the form that JSONata wants."""
        base, item = self.scope.context or self.run.context, self.scope.item
        state = {"EnteredTime": self.entered, "Name": self.name, "RetryCount": self.retries}
        here: dict[str, Any] = {**(base.bound if bound else base.value), "State": state}
        if self.token is not None:
            here["Task"] = {"Token": self.token}
        if item is not None:
            here["Map"] = item.bound if bound else item.value
        return here

    def evaluate(self, template: Json, what: str, **states: Document) -> Document:
        """Return the template's value; keywords are further fields of ``$states``, such as ``result``.

        Raises StatesError as `expressions.evaluate` does.
        """
        given = {name: document.bound for name, document in states.items()}
        bindings = {name: document.bound for name, document in self.scope.visible().items()}
        bindings.update(clock_functions(self.run.clock.now()))
        bindings["states"] = {"input": self.input.bound, "context": self.context(bound=True), **given}
        return evaluate(template, bindings, what)

    def number(self, template: Json, what: str) -> float:
        """Return a number that is not negative; raises StatesError if the field gives something else."""
        value = self.evaluate(template, what).value
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise StatesError(
                RUNTIME, f"The field '{what}' must be a number that is not negative, got {value!r}."
            )
        return float(value)


@final
@dataclass(frozen=True, slots=True)
class Outcome:
    """What a state hands on and to whom; ``next`` is None at the end of a block."""

    output: Document
    next: str | None


Block: TypeAlias = Callable[[Mapping[str, Json], Document, Scope], Awaitable[Document]]
"""Runs states from ``StartAt`` to an end and returns the last output."""
