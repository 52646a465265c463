"""What a conversion keeps is there for the next one, whatever happens to the file in between."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from orkestra_bridge.kept import DAYS, Kept

if TYPE_CHECKING:
    from pathlib import Path


def keep(file: Path, **values: bytes) -> None:
    kept = Kept(file)
    for key, value in values.items():
        kept.put(key, value)
    kept.close()


def found(file: Path, *keys: str) -> list[bytes | None]:
    with closing(Kept(file)) as kept:
        return [kept.get(key) for key in keys]


def test_a_value_is_there_at_once_and_for_the_next_one(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "values.db"
    with closing(Kept(file)) as kept:
        assert kept.get("a") is None
        kept.put("a", b"1")
        assert kept.get("a") == b"1"
        assert not file.exists()
    assert found(file, "a", "b") == [b"1", None]
    keep(file, a=b"2", b=b"3")
    assert found(file, "a", "b") == [b"2", b"3"]


def test_many_values_are_written_before_the_end(tmp_path: Path) -> None:
    file = tmp_path / "values.db"
    kept = Kept(file)
    for number in range(1000):
        kept.put(str(number), b"x")
    assert found(file, "0", "999") == [b"x", b"x"]
    kept.close()


def test_what_two_keep_at_the_same_time_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "values.db"
    one, other = Kept(file), Kept(file)
    assert one.get("b") is None
    one.put("a", b"1")
    other.put("b", b"2")
    one.close()
    assert other.get("a") == b"1"
    other.close()
    assert found(file, "a", "b") == [b"1", b"2"]


def test_a_file_that_is_no_database_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "values.db"
    file.write_bytes(b"not a database, but long enough to be looked at as if it were one" * 20)
    assert found(file, "a") == [None]
    keep(file, a=b"1")
    assert found(file, "a") == [b"1"]


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    file = tmp_path / "file" / "values.db"
    keep(file, a=b"1")
    assert found(file, "a") == [None]


def test_a_locked_file_costs_nothing_but_what_was_to_be_kept(tmp_path: Path) -> None:
    file = tmp_path / "values.db"
    keep(file, a=b"1")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("begin immediate")
        kept = Kept(file, patience=0.0)
        kept.put("b", b"2")
        kept.close()
    assert found(file, "a", "b") == [b"1", None]


def test_old_values_are_dropped(tmp_path: Path) -> None:
    file = tmp_path / "values.db"
    keep(file, old=b"1", young=b"2")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        for key, days in (("old", DAYS + 1), ("young", DAYS - 1)):
            other.execute("update kept set day = date('now', ?) where key = ?", [f"-{days} days", key])
    keep(file, new=b"3")
    assert found(file, "old", "young", "new") == [None, b"2", b"3"]
