"""`self.log` of operators and hooks."""

from __future__ import annotations

import logging
from typing import Any


class LoggingMixin:
    """Gives a class its logger."""

    _log: Any = None

    def __init__(self, context: Any = None) -> None:
        super().__init__()

    @property
    def log(self) -> logging.Logger:
        kind = type(self)
        return logging.getLogger(f"airflow.task.operators.{kind.__module__}.{kind.__name__}")
