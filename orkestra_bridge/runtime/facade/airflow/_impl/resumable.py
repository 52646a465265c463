"""Operators that start a job elsewhere and wait for it (Airflow 3.3, `airflow/sdk/bases/resumablejobmixin.py`)."""

from __future__ import annotations

from typing import Any


class ResumableJobMixin:
    """Submits a job and waits for it; another try goes on with the job that is running."""

    external_id_key = "remote_job_id"

    def __init__(self, *, durable: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.durable = durable

    def execute_resumable(self, context: Any) -> Any:
        """Return the result of a new job, or of the one that an earlier try has submitted and that did not fail."""
        operator: Any = self
        store = context.get("task_state_store") if self.durable else None
        known = store.get(self.external_id_key) if store is not None else None
        if known:
            status = operator.get_job_status(known, context)
            if operator.is_job_active(status):
                operator.log.info("Going on with job %s, which is %s", known, status)
                return operator.poll_until_complete(known, context)
            if operator.is_job_succeeded(status):
                operator.log.info("Job %s has succeeded already", known)
                return operator.get_job_result(known, context)
            operator.log.warning("Job %s is %s: a new one is submitted", known, status)
        external_id = operator.submit_job(context)
        if store is not None and external_id is not None:
            store.set(self.external_id_key, external_id)
        operator.poll_until_complete(external_id, context)
        return operator.get_job_result(external_id, context)
