"""How much a command says: ``-q`` only errors, ``-v`` notes as well."""

from __future__ import annotations

import click

from orkestra_bridge.diagnostics import Severity

KEY = "orkestra_bridge.verbosity"
_SHOWN = {
    -1: (Severity.ERROR,),
    0: (Severity.ERROR, Severity.WARNING),
    1: (Severity.ERROR, Severity.WARNING, Severity.INFO),
}


def set_verbosity(context: click.Context, name: str) -> None:
    """Keep what the user asked for, ``quiet`` or ``verbose``; raises click.UsageError for both at once."""
    level = {"quiet": -1, "verbose": 1}[name]
    if context.meta.setdefault(KEY, level) != level:
        raise click.UsageError("--quiet and --verbose exclude each other")


def verbosity() -> int:
    """Return -1, 0 or 1."""
    context = click.get_current_context(silent=True)
    return 0 if context is None else int(context.meta.get(KEY, 0))


def shown() -> tuple[Severity, ...]:
    """Return the severities whose findings people get to see."""
    return _SHOWN[verbosity()]
