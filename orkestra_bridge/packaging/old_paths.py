"""Where Airflow 2 redirects the import paths of Airflow 1, as the facade's table has it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

TABLE = Path(__file__).parent.parent / "runtime/facade/airflow/_impl/old_paths.txt"
PARTS = ("airflow.contrib.", "airflow.hooks.", "airflow.operators.", "airflow.sensors.")


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return {path: target for path, _, target in (line.partition(" ") for line in lines)}


def provider_of(module: str) -> str | None:
    """Return the module of a provider that an import path of Airflow 1 leads to, None for any other path."""
    if not module.startswith(PARTS):
        return None
    line = _table().get(module.removeprefix("airflow."), "")
    return next((word for word in line.split() if word.startswith("airflow.providers.")), None)
