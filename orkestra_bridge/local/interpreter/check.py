"""Refuses, before anything runs, what this interpreter would otherwise have to guess at.

Source of the field names: ASL specification and AWS Step Functions developer guide, for JSONata states.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.local.interpreter.expressions import expressions_of, syntax_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orkestra_bridge.local.interpreter.model import Json

EVERYWHERE = frozenset({"Type", "Comment", "QueryLanguage"})
ONWARD = frozenset({"Next", "End", "Output", "Assign"})
RESCUE = frozenset({"Retry", "Catch"})

FIELDS: Mapping[str, frozenset[str]] = {
    "Task": EVERYWHERE
    | ONWARD
    | RESCUE
    | {"Resource", "Arguments", "TimeoutSeconds", "HeartbeatSeconds", "Credentials"},
    "Pass": EVERYWHERE | ONWARD,
    "Wait": EVERYWHERE | ONWARD | {"Seconds", "Timestamp"},
    "Choice": EVERYWHERE | {"Choices", "Default", "Output", "Assign"},
    "Succeed": EVERYWHERE | {"Output"},
    "Fail": EVERYWHERE | {"Error", "Cause"},
    "Parallel": EVERYWHERE | ONWARD | RESCUE | {"Branches", "Arguments"},
    "Map": EVERYWHERE | ONWARD | RESCUE | {"Items", "ItemSelector", "ItemProcessor", "MaxConcurrency"},
}
MACHINE = frozenset({"Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version"})
BRANCH = frozenset({"Comment", "QueryLanguage", "StartAt", "States", "ProcessorConfig"})
RETRIER = frozenset(
    {
        "ErrorEquals",
        "IntervalSeconds",
        "MaxAttempts",
        "BackoffRate",
        "MaxDelaySeconds",
        "JitterStrategy",
        "Comment",
    }
)
CATCHER = frozenset({"ErrorEquals", "Next", "Output", "Assign", "Comment"})
RULE = frozenset({"Condition", "Next", "Output", "Assign", "Comment"})
MODES = frozenset({"INLINE", "DISTRIBUTED"})
CONFIG = frozenset({"Mode", "ExecutionType"})


def check_definition(definition: Mapping[str, Json]) -> None:
    """Return if the whole definition can be run here, else raise LocalRunError with all its problems."""
    problems = [*_machine(definition)]
    if problems:
        listed = "; ".join(problems)
        raise LocalRunError(
            f"the state machine cannot be run here: {listed}",
            remedy="convert the DAG again, or correct the definition by hand",
        )


def _machine(definition: Mapping[str, Json]) -> Iterator[str]:
    if definition.get("QueryLanguage") != "JSONata":
        yield 'the machine has to say "QueryLanguage": "JSONata"'
    yield from _unknown("the machine", definition, MACHINE)
    yield from _block("the machine", definition)


def _block(place: str, block: Mapping[str, Json]) -> Iterator[str]:
    states = block.get("States")
    if not isinstance(states, dict) or block.get("StartAt") not in states:
        yield f"{place} has no state {block.get('StartAt')!r} to start at"
        return
    for name, state in states.items():
        yield from _state(name, state, states)


def _state(name: str, state: Mapping[str, Json], states: Mapping[str, Json]) -> Iterator[str]:
    kind = str(state.get("Type"))
    if kind not in FIELDS:
        yield f"state '{name}' has the type {kind!r}, known are {', '.join(sorted(FIELDS))}"
        return
    yield from _unknown(f"state '{name}'", state, FIELDS[kind])
    if state.get("QueryLanguage", "JSONata") != "JSONata":
        yield f"state '{name}' is not in JSONata"
    yield from _targets(name, state, states)
    yield from _parts(name, state)
    yield from _required(name, state)
    yield from _syntax(name, state)


def _required(name: str, state: Mapping[str, Json]) -> Iterator[str]:
    needs = {"Task": ["Resource"], "Choice": ["Choices"], "Parallel": ["Branches"], "Map": ["ItemProcessor"]}
    for field in needs.get(state["Type"], []):
        if field not in state:
            yield f"state '{name}' needs the field {field}"
    if "HeartbeatSeconds" in state and not str(state.get("Resource")).endswith(".waitForTaskToken"):
        yield f"state '{name}' has HeartbeatSeconds, but nobody gets a task token to send heartbeats with"
    if state["Type"] == "Wait" and ("Seconds" in state) == ("Timestamp" in state):
        yield f"state '{name}' needs exactly one of Seconds and Timestamp"


def _targets(name: str, state: Mapping[str, Json], states: Mapping[str, Json]) -> Iterator[str]:
    targets = [part.get("Next") for field in ("Choices", "Catch") for part in state.get(field, ())]
    targets += [state[field] for field in ("Next", "Default") if field in state]
    for target in targets:
        if target not in states:
            yield f"state '{name}' goes on to {target!r}, which is not there"
    if "Next" in FIELDS[state["Type"]] and ("Next" in state) == (state.get("End") is True):
        yield f"state '{name}' needs either Next or End"


def _parts(name: str, state: Mapping[str, Json]) -> Iterator[str]:
    for field, known in (("Retry", RETRIER), ("Catch", CATCHER), ("Choices", RULE)):
        for index, part in enumerate(state.get(field, ())):
            yield from _unknown(f"{field}[{index}] of state '{name}'", part, known)
    for index, branch in enumerate(state.get("Branches", ())):
        yield from _nested(f"branch {index} of state '{name}'", branch)
    if "ItemProcessor" in state:
        yield from _nested(f"the item processor of state '{name}'", state["ItemProcessor"])


def _nested(place: str, block: Mapping[str, Json]) -> Iterator[str]:
    yield from _unknown(place, block, BRANCH)
    yield from _mode(place, block.get("ProcessorConfig", {}))
    yield from _block(place, block)


def _mode(place: str, config: Mapping[str, Json]) -> Iterator[str]:
    yield from _unknown(f"ProcessorConfig of {place}", config, CONFIG)
    mode = config.get("Mode", "INLINE")
    if mode not in MODES:
        yield f"{place} has the mode {mode}, which is not run here"
    kind = config.get("ExecutionType")
    if (kind != "STANDARD") if mode == "DISTRIBUTED" else kind is not None:
        yield f"{place} has the mode {mode} and the execution type {kind}, which is not run here"


def _syntax(name: str, state: Mapping[str, Json]) -> Iterator[str]:
    own = {field: value for field, value in state.items() if field not in {"Branches", "ItemProcessor"}}
    for expression in expressions_of(own):
        problem = syntax_error(expression)
        if problem is not None:
            yield f"state '{name}' has a JSONata error in '{expression}': {problem}"


def _unknown(place: str, fields: Mapping[str, Json], known: frozenset[str]) -> Iterator[str]:
    unknown = sorted(set(fields) - known)
    if unknown:
        yield f"{place} has {', '.join(unknown)}, which is not run here"
