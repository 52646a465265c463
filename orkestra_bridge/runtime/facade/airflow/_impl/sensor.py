"""Base of sensors."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any

from airflow._impl.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    PokeAgain,
    TaskDeferralError,
    TaskDeferralTimeout,
)
from airflow._impl.operator import BaseOperator

if TYPE_CHECKING:
    from orkestra_bridge.runtime.poking import Poking

LONGEST = dt.timedelta.max.total_seconds() - 1


class PokeReturnValue:
    """What a poke says: whether it is done, and the XCom to push then."""

    def __init__(self, is_done: bool, xcom_value: Any = None) -> None:
        self.is_done = is_done
        self.xcom_value = xcom_value

    def __bool__(self) -> bool:
        return self.is_done


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, (int, float)) and value >= 0:
        return float(value)
    raise ValueError(f"Operator arg `{name}` must be timedelta object or a non-negative number")


class BaseSensorOperator(BaseOperator):
    """Pokes until it is done; between pokes no function runs (`orkestra_bridge.runtime.poking`)."""

    ui_color = "#e6f1f2"
    valid_modes: Any = ("poke", "reschedule")
    _is_sensor = True

    def __init__(
        self,
        *,
        poke_interval: Any = 60,
        timeout: Any = None,
        soft_fail: bool = False,
        mode: str = "poke",
        exponential_backoff: bool = False,
        max_wait: Any = None,
        silent_fail: bool = False,
        never_fail: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.poke_interval = _seconds("poke_interval", poke_interval)
        self.timeout = _seconds("timeout", 604_800.0 if timeout is None else timeout)
        self.soft_fail = soft_fail
        self.mode = mode
        self.exponential_backoff = exponential_backoff
        self.max_wait = None if max_wait is None else dt.timedelta(seconds=_seconds("max_wait", max_wait))
        if soft_fail is True and never_fail is True:
            raise ValueError("soft_fail and never_fail are mutually exclusive, you can not provide both.")
        self.silent_fail = silent_fail
        self.never_fail = never_fail
        if self.mode not in self.valid_modes:
            raise ValueError(f"The mode must be one of {list(self.valid_modes)}; received {self.mode!r}.")

    @property
    def reschedule(self) -> bool:
        return bool(self.mode == "reschedule")

    def poke(self, context: Any) -> Any:
        """Return True or a PokeReturnValue when what is waited for is there; subclasses say what."""
        raise AirflowException("Override me.")

    def ready_at(self, context: Any) -> dt.datetime | None:
        """Return the moment at which the poke will succeed, if that is known before: then it need not look earlier."""
        return None

    def execute(self, context: Any) -> Any:
        poking: Poking = context["ti"].poking
        while True:
            result = self._poked(context)
            if result:
                self.log.info("Success criteria met. Exiting.")
                return result.xcom_value if isinstance(result, PokeReturnValue) else None
            poking.pokes += 1
            waited = poking.waited(all_tries=self.reschedule)
            if waited > self.timeout:
                message = (
                    f"Sensor has timed out; run duration of {waited} seconds exceeds "
                    f"the specified timeout of {self.timeout}."
                )
                raise (AirflowSkipException if self.soft_fail else AirflowSensorTimeout)(message)
            self._wait(poking, self.timeout - waited, context)

    def _constructed(self) -> None:
        if getattr(self, "deferrable", False):
            # its poke() says the same as its trigger, and waiting costs nothing either way
            object.__setattr__(self, "deferrable", False)
        super()._constructed()

    def resume_execution(self, next_method: str, next_kwargs: Any, context: Any) -> Any:
        try:
            try:
                return super().resume_execution(next_method, next_kwargs, context)
            except TaskDeferralTimeout as error:
                raise AirflowSensorTimeout(*error.args) from error
        except (AirflowException, TaskDeferralError) as error:
            if self.soft_fail or self.never_fail:
                name = "soft_fail" if self.soft_fail else "never_fail"
                raise AirflowSkipException(f"Skipping due to {name} is set to True.") from error
            raise

    def _wait(self, poking: Poking, remaining: float, context: Any) -> None:
        """Sleep until the next poke if it is near; raises PokeAgain to be called again."""
        moment = self.ready_at(context)
        if moment is None:
            seconds = self._get_next_poke_interval(poking, self.timeout - remaining)
        else:
            seconds = max(0.0, (moment - poking.now()).total_seconds())
        if moment is not None or self.mode != "poke" or not poking.sleeps(seconds):
            raise PokeAgain(seconds, remaining=remaining, exact=moment is not None)

    def _poked(self, context: Any) -> Any:
        try:
            return self.poke(context)
        except (AirflowSensorTimeout, AirflowTaskTimeout, AirflowFailException) as error:
            if self.soft_fail or self.never_fail:
                name = "soft_fail" if self.soft_fail else "never_fail"
                raise AirflowSkipException(f"Skipping due to {name} is set to True.") from error
            raise
        except AirflowSkipException:
            raise
        except Exception as error:
            if self.silent_fail:
                self.log.exception("Sensor poke failed:")
                return False
            if self.never_fail:
                raise AirflowSkipException("Skipping due to never_fail is set to True.") from error
            raise

    def _get_next_poke_interval(self, poking: Poking, waited: float) -> float:
        """Return the seconds until the next poke (`BaseSensorOperator._get_next_poke_interval` of Airflow)."""
        if not self.exponential_backoff:
            return self.poke_interval
        count, passed = poking.pokes, 0.0
        if self.reschedule:  # Airflow forgets the count and works it out from the time
            count = 0
            while passed <= waited:
                count += 1
                passed += self._backoff(poking, count)
        seconds = min(self.timeout - int(waited), self._backoff(poking, count))
        return seconds if self.max_wait is None else min(self.max_wait.total_seconds(), seconds)

    def _backoff(self, poking: Poking, count: int) -> float:
        least = max(int(self.poke_interval * 2 ** (count - 2)), 1)
        text = f"{self.dag_id}#{self.task_id}#{poking.since}#{count}"
        digest = int(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), 16)
        return min(least + digest % least, LONGEST)


def poke_mode_only(cls: Any) -> Any:
    """Return the class with its mode fixed; what a poke leaves on the sensor is there in the next one."""
    if not issubclass(cls, BaseSensorOperator):
        raise ValueError(  # noqa: TRY004 - as Airflow has it
            f"poke_mode_only decorator should only be applied to subclasses of BaseSensorOperator, got:{cls}."
        )

    def refuse(_self: Any, value: str) -> None:
        if value != "poke":
            raise ValueError(f"Cannot set mode to '{value}'. Only 'poke' is acceptable")

    cls.mode = property(lambda _self: "poke", refuse)
    return cls
