"""Environments of single functions: when there is one, what is in it, and how an image makes it."""

from __future__ import annotations

from typing import Any

import pytest
from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import Attribute, Task
from orkestra_bridge.ir.serialize import to_document
from orkestra_bridge.operators.environments import environment_of, environments_of
from orkestra_bridge.packaging.environments import dockerfile_lines, environments_in
from orkestra_bridge.passes.accounting import account
from orkestra_bridge.passes.placement import place

BASES = (
    "airflow.providers.standard.operators.python.PythonVirtualenvOperator",
    "airflow.providers.standard.operators.python.PythonOperator",
    "airflow.sdk.bases.operator.BaseOperator",
)


def virtualenv(task_id: str = "t", **given: Any) -> Task:
    attributes = tuple(Attribute(name=name, value=value, of_class=True) for name, value in given.items())
    return a_task(task_id, operator="PythonVirtualenvOperator", bases=BASES, attributes=attributes)


def found(**given: Any) -> dict[str, str | None]:
    findings = account(place(a_workflow(virtualenv(**given))))
    return {finding.id: finding.attribute for finding in findings}


def test_what_asks_for_nothing_stays_in_the_function() -> None:
    assert environment_of(virtualenv(system_site_packages=False)) is None
    assert environment_of(a_task("t")) is None
    assert place(a_workflow(virtualenv())).tasks[0].container is None


@pytest.mark.parametrize(
    "requirements", [["pandas==1.5.3", "requests"], "# old\npandas==1.5.3 # pinned\nrequests\n"]
)
def test_requirements_are_lines(requirements: Any) -> None:
    environment = environment_of(virtualenv(requirements=requirements, python_version="3.9"))
    assert environment is not None
    assert environment.requirements == ("pandas==1.5.3", "requests")
    assert (environment.python, environment.system) == ("3.9", True)


def test_the_report_says_where_it_runs_and_why() -> None:
    container = (
        place(a_workflow(virtualenv(requirements=list("abcde"), python_version=3.9))).tasks[0].container
    )
    assert container is not None
    assert container.reason == (
        "its function has an environment of its own (Python 3.9 with a, b, c and 2 more)"
    )


def test_tasks_with_the_same_requirements_share_an_environment() -> None:
    workflow = place(
        a_workflow(
            virtualenv("a", requirements=["x"]),
            virtualenv("b", requirements=["x"]),
            virtualenv("c", requirements=["x"], python_version="3.9"),
            a_task("d"),
        )
    )
    made = environments_of(workflow)
    assert [each.python for each in made] == [None, "3.9"]
    assert environments_in({"workflow": to_document(workflow)}) == list(made)


def test_the_image_makes_them_with_uv() -> None:
    tasks = (
        virtualenv("a", requirements=["x>=1"], system_site_packages=False),
        virtualenv(
            "b",
            requirements=["y"],
            python_version="3.9",
            index_urls=["https://index.test/simple"],
            pip_install_options=["--no-deps"],
        ),
        virtualenv("c", requirements=["z"]),
    )
    made = environments_of(place(a_workflow(*tasks)))
    lines = dockerfile_lines(made).splitlines()
    names = [each.name for each in made]
    assert lines[3].startswith(f"RUN uv venv /environments/{names[0]} && uv pip install ")
    assert lines[4] == (
        f"RUN uv venv --python 3.9 /environments/{names[1]} && uv pip install --python "
        f"/environments/{names[1]}/bin/python -r /tmp/environments/{names[1]}.txt "
        "--index https://index.test/simple --no-deps"
    )
    assert "--system-site-packages" in lines[5]
    assert dockerfile_lines([]) == ""


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ({"requirements": ["x"], "serializer": "dill", "string_args": ["a"], "inherit_env": False}, {}),
        ({"requirements": ["x"], "venv_cache_path": "/tmp/venvs"}, {"OB242": "venv_cache_path"}),
        ({"requirements": ["x"], "use_airflow_context": True}, {"OB243": "use_airflow_context"}),
        (
            {"requirements": ["x"], "index_urls_from_connection_ids": ["i"]},
            {"OB243": "index_urls_from_connection_ids"},
        ),
        ({"requirements": ["{{ params.package }}"]}, {"OB244": "requirements"}),
        ({"requirements": "requirements.txt"}, {"OB244": "requirements"}),
        ({"requirements": "XCom of choose"}, {"OB244": "requirements"}),
        ({"brand_new": 1}, {"OB200": "brand_new"}),
    ],
)
def test_every_argument_has_an_answer(given: dict[str, Any], ids: dict[str, str]) -> None:
    assert found(**given) == ids
