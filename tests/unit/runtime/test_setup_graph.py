"""Which setups a task needs, what a teardown waits for, and which tasks decide the run's state."""

from __future__ import annotations

from typing import Any

import pytest

from orkestra_bridge.runtime.setups import SetupGraph


def graph(edges: str, *, setups: str = "", teardowns: str = "", failing: str = "") -> SetupGraph:
    """Return a graph of one-letter tasks; ``ab`` lets b wait for a."""
    names = sorted(set(edges.replace(" ", "")))
    tasks: list[dict[str, Any]] = [
        {
            "task_id": name,
            "upstream": sorted(edge[0] for edge in edges.split() if edge[1:] == name),
            "is_setup": name in setups,
            "is_teardown": name in teardowns,
            "on_failure_fail_dagrun": name in failing,
        }
        for name in names
    ]
    return SetupGraph.of(tasks)


@pytest.mark.parametrize(
    ("edges", "setups", "teardowns", "task", "needed"),
    [
        ("sw wx xt st", "s", "t", "x", ["s"]),
        ("sw wx xt st", "s", "t", "w", []),  # directly upstream: the trigger rule's business
        ("sw wx xt st", "s", "t", "t", []),
        ("sw wx", "s", "", "x", ["s"]),  # without teardown
        ("sw wt st ta", "s", "t", "a", []),  # torn down before
        ("sw wx wt st", "s", "t", "x", []),
        ("sr rw wx xt st xu ru", "sr", "tu", "x", ["r", "s"]),
        ("aw wx", "", "", "x", []),
    ],
)
def test_setups_that_a_task_needs(
    edges: str, setups: str, teardowns: str, task: str, needed: list[str]
) -> None:
    assert graph(edges, setups=setups, teardowns=teardowns).needed_by(task) == needed


@pytest.mark.parametrize(
    ("edges", "task", "scope"),
    [
        ("sv vw wt st", "t", ["v"]),
        ("sw wt st", "t", []),
        ("sv vw wt st av", "t", ["v"]),  # a is outside of the scope
        ("sv vw wt", "t", []),  # no setup of its own
        ("sv vw wt st", "w", []),
    ],
)
def test_what_lies_between_a_teardown_and_its_setups(edges: str, task: str, scope: list[str]) -> None:
    assert graph(edges, setups="s", teardowns="t").scope_of(task) == scope


@pytest.mark.parametrize(
    ("edges", "teardowns", "failing", "leaves"),
    [
        ("ab ac", "", "", ["b", "c"]),
        ("sw wt st", "t", "", ["w"]),
        ("sw wt st", "t", "t", ["t"]),
        ("sw wt st tx", "t", "", ["w", "x"]),
        ("tu", "tu", "", ["u"]),
    ],
)
def test_the_run_ends_as_its_leaves_do(edges: str, teardowns: str, failing: str, leaves: list[str]) -> None:
    assert graph(edges, setups="s", teardowns=teardowns, failing=failing).leaves() == leaves
