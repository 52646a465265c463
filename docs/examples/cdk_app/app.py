"""Three Airflow DAGs in a CDK app: synthesise it with `cdk synth`, or with `python app.py` alone."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from orkestra_bridge.stack.cdk import AirflowDag

DAGS = Path(__file__).parent / "dags"


class Pipelines(cdk.Stack):
    """The pipelines of one team."""

    def __init__(self, scope: cdk.App, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        lake = s3.Bucket(self, "Lake", enforce_ssl=True)
        orders = AirflowDag(self, "Orders", dag_file=DAGS / "orders.py", dag_id="orders")
        lake.grant_read_write(orders.task_role)
        AirflowDag(
            self,
            "Refunds",
            dag_file=DAGS / "orders.py",
            dag_id="refunds",
            parameters={"ScheduleState": "DISABLED", "LogLevel": "ERROR"},
        )
        AirflowDag(
            self,
            "Archive",
            dag_file=DAGS / "archive.py",
            parameters={"SubnetIds": "subnet-0a1b2c3d,subnet-4e5f6a7b"},
        )


app = cdk.App()
Pipelines(app, "Pipelines")
app.synth()
