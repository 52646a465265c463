"""Small things that DAG files import: plugins, notifiers, sessions that do nothing."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from airflow._impl.logs import LoggingMixin
from airflow._impl.settings import SETTINGS
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
        self.resolve_template_files()

    async def async_notify(self, context: Any) -> None:
        """Send the notification from an event loop; only Airflow's triggerer does."""
        raise NotImplementedError

    def notify(self, context: Any) -> None:
        """Send the notification; subclasses say how."""
        raise AttributeError(f"{type(self).__name__} does not define notify(context)")

    def __call__(self, *args: Any) -> None:
        context = args[0]
        context.update({field: getattr(self, field) for field in self.template_fields})
        self.render_template_fields(context)
        self.notify(context)


def pod_mutation_hook(pod: Any) -> None:
    """Leave a pod as it is: the cluster's policies are not here."""


class PriorityWeightStrategy:
    """Base of the user's own weights; nothing asks for them here."""

    def get_weight(self, ti: Any) -> int:
        """Return the weight of a task instance; subclasses say which."""
        raise NotImplementedError


def is_venv_installed() -> bool:
    """Return what it returned where the DAG was parsed: files make tasks or leave them out by it.

    Where the tasks run, their environments are made already.
    """
    return SETTINGS.virtualenv


def get_hostname() -> str:
    return socket.gethostname()


def get_host_ip_address() -> str:
    return socket.gethostbyname(socket.getfqdn())


class Resources:
    """What a task would like to have of a worker; kept as given."""

    def __init__(self, cpus: int = 1, ram: int = 512, disk: int = 512, gpus: int = 0) -> None:
        self.cpus = cpus
        self.ram = ram
        self.disk = disk
        self.gpus = gpus


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
