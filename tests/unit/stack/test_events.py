"""Rules of EventBridge that start runs, and the launcher between them and the machine."""

from __future__ import annotations

from typing import Any

import pytest
from jsonata import Jsonata
from stacks import ACKNOWLEDGED, diagnosed, stack

from orkestra_bridge.asl.check import check
from orkestra_bridge.naming import execution_name
from orkestra_bridge.runtime.rundates import resolve_run
from orkestra_bridge.stack.check import check_template
from orkestra_bridge.stack.events import launcher_definition, rule_name

ARRIVED: dict[str, Any] = {"source": ["aws.s3"], "detail": {"bucket": {"name": [{"prefix": "in-"}]}}}
OTHER: dict[str, Any] = {"detail-type": ["Order Placed"], "source": ["shop"]}
EVENT = {
    "id": "17793124-05d4-b198-2fde-7ededc63b103",
    "time": "2026-03-22T18:59:00Z",
    "source": "aws.s3",
    "detail": {"bucket": {"name": "in-1"}, "object": {"key": "orders.csv"}},
}


@pytest.mark.parametrize("schedule", ["none", "daily"])
def test_templates_with_rules_are_valid(schedule: str) -> None:
    template = stack(schedule, events=(ARRIVED, OTHER)).template
    assert diagnosed(template) <= ACKNOWLEDGED
    assert check_template(template) == ()


def test_each_pattern_has_a_rule_that_starts_the_launcher() -> None:
    template = stack("none", events=(ARRIVED, OTHER)).template
    rules = {
        name: each["Properties"]
        for name, each in template["Resources"].items()
        if each["Type"] == "AWS::Events::Rule"
    }
    assert {name: rule["EventPattern"] for name, rule in rules.items()} == {
        rule_name(ARRIVED): ARRIVED,
        rule_name(OTHER): OTHER,
    }
    for rule in rules.values():
        assert rule["State"] == {"Ref": "EventRulesState"}
        [target] = rule["Targets"]
        assert target["Arn"] == {"Ref": "EventLauncher"}
    policy = template["Resources"]["UndeliveredRunsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert policy[1]["Condition"]["ArnEquals"]["aws:SourceArn"] == [
        {"Fn::GetAtt": [name, "Arn"]} for name in rules
    ]
    paused = stack("none", events=(ARRIVED,), paused=True)
    assert paused.template["Parameters"]["EventRulesState"]["Default"] == "DISABLED"
    assert [finding.id for finding in paused.findings] == ["OB509"]


def test_without_patterns_there_are_no_rules() -> None:
    template = stack().template
    assert not {"EventLauncher", "EventRole"} & template["Resources"].keys()
    assert "EventRulesState" not in template["Parameters"]
    assert "OB501" in {finding.id for finding in stack("none").findings}
    assert "OB501" not in {finding.id for finding in stack("none", events=(OTHER,)).findings}
    assert stack("none", events=(OTHER,)).schedule.to_json()["events"] == [OTHER]


def evaluate(text: str) -> Any:
    expression = Jsonata(text.removeprefix("{% ").removesuffix(" %}"))
    expression.assign("states", {"input": EVENT})
    return expression.evaluate(None)


def test_the_run_is_named_after_the_event_and_has_it_as_its_conf() -> None:
    start = launcher_definition()["States"]["Start the run"]["Arguments"]
    document = evaluate(start["Input"])
    run = resolve_run(document, {}, {"kind": "none"}, major=3)
    assert evaluate(start["Name"]) == execution_name(run.run_id)
    assert run.run_type == "manual"
    assert run.logical_date.isoformat() == "2026-03-22T18:59:00+00:00"
    assert run.conf["detail"]["object"]["key"] == "orders.csv"


def test_the_launcher_is_a_valid_machine() -> None:
    filled = ("${StateMachineArn}", "${UndeliveredRunsUrl}")
    assert check(launcher_definition(), placeholders=filled, expressions=True) == ()
