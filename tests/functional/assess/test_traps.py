"""Small DAG files with one trap each: what other translators lose, and what is said about it here.

`tests/dags/expected.json` has the findings of each file; `--rewrite-goldens` writes it anew. Reading the changes is the
point: a finding that is gone has to be gone because its subject is now kept.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_converter
import pytest

from orkestra_bridge.assess.run import AssessOptions, assess
from orkestra_bridge.options import AirflowSource, Project

if TYPE_CHECKING:
    from orkestra_bridge.assess.model import Assessment
    from orkestra_bridge.diagnostics import Finding

DAGS = Path(__file__).parents[2] / "dags"
GOLDEN = DAGS / "expected.json"
PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "comparison.md"
ANSWERS = aws_converter.RECORD
NEVER_A_TRAP = frozenset({"OB327", "OB501"})
"""Said of nearly every file: no time limit, no schedule."""


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    options = AssessOptions(
        paths=(DAGS,),
        airflow=AirflowSource(),
        project=Project(),
        parse_timeout=60,
        joins="token",
        cache=None,
        now=datetime(2024, 6, 1, tzinfo=timezone.utc),
    )
    return assess(options)


def subject(finding: Finding) -> str:
    about = ".".join(part for part in (finding.dag_id, finding.task_id) if part)
    return f"{finding.id} {finding.severity.value} {finding.verdict.value} {about} {finding.attribute or '-'}"


def found(assessment: Assessment) -> dict[str, list[str]]:
    files: dict[str, list[str]] = {path.name: [] for path in sorted(DAGS.glob("*.py"))}
    for finding in assessment.all_findings():
        if finding.id not in NEVER_A_TRAP:
            files[Path(finding.file).name].append(subject(finding))
    return {name: sorted(subjects) for name, subjects in files.items()}


def test_what_is_said_about_each_trap(assessment: Assessment, *, rewrite_goldens: bool) -> None:
    actual = found(assessment)
    if rewrite_goldens:
        GOLDEN.write_text(json.dumps(actual, indent=2) + "\n", encoding="utf-8")
    expected: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert len(actual) >= 40
    assert actual == expected


def test_no_argument_is_unaccounted_for_and_no_fault_is_ours(assessment: Assessment) -> None:
    ids = {finding.id for finding in assessment.all_findings()}
    assert not ids & {"OB200", "OB391"}


def test_each_finding_has_a_place_and_a_remedy(assessment: Assessment) -> None:
    for finding in assessment.all_findings():
        assert finding.line > 0
        assert finding.remedy
        if finding.task_id:
            assert finding.dag_place


def test_a_finding_about_an_argument_names_it(assessment: Assessment) -> None:
    about = [each for each in assessment.all_findings() if each.id.startswith("OB2") and each.attribute]
    assert len(about) > 20
    unnamed = {each.id for each in about if each.attribute and each.attribute not in each.message}
    assert unnamed <= {"OB213", "OB220", "OB222", "OB236", "OB249"}, "those tell it in other words"


def test_schedules_keep_their_zones(assessment: Assessment) -> None:
    views = {dag.dag_id: dag for dag in assessment.dags}
    assert views["time_zone_plain"].schedule["timezone"] == "America/New_York"
    assert views["time_zone_plain"].upcoming[0] == "2024-06-01T09:00-04:00"
    assert views["timetable_object"].schedule["timezone"] == "Asia/Tokyo"
    assert views["timetable_object"].upcoming[0] == "2024-06-01T09:00+09:00"
    assert views["several_crons"].schedule["expressions"] == ["cron(0 9 * * ? *)", "cron(0 18 ? * FRI *)"]


WORDS = {
    "time zone": "timezone",
    "the interval": "interval",
    "trigger rule": "trigger_rule",
    "callbacks": "callback",
    "looks": "tooltip",
}
"""What the page calls lost, beside names of arguments."""
WRITTEN = {
    "catchup": '"catchup": true',
    "wait_for_downstream": '"wait_for_downstream": true',
    "continuous": "@continuous",
    "once": "@once",
    "paused": "is_paused_upon_creation",
    "priority": '"priority_weight": 10',
    "retry_backoff": '"retry_exponential_backoff": true',
    "long_task": "execution_timeout",
    "task_dates": '"year": 2025',
}
"""What shows that an argument is in the YAML, where it is not the name of the file."""


def lost_of(cell: str) -> list[str]:
    """Return what a cell of the page says is lost: names in backticks before the word, and the words above."""
    said, found, _ = cell.partition("lost")
    if not found:
        return []
    names = re.findall(r"`([a-z_]+)`", said)
    return [*names, *(key for words, key in WORDS.items() if words in said)]


def test_the_page_says_what_the_converter_of_aws_answered() -> None:
    """The answers are those that tests/support/aws_converter.py has written down."""
    answers: dict[str, Any] = json.loads(ANSWERS.read_text(encoding="utf-8"))
    assert answers.keys() == {path.name for path in DAGS.glob("*.py")}
    assert f"{aws_converter.PACKAGE}` {aws_converter.VERSION}" in PAGE.read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    checked = 0
    for files, theirs, _ in (row for row in rows if len(row) == 3 and "`" in row[0]):
        for name in re.findall(r"`(\w+)`", files):
            answer = answers[f"{name}.py"]
            assert ("refused" in theirs) == (answer["exit"] != 0), name
            dags = json.dumps([dag for each in answer["yaml"].values() for dag in each.values()])
            inside = dags.replace(f'"{name}"', "").replace('"trigger_rule": "all_success"', "")
            assert [each for each in lost_of(theirs) if each in inside] == [], name
            if "written into the YAML" in theirs:
                assert WRITTEN.get(name, f'"{name}": ') in dags, name
            checked += 1
    assert checked == len(answers)


def test_the_page_that_compares_says_the_same() -> None:
    expected: dict[str, list[str]] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    rows = [line.strip("|").split("|") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    named: set[str] = set()
    for files, _, ours in (row for row in rows if len(row) == 3 and "`" in row[0]):
        names = [f"{name}.py" for name in re.findall(r"`(\w+)`", files)]
        named.update(names)
        said = [subject for name in names for subject in expected[name]]
        if "expected.json" in ours:
            continue
        assert set(re.findall(r"OB\d{3}", ours)) <= {subject.split()[0] for subject in said}, files
        assert ("refused" in ours) == any(" error " in subject for subject in said), files
    assert named <= expected.keys()
