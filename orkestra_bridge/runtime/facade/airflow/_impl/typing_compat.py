"""Names for annotations that `airflow/typing_compat.py` of either major passes on from the standard library."""

from __future__ import annotations

from typing import Literal, ParamSpec, Protocol, TypeAlias, TypedDict, TypeGuard, runtime_checkable

try:
    from typing import Self, Unpack, assert_never
except ImportError:  # Python 3.10, where Airflow itself needs this library
    from typing_extensions import Self, Unpack, assert_never
