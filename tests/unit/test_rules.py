"""Ids are permanent: the list may grow, an id in it never changes its meaning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from orkestra_bridge.rulebook import FAMILIES, all_rules, rules_of

BOUNDS = {
    "frontend": (100, 199),
    "passes": (200, 299),
    "operators": (300, 319),
    "lowering": (320, 399),
    "packaging": (400, 499),
    "stack": (500, 599),
}
ROOT = Path(__file__).parents[2]
LIST = ROOT / "tests" / "data" / "rules.txt"
RETIRED = "(no longer used) "


def listed() -> dict[str, str]:
    """Return the ids that were ever used, with their titles."""
    rows = (line.partition(" ") for line in LIST.read_text(encoding="utf-8").splitlines())
    return {rule_id: title for rule_id, _, title in rows}


def test_all_families_are_known() -> None:
    assert BOUNDS.keys() == FAMILIES.keys()
    folders = {path.parent.name for path in (ROOT / "orkestra_bridge").glob("*/rules.py")}
    assert folders == FAMILIES.keys()


@pytest.mark.parametrize(("family", "bounds"), BOUNDS.items())
def test_each_family_keeps_to_its_numbers(family: str, bounds: tuple[int, int]) -> None:
    assert rules_of(family)
    assert all(bounds[0] <= int(rule.id.removeprefix("OB")) <= bounds[1] for rule in rules_of(family))


def test_no_id_is_used_twice() -> None:
    ids = [rule.id for family in FAMILIES for rule in rules_of(family)]
    assert len(set(ids)) == len(ids)


def test_no_id_changes_its_meaning(*, rewrite_goldens: bool) -> None:
    """A new id is added to the list with --rewrite-goldens; one that is no longer used stays in it."""
    known, rules = listed(), all_rules()
    if rewrite_goldens:
        known = {**{rule.id: rule.title for rule in rules.values()}, **known}
        LIST.write_text("".join(f"{each} {known[each]}\n" for each in sorted(known)), encoding="utf-8")
    used = {each: title for each, title in known.items() if not title.startswith(RETIRED)}
    assert used == {rule.id: rule.title for rule in rules.values()}


def test_only_errors_say_what_happens_when_they_are_allowed() -> None:
    for rule in all_rules().values():
        assert rule.if_allowed is None or rule.severity.value == "error"


def test_the_generated_pages_are_up_to_date() -> None:
    check = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.stderr, done.returncode) == ("", 0)
