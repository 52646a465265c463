"""Findings about graphs and limits: OB320-OB399. An id keeps its meaning for ever."""

from __future__ import annotations

from orkestra_bridge.diagnostics import Rule, Severity, Verdict

ADDED_WAIT = Rule(
    id="OB321",
    title="a task waits for tasks it does not depend on",
    severity=Severity.WARNING,
    verdict=Verdict.APPROXIMATED,
)
EARLY_RULE = Rule(
    id="OB322",
    title="a trigger rule that Airflow fires early",
    severity=Severity.WARNING,
    verdict=Verdict.APPROXIMATED,
)
RETRY_JITTER = Rule(
    id="OB323",
    title="exponential backoff without Airflow's jitter",
    severity=Severity.INFO,
    verdict=Verdict.APPROXIMATED,
)
LONG_TASK = Rule(
    id="OB324",
    title="execution_timeout beyond what Lambda allows",
    severity=Severity.ERROR,
    verdict=Verdict.REFUSED,
)
UNKNOWN_TRIGGER_RULE = Rule(
    id="OB325", title="unknown trigger rule", severity=Severity.ERROR, verdict=Verdict.REFUSED
)
DEFINITION_TOO_LARGE = Rule(
    id="OB326", title="definition beyond 1 MB", severity=Severity.ERROR, verdict=Verdict.REFUSED
)
INVALID_MACHINE = Rule(
    id="OB390", title="the machine failed our own check", severity=Severity.ERROR, verdict=Verdict.REFUSED
)
LAMBDA_TIMEOUT = Rule(
    id="OB327",
    title="no execution_timeout: Lambda's own limit applies",
    severity=Severity.INFO,
    verdict=Verdict.APPROXIMATED,
)
SLOWER_POKES = Rule(
    id="OB328",
    title="a sensor that looks less often the longer it has waited",
    severity=Severity.INFO,
    verdict=Verdict.APPROXIMATED,
)
TOO_MANY_POKES = Rule(
    id="OB329",
    title="more pokes than an execution's history holds",
    severity=Severity.ERROR,
    verdict=Verdict.REFUSED,
)
DEFERRED = Rule(
    id="OB330",
    title="a deferred task whose trigger is run from time to time",
    severity=Severity.INFO,
    verdict=Verdict.APPROXIMATED,
)
INTERNAL_ERROR = Rule(
    id="OB391", title="a fault of the translator", severity=Severity.ERROR, verdict=Verdict.REFUSED
)
MAP_LENGTH = Rule(
    id="OB340",
    title="a mapped task whose length only the run knows",
    severity=Severity.WARNING,
    verdict=Verdict.APPROXIMATED,
)
MAP_TOO_LONG = Rule(
    id="OB341", title="more mapped instances than fit", severity=Severity.ERROR, verdict=Verdict.REFUSED
)
MAP_AT_ONCE = Rule(
    id="OB342",
    title="more mapped instances than run at a time",
    severity=Severity.INFO,
    verdict=Verdict.APPROXIMATED,
)
MAP_DISTRIBUTED = Rule(
    id="OB344",
    title="a mapped task whose instances are executions of their own",
    severity=Severity.INFO,
    verdict=Verdict.APPROXIMATED,
)
GROUP_RULE = Rule(
    id="OB343",
    title="a trigger rule that Airflow fires early, in a mapped task group",
    severity=Severity.WARNING,
    verdict=Verdict.APPROXIMATED,
)
CUT_INTO_PARTS = Rule(
    id="OB350",
    title="a DAG in several state machines",
    severity=Severity.INFO,
    verdict=Verdict.APPROXIMATED,
)
HISTORY_TOO_LONG = Rule(
    id="OB351",
    title="more events than an execution's history holds",
    severity=Severity.ERROR,
    verdict=Verdict.REFUSED,
)
STATE_DATA_TOO_LARGE = Rule(
    id="OB352",
    title="more state data than a state machine passes on",
    severity=Severity.ERROR,
    verdict=Verdict.REFUSED,
    if_allowed="it is translated all the same; a run with so many results fails with States.DataLimitExceeded",
)
