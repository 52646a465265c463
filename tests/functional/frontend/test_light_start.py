"""The worker leaves out modules that Airflow imports; nobody may miss them."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

from orkestra_bridge.frontend.discovery import discover
from orkestra_bridge.frontend.loader import Frontend

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.frontend.model import Environment

USES_IT = """\
    {first}

    from airflow.sdk import dag, task
    from airflow.sdk.definitions._internal.decorators import remove_task_decorator

    SOURCE = "@task.virtualenv\\ndef f():\\n    return 1\\n"


    @dag(schedule=None, description=remove_task_decorator(SOURCE, "@task.virtualenv"))
    def edited():
        @task
        def f():
            return 1

        f()


    edited()
    """
PLAIN = """\
    import sys

    from airflow.sdk import dag, task

    LEFT_OUT = ("libcst", "airflow.sdk.execution_time.task_runner")


    @dag(schedule=None, description=str([name for name in LEFT_OUT if name in sys.modules]))
    def plain():
        @task
        def f():
            return 1

        f()


    plain()
    """


def descriptions(folder: Path, environment: Environment, **sources: str) -> list[str | None]:
    for name, text in sources.items():
        (folder / f"{name}.py").write_text(dedent(text))
    with Frontend(environment, parse_timeout=60.0, cache=None) as frontend:
        loaded = list(frontend.load(discover([folder], syntax="glob").files))
    assert not [finding for file in loaded for finding in file.findings]
    return [workflow.description for file in loaded for workflow in file.workflows]


def test_it_is_left_out_until_somebody_needs_it(tmp_path: Path, airflow_3: Environment) -> None:
    found = descriptions(tmp_path, airflow_3, a_plain=PLAIN, b_uses=USES_IT.format(first=""))
    assert found == ["[]", "def f():\n    return 1\n"]


def test_who_imports_it_gets_the_real_one(tmp_path: Path, airflow_3: Environment) -> None:
    first = "import libcst\n\n    libcst.parse_module('x = 1')"
    assert descriptions(tmp_path, airflow_3, uses=USES_IT.format(first=first)) == ["def f():\n    return 1\n"]


def test_who_asks_what_runs_tasks_gets_the_real_one(tmp_path: Path, airflow_3: Environment) -> None:
    first = "from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance"
    source = PLAIN.replace("import sys", first).replace("str([", "RuntimeTaskInstance.__name__ or str([")
    assert descriptions(tmp_path, airflow_3, asks=source) == ["RuntimeTaskInstance"]
