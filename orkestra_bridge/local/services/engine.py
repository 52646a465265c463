"""ECS for images of the user's: ``docker run`` or ``podman run``, or another program that takes the same arguments.

What a task definition says is read from the template that was converted. The answer of `runTask.sync` is ECS's: the task
with its containers and their exit codes, as an error where one is not 0.

Sources: API reference of DescribeTasks; Docker's reference of ``docker run``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.local.interpreter import Clock, Json, StatesError, TaskCall
from orkestra_bridge.local.ledger import instance_name
from orkestra_bridge.runtime.container_log import stream_name
from orkestra_bridge.runtime.own_image import CONTAINER, RESULT_CONTAINER

if TYPE_CHECKING:
    from asyncio.subprocess import Process

RUN_TASK = "arn:aws:states:::ecs:runTask.sync"
REFERENCE = "Uri"
"""Behind the name of an image's task definition: the placeholder, and the parameter, of the image itself."""
ENGINES = ("docker", "podman")
_ENGINE_FAILED = 125
"""The exit code of ``docker run`` and ``podman run`` that says that no container has run."""
_STOP_GRACE = 10.0
"""Seconds that a container has to end after SIGTERM, as `docker stop` gives it."""

LogOf = Callable[[str, int], "Path | None"]
NOTHING: Mapping[str, str] = {}


def engine_command(asked: str | None) -> str:
    """Return the program that runs images here: the one that was asked for, or what this machine has.

    Raises LocalRunError: there is none.
    """
    for name in (asked,) if asked else ENGINES:
        found = shutil.which(name)
        if found:
            return found
    if asked:
        raise LocalRunError(
            f"there is no program {asked!r} to run images with",
            remedy="name another with --container-command",
        )
    raise LocalRunError(
        "the DAG has tasks that run images, and neither docker nor podman is on this machine",
        remedy="install one of them, or name a program that takes `run` and its arguments as docker does with "
        "--container-command",
    )


@final
@dataclass(frozen=True, slots=True)
class LocalImage:
    """A task definition as far as it matters here.

    Attributes:
        result: The file that a container beside it would print.
        kept: What Parameter Store would give it, by environment variable.
    """

    reference: str
    entry_point: tuple[str, ...] | None = None
    working_directory: str | None = None
    user: str | None = None
    scratch: str | None = None
    result: str | None = None
    kept: Mapping[str, str] = field(default_factory=dict)


def images_of(
    template: Path,
    given: Mapping[str, str],
    kept: Mapping[str, str] = NOTHING,
    environment: Mapping[str, str] = NOTHING,
) -> dict[str, LocalImage]:
    """Return the images of a template by logical id; ``given`` are values of its parameters.

    What Parameter Store would give them is looked for in ``kept``, by its name below the prefix, then in
    ``environment``, by the name of the variable.

    Raises LocalRunError: The template cannot be read, an image is named only at deployment, and not given, or there is
        nothing for what Parameter Store would give.
    """
    try:
        document = json.loads(template.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise LocalRunError(
            f"{template} cannot be read: {problem}", remedy="convert the DAG again"
        ) from problem
    parameters: dict[str, Any] = document["Parameters"]
    found = {}
    lacking: dict[str, str] = {}
    for name, resource in document["Resources"].items():
        if resource["Type"] == "AWS::ECS::TaskDefinition" and name.startswith("Image"):
            containers = {each["Name"]: each for each in resource["Properties"]["ContainerDefinitions"]}
            parameter = containers[CONTAINER]["Image"]["Ref"]
            reference = given.get(parameter) or parameters[parameter].get("Default")
            if not reference:
                raise LocalRunError(
                    f"which image {parameter} is has to be said when the DAG is run",
                    remedy=f"--image {parameter}=IMAGE",
                )
            values = {}
            for variable, place in _parameters_of(containers[CONTAINER]).items():
                value = kept.get(place, environment.get(variable))
                if value is None:
                    lacking[variable] = place
                else:
                    values[variable] = value
            found[name] = replace(_image(reference, containers), kept=values)
    if lacking:
        listed = ", ".join(f"{variable} ({place})" for variable, place in sorted(lacking.items()))
        raise LocalRunError(
            f"an image has variables of its environment from Parameter Store, and there is nothing here for {listed}",
            remedy="give what `kubectl get secret,configmap NAME -o json` prints with --kubernetes FILE, or the "
            "variables themselves in an --env-file",
        )
    return found


def _parameters_of(container: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of parameters below the prefix, by environment variable."""
    return {
        each["Name"]: each["ValueFrom"]["Fn::Sub"].partition("${SecretsPrefix}/")[2]
        for each in container.get("Secrets", ())
    }


def _image(reference: str, containers: Mapping[str, Any]) -> LocalImage:
    own = containers[CONTAINER]
    mounts = {each["SourceVolume"]: each["ContainerPath"] for each in own.get("MountPoints", ())}
    entry_point = own.get("EntryPoint")
    folder = mounts.get("result")
    return LocalImage(
        reference=reference,
        entry_point=None if entry_point is None else tuple(entry_point),
        working_directory=own.get("WorkingDirectory"),
        user=own.get("User"),
        scratch=mounts.get("scratch"),
        result=f"{folder}/return.json" if folder else None,
    )


@final
class Engine:
    """Answers `runTask.sync`; a call that is cancelled stops its container."""

    def __init__(
        self, command: str, images: Mapping[str, LocalImage], clock: Clock, log_of: LogOf, output: Path
    ) -> None:
        self._command = command
        self._images = images
        self._clock = clock
        self._log_of = log_of
        self._output = output

    async def __call__(self, call: TaskCall) -> Json:
        """Run an image to its end and return the task as ECS describes it.

        Raises StatesError: it ended with another exit code than 0. Raises LocalRunError: the engine cannot be started.
        """
        name = str(call.arguments["TaskDefinition"])
        [override] = call.arguments["Overrides"]["ContainerOverrides"]
        arn = f"arn:aws:ecs:us-east-1:123456789012:task/local/{uuid.uuid4().hex}"
        with self._clock.working(), _scratch() as folder:
            image = self._images[name]
            code = await self._run(call, image, override, arn, folder)
            if image.result:
                self._keep_result(folder / Path(image.result).name, arn)
        task = {
            "TaskArn": arn,
            "StoppedReason": "Essential container in task exited",
            "Containers": [{"Name": CONTAINER, "ExitCode": code}],
        }
        if code:
            raise StatesError("States.TaskFailed", json.dumps(task))
        return task

    async def _run(
        self, call: TaskCall, image: LocalImage, override: Mapping[str, Any], arn: str, scratch: Path
    ) -> int:
        path = self._file(arn, CONTAINER)
        arguments = _arguments(image, override, arn.rpartition("/")[2], scratch)
        try:
            with path.open("wb") as output:
                process = await asyncio.create_subprocess_exec(
                    self._command,
                    *arguments,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=asyncio.subprocess.STDOUT,
                    env={**os.environ, **image.kept},
                    start_new_session=True,
                )
        except OSError as problem:
            raise LocalRunError(
                f"{self._command} cannot be started: {problem}",
                remedy="name another with --container-command",
            ) from problem
        try:
            code = await process.wait()
        finally:
            await _stopped(process)
            self._log(call, path)
        if code == _ENGINE_FAILED:
            said = path.read_text(errors="replace").strip() or "it says nothing"
            raise LocalRunError(
                f"{self._command} does not run the image {image.reference}: {said}",
                remedy="see that it works on this machine, or name another program with --container-command",
            )
        return code

    def _log(self, call: TaskCall, output: Path) -> None:
        """Add what the container has printed to the log of its task."""
        log = self._log_of(_name(call), 0)
        if log is not None:
            with log.open("ab") as file:
                file.write(output.read_bytes())

    def _keep_result(self, path: Path, arn: str) -> None:
        if path.is_file():
            self._file(arn, RESULT_CONTAINER).write_bytes(path.read_bytes())

    def _file(self, arn: str, container: str) -> Path:
        path = self._output / f"{stream_name(arn, container)}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """Yield a folder that any user of a container can write to."""
    with tempfile.TemporaryDirectory(prefix="orkestra-image-") as folder:
        path = Path(folder)
        path.chmod(0o777)
        yield path


def _arguments(image: LocalImage, override: Mapping[str, Any], name: str, scratch: Path) -> list[str]:
    given: list[str] = ["run", "--rm", "--name", f"orkestra-{name}"]
    for pair in override.get("Environment", ()):
        given += ["--env", f"{pair['Name']}={pair['Value']}"]
    for variable in image.kept:
        given += ["--env", variable]  # the value is in the engine's environment, and not for `ps` to show
    for folder in (image.scratch, image.result and image.result.rpartition("/")[0]):
        if folder:
            given += ["--volume", f"{scratch}:{folder}"]
    if image.working_directory:
        given += ["--workdir", image.working_directory]
    if image.user:
        given += ["--user", image.user]
    first, *words = image.entry_point or ("",)
    if first:
        given += ["--entrypoint", first]
    return [*given, image.reference, *words, *override.get("Command", ())]


def _name(call: TaskCall) -> str:
    """Return the name of the task instance, which is in the state's input and not in what ECS is told."""
    state = call.state
    index = call.context.get("Map", {}).get("Item", {}).get("Index", -1)
    return instance_name(state, int(index))


async def _stopped(process: Process) -> None:
    """Stop a container that still runs: its client hands SIGTERM on to it."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), _STOP_GRACE)
    except asyncio.TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
