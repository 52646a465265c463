"""A state machine as a Mermaid flowchart, which Git hosts and editors draw."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orkestra_bridge.asl.check import inner_of
from orkestra_bridge.lowering.join import UPDATE, UPDATE_AND_WAIT
from orkestra_bridge.lowering.part import START, part_arn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SHAPES = {
    "Task": ("[", "]"),
    "Pass": ("([", "])"),
    "Choice": ("{", "}"),
    "Succeed": ("(((", ")))"),
    "Fail": (">", "]"),
    "Wait": ("[/", "/]"),
}


_NO_PARTS: Mapping[str, dict[str, Any]] = {}


def to_mermaid(definition: dict[str, Any], parts: Mapping[str, dict[str, Any]] = _NO_PARTS) -> str:
    """Return the flowchart of a definition: a Parallel is a box around its branches, a Map one around its states.

    So is a state that runs a part of the DAG, whose definition is in ``parts``.
    States that only an error leads to are left out. Dotted arrows go from a report to the task that waits for it.
    """
    machines = {part_arn(number): part for number, part in enumerate(parts.values(), start=1)}
    drawn = _drawn(definition, machines)
    states = dict(_all_states(drawn))
    ids = {name: f"s{number}" for number, name in enumerate(states)}
    return "\n".join(["flowchart TD", *_scope(drawn, ids, 1), *_reports(states, ids)]) + "\n"


def _drawn(machine: dict[str, Any], machines: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a machine with the states that are shown, each that has others inside as a Parallel.

    So is one that runs a part, with that as its only branch.
    """
    states = {}
    for name, state in _shown(machine).items():
        inner = inner_of(state)
        if machines and state.get("Resource") == START:
            inner = [machines[state["Arguments"]["StateMachineArn"]]]
        branches = [_drawn(each, machines) for each in inner]
        states[name] = _box(state, branches) if branches else state
    return {**machine, "States": states}


def _box(state: dict[str, Any], branches: list[dict[str, Any]]) -> dict[str, Any]:
    without = {key: value for key, value in state.items() if key != "ItemProcessor"}
    return {**without, "Type": "Parallel", "Branches": branches}


def _all_states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in machine["States"].items():
        yield name, state
        for inner in inner_of(state):
            yield from _all_states(inner)


def _scope(machine: dict[str, Any], ids: dict[str, str], depth: int) -> Iterator[str]:
    for name, state in machine["States"].items():
        yield from _node(name, state, ids, depth)
    for name, state in machine["States"].items():
        yield from (f"{'  ' * depth}{ids[name]} --> {ids[target]}" for target in _targets(state))


def _shown(machine: dict[str, Any]) -> dict[str, Any]:
    states: dict[str, Any] = machine["States"]
    reached: set[str] = set()
    todo = [machine["StartAt"]]
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += _targets(states[name])
    return {name: state for name, state in states.items() if name in reached}


def _node(name: str, state: dict[str, Any], ids: dict[str, str], depth: int) -> Iterator[str]:
    indent = "  " * depth
    label = json.dumps(name.replace('"', "'"), ensure_ascii=False)
    if not inner_of(state):
        opening, closing = _SHAPES[state["Type"]]
        yield f"{indent}{ids[name]}{opening}{label}{closing}"
        return
    yield f"{indent}subgraph {ids[name]}[{label}]"
    for machine in inner_of(state):
        yield from _scope(machine, ids, depth + 1)
    yield f"{indent}end"


def _reports(states: dict[str, dict[str, Any]], ids: dict[str, str]) -> Iterator[str]:
    """Yield an arrow for each state that updates the item at which another one waits."""
    waiting = {
        _item(state): name for name, state in states.items() if state.get("Resource") == UPDATE_AND_WAIT
    }
    for name, state in states.items():
        if state.get("Resource") == UPDATE:
            yield f"  {ids[name]} -.-> {ids[waiting[_item(state)]]}"


def _item(state: dict[str, Any]) -> str:
    """Return what is the same for all that update an item, whether they are in a part or not."""
    return str(state["Arguments"]["Key"]["id"]["S"]).partition(" & ")[2]


def _targets(state: dict[str, Any]) -> list[str]:
    """Return where a state goes if nothing fails."""
    ways = [state[key] for key in ("Next", "Default") if key in state]
    return [*ways, *(choice["Next"] for choice in state.get("Choices", ()))]
