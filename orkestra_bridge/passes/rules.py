"""Findings about attributes: OB2xx. An id keeps its meaning for ever.

No longer used, and never to be used for anything else: OB209 (a callback that nothing would call) and OB210 (pre_execute
or post_execute).
"""

from __future__ import annotations

from orkestra_bridge.diagnostics import Rule, Severity, Verdict


def _approximated(id_: str, title: str, severity: Severity = Severity.WARNING) -> Rule:
    return Rule(id=id_, title=title, severity=severity, verdict=Verdict.APPROXIMATED)


def _refused(id_: str, title: str, if_allowed: str) -> Rule:
    return Rule(id=id_, title=title, severity=Severity.ERROR, verdict=Verdict.REFUSED, if_allowed=if_allowed)


UNACCOUNTED = Rule(
    id="OB200",
    title="an attribute that this version does not know",
    severity=Severity.ERROR,
    verdict=Verdict.UNACCOUNTED,
    if_allowed="the argument has no effect",
)
POOL = _approximated("OB201", "pools are not enforced")
PRIORITY = _approximated("OB202", "there is no queue to have a priority in", Severity.INFO)
QUEUE = _approximated("OB203", "executor, queue and executor_config have no counterpart")
EMAIL = _approximated("OB204", "no e-mail is sent")
SLA = _approximated("OB205", "service level agreements are not watched")
DEPENDS_ON_PAST = _refused(
    "OB206", "a run that depends on the run before it", "every run starts without a look at the one before it"
)
CONCURRENCY = _approximated("OB207", "no limit on runs or tasks at the same time")
LINEAGE = _approximated("OB211", "no lineage")
DISPLAY = _approximated("OB212", "shown by Airflow's web page only", Severity.INFO)
FAIL_FAST = _refused(
    "OB213", "a DAG that stops at the first failure", "what runs beside the failed task goes on"
)
ACCESS = _approximated("OB214", "Airflow's permissions become IAM's")
RETRY_POLICY = _refused("OB215", "a retry policy in Python", "retries and retry_delay alone decide")
PAUSE_ON_FAILURES = _approximated("OB216", "the schedule is not paused after failed runs")
DEADLINE = _approximated("OB217", "deadlines are not watched")
RUN_AS = _refused("OB218", "a task that runs as another user", "the task runs as the function's user")
MULTI_TEAM = _approximated("OB219", "bundle and team settings have no counterpart", Severity.INFO)
CALLBACK_AFTER_TIMEOUT = _approximated(
    "OB220", "a callback of the DAG that is not called when the run times out"
)
TASK_DATES = _approximated("OB222", "a task with dates of its own takes part in every run")
FIRST_RUN = _approximated("OB223", "nothing is run at once when the schedule is made", Severity.INFO)
NO_TASKS = Rule(id="OB225", title="a DAG without tasks", severity=Severity.ERROR, verdict=Verdict.REFUSED)
UNUSED_DEFAULT = Rule(
    id="OB224",
    title="a name in default_args that no task takes",
    severity=Severity.INFO,
    verdict=Verdict.KEPT,
)
CALLBACK_AFTER_KILL = _approximated(
    "OB221", "on_retry_callback is not called when the function is killed", Severity.INFO
)
ENDS_SOONER = _approximated(
    "OB226", "a task that the configuration ends before its execution_timeout", Severity.INFO
)
NO_SUCH_EVENTS = Rule(
    id="OB255",
    title="an asset whose events start no run of this DAG, for one of both is partitioned",
    severity=Severity.WARNING,
    verdict=Verdict.KEPT,
)
PACKAGES_UNUSED = _approximated("OB250", "packages for a task that cannot import any")
FITS_NOTHING = _approximated("OB227", "a pattern of the configuration that fits no DAG or no task")
IN_CONTAINER = Rule(
    id="OB230", title="a task that runs in a container", severity=Severity.INFO, verdict=Verdict.KEPT
)
CONTAINER_SIZE = _refused("OB231", "a container larger than Fargate's largest", "the largest size is taken")
CONTAINER_IMAGE = _approximated("OB232", "an image in executor_config that is not used")
IMAGE_SETTING = _approximated(
    "OB233", "a setting of the engine or cluster that an image no longer runs on", Severity.INFO
)
IMAGE_SURROUNDINGS = _approximated("OB234", "an image runs in other surroundings")
IMAGE_LACKS = _refused("OB235", "what an image would lack on Fargate", "the image is started without it")
IMAGE_AT_DEPLOYMENT = _approximated("OB236", "an image that is named at deployment")
IMAGE_ENTRY_POINT = _approximated("OB237", "an entry point that only the run knows", Severity.INFO)
IMAGE_FUNCTION = _approximated("OB238", "a function in an image that is built on the user's")
IMAGE_UNKNOWN_BASE = Rule(
    id="OB239",
    title="a function in an image that only the run knows",
    severity=Severity.ERROR,
    verdict=Verdict.REFUSED,
)
ENVIRONMENT = _approximated(
    "OB242", "a setting of a virtual environment that is made beforehand", Severity.INFO
)
ENVIRONMENT_LACKS = _refused(
    "OB243", "what the environment of a function would lack", "the function runs without it"
)
ENVIRONMENT_UNKNOWN = Rule(
    id="OB244",
    title="requirements that only the run knows",
    severity=Severity.ERROR,
    verdict=Verdict.REFUSED,
)
NEEDS_AIRFLOW = _approximated("OB245", "a DAG whose tasks Airflow itself runs")
CLUSTER_VALUES = _approximated(
    "OB246", "an image that has values of a Kubernetes cluster from Parameter Store"
)
CONTEXT_KEY = _refused(
    "OB247", "a part of the context that is in Airflow's database", "a task that uses it fails when it does"
)
STATE_TABLE = _approximated("OB254", "what tasks or assets store is in DynamoDB", Severity.INFO)
ASSET_HISTORY = _approximated("OB256", "events of assets that are known from the deployment on")
IMAGE_EXECUTE = _approximated("OB253", "an execute() around an image, which is called twice")
MADE_UP = Rule(
    id="OB291",
    title="values that were made up to load the file",
    severity=Severity.ERROR,
    verdict=Verdict.REFUSED,
)
RESET_DAG_RUN = _approximated("OB228", "a triggered run that exists is started again beside it")
TARGET = _approximated("OB248", "a target of the configuration that has no effect")
PAUSED_DAG = _approximated("OB229", "a paused DAG can be triggered", Severity.INFO)
OTHER_DAG_TEMPLATE = _refused(
    "OB240",
    "another DAG whose id only the run knows",
    "the role has to be given the right to start it or to see it",
)
OTHER_DAG_UNKNOWN = _approximated("OB241", "another DAG that is not part of the conversion")
ASSET_OF_NOBODY = _approximated("OB249", "an asset that no task of the conversion makes events of")
