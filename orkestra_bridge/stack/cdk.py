"""The CDK construct: a DAG file in, the resources of its template in your stack.

It converts the file and includes the same template that ``orkestra-bridge convert`` writes, with the packages as CDK
assets. Nothing else imports this module, since `aws_cdk` takes seconds to load.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge.cli.convert import configured_options
from orkestra_bridge.diagnostics import Severity
from orkestra_bridge.errors import BridgeError, UsageError
from orkestra_bridge.options import Overrides
from orkestra_bridge.output import LAYERS
from orkestra_bridge.pipeline import convert
from orkestra_bridge.policy import Allowance
from orkestra_bridge.stack.definitions import ASSETS, KEY
from orkestra_bridge.stack.node import require_node
from orkestra_bridge.stack.states import ASSET_STATES, SHARED_NAME, shared_template

require_node()

import aws_cdk  # noqa: E402 - only where there is Node.js to import it with
from aws_cdk import aws_ecr_assets, aws_s3_assets, cloudformation_include  # noqa: E402
from constructs import Construct  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_iam, aws_stepfunctions

    from orkestra_bridge.options import (
        AirflowSource,
        ConvertOptions,
        Joins,
        LayerMode,
        Maps,
        Project,
        RunsIn,
        Target,
    )
    from orkestra_bridge.report import DagReport

_TASKS, _LAYER, _TAG = "TasksCodeKey", "LayerKey", "ContainerImageTag"


class AssetStateTable(Construct):  # type: ignore[misc]
    """The table in which DAGs share what their tasks store with assets; it stays when its stack is deleted.

    Attributes:
        table_name: For the parameter ``AssetStateTable`` of the DAGs.
    """

    def __init__(self, scope: Construct, construct_id: str, *, table_name: str = SHARED_NAME) -> None:
        """Add the table under a name of its own in the account and region."""
        super().__init__(scope, construct_id)
        with TemporaryDirectory(prefix="orkestra-bridge-") as folder:
            template = Path(folder, "template.json")
            template.write_text(json.dumps(shared_template()), encoding="utf-8")
            include = cloudformation_include.CfnInclude(
                self,
                "Resources",
                template_file=str(template),
                parameters={ASSET_STATES: table_name},
                preserve_logical_ids=False,
            )
        self.table_name: str = include.get_resource("Table").ref


@final
@dataclass(frozen=True, slots=True)
class _Translation:
    """The output of a conversion for one DAG: template, its parameters, packages and images' contexts by parameter."""

    report: DagReport
    template: Path
    defaults: dict[str, Any]
    packages: dict[str, Path]
    images: dict[str, Path]


class AirflowDag(Construct):  # type: ignore[misc]
    """An Airflow DAG as a state machine with its functions, roles, logs and schedule.

    Attributes:
        dag_id: The DAG's id.
        include: The included template; ``include.get_resource("TasksFunction")`` is the L1 construct of that resource.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        dag_file: str | Path,
        dag_id: str | None = None,
        parameters: Mapping[str, str] | None = None,
        configuration: str | Path | None = None,
        airflow: AirflowSource | None = None,
        project: Project | None = None,
        target: Target | None = None,
        layers: LayerMode | None = None,
        joins: Joins | None = None,
        maps: Maps | None = None,
        targets: Mapping[str, RunsIn] | None = None,
        allow: Sequence[str] = (),
        overrides: Overrides | None = None,
        parse_timeout: float | None = None,
        cache: Path | None = None,
    ) -> None:
        """Convert the file and add the DAG's resources.

        Args:
            scope: The stack or construct it belongs to.
            construct_id: Unique in the scope; part of all logical ids.
            dag_file: The file that defines the DAG; modules next to it may be imported.
            dag_id: Which DAG of the file, if it has several.
            parameters: Values of the template's parameters: StateMachineName, ScheduleState, LogLevel, TaskPolicyArn...
            configuration: An orkestra.toml, or a pyproject.toml with ``[tool.orkestra-bridge]``, as `convert` reads it:
                its options, and what it gives this DAG and its tasks. None is looked for. What follows wins over it.
            airflow: What parses the file; the Airflow of this Python by default.
            project: What the file finds around it.
            target: Python, architecture, memory and log retention.
            layers: ``skip`` leaves the layer with third-party packages out.
            joins: ``barrier`` adds waits where a graph does not nest, instead of a table of DynamoDB.
            maps: ``distributed`` makes each instance of a mapped task an execution of its own.
            targets: Patterns of tasks, and ``container`` for those that are to run on Fargate, as in `ConvertOptions`. A
                DAG with such tasks needs the parameter SubnetIds; its image is built and pushed by CDK.
            allow: Ids of findings that must not refuse the DAG, besides those that the configuration allows.
            overrides: Memory, timeout, requirements and events of DAGs and tasks, after those of the configuration.
            parse_timeout: Seconds that the file may take to load.
            cache: A folder for what can be computed again; the user's cache folder by default.

        Raises:
            UsageError: The file, the DAG or a parameter does not exist.
            BridgeError: The DAG was refused; the message has the findings.
        """
        super().__init__(scope, construct_id)
        options = _with(
            configured_options(Path(configuration) if configuration else None, (Path(dag_file),)),
            targets=targets or {},
            allow=allow,
            overrides=overrides or Overrides(),
            airflow=airflow,
            project=project,
            target=target,
            layers=layers,
            joins=joins,
            maps=maps,
            parse_timeout=parse_timeout,
            cache=cache,
        )
        self._platform = _platform(options.target)
        self._add(options, dag_id, parameters or {})

    def _add(self, options: ConvertOptions, dag_id: str | None, parameters: Mapping[str, str]) -> None:
        # both the assets and the template are copied or read at once, so that the folder need not outlive this call
        with TemporaryDirectory(prefix="orkestra-bridge-") as folder:
            translation = _translate(options, Path(folder), dag_id)
            self.dag_id = translation.report.dag_id
            self._contained = bool(translation.images)
            self._annotate(translation.report)
            self.include = cloudformation_include.CfnInclude(
                self,
                "Resources",
                template_file=str(translation.template),
                parameters=self._values(translation, parameters),
                preserve_logical_ids=False,
            )

    @property
    def state_machine(self) -> aws_stepfunctions.IStateMachine:
        """The DAG's state machine, to grant ``start_execution`` on or to take metrics from."""
        from aws_cdk import aws_stepfunctions

        arn = self.include.get_resource("StateMachine").ref
        return self._once(
            "StateMachineRef",
            lambda name: aws_stepfunctions.StateMachine.from_state_machine_arn(self, name, arn),
        )

    @property
    def task_role(self) -> aws_iam.IRole:
        """The role of the tasks: ``bucket.grant_read(dag.task_role)`` gives them what they need on AWS."""
        from aws_cdk import aws_iam

        role = self.include.get_resource("TasksFunctionRole").ref
        return self._once("TaskRoleRef", lambda name: aws_iam.Role.from_role_name(self, name, role))

    @property
    def container_role(self) -> aws_iam.IRole:
        """The role of the tasks that run in containers; raises UsageError if the DAG has none."""
        from aws_cdk import aws_iam

        if not self._contained:
            raise UsageError(f"{self.dag_id} has no tasks in containers", remedy="use task_role")
        role = self.include.get_resource("ContainerTaskRole").ref
        return self._once("ContainerRoleRef", lambda name: aws_iam.Role.from_role_name(self, name, role))

    def _once(self, name: str, make: Any) -> Any:
        return self.node.try_find_child(name) or make(name)

    def _values(self, translation: _Translation, given: Mapping[str, str]) -> dict[str, Any]:
        """Return a value for each parameter of the template, so that the stack has none left."""
        unknown = sorted(set(given) - set(translation.defaults))
        if unknown:
            known = ", ".join(sorted(translation.defaults))
            raise UsageError(f"the template has no parameter {unknown[0]!r}", remedy=f"it has {known}")
        values = {**translation.defaults, **given}
        for parameter, path in translation.packages.items():
            asset = aws_s3_assets.Asset(
                self,
                parameter.removesuffix("Key"),
                path=str(path),
                asset_hash=Path(translation.defaults[parameter]).stem,
                asset_hash_type=aws_cdk.AssetHashType.CUSTOM,
            )
            values["AssetBucket"], values[parameter] = asset.s3_bucket_name, asset.s3_object_key
        if "SubnetIds" in values:
            values |= self._containers(translation.images, values)
        return values

    def _containers(self, images: Mapping[str, Path], values: Mapping[str, str]) -> dict[str, Any]:
        """Return the values of the parameters about containers; CDK builds their images when it deploys."""
        if not values["SubnetIds"]:
            raise UsageError(
                f"{self.dag_id} has tasks that run in containers, and no subnets for them",
                remedy='give parameters={"SubnetIds": "subnet-1,subnet-2"}',
            )
        built: dict[str, Any] = {}
        for parameter, context in images.items():
            name = parameter.replace(_TAG, "ContainerImage")
            asset = aws_ecr_assets.DockerImageAsset(
                self, name, directory=str(context), platform=self._platform
            )
            # CDK has one repository for all of its images
            built |= {"ContainerRepositoryUri": asset.repository.repository_uri, parameter: asset.image_tag}
        return {
            **built,
            **{name: values[name].split(",") for name in ("SubnetIds", "SecurityGroupIds")},
        }

    def _annotate(self, report: DagReport) -> None:
        notes = aws_cdk.Annotations.of(self)
        for finding in report.findings:
            if finding.severity is Severity.WARNING:
                notes.add_warning_v2(f"orkestra-bridge:{finding.id}", str(finding))
            else:
                notes.add_info_v2(f"orkestra-bridge:{finding.id}", str(finding))


def _with(
    configured: ConvertOptions,
    *,
    targets: Mapping[str, RunsIn],
    allow: Sequence[str],
    overrides: Overrides,
    **given: Any,
) -> ConvertOptions:
    """Return the configuration's options with the arguments after them; those that are None say nothing."""
    both = {
        each.name: (*getattr(configured.overrides, each.name), *getattr(overrides, each.name))
        for each in fields(Overrides)
    }
    return replace(
        configured,
        targets={**configured.targets, **targets},
        allow=(*configured.allow, *map(Allowance, allow)),
        overrides=Overrides(**both),
        **{name: value for name, value in given.items() if value is not None},
    )


def _platform(target: Target) -> Any:
    arm = target.architecture == "arm64"
    return aws_ecr_assets.Platform.LINUX_ARM64 if arm else aws_ecr_assets.Platform.LINUX_AMD64


def _translate(options: ConvertOptions, folder: Path, dag_id: str | None) -> _Translation:
    [path] = options.paths
    conversion = convert(replace(options, out=folder))
    report = _chosen(conversion.report.dags, path, dag_id)
    if report is None or report.verdict == "refused":
        findings = (*conversion.report.findings, *(report.findings if report else ()))
        errors = [str(finding) for finding in findings if finding.severity is Severity.ERROR]
        raise BridgeError(
            f"{path} cannot be translated: {'; '.join(errors) or 'it defines no DAG'}",
            remedy="see the remedy of each finding",
        )
    template = folder / report.dag_id / "template.json"
    parameters = json.loads(template.read_text(encoding="utf-8"))["Parameters"]
    defaults = {name: parameter.get("Default", "") for name, parameter in parameters.items()}
    packages = {
        name: folder / report.dag_id / ASSETS / f"{name.removesuffix(KEY)}.json"
        for name in defaults
        if name.endswith(KEY)
    }
    packages |= {_TASKS: folder / report.dag_id / "functions" / "tasks.zip"}
    packages |= {
        name: folder / LAYERS / Path(default).name
        for name, default in defaults.items()
        if name.endswith(_LAYER)
    }
    images = {
        name: folder / report.dag_id / f"container{number and '-'}{number}"
        for name in defaults
        if name.startswith(_TAG)
        for number in [name.removeprefix(_TAG)]
    }
    return _Translation(report, template, defaults, packages, images)


def _chosen(dags: tuple[DagReport, ...], path: Path, dag_id: str | None) -> DagReport | None:
    found = {dag.dag_id: dag for dag in dags}
    if dag_id is None:
        if len(found) > 1:
            raise UsageError(
                f"{path} defines {len(found)} DAGs", remedy=f"set dag_id: {', '.join(sorted(found))}"
            )
        return next(iter(found.values()), None)
    if found and dag_id not in found:
        raise UsageError(f"{path} defines no DAG {dag_id!r}", remedy=f"it has {', '.join(sorted(found))}")
    return found.get(dag_id)
