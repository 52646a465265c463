"""One number for how much of a DAG is as it was, and the reasons for it.

100 is a DAG without a difference. Each kind of warning takes 8 points (40 at most), each kind of note about something
that is only approximated takes 2 (10 at most). So 50 is the least for a DAG that can be translated. Below it something
refuses the DAG: the first kind of refusal takes it to 49, each further one takes 10 more.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from orkestra_bridge.assess.model import Reason
from orkestra_bridge.diagnostics import Severity, Verdict
from orkestra_bridge.rulebook import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orkestra_bridge.diagnostics import Finding

_BLOCKED = 49
_POINTS = {Severity.ERROR: 10, Severity.WARNING: 8, Severity.INFO: 2}
_MOST = {Severity.WARNING: 40, Severity.INFO: 10}
_ORDER = list(_POINTS)


def readiness(findings: Iterable[Finding]) -> tuple[int, tuple[Reason, ...]]:
    """Return the number and its reasons, the heaviest first."""
    counted = [
        each for each in findings if each.severity is not Severity.INFO or each.verdict is not Verdict.KEPT
    ]
    kinds = Counter((each.severity, each.id) for each in counted)
    reasons = tuple(
        Reason(
            id=rule, severity=severity, title=all_rules()[rule].title, count=count, points=_POINTS[severity]
        )
        for (severity, rule), count in sorted(
            kinds.items(), key=lambda item: (_ORDER.index(item[0][0]), item[0][1])
        )
    )
    taken = {level: sum(level is severity for severity, _ in kinds) * _POINTS[level] for level in _POINTS}
    soft = sum(min(most, taken[level]) for level, most in _MOST.items())
    if taken[Severity.ERROR]:
        return max(0, _BLOCKED - (taken[Severity.ERROR] - _POINTS[Severity.ERROR])), reasons
    return 100 - soft, reasons
