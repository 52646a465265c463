from __future__ import annotations

import pytest
from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import (
    AssetCondition,
    Attribute,
    JsonValue,
    Retry,
    Schedule,
    SourceSpan,
    Task,
    TaskGroup,
)
from orkestra_bridge.passes.accounting import account
from orkestra_bridge.passes.claims import (
    CLAIMS_BY_DAG,
    CLAIMS_BY_GROUP,
    CLAIMS_BY_SCHEDULE,
    CLAIMS_BY_TASK,
    KEPT_BY_DAG,
    KEPT_BY_GROUP,
    KEPT_BY_SCHEDULE,
    KEPT_BY_TASK,
)


def about_task(name: str, value: JsonValue) -> list[tuple[str, str, str]]:
    workflow = a_workflow(a_task("t", attributes=(Attribute(name=name, value=value),)))
    return [(finding.id, finding.severity.value, finding.verdict.value) for finding in account(workflow)]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("retries", 3, []),
        ("pool", "small", [("OB201", "warning", "approximated")]),
        ("priority_weight", 7, [("OB202", "info", "approximated")]),
        ("depends_on_past", True, [("OB206", "error", "refused")]),
        ("depends_on_past", False, []),
        ("email", "ops@example.com", [("OB204", "warning", "approximated")]),
        ("email_on_failure", False, []),
        ("run_as_user", "etl", [("OB218", "error", "refused")]),
        ("brand_new_argument", 1, [("OB200", "error", "unaccounted")]),
    ],
)
def test_what_is_said_about_a_task_attribute(
    name: str, value: JsonValue, expected: list[tuple[str, str, str]]
) -> None:
    assert about_task(name, value) == expected


def test_the_finding_names_attribute_task_and_place() -> None:
    workflow = a_workflow(a_task("t", line=7, attributes=(Attribute(name="pool", value="small"),)))
    (finding,) = account(workflow)
    assert (finding.attribute, finding.dag_id, finding.task_id, finding.file, finding.line) == (
        "pool",
        "example",
        "t",
        "dag.py",
        7,
    )
    assert "small" in finding.message
    assert finding.remedy


def test_email_flags_matter_only_with_an_address() -> None:
    flags = (Attribute(name="email_on_retry", value=True),)
    assert account(a_workflow(a_task("t", attributes=flags))) == ()
    with_address = (*flags, Attribute(name="email", value=["ops@example.com"]))
    assert len(account(a_workflow(a_task("t", attributes=with_address)))) == 2


@pytest.mark.parametrize(
    "bases",
    [
        ("plugins.mine.Mine",),
        ("plugins.mine.Mine", "airflow.providers.standard.operators.bash.BashOperator"),
        ("airflow.providers.amazon.aws.operators.s3.S3ListOperator",),
        ("airflow.providers.acme.Shell", "airflow.providers.standard.operators.bash.BashOperator"),
    ],
)
def test_an_operator_that_is_not_of_the_core_may_have_arguments_of_its_own(bases: tuple[str, ...]) -> None:
    own = a_task(
        "t",
        operator="Mine",
        bases=(*bases, "airflow.sdk.bases.operator.BaseOperator"),
        attributes=(Attribute(name="table", value="x", of_class=True), Attribute(name="pool", value="small")),
    )
    assert [finding.attribute for finding in account(a_workflow(own))] == ["pool"]


def test_an_unknown_argument_that_every_operator_has_is_not_passed_over_in_a_custom_one() -> None:
    own = a_task(
        "t",
        operator="Mine",
        bases=("plugins.mine.Mine", "airflow.sdk.bases.operator.BaseOperator"),
        attributes=(Attribute(name="brand_new_argument", value=1),),
    )
    assert [finding.id for finding in account(a_workflow(own))] == ["OB200"]


def test_no_attribute_is_both_kept_and_claimed() -> None:
    assert not KEPT_BY_DAG & set(CLAIMS_BY_DAG)
    assert not KEPT_BY_TASK & set(CLAIMS_BY_TASK)
    assert not KEPT_BY_GROUP & set(CLAIMS_BY_GROUP)
    assert not KEPT_BY_SCHEDULE & set(CLAIMS_BY_SCHEDULE)


def test_arguments_of_groups_and_timetables_are_accounted_for() -> None:
    attributes = (Attribute(name="tooltip", value="x"), Attribute(name="brand_new", value=1))
    group = TaskGroup(group_id="g", span=SourceSpan("dag.py", 9), attributes=attributes)
    schedule = Schedule(attributes=(Attribute(name="run_immediately", value=True), *attributes[1:]))
    found = account(a_workflow(a_task("t"), groups=(group,), schedule=schedule))
    assert [(each.id, each.attribute, each.line, each.task_id) for each in found] == [
        ("OB223", "run_immediately", 1, None),
        ("OB200", "brand_new", 1, None),
        ("OB212", "tooltip", 9, "g"),
        ("OB200", "brand_new", 9, "g"),
    ]


def test_names_in_default_args_without_effect_are_named() -> None:
    found = account(a_workflow(a_task("t"), unused_default_args=("catchup", "retrys")))
    assert [(each.id, each.severity.value, each.attribute) for each in found] == [
        ("OB224", "info", "catchup"),
        ("OB224", "info", "retrys"),
    ]
    assert "the DAG itself" in found[0].remedy


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("start_date", "2024-01-01T00:00:00+00:00", False),
        ("start_date", "2024-01-01T00:30:00+01:00", False),
        ("start_date", "2024-03-01T00:00:00+00:00", True),
        ("end_date", "2024-06-01T00:00:00+00:00", True),
        ("end_date", "2025-01-01T00:00:00+00:00", False),
    ],
)
def test_dates_of_a_task_matter_where_the_dag_has_runs_outside_of_them(
    name: str, value: str, *, found: bool
) -> None:
    task = a_task("t", attributes=(Attribute(name=name, value=value),))
    dates = {"start_date": "2024-01-01T00:00:00+00:00", "end_date": "2025-01-01T00:00:00+00:00"}
    ids = [finding.id for finding in account(a_workflow(task, **dates))]
    assert ids == (["OB222"] if found else [])


def test_callbacks_are_kept_and_the_cases_without_them_named() -> None:
    given = tuple(Attribute(name=f"on_{event}_callback", value="dag.note") for event in ("failure", "retry"))
    task = a_task("t", attributes=given, retry=Retry(attempts=1))
    workflow = a_workflow(task, attributes=given[:1])
    assert [(each.id, each.attribute) for each in account(workflow)] == [("OB221", "on_retry_callback")]
    limited = a_workflow(a_task("t", attributes=given), attributes=given[:1], dagrun_timeout=60.0)
    (finding,) = account(limited)
    assert (finding.id, finding.verdict.value, finding.task_id) == ("OB220", "approximated", None)


STOPS = (Attribute(name="fail_fast", value=True),)


@pytest.mark.parametrize(
    ("tasks", "why"),
    [
        ((a_task("a"), a_task("b", "a")), None),
        ((a_task("a"), a_task("t", "a", is_teardown=True), a_task("u", "a", is_teardown=True)), None),
        ((a_task("a"), a_task("b"), a_task("c", "a", "b")), "'a' and 'b' run side by side"),
        ((a_task("a"), a_task("t", "a", is_teardown=True), a_task("b", "a")), "'b' and 't' run side by side"),
        ((a_task("a"), a_task("m", "a", mapped=True)), "the instances of 'm' run side by side"),
    ],
)
def test_stopping_at_the_first_failure_needs_tasks_in_a_row(tasks: tuple[Task, ...], why: str | None) -> None:
    found = account(a_workflow(*tasks, attributes=STOPS))
    assert [finding.id for finding in found] == ([] if why is None else ["OB213"])
    assert all(str(why) in finding.message and finding.attribute == "fail_fast" for finding in found)
    assert account(a_workflow(*tasks)) == ()


def test_an_argument_of_an_asset_that_nobody_knows_is_an_error() -> None:
    asset = AssetCondition(kind="asset", uri="s3://b/x", arguments=(Attribute(name="new_one", value="1"),))
    found = account(a_workflow(a_task("t", outlets=(asset,))))
    assert [(each.id, each.attribute, each.task_id) for each in found] == [("OB200", "new_one", "t")]


def test_what_airflow_1_had_to_be_told_and_airflow_2_ignores_is_kept() -> None:
    told = Attribute(name="provide_context", value=True, of_class=True)
    assert account(a_workflow(a_task("t", attributes=(told,)))) == ()
