"""``@asset`` and ``@asset.multi``: a function that makes an asset, as a DAG of one task.

Source: `airflow/sdk/definitions/asset/decorators.py`. Airflow asks its database for the assets that the function's
parameters name; here they are those with that name that the DAG file makes or imports.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from airflow._impl.assets import Asset, AssetAll, asset_named
from airflow._impl.dag import DAG
from airflow._impl.python import PythonOperator
from airflow._impl.taskflow import _TaskDecorator

if TYPE_CHECKING:
    from collections.abc import Callable

_FILLED_IN = ("self", "context", "outlet_events")
_EMPTY = inspect.Parameter.empty


def _check(function: Callable[..., Any]) -> None:
    """Raise TypeError for parameters that ``@asset`` does not take."""
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            raise TypeError(f"wildcard '*{name}' is not supported in @asset")
        if parameter.kind is parameter.VAR_KEYWORD:
            raise TypeError(f"wildcard '**{name}' is not supported in @asset")
        if parameter.kind is parameter.POSITIONAL_ONLY and parameter.default is _EMPTY:
            raise TypeError(f"positional-only argument '{name}' without a default is not supported in @asset")


class _AssetMainOperator(PythonOperator):
    """Calls the function with the assets that its parameters name."""

    def __init__(self, *, definition: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._definition = definition

    def determine_kwargs(self, context: Any) -> Any:
        found: dict[str, Any] = {}
        for name, parameter in inspect.signature(self.python_callable).parameters.items():
            if parameter.default is not _EMPTY:
                found[name] = parameter.default
            elif name == "self":
                found[name] = self._definition
            else:
                found[name] = context if name == "context" else self._of_context(name, context)
        return found

    def _of_context(self, name: str, context: Any) -> Any:
        return context["outlet_events"] if name == "outlet_events" else asset_named(name)


class AssetDefinition(Asset):
    """The asset that a decorated function makes."""


class MultiAssetDefinition(AssetAll):
    """The assets that a decorated function makes."""


class _Factory:
    """The decorator with its arguments; those of the DAG are passed on."""

    def __init__(self, *, schedule: Any = None, dag_id: str | None = None, **arguments: Any) -> None:
        self.dag_id = dag_id
        self.arguments = {"schedule": schedule, "catchup": False, **arguments}

    def _make(self, function: Any, definition: Any, name: str, outlets: list[Any]) -> Any:
        with DAG(self.dag_id or name, **self.arguments):
            if isinstance(function, _TaskDecorator):
                if "outlets" in function.kwargs:
                    raise TypeError("@task decorator with 'outlets' argument is not supported in @asset")
                function.kwargs["outlets"] = outlets
                function()
                return definition
            _check(function)
            parameters = inspect.signature(function).parameters.items()
            inlets = [n for n, p in parameters if n not in _FILLED_IN and p.default is _EMPTY]
            _AssetMainOperator(
                task_id=function.__name__,
                inlets=[Asset.ref(name=inlet) for inlet in inlets],
                outlets=outlets,
                python_callable=function,
                definition=definition,
            )
        return definition


class _Multi(_Factory):
    """``@asset.multi``: one task that makes several assets."""

    def __init__(self, *, outlets: Any, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.outlets = list(outlets)

    def __call__(self, function: Any) -> Any:
        definition = MultiAssetDefinition(*self.outlets)
        return self._make(function, definition, function.__name__, self.outlets)


class asset(_Factory):
    """``@asset``: one task that makes the asset which is named like the function."""

    multi = _Multi

    def __init__(
        self,
        *,
        name: str | None = None,
        uri: Any = None,
        group: str = "asset",
        extra: dict[str, Any] | None = None,
        watchers: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.name = name
        self.of_asset = {"uri": uri, "group": group, "extra": extra, "watchers": watchers}

    def __call__(self, function: Any) -> Any:
        name = self.name or function.__name__
        definition = AssetDefinition(name, **self.of_asset)
        return self._make(function, definition, name, [definition])
