from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orkestra_bridge.errors import OutputError
from orkestra_bridge.output import Output

if TYPE_CHECKING:
    from pathlib import Path


def test_a_committed_output_replaces_the_dag_and_keeps_the_rest(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "sales").mkdir(parents=True)
    (out / "sales" / "stale.json").write_text("old")
    (out / "other").mkdir()
    (out / "notes.txt").write_text("mine")
    with Output(out) as output:
        output.write("sales/workflow.json", b"new")
        output.write("report.json", b"{}")
        output.commit()
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*")) == [
        "notes.txt",
        "other",
        "report.json",
        "sales",
        "sales/workflow.json",
    ]


def test_without_commit_nothing_changes(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "sales").mkdir(parents=True)
    (out / "sales" / "workflow.json").write_text("old")

    class StoppedError(Exception):
        pass

    def stopped() -> None:
        with Output(out) as output:
            output.write("sales/workflow.json", b"new")
            raise StoppedError

    with pytest.raises(StoppedError):
        stopped()
    assert [path.name for path in out.iterdir()] == ["sales"]
    assert (out / "sales" / "workflow.json").read_text() == "old"


def test_a_folder_made_for_nothing_is_removed_again(tmp_path: Path) -> None:
    with pytest.raises(OutputError), Output(tmp_path / "out"):
        raise OutputError("stop")
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_way_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="cannot write to"), Output(tmp_path / "out"):
        pytest.fail("entered")


def test_layers_join_those_of_earlier_conversions(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with Output(tmp_path) as output:
            output.write(f".layers/{name}.zip", b"")
            output.commit()
    assert sorted(path.name for path in (tmp_path / ".layers").iterdir()) == ["one.zip", "two.zip"]
