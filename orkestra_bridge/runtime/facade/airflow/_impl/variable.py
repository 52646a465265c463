"""Variables, from where the runtime looks them up (`lookup.py`)."""

from __future__ import annotations

import json
from typing import Any

from airflow._impl.exceptions import AirflowException, AirflowRuntimeError
from airflow._impl.params import NOTSET
from airflow._impl.secrets_masker import mask_variable
from airflow._impl.settings import SETTINGS
from orkestra_bridge.runtime.lookup import LOOKUP


class Variable:
    """Values that a DAG reads by key."""

    def __init__(self, key: str | None = None, val: Any = None, description: str | None = None) -> None:
        self.key = key
        self.val = val
        self.description = description

    @classmethod
    def get(
        cls, key: str, default: Any = NOTSET, deserialize_json: bool = False, default_var: Any = NOTSET
    ) -> Any:
        """Return the value of a variable, the default where there is none.

        Raises:
            KeyError: If there is neither (AirflowRuntimeError in Airflow 3).
            ValueError: If JSON was asked for and the value is none.
        """
        fallback = default_var if default is NOTSET else default
        text = LOOKUP.find("variables", key)
        if text is None:
            if fallback is not NOTSET:
                return fallback
            raise _absent(key)
        value = json.loads(text) if deserialize_json else text
        mask_variable(key, text, value)
        return value

    @classmethod
    def get_variable_from_secrets(cls, key: str) -> str | None:
        return LOOKUP.find("variables", key)

    @classmethod
    def setdefault(
        cls, key: str, default: Any, description: str | None = None, deserialize_json: bool = False
    ) -> Any:
        """Return the value; keep and return the default where there is none."""
        found = cls.get(key, default=None, deserialize_json=deserialize_json)
        if found is not None:
            return found
        cls.set(key, default, description, serialize_json=deserialize_json)
        return default

    @classmethod
    def set(cls, key: str, value: Any, description: str | None = None, serialize_json: bool = False) -> None:
        """Raise AirflowException: a task has no store for variables that the next task would read."""
        raise AirflowException(
            f"Variable.set({key!r}) is not available in the task runtime: variables are read-only there. "
            "Pass the value on as an XCom, or keep it in S3, DynamoDB or Parameter Store with boto3"
        )

    @classmethod
    def delete(cls, key: str, *_args: Any) -> None:
        """Raise AirflowException: variables are read-only."""
        raise AirflowException(
            f"Variable.delete({key!r}) is not available in the task runtime: variables are read-only"
        )


def _absent(key: str) -> Exception:
    remedy = LOOKUP.remedy("variables", key)
    if SETTINGS.major > 2:
        return AirflowRuntimeError(f"VARIABLE_NOT_FOUND: {{'message': 'Variable {key} not found'}}; {remedy}")
    return KeyError(f"Variable {key} does not exist; {remedy}")


class _Accessor:
    """``var.value`` or ``var.json`` of templates."""

    def __init__(self, *, deserialize_json: bool) -> None:
        self._json = deserialize_json
        self.var: Any = None

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        self.var = Variable.get(key, deserialize_json=self._json)
        return self.var

    def __repr__(self) -> str:
        return str(self.var)

    def get(self, key: str, default_var: Any = NOTSET, default: Any = NOTSET) -> Any:
        fallback = default_var if default is NOTSET else default
        return Variable.get(key, default=fallback, deserialize_json=self._json)


class VariableAccessors:
    """``var`` of templates."""

    def __init__(self) -> None:
        self.value = _Accessor(deserialize_json=False)
        self.json = _Accessor(deserialize_json=True)
