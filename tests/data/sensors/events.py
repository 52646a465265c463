"""Operators that defer, and keep what they have heard in the event: `DAG.test` of Airflow 3 forgets their kwargs."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from airflow import DAG
from airflow.decorators import task
from airflow.exceptions import AirflowSkipException
from airflow.models import BaseOperator
from airflow.triggers.base import BaseTrigger, TriggerEvent

START = datetime(2024, 1, 1)  # noqa: DTZ001 - as people write it


class Adds(BaseTrigger):
    """Fires with one word more than it was given."""

    def __init__(self, heard: list[str], word: str) -> None:
        super().__init__()
        self.heard = heard
        self.word = word

    def serialize(self):
        return f"{__name__}.Adds", {"heard": self.heard, "word": self.word}

    async def run(self):
        await asyncio.sleep(0.01)
        yield TriggerEvent([*self.heard, self.word])


class Hears(BaseOperator):
    """Defers once for each word."""

    def __init__(self, *, words: list[str], end: str = "", **kwargs) -> None:
        super().__init__(**kwargs)
        self.words = words
        self.end = end

    def execute(self, context):
        context["ti"].xcom_push(key="started", value=True)
        return self.go_on(context, [])

    def go_on(self, context, event):
        left = self.words[len(event) :]
        if left:
            self.defer(trigger=Adds(event, left[0]), method_name="go_on")
        context["ti"].xcom_push(key="heard", value=len(event))
        if self.end == "skip":
            raise AirflowSkipException
        if self.end == "fail":
            raise ValueError("meant to fail")
        return event


with DAG("hearing", start_date=START, schedule=None):

    @task
    def use(value):
        return value

    use(Hears(task_id="once", words=["a"]).output)
    Hears(task_id="thrice", words=["a", "b", "c"], execution_timeout=timedelta(minutes=5))
    Hears(task_id="never", words=[])
    Hears(task_id="skips", words=["a", "b"], end="skip") >> use.override(task_id="after")(1)
    Hears(task_id="fails", words=["a"], end="fail")
    Hears(task_id="fails_twice", words=["a"], end="fail", retries=1)
    Hears.partial(task_id="mapped").expand(words=[["a"], ["b", "c"], []])
