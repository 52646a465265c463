"""The names of PyYAML, looked up when one is asked for."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    import yaml

    return getattr(yaml, name)
