"""The findings of packaging: OB401 to OB410 and OB430 contents, OB411 to OB429 preflight, OB431 to OB439 layer.

No longer used, and never to be used for anything else: OB408 (a distribution needs Airflow itself).
"""

from __future__ import annotations

from orkestra_bridge.diagnostics import Rule, Severity, Verdict


def _error(rule_id: str, title: str) -> Rule:
    return Rule(id=rule_id, title=title, severity=Severity.ERROR, verdict=Verdict.REFUSED)


def _info(rule_id: str, title: str) -> Rule:
    return Rule(id=rule_id, title=title, severity=Severity.INFO, verdict=Verdict.KEPT)


def _warning(rule_id: str, title: str) -> Rule:
    return Rule(id=rule_id, title=title, severity=Severity.WARNING, verdict=Verdict.APPROXIMATED)


MISSING_REQUIREMENT = _error("OB401", "An imported module is not installed where the DAG was parsed")
MISSING_LOCAL_MODULE = _error("OB402", "An imported module of the DAG folder does not exist")
MACHINE_PATH = _error("OB403", "An import is only found in a folder of this machine")
UNREADABLE_SOURCE = _error("OB404", "A local module cannot be read as Python")
COMPILED_MODULE = _error("OB405", "A local module is compiled for this machine")
UNPUBLISHED = _warning("OB406", "A distribution was installed from a folder of this machine")
REMOVED_MODULE = _error("OB407", "A standard module is gone from the target's Python")
OPTIONAL_LEFT_OUT = _info("OB410", "A provider could use distributions that are not packed")
GUESSED_PROVIDERS = _info("OB430", "Providers were packed for connections whose type is not known")
PACKAGE_TOO_LARGE = _error("OB409", "The package exceeds a limit of Lambda")

FACADE_LACKS = _error("OB411", "The package's airflow has no such name")
IMPORT_FAILS = _error("OB412", "An import fails in the package")
LOAD_FAILS = _error("OB413", "Loading the package fails")
LOAD_EXITS = _error("OB414", "Loading the package ends the process")
LOAD_TIMEOUT = _error("OB415", "Loading the package takes too long")
TASKS_DIFFER = _error("OB416", "The package has other tasks than Airflow saw")
EDGES_DIFFER = _error("OB417", "The package has other dependencies than Airflow saw")
OPERATOR_DIFFERS = _error("OB418", "A task of the package has another class than Airflow saw")
PRINTS = Rule(
    id="OB419",
    title="Loading the package prints",
    severity=Severity.INFO,
    verdict=Verdict.KEPT,
)
MISSING_VARIABLE = _error("OB421", "Loading the package needs an environment variable")
MISSING_FILE = _error("OB422", "Loading the package needs a file that is not in it")
OUTSIDE_FILE = _error("OB423", "Loading the package reads a file of this machine")
NOT_CHECKED = _warning("OB424", "The package could not be checked")
ABSENT_WHEN_USED = _warning("OB425", "A name of Airflow is imported that fails when a task uses it")

LAYER_WILL_BE_TOO_LARGE = _warning("OB441", "A layer that will exceed a limit of Lambda")
OTHER_VERSION = _warning("OB442", "A distribution has another version than the one that parsed the DAG")
UNREAD_REQUIREMENT = _warning("OB443", "A line of the requirements file that names no version")

UNREAD_TASK_REQUIREMENT = _error("OB444", "A requirement of a task that cannot be packed")
ONLY_FOR_TASKS = _info("OB445", "A distribution that only some tasks have")

LAYER_NOT_BUILT = _warning("OB431", "The layer was not built")
NO_WHEEL = _error("OB432", "A requirement has no wheel for the target")
OTHER_FILE = _error("OB434", "A distribution is not the file whose hash the requirements file has")
LAYER_TOO_LARGE = _error("OB433", "The layer exceeds a limit of Lambda")
