"""What one file imports, and under which conditions."""

from __future__ import annotations

from textwrap import dedent

import pytest

from orkestra_bridge.packaging.scan import ImportStatement, scan


def imports_of(source: str) -> dict[str, ImportStatement]:
    found = scan(dedent(source).encode(), "/dags/dag.py").imports
    return {"." * statement.level + statement.module: statement for statement in found}


def test_plain_imports_have_their_line_and_names() -> None:
    found = imports_of(
        """\
        import pandas.io
        from etl.tools import read, write
        from .. import above
        """
    )
    assert found["pandas.io"] == ImportStatement(module="pandas.io", line=1)
    assert found["etl.tools"].names == ("read", "write")
    assert (found[".."].level, found[".."].names, found[".."].line) == (2, ("above",), 3)


def test_imports_in_functions_are_deferred() -> None:
    found = imports_of(
        """\
        def task():
            import pandas
            class Inner:
                import numpy
        """
    )
    assert found["pandas"].deferred
    assert found["numpy"].deferred


@pytest.mark.parametrize(
    "caught", ["ImportError", "ModuleNotFoundError", "(OSError, ImportError)", "Exception", ""]
)
def test_what_a_try_catches_is_optional(caught: str) -> None:
    found = imports_of(
        f"try:\n    import ujson\nexcept {caught}:\n    import json5\nfinally:\n    import last\n"
    )
    assert found["ujson"].optional
    assert found["json5"].optional
    assert not found["last"].optional


def test_a_try_that_catches_something_else_does_not_make_optional() -> None:
    assert not imports_of("try:\n    import ujson\nexcept ValueError:\n    pass\n")["ujson"].optional


def test_suppress_and_conditions_make_optional() -> None:
    found = imports_of(
        """\
        import contextlib
        with contextlib.suppress(ImportError):
            import a
        with open("x"):
            import b
        if DEBUG:
            import c
        """
    )
    assert found["a"].optional
    assert not found["b"].optional
    assert found["c"].optional


def test_type_checking_imports_are_not_imports() -> None:
    found = imports_of(
        """\
        if TYPE_CHECKING:
            import only_types
        else:
            import real
        if typing.TYPE_CHECKING:
            import more_types
        """
    )
    assert set(found) == {"real"}


def test_code_for_another_interpreter_is_not_ours() -> None:
    found = imports_of(
        """\
        @task.virtualenv(requirements=["torch"])
        def train():
            import torch

        @task.external_python("/opt/python")
        def other():
            import tensorflow

        @task.virtualenv
        def plain():
            import installed

        @task.branch
        def choose():
            import ours
        """
    )
    assert {name: each.optional for name, each in found.items()} == {
        "ours": False,
        "installed": True,  # it runs with the packages of the DAG
        "tensorflow": True,  # the interpreter may be Airflow's own
    }


def test_a_function_that_an_operator_gives_to_another_interpreter_is_not_ours_either() -> None:
    found = imports_of(
        """\
        def there():
            import torch

        def here():
            import ours

        PythonVirtualenvOperator(task_id="a", python_callable=there, requirements=["torch"])
        PythonOperator(task_id="b", python_callable=here)
        """
    )
    assert set(found) == {"ours"}


def test_literal_dynamic_imports_are_optional() -> None:
    found = imports_of(
        "import importlib\nimportlib.import_module('plugins.x')\n__import__('y')\nimport_module(name)\n"
    )
    assert found["plugins.x"].optional
    assert found["y"].optional
    assert set(found) == {"importlib", "plugins.x", "y"}


def test_a_syntax_error_says_its_line() -> None:
    with pytest.raises(SyntaxError) as caught:
        scan(b"import os\nimport (\n", "/dags/x.py")
    assert caught.value.lineno == 2
