"""`airflow.version`."""

from __future__ import annotations

from airflow._impl.settings import SETTINGS

version = SETTINGS.version
