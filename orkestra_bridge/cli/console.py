"""Text for stdout: with its colours where a person reads it, and nobody asked for none."""

from __future__ import annotations

import os

import click


def say(text: str) -> None:
    """Write text to stdout; colours only on a terminal, and never with NO_COLOR (https://no-color.org)."""
    click.echo(text, nl=False, color=False if os.environ.get("NO_COLOR") else None)
