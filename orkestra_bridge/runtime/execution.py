"""Runs one task: renders its templates, calls execute with its timeout and hooks, and collects what it pushed."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import threading
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from orkestra_bridge.runtime import deferring, own_image
from orkestra_bridge.runtime.asset_events import tell_of_outlets
from orkestra_bridge.runtime.callbacks import call_all
from orkestra_bridge.runtime.context import environment_variables
from orkestra_bridge.runtime.errors import AnotherTry, ImageStarts, Terminated
from orkestra_bridge.runtime.expansion import check_mappable, name_instance, unmapped
from orkestra_bridge.runtime.exported import exported
from orkestra_bridge.runtime.failing import failure_of
from orkestra_bridge.runtime.prepare import prepare
from orkestra_bridge.runtime.remembering import Remembered
from orkestra_bridge.runtime.retrying import decided, retry_delay
from orkestra_bridge.runtime.xcoms import RETURN_VALUE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.runtime.instances import TaskInstance
    from orkestra_bridge.runtime.own_image import Work
    from orkestra_bridge.runtime.prepare import Instance

log = logging.getLogger("airflow.task")


def run_task(dag: Any, manifest: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ledger entry of a task after running it.

    Raises:
        Exception: What failed the task, under the name of its class; `AirflowFailException` for what must not be retried.
    """
    if event.get("container") == own_image.MODE:
        return own_image.answered(event, lambda: _run_image(dag, manifest, event))
    instance = prepare(dag, manifest, event)
    return entry_of(_Attempt(instance).outcome(), instance.ti)


def _run_image(dag: Any, manifest: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    instance = prepare(dag, manifest, {**event, "attempt": own_image.attempt_of(event)})
    work, resumes = own_image.work_of(manifest["workflow"], event)
    if resumes:
        instance.ti.pushed.update(own_image.entry_before(event).get("xcom") or {})
    try:
        return entry_of(_Attempt(instance, work, resumes=resumes, asks=True).outcome(), instance.ti)
    except ImageStarts as start:
        instance.ti.put_away()
        start.pushed = instance.ti.pushed
        raise


def entry_of(state: str, ti: TaskInstance) -> dict[str, Any]:
    """Return the ledger entry of a task instance that has ended without an error."""
    entry: dict[str, Any] = {"state": state, "tries": ti.try_number}
    if ti.pushed:
        ti.put_away()
        entry["xcom"] = ti.pushed
    if ti.skipped_task_ids:
        entry["skip"] = sorted(set(ti.skipped_task_ids))
    return entry


class _Attempt:
    """One try of a task; the facade's exceptions are looked up when they are needed, for it is not loaded at import."""

    def __init__(
        self, instance: Instance, work: Work = deferring.execute, *, resumes: bool = False, asks: bool = False
    ) -> None:
        """Make a try that does its ``work``; ``resumes`` if it has begun before, ``asks`` for the next by its answer."""
        self.work = work
        self.resumes = resumes
        self.asks = asks
        self.instance = instance
        self.task = instance.task
        self.ti = instance.ti
        self.context = instance.context
        self.major = instance.major
        self.retry = instance.retry
        self.outlets = instance.outlets
        self.called = False
        self.remembered = Remembered(instance.task, instance.ti)
        self.errors = importlib.import_module("airflow._impl.exceptions")
        self.base = importlib.import_module("airflow._impl.operator").BaseOperator

    def outcome(self) -> str:
        """Return the state that the task ends in; raises what fails it."""
        current = importlib.import_module("airflow._impl.current")
        try:
            with current.set_current_context(self.context):
                return self._run()
        except (KeyboardInterrupt, GeneratorExit, ImageStarts):
            raise
        except self.errors.PokeAgain as again:
            raise self.remembered.another_poke(again) from None
        except BaseException as error:  # noqa: BLE001  # Airflow has failures that are no Exception
            self._fail(error)

    def _run(self) -> str:
        try:
            self._execute()
        except self.errors.DownstreamTasksSkipped:
            log.info("Skipping downstream tasks %s", self.ti.skipped_task_ids)
        except self.errors.AirflowSkipException as skip:
            log.info("Skipping task. %s", skip)
            self._no_exception()
            self._call("on_skipped_callback", "skipped")
            if self.major == 2:
                self._call("on_success_callback", "skipped")
            return "skipped"
        except SystemExit as stop:
            if self.major > 2 or stop.code not in (None, 0):
                raise
        self._no_exception()
        if self.task.outlets:
            tell_of_outlets(self.ti, self.context, self.outlets)
        if "task_state_store" in self.context:
            importlib.import_module("airflow._impl.state_stores").clear_after_success(self.context)
        self._call("on_success_callback", "success")
        return "success"

    def _no_exception(self) -> None:
        # Airflow 3 always has this key when the task is over, Airflow 2 only after a failure.
        if self.major > 2:
            self.context["exception"] = None

    def _execute(self) -> None:
        context = self.context
        task = self.task = unmapped(self.task, context)
        task.resolve_template_files()
        task.render_template_fields(context)
        self.remembered.restore(task)
        with exported(environment_variables(context)):
            if not self.resumes:
                self._before(context)
                if self.remembered.is_start:
                    self._call("on_execute_callback", "running")
            limit = _time_limit(task, self.errors.AirflowTaskTimeout, self.remembered.running)
            with _killable(task), limit:
                result = self.work(task, self.ti, context)
            if self.major == 2:  # whatever comes after it, the result has been pushed
                self._push(result)
            name_instance(task, context)
            self._after(context, result)
        if self.major > 2:
            self._push(result)
        self.ti.put_away()

    def _before(self, context: Any) -> None:
        task = self.task
        if self.major == 2:
            task.pre_execute(context)
            return
        # Airflow 3 calls the hook and an overridden method, each on its own, and gives no result to the latter.
        if task._pre_execute_hook is not None:
            task._pre_execute_hook(context)
        if type(task).pre_execute is not self.base.pre_execute:
            task.pre_execute(context)

    def _after(self, context: Any, result: Any) -> None:
        task = self.task
        if self.major == 2:
            task.post_execute(context, result)
            return
        if task._post_execute_hook is not None:
            task._post_execute_hook(context, result)
        if type(task).post_execute is not self.base.post_execute:
            task.post_execute(context)

    def _push(self, result: Any) -> None:
        value = result if self.task.do_xcom_push else None
        check_mappable(value, self.task)
        if value is None:
            return
        if self.task.multiple_outputs:
            if not isinstance(value, Mapping):
                raise TypeError(
                    f"Returned output was type {type(value)} expected dictionary for multiple_outputs"
                )
            wrong = next((key for key in value if not isinstance(key, str)), None)
            if wrong is not None:
                raise TypeError(
                    "Returned dictionary keys must be strings when using multiple_outputs, "
                    f"found {wrong} ({type(wrong)}) instead"
                )
            for key, item in value.items():
                self.ti.xcom_push(key, item)
        self.ti.xcom_push(RETURN_VALUE, value)

    def _call(self, name: str, state: str) -> None:
        """Call the callbacks of an event; one that fails is logged, as in Airflow."""
        self.ti.state = state
        call_all(getattr(self.task, name, None), self.context, name)

    def _fail(self, error: BaseException) -> NoReturn:
        errors = self.errors
        final = isinstance(
            error, (errors.AirflowFailException, errors.AirflowSensorTimeout, errors.TaskDeferred)
        )
        log.error("Task failed with exception", exc_info=error)
        self.context["exception"] = error
        delay = None
        if not final:
            final, delay = decided(self.task, error, self.ti, self.context)
        retried = not final and self.ti.is_eligible_to_retry
        if retried:
            self._call("on_retry_callback", "up_for_retry")
        else:
            self._call("on_failure_callback", "failed")
            self.called = bool(self.task.on_failure_callback)
        if retried and (self.asks or self.ti.poking.possible):
            seconds = retry_delay(self.ti, self.retry) if delay is None else delay
            raise (AnotherTry(seconds) if self.asks else self.ti.poking.another_try(seconds)) from error
        text = "the task defers to a trigger, which needs Airflow's triggerer; set deferrable=False"
        told = text if isinstance(error, errors.TaskDeferred) else ""
        raise failure_of(error, self.instance, final=final, called=self.called, told=told) from error


@contextmanager
def _time_limit(task: Any, error: type[BaseException], spent: float) -> Iterator[None]:
    """Raise AirflowTaskTimeout in a ``with`` block that takes longer than execution_timeout.

    ``spent`` are seconds that count as well. Signals only reach the main thread; elsewhere the timeout of the task's
    state is the only one.
    """
    limit = task.execution_timeout.total_seconds() if task.execution_timeout else 0
    if 0 < limit <= spent:
        raise error(f"Timeout, PID: {os.getpid()}")
    limit -= spent
    if limit <= 0 or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: Any) -> None:
        raise error(f"Timeout, PID: {os.getpid()}")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    except error:
        task.on_kill()
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _killable(task: Any) -> Iterator[None]:
    """Call ``on_kill`` where the container is told to stop in a ``with`` block, as Airflow's task runner does."""
    try:
        yield
    except Terminated:
        try:
            task.on_kill()
        except Exception:
            log.exception("on_kill failed")
        raise
