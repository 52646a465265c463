"""Base of sensors: the user's own load and poke in one go."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow._impl.exceptions import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
)
from airflow._impl.operator import BaseOperator
from airflow._impl.python import determine_kwargs

if TYPE_CHECKING:
    from collections.abc import Callable


class PokeReturnValue:
    """What a poke says: whether it is done, and the XCom to push then."""

    def __init__(self, is_done: bool, xcom_value: Any = None) -> None:
        self.is_done = is_done
        self.xcom_value = xcom_value

    def __bool__(self) -> bool:
        return self.is_done


def _seconds(value: Any) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


class BaseSensorOperator(BaseOperator):
    """Pokes until it is done, sleeping in between."""

    ui_color = "#e6f1f2"

    def __init__(
        self,
        *,
        poke_interval: Any = 60.0,
        timeout: Any = 604800.0,
        soft_fail: bool = False,
        mode: str = "poke",
        exponential_backoff: bool = False,
        max_wait: Any = None,
        silent_fail: bool = False,
        never_fail: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.poke_interval = _seconds(poke_interval)
        self.timeout = _seconds(timeout)
        self.soft_fail = soft_fail
        self.mode = mode
        self.exponential_backoff = exponential_backoff
        self.max_wait = max_wait
        self.silent_fail = silent_fail
        self.never_fail = never_fail

    def poke(self, context: Any) -> Any:
        """Return True or a PokeReturnValue when what is waited for is there; subclasses say what."""
        raise AttributeError(f"{self.task_type} does not define poke(context)")

    def execute(self, context: Any) -> Any:
        started = time.monotonic()
        while True:
            result = self._poked(context)
            if result:
                return result.xcom_value if isinstance(result, PokeReturnValue) else None
            if time.monotonic() - started > self.timeout:
                if self.soft_fail or self.never_fail:
                    raise AirflowSkipException("Sensor has timed out.")
                raise AirflowSensorTimeout("Sensor has timed out.")
            time.sleep(self.poke_interval)

    def _poked(self, context: Any) -> Any:
        try:
            return self.poke(context)
        except (AirflowSensorTimeout, AirflowTaskTimeout, AirflowFailException):
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException("Skipping because soft_fail is set to True.") from None
            raise
        except AirflowSkipException:
            raise
        except Exception:
            if self.never_fail:
                raise AirflowSkipException("Skipping because never_fail is set to True.") from None
            if self.silent_fail:
                self.log.exception("Sensor poke failed")
                return False
            raise


class PythonSensor(BaseSensorOperator):
    """Pokes with a function."""

    template_fields: Any = ("templates_dict", "op_args", "op_kwargs")

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Any = None,
        op_kwargs: Any = None,
        templates_dict: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.python_callable = python_callable
        self.op_args = op_args or []
        self.op_kwargs = op_kwargs or {}
        self.templates_dict = templates_dict

    def poke(self, context: Any) -> Any:
        context.update(self.op_kwargs)
        context["templates_dict"] = self.templates_dict
        kwargs = determine_kwargs(self.python_callable, self.op_args, context)
        return self.python_callable(*self.op_args, **kwargs)


def poke_mode_only(cls: Any) -> Any:
    """Return the class as it is: pokes always share one process here."""
    return cls
