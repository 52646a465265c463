"""Operators that do next to nothing."""

from __future__ import annotations

from typing import Any

from airflow._impl.operator import BaseOperator


class EmptyOperator(BaseOperator):
    """Does nothing; joins branches."""

    ui_color = "#e8f7e4"
    inherits_from_empty_operator = True

    def execute(self, context: Any) -> None:
        return None


class DummyOperator(EmptyOperator):
    """EmptyOperator by its old name."""

    inherits_from_dummy_operator = True
