"""`mask_secret` and `redact`, under the paths of both majors; what they know is the runtime's (`masking.py`)."""

from __future__ import annotations

from typing import Any

from orkestra_bridge.runtime.masking import MASKER, SENSITIVE_NAMES, Masker, is_sensitive

DEFAULT_SENSITIVE_FIELDS = SENSITIVE_NAMES
SecretsMasker = Masker
should_hide_value_for_key = is_sensitive


def mask_secret(secret: Any, name: str | None = None) -> None:
    """Keep a secret out of logs and errors from now on; with a name only if that is a sensitive one."""
    if secret:
        MASKER.add(secret, name)


def redact(value: Any, name: str | None = None, *_args: Any, **_kwargs: Any) -> Any:
    """Return a value with known secrets, and everything under sensitive names, replaced by ``***``."""
    return MASKER.redact(value, name)


def mask_connection(connection: Any) -> None:
    """Keep the password and the extra of a connection out of logs and errors."""
    from urllib.parse import quote

    if connection.password:
        MASKER.add(connection.password)
        MASKER.add(quote(connection.password))
        MASKER.add(quote(connection.password, safe=""))
    if connection.extra:
        MASKER.add(connection.extra)
        MASKER.add(connection.extra_dejson)


def mask_variable(key: str, text: str, value: Any) -> None:
    """Keep a Variable with a sensitive name out of logs and errors, and what stands under such names in its JSON."""
    MASKER.add(text, key)
    if isinstance(value, dict):
        MASKER.add(_under_sensitive_names(value))
    elif isinstance(value, list):
        MASKER.add(value, key)


def _under_sensitive_names(value: dict[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if isinstance(key, str) and is_sensitive(key)}
