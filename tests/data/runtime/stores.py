"""Tasks that store something and find it again, in Airflow 3.3 and later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, NEVER_EXPIRE, Asset, AssetAlias, BaseOperator, ResumableJobMixin, task

START = {"schedule": None}


def kept(store: Any, value: Any) -> bool:
    """Return True if a store keeps a value."""
    try:
        store.set("key", value)
    except ValueError:
        return False
    return True


def raised(function: Any, *arguments: Any) -> str:
    """Return the name of what a call raises, or nothing."""
    try:
        function(*arguments)
    except Exception as error:  # noqa: BLE001
        return type(error).__name__
    return ""


class Job(ResumableJobMixin, BaseOperator):
    """A job elsewhere that a try loses sight of; each try says what became of it."""

    def __init__(self, *, found: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.found = found

    def execute(self, context: Any) -> Any:
        return self.execute_resumable(context)

    def submit_job(self, context: Any) -> str:
        context["ti"].xcom_push("submitted", context["ti"].try_number)
        return f"job-{context['ti'].try_number}"

    def get_job_status(self, external_id: Any, context: Any) -> str:
        context["ti"].xcom_push("asked", external_id)
        return self.found

    def is_job_active(self, status: str) -> bool:
        return status == "running"

    def is_job_succeeded(self, status: str) -> bool:
        return status == "done"

    def poll_until_complete(self, external_id: Any, context: Any) -> Any:
        if context["ti"].try_number == 1:
            raise ValueError("the worker is lost")
        return f"polled {external_id}"

    def get_job_result(self, external_id: Any, context: Any) -> Any:
        return f"result of {external_id}, try {context['ti'].try_number}"


with DAG("task_state", **START):

    @task(retries=3, retry_delay=timedelta(0))
    def resumes(task_state_store=None, ti=None):
        done = task_state_store.get("done", default=[])
        done.append(ti.try_number)
        task_state_store.set("done", done, retention=NEVER_EXPIRE)
        if len(done) < 3:
            raise ValueError("not yet")
        return done

    @task
    def has_its_own(task_state_store=None):
        return [task_state_store.get("done"), task_state_store.get("done", "nothing")]

    @task
    def keeps(**context):
        store = context["task_state_store"]
        values = {"text": "ä", "number": 1.5, "zero": 0, "flag": False, "list": [1, None], "map": {"a": [{}]}}
        for key, value in values.items():
            store.set(key, value)
        store.set("text", "other")
        store.set("a/b c", 1, retention=timedelta(hours=6))
        store.set("x" * 400, "long")
        kept = [store.get(key) for key in (*values, "a/b c", "x" * 400)]
        store.delete("text")
        store.delete("never")
        some = [store.get("text"), store.get("number"), store.get("flag", True)]
        store.clear()
        return [kept, some, [store.get(key) for key in values]]

    @task
    def refuses(task_state_store=None):
        values = (None, (1, 2), {1: 2}, {"a": b"x"}, object())
        return [*(kept(task_state_store, value) for value in values), task_state_store.get("key")]

    resumes() >> has_its_own()
    keeps()
    refuses()

with DAG("jobs", **START):
    for found in ("running", "done", "lost"):
        Job(task_id=found, found=found, retries=1, retry_delay=timedelta(0))
    Job(task_id="forgets", found="running", durable=False, retries=1, retry_delay=timedelta(0))


A, B, C = Asset("s3://shop/a"), Asset(name="b", uri="s3://shop/b"), Asset("c")

with DAG("assets_first", **START):

    @task(inlets=[A], outlets=[B, A])
    def keeps_two(asset_state_store=None):
        asset_state_store[A].set("n", {"of": "a"})
        asset_state_store[B].set("n", 2)
        asset_state_store[Asset.ref(name="b")].set("m", 3)
        return [
            asset_state_store[A].get("n"),
            asset_state_store[B].get("m"),
            asset_state_store[B].get("none", "default"),
            asset_state_store[A] == asset_state_store[Asset(name="s3://shop/a", uri="s3://shop/a")],
            raised(asset_state_store.get, "n"),
            raised(asset_state_store.__getitem__, C),
            raised(asset_state_store.__getitem__, "b"),
            raised(asset_state_store[B].set, "k", None),
            kept(asset_state_store[B], (1, 2)),
        ]

    @task(inlets=[B, Asset.ref(name="b")], outlets=[B])
    def keeps_one(**context):
        store = context["asset_state_store"]
        store.set("n", store.get("n") + 1)
        store.set("k", 1)
        store.delete("k")
        store.delete("never")
        return [store.get("n"), store[B].get("n"), store.get("k", "gone")]

    @task
    def has_none(**context):
        return "asset_state_store" in context

    @task(outlets=[AssetAlias("some")])
    def has_an_alias(asset_state_store=None):
        return raised(asset_state_store.get, "n")

    keeps_two() >> keeps_one() >> has_none() >> has_an_alias()

with DAG("assets_second", **START):

    @task(inlets=[A, B, C])
    def finds(asset_state_store=None):
        return [asset_state_store[each].get("n") for each in (A, B, C)]

    @task(inlets=[B])
    def clears(asset_state_store=None):
        asset_state_store.clear()

    @task(inlets=[A, B])
    def finds_less(asset_state_store=None):
        return [asset_state_store[A].get("n"), asset_state_store[B].get("n"), asset_state_store[B].get("m")]

    finds() >> clears() >> finds_less()

E, F, SOME = Asset("s3://shop/e"), Asset("f", "s3://shop/f"), AssetAlias("some")


def numbers(events: Any) -> list[Any]:
    return [event.extra["n"] for event in events]


with DAG("events_first", **START):

    @task(outlets=[E])
    def makes(number, outlet_events=None):
        outlet_events[E].extra = {"n": number}

    @task(outlets=[SOME])
    def makes_through_an_alias(outlet_events=None):
        outlet_events[SOME].add(F, extra={"n": 9})

    @task(inlets=[E, SOME, F, "a file"])
    def looks(inlet_events=None):
        events = inlet_events[E]
        second = events[1].timestamp.isoformat()
        return {
            "all": numbers(events),
            "slices": [numbers(events[:-2]), numbers(events[1:]), events[-1].extra, len(events)],
            "newest": numbers(inlet_events[E].ascending(False).limit(2)),
            "oldest": numbers(inlet_events[E].limit(1)),
            "none": numbers(inlet_events[E].limit(0)),
            "after": numbers(inlet_events[E].after(second)),
            "before": numbers(inlet_events[E].before(second)),
            "between": numbers(inlet_events[E].after(second).before(second)),
            "late": numbers(inlet_events[E].after("2999-01-01T00:00:00+00:00")),
            "alias": [(event.asset.uri, event.source_task_id) for event in inlet_events[SOME]],
            "named": [
                numbers(inlet_events.for_asset(name="s3://shop/e")),
                numbers(inlet_events.for_asset(uri="s3://shop/f")),
                numbers(inlet_events.for_asset(name="f", uri="s3://shop/f")),
                numbers(inlet_events.for_asset_alias(name="some")),
                numbers(inlet_events[Asset.ref(name="f")]),
                numbers(inlet_events[0]),
            ],
            "about": [[events[0].source_dag_id, events[0].source_task_id, events[0].source_map_index]],
            "number": len(inlet_events),
            "refused": [
                raised(inlet_events.__getitem__, key)
                for key in (A, Asset.ref(name="z"), AssetAlias("z"), 3, 7, 1.5)
            ],
        }

    first, second, third = makes(1), makes(2), makes(3)
    first >> second >> third >> makes_through_an_alias() >> looks()

with DAG("events_second", **START):

    @task(inlets=[E, F])
    def looks_later(inlet_events=None):
        return [[numbers(events), events[0].source_run_id != ""] for events in inlet_events.values()]

    @task(inlets=[C])
    def finds_nothing(inlet_events=None):
        return [len(inlet_events[C]), list(inlet_events[C]), raised(inlet_events[C].__getitem__, -1)]

    looks_later()
    finds_nothing()
