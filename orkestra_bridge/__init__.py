"""Airflow DAG files in, a running AWS Step Functions application out.

The public names are loaded on first use: this module also ships inside the Lambda packages, where only
:mod:`orkestra_bridge.runtime` exists, and it must cost nothing to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.options import ConvertOptions
    from orkestra_bridge.pipeline import Conversion, convert

__version__ = "0.1.0"
__all__ = ["Conversion", "ConvertOptions", "Finding", "__version__", "convert"]

_HOMES = {
    "Conversion": "orkestra_bridge.pipeline",
    "ConvertOptions": "orkestra_bridge.options",
    "Finding": "orkestra_bridge.diagnostics",
    "convert": "orkestra_bridge.pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
