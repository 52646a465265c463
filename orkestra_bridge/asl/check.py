"""Our own validator: what makes AWS refuse a definition, or run it differently than it reads.

It finds what public validators miss (dangling ``Next`` in catchers, unreachable states, names used twice, ``${`` that
CloudFormation would substitute, broken JSONata). Sources: AWS Step Functions developer guide, state type pages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from orkestra_bridge.naming import STATE_NAME_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_ENDS = frozenset({"Succeed", "Fail"})
_SUBSTITUTION = re.compile(r"\$\{[^}]*\}?")


def check(
    definition: dict[str, Any], *, placeholders: Sequence[str] = (), expressions: bool = False
) -> tuple[str, ...]:
    """Return one sentence for each problem; empty if the definition is sound.

    Args:
        definition: A JSONata machine as JSON values.
        placeholders: The ``${Name}`` texts that DefinitionSubstitutions will fill in.
        expressions: Parse every JSONata expression too (about 0.4 ms each).
    """
    seen: set[str] = set()
    problems = list(_scope(definition, seen))
    problems += _substitutions(orjson.dumps(definition).decode(), frozenset(placeholders))
    if expressions:
        problems += _jsonata(definition)
    return tuple(problems)


def _scope(machine: dict[str, Any], seen: set[str]) -> Iterator[str]:
    states: dict[str, Any] = machine["States"]
    for name, state in states.items():
        yield from _name(name, seen)
        yield from _way_out(name, state)
        yield from (
            f"{name}: goes to {target!r}, which is not in its scope"
            for target in _next(state)
            if target not in states
        )
        for inner in inner_of(state):
            yield from _scope(inner, seen)
    if machine["StartAt"] not in states:
        yield f"StartAt names {machine['StartAt']!r}, which does not exist"
    else:
        reached = _reached(machine)
        yield from (f"{name}: no way leads there" for name in states if name not in reached)


def _name(name: str, seen: set[str]) -> Iterator[str]:
    if name in seen:
        yield f"{name}: two states have this name"
    if len(name) > STATE_NAME_LIMIT:
        yield f"{name}: a state name has at most {STATE_NAME_LIMIT} characters"
    seen.add(name)


def _way_out(name: str, state: dict[str, Any]) -> Iterator[str]:
    ways = ("Next" in state) + bool(state.get("End"))
    if state["Type"] == "Choice":
        if "Default" not in state:
            yield f"{name}: a Choice without Default fails when no rule matches"
    elif state["Type"] not in _ENDS and ways != 1:
        yield f"{name}: needs either Next or End"


def _next(state: dict[str, Any]) -> Iterator[str]:
    for key in ("Next", "Default"):
        if key in state:
            yield state[key]
    for entry in (*state.get("Choices", ()), *state.get("Catch", ())):
        yield entry["Next"]


def inner_of(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the scopes inside of a state: a Parallel's branches, a Map's states."""
    return [*state.get("Branches", ()), *([state["ItemProcessor"]] if "ItemProcessor" in state else [])]


def _reached(machine: dict[str, Any]) -> set[str]:
    states = machine["States"]
    reached: set[str] = set()
    frontier = [machine["StartAt"]]
    while frontier:
        name = frontier.pop()
        if name in states and name not in reached:
            reached.add(name)
            frontier.extend(_next(states[name]))
    return reached


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _substitutions(text: str, known: frozenset[str]) -> Iterator[str]:
    for found in sorted(set(_SUBSTITUTION.findall(text)) - known):
        yield f"{found!r} would be taken for a CloudFormation substitution"


def _jsonata(definition: dict[str, Any]) -> Iterator[str]:
    from jsonata import Jsonata

    for text in _strings(definition):
        if text.startswith("{%") and text.endswith("%}"):
            try:
                Jsonata(text[2:-2])
            except Exception as problem:  # noqa: BLE001 - the library raises several unrelated types
                yield f"not JSONata: {text} ({problem})"
