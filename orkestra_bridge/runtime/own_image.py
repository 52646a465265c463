"""A task whose operator starts an image of the user's: what the image is started with, and what its end means.

The image runs on ECS as it is, so all around it is done here, in two invocations of a try: the first renders the
templates and answers what RunTask is to be told, the second makes the task's entry of the exit code. The operator's own
``execute()`` would talk to a Docker engine or a Kubernetes cluster, and is not called; one of the user's around it is
called in both invocations.

Sources: `DockerOperator` of the docker provider, `KubernetesPodOperator` of the cncf.kubernetes provider.
"""

from __future__ import annotations

import importlib
import json
import logging
import math
import re
import shlex
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.container_log import lines_of
from orkestra_bridge.runtime.errors import AnotherTry, ImageStarts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orkestra_bridge.runtime.instances import TaskInstance

    Work = Callable[[Any, TaskInstance, Any], Any]

log = logging.getLogger("airflow.task")

MODE = "image"
"""What an event says that is about such a task."""
CONTAINER, RESULT_CONTAINER = "task", "result"
"""The names of the container and of the one that prints the file with the result."""
OVERRIDES_LIMIT = 8192
"""Characters of all overrides of a task, written as JSON (API reference of RunTask)."""
_AROUND = 128
"""Of them for size and brackets."""
_TIMEOUT = "States.Timeout"
_EXIT_CODE = re.compile(r'"ExitCode"\s*:\s*(\d+)')
_TASK_ARN = re.compile(r'"TaskArn"\s*:\s*"([^"]+)"')


def entry_before(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an earlier invocation has left about this task instance, empty for the first one."""
    entry = (event.get("ledger") or {}).get(event["task_id"]) or {}
    return entry if "container" in entry else {}


def attempt_of(event: Mapping[str, Any]) -> int:
    """Return the number of the try, counted from 0."""
    return int((entry_before(event).get("container") or {}).get("attempt", 0))


def work_of(workflow: Mapping[str, Any], event: Mapping[str, Any]) -> tuple[Work, bool]:
    """Return what is to be done instead of ``execute()``, and whether it ends a try that has begun before."""
    known: Mapping[str, Any] = next(
        (each for each in workflow["tasks"] if each["task_id"] == event["task_id"]), {}
    )
    image = known.get("image") or {}
    around = _around if image.get("wraps") else _alone
    stopped = (entry_before(event).get("container") or {}).get("stopped")
    if stopped is not None:
        return around(lambda task: result_of(task, stopped)), True
    # the task definition then has a program that starts any other
    templated = any("{{" in word or "{%" in word for word in image.get("entry_point") or ())
    # it has these variables itself, and ECS takes no variable twice
    defined = frozenset(each["variable"] for each in image.get("cluster") or () if each["variable"])

    def start(task: Any) -> None:
        _start(task, event.get("image"), defined, templated=templated)

    return around(start), False


def _alone(step: Callable[[Any], Any]) -> Work:
    return lambda task, _ti, _context: step(task)


def _around(step: Callable[[Any], Any]) -> Work:
    """Return the work that calls the user's own ``execute()``, in which the operator's is the step."""

    def work(task: Any, _ti: Any, context: Any) -> Any:
        task.of_image = lambda: step(task)
        try:
            return task.execute(context)
        finally:
            task.of_image = None

    return work


def answered(event: Mapping[str, Any], work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the entry of a task that has ended, or one that says what the state machine does next."""
    attempt = attempt_of(event)
    mapped = (event.get("ledger") or {}).get(event["task_id"]) or {}
    length = {"length": mapped["length"]} if "length" in mapped else {}
    try:
        return work()
    except ImageStarts as start:
        pushed = {"xcom": start.pushed} if start.pushed else {}
        return {**length, **pushed, "container": {"attempt": attempt, "overrides": start.overrides}}
    except AnotherTry as again:
        return {**length, "container": {"attempt": attempt + 1, "wait": max(1, math.ceil(again.seconds))}}


def _start(task: Any, deployed: str | None, defined: frozenset[str], *, templated: bool) -> None:
    """Raise ImageStarts with the overrides of the container.

    Raises ValueError: they are too long, or the image is another one than that which was deployed.
    """
    program, command, environment = _docker(task) if _is_docker(task) else _kubernetes(task)
    if deployed is not None and task.image != deployed:
        raise ValueError(
            f"the image is {task.image!r} in this run, and the stack was made with {deployed!r}; ECS has the image in "
            "the task definition: deploy with the other one, or make a task for each image"
        )
    if templated:
        command = [*(program or ()), *(command or ())]
    override: dict[str, Any] = {"Name": CONTAINER}
    if command is not None:
        override["Command"] = command
    override["Environment"] = [
        {"Name": name, "Value": str(value)} for name, value in environment.items() if name not in defined
    ]
    length = len(json.dumps([override])) + _AROUND
    if length > OVERRIDES_LIMIT:
        raise ValueError(
            f"arguments and environment of the image have {length:,} characters, ECS takes {OVERRIDES_LIMIT:,}: put "
            "what is long into S3 and hand its key over"
        )
    raise ImageStarts([override])


def _is_docker(task: Any) -> bool:
    return hasattr(task, "docker_url")


def _docker(task: Any) -> tuple[list[str] | None, list[str] | None, dict[str, Any]]:
    """Return entry point and arguments, None for the image's own, and the environment."""
    environment: dict[str, Any] = {}
    if task.env_file is not None:
        environment |= task.unpack_environment_variables(task.env_file)
    environment |= _pairs(task.environment)
    environment.pop("AIRFLOW_TMP_DIR", None)
    if task.mount_tmp_dir:
        environment["AIRFLOW_TMP_DIR"] = task.tmp_dir
    return _words(task.entrypoint), _words(task.command), environment


def _pairs(environment: Any) -> dict[str, Any]:
    """Return variables that may be given as Docker's list of ``NAME=value``, too."""
    if isinstance(environment, dict):
        return dict(environment)
    return dict(each.partition("=")[::2] for each in environment or ())


def _words(command: Any) -> list[str] | None:
    """Return a command as a list (`DockerOperator.format_command`, then Docker's own client); None for the image's."""
    if isinstance(command, str) and command.strip().startswith("["):
        from ast import literal_eval

        command = literal_eval(command)
    if isinstance(command, str):
        return shlex.split(command)
    return None if command is None else [str(word) for word in command]


def _kubernetes(task: Any) -> tuple[list[str] | None, list[str] | None, dict[str, Any]]:
    """Return the same as `_docker`."""
    environment = dict(task.env_vars or {})
    arguments = [str(word) for word in task.arguments or ()]
    return [str(word) for word in task.cmds or ()] or None, arguments or None, environment


def result_of(task: Any, stopped: Mapping[str, Any]) -> Any:
    """Return what the task returns, from how its container ended.

    Raises:
        AirflowSkipException: It ended with a code that means so.
        AirflowTaskTimeout: It took too long.
        AirflowException: It failed, or was not started.
    """
    errors: Any = importlib.import_module("airflow._impl.exceptions")
    if stopped.get("error") == _TIMEOUT:
        raise errors.AirflowTaskTimeout("the container took longer than execution_timeout")
    code, reason, arn = _end(stopped)
    if code is None:
        raise errors.AirflowException(f"the container did not run: {reason}")
    if code in _skipping(task):
        raise errors.AirflowSkipException(f"the container returned exit code {code}: skipping")
    if code != 0:
        raise errors.AirflowException(f"the container failed with exit code {code}{reason and f': {reason}'}")
    if not task.do_xcom_push:
        return None
    if not _is_docker(task):
        return _content("\n".join(lines_of(arn, RESULT_CONTAINER)))
    lines = [line.rstrip() for line in lines_of(arn, CONTAINER, last=not task.xcom_all)]
    if task.xcom_all:
        return lines or None
    return lines[-1] if lines else None


def _end(stopped: Mapping[str, Any]) -> tuple[int | None, str, str]:
    """Return exit code, reason and ARN of an ECS task: as RunTask returned it, or from the cause of a failure."""
    if "containers" in stopped:
        codes = {each.get("name"): each.get("exit") for each in stopped["containers"]}
        return codes.get(CONTAINER), "it has no exit code", str(stopped.get("task", ""))
    cause = str(stopped.get("cause") or "")
    try:
        document = json.loads(cause)
        containers = {each["Name"]: each for each in document["Containers"]}
        own = containers[CONTAINER]
    except (ValueError, KeyError, TypeError):
        code, arn = _EXIT_CODE.search(cause), _TASK_ARN.search(cause)
        found = int(code[1]) if code and stopped.get("error") == "States.TaskFailed" else None
        return found, cause or str(stopped.get("error")), arn[1] if arn else ""
    said: Iterable[Any] = (document.get("StoppedReason"), own.get("Reason"))
    return (
        own.get("ExitCode"),
        "; ".join(str(each) for each in said if each),
        str(document.get("TaskArn", "")),
    )


def _skipping(task: Any) -> Any:
    """Return the exit codes that skip the task; older providers keep a single one."""
    codes = getattr(task, "skip_on_exit_code", None)
    if codes is None:
        codes = getattr(task, "skip_exit_code", None)
    return () if codes is None else (codes,) if isinstance(codes, int) else codes


def _content(text: str) -> Any:
    if not text.strip():
        log.info("The container has left no result")
        return None
    return json.loads(text)
