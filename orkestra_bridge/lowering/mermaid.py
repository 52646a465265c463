"""A state machine as a Mermaid flowchart, which Git hosts and editors draw."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHAPES = {
    "Task": ("[", "]"),
    "Pass": ("([", "])"),
    "Choice": ("{", "}"),
    "Succeed": ("(((", ")))"),
    "Fail": (">", "]"),
    "Wait": ("[/", "/]"),
}


def to_mermaid(definition: dict[str, Any]) -> str:
    """Return the flowchart of a definition: a Parallel is a box, a dotted arrow follows a failure."""
    ids = {name: f"s{number}" for number, name in enumerate(_names(definition))}
    return "\n".join(["flowchart TD", *_scope(definition, ids, 1)]) + "\n"


def _names(machine: dict[str, Any]) -> Iterator[str]:
    for name, state in machine["States"].items():
        yield name
        for branch in state.get("Branches", ()):
            yield from _names(branch)


def _scope(machine: dict[str, Any], ids: dict[str, str], depth: int) -> Iterator[str]:
    for name, state in machine["States"].items():
        yield from _node(name, state, ids, depth)
    for name, state in machine["States"].items():
        yield from (f"{'  ' * depth}{ids[name]} {arrow} {ids[target]}" for arrow, target in _arrows(state))


def _node(name: str, state: dict[str, Any], ids: dict[str, str], depth: int) -> Iterator[str]:
    indent = "  " * depth
    label = json.dumps(name.replace('"', "'"), ensure_ascii=False)
    if state["Type"] != "Parallel":
        opening, closing = _SHAPES[state["Type"]]
        yield f"{indent}{ids[name]}{opening}{label}{closing}"
        return
    yield f"{indent}subgraph {ids[name]}[{label}]"
    for branch in state["Branches"]:
        yield from _scope(branch, ids, depth + 1)
    yield f"{indent}end"


def _arrows(state: dict[str, Any]) -> list[tuple[str, str]]:
    ways = [("-->", state[key]) for key in ("Next", "Default") if key in state]
    ways += [("-->", choice["Next"]) for choice in state.get("Choices", ())]
    known = {target for _, target in ways}
    ways += [("-.->", catcher["Next"]) for catcher in state.get("Catch", ()) if catcher["Next"] not in known]
    return ways
