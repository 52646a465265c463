"""Findings about operators: OB301-OB319. An id keeps its meaning for ever.

No longer used, and never to be used for anything else: OB303 (setup or teardown task).
"""

from __future__ import annotations

from orkestra_bridge.diagnostics import Rule, Severity, Verdict

UNSUPPORTED_OPERATOR = Rule(
    id="OB301", title="operator that nothing here runs", severity=Severity.ERROR, verdict=Verdict.REFUSED
)
MAPPED_TASK = Rule(
    id="OB302",
    title="dynamic task mapping that is not translated",
    severity=Severity.ERROR,
    verdict=Verdict.REFUSED,
)
