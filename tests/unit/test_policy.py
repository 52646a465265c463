from __future__ import annotations

import pytest

from orkestra_bridge.diagnostics import Finding, refuses
from orkestra_bridge.errors import UsageError
from orkestra_bridge.ir.model import SourceSpan
from orkestra_bridge.passes.rules import DEPENDS_ON_PAST, POOL
from orkestra_bridge.policy import Allowance, ErrorLevel, apply_allowances, check_allowances, exit_code

PLACE = SourceSpan("dag.py", 3)
PAST = DEPENDS_ON_PAST.at(PLACE, "no", "do", dag_id="sales", task_id="load")
SMALL = POOL.at(PLACE, "no", "do", dag_id="sales", task_id="load")


@pytest.mark.parametrize(
    ("allowance", "severity"),
    [
        (Allowance("OB206"), "warning"),
        (Allowance("OB206", dag="sa*"), "warning"),
        (Allowance("OB206", dag="sales", task="load"), "warning"),
        (Allowance("OB206", dag="other"), "error"),
        (Allowance("OB206", task="other"), "error"),
        (Allowance("OB201"), "error"),
    ],
)
def test_an_allowed_error_is_a_warning_where_it_is_allowed(allowance: Allowance, severity: str) -> None:
    (finding,) = apply_allowances([PAST], (allowance,))
    assert (finding.severity.value, finding.allowed) == (severity, severity == "warning")
    assert refuses((finding,)) is (severity == "error")
    assert ("(allowed)" in str(finding)) is finding.allowed


def test_allowing_twice_is_like_allowing_once() -> None:
    allowances = (Allowance("OB206"), Allowance("OB201"))
    once = apply_allowances([PAST, SMALL], allowances)
    assert [finding.severity.value for finding in once] == ["warning", "info"]
    assert apply_allowances(once, allowances) == once


@pytest.mark.parametrize(
    ("rule_id", "message"),
    [("OB2O6", "did you mean OB"), ("pool", "ids look like"), ("OB101", "cannot be allowed")],
)
def test_what_cannot_be_allowed_is_wrong_usage(rule_id: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_allowances([Allowance(rule_id)])


@pytest.mark.parametrize(
    ("findings", "level", "code"),
    [
        ([PAST], "error", 1),
        ([PAST], "never", 0),
        ([SMALL], "error", 0),
        ([SMALL], "warning", 1),
        ([], "warning", 0),
        (apply_allowances([PAST, SMALL], (Allowance("OB206"), Allowance("OB201"))), "warning", 0),
    ],
)
def test_the_exit_code(findings: list[Finding], level: ErrorLevel, code: int) -> None:
    assert exit_code(findings, level) == code
