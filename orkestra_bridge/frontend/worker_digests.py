"""Digests of what a DAG file's result depends on; the cache compares them with those of the next time.

Part of the worker program and used by the cache: standard library only, Python 3.8 and later.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def file_digest(path: str) -> str | None:
    """Return the hash of a file's bytes, or None if it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return hashlib.sha256(stream.read()).hexdigest()
    except OSError:
        return None


def folder_digest(path: str) -> str | None:
    """Return the hash of the names in a folder, or None if it cannot be listed."""
    try:
        names = sorted(name for name in os.listdir(path) if name != "__pycache__")
    except OSError:
        return None
    return hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest()


def environ_digest(name: str, environ: Mapping[str, str] | None = None) -> str | None:
    """Return the hash of an environment variable (of all of them for ``*``), or None if it is not set.

    ``environ`` is the process's own unless it is given. All of them: without Airflow's, Python's and the shell's
    own, in which a worker differs from its caller.
    """
    values = os.environ if environ is None else environ
    if name == "*":
        pairs = (pair for pair in values.items() if not pair[0].startswith(("AIRFLOW_", "PYTHON", "_")))
        text: str | None = "\0".join(sorted("{}={}".format(*pair) for pair in pairs))
    else:
        text = values.get(name)
    return None if text is None else hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
