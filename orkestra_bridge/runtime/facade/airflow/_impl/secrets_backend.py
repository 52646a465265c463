"""Base of secrets backends (`airflow/secrets/base_secrets.py`)."""

from __future__ import annotations

from typing import Any

from airflow._impl.logs import LoggingMixin


class BaseSecretsBackend(LoggingMixin):
    """Looks connections, Variables and options up somewhere; subclasses say where."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()

    @staticmethod
    def build_path(path_prefix: str, secret_id: str, sep: str = "/") -> str:
        return f"{path_prefix}{sep}{secret_id}"

    def get_conn_value(self, conn_id: str, **_kwargs: Any) -> str | None:
        raise NotImplementedError

    def deserialize_connection(self, conn_id: str, value: str) -> Any:
        """Return the connection that a URI or a JSON text describes."""
        from airflow._impl.connection import Connection

        value = value.strip()
        if value.startswith("{"):
            return Connection.from_json(value, conn_id=conn_id)
        return Connection(conn_id=conn_id, uri=value)

    def get_connection(self, conn_id: str, **_kwargs: Any) -> Any:
        """Return a connection, None if it is not there."""
        value = self.get_conn_value(conn_id=conn_id)
        return self.deserialize_connection(conn_id, value) if value else None

    def get_variable(self, key: str, **_kwargs: Any) -> str | None:
        raise NotImplementedError

    def get_config(self, key: str) -> str | None:
        return None
