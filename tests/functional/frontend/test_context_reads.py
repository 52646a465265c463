"""Keys of the context that have no counterpart on AWS are found where code or a template reads them, and nowhere else."""

from __future__ import annotations

import json
import py_compile
import subprocess
from typing import TYPE_CHECKING

from orkestra_bridge.frontend.discovery import discover
from orkestra_bridge.frontend.loader import Frontend
from orkestra_bridge.frontend.worker_context import MISSING
from orkestra_bridge.ir.model import SourceSpan
from orkestra_bridge.ir.stored import assets_with_state, keys_of_history, stores_state
from orkestra_bridge.passes.context_reads import about_context_reads
from orkestra_bridge.runtime.context_keys import KNOWN_KEYS, STORES, keys_of

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.frontend.model import Environment
    from orkestra_bridge.ir.model import Workflow

HELPERS = """\
import functools

KEY = "inlet_events"


def quiet(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper


def last_event(context, asset):
    return context["inlet_events"][asset][-1]


class Reader:
    def __init__(self, context):
        self.context = context

    @property
    def events(self):
        return self.context.get("inlet_events")
"""
DAG = """\
from datetime import datetime
from functools import partial

import helpers
from airflow import DAG
from airflow.decorators import task
from airflow.models.baseoperator import BaseOperator
from airflow.operators.bash import BashOperator
from airflow.operators.python import PythonOperator
from helpers import quiet


def tell(context):
    print(context["inlet_events"])


class Look(BaseOperator):
    def execute(self, context):
        return [event for event in (lambda: context["inlet_events"])()]


def plain(inlet_events, x=1):
    return inlet_events


with DAG("reads", start_date=datetime(2024, 1, 1), schedule=None, on_failure_callback=tell):

    @task
    def by_name(
        *,
        inlet_events=None,
    ):
        return inlet_events

    @task
    @quiet
    def by_helper(**context):
        return helpers.last_event(context, "a")

    @task
    def by_class(**context):
        return helpers.Reader(context).events

    @task
    def mapped(x, inlet_events=None):
        return x

    by_name()
    by_helper()
    by_class()
    mapped.expand(x=[1, 2])
    Look(task_id="by_operator")
    PythonOperator(task_id="by_partial", python_callable=partial(plain, x=2))
    PythonOperator(task_id="with_its_own", python_callable=plain, op_kwargs={"inlet_events": 3})
    BashOperator(task_id="by_template", bash_command="echo {{ inlet_events['a'] }}")
    BashOperator(task_id="by_file", bash_command="show.sh")
    BashOperator(task_id="by_callback", bash_command="true", on_success_callback=[tell])

with DAG("reads_nothing", start_date=datetime(2024, 1, 1), schedule=None):

    @task
    def quiet_one(events=None, **context):
        return helpers.KEY, context["ds"]

    quiet_one()
    BashOperator(task_id="plain_text", bash_command="echo inlet_events {{ ds }}")
"""
FOUND = {
    (None, "reads.py:14", None),
    ("by_callback", "reads.py:14", None),
    ("by_class", "helpers.py:23", None),
    ("by_file", "show.sh:1", "bash_command"),
    ("by_helper", "helpers.py:14", None),
    ("by_name", "reads.py:31", None),
    ("by_operator", "reads.py:19", None),
    ("by_partial", "reads.py:22", None),
    ("by_template", "reads.py:55", "bash_command"),
    ("mapped", "reads.py:45", None),
}
KNOWN = """
import json
try:
    from airflow.sdk.definitions.context import KNOWN_CONTEXT_KEYS as known
except ImportError:
    from airflow.utils.context import KNOWN_CONTEXT_KEYS as known
print(json.dumps(sorted(known)))
"""
NO_KEYS_OF_A_TASK = {"exception", "reason", "templates_dict", "try_number"}
"""What callbacks and PythonOperator add, where Airflow does."""


def loaded(environment: Environment, folder: Path, **texts: str) -> dict[str, Workflow]:
    for name, text in texts.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    files = discover([folder]).files
    with Frontend(environment, parse_timeout=60, cache=None) as frontend:
        return {dag.dag_id: dag for file in frontend.load(files) for dag in file.workflows}


def test_what_only_a_compiled_module_reads_is_found(environment: Environment, tmp_path: Path) -> None:
    text = (
        "from datetime import datetime\nfrom airflow import DAG\nfrom airflow.decorators import task\nimport helpers\n"
        "with DAG('d', start_date=datetime(2024, 1, 1), schedule=None):\n"
        "    @task\n    def reads(**context):\n        return helpers.last_event(context, 'a')\n    reads()\n"
    )
    (tmp_path / "helpers.py").write_text(HELPERS, encoding="utf-8")
    py_compile.compile(str(tmp_path / "helpers.py"), doraise=True)
    workflow = loaded(environment, tmp_path, reads_py=text)["d"]
    assert [(read.task_id, read.span) for read in workflow.context_reads] == [
        ("reads", SourceSpan("helpers.py", 14))
    ]


def test_all_ways_to_read_a_key(environment: Environment, tmp_path: Path) -> None:
    dags = loaded(
        environment, tmp_path, helpers_py=HELPERS, reads_py=DAG, show_sh="echo {{ inlet_events | length }}"
    )
    reads = dags["reads"].context_reads
    assert {(read.task_id, f"{read.span.file}:{read.span.line}", read.attribute) for read in reads} == FOUND
    assert len(reads) == len(FOUND)
    [finding] = about_context_reads(dags["reads"])  # its tasks have no inlets, so there are no events to keep
    assert (finding.id, finding.place) == ("OB247", "reads.py:14")
    assert "a callback of the DAG belongs to no task instance" in finding.message
    assert dags["reads_nothing"].context_reads == ()


STORING = """\
from airflow.sdk import DAG, task

with DAG("stores", schedule=None):

    @task
    def remember(task_state_store=None, **context):
        task_state_store.set("x", 1)
        return context["asset_state_store"]

    remember()
"""


def test_the_stores_of_airflow_3_3(airflow_3: Environment, tmp_path: Path) -> None:
    dag = loaded(airflow_3, tmp_path, stores_py=STORING)["stores"]
    found = [(read.key, read.span.line) for read in dag.context_reads]
    assert found == [("task_state_store", 6), ("asset_state_store", 8)]
    assert [(finding.id, finding.place) for finding in about_context_reads(dag)] == [("OB254", "stores.py:6")]
    assert stores_state(dag)


ASSETS = """\
from airflow.sdk import DAG, Asset, AssetAlias, task

with DAG("keeps", schedule=None):

    @task(inlets=[Asset("a"), AssetAlias("some"), Asset.ref(name="c")], outlets=[Asset.ref(uri="s3://b"), "text"])
    def remember(asset_state_store=None):
        return asset_state_store[Asset("a")]

    @task(inlets=[Asset("d")])
    def other():
        return 1

    remember() >> other()
"""


def test_assets_that_only_a_database_knows_are_refused(airflow_3: Environment, tmp_path: Path) -> None:
    dag = loaded(airflow_3, tmp_path, keeps_py=ASSETS)["keeps"]
    alias, uri, note = about_context_reads(dag)
    assert (alias.id, uri.id, note.id) == ("OB247", "OB247", "OB254")
    assert "which assets the alias some stands for" in alias.message
    assert "which asset s3://b is the URI of" in uri.message
    assert {finding.place for finding in (alias, uri, note)} == {"keeps.py:6"}
    assert "asset_state_table.json" in note.remedy
    assert assets_with_state(dag) == ("a", "c")


def test_each_key_of_airflow_is_there_or_wants_a_table(environment: Environment) -> None:
    command = [str(environment.python), "-c", KNOWN]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    known = set(json.loads(printed.splitlines()[-1]))
    major = environment.airflow_major
    assert known <= KNOWN_KEYS
    lacking = known - keys_of(major) - NO_KEYS_OF_A_TASK
    # Airflow 3 knows the names of the last two, and gives them to nobody.
    assert lacking == (STORES | {"expanded_ti_count", "test_mode"} if major > 2 else set())
    assert STORES <= MISSING <= KNOWN_KEYS


LOOKS_BACK = """\
from datetime import datetime
from airflow import DAG
from airflow.decorators import task
try:
    from airflow.sdk import Asset
except ImportError:
    from airflow.datasets import Dataset as Asset

with DAG("looks_back", start_date=datetime(2024, 1, 1), schedule=None):

    @task(inlets=[Asset("s3://shop/orders")], outlets=[Asset("s3://shop/prices")])
    def looks(inlet_events=None):
        return inlet_events

    looks()
"""


def test_the_events_of_inlets_are_kept_from_the_deployment_on(
    environment: Environment, tmp_path: Path
) -> None:
    dag = loaded(environment, tmp_path, looks_py=LOOKS_BACK)["looks_back"]
    [finding] = about_context_reads(dag)
    assert (finding.id, finding.place, finding.task_id) == ("OB256", "looks.py:12", "looks")
    assert "from the deployment of this DAG on" in finding.message
    assert {key.partition(" ")[2] for key in keys_of_history(dag)} == {"s3://shop/orders"}
