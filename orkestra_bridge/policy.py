"""What the user allows: findings that must not refuse a DAG, and when a command ends with exit code 1."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, final

from orkestra_bridge.diagnostics import Severity
from orkestra_bridge.errors import UsageError
from orkestra_bridge.rulebook import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orkestra_bridge.diagnostics import Finding

ErrorLevel = Literal["warning", "error", "never"]
_SOFTER = {Severity.ERROR: Severity.WARNING, Severity.WARNING: Severity.INFO, Severity.INFO: Severity.INFO}


@final
@dataclass(frozen=True, slots=True)
class Allowance:
    """Findings with this id are allowed; patterns as in a shell say in which DAGs and for which tasks."""

    id: str
    dag: str = "*"
    task: str = "*"

    def covers(self, finding: Finding) -> bool:
        """Return True if the finding is one of those that are allowed."""
        return (
            finding.id == self.id
            and fnmatchcase(finding.dag_id or "", self.dag)
            and fnmatchcase(finding.task_id or "", self.task)
        )


def check_allowances(allowances: Iterable[Allowance]) -> None:
    """Do nothing if all ids exist and can be allowed.

    Raises:
        UsageError: There is no such id, or it is about something that leaves nothing to deploy.
    """
    for allowance in allowances:
        rules = all_rules()
        rule = rules.get(allowance.id)
        if rule is None:
            close = get_close_matches(allowance.id, rules, n=1)
            raise UsageError(
                f"there is no finding {allowance.id!r}",
                remedy=f"did you mean {close[0]}?" if close else "ids look like OB201",
            )
        if not rule.can_be_allowed:
            raise UsageError(
                f"{rule.id} ({rule.title}) cannot be allowed: there would be nothing that works",
                remedy="follow the remedy of the finding, or leave the DAG out",
            )


def apply_allowances(findings: Iterable[Finding], allowances: tuple[Allowance, ...]) -> tuple[Finding, ...]:
    """Return the findings, those that are allowed one step less severe."""
    if not allowances:
        return tuple(findings)
    rules = all_rules()
    return tuple(
        replace(finding, severity=_SOFTER[finding.severity], allowed=True)
        if not finding.allowed
        and any(allowance.covers(finding) for allowance in allowances)
        and rules[finding.id].can_be_allowed
        else finding
        for finding in findings
    )


def exit_code(findings: Iterable[Finding], level: ErrorLevel) -> int:
    """Return 1 if one of the findings is as severe as the level or more, else 0; what is allowed never counts."""
    counted = {"warning": (Severity.ERROR, Severity.WARNING), "error": (Severity.ERROR,), "never": ()}[level]
    return int(any(finding.severity in counted and not finding.allowed for finding in findings))
