"""Real packages, loaded in the preflight's own process."""

from __future__ import annotations

import os
import sqlite3
import sysconfig
import time
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, final

import pytest
from packages import dag_file, environment, installed, write_tree
from workflows import a_task, a_workflow

from orkestra_bridge.options import Target
from orkestra_bridge.packaging.build import build_package
from orkestra_bridge.packaging.preflight import Preflight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.frontend.model import Environment
    from orkestra_bridge.ir.model import Workflow

GOOD = """\
from datetime import datetime
from airflow import DAG
from airflow.operators.python import PythonOperator

with DAG("example", start_date=datetime(2024, 1, 1), schedule=None):
    a = PythonOperator(task_id="a", python_callable=print)
    b = PythonOperator(task_id="b", python_callable=print)
    a >> b
"""
WORKFLOW = a_workflow(a_task("a", line=6), a_task("b", "a", line=7))


@final
@dataclass(frozen=True)
class Checker:
    """Builds a package from sources and checks it."""

    preflight: Preflight
    where: Environment
    root: Path

    def __call__(self, source: str, workflow: Workflow = WORKFLOW, **modules: str) -> tuple[Finding, ...]:
        files = {f"{name.replace('__', '/')}.py": text for name, text in modules.items()}
        file = dag_file(write_tree(self.root, {"dag.py": dedent(source), **files}))
        package = build_package(workflow, file, self.where, Target()).package
        return self.preflight.check(workflow, file, package)

    def below(self, name: str) -> Checker:
        return replace(self, root=self.root / name)


@pytest.fixture(scope="module")
def here() -> Environment:
    return environment(Path(sysconfig.get_path("purelib")))


@pytest.fixture(scope="module")
def preflight(here: Environment) -> Iterator[Preflight]:
    with Preflight(here, None, timeout=20) as preflight:
        yield preflight


@pytest.fixture
def check(preflight: Preflight, here: Environment, tmp_path: Path) -> Checker:
    return Checker(preflight, here, tmp_path)


def only(findings: tuple[Finding, ...]) -> tuple[str, str, str]:
    (finding,) = findings
    assert finding.dag_id == "example"
    assert finding.remedy
    return finding.id, f"{finding.file}:{finding.line}", finding.message


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_package_that_loads_as_airflow_saw_it(check: Checker) -> None:
    assert check(GOOD) == ()


def test_other_tasks(check: Checker) -> None:
    lacks, has = check(GOOD, a_workflow(a_task("a"), a_task("other", "a")))
    assert (lacks.id, lacks.message) == ("OB416", "the package lacks other, which Airflow saw")
    assert (has.id, has.message) == ("OB416", "the package has b, which Airflow did not see")


def test_other_edges(check: Checker) -> None:
    rule, place, message = only(check(GOOD, a_workflow(a_task("a"), a_task("b", line=7))))
    assert (rule, place) == ("OB417", "dags/dag.py:7")
    assert message == "it waits for a in the package, in Airflow for nothing"


def test_another_class(check: Checker) -> None:
    workflow = a_workflow(a_task("a", operator="BashOperator", line=6), a_task("b", "a"))
    rule, place, message = only(check(GOOD, workflow))
    assert (rule, place) == ("OB418", "dags/dag.py:6")
    assert message == "it is a PythonOperator in the package, Airflow saw a BashOperator"


def test_another_dag(check: Checker) -> None:
    rule, _, message = only(check(GOOD.replace('"example"', '"renamed"')))
    assert rule == "OB416"
    assert "renamed" in message


def test_the_dags_of_one_file_are_loaded_once(here: Environment, tmp_path: Path) -> None:
    source = """\
        from airflow import DAG
        from airflow.operators.empty import EmptyOperator
        for name in ("x", "y"):
            with DAG(f"dag_{name}") as globals()[name]:
                EmptyOperator(task_id=f"task_{name}")
        """
    file = dag_file(write_tree(tmp_path, {"dag.py": dedent(source)}))
    found = {}
    with Preflight(here, tmp_path / "cache") as preflight:
        for name, task in (("gone", "t"), ("dag_x", "task_x"), ("dag_y", "task_y"), ("dag_y", "other")):
            workflow = a_workflow(a_task(task, operator="EmptyOperator"), dag_id=name)
            package = build_package(workflow, file, here, Target()).package
            found[name, task] = [each.message for each in preflight.check(workflow, file, package)]
    assert found == {
        ("gone", "t"): ["the package does not make this DAG; it makes dag_x, dag_y"],
        ("dag_x", "task_x"): [],
        ("dag_y", "task_y"): [],
        ("dag_y", "other"): [
            "the package lacks other, which Airflow saw",
            "the package has task_y, which Airflow did not see",
        ],
    }
    with closing(sqlite3.connect(tmp_path / "cache" / "preflight.db")) as answers:
        assert answers.execute("select count(*) from kept").fetchone() == (1,)


def test_a_name_that_the_facade_lacks(check: Checker) -> None:
    rule, place, message = only(check("import os\nfrom airflow.models import Nothing\n"))
    assert (rule, place) == ("OB411", "dags/dag.py:2")
    assert "airflow.models.Nothing" in message


def test_a_module_that_the_facade_lacks(check: Checker) -> None:
    helper = "\n\nimport airflow.providers.snowflake.hooks\n"
    rule, place, message = only(check("import helper\n", helper=helper))
    assert (rule, place) == ("OB411", "dags/helper.py:3")
    assert "airflow.providers.snowflake" in message


def test_an_import_that_only_this_machine_has(check: Checker) -> None:
    rule, place, message = only(
        check("import importlib\nname = 'py' + 'test'\nimportlib.import_module(name)\n")
    )
    assert (rule, place) == ("OB412", "dags/dag.py:3")
    assert "No module named 'pytest'" in message


def test_a_local_module_that_was_not_seen(check: Checker) -> None:
    rule, _, message = only(
        check("import importlib\nimportlib.import_module('plugins.' + 'x')\n", plugins__x="")
    )
    assert rule == "OB412"
    assert "plugins" in message


def test_a_module_from_a_folder_of_this_machine(check: Checker, tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "elsewhere", {"shared_tools.py": ""})
    source = f"import sys\nsys.path.append(''.join([{str(folder)!r}, '/']))\nimport shared_tools\n{GOOD}"
    rule, _, message = only(check.below("dags")(source))
    assert rule == "OB403"
    assert message.startswith("shared_tools was loaded from a folder of this machine")


def test_a_file_of_this_machine(check: Checker, tmp_path: Path) -> None:
    write_tree(tmp_path, {"config.yml": "x"})
    source = f"import os\ntext = open(''.join([{str(tmp_path)!r}, '/config.yml'])).read()\n{GOOD}"
    rule, place, message = only(check(source))
    assert (rule, place) == ("OB423", "dags/dag.py:2")
    assert "config.yml" in message
    assert str(tmp_path) not in message


def test_a_file_that_is_not_in_the_package(check: Checker) -> None:
    name = "os.environ.get('X', 'a.txt')"
    rule, place, message = only(check(f"import os\nopen(os.path.join(os.path.dirname(__file__), {name}))\n"))
    assert (rule, place) == ("OB422", "dags/dag.py:2")
    assert "reads a.txt" in message


def test_an_environment_variable(check: Checker) -> None:
    rule, place, message = only(check("import os\n\nbucket = os.environ['BUCKET']\n"))
    assert (rule, place) == ("OB421", "dags/dag.py:3")
    assert "BUCKET" in message


@pytest.mark.parametrize(
    ("source", "line", "word"),
    [
        ("import sys\nsys.exit(3)\n", 2, "sys.exit(3)"),
        ("import os\nos._exit(4)\n", 1, "exit code 4"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", 1, "signal 11"),
    ],
)
def test_an_end_of_the_process(check: Checker, source: str, line: int, word: str) -> None:
    rule, place, message = only(check(source))
    assert (rule, place) == ("OB414", f"dags/dag.py:{line}")
    assert word in message


def test_any_other_exception(check: Checker) -> None:
    rule, place, message = only(check("import helper\nhelper.f()\n", helper="def f():\n    return 1 / 0\n"))
    assert (rule, place) == ("OB413", "dags/helper.py:2")
    assert message == "loading the package fails with ZeroDivisionError: division by zero"


def test_output_is_told_and_disturbs_nothing(check: Checker) -> None:
    noise = "import os, sys\nprint('{\"status\": 1}')\nos.write(1, b'raw')\nprint('x', file=sys.stderr)\n"
    rule, _, message = only(check(noise + GOOD))
    assert rule == "OB419"
    assert "status" in message


def test_what_is_told_has_the_paths_of_lambda(check: Checker) -> None:
    rule, _, message = only(check("print(__file__)\n" + GOOD))
    assert rule == "OB419"
    assert "'/var/task/source/dag.py'" in message
    failed = only(check.below("other")("raise ValueError(__file__)\n"))
    assert failed[2].endswith("ValueError: /var/task/source/dag.py")


def test_a_package_that_hangs(here: Environment, tmp_path: Path) -> None:
    with Preflight(here, None, timeout=1) as preflight:
        check = Checker(preflight, here, tmp_path)
        rule, place, _ = only(check.below("one")("import time\nwhile True: time.sleep(0.01)\n"))
        assert (rule, place) == ("OB415", "dags/dag.py:2")
        stubborn = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)\n"
        assert only(check.below("two")(stubborn))[0] == "OB415"
        assert check.below("three")(GOOD) == ()


def test_packages_do_not_see_each_other(check: Checker) -> None:
    first = "import common, os\nos.environ['LEFT'] = '1'\n"
    assert check.below("one")(first + GOOD, common="x = 1\n") == ()
    second = "import common, os\nassert common.x == 2\nassert 'LEFT' not in os.environ\n"
    assert check.below("two")(second + GOOD, common="x = 2\n") == ()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("import sys; sys.path.append('/left/behind')", "import sys; assert '/left/behind' not in sys.path"),
        ("import os; os.chdir('/')", "import os; assert os.getcwd() != '/'"),
        (
            "import warnings; warnings.simplefilter('error')",
            "import warnings; warnings.warn('x', stacklevel=1)",
        ),
        ("import textwrap; textwrap.dedent = None", "import textwrap; textwrap.dedent('1')"),
        ("import builtins; builtins.left = 1", "import builtins; assert not hasattr(builtins, 'left')"),
        ("import common", "import sys; assert 'common' not in sys.modules"),
    ],
)
def test_what_a_package_changes_does_not_fail_the_next(
    here: Environment, tmp_path: Path, first: str, second: str
) -> None:
    with Preflight(here, None) as preflight:
        check = Checker(preflight, here, tmp_path)
        assert check.below("one")(f"{first}\n{GOOD}", common="") == ()
        assert check.below("two")(f"{second}\n{GOOD}") == ()


def test_only_listed_distributions_can_be_imported(here: Environment, tmp_path: Path) -> None:
    site = tmp_path / "site"
    installed(site, "listed", "1.5", {"listed/__init__.py": "", "listed/sub.py": ""})
    installed(site, "unlisted", "1", {"unlisted.py": ""})
    where = replace(here, site_packages=(*here.site_packages, site))
    source = """\
        from importlib.metadata import version
        import listed.sub
        assert version("listed") == "1.5"
        try:
            import unlisted
        except ImportError:
            unlisted = None
        else:
            raise RuntimeError("it should not be here")
        """
    file = dag_file(write_tree(tmp_path / "dags", {"dag.py": dedent(source) + GOOD}))
    package = build_package(WORKFLOW, file, where, Target()).package
    kept = tuple(each for each in package.requirements if each.name != "unlisted")
    with Preflight(where, None) as preflight:
        assert preflight.check(WORKFLOW, file, replace(package, requirements=kept, load_hash="other")) == ()
        assert "it should not be here" in only(preflight.check(WORKFLOW, file, package))[2]


def test_what_is_loaded_ahead_is_not_there_for_others(here: Environment, tmp_path: Path) -> None:
    site = tmp_path / "site"
    installed(site, "heavy", "1", {"heavy/__init__.py": "", "heavy/part.py": ""})
    where = replace(here, site_packages=(*here.site_packages, site))
    with Preflight(where, None) as preflight:
        check = Checker(preflight, where, tmp_path)
        for name in ("one", "two", "three"):
            assert check.below(name)("import heavy.part\n" + GOOD) == ()
        source = "import sys\nassert not [n for n in sys.modules if n.startswith('heavy')]\n"
        assert check.below("four")(source + GOOD) == ()


def test_an_answer_is_kept_for_the_same_package(here: Environment, tmp_path: Path) -> None:
    file = dag_file(write_tree(tmp_path / "dags", {"dag.py": "print('hello')\n" + GOOD}))
    package = build_package(WORKFLOW, file, here, Target()).package
    with Preflight(here, tmp_path / "cache") as preflight:
        first = preflight.check(WORKFLOW, file, package)
    assert [finding.id for finding in first] == ["OB419"]
    with Preflight(replace(here, python=tmp_path / "gone"), tmp_path / "cache") as preflight:
        again = preflight.submit(WORKFLOW, file, package)
        assert again.done()
        assert again.result() == first


def test_a_python_that_cannot_be_started(here: Environment, tmp_path: Path) -> None:
    where = replace(here, python=tmp_path / "python")
    with Preflight(where, None) as preflight:
        rule, _, message = only(Checker(preflight, where, tmp_path)(GOOD))
    assert rule == "OB424"
    assert "No such file" in message


def test_a_python_that_is_too_old(here: Environment, tmp_path: Path) -> None:
    where = replace(here, python_version="3.9.1")
    with Preflight(where, None) as preflight:
        rule, _, message = only(Checker(preflight, where, tmp_path)(GOOD))
    assert rule == "OB424"
    assert "3.9.1" in message


def test_nothing_is_left_behind(here: Environment, tmp_path: Path) -> None:
    with Preflight(here, None) as preflight:
        check = Checker(preflight, here, tmp_path)
        assert check(f"{GOOD}# {'x' * 1_000_000}\n") == ()
        scratch = preflight.scratch
        assert scratch is not None
        # What is small stays until the end.
        assert [path.name for path in scratch.iterdir() if not path.name.startswith("runtime-")] == []
        assert check(GOOD) == ()
    assert not scratch.exists()


def test_an_interrupted_check_leaves_no_process(here: Environment, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    source = f"import os, time\nopen({str(note)!r}, 'w').write(f'{{os.getpid()}}.')\ntime.sleep(600)\n"
    file = dag_file(write_tree(tmp_path / "dags", {"dag.py": source}))
    package = build_package(WORKFLOW, file, here, Target()).package
    with suppress(KeyboardInterrupt), Preflight(here, None) as preflight:
        preflight.submit(WORKFLOW, file, package)
        wait_until(lambda: note.exists() and note.read_text().endswith("."))
        raise KeyboardInterrupt
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text().rstrip(".")), 0)


def test_many_at_once_keep_their_own_answers(preflight: Preflight, here: Environment, tmp_path: Path) -> None:
    futures = []
    for number in range(6):
        source = GOOD if number % 2 else "import nothing_like_this\n" + GOOD
        file = dag_file(write_tree(tmp_path / str(number), {"dag.py": source}))
        package = build_package(WORKFLOW, file, here, Target()).package
        futures.append(preflight.submit(WORKFLOW, file, package))
    assert [len(future.result()) for future in futures] == [1, 0, 1, 0, 1, 0]


def test_a_name_that_fails_when_it_is_used_is_a_warning(check: Checker) -> None:
    for _ in range(2):  # also where the process has seen it before
        findings = check("import os\nfrom airflow.models import DagModel\nfrom airflow import DAG\n")
        (finding,) = (each for each in findings if each.id == "OB425")
        assert (finding.line, finding.severity.value) == (2, "warning")
        assert "airflow.models.DagModel" in finding.message
