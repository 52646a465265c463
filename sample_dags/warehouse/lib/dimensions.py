"""The dimensions of the warehouse and how they are merged."""

from __future__ import annotations

from .naming import staging_table

DIMENSIONS = ("customer", "product")


def merge_statement(name: str) -> str:
    """Return the SQL that merges the staged rows of a dimension."""
    return f"MERGE INTO dim_{name} USING {staging_table(name)} ON id"
