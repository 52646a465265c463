"""What is kept under scopes and keys: in a folder, and in a table of DynamoDB as the template makes it, on moto."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from moto_tables import moto_table

from orkestra_bridge.runtime.errors import StateStorageError
from orkestra_bridge.runtime.tables import LIMIT, DynamoTable, FolderTable, clear, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orkestra_bridge.runtime.tables import Table


@pytest.fixture
def client() -> Iterator[Any]:
    with moto_table("states") as client:
        yield client


@pytest.fixture(params=["folder", "dynamodb"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Table:
    if request.param == "folder":
        return FolderTable(tmp_path / "states")
    return DynamoTable("states", request.getfixturevalue("client"))


def test_the_last_write_counts_and_scopes_are_apart(table: Table) -> None:
    assert table.read("run/task/-1", "key") is None
    table.write("run/task/-1", "key", "old")
    table.write("run/task/-1", "key", "ä" * 1000)
    table.write("run/task/0", "key", "other")
    assert table.read("run/task/-1", "key") == "ä" * 1000
    assert table.read("run/task/0", "key") == "other"
    table.delete("run/task/0", "key")
    table.delete("run/task/0", "never")
    assert table.read("run/task/0", "key") is None


def test_what_has_expired_is_not_there(table: Table) -> None:
    table.write("s", "over", "1", time.time() - 1)
    table.write("s", "soon", "2", time.time() + 3600)
    table.write("s", "never", "3")
    assert [table.read("s", key) for key in ("over", "soon", "never")] == [None, "2", "3"]
    assert list(table.entries("s")) == [("never", "3"), ("soon", "2")]
    table.write("s", "over", "4")
    assert table.read("s", "over") == "4"


def test_entries_are_in_the_order_of_their_keys_between_bounds(table: Table) -> None:
    for key in ("c", "a", "e", "b"):
        table.write("s", key, key * 2)
    assert [key for key, _ in table.entries("s")] == ["a", "b", "c", "e"]
    assert [text for _, text in table.entries("s", newest_first=True)] == ["ee", "cc", "bb", "aa"]
    assert [key for key, _ in table.entries("s", "b")] == ["b", "c", "e"]
    assert [key for key, _ in table.entries("s", high="c")] == ["a", "b", "c"]
    assert [key for key, _ in table.entries("s", "b", "d", newest_first=True)] == ["c", "b"]
    assert list(table.entries("another")) == []


def test_all_pages_of_a_query_are_read(table: Table) -> None:
    for number in range(12):
        table.write("s", f"{number:02}", f"{number}" * 120_000)
    assert [key for key, _ in table.entries("s", newest_first=True)] == [f"{n:02}" for n in range(11, -1, -1)]


def test_clearing_a_scope_leaves_the_others(table: Table) -> None:
    for scope in ("one", "two"):
        for key in ("a", "b"):
            table.write(scope, key, "x")
    clear(table, "one")
    assert (list(table.entries("one")), len(list(table.entries("two")))) == ([], 2)


def test_a_value_that_is_too_large_is_refused_with_the_numbers(table: Table) -> None:
    table.write("s", "k" * 120, "x" * LIMIT)
    with pytest.raises(
        StateStorageError, match=r"'big' has 400,001 bytes, DynamoDB keeps 400,000: put it into S3"
    ):
        table.write("s", "big", "x" * (LIMIT + 1))


def test_a_table_that_is_not_there_is_named(client: Any) -> None:
    with pytest.raises(
        StateStorageError, match=r"the table none of DynamoDB cannot be used; is it deployed\? .*not found"
    ):
        DynamoTable("none", client).read("s", "k")


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("a file")
    with pytest.raises(StateStorageError, match=r"k\.json cannot be written: "):
        FolderTable(tmp_path).write("s", "k", "x")
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "k.json").write_text("{")
    with pytest.raises(StateStorageError, match=r"k\.json cannot be read: "):
        FolderTable(tmp_path).read("t", "k")


def test_an_environment_variable_names_the_table(tmp_path: Path) -> None:
    assert table_of("X", {}) is None
    assert isinstance(table_of("X", {"X": "dynamodb:states"}), DynamoTable)
    found = table_of("X", {"X": str(tmp_path)})
    assert isinstance(found, FolderTable)
    assert table_of("X", {"X": str(tmp_path)}) is found
