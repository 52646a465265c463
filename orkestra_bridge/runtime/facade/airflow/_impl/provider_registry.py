"""What the installed provider packages offer: hooks by connection type (`airflow/providers_manager.py`)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from airflow._impl.exceptions import AirflowException

ENTRY_POINTS = "apache_airflow_provider"

# The dialects that a provider brings along with its connection types; older metadata does not list them.
_OURS = "airflow.providers.standard."
_DEFAULT_DIALECT = "airflow.providers.common.sql.dialects.dialect.Dialect"


class HookInfo(NamedTuple):
    """A hook class by name: nothing is imported until somebody needs it."""

    hook_class_name: str
    connection_type: str
    package_name: str
    hook_name: str
    connection_id_attribute_name: str = "conn_id"
    connection_testable: bool = False
    dialects: Any = ()


class ProviderInfo(NamedTuple):
    """Version of a provider's distribution and what it says about itself."""

    version: str
    data: dict[str, Any]


class DialectInfo(NamedTuple):
    """A SQL dialect by name."""

    name: str
    dialect_class_name: str
    provider_name: str


class _Hooks(dict[str, Any]):
    """Connection type -> HookInfo; the class is imported on access, for only it knows its connection argument."""

    def __init__(self, manager: ProvidersManager) -> None:
        super().__init__()
        self._manager = manager
        for package, provider in manager.providers.items():
            for kind in provider.data.get("connection-types", ()):
                self.setdefault(kind["connection-type"], (package, kind["hook-class-name"]))

    def __getitem__(self, connection_type: str) -> Any:
        found = super().__getitem__(connection_type)
        if isinstance(found, HookInfo):
            return found
        package, class_name = found
        cls = _imported(class_name)
        info = HookInfo(
            hook_class_name=class_name,
            connection_type=connection_type,
            package_name=package,
            hook_name=getattr(cls, "hook_name", ""),
            connection_id_attribute_name=getattr(cls, "conn_name_attr", "conn_id"),
            connection_testable=hasattr(cls, "test_connection"),
        )
        self[connection_type] = info
        return info

    def get(self, connection_type: str, default: Any = None) -> Any:
        return self[connection_type] if connection_type in self else default  # noqa: SIM401  # imports


def _imported(class_name: str) -> Any:
    from airflow._impl.module_loading import import_string

    return import_string(class_name)


class ProvidersManager:
    """The providers of the package; one object for the life of the process, as in Airflow."""

    _instance: ProvidersManager | None = None

    def __new__(cls) -> ProvidersManager:  # noqa: PYI034
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    @cached_property
    def providers(self) -> dict[str, ProviderInfo]:
        """Return distribution name -> what it says about itself, from its entry point."""
        from importlib.metadata import entry_points

        found = {}
        for point in entry_points(group=ENTRY_POINTS):
            if point.value.startswith(_OURS):
                continue
            data = point.load()()
            found[data["package-name"]] = ProviderInfo(point.dist.version if point.dist else "", data)
        return dict(sorted(found.items()))

    @cached_property
    def hooks(self) -> dict[str, Any]:
        """Return connection type -> HookInfo; raises KeyError for a type that no provider has."""
        return _Hooks(self)

    @cached_property
    def dialects(self) -> dict[str, DialectInfo]:
        """Return SQL dialect name -> its class."""
        found = {"default": DialectInfo("default", _DEFAULT_DIALECT, "apache-airflow-providers-common-sql")}
        for package, provider in self.providers.items():
            for each in provider.data.get("dialects", ()):
                name = each["dialect-type"]
                found[name] = DialectInfo(name, each["dialect-class-name"], package)
        return found

    asset_factories: ClassVar[dict[str, Any]] = {}
    asset_uri_handlers: ClassVar[dict[str, Any]] = {}
    taskflow_decorators: ClassVar[dict[str, Any]] = {}
    plugins: tuple[Any, ...] = ()


def hook_of(connection: Any, hook_params: Any = None) -> Any:
    """Return the hook for a connection's type.

    Raises:
        AirflowException: If no provider in the package has a hook for it.
    """
    info = ProvidersManager().hooks.get(connection.conn_type)
    if info is None:
        known = ", ".join(sorted(ProvidersManager().hooks)) or "none"
        raise AirflowException(
            f'Unknown hook type "{connection.conn_type}": the package holds no provider for it (it knows: {known}). '
            "Import the hook class in the DAG file, so that its provider is packed"
        )
    hook_class = _imported(info.hook_class_name)
    return hook_class(**{info.connection_id_attribute_name: connection.conn_id}, **(hook_params or {}))
