from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from orkestra_bridge import errors
from orkestra_bridge.diagnostics import Finding, Severity, Verdict, refuses
from orkestra_bridge.naming import STATE_NAME_LIMIT, StateNames, execution_name, machine_name


@given(st.lists(st.text(min_size=1, max_size=200), unique=True, max_size=20))
def test_state_names_are_unique_and_bounded(task_ids: list[str]) -> None:
    names = list(StateNames(task_ids).of_task.values())
    assert len(set(names)) == len(task_ids)
    assert all(len(name) <= STATE_NAME_LIMIT for name in names)


@given(st.text(min_size=1, max_size=200))
def test_execution_names_keep_to_the_alphabet(run_id: str) -> None:
    name = execution_name(run_id)
    assert len(name) <= STATE_NAME_LIMIT
    assert all(char.isascii() and (char.isalnum() or char in "-_") for char in name)


@given(st.lists(st.text("ab._-é", min_size=1, max_size=100), unique=True, max_size=20))
def test_machine_names_keep_to_the_alphabet_and_tell_dags_apart(dag_ids: list[str]) -> None:
    names = {machine_name(dag_id) for dag_id in dag_ids}
    assert len(names) == len(dag_ids)
    assert all(re.fullmatch("[A-Za-z0-9_-]{1,80}", name) for name in names)


def test_the_same_run_id_gives_the_same_execution() -> None:
    assert execution_name("scheduled__2024-01-01T00:00:00+00:00") == "scheduled__2024-01-01T00_00_00_00_00"


def test_exit_codes_are_unique() -> None:
    classes: list[type[errors.BridgeError]] = [errors.BridgeError, *errors.BridgeError.__subclasses__()]
    codes = [each.exit_code for each in classes]
    assert len(set(codes)) == len(codes)


def test_a_finding_is_one_line() -> None:
    finding = Finding(
        id="OB201",
        severity=Severity.WARNING,
        verdict=Verdict.APPROXIMATED,
        message="pool small is not enforced",
        remedy="limit concurrency",
        file="dags/a.py",
        line=3,
        dag_id="d",
        task_id="t",
    )
    assert str(finding) == "OB201 warning dags/a.py:3 d.t pool small is not enforced -> limit concurrency"
    assert not refuses((finding,))
