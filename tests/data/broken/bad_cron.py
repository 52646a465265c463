from datetime import datetime

from airflow import DAG

fine = DAG("fine_cron", start_date=datetime(2024, 1, 1), schedule="0 6 * * 1-5")
dag = DAG(
    "bad_cron",
    start_date=datetime(2024, 1, 1),
    schedule="61 * * * *",
)
