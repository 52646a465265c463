"""How much memory a worker holds."""

from __future__ import annotations

import os
from pathlib import Path

MEBIBYTE = 1024 * 1024


def exceeds(pid: int, limit: int) -> bool:
    """Return True if the process holds more than ``limit`` MiB; False where /proc does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return False
    return pages * os.sysconf("SC_PAGE_SIZE") > limit * MEBIBYTE
