"""Imports -> distributions with versions, and all that those need."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from packages import environment, installed
from workflows import a_workflow

from orkestra_bridge.emit import requirements_text
from orkestra_bridge.ir.model import Schedule, ScheduleKind
from orkestra_bridge.options import Target
from orkestra_bridge.packaging.installer import pins
from orkestra_bridge.packaging.layer import cached_layer, layer_hash
from orkestra_bridge.packaging.model import Requirement, ThirdPartyImport
from orkestra_bridge.packaging.requirements import resolve_requirements

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.diagnostics import Finding

RUNTIME = ("jinja2", "pendulum")


def an_import(
    module: str, *names: str, line: int = 3, optional: bool = False, deferred: bool = False
) -> ThirdPartyImport:
    return ThirdPartyImport(
        module=module, names=names, file="dags/dag.py", line=line, optional=optional, deferred=deferred
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name in RUNTIME:
        installed(tmp_path, name, "1.0", {f"{name}/__init__.py": ""})
    return tmp_path


def resolve(
    site: Path, *imports: ThirdPartyImport, target: Target | None = None
) -> tuple[dict[str, Requirement], tuple[Finding, ...]]:
    found, findings = resolve_requirements(imports, a_workflow(), environment(site), target)
    return {requirement.name: requirement for requirement in found}, findings


def test_the_runtime_has_needs_of_its_own(site: Path) -> None:
    found, findings = resolve(site)
    assert tuple(found) == RUNTIME
    assert found["jinja2"] == Requirement(
        name="jinja2", version="1.0", modules=("jinja2",), provided=False, reason="needed by the runtime"
    )
    assert findings == ()


def test_croniter_only_where_dates_depend_on_other_ticks(site: Path) -> None:
    cron = Schedule(kind=ScheduleKind.CRON, expressions=("0 6 * * *",), data_interval=True)
    with_interval, _ = resolve_requirements((), a_workflow(schedule=cron), environment(site))
    assert [each.name for each in with_interval] == ["croniter", "jinja2", "pendulum"]
    plain = Schedule(kind=ScheduleKind.CRON, expressions=("0 6 * * *",))
    without, _ = resolve_requirements((), a_workflow(schedule=plain), environment(site))
    assert [each.name for each in without] == ["jinja2", "pendulum"]


def test_what_only_the_python_here_needs_is_no_part_of_the_layer(site: Path) -> None:
    installed(site, "lib", "1", {"lib.py": ""}, requires=("backport; python_version < '3.13'",))
    installed(site, "backport", "2", {"backport.py": ""}, requires=("older",))
    installed(site, "older", "3", {"older.py": ""})
    here = replace(environment(site), python_version="3.11.7")
    found, _ = resolve_requirements([an_import("lib")], a_workflow(), here)
    added = {each.name: each for each in found if each.elsewhere}
    assert set(added) == {"backport", "older"}
    assert added["backport"].reason == "needed by lib for Python 3.11"
    assert added["backport"].modules == ("backport",)
    assert pins(found) == ("jinja2==1.0", "lib==1", "pendulum==1.0")
    assert "backport" not in requirements_text(found)
    assert cached_layer(found, Target(), site) is None
    assert layer_hash(found, Target()) == layer_hash([each for each in found if not each.elsewhere], Target())
    same, _ = resolve_requirements([an_import("lib")], a_workflow(), here, Target(python="3.11"))
    assert not any(each.elsewhere for each in same)
    assert "backport" in {each.name for each in same}


def test_everything_that_a_distribution_needs(site: Path) -> None:
    installed(
        site,
        "pandas",
        "3.1",
        {"pandas/__init__.py": ""},
        requires=("numpy>=2", "python-dateutil", "lxml; extra == 'xml'"),
    )
    installed(site, "numpy", "2.5", {"numpy/__init__.py": ""})
    installed(site, "python-dateutil", "2.9", {"dateutil/__init__.py": ""}, requires=("six>=1.5",))
    installed(site, "six", "1.17", {"six.py": ""})
    found, findings = resolve(site, an_import("pandas"))
    assert {name: each.reason for name, each in found.items()} == {
        "jinja2": "needed by the runtime",
        "numpy": "needed by pandas",
        "pandas": "imported at dags/dag.py:3",
        "pendulum": "needed by the runtime",
        "python-dateutil": "needed by pandas",
        "six": "needed by python-dateutil",
    }
    assert findings == ()


def test_markers_are_those_of_the_target(site: Path) -> None:
    requires = (
        "old; python_version < '3.13'",
        "arm; platform_machine == 'aarch64'",
        "intel; platform_machine == 'x86_64'",
        "windows; sys_platform == 'win32'",
    )
    installed(site, "lib", "1", {"lib.py": ""}, requires=requires)
    found, _ = resolve(site, an_import("lib"))
    assert {name for name, each in found.items() if not each.elsewhere} == {
        "arm",
        "jinja2",
        "lib",
        "pendulum",
    }
    found, _ = resolve(site, an_import("lib"), target=Target(python="3.12", architecture="x86_64"))
    assert set(found) == {"intel", "jinja2", "lib", "old", "pendulum"}


def test_extras_that_a_distribution_asks_for(site: Path) -> None:
    installed(site, "app", "1", {"app.py": ""}, requires=("lib[fast]",))
    installed(
        site, "lib", "1", {"lib.py": ""}, requires=("base", "speed; extra == 'fast'", "slow; extra == 'slow'")
    )
    found, _ = resolve(site, an_import("app"))
    assert set(found) == {"app", "base", "jinja2", "lib", "pendulum", "speed"}


def test_what_is_not_installed_here_has_no_version(site: Path) -> None:
    installed(site, "lib", "1", {"lib.py": ""}, requires=("uvloop; sys_platform == 'linux'",))
    found, _ = resolve(site, an_import("lib"))
    assert found["uvloop"].version == ""


def test_lambda_brings_boto3_and_what_only_that_needs(site: Path) -> None:
    installed(site, "boto3", "1.44", {"boto3/__init__.py": ""}, requires=("botocore",))
    installed(site, "botocore", "1.44", {"botocore/__init__.py": ""}, requires=("urllib3", "python-dateutil"))
    installed(site, "urllib3", "2", {"urllib3/__init__.py": ""})
    installed(site, "python-dateutil", "2.9", {"dateutil/__init__.py": ""})
    installed(site, "requests", "2", {"requests/__init__.py": ""}, requires=("urllib3",))
    found, _ = resolve(site, an_import("boto3"))
    assert {name for name, each in found.items() if each.provided} == {
        "boto3",
        "botocore",
        "python-dateutil",
        "urllib3",
    }
    found, _ = resolve(site, an_import("boto3"), an_import("requests"))
    assert {name for name, each in found.items() if each.provided} == {"boto3", "botocore", "python-dateutil"}


def test_a_missing_requirement_says_where_and_what_to_do(site: Path) -> None:
    _, (finding,) = resolve(site, an_import("snowflake.connector", line=7, deferred=True))
    assert (finding.id, finding.file, finding.line, finding.dag_id) == ("OB401", "dags/dag.py", 7, "example")
    assert "snowflake.connector" in finding.message
    assert "the task that reaches it fails" in finding.message
    assert "install" in finding.remedy


def test_a_missing_part_of_a_local_folder(site: Path) -> None:
    found = replace(an_import("team.etl"), lacking="etl")
    _, (finding,) = resolve(site, found)
    assert (finding.id, finding.line) == ("OB402", 3)
    assert finding.message == "import of team.etl: the DAG folder has team, but no etl in it"


def test_a_missing_optional_import_is_none_of_our_business(site: Path) -> None:
    assert resolve(site, an_import("ujson", optional=True))[1] == ()


def test_modules_gone_from_the_target(site: Path) -> None:
    _, (finding,) = resolve(site, an_import("telnetlib"))
    assert finding.id == "OB407"
    assert "before 3.13" in finding.remedy
    assert resolve(site, an_import("telnetlib"), target=Target(python="3.12"))[1] == ()
    installed(site, "standard-telnetlib", "1", {"telnetlib/__init__.py": ""})
    found, findings = resolve(site, an_import("telnetlib"))
    assert "standard-telnetlib" in found
    assert findings == ()


def test_airflow_is_never_a_requirement(site: Path) -> None:
    installed(site, "apache-airflow", "3.3.2", {}, requires=("apache-airflow-core",))
    installed(site, "cosmos", "1.9", {"cosmos/__init__.py": ""}, requires=("apache-airflow>=2.4", "attrs"))
    found, findings = resolve(site, an_import("cosmos"))
    assert set(found) == {"attrs", "cosmos", "jinja2", "pendulum"}
    assert findings == ()


def test_a_distribution_from_a_folder_is_a_warning(site: Path) -> None:
    origin = {"url": (site / "lib").as_uri(), "dir_info": {}}
    installed(site, "lib", "1", {"lib.py": ""}, direct_url=origin)
    _, (finding,) = resolve(site, an_import("lib"))
    assert finding.id == "OB406"
    assert str(site) not in str(finding)
