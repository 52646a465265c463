"""What a task logs and prints: JSON lines that say which task instance they are from, or plain lines; without secrets.

JSON where the function's environment says so, which the template does: CloudWatch Logs Insights finds fields in them.
"""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import threading
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TextIO

from orkestra_bridge.runtime.failure import NOTE_BEGINS
from orkestra_bridge.runtime.masking import MASKER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FORMAT_VARIABLE = "ORKESTRA_BRIDGE_LOG"
PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"

_about: dict[str, Any] = {}
_stdout: list[TextIO] = []


class _Handler(logging.Handler):
    """Writes to the process's own standard output, which is another one while a task runs."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            _write(self.format(record))
        except Exception:  # noqa: BLE001  # logging's own rule: a line that cannot be logged must not fail the task
            self.handleError(record)


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return MASKER.text(super().format(record))


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {"exception": self.formatException(record.exc_info)} if record.exc_info else {}
        return _json_line(record.created, record.levelname, record.name, record.getMessage(), fields)


def _json_line(moment: float, level: str, logger: str, message: str, more: Mapping[str, str]) -> str:
    document = {
        "timestamp": datetime.fromtimestamp(moment, timezone.utc).isoformat(timespec="milliseconds"),
        "level": level,
        "logger": logger,
        "message": message,
        **_about,
        **more,
    }
    masked = {key: MASKER.text(value) if isinstance(value, str) else value for key, value in document.items()}
    return json.dumps(masked, ensure_ascii=False, default=str)


def _as_json() -> bool:
    return os.environ.get(FORMAT_VARIABLE) == "json"


def configure() -> None:
    """Let INFO through, in our format: it takes the place of the handler that Lambda's own runtime has set up."""
    handler = _Handler()
    handler.setFormatter(_Json() if _as_json() else _Plain(PLAIN))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)


def _write(line: str) -> None:
    stream = _stdout[-1] if _stdout else sys.stdout
    stream.write(f"{line}\n")
    stream.flush()


class _Printed(io.TextIOBase):
    """A standard stream of the task: whole lines, without secrets, each a log line where those are JSON."""

    def __init__(self, stream: TextIO, level: str, logger: str) -> None:
        self._stream, self._level, self._logger = stream, level, logger
        self._rest = ""
        self._lock = threading.Lock()

    @property
    def buffer(self) -> Any:
        """Return the stream for bytes, which are written as they are."""
        return self._stream.buffer

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Return the encoding of the stream below."""
        return self._stream.encoding

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        with self._lock:
            whole, newline, rest = MASKER.text(self._rest + text).rpartition("\n")
            self._rest = rest
        if newline:
            self._lines(whole)
        return len(text)

    def finish(self) -> None:
        """Write what stands behind the last newline."""
        rest, self._rest = self._rest, ""
        if rest:
            self._lines(rest)

    def _lines(self, text: str) -> None:
        for line in MASKER.text(text).split("\n"):
            if _as_json():
                now = datetime.now(timezone.utc).timestamp()
                _write(_json_line(now, self._level, self._logger, line, {}))
            else:
                self._stream.write(f"{line}\n")
                self._stream.flush()


def about(**fields: Any) -> None:
    """Give every line from now on these fields: ``dag_id``, ``run_id``, ``task_id``, ``map_index``, ``try_number``."""
    _about.update(fields)


@contextmanager
def task_output() -> Iterator[None]:
    """Treat what is printed in a ``with`` block as log lines; what `about` was told is forgotten at its end."""
    out, err = _Printed(sys.stdout, "INFO", "task.stdout"), _Printed(sys.stderr, "ERROR", "task.stderr")
    _stdout.append(sys.stdout)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            yield
    finally:
        out.finish()
        err.finish()
        _stdout.pop()
        _about.clear()


def without_secrets(error: Exception) -> Exception:
    """Return the error itself, or one of the same class name whose message has no secret, where it has one.

    Its causes are dropped with it: whoever prints an error prints those as well. What the handler adds for the state
    machine is left as it is.
    """
    if not any(MASKER.text(str(each)) != str(each) for each in _chain(error)):
        return error
    message, note, more = str(error).partition(NOTE_BEGINS)
    kind = type(type(error).__name__, (Exception,), {"__module__": type(error).__module__})
    masked: Exception = kind(f"{MASKER.text(message)}{note}{more}").with_traceback(error.__traceback__)
    masked.__suppress_context__ = True
    return masked


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__]
