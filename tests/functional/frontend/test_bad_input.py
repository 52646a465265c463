"""Each kind of bad input gives its finding at its place; the other files of the folder are loaded all the same."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orkestra_bridge.frontend.discovery import discover
from orkestra_bridge.frontend.loader import Frontend

if TYPE_CHECKING:
    from orkestra_bridge.frontend.model import Environment, LoadedFile

BROKEN = Path(__file__).parents[2] / "data" / "broken"
EXPECTED = {
    "bad_cron.py": ["OB112 bad_cron.py:6"],
    "bad_operator.py": ["OB111 bad_operator.py:5"],
    "changes.py": ["OB115 changes.py:6", "OB115 changes.py:8", "OB116 changes.py:9"],
    "cycle.py": ["OB106 cycle.py:5"],
    "deprecated.py": ["OB117 deprecated.py:5"],
    "duplicate.py": ["OB107 duplicate.py:4"],
    "good.py": ["OB107 good.py:6"],
    "missing_connection.py": ["OB105 missing_connection.py:5"],
    "missing_in_helper.py": ["OB103 lib/needs_provider.py:3"],
    "missing_module.py": ["OB103 missing_module.py:3"],
    "missing_name.py": ["OB103 missing_name.py:2"],
    "missing_variable.py": ["OB104 missing_variable.py:4"],
    "no_dag.py": ["OB113 no_dag.py:0"],
    "not_text.py": ["OB102 not_text.py:2"],
    "null_bytes.py": ["OB102 null_bytes.py:0"],
    "os_exit.py": ["OB108 os_exit.py:5"],
    "prints.py": ["OB114 prints.py:7"],
    "raises.py": ["OB111 raises.py:5"],
    "segfault.py": ["OB110 segfault.py:7"],
    "sleeps.py": ["OB109 sleeps.py:6"],
    "stuck.py": ["OB109 stuck.py:7"],
    "syntax_error.py": ["OB101 syntax_error.py:4"],
    "sys_exit.py": ["OB108 sys_exit.py:6"],
    "team/uses_neighbour.py": ["OB103 team/uses_neighbour.py:2"],
    "templates.py": ["OB120 templates.py:6"],
}
LOADED = {
    "another_good.py": ["good"],
    "bad_cron.py": ["fine_cron"],
    "changes.py": ["changes"],
    "cycle.py": ["straight"],
    "deprecated.py": ["deprecated"],
    "duplicate.py": ["once"],
    "prints.py": ["prints"],
    "sees_no_changes.py": ["clean"],
    "templates.py": ["templates"],
}


@pytest.fixture(scope="module")
def loaded(environment: Environment) -> dict[str, LoadedFile]:
    found = discover([BROKEN])
    assert not found.findings
    with Frontend(environment, parse_timeout=1.5, cache=None) as frontend:
        return {file.file.relative: file for file in frontend.load(found.files)}


def test_every_file_says_what_is_wrong_where_it_is_wrong(loaded: dict[str, LoadedFile]) -> None:
    said = {
        name: [
            f"{finding.id} {Path(finding.file).relative_to(BROKEN).as_posix()}:{finding.line}"
            for finding in file.findings
        ]
        for name, file in loaded.items()
        if file.findings
    }
    assert said == EXPECTED


def test_the_other_dags_are_there(loaded: dict[str, LoadedFile]) -> None:
    found = {name: [dag.dag_id for dag in file.workflows] for name, file in loaded.items() if file.workflows}
    assert found == LOADED


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cycle.py", "b >> c >> d >> b"),
        ("missing_in_helper.py", "apache-airflow-providers-acme"),
        ("missing_module.py", "sklearn-of-nowhere"),
        ("missing_variable.py", "AIRFLOW_VAR_NOWHERE_BUCKET"),
        ("missing_connection.py", "AIRFLOW_CONN_NOWHERE_DB"),
        ("team/uses_neighbour.py", "team.neighbour"),
        ("changes.py", "ORKESTRA_TEST_LEAK"),
        ("segfault.py", "SIGSEGV"),
        ("deprecated.py", "1 more"),
    ],
)
def test_the_finding_names_the_thing(loaded: dict[str, LoadedFile], name: str, words: str) -> None:
    assert words in str(loaded[name].findings[0])


def test_findings_are_one_line_each_and_show_no_folder_twice(loaded: dict[str, LoadedFile]) -> None:
    texts = [str(finding) for file in loaded.values() for finding in file.findings]
    assert texts
    assert not [text for text in texts if "\n" in text or text.count(str(BROKEN)) > 2]


def test_template_files_are_followed(loaded: dict[str, LoadedFile]) -> None:
    assert loaded["templates.py"].workflows[0].files == ("scripts/common.sh", "scripts/run.sh")


def test_nothing_is_written_beside_the_dags(loaded: dict[str, LoadedFile]) -> None:
    assert loaded
    assert not list(BROKEN.rglob("__pycache__"))
    assert "ORKESTRA_TEST_LEAK" not in os.environ
