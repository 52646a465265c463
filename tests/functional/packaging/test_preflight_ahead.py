"""Packages that are loaded before anybody asks for them."""

from __future__ import annotations

import sysconfig
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from packages import dag_file, environment, write_tree
from workflows import a_task, a_workflow

from orkestra_bridge.options import Target
from orkestra_bridge.packaging.build import build_package
from orkestra_bridge.packaging.preflight import Preflight

if TYPE_CHECKING:
    from orkestra_bridge.frontend.model import DagFile
    from orkestra_bridge.packaging.model import LambdaPackage

DAG = """\
from airflow import DAG
from airflow.operators.python import PythonOperator

with DAG("example", schedule=None):
    PythonOperator(task_id="a", python_callable=print)
"""
HERE = environment(Path(sysconfig.get_path("purelib")))
WORKFLOW = a_workflow(a_task("a", line=5))


def package_of(file: DagFile) -> LambdaPackage:
    return build_package(WORKFLOW, file, HERE, Target()).package


class Building:
    """Builds a package, and says when it was asked to."""

    def __init__(self, package: LambdaPackage) -> None:
        self.package = package
        self.asked = threading.Event()

    def __call__(self) -> LambdaPackage:
        self.asked.set()
        return self.package


def a_file(folder: Path, text: str = DAG) -> DagFile:
    return dag_file(write_tree(folder, {"dag.py": text}))


def test_what_was_expected_is_known_when_it_is_asked_for(tmp_path: Path) -> None:
    file = a_file(tmp_path)
    last = Building(package_of(file))
    with Preflight(HERE, None) as preflight:
        preflight.expect(file, lambda: package_of(file))
        preflight.expect(file, last)
        assert last.asked.wait(30)
        answer = preflight.submit(WORKFLOW, file, package_of(file))
        assert answer.done()
        assert answer.result() == ()


def test_a_change_in_between_is_seen(tmp_path: Path) -> None:
    file = a_file(tmp_path)
    before = Building(package_of(file))
    with Preflight(HERE, None) as preflight:
        preflight.expect(file, before)
        preflight.expect(file, last := Building(before.package))
        assert last.asked.wait(30)
        a_file(tmp_path, DAG.replace('"a"', '"other"'))
        findings = preflight.check(WORKFLOW, file, package_of(file))
    assert sorted(finding.id for finding in findings) == ["OB416", "OB416"]


def test_a_guess_that_fails_is_asked_again_when_it_matters(tmp_path: Path) -> None:
    file, built = a_file(tmp_path, f"{DAG}\nimport no_such_module\n"), threading.Event()

    def broken() -> LambdaPackage:
        built.set()
        raise OSError("the file has gone")

    with Preflight(HERE, None) as preflight:
        preflight.expect(file, lambda: package_of(file))
        preflight.expect(file, broken)
        assert built.wait(30)
        (finding,) = preflight.check(WORKFLOW, file, package_of(file))
    assert "no_such_module" in finding.message


def test_nothing_is_guessed_while_somebody_waits(tmp_path: Path) -> None:
    hanging = a_file(tmp_path / "hanging", f"import time\ntime.sleep(600)\n{DAG}")
    good = a_file(tmp_path / "good")
    first, late = Building(package_of(hanging)), Building(package_of(good))
    with Preflight(HERE, None) as preflight:
        preflight.expect(hanging, first)
        preflight.expect(good, late)
        assert first.asked.wait(30)
        assert preflight.check(WORKFLOW, good, package_of(good)) == ()
    assert not late.asked.is_set()
