"""What needs Airflow's database, scheduler or web server: importable, so that a file loads, and an error when used.

Every look-up is noted for the preflight, which reports it.
"""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from airflow._impl.settings import SETTINGS


def _refuse(name: str) -> NoReturn:
    from airflow._impl.exceptions import AirflowException

    raise AirflowException(
        f"{name} is not available in the task runtime: there is no Airflow database behind a task on AWS. "
        "Keep what the task needs in its own store, or ask AWS (boto3: stepfunctions)"
    )


class _AbsentMeta(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        _refuse(f"airflow's {cls.__name__}.{name}")

    def __call__(cls, *_args: Any, **_kwargs: Any) -> Any:
        _refuse(f"airflow's {cls.__name__}()")


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    cls = _AbsentMeta(name, (), {"__module__": __name__, "__doc__": "Not available in the task runtime."})
    setattr(sys.modules[__name__], name, cls)
    return cls


def note(path: str, name: str) -> None:
    """Remember that loaded code looked a name up that only fails when it is used."""
    noted = (path, name, _place())
    if noted not in SETTINGS.absent:
        SETTINGS.absent.append(noted)


def _place() -> Any:
    frame = sys._getframe(2)
    while frame.f_back and (
        "/airflow/_impl/" in frame.f_code.co_filename or "importlib" in frame.f_code.co_filename
    ):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
