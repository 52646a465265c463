"""All rules there are, by family: for `--allow`, for the documentation, and for the test that keeps ids permanent."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from orkestra_bridge.diagnostics import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping

FAMILIES = {
    "frontend": "Loading DAG files",
    "passes": "Arguments of DAGs and tasks",
    "operators": "Operators",
    "lowering": "Graphs and limits",
    "packaging": "Packages",
    "stack": "Schedules and templates",
}
"""Folder of the rules file, and what its findings are about."""


def rules_of(family: str) -> tuple[Rule, ...]:
    """Return a family's rules, by id."""
    found = vars(import_module(f"orkestra_bridge.{family}.rules")).values()
    return tuple(sorted({rule for rule in found if isinstance(rule, Rule)}, key=lambda rule: rule.id))


@cache
def all_rules() -> Mapping[str, Rule]:
    """Return every rule by its id."""
    return {rule.id: rule for family in FAMILIES for rule in rules_of(family)}
