"""What one conversion keeps for the next: values under keys, in a file that a conversion opens once.

A file for each value took longer than all the writing of the output. SQLite's lock lets several conversions share one.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from pathlib import Path

DAYS = 60
"""How long a value is kept; one that is still asked for then is made again."""

_AT_ONCE = 500
"""Values that are written together; so many are lost if the process is killed."""


@final
class Kept:
    """Values by key; a file that cannot be read or written behaves like an empty one. May be used by several threads.

    ``patience`` is how many seconds to wait for another conversion that writes.
    """

    def __init__(self, file: Path, *, patience: float = 5.0) -> None:
        self._file = file
        self._patience = patience
        self._lock = threading.Lock()
        self._fresh: dict[str, bytes] = {}
        self._reading: sqlite3.Connection | None = None
        self._looked = False

    def get(self, key: str) -> bytes | None:
        """Return the value under a key, None if there is none."""
        with self._lock:
            known = self._fresh.get(key)
            return known if known is not None else self._read(key)

    def put(self, key: str, value: bytes) -> None:
        """Keep a value; it is written with others, by `close` at the latest."""
        with self._lock:
            self._fresh[key] = value
            if len(self._fresh) >= _AT_ONCE:
                self._write()

    def close(self) -> None:
        """Write what has not been written."""
        with self._lock:
            self._write()
            self._end_reading()

    def _read(self, key: str) -> bytes | None:
        try:
            connection = self._opened()
            row = connection and connection.execute("select value from kept where key = ?", [key]).fetchone()
        except sqlite3.Error:
            return None
        return row[0] if row else None

    def _opened(self) -> sqlite3.Connection | None:
        if not self._looked:
            self._looked = True
            if self._file.is_file():
                self._reading = self._connected()
        return self._reading

    def _connected(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self._file,
            timeout=self._patience,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=8,
        )

    def _end_reading(self) -> None:
        if self._reading is not None:
            self._reading.close()
        self._reading, self._looked = None, False

    def _write(self) -> None:
        if not self._fresh:
            return
        try:
            self._insert()
        except sqlite3.OperationalError:  # locked, or no right to write
            pass
        except sqlite3.DatabaseError:  # no database, or a broken one
            self._end_reading()
            with suppress(OSError, sqlite3.Error):
                self._file.unlink()
                self._insert()
        except OSError:
            pass
        self._fresh.clear()

    def _insert(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        today = date.today()  # noqa: DTZ011 - a day more or less does not matter
        rows = [(key, value, today.isoformat()) for key, value in self._fresh.items()]
        with closing(self._connected()) as connection:
            # What is lost with the machine's power is made again.
            connection.execute("pragma synchronous = off")
            connection.execute("create table if not exists kept (key text primary key, value blob, day text)")
            connection.execute("begin immediate")
            connection.executemany("insert or replace into kept values (?, ?, ?)", rows)
            connection.execute("delete from kept where day < ?", [(today - timedelta(days=DAYS)).isoformat()])
            connection.execute("commit")
