"""Which parts of Airflow's providers a DAG needs, read from made-up providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packages import environment, installed
from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import Attribute
from orkestra_bridge.packaging.model import ThirdPartyImport
from orkestra_bridge.packaging.old_paths import provider_of
from orkestra_bridge.packaging.requirements import resolve_requirements

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Workflow

AIRFLOW = "apache-airflow>=2.11"


def provider(site: Path, name: str, files: dict[str, str], *requires: str) -> None:
    folder = f"airflow/providers/{name.replace('-', '/')}"
    tree = {f"{folder}/__init__.py": "", **{f"{folder}/{path}": text for path, text in files.items()}}
    installed(site, f"apache-airflow-providers-{name}", "1.0", tree, requires=(AIRFLOW, *requires))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name in ("jinja2", "pendulum", "requests", "studio", "pandas", "sqlalchemy"):
        installed(tmp_path, name, "1.0", {f"{name}/__init__.py": ""})
    installed(tmp_path, "apache-airflow-core", "3.3.2", {"airflow/__init__.py": ""}, requires=("sqlalchemy",))
    provider(
        tmp_path,
        "cloud",
        {
            "hooks/store.py": "from ..tools import retry\nfrom airflow.providers.common.sql.hooks import sql\n",
            "tools.py": "import requests\nfrom airflow.exceptions import AirflowException\n",
            "hooks/studio.py": "import studio",
        },
        "requests",
        "studio",
    )
    provider(
        tmp_path,
        "common-sql",
        {
            "hooks/sql.py": (
                "def frame():\n    import pandas\n"
                "try:\n    import sqlalchemy\nexcept ImportError:\n    pass\n"
            ),
            "operators/sql.py": "hook = connection.get_hook()",
        },
        "pandas; extra == 'pandas'",
    )
    for name in ("postgres", "snowflake"):
        hook = f"airflow.providers.{name}.hooks.{name}.Hook"
        info = f"def get_provider_info():\n    return {{'connection-types': [{{'connection-type': '{name}', "
        info += f"'hook-class-name': '{hook}'}}]}}"
        provider(tmp_path, name, {"get_provider_info.py": info, f"hooks/{name}.py": f"import {name}_driver"})
        installed(tmp_path, f"{name}-driver", "2.0", {f"{name}_driver.py": ""})
    return tmp_path


def needs(
    site: Path, module: str, *, workflow: Workflow | None = None, finds_hooks: bool = False
) -> tuple[set[str], tuple[Finding, ...]]:
    found = ThirdPartyImport(module=module, names=("Name",), file="dags/dag.py", line=3)
    requirements, findings = resolve_requirements(
        (found,), workflow or a_workflow(), environment(site), finds_hooks=finds_hooks
    )
    names = {each.name.removeprefix("apache-airflow-providers-") for each in requirements}
    return names - {"jinja2", "pendulum"}, findings


def test_only_what_the_imported_modules_reach(site: Path) -> None:
    found, _ = needs(site, "airflow.providers.cloud.hooks.store")
    assert found == {"cloud", "common-sql", "requests", "sqlalchemy"}
    assert needs(site, "airflow.providers.cloud.hooks.studio")[0] == {"cloud", "studio"}


def test_optional_extras_are_left_out_and_named(site: Path) -> None:
    found, (finding,) = needs(site, "airflow.providers.common.sql.hooks.sql")
    assert "pandas" not in found
    assert (finding.id, finding.severity.value) == ("OB410", "info")
    assert "pandas (airflow/providers/common/sql/hooks/sql.py:2)" in finding.message


@pytest.mark.parametrize(
    ("uses", "packed"),
    [
        ("class Kept(Facet):\n    pass", {"lineage"}),
        ("def tell():\n    return Facet()", set()),
        ("try:\n    class Kept(Facet):\n        pass\nexcept TypeError:\n    pass", set()),
    ],
)
def test_an_extra_is_packed_that_a_class_is_made_of(site: Path, uses: str, packed: set[str]) -> None:
    installed(site, "lineage", "1.0", {"lineage.py": ""})
    compat = "try:\n    from lineage import Facet\nexcept ImportError:\n    Facet = print\n"
    provider(site, "compat", {"facet.py": compat})
    provider(
        site,
        "clouds",
        {
            "first.py": "from airflow.providers.compat import facet\nfrom airflow.providers.clouds import second",
            "second.py": f"from airflow.providers.compat.facet import Facet\n{uses}\n",
        },
        "apache-airflow-providers-compat",
    )
    found, findings = needs(site, "airflow.providers.clouds.first")
    assert found == {"clouds", "compat", *packed}
    assert [each.id for each in findings] == ([] if packed else ["OB410"])


def test_airflow_itself_is_never_among_them(site: Path) -> None:
    found, _ = needs(site, "airflow.providers.cloud.hooks.store")
    assert not any(name.startswith("apache") for name in found)


@pytest.mark.parametrize(
    ("connection", "conn_id", "expected"),
    [
        ("snowflake://u:p@account/db", "warehouse", {"snowflake"}),
        ('{"conn_type": "snowflake"}', "warehouse", {"snowflake"}),
        (None, "my_snowflake", {"snowflake"}),
        (None, "warehouse", {"postgres"}),
        ("http://host", "warehouse", set()),
    ],
)
def test_a_hook_is_packed_for_the_connection_of_a_task(
    site: Path, monkeypatch: pytest.MonkeyPatch, connection: str | None, conn_id: str, expected: set[str]
) -> None:
    if connection:
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", connection)
    task = a_task("q", attributes=(Attribute(name="conn_id", value=conn_id),))
    found, findings = needs(site, "airflow.providers.common.sql.operators.sql", workflow=a_workflow(task))
    assert found == {"common-sql", *expected, *(f"{name}-driver" for name in expected)}
    assert [each.id for each in findings] == ([] if connection else ["OB430"])


def test_a_look_up_in_the_users_own_code_counts_too(site: Path) -> None:
    assert "postgres" in needs(site, "airflow.providers.cloud.tools", finds_hooks=True)[0]
    assert "postgres" not in needs(site, "airflow.providers.cloud.tools")[0]


def test_old_providers_have_an_init_in_every_namespace(site: Path) -> None:
    files = {
        "airflow/__init__.py": "",
        "airflow/providers/__init__.py": "",
        "airflow/providers/old/__init__.py": "",
    }
    installed(site, "apache-airflow-providers-old", "1.0", files, requires=(AIRFLOW,))
    requirements, _ = resolve_requirements(
        (ThirdPartyImport(module="airflow.providers.old", names=(), file="d.py", line=1),),
        a_workflow(),
        environment(site),
    )
    assert [each.modules for each in requirements if each.name.endswith("old")] == [
        ("airflow.providers.old",)
    ]


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("airflow.hooks.S3_hook", "airflow.providers.amazon.aws.hooks.s3"),
        ("airflow.contrib.hooks.emr_hook", "airflow.providers.amazon.aws.hooks.emr"),
        ("airflow.operators.bash_operator", None),
        ("airflow.operators.python", None),
    ],
)
def test_the_paths_of_airflow_1_lead_to_providers(path: str, target: str | None) -> None:
    assert provider_of(path) == target
