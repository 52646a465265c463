"""A sensor that is skipped where others fail."""

from datetime import datetime

from airflow.providers.standard.sensors.python import PythonSensor
from airflow.sdk import DAG

with DAG("soft_fail", schedule="0 9 * * *", start_date=datetime(2024, 1, 1), catchup=False):
    PythonSensor(task_id="wait", python_callable=lambda: True, soft_fail=True, timeout=60, mode="reschedule")
