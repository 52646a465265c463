from __future__ import annotations

from typing import Any

from stacks import stack

from orkestra_bridge.ir.model import Need, Needs, UnknownNeed
from orkestra_bridge.stack.check import check_template


def needs(*names: str) -> Needs:
    return Needs(environment=tuple(Need(name=name, file="etl.py", line=3) for name in names))


def test_what_the_code_reads_is_a_parameter_and_no_value() -> None:
    template = stack(needs=needs("STAGE", "dbHost")).template
    function = template["Resources"]["TasksFunction"]["Properties"]
    stage = {"Fn::If": ["HasEnvironmentStage", {"Ref": "EnvironmentStage"}, {"Ref": "AWS::NoValue"}]}
    variables = function["Environment"]["Variables"]
    assert sorted(variables) == ["ORKESTRA_BRIDGE_LOG", "STAGE", "dbHost"]
    assert variables["STAGE"] == stage
    made = [name for name in template["Parameters"] if name.startswith("Environment")]
    assert len(set(made)) == 2
    assert all(template["Parameters"][name]["NoEcho"] is True for name in made)
    assert check_template(template) == ()


def test_the_user_is_told_what_to_set() -> None:
    findings = {finding.id: finding for finding in stack(needs=needs("STAGE", "_X")).findings}
    assert sorted(findings) == ["OB513", "OB533"]
    assert findings["OB513"].remedy == "set when you deploy: EnvironmentStage"
    assert "_X" in findings["OB533"].message


def statements(found: Any) -> dict[str, list[str]]:
    policy = found.template["Resources"]["TasksFunctionRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    return {
        item["Sid"]: [each["Fn::Sub"].partition("AccountId}:")[2] for each in item["Resource"]]
        for item in policy["Statement"]
        if item["Sid"].startswith("Read")
    }


def test_the_function_may_read_exactly_what_it_is_known_to_need() -> None:
    known = Needs(
        variables=(Need(name="bucket", file="etl.py"),), connections=(Need(name="two words", file="etl.py"),)
    )
    found = stack(needs=known)
    assert statements(found) == {
        "ReadSecrets": [
            "secret:${SecretsPrefix}/variables/bucket",
            "secret:${SecretsPrefix}/variables/bucket-??????",
        ],
        "ReadParameters": ["parameter/${SecretsPrefix}/variables/bucket"],
    }
    environment = found.template["Resources"]["TasksFunction"]["Properties"]["Environment"]["Variables"]
    assert environment["ORKESTRA_BRIDGE_PREFIX"] == {"Ref": "SecretsPrefix"}
    assert [finding.id for finding in found.findings] == ["OB531"]
    assert check_template(found.template) == ()


def test_names_that_are_not_known_or_too_many_open_the_prefix_and_say_why() -> None:
    unknown = Needs(
        connections=tuple(Need(name=f"c{number}", file="etl.py") for number in range(26)),
        unknown=(UnknownNeed(kind="variables", file="lib.py", line=7),),
    )
    found = stack(needs=unknown)
    assert statements(found) == {
        "ReadSecrets": ["secret:${SecretsPrefix}/connections/*", "secret:${SecretsPrefix}/variables/*"],
        "ReadParameters": [
            "parameter/${SecretsPrefix}/connections/*",
            "parameter/${SecretsPrefix}/variables/*",
        ],
    }
    said = [finding.message for finding in found.findings if finding.id == "OB532"]
    assert "lib.py:7 is only known at run time" in said[0]
    assert "no room for 26 names" in said[1]
    assert check_template(found.template) == ()


def test_a_dag_that_looks_nothing_up_may_read_nothing() -> None:
    found = stack()
    assert statements(found) == {}
    assert "SecretsPrefix" not in found.template["Parameters"]
