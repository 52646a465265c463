"""Cron -> EventBridge Scheduler expressions.

Source: AWS, EventBridge Scheduler user guide, "Schedule types": six fields (minutes hours day-of-month month
day-of-week year), one of the day fields is ``?``, weekdays count from 1 = Sunday, at most one ``#``; an
expression has at most 256 characters (API reference). Only forms that the guide shows are written: ``*``,
``a``, ``a-b``, ``a,b``, ``a/n``, ``L``, ``aL``, ``a#n``, ``aW``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orkestra_bridge.stack.cron import HOURS, MINUTES, MONTH_DAYS, MONTHS, Days

if TYPE_CHECKING:
    from orkestra_bridge.stack.cron import Cron, DayRule

EXPRESSION_LIMIT = 256
WEEKDAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SHORTEST_RUN = 3


def to_expressions(cron: Cron) -> tuple[str, ...]:
    """Return expressions that together fire exactly when the cron does; two may name the same moment."""
    found: list[str] = []
    for rule in cron.days:
        found.extend(_split_to_fit(cron, rule))
    return tuple(dict.fromkeys(found))


def _split_to_fit(cron: Cron, rule: DayRule) -> list[str]:
    text = _expression(cron, rule)
    if len(text) <= EXPRESSION_LIMIT:
        return [text]
    half = len(cron.minutes) // 2
    parts = (cron.minutes[:half], cron.minutes[half:])
    return [text for minutes in parts for text in _split_to_fit(replace(cron, minutes=minutes), rule)]


def _expression(cron: Cron, rule: DayRule) -> str:
    month_day, weekday = _day_fields(rule)
    fields = (
        _field(cron.minutes, MINUTES),
        _field(cron.hours, HOURS),
        month_day,
        _field(cron.months, MONTHS),
        weekday,
        "*" if cron.years is None else _listed(cron.years),
    )
    return f"cron({' '.join(fields)})"


def _day_fields(rule: DayRule) -> tuple[str, str]:
    """Return the day of the month and the day of the week."""
    values = rule.values
    if rule.kind is Days.WEEKDAYS:
        return "?", _listed(values, WEEKDAY_NAMES)
    if rule.kind is Days.NTH:
        return "?", f"{values[0] + 1}#{values[1]}"
    if rule.kind is Days.LAST_WEEKDAY:
        return "?", f"{values[0] + 1}L"
    fixed = {Days.EVERY: "*", Days.LAST: "L"}
    if rule.kind is Days.NEAREST:
        return f"{values[0]}W", "?"
    return fixed.get(rule.kind) or _field(values, MONTH_DAYS), "?"


def _field(values: tuple[int, ...], allowed: range) -> str:
    """Return ``*``, a step to the end of the field, or a list."""
    if len(values) == len(allowed):
        return "*"
    if len(values) >= _SHORTEST_RUN:
        step = values[1] - values[0]
        if step > 1 and tuple(range(values[0], allowed[-1] + 1, step)) == values:
            return f"{values[0]}/{step}"
    return _listed(values)


def _listed(values: tuple[int, ...], names: tuple[str, ...] = ()) -> str:
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ",".join(_run(run, names) for run in runs)


def _run(run: list[int], names: tuple[str, ...]) -> str:
    texts = [names[value] if names else str(value) for value in run]
    return f"{texts[0]}-{texts[-1]}" if len(run) >= _SHORTEST_RUN else ",".join(texts)
