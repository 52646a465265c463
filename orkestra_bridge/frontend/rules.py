"""Findings of the frontend: OB101 to OB199. An id never changes its meaning."""

from __future__ import annotations

from orkestra_bridge.diagnostics import Rule, Severity, Verdict


def _error(rule_id: str, title: str) -> Rule:
    return Rule(id=rule_id, title=title, severity=Severity.ERROR, verdict=Verdict.REFUSED)


def _info(rule_id: str, title: str) -> Rule:
    return Rule(id=rule_id, title=title, severity=Severity.INFO, verdict=Verdict.KEPT)


def _warning(rule_id: str, title: str) -> Rule:
    return Rule(id=rule_id, title=title, severity=Severity.WARNING, verdict=Verdict.APPROXIMATED)


SYNTAX_ERROR = _error("OB101", "syntax error in a DAG file")
NOT_PYTHON_SOURCE = _error("OB102", "DAG file whose bytes are not Python source")
IMPORT_ERROR = _error("OB103", "import that fails")
MISSING_VARIABLE = _error("OB104", "Airflow Variable that is not defined")
MISSING_CONNECTION = _error("OB105", "Airflow connection that is not defined")
CYCLE = _error("OB106", "cycle of tasks")
DUPLICATE_DAG_ID = _error("OB107", "dag_id used twice")
EXITS = _error("OB108", "DAG file that ends the process")
TIMEOUT = _error("OB109", "DAG file that takes too long to load")
CRASH = _error("OB110", "DAG file that crashes the interpreter")
RAISES = _error("OB111", "DAG file that raises an exception")
INVALID_SCHEDULE = _error("OB112", "schedule that Airflow rejects")
NO_DAG = _info("OB113", "file without a DAG")
PRINTS = _info("OB114", "DAG file that prints while it is loaded")
CHANGES_PROCESS = _warning("OB115", "DAG file that changes os.environ or the working directory")
CHANGES_MODULE_PATH = _info("OB116", "DAG file that changes sys.path")
DEPRECATED = _info("OB117", "deprecated Airflow names")
NOTHING_TO_LOAD = _error("OB118", "folder without DAG files")
NOT_A_DAG_FILE = _error("OB119", "file that cannot hold DAGs")
TEMPLATE_MISSING = _warning("OB120", "template file that does not exist")
TEMPLATE_OUTSIDE = _error("OB121", "template file outside of the DAG folder")
POLICY_SKIPPED = _info("OB122", "DAG left out by a cluster policy")
IGNORE_PATTERN = _warning("OB123", "line of .airflowignore that Airflow drops")
MISSING_ENVIRONMENT = _error("OB131", "environment variable that is not set")
INTERNAL = _error("OB124", "DAG file that this program cannot read")
