"""Small things that DAG files import: plugins, notifiers, sessions that do nothing, secrets masking."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow._impl.logs import LoggingMixin
from airflow._impl.templates import Templater

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class AirflowPlugin:
    """Base of plugins; never loaded here."""

    name: str | None = None


class BaseNotifier(LoggingMixin, Templater):
    """Base of the user's own notifiers."""

    template_fields: Any = ()

    def __init__(self, context: Any = None, **_kwargs: Any) -> None:
        super().__init__()
        self.context = context or {}

    def notify(self, context: Any) -> None:
        """Send the notification; subclasses say how."""
        raise AttributeError(f"{type(self).__name__} does not define notify(context)")

    def __call__(self, *args: Any) -> None:
        context = args[0]
        context.update({field: getattr(self, field) for field in self.template_fields})
        self.render_template_fields(context)
        self.notify(context)


def import_string(dotted_path: str) -> Any:
    """Return the object that a dotted path names; raises ImportError if there is none."""
    module, _, name = dotted_path.rpartition(".")
    if not module:
        raise ImportError(f"{dotted_path} doesn't look like a module path")
    try:
        return getattr(importlib.import_module(module), name)
    except AttributeError:
        raise ImportError(f'Module "{module}" does not define a "{name}" attribute/class') from None


def qualname(o: Any, *_args: Any, **_kwargs: Any) -> str:
    kind = o if isinstance(o, type) or callable(o) else type(o)
    return f"{kind.__module__}.{kind.__qualname__}"


def mask_secret(secret: Any, name: str | None = None) -> None:
    """Take note of a secret; the runtime prints no values of its own."""


def redact(value: Any, *_args: Any, **_kwargs: Any) -> Any:
    return value


def provide_session(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as it is; it fails when it uses the session that nobody gives it."""
    return function


NEW_SESSION: Any = None


@contextmanager
def create_session(*_args: Any, **_kwargs: Any) -> Iterator[Any]:
    """Raise AirflowException: there is no metadata database behind a task on AWS."""
    from airflow._impl.exceptions import AirflowException

    raise AirflowException(
        "Airflow's metadata database is not available in the task runtime; keep what the task needs in its own store"
    )
    yield


class timeout:
    """``with timeout(seconds)``: raises AirflowTaskTimeout in a block that takes longer."""

    def __init__(self, seconds: float = 1, error_message: str = "Timeout") -> None:
        self.seconds = seconds
        self.error_message = error_message
        self._before: Any = None

    def __enter__(self) -> None:
        import signal

        from airflow._impl.exceptions import AirflowTaskTimeout

        def stop(_signal: int, _frame: Any) -> None:
            raise AirflowTaskTimeout(self.error_message)

        self._before = signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, self.seconds)

    def __exit__(self, *_error: object) -> None:
        import signal

        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)
