"""A teardown waits for everything between its setups and itself, directly upstream or not."""

from __future__ import annotations

from typing import Any

from simulate import play
from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import Expansion, MappedGroup
from orkestra_bridge.lowering.machine import nest


def test_a_teardown_waits_for_tasks_that_a_task_between_did_not_wait_for() -> None:
    workflow = a_workflow(
        a_task("s", is_setup=True),
        a_task("long", "s"),
        a_task("early", "long", "s", trigger_rule="one_success"),
        a_task("t", "early", "s", is_teardown=True, trigger_rule="all_done_setup_success"),
    )
    played = play(workflow, durations={"s": 1.0, "long": 50.0, "early": 2.0, "t": 1.0})
    assert played.started["early"] < played.ended["long"]
    assert played.started["t"] == played.ended["long"] == 51.0


INSIDE: dict[str, Any] = {"mapped": True, "mapped_group": "g"}
GROUPS = (MappedGroup(group_id="g", expansion=Expansion(length=2)),)


def test_a_mapped_group_waits_for_what_a_teardown_in_it_waits_for() -> None:
    workflow = a_workflow(
        a_task("s", is_setup=True),
        a_task("long", "s"),
        a_task("early", "long", "s", trigger_rule="one_success"),
        a_task("g.x", "early", **INSIDE),
        a_task("g.t", "g.x", "s", is_teardown=True, trigger_rule="all_done_setup_success", **INSIDE),
        mapped_groups=GROUPS,
    )
    starts, _ = nest(workflow, "token")
    assert starts.early == {"early": ("success",)}
    above = {name: starts.order.above[i] for i, name in enumerate(starts.order.names)}
    assert above["g"] >> starts.order.names.index("long") & 1


def test_a_task_that_needs_a_setup_in_a_mapped_group_does_not_start_before_it() -> None:
    workflow = a_workflow(
        a_task("g.s", is_setup=True, **INSIDE),
        a_task("long", "g.s"),
        a_task("beside"),
        a_task("one", "long", "beside", trigger_rule="one_success"),
        mapped_groups=GROUPS,
    )
    starts, _ = nest(workflow, "token")
    assert starts.late == {"one": "it takes part in a setup and teardown"}
