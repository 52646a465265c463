from __future__ import annotations

import pytest
from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import Attribute, Expansion, Polling
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.operators.registry import check_operators, family_of

BASE = "airflow.sdk.bases.operator.BaseOperator"


@pytest.mark.parametrize(
    ("bases", "name"),
    [
        (("airflow.operators.python.PythonOperator", BASE), "python"),
        (("airflow.providers.standard.operators.python.PythonOperator", BASE), "python"),
        (("airflow.operators.empty.EmptyOperator", BASE), "empty"),
        (("airflow.operators.dummy.DummyOperator", BASE), "empty"),
        (("airflow.operators.bash.BashOperator", BASE), "bash"),
        (
            (
                "airflow.providers.standard.decorators.branch_python._BranchPythonDecoratedOperator",
                "airflow.providers.standard.decorators.python._PythonDecoratedOperator",
                "airflow.providers.standard.operators.python.BranchPythonOperator",
                "airflow.providers.standard.operators.python.PythonOperator",
                BASE,
            ),
            "branch",
        ),
        (("plugins.mine.Loud", "airflow.operators.python.ShortCircuitOperator", BASE), "short_circuit"),
        (("plugins.mine.Own", BASE), "custom"),
        (("plugins.mine.Skips", BASE, "airflow.sdk.bases.skipmixin.SkipMixin"), "custom, may skip"),
        (("plugins.mine.Chooses", "airflow.sdk.bases.branch.BaseBranchOperator", BASE), "branch"),
        (("airflow.providers.amazon.aws.operators.s3.S3ListOperator", BASE), "custom"),
        (
            (
                "airflow.providers.common.sql.operators.sql.BranchSQLOperator",
                "airflow.providers.common.sql.operators.sql.BaseSQLOperator",
                BASE,
                "airflow.providers.standard.utils.skipmixin.SkipMixin",
            ),
            "custom, may skip",
        ),
        (("plugins.mine.DockerOperator", BASE), "custom"),
        (("airflow.operators.latest_only.LatestOnlyOperator", BASE), "branch"),
        (
            ("plugins.mine.Nothing", "airflow.operators.empty.EmptyOperator", BASE),
            "empty",
        ),
    ],
)
def test_families(bases: tuple[str, ...], name: str) -> None:
    family = family_of(a_task("t", operator=bases[0].rpartition(".")[2], bases=bases))
    assert family is not None
    assert family.name == name


@pytest.mark.parametrize(
    ("bases", "why"),
    [
        (
            (
                "airflow.providers.standard.sensors.filesystem.FileSensor",
                "airflow.sdk.bases.sensor.BaseSensorOperator",
                BASE,
            ),
            "a disk that all workers share",
        ),
        (
            ("airflow.providers.docker.operators.docker_swarm.DockerSwarmOperator", BASE),
            "what no single ECS task is",
        ),
        (
            ("airflow.providers.apache.spark.operators.spark_submit.SparkSubmitOperator", BASE),
            "the program spark-submit",
        ),
        (("plugins.mine.NoOperator",), "BaseOperator"),
    ],
)
def test_others_are_refused_with_reason_and_remedy(bases: tuple[str, ...], why: str) -> None:
    task = a_task("t", operator=bases[0].rpartition(".")[2], bases=bases)
    (finding,) = check_operators(a_workflow(task))
    assert (finding.id, finding.task_id) == ("OB301", "t")
    assert why in finding.message
    assert finding.remedy


def test_a_sensor_is_one_whoever_wrote_it() -> None:
    for own in ("plugins.mine.Sensor", "airflow.providers.amazon.aws.sensors.s3.S3KeySensor"):
        bases = (own, "airflow.sdk.bases.sensor.BaseSensorOperator", BASE)
        attributes = (Attribute(name="deferrable", value=True),)
        family = family_of(a_task("t", bases=bases, attributes=attributes, polling=Polling()))
        assert family is not None
        assert family.name == "sensor"


def test_a_task_that_defers_is_run_like_any_other() -> None:
    bases = ("airflow.providers.amazon.aws.operators.glue.GlueJobOperator", BASE)
    attributes = (Attribute(name="deferrable", value=True),)
    polling = Polling(resumes=True)
    task = a_task("t", operator="GlueJobOperator", bases=bases, attributes=attributes, polling=polling)
    family = family_of(task)
    assert family is not None
    assert family.name == "custom"
    assert [finding.id for finding in lower(a_workflow(task)).findings] == ["OB330"]


@pytest.mark.parametrize(
    ("argument", "runs"),
    [("on_execute_callback", "lambda"), ("on_success_callback", "lambda"), ("on_failure_callback", "pass")],
)
def test_an_empty_operator_runs_in_the_function_if_somebody_could_notice(argument: str, runs: str) -> None:
    attributes = (Attribute(name=argument, value="dag.note"),)
    family = family_of(a_task("t", operator="EmptyOperator", attributes=attributes))
    assert family is not None
    assert family.runs.value == runs


def test_mapping_and_setups_are_no_question_of_the_operator() -> None:
    found = check_operators(
        a_workflow(
            a_task("g.t", mapped=True, mapped_group="g"),
            a_task("m", mapped=True, expansion=Expansion(length=2)),
            a_task("s", is_setup=True),
            a_task("d", is_teardown=True),
        )
    )
    assert found == ()
