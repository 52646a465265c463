"""Connections, as a URI or as JSON (`airflow/models/connection.py`), from where the runtime looks them up."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from airflow._impl.exceptions import AirflowException, AirflowNotFoundException
from airflow._impl.logs import LoggingMixin
from airflow._impl.secrets_masker import mask_connection
from orkestra_bridge.runtime.lookup import LOOKUP

EXTRA_KEY = "__extra__"


class Connection(LoggingMixin):
    """Where something is and how to log in there."""

    EXTRA_KEY = EXTRA_KEY

    def __init__(  # noqa: PLR0917
        self,
        conn_id: str | None = None,
        conn_type: str | None = None,
        description: str | None = None,
        host: str | None = None,
        login: str | None = None,
        password: str | None = None,
        schema: str | None = None,
        port: int | None = None,
        extra: Any = None,
        uri: str | None = None,
    ) -> None:
        super().__init__()
        self.conn_id = conn_id
        self.conn_type = conn_type or ""
        self.description = description
        self.host = host
        self.login = login
        self.password = password
        self.schema = schema
        self.port = port
        self.extra = json.dumps(extra) if extra and not isinstance(extra, str) else extra
        if uri:
            self._read_uri(uri)
        mask_connection(self)

    def _read_uri(self, uri: str) -> None:
        scheme, _, rest = uri.partition("://")
        self.conn_type = _normal_type(scheme)
        inner_scheme = ""
        if "://" in rest.split("?")[0]:
            inner_scheme, _, rest = rest.partition("://")
            inner_scheme += "://"
        # The scheme of a connection may hold characters that no URL scheme has.
        parts = urlsplit(f"x://{rest}")
        host = unquote(parts.hostname or "")
        netloc = parts.netloc.rpartition("@")[2]
        if "%" in netloc:
            host = unquote(netloc.rsplit(":", 1)[0] if parts.port else netloc)
        self.host = inner_scheme + host if inner_scheme else host
        path = parts.path.removeprefix("/")
        self.schema = unquote(path)
        self.login = unquote(parts.username) if parts.username is not None else None
        self.password = unquote(parts.password) if parts.password is not None else None
        self.port = parts.port
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if query:
            self.extra = query[EXTRA_KEY] if EXTRA_KEY in query else json.dumps(query)

    @classmethod
    def from_json(cls, value: str, conn_id: str | None = None) -> Connection:
        """Return the connection that a JSON object describes; raises ValueError for a port that is no number."""
        fields = json.loads(value)
        conn_type = fields.pop("conn_type", None)
        port = fields.pop("port", None)
        return cls(
            conn_id=conn_id,
            conn_type=_normal_type(conn_type or ""),
            port=int(port) if port else None,
            **fields,
        )

    @classmethod
    def from_uri(cls, uri: str, conn_id: str | None = None) -> Connection:
        return cls(conn_id=conn_id, uri=uri)

    @classmethod
    def get(cls, conn_id: str) -> Connection:
        return cls.get_connection_from_secrets(conn_id)

    @classmethod
    def get_connection_from_secrets(cls, conn_id: str) -> Connection:
        """Return a connection; raises AirflowNotFoundException if there is none."""
        text = LOOKUP.find("connections", conn_id)
        if text is None:
            remedy = LOOKUP.remedy("connections", conn_id)
            raise AirflowNotFoundException(f"The conn_id `{conn_id}` isn't defined; {remedy}")
        text = text.strip()
        return cls.from_json(text, conn_id) if text.startswith("{") else cls(conn_id=conn_id, uri=text)

    def get_password(self) -> str | None:
        return self.password

    def get_extra(self) -> str | None:
        extra: str | None = self.extra
        return extra

    def set_extra(self, value: Any) -> None:
        self.extra = value

    @property
    def extra_dejson(self) -> dict[str, Any]:
        """Return the extra as a dict, empty where there is none or it is no JSON object."""
        return self.get_extra_dejson()

    def get_extra_dejson(self, nested: bool = False) -> dict[str, Any]:
        """Return the extra as a dict, with ``nested`` also the JSON texts in it parsed."""
        try:
            extra = json.loads(self.extra) if self.extra else {}
        except ValueError:
            self.log.exception("Failed parsing the json for conn_id %s", self.conn_id)
            return {}
        if not isinstance(extra, dict):
            return {}
        if nested:
            extra = {key: _maybe_json(value) for key, value in extra.items()}
        return extra

    def get_uri(self) -> str:
        """Return the URI that makes this connection again."""
        uri = f"{self.conn_type.lower().replace('_', '-')}://" if self.conn_type else "//"
        host = self.host or ""
        if "://" in host:
            inner, _, host = host.partition("://")
            uri += f"{inner}://"
        login = quote(self.login, safe="") if self.login is not None else ""
        if self.password is not None:
            login += f":{quote(self.password, safe='')}"
        netloc = (
            (f"{login}@" if login else "") + quote(host, safe="") + (f":{self.port}" if self.port else "")
        )
        uri += netloc + (f"/{quote(self.schema, safe='')}" if self.schema else "")
        if self.extra:
            uri += ("?" if self.schema else "/?") + self._query()
        return uri

    def _query(self) -> str:
        extra = self.extra_dejson
        plain = all(isinstance(value, str) for value in extra.values())
        return urlencode(extra) if extra and plain else urlencode({EXTRA_KEY: self.extra})

    def as_json(self) -> str:
        names = ("conn_type", "host", "login", "password", "schema", "port")
        found = {name: value for name in names if (value := getattr(self, name)) is not None}
        return json.dumps(found | ({"extra": self.extra_dejson} if self.extra else {}))

    def to_dict(self) -> dict[str, Any]:
        names = ("conn_id", "conn_type", "description", "host", "login", "password", "schema", "port")
        return {**{name: getattr(self, name) for name in names}, "extra": self.extra_dejson}

    def get_hook(self, *, hook_params: Any = None) -> Any:
        """Return the hook of the connection's type; raises AirflowException if no provider in the package has one."""
        from airflow._impl.provider_registry import hook_of

        return hook_of(self, hook_params)

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the hook can connect, and what it says."""
        try:
            return self.get_hook().test_connection()  # type: ignore[no-any-return]
        except Exception as error:  # noqa: BLE001  # as in Airflow: the message is the answer
            return False, str(error)

    def __repr__(self) -> str:
        return self.conn_id or ""

    __str__ = __repr__


def _normal_type(conn_type: str) -> str:
    return "postgres" if conn_type == "postgresql" else conn_type.replace("-", "_")


def _maybe_json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


class ConnectionAccessor:
    """``conn`` of templates."""

    def __getattr__(self, conn_id: str) -> Connection:
        if conn_id.startswith("__"):
            raise AttributeError(conn_id)
        return Connection.get_connection_from_secrets(conn_id)

    def get(self, conn_id: str, default_conn: Any = None) -> Any:
        try:
            return Connection.get_connection_from_secrets(conn_id)
        except AirflowNotFoundException:
            return default_conn


class BaseHook(LoggingMixin):
    """Base of the user's own hooks."""

    conn_name_attr = "conn_id"
    default_conn_name = ""
    conn_type = ""
    hook_name = ""

    def __init__(self, logger_name: str | None = None, **_kwargs: Any) -> None:
        super().__init__()

    @classmethod
    def get_connection(cls, conn_id: str) -> Connection:
        """Return a connection; raises AirflowNotFoundException if it is not defined."""
        return Connection.get_connection_from_secrets(conn_id)

    @classmethod
    def get_connections(cls, conn_id: str) -> list[Connection]:
        return [cls.get_connection(conn_id)]

    @classmethod
    def get_hook(cls, conn_id: str, hook_params: Any = None) -> Any:
        return cls.get_connection(conn_id).get_hook(hook_params=hook_params)

    @classmethod
    async def aget_connection(cls, conn_id: str) -> Connection:
        return cls.get_connection(conn_id)

    @classmethod
    async def aget_hook(cls, conn_id: str, hook_params: Any = None) -> Any:
        return cls.get_hook(conn_id, hook_params)

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        return {}

    def get_conn(self) -> Any:
        """Return a client for the connection; subclasses say which."""
        raise AirflowException(f"{type(self).__name__} does not define get_conn()")
