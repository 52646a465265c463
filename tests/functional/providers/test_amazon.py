"""Operators and hooks of the amazon provider, executed on the facade against moto."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from packages import has_distributions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import Outcome

pytestmark = pytest.mark.skipif(
    not has_distributions("apache-airflow-providers-amazon"), reason="needs the amazon provider"
)

AWS = """
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.hooks.secrets_manager import SecretsManagerHook
from airflow.providers.amazon.aws.hooks.sns import SnsHook
from airflow.providers.amazon.aws.hooks.sqs import SqsHook
from airflow.providers.amazon.aws.operators.s3 import S3CreateBucketOperator, S3CreateObjectOperator, S3ListOperator
from airflow.providers.amazon.aws.operators.sns import SnsPublishOperator
from airflow.providers.amazon.aws.operators.sqs import SqsPublishOperator

with DAG("d", start_date=datetime(2024, 1, 1), schedule=None):
    bucket = S3CreateBucketOperator(task_id="bucket", bucket_name="days")
    put = S3CreateObjectOperator(task_id="put", s3_bucket="days", s3_key="day/{{ ds }}", data="it is {{ ds }}")
    found = S3ListOperator(task_id="found", bucket="days", prefix="day/")

    @task
    def prepare(keys):
        queue = SqsHook().create_queue("q")["QueueUrl"]
        topic = SnsHook().get_conn().create_topic(Name="t")["TopicArn"]
        SecretsManagerHook().get_conn().create_secret(Name="s", SecretString="word")
        return {"queue": queue, "topic": topic, "text": S3Hook().read_key(keys[0], "days")}

    @task
    def heard(place):
        messages = SqsHook().get_conn().receive_message(QueueUrl=place["queue"])["Messages"]
        return [messages[0]["Body"], SecretsManagerHook().get_secret("s")]

    place = prepare(found.output)
    send = SqsPublishOperator(task_id="send", sqs_queue="{{ ti.xcom_pull('prepare')['queue'] }}", message_content="hi")
    tell = SnsPublishOperator(task_id="tell", target_arn="{{ ti.xcom_pull('prepare')['topic'] }}", message="hi")
    bucket >> put >> found
    place >> [send, tell]
    send >> heard(place)
"""


SENSORS = """
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.operators.s3 import S3CreateBucketOperator, S3CreateObjectOperator
from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor

class Late(S3KeySensor):
    def poke(self, context):
        found = super().poke(context)
        if not found:
            S3Hook().load_string("x", "late", "looks", replace=True)
        return found

with DAG("d", start_date=datetime(2024, 1, 1), schedule=None):
    bucket = S3CreateBucketOperator(task_id="bucket", bucket_name="looks")
    put = S3CreateObjectOperator(task_id="put", s3_bucket="looks", s3_key="day/{{ ds }}", data="it is {{ ds }}")
    ask = dict(poke_interval=30)
    there = S3KeySensor(task_id="there", bucket_key="s3://looks/day/{{ ds }}", **ask)
    several = S3KeySensor(task_id="several", bucket_name="looks", bucket_key="day/*", wildcard_match=True, **ask)
    deferred = S3KeySensor(task_id="deferred", bucket_name="looks", bucket_key="day/{{ ds }}", deferrable=True, **ask)
    sized = S3KeySensor(
        task_id="sized", bucket_name="looks", bucket_key="day/*", wildcard_match=True,
        check_fn=lambda files: all(file["Size"] > 3 for file in files), **ask
    )
    never = S3KeySensor(task_id="never", bucket_name="looks", bucket_key="no", timeout=100, mode="reschedule", **ask)
    soft = S3KeySensor(task_id="soft", bucket_name="looks", bucket_key="no", timeout=100, soft_fail=True, **ask)
    late = Late(task_id="late", bucket_name="looks", bucket_key="late", **ask)
    bucket >> put >> [there, several, deferred, sized, never, soft, late]
"""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the connection of every AWS hook lead to moto."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    extra = {"endpoint_url": f"http://{host}:{port}", "region_name": "us-east-1"}
    connection = {"conn_type": "aws", "login": "key", "password": "secret", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))
    yield
    server.stop()


@pytest.mark.usefixtures("aws")
def test_amazon(outcome: Callable[[str], Outcome]) -> None:
    found = outcome(AWS)
    assert set(found.states.values()) == {"success"}
    assert found.values["found"] == ["day/2024-03-01"]
    assert found.values["prepare"]["text"] == "it is 2024-03-01"
    assert found.values["heard"] == ["hi", "word"]
    names = {each.partition("==")[0].lower() for each in found.requirements}
    assert "apache-airflow-providers-amazon" in names
    assert not {"sagemaker-studio", "redshift_connector", "pyathena"} & names


@pytest.mark.usefixtures("aws")
def test_s3_sensors(outcome: Callable[..., Outcome]) -> None:
    found = outcome(SENSORS, fast=True)
    assert found.states == {
        "bucket": "success",
        "put": "success",
        "there": "success",
        "several": "success",
        "deferred": "success",
        "sized": "success",
        "never": "failed",
        "soft": "skipped",
        "late": "success",
    }
    assert set(found.tries.values()) == {1}
