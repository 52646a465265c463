from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from jsonata import Jsonata

from orkestra_bridge.asl.jsonata import lookup, merge, text

KEYS = st.from_regex(r"[\w.\-]{1,20}", fullmatch=True)


@given(KEYS)
def test_lookup_finds_any_task_id(key: str) -> None:
    compiled = Jsonata(lookup("$x", key))
    compiled.assign("x", {key: {"found": True}})
    assert compiled.evaluate(None) == {"found": True}


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20))
def test_text_is_a_literal_of_itself(value: str) -> None:
    assert Jsonata(text(value)).evaluate(None) == value


def test_merge_lays_the_last_on_top() -> None:
    assert Jsonata(merge("{'a': 1, 'b': 1}", "{'b': 2}")).evaluate(None) == {"a": 1, "b": 2}
