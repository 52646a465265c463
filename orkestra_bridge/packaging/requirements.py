"""Import names -> distributions, and all that those need, each with the version the DAG was parsed with.

Markers (PEP 508) are evaluated for the target, not for this machine. Airflow is never a requirement: the package has
the facade. Its providers are, without what their distributions require, but with what those of their modules import
that the DAG uses.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, final

from orkestra_bridge.ir.model import SourceSpan, Workflow
from orkestra_bridge.options import Target
from orkestra_bridge.packaging import rules
from orkestra_bridge.packaging.connection_hooks import choose_hooks, hook_classes
from orkestra_bridge.packaging.distributions import Distribution, DistributionIndex, index_of, normalized
from orkestra_bridge.packaging.model import Requirement, ThirdPartyImport
from orkestra_bridge.packaging.providers import (
    ProviderWalk,
    is_built_on_airflow,
    is_core,
    is_provider,
)
from orkestra_bridge.packaging.standard import IN_LAMBDA, REMOVED_FROM_PYTHON

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.frontend.model import Environment
    from orkestra_bridge.packaging.requirements_file import Wanted

RUNTIME_NEEDS = ("jinja2", "pendulum")


def resolve_requirements(
    imports: Iterable[ThirdPartyImport],
    workflow: Workflow,
    environment: Environment,
    target: Target | None = None,
    *,
    span: SourceSpan | None = None,
    finds_hooks: bool = False,
    named: Iterable[Wanted] = (),
) -> tuple[tuple[Requirement, ...], tuple[Finding, ...]]:
    """Return every distribution that the package needs, sorted by name, and what is wrong with the imports.

    The runtime's own needs are included; distributions that Lambda has are marked ``provided``. ``span`` is
    where the DAG is, as the user would type it. ``finds_hooks`` is True if the user's code looks hooks up by
    the type of a connection, so that providers are needed which nothing imports. ``named`` is wanted besides.
    """
    index, span = index_of(environment.site_packages), span or workflow.span
    resolution = _Resolution(
        index=index,
        workflow=workflow,
        target=target or Target(),
        span=span,
        walk=ProviderWalk(index=index, folders=environment.site_packages),
    )
    for found in imports:
        resolution.take_import(found)
    resolution.take_providers(finds_hooks=finds_hooks)
    for each in named:
        resolution.want(each.name, each.extras, f"named in {each.place}")
    for name in _runtime_needs(workflow):
        resolution.want(name, (), "needed by the runtime")
    resolution.follow()
    resolution.follow_here(environment.python_version)
    ordered = sorted(resolution.requirements.values(), key=lambda requirement: normalized(requirement.name))
    return tuple(ordered), tuple(resolution.findings)


def _runtime_needs(workflow: Workflow) -> tuple[str, ...]:
    """Ticks around the scheduled time come from croniter, where dates depend on the one before or after.

    So do those of other DAGs, whose runs are found through boto3.
    """
    schedule = workflow.schedule
    calls = any(task.calls for task in workflow.tasks)
    by_tick = bool(schedule.expressions) and (schedule.data_interval or workflow.catchup)
    ticks = by_tick or (calls and workflow.airflow_version.startswith("2."))
    return (*RUNTIME_NEEDS, *(["croniter"] if ticks else []), *(["boto3"] if calls else []))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    name: str
    extras: tuple[str, ...]
    reason: str


@final
@dataclass(slots=True, kw_only=True)
class _Resolution:
    """One breadth-first walk over Requires-Dist, first what a layer brings, then what Lambda brings."""

    index: DistributionIndex
    workflow: Workflow
    target: Target
    span: SourceSpan
    walk: ProviderWalk
    requirements: dict[str, Requirement] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    ours: list[_Wanted] = field(default_factory=list)
    provided: list[_Wanted] = field(default_factory=list)
    seen: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)

    def take_import(self, found: ThirdPartyImport) -> None:
        owners = self.index.owners(found.module, found.names)
        for owner in owners:
            if is_core(owner.name):
                continue
            if is_built_on_airflow(owner):
                self.walk.take(found, owner)
            else:
                self.want(owner.name, (), f"imported at {found.place}")
        if not owners and not found.optional:
            self.report_missing(found)

    def take_providers(self, *, finds_hooks: bool) -> None:
        """Want the providers that the DAG reaches, and what their modules import."""
        if finds_hooks or self.walk.finds_hooks:
            self.take_hooks()
        for name, reason in self.walk.distributions.items():
            self.want(name, (), reason)
        for found in self.walk.imports:
            for owner in self.index.owners(found.module, found.names):
                self.want(owner.name, (), f"imported at {found.place}")
        if self.walk.left_out:
            self.report_left_out()

    def take_hooks(self) -> None:
        """Take the hooks of the connections that tasks name."""
        place = ThirdPartyImport(module="", names=(), file=self.span.file, line=self.span.line)
        chosen = choose_hooks(self.workflow, list(hook_classes(self.index, self.walk.folders)))
        for hook in (*chosen.known, *chosen.guessed):
            self.walk.take(replace(place, module=hook.module), hook.owner)
        if chosen.guessed:
            names = ", ".join(sorted({hook.owner.name for hook in chosen.guessed}))
            self.findings.append(
                rules.GUESSED_PROVIDERS.at(
                    self.span,
                    f"a hook is chosen by the type of a connection that is not known here; packed: {names}",
                    "set AIRFLOW_CONN_<ID> while converting, if only to its type (postgres://), "
                    "so that the right provider is packed, and no other",
                    dag_id=self.workflow.dag_id,
                )
            )

    def report_left_out(self) -> None:
        missing = {
            name: place
            for name, place in self.walk.left_out.items()
            if normalized(name) not in {normalized(wanted.name) for wanted in (*self.ours, *self.provided)}
        }
        if missing:
            listed = ", ".join(f"{name} ({place})" for name, place in sorted(missing.items()))
            self.findings.append(
                rules.OPTIONAL_LEFT_OUT.at(
                    self.span,
                    f"not packed, although a provider can use it: {listed}",
                    "import what a task does need of it in the DAG file; then it is packed",
                    dag_id=self.workflow.dag_id,
                )
            )

    def report_missing(self, found: ThirdPartyImport) -> None:
        span = SourceSpan(found.file, found.line)
        top = found.module.partition(".")[0]
        gone = REMOVED_FROM_PYTHON.get(top)
        if found.lacking:
            self.findings.append(
                rules.MISSING_LOCAL_MODULE.at(
                    span,
                    f"import of {found.module}: the DAG folder has {top}, but no {found.lacking} in it",
                    f"add {found.lacking}.py or {found.lacking}/__init__.py there, or correct the import",
                    dag_id=self.workflow.dag_id,
                )
            )
        elif gone is None:
            when = "loading the file fails" if not found.deferred else "the task that reaches it fails"
            self.findings.append(
                rules.MISSING_REQUIREMENT.at(
                    span,
                    f"import of {found.module}: {top} is neither in the DAG folder nor installed "
                    f"with the Airflow that parsed it; {when}",
                    f"install the distribution that brings {top} there, add {top} to the DAG folder, or name the "
                    "folder it is in with --pythonpath",
                    dag_id=self.workflow.dag_id,
                )
            )
        elif _version(self.target.python) >= gone:
            self.findings.append(
                rules.REMOVED_MODULE.at(
                    span,
                    f"import of {top}: Python {self.target.python} no longer has it",
                    f"replace {top}, install a distribution that brings it, or build for a Python before "
                    f"{gone[0]}.{gone[1]}",
                    dag_id=self.workflow.dag_id,
                )
            )

    def want(self, name: str, extras: tuple[str, ...], reason: str) -> None:
        queue = self.provided if normalized(name) in IN_LAMBDA else self.ours
        queue.append(_Wanted(name=name, extras=extras, reason=reason))

    def follow(self) -> None:
        """Empty both queues; what only Lambda's own distributions need is Lambda's as well."""
        while self.ours:
            self.add(self.ours.pop(0), provided=False)
        while self.provided or self.ours:
            queue = self.provided or self.ours
            self.add(queue.pop(0), provided=True)

    def follow_here(self, version: str) -> None:
        """Add what only an older Python needs, if this one is: packages are loaded with it for a check, and run here."""
        here = replace(self.target, python=".".join(version.split(".")[:2]))
        waiting = list(self.seen) if here != self.target else []
        while waiting:
            key, extras = waiting.pop()
            distribution = self.index.get(self.requirements[key].name)
            if distribution is None or self.is_walked(distribution):
                continue
            for name, more in _needs(distribution, extras, here):
                found = self.index.get(name)
                if found is not None and not is_core(name) and normalized(name) not in self.requirements:
                    reason = f"needed by {distribution.name} for Python {here.python}"
                    wanted = _Wanted(name=name, extras=more, reason=reason)
                    other = _requirement(found, wanted, provided=True)
                    self.requirements[normalized(name)] = replace(other, elsewhere=True)
                    waiting.append((normalized(name), more))

    def is_walked(self, distribution: Distribution) -> bool:
        """Return True for a provider whose needs have been read from its modules."""
        return is_provider(distribution.name) and distribution.name in self.walk.distributions

    def add(self, wanted: _Wanted, *, provided: bool) -> None:
        key = normalized(wanted.name)
        if is_core(key) or (key, wanted.extras) in self.seen:
            return
        self.seen.add((key, wanted.extras))
        distribution = self.index.get(wanted.name)
        if key not in self.requirements:
            self.requirements[key] = _requirement(distribution, wanted, provided=provided)
            self.report_origin(distribution, wanted)
        if distribution is None:
            return
        if self.is_walked(distribution):
            return
        for name, extras in _needs(distribution, wanted.extras, self.target):
            self.want(name, extras, f"needed by {distribution.name}")

    def report_origin(self, distribution: Distribution | None, wanted: _Wanted) -> None:
        if distribution is None:
            return
        if distribution.folder or distribution.url:
            origin = distribution.url or "a folder of this machine"
            self.findings.append(
                rules.UNPUBLISHED.at(
                    self.span,
                    f"{distribution.name} ({wanted.reason}) was installed from {origin}, not from an index",
                    "publish it to the index you install from, so that every machine builds the same layer",
                    dag_id=self.workflow.dag_id,
                )
            )


def _requirement(distribution: Distribution | None, wanted: _Wanted, *, provided: bool) -> Requirement:
    plain = Requirement(name=wanted.name, version="", modules=(), provided=provided, reason=wanted.reason)
    if distribution is None:
        return plain
    return replace(
        plain,
        name=distribution.name,
        version=distribution.version,
        modules=distribution.modules,
        pure=distribution.pure,
    )


@lru_cache(maxsize=2048)
def _needs(
    distribution: Distribution, extras: tuple[str, ...], target: Target
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(_parsed_needs(distribution, extras, target))


def _parsed_needs(
    distribution: Distribution, extras: tuple[str, ...], target: Target
) -> Iterator[tuple[str, tuple[str, ...]]]:
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as Parsed

    for line in distribution.requires:
        try:
            parsed = Parsed(line)
        except InvalidRequirement:
            continue
        environments = [{**marker_environment(target), "extra": extra} for extra in extras or ("",)]
        if parsed.marker is None or any(parsed.marker.evaluate(each) for each in environments):
            yield parsed.name, tuple(sorted(parsed.extras))


def marker_environment(target: Target) -> dict[str, str]:
    """Return the values of PEP 508's markers in Lambda: CPython on Amazon Linux."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{target.python}.0",
        "os_name": "posix",
        "platform_machine": "aarch64" if target.architecture == "arm64" else "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{target.python}.0",
        "python_version": target.python,
        "sys_platform": "linux",
    }


def _version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")[:2]
    return int(major), int(minor)
