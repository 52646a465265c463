"""`macros` of templates."""

from __future__ import annotations

import json
import time
import uuid
from datetime import datetime, timedelta
from random import random
from typing import Any


def ds_add(ds: str, days: int) -> str:
    """Return an ISO date some days later, earlier for a negative number."""
    if not days:
        return str(ds)
    return (datetime.strptime(str(ds), "%Y-%m-%d") + timedelta(days)).strftime("%Y-%m-%d")  # noqa: DTZ007


def ds_format(ds: str, input_format: str, output_format: str) -> str:
    """Return a date in another format."""
    return datetime.strptime(str(ds), input_format).strftime(output_format)  # noqa: DTZ007


def ds_format_locale(ds: str, input_format: str, output_format: str, locale: Any = None) -> str:
    """Return a date in another format of a locale (needs babel)."""
    from babel import Locale
    from babel.dates import LC_TIME, format_datetime

    moment = datetime.strptime(str(ds), input_format)  # noqa: DTZ007
    return str(format_datetime(moment, format=output_format, locale=locale or Locale.parse(LC_TIME)))


def datetime_diff_for_humans(dt: Any, since: Any = None) -> str:
    """Return how long ago, or before another moment, something was, in words."""
    import pendulum

    moment = pendulum.instance(dt)
    return moment.diff_for_humans() if since is None else moment.diff_for_humans(pendulum.instance(since))


def __getattr__(name: str) -> Any:
    # Third-party modules that templates reach as macros.yaml, macros.dateutil, macros.pendulum.
    if name in ("yaml", "dateutil", "pendulum"):
        from importlib import import_module

        return import_module(name)
    raise AttributeError(f"macros has no {name!r}; define it with user_defined_macros")


__all__ = ["datetime", "ds_add", "ds_format", "json", "random", "time", "timedelta", "uuid"]
