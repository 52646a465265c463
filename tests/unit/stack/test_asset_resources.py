"""Rules for the assets that a DAG waits for, and the right to make events of those that it updates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from stacks import ASSETS, DEFINITION, FUNCTION, SCHEDULES, stack, workflow
from workflows import a_task

from orkestra_bridge.diagnostics import Verdict
from orkestra_bridge.ir.model import AssetCondition, PartitionedBy, Partitions, Schedule, ScheduleKind
from orkestra_bridge.options import Target
from orkestra_bridge.stack.assets import PATTERN_LIMIT, asset_resources
from orkestra_bridge.stack.schedule import schedule_view
from orkestra_bridge.stack.template import build_stack

Json = dict[str, Any]


def resources(schedule: str, **fields: Any) -> Json:
    found: Json = stack(schedule, **fields).template["Resources"]
    return found


def rules(found: Json) -> list[Json]:
    return [each["Properties"] for each in found.values() if each["Type"] == "AWS::Events::Rule"]


def test_a_rule_hears_of_every_asset_of_the_schedule() -> None:
    (rule,) = rules(resources("assets"))
    assert rule["EventPattern"]["source"] == ["orkestra-bridge.assets"]
    assert rule["EventPattern"]["detail"]["keys"] == [
        f"{kind}{name}" for name in "abc" for kind in ("uri s3://bucket/", "name ")
    ]
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Ref": "AssetLauncher"}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["UndeliveredRuns", "Arn"]}}
    assert rule["State"] == {"Ref": "ScheduleState"}


def test_long_patterns_are_divided() -> None:
    leaves = tuple(AssetCondition(kind="asset", uri=f"s3://{'bucket' * 9}/{n:03}") for n in range(60))
    found = asset_resources(workflow("none"), AssetCondition(kind="any", of=leaves), "Q", "TasksFunction")
    patterns = [rule["EventPattern"] for rule in rules(found)]
    assert len(patterns) > 2
    assert all(len(str(pattern)) <= PATTERN_LIMIT for pattern in patterns)
    assert [key for each in patterns for key in each["detail"]["keys"]] == [leaf.keys[0] for leaf in leaves]


def test_there_is_a_memory_only_where_one_event_may_not_be_enough() -> None:
    assert "AssetMemory" in resources("assets")
    assert "AssetMemory" not in resources("asset or time")


def test_times_and_assets_start_the_same_machine() -> None:
    found = resources("asset or time")
    types = [found[name]["Type"] for name in ("Schedule", "AssetRule")]
    assert types == ["AWS::Scheduler::Schedule", "AWS::Events::Rule"]
    assert {"Launcher", "AssetLauncher"} <= found.keys()


def partitioned(condition: AssetCondition, *, rollup: bool = False) -> Schedule:
    partitions = Partitions(by=PartitionedBy.ASSETS, mappers=("RollupMapper",), rollup=rollup)
    return Schedule(kind=ScheduleKind.ASSET, assets=condition, partitions=partitions)


def made(schedule: Schedule) -> Json:
    given = replace(workflow("none"), schedule=schedule)
    found: Json = build_stack(given, DEFINITION, FUNCTION, None, Target()).template["Resources"]
    return found


def test_a_partitioned_dag_hears_of_events_with_a_partition_key_alone() -> None:
    plain, keyed = (rules(made(schedule)) for schedule in (SCHEDULES["assets"], partitioned(ASSETS)))
    types = [each["EventPattern"]["detail-type"] for (each,) in (plain, keyed)]
    assert types == [["Asset event"], ["Partitioned asset event"]]


@pytest.mark.parametrize(
    ("condition", "rollup", "remembers"),
    [(ASSETS.of[0], False, False), (ASSETS.of[0], True, True), (ASSETS, False, True)],
)
def test_its_launcher_may_ask_the_function_and_remembers_where_one_event_may_not_be_enough(
    condition: AssetCondition, rollup: bool, remembers: bool
) -> None:
    found = made(partitioned(condition, rollup=rollup))
    launcher = found["AssetLauncher"]["Properties"]
    function = {"Fn::GetAtt": ["TasksFunction", "Arn"]}
    assert launcher["DefinitionSubstitutions"]["TasksFunctionArn"] == function
    ask = launcher["Definition"]["States"]["Ask for the partitions"]
    assert ask["Arguments"]["FunctionName"] == "${TasksFunctionArn}"
    statements = found["AssetLauncherRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    allowed = {each["Sid"]: (each["Action"], each["Resource"]) for each in statements}
    assert allowed["AskForPartitions"] == (["lambda:InvokeFunction"], [function])
    assert ("AssetMemory" in found) is ("RememberEvents" in allowed) is remembers


def test_the_report_says_by_which_mappers_runs_get_their_keys() -> None:
    view, _ = schedule_view(replace(workflow("none"), schedule=partitioned(ASSETS)))
    assert view.to_json()["partitions"] == {"by": "assets", "mappers": ["RollupMapper"]}


def test_an_alias_of_which_a_run_waits_for_several_partitions_is_refused() -> None:
    condition = AssetCondition(kind="all", of=(ASSETS.of[0], AssetCondition(kind="alias", name="x")))
    said = [
        schedule_view(replace(workflow("none"), schedule=partitioned(condition, rollup=rollup)))[1]
        for rollup in (False, True)
    ]
    assert [[each.id for each in found] for found in said] == [
        ["OB520", "OB521"],
        ["OB520", "OB521", "OB524"],
    ]
    refused = said[1][-1]
    assert refused.verdict is Verdict.REFUSED
    assert "RollupMapper, and for the alias x" in refused.message


def test_a_paused_dag_has_its_rules_disabled() -> None:
    template = stack("assets", paused=True).template
    assert template["Parameters"]["ScheduleState"]["Default"] == "DISABLED"


def test_who_updates_assets_may_put_events_on_the_bus_and_nothing_else() -> None:
    task = a_task("t", outlets=(ASSETS.of[0],))
    found = resources("none", tasks=(task,))
    statements = found["TasksFunctionRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    (put,) = [each for each in statements if each["Sid"] == "TellOfAssets"]
    assert put["Action"] == ["events:PutEvents"]
    assert put["Resource"][0]["Fn::Sub"].endswith(":event-bus/${AssetEventBus}")
    assert put["Condition"] == {"StringEquals": {"events:source": "orkestra-bridge.assets"}}
    variables = found["TasksFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["ORKESTRA_ASSET_EVENTS"] == {"Fn::Sub": "bus:${AssetEventBus}"}
    assert "TellOfAssets" not in str(resources("none", tasks=(a_task("t"),)))


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        (ASSETS, ["OB520"]),
        (AssetCondition(kind="alias", name="x"), ["OB520", "OB521"]),
        (replace(ASSETS.of[0], watchers=("w",)), ["OB520", "OB522"]),
        (AssetCondition(kind="all"), ["OB523"]),
    ],
)
def test_what_is_said_about_assets(condition: AssetCondition, ids: list[str]) -> None:
    given = replace(workflow("none"), schedule=Schedule(kind=ScheduleKind.ASSET, assets=condition))
    _, findings = schedule_view(given)
    assert [finding.id for finding in findings] == ids
    refused = [finding.id for finding in findings if finding.verdict is Verdict.REFUSED]
    assert refused == [each for each in ids if each == "OB522"]


def test_the_report_shows_assets_as_people_write_them() -> None:
    view, _ = schedule_view(workflow("assets"))
    assert view.to_json()["assets"] == {
        "any": [
            {"asset": "s3://bucket/a"},
            {"all": [{"asset": "s3://bucket/b"}, {"asset": "s3://bucket/c"}]},
        ]
    }
    assert SCHEDULES["assets"].text == view.text
