from __future__ import annotations

from typing import Any

from stacks import stack

from orkestra_bridge.stack.check import check_template

NAMES: dict[str, Any] = {
    "variables": ("data_bucket", "DATA_BUCKET", "data-bucket"),
    "connections": ("warehouse",),
}


def test_what_the_file_looks_up_is_a_parameter_and_no_value() -> None:
    template = stack(**NAMES).template
    function = template["Resources"]["TasksFunction"]["Properties"]
    bucket = {"Fn::If": ["HasVariableDataBucket", {"Ref": "VariableDataBucket"}, {"Ref": "AWS::NoValue"}]}
    variables = function["Environment"]["Variables"]
    assert sorted(variables) == ["AIRFLOW_CONN_WAREHOUSE", "AIRFLOW_VAR_DATA_BUCKET"]
    assert variables["AIRFLOW_VAR_DATA_BUCKET"] == bucket
    assert [name for name in template["Parameters"] if name.startswith("Variable")] == ["VariableDataBucket"]
    for name in ("VariableDataBucket", "ConnectionWarehouse"):
        assert template["Parameters"][name]["NoEcho"] is True
        assert template["Parameters"][name]["Default"] == ""
    assert check_template(template) == ()


def test_the_user_is_told_what_to_set() -> None:
    findings = {finding.id: finding for finding in stack(**NAMES).findings}
    assert sorted(findings) == ["OB513", "OB514"]
    assert "VariableDataBucket" in findings["OB513"].remedy
    assert "ConnectionWarehouse" in findings["OB513"].remedy
    assert "data-bucket" in findings["OB514"].message


def test_without_settings_there_is_no_environment() -> None:
    assert "Environment" not in stack().template["Resources"]["TasksFunction"]["Properties"]
