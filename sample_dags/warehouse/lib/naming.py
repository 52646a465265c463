"""Names of tables."""

from __future__ import annotations


def staging_table(name: str) -> str:
    """Return the table into which new rows of a dimension are written first."""
    return f"staging_{name}"
