"""Secrets that must not be seen in logs and errors: which values these are, and how they are replaced.

Source: `airflow.sdk._shared.secrets_masker`: the same names are sensitive, and the same values are too short to be
masked; Airflow 2 masks short ones as well.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "***"
SENSITIVE_NAMES = frozenset(
    {
        "access_key", "access_token", "api_key", "apikey", "auth_header", "authorization", "bearer", "connection_string",
        "dsn", "keyfile_dict", "passphrase", "passwd", "password", "private_key", "proxies", "proxy", "proxy_password",
        "secret", "service_account", "service_key", "token", "webhook_url",
    }
)  # fmt: skip
"""Parts of names of Variables and of fields in a connection's extra."""

_MORE = "AIRFLOW__CORE__SENSITIVE_VAR_CONN_NAMES"
_HIDE = "AIRFLOW__CORE__HIDE_SENSITIVE_VAR_CONN_FIELDS"
_NEVER = frozenset({"airflow"})
_DEPTH = 5


def is_sensitive(name: Any) -> bool:
    """Return True if values under this name are secrets, as Airflow's configuration in the environment has it."""
    if not isinstance(name, str) or os.environ.get(_HIDE, "true").lower() in ("false", "f", "0"):
        return False
    normal = re.sub(r"\W+", "_", name.strip().lower())
    more = (part.strip().lower() for part in os.environ.get(_MORE, "").split(","))
    return any(part in normal for part in (*SENSITIVE_NAMES, *filter(None, more)))


class Masker:
    """Knows secrets and takes them out of texts; ``minimum`` is how many characters a secret has at least."""

    def __init__(self, minimum: int = 5) -> None:
        self.minimum = minimum
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def add(self, secret: Any, name: str | None = None) -> None:
        """Take note of a secret: a text, or a mapping or list of them; with a name only if that is a sensitive one."""
        if isinstance(secret, Mapping):
            for key, value in secret.items():
                self.add(value, key)
        elif isinstance(secret, str):
            if (
                len(secret) >= self.minimum
                and secret.lower() not in _NEVER
                and (not name or is_sensitive(name))
            ):
                self._add(secret)
        elif isinstance(secret, Iterable) and not isinstance(secret, (bytes, bytearray)):
            for value in secret:
                self.add(value, name)

    def _add(self, secret: str) -> None:
        with self._lock:
            if secret and secret not in self._secrets:
                self._secrets.add(secret)
                longest_first = sorted(self._secrets, key=len, reverse=True)
                self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def text(self, text: str) -> str:
        """Return the text with every known secret replaced."""
        pattern = self._pattern
        return pattern.sub(MASK, text) if pattern else text

    def redact(self, value: Any, name: str | None = None, depth: int = 0) -> Any:
        """Return a value with known secrets and everything under a sensitive name replaced."""
        if name and is_sensitive(name):
            return _all_masked(value)
        if isinstance(value, str):
            return self.text(value)
        if depth >= _DEPTH:
            return value
        if isinstance(value, dict):
            return {key: self.redact(item, key, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple, set)):
            items = [self.redact(item, None, depth + 1) for item in value]
            return items if isinstance(value, list) else tuple(items)
        return value

    def clear(self) -> None:
        """Forget all secrets."""
        with self._lock:
            self._secrets.clear()
            self._pattern = None


def _all_masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _all_masked(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_all_masked(item) for item in value]
    return MASK if value else value


MASKER = Masker()
"""The one of this process."""
