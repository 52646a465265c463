"""The table of trigger rules and the setup constraint against Airflow's own `TriggerRuleDep`, case by case."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from orkestra_bridge.runtime.trigger_rules import ALIASES, RULES
from orkestra_bridge.runtime.verdict import verdict_of

AIRFLOW2 = "ORKESTRA_AIRFLOW2_PYTHON"
WORKER = Path(__file__).parents[2] / "support" / "airflow_trigger_rules.py"
LETTERS = {"S": "success", "F": "failed", "K": "skipped", "U": "upstream_failed"}
SINCE_3 = {"all_done_min_one_success"}


def airflows_verdicts(python: str) -> dict[str, dict[str, str]]:
    done = subprocess.run([python, str(WORKER)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    return {rule: verdicts for rule, verdicts in found.items() if rule not in ALIASES}


def our_verdict(rule: str, case: str) -> str:
    direct, _, needed = case.partition("/")
    setups = [entry(f"s{number}", letter.lower()) for number, letter in enumerate(needed)]
    above = [name for name, _, _ in setups]
    upstream = [entry(f"u{number}", letter) for number, letter in enumerate(direct)]
    tasks = [task(name, is_setup=True) for name, _, _ in setups]
    tasks += [task(name, *above, is_setup=is_setup) for name, is_setup, _ in upstream]
    names = [name for name, _, _ in upstream]
    teardown = rule == "all_done_setup_success"
    tasks.append(task("t", *names, trigger_rule=rule, is_teardown=teardown))
    ledger = {name: {"state": state, "tries": 1} for name, _, state in (*setups, *upstream)}
    return verdict_of("t", {"tasks": tasks}, ledger).decision


def entry(name: str, letter: str) -> tuple[str, bool, str]:
    return name, letter.islower(), LETTERS[letter.upper()]


def task(task_id: str, *upstream: str, **fields: Any) -> dict[str, Any]:
    return {"task_id": task_id, "upstream": list(upstream), "trigger_rule": "all_success", **fields}


def disagreements(expected: dict[str, dict[str, str]]) -> list[tuple[str, str, str, str]]:
    return [
        (rule, case, ours, theirs)
        for rule, cases in expected.items()
        for case, theirs in cases.items()
        if (ours := our_verdict(rule, case)) != theirs
    ]


def test_every_case_is_decided_as_by_airflow_3() -> None:
    if not version("apache-airflow").startswith("3."):
        pytest.skip("this environment has no Airflow 3")
    expected = airflows_verdicts(sys.executable)
    assert set(expected) == set(RULES)
    assert sum(map(len, expected.values())) > 3000
    assert disagreements(expected) == []


@pytest.mark.airflow2
def test_every_case_is_decided_as_by_airflow_2() -> None:
    if AIRFLOW2 not in os.environ:
        pytest.skip(f"{AIRFLOW2} is not set")
    expected = airflows_verdicts(os.environ[AIRFLOW2])
    assert set(expected) == set(RULES) - SINCE_3
    assert disagreements(expected) == []
