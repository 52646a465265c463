"""Ids are permanent: this list may grow, an id in it never changes its meaning."""

from __future__ import annotations

from importlib import import_module

import pytest

from orkestra_bridge.diagnostics import Rule

FAMILIES = {
    "orkestra_bridge.frontend.rules": (100, 199),
    "orkestra_bridge.passes.rules": (200, 299),
    "orkestra_bridge.operators.rules": (300, 319),
    "orkestra_bridge.lowering.rules": (320, 399),
    "orkestra_bridge.packaging.rules": (400, 499),
    "orkestra_bridge.stack.rules": (500, 599),
}


def rules_of(module: str) -> list[Rule]:
    return [value for value in vars(import_module(module)).values() if isinstance(value, Rule)]


@pytest.mark.parametrize(("module", "bounds"), FAMILIES.items())
def test_each_family_keeps_to_its_numbers(module: str, bounds: tuple[int, int]) -> None:
    rules = rules_of(module)
    assert rules
    assert all(bounds[0] <= int(rule.id.removeprefix("OB")) <= bounds[1] for rule in rules)


def test_no_id_is_used_twice() -> None:
    ids = [rule.id for module in FAMILIES for rule in rules_of(module)]
    assert len(set(ids)) == len(ids)
