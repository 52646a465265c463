"""Shell commands: templates, environment, the last line as XCom."""

from __future__ import annotations

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, task

with DAG(
    dag_id="shell_pipeline",
    schedule="@daily",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    params={"greeting": "hello"},
):
    prepare = BashOperator(
        task_id="prepare",
        bash_command='echo "preparing {{ ds }}"; echo "$TARGET/{{ ds_nodash }}.csv"',
        env={"TARGET": "/tmp/export"},
        append_env=True,
    )

    @task.bash
    def compress(path: str) -> str:
        return f"echo '{path}.gz'"

    nothing_to_do = BashOperator(task_id="nothing_to_do", bash_command="exit 99")
    summary = BashOperator(
        task_id="summary",
        bash_command="echo '{{ params.greeting }}: {{ ti.xcom_pull(task_ids=\"compress\") }}'",
        trigger_rule="none_failed",
    )
    [compress(prepare.output), nothing_to_do] >> summary
