"""What one execution needs: the machine, the package and its function; and the execution itself."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

from orkestra_bridge.errors import LocalRunError, UsageError
from orkestra_bridge.local.assets import MEMORY
from orkestra_bridge.local.functions.environment import airflow_settings
from orkestra_bridge.local.functions.model import FunctionSpec
from orkestra_bridge.local.functions.pool import FunctionPool
from orkestra_bridge.local.functions.tasks import LambdaTasks
from orkestra_bridge.local.interpreter import Clock, Event, Execution, Json, TaskTokens, execute
from orkestra_bridge.local.interpreter.engine import ARN
from orkestra_bridge.local.package import in_place, site_packages_of, unpack
from orkestra_bridge.local.services.containers import Containers, ContainerSpec
from orkestra_bridge.local.services.engine import (
    REFERENCE,
    RUN_TASK,
    Engine,
    LocalImage,
    engine_command,
    images_of,
)
from orkestra_bridge.local.services.environments import make_environments
from orkestra_bridge.local.services.executions import Executions
from orkestra_bridge.local.services.runner import ServiceTasks
from orkestra_bridge.local.task_modules import with_packages
from orkestra_bridge.naming import execution_name
from orkestra_bridge.packaging.pythons import RUNS, airflow_python
from orkestra_bridge.runtime.asset_events import VARIABLE as EVENTS_VARIABLE
from orkestra_bridge.runtime.container_log import VARIABLE as LOG_VARIABLE
from orkestra_bridge.runtime.context_keys import ASSET_HISTORY, ASSET_STATE, TASK_STATE
from orkestra_bridge.runtime.environments import VARIABLE as ENVIRONMENTS
from orkestra_bridge.runtime.loading import read_manifest
from orkestra_bridge.runtime.storage import VARIABLE as STORE_VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.local.record import RunFolder
    from orkestra_bridge.local.run import RunRequest

DEFINITION = "state_machine.asl.json"
ARCHIVE = "functions/tasks.zip"
TEMPLATE = "template.json"
CONTEXTS = "container*/app"
IMAGE_OUTPUT = "images"
"""Folder in a run's with what images of the user's have printed."""
FUNCTION = "${TasksFunctionArn}"
PARTS = "state_machines"
_OF_TASKS = re.compile(r"TasksRequirements(\d+)")
NAMES = {
    "${JoinsTable}": "joins",
    "${ContainerCluster}": "local",
    **{f"${{ContainerTask{number}}}": "task:1" for number in ("", *range(2, 100))},
    "${ContainerSubnets}": "subnet-0",
    "${ContainerSecurityGroups}": "",
    "${ContainerPublicIp}": "DISABLED",
}
"""What stands where CloudFormation would put names; none of it exists."""

EventSink = Callable[[Event], None]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything that an execution needs, checked.

    Attributes:
        spec: What all functions have in common.
        functions: The DAG's own one, and those of single tasks, by their placeholder in the definition.
        calls_others: True if its tasks start other DAGs or wait for them.
    """

    home: Path
    dag_id: str
    definition: Mapping[str, Json]
    parts: Mapping[str, Json]
    document: Mapping[str, Json]
    spec: FunctionSpec
    functions: Mapping[str, FunctionSpec]
    context: Path | None
    calls_others: bool
    engine: str | None = None
    images: Mapping[str, LocalImage] = field(default_factory=dict)


def prepare(request: RunRequest, document: Mapping[str, Json]) -> Prepared:
    """Return what a run needs; raises the errors that `run_dag` names."""
    home = request.out.resolve()
    definition = _definition(home, request.dag_id)
    package = unpack(home / request.dag_id / ARCHIVE, home / RUNS)
    spec = FunctionSpec(
        task_root=package.root,
        python=request.python,
        site_packages=site_packages_of(request.python),
        modules=package.modules,
        distributions=package.distributions,
        preload=package.preload,
        preload_path=(package.facade,),
        keeps_bytecode=package.keeps_bytecode,
        memory=request.memory,
        environment={**airflow_settings(os.environ), **request.environment},
    )
    parts = _parts(home / request.dag_id / PARTS)
    runs_images = any(RUN_TASK in json.dumps(each) for each in (definition, *parts.values()))
    return Prepared(
        home=home,
        dag_id=request.dag_id,
        definition=definition,
        parts=parts,
        document=document,
        spec=spec,
        functions=_functions(
            home / request.dag_id / TEMPLATE, spec, with_packages(spec, package.of_tasks, home / RUNS)
        ),
        context=next(iter(sorted((home / request.dag_id).glob(CONTEXTS))), None),
        calls_others=package.calls_others,
        engine=engine_command(request.container_command) if runs_images else None,
        images=_images(home / request.dag_id / TEMPLATE, request) if runs_images else {},
    )


def _images(template: Path, request: RunRequest) -> dict[str, LocalImage]:
    return images_of(template, request.images, request.kubernetes, request.environment)


def _containers(context: Path, function: FunctionSpec, home: Path) -> ContainerSpec:
    """Return what containers are started from; raises LocalRunError if it is broken, or an environment cannot be made."""
    package, manifest = in_place(context), read_manifest(str(context))
    dag_id = manifest["workflow"]["dag_id"]
    folder = make_environments(manifest, home)
    made = {ENVIRONMENTS: str(folder)} if folder else {}
    usual = ContainerSpec(
        root=package.root,
        python=function.python,
        site_packages=function.site_packages,
        modules=package.modules,
        distributions=package.distributions,
        environment={**function.environment, **made},
        airflow=airflow_python(home, dag_id) or function.python,
        in_airflow=frozenset(
            each["task_id"]
            for each in manifest["workflow"]["tasks"]
            if (each.get("container") or {}).get("airflow")
        ),
    )
    of_tasks = with_packages(usual, package.of_tasks, home)
    by_task = {
        task_id: of_tasks[number] for number, each in package.of_tasks.items() for task_id in each.task_ids
    }
    return replace(usual, of_tasks=by_task)


def _functions(
    template: Path, spec: FunctionSpec, of_tasks: Mapping[str, FunctionSpec]
) -> dict[str, FunctionSpec]:
    """Return the functions of the template by the placeholder of their ARN: they differ in timeouts and packages.

    A machine that somebody has written by hand has the DAG's own one.
    """
    if not template.is_file():
        return {FUNCTION: spec}
    return {
        f"${{{name}Arn}}": replace(
            of_tasks.get(_number(name), spec), name=name, timeout=float(resource["Properties"]["Timeout"])
        )
        for name, resource in read_json(template)["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Function"
    }


def _number(name: str) -> str:
    """Return the number of the packages that a function has for its tasks, empty for the DAG's own ones."""
    found = _OF_TASKS.match(name)
    return found[1] if found else ""


def _definition(home: Path, dag_id: str) -> dict[str, Json]:
    path = home / dag_id / DEFINITION
    if not path.is_file():
        known = sorted(found.parent.name for found in home.glob(f"*/{DEFINITION}"))
        listed = f"it has {', '.join(known)}" if known else "it has no DAG at all"
        message = f"there is no DAG {dag_id!r} in {home}: {listed}"
        raise UsageError(message, remedy="convert it first, or name another")
    return read_json(path)


def _parts(folder: Path) -> dict[str, Json]:
    """Return the definitions of a DAG's parts by name, ``part-1`` and so on; none if it has one state machine."""
    return {path.name.partition(".")[0]: read_json(path) for path in folder.glob("*.asl.json")}


def read_json(path: Path) -> dict[str, Json]:
    """Return what a file of OUT has; raises LocalRunError if it cannot be read."""
    try:
        definition: dict[str, Json] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise LocalRunError(f"{path} cannot be read: {problem}", remedy="convert the DAG again") from problem
    return definition


def storing(prepared: Prepared, folder: RunFolder) -> Prepared:
    """Return the run with its folders, where no others are given.

    They are for large XComs, for what tasks store (with assets in one for all runs), for events and for images' output.
    """
    environment = {
        STORE_VARIABLE: str(folder.xcoms),
        TASK_STATE: str(folder.task_state),
        ASSET_STATE: str(prepared.home / RUNS / MEMORY / "state"),
        ASSET_HISTORY: str(prepared.home / RUNS / MEMORY / "events"),
        EVENTS_VARIABLE: str(folder.asset_events),
        LOG_VARIABLE: str(folder.path / IMAGE_OUTPUT),
        **prepared.spec.environment,
    }
    return replace(prepared, spec=replace(prepared.spec, environment=environment))


async def run_prepared(
    prepared: Prepared,
    clock: Clock,
    folder: RunFolder,
    sinks: Sequence[EventSink],
    environment: Mapping[str, str],
) -> Execution:
    """Return how the execution ended; ``environment`` are further variables of its function."""

    def hear(event: Event) -> None:
        for sink in sinks:
            sink(event)

    spec = replace(prepared.spec, environment={**prepared.spec.environment, **environment})
    tokens = TaskTokens()
    arns = {name: f"{ARN}:stateMachine:{prepared.dag_id}-{name}" for name in prepared.parts}
    specs = {
        placeholder: replace(each, environment=spec.environment)
        for placeholder, each in prepared.functions.items()
    }
    names = {**{placeholder: each.arn for placeholder, each in specs.items()}, **NAMES}
    for name, image in prepared.images.items():
        names |= {f"${{{name}}}": name, f"${{{name}{REFERENCE}}}": image.reference}
    names |= {f"${{{name.title().replace('-', '')}Arn}}": arn for name, arn in arns.items()}
    machines = {arns[name]: filled(part, names) for name, part in prepared.parts.items()}
    executions = Executions(machines, clock=clock, tokens=tokens, on_event=hear)
    async with AsyncExitStack() as stack:
        pools = {each.arn: await stack.enter_async_context(FunctionPool(each)) for each in specs.values()}
        containers = None
        if prepared.context is not None:
            started_from = _containers(prepared.context, spec, prepared.home)
            containers = await stack.enter_async_context(Containers(started_from, clock, folder.log_named))
        images = None
        if prepared.engine is not None:
            output = folder.path / IMAGE_OUTPUT
            images = Engine(prepared.engine, prepared.images, clock, folder.log_named, output)
        functions = LambdaTasks(pools, clock, folder.log_of)
        return await execute(
            filled(prepared.definition, names),
            prepared.document,
            tasks=ServiceTasks(functions, executions, containers, images),
            clock=clock,
            on_event=hear,
            name=execution_name(prepared.document["run_id"]),
            machine=prepared.dag_id,
            tokens=tokens,
        )


def filled(value: Json, names: Mapping[str, str]) -> Json:
    """Return the definition with the names where CloudFormation would put them."""
    if isinstance(value, dict):
        return {key: filled(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    if isinstance(value, str) and "${" in value:
        for name, replacement in names.items():
            value = value.replace(name, replacement)
    return value
