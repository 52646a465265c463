"""Operators that defer: once, several times, and for too long."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from airflow import DAG
from airflow.decorators import task
from airflow.exceptions import AirflowSkipException
from airflow.models import BaseOperator
from airflow.triggers.base import BaseTrigger, TriggerEvent

START = datetime(2024, 1, 1)  # noqa: DTZ001 - as people write it


class Says(BaseTrigger):
    """Fires at once with what it was given."""

    def __init__(self, words: list[str], delay: float = 0.0) -> None:
        super().__init__()
        self.words = words
        self.delay = delay

    def serialize(self):
        return f"{__name__}.Says", {"words": self.words, "delay": self.delay}

    async def run(self):
        await asyncio.sleep(self.delay)
        yield TriggerEvent({"said": self.words})


class Defers(BaseOperator):
    """Defers as often as there are words."""

    def __init__(self, *, words: list[str], end: str = "", **kwargs) -> None:
        super().__init__(**kwargs)
        self.words = words
        self.end = end

    def execute(self, context) -> None:
        context["ti"].xcom_push(key="started", value=True)
        self.defer(trigger=Says(self.words[:1]), method_name="go_on", kwargs={"heard": [], "at": START})

    def go_on(self, context, event=None, heard=(), at=None):
        heard = [*heard, *event["said"]]
        left = self.words[len(heard) :]
        if left:
            self.defer(trigger=Says(left[:1]), method_name="go_on", kwargs={"heard": heard, "at": at})
        if self.end == "skip":
            raise AirflowSkipException
        if self.end == "fail":
            raise ValueError("meant to fail")
        return {"heard": heard, "year": at.year}


with DAG("deferring", start_date=START, schedule=None):

    @task
    def use(value):
        return value

    once = Defers(task_id="once", words=["a"])
    thrice = Defers(task_id="thrice", words=["a", "b", "c"], execution_timeout=timedelta(minutes=5))
    use(once.output)
    use.override(task_id="use_thrice")(thrice.output)
    Defers(task_id="skips", words=["a", "b"], end="skip")
    Defers(task_id="fails", words=["a"], end="fail", retries=1)
