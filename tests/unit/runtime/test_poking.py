"""Sensors without a state machine: what each invocation answers, on a clock that the test sets."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.runtime.poking import MAX_NOTE, NOT_READY, NOTE, WAITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from orkestra_bridge.runtime.handler import Package

START = datetime(2030, 1, 1, tzinfo=timezone.utc)
HEAD = """
from datetime import datetime, time, timedelta
from airflow import DAG
from airflow.decorators import task
from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.providers.standard.sensors.bash import BashSensor
from airflow.providers.standard.sensors.date_time import DateTimeSensor
from airflow.providers.standard.sensors.python import PythonSensor
from airflow.providers.standard.sensors.time import TimeSensor
from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor, WaitSensor
from airflow.providers.standard.sensors.weekday import DayOfWeekSensor
from airflow.sdk import PokeReturnValue
from airflow.sdk.bases.sensor import BaseSensorOperator, poke_mode_only
with DAG("d", start_date=datetime(2024, 1, 1), schedule=None):
"""


class Sensor:
    """One sensor's state: what Step Functions would count and keep."""

    def __init__(self, package: Package, **pace: Any) -> None:
        self.package = package
        self.pace = {"interval": 60, "steady": 1000, "share": 0.0, **pace}
        self.now = self.entered = START
        self.attempt = 0
        self.map_index = -1
        self.before: dict[str, Any] = {}
        self.waits: list[float] = []

    def poke(self) -> dict[str, Any]:
        """Return the entry of one invocation, without its moment; raises what leaves the handler."""
        told = {"now": self.now.isoformat(), "entered": self.entered.isoformat(), "before": self.before}
        entry = self.package.run(
            {
                "task_id": "s",
                "map_index": self.map_index,
                "run": {"logical_date": START.isoformat()},
                "execution": {"id": "arn", "name": "e", "start_time": START.isoformat()},
                "ledger": {},
                "attempt": self.attempt,
                "waiting": {**told, **self.pace},
            }
        )
        entry.pop("at", None)
        return entry

    def run(self, limit: int = 100) -> dict[str, Any]:
        """Return the entry that the sensor ends with; raises what fails it."""
        for _ in range(limit):
            try:
                return self.poke()
            except Exception as error:  # noqa: PERF203
                if type(error).__name__ not in (NOT_READY, WAITS):
                    raise
                self.take(error)
        raise AssertionError(f"no end after {limit} pokes")

    def take(self, error: Exception) -> None:
        if type(error).__name__ == NOT_READY:
            self.attempt += 1
            seconds = self.pace["interval"]
        else:
            self.before = noted(error)
            self.attempt = 0
            seconds = self.before["seconds"]
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)
        if not self.attempt:
            self.entered = self.now


def noted(error: Exception) -> Any:
    return json.loads(base64.b64decode(str(error).partition(NOTE)[2].rstrip("]")))


def make(unpack: Callable[..., Package], body: str, **pace: Any) -> Sensor:
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    return Sensor(unpack(HEAD + lines + "\n"), **pace)


OWN = """
class Own(BaseSensorOperator):
    seen = 0
    def poke(self, context):
        self.seen += 1
        {body}
"""


def own(unpack: Callable[..., Package], body: str, arguments: str = "", **pace: Any) -> Sensor:
    return make(unpack, f"{OWN.format(body=body)}Own(task_id='s', {arguments})", **pace)


def test_a_sensor_that_is_ready_pushes_what_it_found(unpack: Callable[..., Package]) -> None:
    sensor = make(
        unpack, "@task.sensor\ndef s(ds=None):\n    return PokeReturnValue(True, xcom_value=ds)\ns()"
    )
    assert sensor.run() == {"state": "success", "tries": 1, "xcom": {"return_value": "2030-01-01"}}
    assert sensor.waits == []


@pytest.mark.parametrize("mode", ["poke", "reschedule"])
def test_a_sensor_times_out_after_its_timeout(unpack: Callable[..., Package], mode: str) -> None:
    sensor = make(
        unpack, f"PythonSensor(task_id='s', python_callable=lambda: False, timeout=300, mode='{mode}')"
    )
    with pytest.raises(
        Exception, match="AirflowSensorTimeout: Sensor has timed out; run duration of 300"
    ) as caught:
        sensor.run()
    assert type(caught.value).__name__ == "AirflowFailException", "it is never tried again"
    assert sensor.waits == [60] * 5
    assert not sensor.before, "the retrier of the state does all the waiting"


def test_a_timeout_skips_with_soft_fail_but_not_with_never_fail(unpack: Callable[..., Package]) -> None:
    never = "PythonSensor(task_id='s', python_callable=lambda: False, timeout=100, {}=True)"
    assert make(unpack, never.format("soft_fail")).run() == {"state": "skipped", "tries": 1}
    with pytest.raises(Exception, match="AirflowSensorTimeout"):
        make(unpack, never.format("never_fail")).run()


@pytest.mark.parametrize(
    ("arguments", "error", "state"),
    [
        ("soft_fail=True", "AirflowFailException('x')", "skipped"),
        ("never_fail=True", "AirflowFailException('x')", "skipped"),
        ("never_fail=True", "ValueError('x')", "skipped"),
        ("", "AirflowSkipException('x')", "skipped"),
        ("silent_fail=True", "ValueError('x')", "success"),
    ],
)
def test_what_errors_of_a_poke_lead_to(
    unpack: Callable[..., Package], arguments: str, error: str, state: str
) -> None:
    body = f"if self.seen < 2: raise {error}\n        return True"
    assert own(unpack, body, arguments).run()["state"] == state


def test_soft_fail_does_not_hide_other_errors(unpack: Callable[..., Package]) -> None:
    with pytest.raises(ValueError, match=r"^x$"):
        own(unpack, "raise ValueError('x')", "soft_fail=True").run()


def test_attributes_of_a_sensor_last_from_poke_to_poke(unpack: Callable[..., Package]) -> None:
    body = "context['ti'].xcom_push('seen', self.seen)\n        return PokeReturnValue(self.seen == 4, self.seen)"
    sensor = own(unpack, body)
    entry = sensor.run()
    assert entry["xcom"] == {"seen": 4, "return_value": 4}
    assert sensor.waits == [60] * 3


def test_attributes_of_a_mapped_sensor_last_too(unpack: Callable[..., Package]) -> None:
    sensor = make(
        unpack, f"{OWN.format(body='return self.seen == 3')}Own.partial(task_id='s').expand(timeout=[900])"
    )
    sensor.map_index = 0
    assert sensor.run() == {"state": "success", "tries": 1, "map_index": 0}
    assert sensor.waits == [60] * 2


def test_in_reschedule_mode_every_poke_has_a_new_object(unpack: Callable[..., Package]) -> None:
    sensor = own(unpack, "return self.seen > 1", "mode='reschedule', timeout=200")
    with pytest.raises(Exception, match="AirflowSensorTimeout"):
        sensor.run()


def test_a_sensor_may_not_leave_more_than_can_be_kept(unpack: Callable[..., Package]) -> None:
    sensor = own(unpack, f"self.much = 'x' * {MAX_NOTE}\n        return False")
    with pytest.raises(ValueError, match="store them in S3"):
        sensor.run()


def test_tries_are_counted_apart_from_pokes(unpack: Callable[..., Package]) -> None:
    body = (
        "ti = context['ti']\n"
        "        if self.seen == 3: raise ValueError(f'try {ti.try_number}')\n"
        "        return ti.try_number == 3"
    )
    sensor = own(unpack, body, "retries=2, retry_delay=timedelta(seconds=600)")
    sensor.package.manifest["workflow"]["tasks"][0]["retry"] = {"attempts": 2, "delay": 600.0}
    assert sensor.run() == {"state": "success", "tries": 3}
    assert sensor.waits == [60, 60, 600, 60, 60, 600]


def test_the_last_try_fails_under_the_errors_own_name(unpack: Callable[..., Package]) -> None:
    sensor = own(unpack, "raise KeyError(context['ti'].try_number)", "retries=1")
    sensor.package.manifest["workflow"]["tasks"][0]["retry"] = {"attempts": 1, "delay": 5.0}
    with pytest.raises(KeyError, match="2"):
        sensor.run()
    assert sensor.waits == [5]


@pytest.mark.parametrize(("mode", "waits"), [("poke", [60] * 6), ("reschedule", [60] * 3)])
def test_a_failed_try_restarts_the_timeout_in_poke_mode_only(
    unpack: Callable[..., Package], mode: str, waits: list[int]
) -> None:
    body = "if context['ti'].poking.now().minute == 2: raise ValueError('x')\n        return False"
    sensor = own(unpack, body, f"retries=1, timeout=170, mode='{mode}'")
    sensor.package.manifest["workflow"]["tasks"][0]["retry"] = {"attempts": 1, "delay": 60.0}
    with pytest.raises(Exception, match="AirflowSensorTimeout"):
        sensor.run()
    assert sensor.waits == waits


def test_callbacks_know_whether_there_is_another_try(unpack: Callable[..., Package]) -> None:
    source = (
        "def note(name):\n    return lambda context: print('called', name, context['ti'].try_number)\n"
        "PythonSensor(task_id='s', python_callable=lambda: 1 / 0, retries=1, on_retry_callback=note('retry'),"
        " on_failure_callback=note('failure'), on_execute_callback=note('execute'))"
    )
    sensor = make(unpack, source)
    sensor.package.manifest["workflow"]["tasks"][0]["retry"] = {"attempts": 1, "delay": 5.0}
    with pytest.raises(Exception, match="division by zero"):
        sensor.run()


def test_a_sensor_starts_once_in_poke_mode(
    unpack: Callable[..., Package], capsys: pytest.CaptureFixture[str]
) -> None:
    def calls(mode: str) -> int:
        source = (
            f"PythonSensor(task_id='s', python_callable=lambda: False, timeout=200, mode='{mode}', soft_fail=True,"
            " on_execute_callback=lambda context: print('started'))"
        )
        make(unpack, source).run()
        return capsys.readouterr().out.count("started")

    assert calls("poke") == 1
    assert calls("reschedule") == 5


def test_exponential_intervals_are_airflows(unpack: Callable[..., Package]) -> None:
    sensor = make(
        unpack,
        "PythonSensor(task_id='s', python_callable=lambda: False, poke_interval=60, exponential_backoff=True,"
        " max_wait=timedelta(seconds=500), timeout=3000, soft_fail=True)",
        steady=0,
    )
    sensor.run()
    for count, seconds in enumerate(sensor.waits[:4], start=1):
        least = int(60 * 2 ** (count - 2))
        assert least <= seconds <= 2 * least
    assert set(sensor.waits[5:-1]) == {500}
    assert 3000 <= sum(sensor.waits) <= 3002, "it looks for the last time when its time is over"


def test_later_intervals_grow_with_the_time_waited(unpack: Callable[..., Package]) -> None:
    sensor = make(
        unpack,
        "PythonSensor(task_id='s', python_callable=lambda: False, timeout=86400, soft_fail=True)",
        steady=100,
        share=0.1,
    )
    sensor.run(300)
    assert sensor.waits[:100] == [60] * 100
    passed = 6000.0
    for seconds in sensor.waits[100:-1]:
        assert seconds == pytest.approx(passed * 0.1, abs=2)
        passed += seconds
    assert sum(sensor.waits) == pytest.approx(86_401, abs=2), "the end is not late"


def test_execution_timeout_counts_sleeping_in_poke_mode(unpack: Callable[..., Package]) -> None:
    sensor = make(
        unpack,
        "PythonSensor(task_id='s', python_callable=lambda: False, execution_timeout=timedelta(seconds=150))",
    )
    with pytest.raises(Exception, match="Timeout, PID") as caught:
        sensor.run()
    assert type(caught.value).__name__ == "AirflowTaskTimeout"
    assert sensor.waits == [60, 60, 30]


def test_short_intervals_are_slept_through_at_first(unpack: Callable[..., Package]) -> None:
    sensor = own(unpack, "return self.seen == 4", "poke_interval=0.01", interval=1)
    assert sensor.run()["state"] == "success"
    assert sensor.waits == []


@pytest.mark.parametrize(
    ("sensor", "seconds"),
    [
        ("DateTimeSensor(task_id='s', target_time=datetime(2030, 1, 1, 3))", 3 * 3600),
        ("DateTimeSensor(task_id='s', target_time='{{ data_interval_end.add(hours=5) }}')", 5 * 3600),
        ("TimeSensor(task_id='s', target_time=time(7, 30))", 7.5 * 3600),
        ("TimeDeltaSensor(task_id='s', delta=timedelta(minutes=10))", 600),
        ("WaitSensor(task_id='s', time_to_wait=timedelta(minutes=2))", 120),
        ("DateTimeSensor(task_id='s', target_time=datetime(2029, 1, 1))", 0),
    ],
)
def test_a_sensor_that_knows_the_moment_looks_twice_at_most(
    unpack: Callable[..., Package], sensor: str, seconds: float
) -> None:
    waiting = make(unpack, sensor, share=0.5)
    assert waiting.run()["state"] == "success"
    assert waiting.waits == ([] if not seconds else [pytest.approx(seconds, abs=1)])


def test_a_moment_after_the_timeout_is_not_waited_for(unpack: Callable[..., Package]) -> None:
    waiting = make(
        unpack, "DateTimeSensor(task_id='s', target_time='2030-02-01T00:00:00+00:00', timeout=3600)"
    )
    with pytest.raises(Exception, match="AirflowSensorTimeout"):
        waiting.run()
    assert waiting.waits == [3601]


def test_days_of_the_week(unpack: Callable[..., Package]) -> None:
    waiting = make(
        unpack, "DayOfWeekSensor(task_id='s', week_day='Thursday', poke_interval=6 * 3600)", interval=6 * 3600
    )
    waiting.run()
    assert sum(waiting.waits) == 2 * 86_400, "the first of January 2030 is a Tuesday"


def test_a_command_says_yes_with_its_exit_code(unpack: Callable[..., Package]) -> None:
    assert make(unpack, "BashSensor(task_id='s', bash_command='exit 0')").run()["state"] == "success"
    never = "BashSensor(task_id='s', bash_command='exit 3', retry_exit_code={}, timeout=0)"
    with pytest.raises(Exception, match="AirflowSensorTimeout"):
        make(unpack, never.format(3)).run()
    with pytest.raises(Exception, match="Command exited with return code 3"):
        make(unpack, never.format(4)).run()


def test_poke_mode_only(unpack: Callable[..., Package]) -> None:
    source = OWN.format(body="return self.seen == 2").replace("class Own", "@poke_mode_only\nclass Own")
    assert make(unpack, f"{source}Own(task_id='s')").run()["state"] == "success"
    with pytest.raises(ValueError, match="Only 'poke' is acceptable"):
        make(unpack, f"{source}Own(task_id='s', mode='reschedule')")


POLICY = """
from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule
POLICY = ExceptionRetryPolicy([
    RetryRule(ConnectionError, retry_delay=timedelta(minutes=7)),
    RetryRule("builtins.KeyError", RetryAction.FAIL),
    RetryRule(ArithmeticError),
])
@task(retries=4, retry_policy=POLICY)
def s(ti=None):
    raise {errors}[ti.try_number - 1]
s()
"""


def test_a_retry_policy_says_when_a_task_is_tried_again(unpack: Callable[..., Package]) -> None:
    errors = "(ConnectionResetError('a'), ZeroDivisionError('b'), OSError('c'), ConnectionError('d'), ValueError('e'))"
    sensor = make(unpack, POLICY.replace("{errors}", errors), steady=0)
    with pytest.raises(ValueError, match="e"):
        sensor.run()
    assert sensor.waits == [420, 300, 300, 420]


def test_a_retry_policy_fails_a_task_for_good(unpack: Callable[..., Package]) -> None:
    sensor = make(unpack, POLICY.replace("{errors}", "(ConnectionError('a'), KeyError('b'))"), steady=0)
    with pytest.raises(Exception, match="KeyError: 'b'") as caught:
        sensor.run()
    assert type(caught.value).__name__ == "AirflowFailException"
    assert sensor.waits == [420]
