"""A teardown waits for everything between its setups and itself, directly upstream or not."""

from __future__ import annotations

from simulate import play
from workflows import a_task, a_workflow


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
