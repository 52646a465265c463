"""A ledger of which parts have been put away."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.runtime.archive import put_away, whole_ledger
from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.storage import VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOW = {"archived": [["a", "b", "m"], ["c", "a"]]}
ENTRIES: dict[str, Any] = {
    "a": {"state": "success", "tries": 1, "xcom": {"return_value": 1}},
    "b": {"state": "failed", "tries": 2, "error": {"type": "ValueError", "message": "no"}},
    "m": {"instances": [{"state": "success", "tries": 1, "map_index": 0, "xcom": {"k": 0}}]},
}


def event(ledger: Any, **more: Any) -> dict[str, Any]:
    return {"execution": {"name": "run"}, "ledger": ledger, **more}


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    told = event({**ENTRIES, "x": ENTRIES["a"]}, archive={"part": 1, "keep": ["b", "m"]})
    answer = put_away(WORKFLOW, told)
    assert json.loads((tmp_path / "run" / "~ledger" / "part-1.json").read_text()) == ENTRIES
    return answer


def test_what_is_kept_has_no_xcoms_and_no_error(kept: dict[str, Any]) -> None:
    assert kept == {
        "b": {"state": "failed", "tries": 2, "in": 1},
        "m": {"instances": [{"state": "success", "tries": 1, "map_index": 0, "in": 1}]},
    }


def test_the_rest_is_read_when_it_is_asked_for(kept: dict[str, Any]) -> None:
    ledger = whole_ledger(WORKFLOW, event(kept))
    assert ledger["b"]["state"] == "failed"
    assert ledger["b"].get("error") == ENTRIES["b"]["error"]
    assert ledger["b"].get("xcom", {}) == {}
    assert ledger.get("a") == ENTRIES["a"]
    assert ledger["m"]["instances"][0].get("xcom") == {"k": 0}
    assert sorted(ledger) == ["a", "b", "m"]
    assert len(list(ledger.values())) == 3
    assert "c" not in ledger
    assert ledger.get("c", "nothing") == "nothing"


def test_nothing_is_read_for_states(kept: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    ledger = whole_ledger(WORKFLOW, event(kept))
    assert (ledger["b"]["state"], "a" in ledger) == ("failed", False)


def test_a_part_in_a_part(kept: dict[str, Any]) -> None:
    outer = event(kept | {"c": ENTRIES["a"]}, archive={"part": 2, "keep": ["c"]})
    assert put_away(WORKFLOW, outer) == {"c": {"state": "success", "tries": 1, "in": 2}}
    ledger = whole_ledger(WORKFLOW, event({}))
    assert [ledger[name]["state"] for name in "abc"] == ["success", "failed", "success"]


def test_without_a_store_nothing_can_be_put_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(RuntimeSetupError):
        put_away(WORKFLOW, event(ENTRIES, archive={"part": 1, "keep": []}))


def test_where_nothing_is_ever_put_away_the_ledger_is_what_it_is() -> None:
    assert whole_ledger({}, event(ENTRIES)) is ENTRIES
