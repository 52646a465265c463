"""Findings about schedules and templates: OB501-OB599. An id keeps its meaning for ever."""

from __future__ import annotations

from orkestra_bridge.diagnostics import Rule, Severity, Verdict

NO_TIMES = "the template has no schedule; runs are started by hand or by other services"

NO_SCHEDULE = Rule(
    id="OB501", title="nothing starts the DAG by itself", severity=Severity.INFO, verdict=Verdict.KEPT
)
UNSUPPORTED_SCHEDULE = Rule(
    id="OB502",
    title="a schedule that EventBridge Scheduler has not",
    severity=Severity.ERROR,
    verdict=Verdict.REFUSED,
    if_allowed=NO_TIMES,
)
UNREADABLE_CRON = Rule(
    id="OB503",
    title="a cron expression without an equal on AWS",
    severity=Severity.ERROR,
    verdict=Verdict.REFUSED,
    if_allowed=NO_TIMES,
)
UNKNOWN_ZONE = Rule(
    id="OB504",
    title="a time zone without an IANA name",
    severity=Severity.ERROR,
    verdict=Verdict.REFUSED,
    if_allowed=NO_TIMES,
)
CLOCK_CHANGE = Rule(
    id="OB505",
    title="runs that differ on the days clocks change",
    severity=Severity.INFO,
    verdict=Verdict.APPROXIMATED,
)
ONCE = Rule(
    id="OB506",
    title="@once needs a moment in the future",
    severity=Severity.WARNING,
    verdict=Verdict.APPROXIMATED,
)
COUNTED_FROM_DEPLOYMENT = Rule(
    id="OB507",
    title="a period that is counted from the deployment",
    severity=Severity.INFO,
    verdict=Verdict.APPROXIMATED,
)
CATCHUP = Rule(
    id="OB508",
    title="runs before the deployment are not made up for",
    severity=Severity.WARNING,
    verdict=Verdict.APPROXIMATED,
)
PAUSED = Rule(id="OB509", title="the schedule is made disabled", severity=Severity.INFO, verdict=Verdict.KEPT)
NEVER_FIRES = Rule(
    id="OB510", title="a schedule without a single run", severity=Severity.WARNING, verdict=Verdict.KEPT
)
SHORT_PERIOD = Rule(
    id="OB511",
    title="a period of less than whole minutes",
    severity=Severity.ERROR,
    verdict=Verdict.REFUSED,
    if_allowed=NO_TIMES,
)
TEMPLATE_TOO_LARGE = Rule(
    id="OB512",
    title="a template beyond CloudFormation's limit",
    severity=Severity.ERROR,
    verdict=Verdict.REFUSED,
)
SETTINGS = Rule(
    id="OB513",
    title="values that are given when the stack is deployed",
    severity=Severity.INFO,
    verdict=Verdict.KEPT,
)
OVERLAPPING_RUNS = Rule(
    id="OB515",
    title="max_active_runs is not enforced",
    severity=Severity.WARNING,
    verdict=Verdict.APPROXIMATED,
)
EACH_ASSET_EVENT = Rule(
    id="OB520",
    title="events of assets are not gathered",
    severity=Severity.INFO,
    verdict=Verdict.APPROXIMATED,
)
ASSET_ALIAS = Rule(
    id="OB521",
    title="an alias starts runs by events that name it",
    severity=Severity.INFO,
    verdict=Verdict.APPROXIMATED,
)
ASSET_WATCHER = Rule(
    id="OB522",
    title="an asset whose events a watcher makes",
    severity=Severity.ERROR,
    verdict=Verdict.REFUSED,
    if_allowed="the watcher makes no events; those that tasks make or that you put on the bus start runs",
)
NO_ASSETS = Rule(
    id="OB523",
    title="a schedule of assets that names none",
    severity=Severity.WARNING,
    verdict=Verdict.KEPT,
)
ALIAS_ROLLUP = Rule(
    id="OB524",
    title="partitions of an alias that a run waits for",
    severity=Severity.ERROR,
    verdict=Verdict.REFUSED,
    if_allowed="partitions of all assets of the alias count as those of one asset",
)
VALUES_TO_PUSH = Rule(
    id="OB531",
    title="Variables and connections that have to be on AWS",
    severity=Severity.INFO,
    verdict=Verdict.KEPT,
)
READS_ALL = Rule(
    id="OB532",
    title="a function that may read every value below its prefix",
    severity=Severity.WARNING,
    verdict=Verdict.KEPT,
)
SETTING_NAME = Rule(
    id="OB533",
    title="an environment variable that Lambda cannot have",
    severity=Severity.WARNING,
    verdict=Verdict.APPROXIMATED,
)
