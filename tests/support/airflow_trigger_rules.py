"""Asks Airflow's own `TriggerRuleDep` what becomes of a task, for every combination of the states before it.

    python airflow_trigger_rules.py        prints {rule: {case: verdict}}

A case is the letters of the direct upstream tasks (S success, F failed, K skipped, U upstream_failed; small letters for
setups) and, after a slash, those of the setups further up. Runs with the Python of any Airflow and needs nothing of ours.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from itertools import combinations_with_replacement
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

LETTERS = {"S": "success", "F": "failed", "K": "skipped", "U": "upstream_failed"}
MOST = 4
TEARDOWN = "all_done_setup_success"


def cases(rule: str) -> Iterator[str]:
    """Yield every combination of up to four upstream states, and of fewer below one or two setups."""
    kinds = "SFKUsfku" if rule == TEARDOWN else "SFKU"
    for size in range(1, MOST + 1):
        for direct in combinations_with_replacement(kinds, size):
            yield "".join(direct)
            if rule != TEARDOWN and size < MOST - 1:
                for count in (1, 2):
                    for needed in combinations_with_replacement("SFKU", count):
                        yield f"{''.join(direct)}/{''.join(needed)}"


def verdict(rule: str, case: str) -> str:
    """Return ``run`` or the state that Airflow gives to the task; ``wait`` if it does neither."""
    from airflow.ti_deps.deps.trigger_rule_dep import TriggerRuleDep

    direct, _, needed = case.partition("/")
    finished = [instance(f"u{number}", letter) for number, letter in enumerate(direct)]
    setups = [instance(f"s{number}", letter.lower()) for number, letter in enumerate(needed)]
    given: list[str] = []

    def set_state(state: Any, *_: Any, **__: Any) -> bool:
        given.append(str(state.value))
        return True

    task = SimpleNamespace(
        task_id="t",
        trigger_rule=trigger_rule(rule),
        is_teardown=rule == TEARDOWN,
        upstream_task_ids={one.task_id for one in finished},
        upstream_list=[one.task for one in finished],
        dag=None,
        task_group=None,
        get_closest_mapped_task_group=lambda: None,
        get_upstreams_only_setups=lambda: [one.task for one in setups],
        get_flat_relative_ids=lambda **_: {one.task_id for one in (*finished, *setups)},
    )
    ti = SimpleNamespace(
        task=task,
        dag_id="d",
        run_id="r",
        map_index=-1,
        get_dagrun=lambda *_, **__: None,
        set_state=set_state,
    )
    context = SimpleNamespace(
        flag_upstream_failed=True,
        wait_for_past_depends_before_skipping=False,
        have_changed_ti_states=False,
        ensure_finished_tis=lambda *_, **__: [*finished, *setups],
    )
    dep: Any = TriggerRuleDep()
    statuses = list(dep._get_dep_statuses(ti=ti, dep_context=context, session=SimpleNamespace()))
    if given:
        return given[0]
    return "run" if all(status.passed for status in statuses) else "wait"


def instance(task_id: str, letter: str) -> Any:
    """Return a finished task instance as far as the rule looks at it."""
    task = SimpleNamespace(task_id=task_id, is_setup=letter.islower(), get_needs_expansion=lambda: False)
    return SimpleNamespace(task_id=task_id, task=task, map_index=-1, state=state(LETTERS[letter.upper()]))


def state(name: str) -> Any:
    """Return Airflow's own constant, for it is compared by identity in places."""
    from airflow.utils.state import TaskInstanceState

    return TaskInstanceState(name)


def trigger_rule(name: str) -> Any:
    """Return Airflow's own constant."""
    return trigger_rules()(name)


def trigger_rules() -> Any:
    """Return Airflow's enumeration of trigger rules."""
    try:
        from airflow.task.trigger_rule import TriggerRule
    except ImportError:
        from airflow.utils.trigger_rule import TriggerRule
    return TriggerRule


def main() -> None:
    """Print what Airflow says about every case of every rule that it has."""
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(
            AIRFLOW_HOME=home,
            AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="sqlite://",
            AIRFLOW__LOGGING__LOGGING_LEVEL="FATAL",
        )
        rules = sorted(rule.value for rule in trigger_rules())
        found = {rule: {case: verdict(rule, case) for case in cases(rule)} for rule in rules}
    sys.stdout.write("\n" + json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
