"""The audit trail of the warehouse."""

from __future__ import annotations

import hashlib


def record(name: str, sql: str) -> str:
    """Return the audit entry of a statement."""
    return f"{name}:{hashlib.sha256(sql.encode()).hexdigest()[:12]}"
