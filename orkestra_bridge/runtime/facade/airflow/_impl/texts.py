"""Small helpers that providers import from `airflow.utils`: texts, YAML, JSON, users."""

from __future__ import annotations

import datetime as dt
import getpass
import hashlib
import json
import os
import random
import re
import string
import sys
from decimal import Decimal
from typing import Any

_TRUE = frozenset(("on", "t", "true", "y", "yes", "1"))


def to_boolean(astring: str | None) -> bool:
    """Return True for the texts that mean yes."""
    return astring is not None and astring.lower() in _TRUE


def get_random_string(length: int = 8, choices: str = string.ascii_letters + string.digits) -> str:
    return "".join(random.choices(choices, k=length))  # noqa: S311  # as in Airflow: for names, not for secrets


def md5(string: bytes = b"", /) -> Any:
    return hashlib.md5(string, usedforsecurity=False)


def getuser() -> str:
    """Return the name of the user of this process; a Lambda function's user may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def is_tty() -> bool:
    return sys.stdout.isatty()


def is_terminal_support_colors() -> bool:
    return False


def merge_dicts(dict1: dict[str, Any], dict2: dict[str, Any]) -> dict[str, Any]:
    """Return a merge, recursive where both have a dict; the second wins."""
    merged = dict1.copy()
    for key, value in dict2.items():
        both = key in merged and isinstance(value, dict) and isinstance(merged[key], dict)
        merged[key] = merge_dicts(merged[key], value) if both else value
    return merged


def validate_key(k: str, max_length: int = 250) -> None:
    """Raise what Airflow raises for a text that is no key."""
    from airflow._impl.exceptions import AirflowException

    if not isinstance(k, str):
        raise TypeError(f"The key has to be a string and is {type(k)}:{k}")
    if len(k) > max_length:
        raise AirflowException(f"The key: {k} has to be less than {max_length} characters")
    if not re.match(r"^[\w.-]+$", k):
        raise AirflowException(
            f"The key {k!r} has to be made of alphanumeric characters, dashes, dots, and underscores exclusively"
        )


def remove_escape_codes(text: str) -> str:
    """Return a text without the colours of a terminal."""
    return re.sub(r"\x1B[@-_][0-?]*[ -/]*[@-~]", "", text)


class WebEncoder(json.JSONEncoder):
    """Writes dates and numbers as Airflow's pages show them."""

    def default(self, o: Any) -> Any:
        if isinstance(o, dt.datetime):
            return o.isoformat()
        if isinstance(o, dt.date):
            return o.strftime("%Y-%m-%d")
        if isinstance(o, Decimal):
            return int(o) if o == o.to_integral_value() else float(o)
        return super().default(o)


class XComEncoder(json.JSONEncoder):
    """Writes what an XCom can hold, in the runtime's own format."""

    def default(self, o: Any) -> Any:
        from orkestra_bridge.runtime import serde

        return serde.encode(o)


class XComDecoder(json.JSONDecoder):
    """Reads what XComEncoder wrote."""

    def decode(self, s: str, *args: Any) -> Any:
        from orkestra_bridge.runtime import serde

        return serde.decode(super().decode(s, *args))


def add_deprecated_classes(module_imports: Any, package: str, *_args: Any, **_kwargs: Any) -> None:
    """Serve the old names of a provider's module (`airflow.utils.deprecation_tools`)."""
    from types import ModuleType

    from airflow._impl.module_loading import import_string

    for module_name, targets in module_imports.items():
        own = module_name == package
        full = package if own else f"{package}.{module_name}"
        module: Any = sys.modules[package] if own else ModuleType(full)

        def find(name: str, targets: Any = targets) -> Any:
            target = targets.get(name) or targets.get("*")
            if target is None:
                raise AttributeError(name)
            return import_string(f"{target}.{name}" if name not in targets else target)

        module.__getattr__ = find
        sys.modules.setdefault(full, module)


def yaml_load(stream: Any) -> Any:
    """Return what a YAML text says, read by the fast loader where it is there."""
    import yaml

    return yaml.load(stream, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


def yaml_dump(data: Any, **kwargs: Any) -> Any:
    import yaml

    return yaml.dump(data, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), **kwargs)
