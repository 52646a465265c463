"""Operators that start a job elsewhere and wait for it (Airflow 3.3, `airflow/sdk/bases/resumablejobmixin.py`)."""

from __future__ import annotations

from typing import Any


class ResumableJobMixin:
    """Submits a job and waits for it; each try submits a new one, as Airflow before 3.3 does."""

    external_id_key = "remote_job_id"

    def __init__(self, *, durable: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.durable = durable

    def execute_resumable(self, context: Any) -> Any:
        operator: Any = self
        external_id = operator.submit_job(context)
        operator.poll_until_complete(external_id, context)
        return operator.get_job_result(external_id, context)
