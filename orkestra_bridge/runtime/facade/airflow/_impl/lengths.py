"""Constants of Airflow's tables that code checks ids against (`airflow/models/base.py`)."""

from __future__ import annotations

from typing import Any

ID_LEN = 250
COLLATION_ARGS: dict[str, Any] = {}
