"""The import paths of DAG files, the absent ones included."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import pytest

from orkestra_bridge.packaging.isolation import ListedModulesFinder
from orkestra_bridge.runtime.loading import FACADE

pytestmark = pytest.mark.usefixtures("facade")


def table() -> Any:
    import_module("airflow")
    return import_module("airflow._impl.paths")


def test_every_name_of_every_path_is_there(facade: Any) -> None:
    paths = table()
    for path in paths.MODULES:
        only_2 = any(path == name or path.startswith(name + ".") for name in paths.ONLY_2)
        facade.configure(version="2.11.2" if only_2 else "3.3.2", dags_folder="")
        module = import_module(path)
        for name in module.__all__:
            found = getattr(module, name)
            assert found is not None or name == "NEW_SESSION", f"{path}.{name}"


@pytest.mark.parametrize(
    "statement",
    [
        "from airflow import DAG, Dataset",
        "import airflow.operators.python as p; p.PythonOperator",
        "from airflow.operators import python; python.get_current_context",
        "from airflow.utils import timezone; timezone.utcnow()",
        "from airflow.providers.standard.operators.bash import BashOperator",
        "from airflow.models.baseoperator import chain, cross_downstream",
        "import airflow; airflow.models.Variable",
    ],
)
def test_imports_as_people_write_them(statement: str) -> None:
    exec(statement, {})
    assert Path(FACADE).is_dir()


def test_both_spellings_lead_to_one_class() -> None:
    new = import_module("airflow.providers.standard.operators.python").PythonOperator
    assert import_module("airflow.operators.python").PythonOperator is new


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("from airflow.operators.python import NoOperator", "NoOperator.*airflow.operators.python"),
        ("from airflow.models import Nothing", "'Nothing' from 'airflow.models'"),
        ("import airflow.executors.local_executor", "airflow.executors"),
        ("import airflow.providers.nobody.hooks", "airflow.providers.nobody"),
        ("from airflow.operators.nothing import X", r"airflow\.operators\.nothing"),
        ("from airflow.utils.dates import days_ago", r"airflow\.utils\.dates"),
    ],
)
def test_what_is_not_there_says_so_and_what_to_do(statement: str, words: str) -> None:
    with pytest.raises(ImportError, match=words) as caught:
        exec(statement, {})
    assert "boto3" in str(caught.value)


def test_what_needs_a_database_can_be_imported_and_says_so_when_it_is_used(facade: Any) -> None:
    names: dict[str, Any] = {}
    exec("from airflow.models import DagBag, DagModel\nfrom airflow.settings import Session", names)
    bag: Any = names["DagBag"]
    for use in (bag, lambda: names["DagModel"].get_current("d")):
        with pytest.raises(Exception, match=r"(DagBag|DagModel).*no Airflow database") as caught:
            use()
        assert type(caught.value).__name__ == "AirflowException"
    assert [name for _, name, _ in facade.SETTINGS.absent] == ["DagBag", "DagModel", "Session"]


def test_airflow_1_paths_lead_to_the_provider_that_is_installed(facade: Any, tmp_path: Path) -> None:
    folder = tmp_path / "airflow/providers/postgres/hooks"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    (folder / "postgres.py").write_text("class PostgresHook: ...")
    facade.configure(version="2.11.2", dags_folder="")
    sys.path.append(str(tmp_path))
    try:
        names: dict[str, Any] = {}
        exec("from airflow.hooks.postgres_hook import PostgresHook", names)
        exec("from airflow.providers.postgres.hooks import postgres", names)
        assert names["PostgresHook"] is names["postgres"].PostgresHook
        with pytest.raises(ImportError, match=r"airflow\.providers\.mysql"):
            exec("from airflow.hooks.mysql_hook import MySqlHook", {})
    finally:
        sys.path.remove(str(tmp_path))
        facade.configure(version="3.3.2", dags_folder="")
    with pytest.raises(ImportError, match="postgres_hook"):
        exec("from airflow.hooks.postgres_hook import PostgresHook", {})


def test_a_fallback_import_goes_the_way_it_went_in_that_airflow(facade: Any) -> None:
    source = "try:\n    import airflow.sdk\n    found = 3\nexcept ImportError:\n    found = 2"
    for version, major in (("3.3.2", 3), ("2.11.2", 2)):
        facade.configure(version=version, dags_folder="")
        names: dict[str, Any] = {}
        exec(source, names)
        assert names["found"] == major


def test_the_version_is_the_one_that_parsed_the_file(facade: Any) -> None:
    import airflow

    facade.configure(version="2.9.3", dags_folder="")
    assert airflow.__version__ == "2.9.3"
    assert import_module("airflow.version").version == "2.9.3"


def test_an_unknown_decorator_is_named() -> None:
    task = import_module("airflow.decorators").task
    with pytest.raises(AttributeError, match=r"@task\.pyspark .*@task\.bash"):
        _ = task.pyspark


def test_a_provider_keeps_the_modules_that_the_facade_does_not_have(tmp_path: Path) -> None:
    """Preflight finds providers by a finder of its own, and not by ``sys.path``."""
    folder = tmp_path / "airflow/providers/cncf/kubernetes"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "secret.py").write_text("class Secret: ...")
    before = set(sys.modules)
    finder = ListedModulesFinder([str(tmp_path)], ["airflow.providers.cncf.kubernetes"])
    sys.meta_path.append(finder)  # as `isolate` does
    try:
        names: dict[str, Any] = {}
        exec(
            "from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator as Pod", names
        )
        exec("from airflow.providers.cncf.kubernetes.secret import Secret", names)
        assert names["Pod"].__module__ == "airflow._impl.images"
        assert names["Secret"].__module__ == "airflow.providers.cncf.kubernetes.secret"
    finally:
        sys.meta_path.remove(finder)
        for name in set(sys.modules) - before:
            if name.startswith("airflow.providers.cncf"):
                del sys.modules[name]


def test_programs_are_started_and_their_failure_is_told(caplog: pytest.LogCaptureFixture) -> None:
    processes = import_module("airflow.utils.process_utils")
    with caplog.at_level("INFO"), processes.patch_environ({"WORD": "hello"}):
        processes.execute_in_subprocess(["sh", "-c", "echo $WORD"])
        with pytest.raises(CalledProcessError):
            processes.execute_in_subprocess(["sh", "-c", "exit 3"])
    assert "hello" in caplog.messages
    assert "WORD" not in os.environ


def test_airflows_own_examples_find_what_stands_beside_them(facade: Any, tmp_path: Path) -> None:
    """Each package has a DAG folder of its own, and only what is in it."""
    for number in (1, 2):
        folder = tmp_path / str(number) / "libs"
        folder.mkdir(parents=True)
        (folder / "helper.py").write_text(f"NUMBER = {number}")
        facade.configure(version="3.3.2", dags_folder=str(folder.parent))
        assert number == import_module("airflow.example_dags.libs.helper").NUMBER
        with pytest.raises(ImportError, match=r"airflow\.example_dags\.plugins.*not the whole"):
            import_module("airflow.example_dags.plugins.own")
    facade.configure(version="3.3.2", dags_folder="")
    with pytest.raises(ImportError, match=r"airflow\.example_dags"):
        import_module("airflow.example_dags.libs.helper")
