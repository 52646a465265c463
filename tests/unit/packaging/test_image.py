"""The build context: the package's files, a Dockerfile, and what has to be installed."""

from __future__ import annotations

from dataclasses import replace

from orkestra_bridge.ir.places import Packages
from orkestra_bridge.options import Target
from orkestra_bridge.packaging.image import build_context
from orkestra_bridge.packaging.model import Entry, LambdaPackage, Requirement, TaskPackages


def package(*requirements: Requirement, program: bytes = b"#!/bin/sh\n") -> LambdaPackage:
    entries = (Entry("manifest.json", b"{}"), Entry("source/run.sh", program, executable=True))
    return LambdaPackage(
        dag_id="d",
        entries=entries,
        tree_hash="",
        load_hash="",
        requirements=requirements,
        sources=("run.sh",),
    )


def needed(name: str, version: str = "", *, provided: bool = False) -> Requirement:
    return Requirement(name=name, version=version, modules=(name,), provided=provided, reason="imported")


def files(*requirements: Requirement, target: Target | None = None) -> dict[str, str]:
    entries = build_context(package(*requirements), target or Target()).entries
    return {entry.path: entry.data.decode() for entry in entries}


def test_the_package_is_in_the_context_as_it_is() -> None:
    entries = {entry.path: entry for entry in build_context(package(), Target()).entries}
    assert entries["app/manifest.json"].data == b"{}"
    assert entries["app/source/run.sh"].executable
    assert not entries["app/manifest.json"].executable


def test_what_lambda_has_is_installed_too() -> None:
    text = files(needed("pandas", "2.2.3"), needed("boto3", "1.40.1", provided=True))["requirements.txt"]
    assert text == "boto3==1.40.1\npandas==2.2.3\n"
    assert files(needed("pandas", "2.2.3"))["requirements.txt"] == "pandas==2.2.3\nboto3>=1.34,<2\n"


def test_the_image_is_for_the_target_and_does_not_run_as_root() -> None:
    lines = files(target=Target(python="3.12", architecture="x86_64"))["Dockerfile"].splitlines()
    assert "FROM public.ecr.aws/docker/library/python:3.12-slim" in lines
    assert any("--platform linux/amd64" in line for line in lines)
    assert lines.index("USER 10001") < lines.index(
        'ENTRYPOINT ["python", "-m", "orkestra_bridge.runtime.container"]'
    )
    assert lines.index("USER 10001") > lines.index("COPY app/ /app/")


def test_the_tag_says_what_is_in_the_image() -> None:
    first = build_context(package(), Target())
    assert first.tag == build_context(package(), Target()).tag
    assert first.tag != build_context(package(program=b"other"), Target()).tag
    assert first.tag != build_context(package(needed("pandas")), Target()).tag
    assert len(first.tag) == 32


def test_an_image_for_tasks_with_packages_of_their_own_has_those_within_their_constraints() -> None:
    given = Packages(2, "train.txt")
    own = TaskPackages(
        given=given,
        task_ids=("train",),
        requirements=(needed("pandas", "2.2.3"), replace(needed("torch"), line="torch>=2")),
        constraints=("sympy<2",),
    )
    both = replace(package(needed("pandas", "2.2.3")), of_tasks=(own,))
    theirs = {each.path: each.data.decode() for each in build_context(both, Target(), packages=given).entries}
    assert theirs["requirements.txt"].splitlines()[:3] == [
        "-c requirements-constraints.txt", "pandas==2.2.3", "torch>=2",
    ]  # fmt: skip
    assert theirs["requirements-constraints.txt"] == "sympy<2\n"
    assert "COPY requirements*.txt /tmp/" in theirs["Dockerfile"]
    usual = {each.path: each.data.decode() for each in build_context(both, Target()).entries}
    assert usual["requirements.txt"] == "pandas==2.2.3\nboto3>=1.34,<2\n"
