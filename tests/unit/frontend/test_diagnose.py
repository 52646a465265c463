from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orkestra_bridge.diagnostics import Rule, Severity, Verdict
from orkestra_bridge.frontend import diagnose, rules
from orkestra_bridge.frontend.diagnose import to_finding
from orkestra_bridge.frontend.distributions import distribution_for
from orkestra_bridge.frontend.model import DagFile

FILE = DagFile(root=Path("/dags"), relative="team/etl.py", display="my/team/etl.py")
FACTS: dict[str, Any] = {
    "text": "why",
    "type": "KeyError",
    "name": "x",
    "what": "variable",
    "module": "pandas",
    "absent": True,
    "stdlib": False,
    "local": False,
    "nearby": "",
    "tasks": ["a", "b", "a"],
    "first": ["team/etl.py", 1],
    "limit": 30.0,
    "count": 2,
}


def record(kind: str, **facts: Any) -> dict[str, Any]:
    return {"kind": kind, "file": "team/etl.py", "line": 7, **FACTS, **facts}


@pytest.mark.parametrize("kind", sorted(diagnose._KINDS))
def test_every_kind_says_where_what_and_what_to_do(kind: str) -> None:
    finding = to_finding(record(kind, dag_id="d"), FILE)
    assert (finding.file, finding.line, finding.dag_id) == ("my/team/etl.py", 7, "d")
    assert finding.message
    assert finding.remedy
    assert "\n" not in str(finding)


def test_rules_have_one_id_each_and_errors_refuse() -> None:
    found = [rule for rule in vars(rules).values() if isinstance(rule, Rule)]
    assert len({rule.id for rule in found}) == len(found)
    assert all("OB101" <= rule.id <= "OB199" for rule in found)
    assert all((rule.severity is Severity.ERROR) == (rule.verdict is Verdict.REFUSED) for rule in found)


def test_an_error_in_a_helper_is_shown_there_with_the_dag_file() -> None:
    finding = to_finding({**record("exception"), "file": "lib/x.py", "via": 3}, FILE)
    assert finding.file == "my/lib/x.py"
    assert "my/team/etl.py:3" in finding.message


@pytest.mark.parametrize(
    ("facts", "remedy"),
    [
        ({"module": "yaml"}, "PyYAML"),
        ({"module": "airflow.operators.dummy"}, "--airflow-version"),
        ({"module": "helpers", "nearby": "team/lib"}, "team.lib.helpers"),
        ({"module": "tomllib", "stdlib": True}, "--airflow-python"),
        ({"module": "common", "absent": False, "local": True}, "define"),
        ({"module": "pandas", "absent": False}, "version"),
    ],
)
def test_import_remedies(facts: dict[str, Any], remedy: str) -> None:
    assert remedy in to_finding(record("import", **facts), FILE).remedy


@pytest.mark.parametrize(
    ("module", "distribution"),
    [
        ("pandas.core", "pandas"),
        ("sklearn.linear_model", "scikit-learn"),
        ("google.cloud.storage", "google-cloud-storage"),
        ("airflow.providers.microsoft.azure.hooks.wasb", "apache-airflow-providers-microsoft-azure"),
        ("airflow.providers.cncf.kubernetes", "apache-airflow-providers-cncf-kubernetes"),
        ("airflow.contrib.hooks", ""),
    ],
)
def test_distributions(module: str, distribution: str) -> None:
    assert distribution_for(module) == distribution


def test_missing_variable_and_connection_name_the_environment_variable() -> None:
    assert "AIRFLOW_VAR_BUCKET" in to_finding(record("missing", name="bucket"), FILE).remedy
    assert "AIRFLOW_CONN_DB" in to_finding(record("missing", what="connection", name="db"), FILE).remedy
