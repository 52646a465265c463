"""`self.log` of operators and hooks."""

from __future__ import annotations

import logging
from typing import Any


class LoggingMixin:
    """Gives a class its logger."""

    _log: Any = None

    def __init__(self, context: Any = None) -> None:
        super().__init__()

    def _set_context(self, context: Any) -> None: ...

    @classmethod
    def logger(cls) -> logging.Logger:
        return logging.getLogger(f"airflow.task.operators.{cls.__module__}.{cls.__name__}")

    @property
    def log(self) -> logging.Logger:
        kind = type(self)
        return logging.getLogger(f"airflow.task.operators.{kind.__module__}.{kind.__name__}")


class StreamLogWriter:
    """A stream that logs the lines written to it."""

    def __init__(self, logger: Any, level: int) -> None:
        self.logger = logger
        self.level = level
        self._buffer = ""

    def write(self, message: str) -> None:
        self._buffer += message
        if message.endswith("\n"):
            self.flush()

    def flush(self) -> None:
        text, self._buffer = self._buffer.rstrip(), ""
        if text:
            self.logger.log(self.level, text)

    def isatty(self) -> bool:
        return False
