"""The project's requirements.txt over the versions of the environment that parses: what it says wins, and is said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orkestra_bridge.packaging import rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import SourceSpan
    from orkestra_bridge.packaging.model import Requirement
    from orkestra_bridge.packaging.requirements_file import RequirementsFile


def pinned(
    requirements: tuple[Requirement, ...], file: RequirementsFile, span: SourceSpan, dag_id: str
) -> tuple[tuple[Requirement, ...], tuple[Finding, ...]]:
    """Return the requirements with the versions that the file names, and where these are not what parsed the DAG.

    What Lambda itself has stays as it is there.
    """
    chosen = tuple(_chosen(requirement, file) for requirement in requirements)
    differences = [*_differences(requirements, chosen, file), *_conflicts(chosen, file)]
    findings = []
    if differences:
        findings.append(
            rules.OTHER_VERSION.at(
                span,
                f"packed with other versions than the DAG was parsed with: {'; '.join(differences)}",
                "parse with an environment that has them: --airflow-version with the same --requirements makes one",
                dag_id=dag_id,
            )
        )
    return chosen, tuple(findings)


def _chosen(requirement: Requirement, file: RequirementsFile) -> Requirement:
    wanted = None if requirement.provided else file.exact(requirement.name)
    if wanted is None:
        return requirement
    return replace(requirement, version=wanted.exact, hashes=wanted.hashes)


def _differences(
    before: tuple[Requirement, ...], after: tuple[Requirement, ...], file: RequirementsFile
) -> Iterator[str]:
    for one, other in zip(before, after, strict=True):
        wanted = file.exact(other.name)
        if wanted is not None and one.version != other.version:
            yield f"{other.name} {other.version} ({wanted.place}) for {one.version or 'none'}"


def _conflicts(requirements: tuple[Requirement, ...], file: RequirementsFile) -> Iterator[str]:
    """Yield what has a version that the file does not allow, without naming another one."""
    for requirement in requirements:
        wanted = None if requirement.provided else file.wanted(requirement.name)
        fits = wanted is None or wanted.exact or not requirement.version
        if (
            wanted is not None
            and not fits
            and not wanted.specifier.contains(requirement.version, prereleases=True)
        ):
            yield f"{requirement.name} {requirement.version}, which {wanted.place} does not allow ({wanted.specifier})"
