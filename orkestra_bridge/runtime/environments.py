"""Runs a function in a process of its own, with the Python and the packages of its environment, as Airflow does.

The function goes there as source, its arguments and its result as pickles. Where the environment is, says
``ORKESTRA_ENVIRONMENTS``: a folder with one for each name. A task without requirements of its own has the Python of the
function, with or without the packages that the DAG has.

Source: `_BasePythonVirtualenvOperator` of the standard provider.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.errors import RuntimeSetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VARIABLE = "ORKESTRA_ENVIRONMENTS"
_SCRIPT = """\
import {library}

{source}

def _orkestra_run(function, serializer, given, result, strings, reason):
    global virtualenv_string_args
    with open(given, "rb") as file:
        arguments = serializer.load(file)
    with open(strings) as file:
        virtualenv_string_args = [line.strip() for line in file]
    try:
        returned = function(*arguments["args"], **arguments["kwargs"])
    except Exception as error:
        with open(reason, "w") as file:
            file.write(str(error))
        raise
    if returned is not None:
        with open(result, "wb") as file:
            serializer.dump(returned, file)

_orkestra_run({name}, __import__("{library}"), *__import__("sys").argv[1:5])
"""


class FunctionFailed(Exception):  # noqa: N818 - it is no fault of ours
    """The process of a function ended with another exit code than 0; ``reason`` is what the function raised."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def call(
    function: Callable[..., Any],
    arguments: tuple[list[Any], dict[str, Any]],
    *,
    environment: Mapping[str, Any] | None,
    decorator: str = "",
    serializer: str = "pickle",
    strings: list[str] | None = None,
    variables: Mapping[str, str],
    system: bool = True,
    path: tuple[str, ...] = (),
    show: Callable[[str], None],
) -> Any:
    """Return what a function returns in its environment.

    Args:
        function: The function; its module is not there where it runs.
        arguments: Positional and keyword arguments.
        environment: The task's environment as the workflow has it, None for the function's own Python.
        decorator: The decorator that made it a task, such as ``@task.virtualenv``.
        serializer: ``pickle``, ``cloudpickle`` or ``dill``.
        strings: What the function finds as ``virtualenv_string_args``.
        variables: The environment variables of the process.
        system: True if it may import what this process may, where it has no environment.
        path: Folders to import from in any case.
        show: Is given each line that it prints.

    Raises:
        FunctionFailed: It failed, with its exit code.
        RuntimeSetupError: The environment is not there.
    """
    library: Any = importlib.import_module(serializer)
    with tempfile.TemporaryDirectory(prefix="venv-call") as folder:
        files = [Path(folder) / name for name in ("script.py", "in", "out", "strings", "reason")]
        script, given, result, string_args, reason = files
        script.write_text(
            _SCRIPT.format(library=serializer, source=source_of(function, decorator), name=function.__name__),
            encoding="utf-8",
        )
        given.write_bytes(library.dumps({"args": arguments[0], "kwargs": arguments[1]}))
        string_args.write_text("\n".join(map(str, strings or [])), encoding="utf-8")
        command, more = _interpreter(environment, system=system, path=path)
        code = _run([*command, *map(str, files)], {**variables, **more}, show)
        if code:
            raise FunctionFailed(code, reason.read_text(encoding="utf-8") if reason.is_file() else "")
        return library.loads(result.read_bytes()) if result.is_file() else None


def _interpreter(
    environment: Mapping[str, Any] | None, *, system: bool, path: tuple[str, ...]
) -> tuple[list[str], dict[str, str]]:
    if environment is None:
        if not system:
            return [sys.executable, "-S"], {"PYTHONPATH": os.pathsep.join(path)}
        return [sys.executable], {
            "PYTHONPATH": os.pathsep.join([*path, *(each for each in sys.path if each)])
        }
    python = Path(os.environ.get(VARIABLE, "/")) / environment["name"] / "bin" / "python"
    if not python.exists():
        raise RuntimeSetupError(
            f"the environment of the task is not at {python}: build the image again, or convert the DAG again"
        )
    return [str(python)], {"PYTHONPATH": os.pathsep.join(path)}


def _run(command: list[str], variables: Mapping[str, str], show: Callable[[str], None]) -> int:
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=variables
    ) as process:
        try:
            for line in process.stdout or ():
                show(line.rstrip())
            return process.wait()
        except BaseException:
            process.kill()
            raise


def source_of(function: Callable[..., Any], decorator: str = "") -> str:
    """Return the source of a function without the decorator that made it a task; raises OSError if there is none."""
    text = textwrap.dedent(inspect.getsource(function))
    [node] = ast.parse(text).body
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef), "Airflow takes functions only"
    own = [each for each in node.decorator_list if not _is(each, decorator)]
    lines = text.splitlines()
    kept = [f"@{ast.unparse(each)}" for each in own]
    return "\n".join([*kept, *lines[node.lineno - 1 : node.end_lineno]])


def _is(node: ast.expr, decorator: str) -> bool:
    called = node.func if isinstance(node, ast.Call) else node
    return bool(decorator) and ast.unparse(called).split(".")[-1] == decorator.rsplit(".", maxsplit=1)[-1]
