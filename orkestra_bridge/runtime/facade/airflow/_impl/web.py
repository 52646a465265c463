"""What plugins import to add pages to Airflow's web server: made here as in a worker, where no page is ever shown."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

AUTH_MANAGER_FASTAPI_APP_PREFIX = "/auth"
"""`airflow/api_fastapi/app.py`, with the root path that Airflow has by default."""
COOKIE_NAME_JWT_TOKEN = "_token"  # noqa: S105 - a cookie's name, no secret
"""`airflow/api_fastapi/auth/managers/base_auth_manager.py`."""


class AirflowBaseView:
    """Base of the pages of Airflow 2's plugins (`airflow/www/views.py`)."""

    route_base: str | None = ""
    extra_args: ClassVar[dict[str, Any]] = {}
    default_view = "list"

    def render_template(self, template: str, **_kwargs: Any) -> Any:
        """Raise AirflowException: there is no request to answer."""
        raise _no_server(f"{type(self).__name__}.render_template({template!r})")


def has_access(_permissions: Sequence[tuple[str, str]] | None = None) -> Callable[[Any], Any]:
    """Return a decorator for the methods of a page; who calls one outside of a request gets an AirflowException."""

    def decorate(method: Any) -> Any:
        @wraps(method)
        def guarded(*_args: Any, **_kwargs: Any) -> Any:
            raise _no_server(method.__qualname__)

        return guarded

    return decorate


def _no_server(what: str) -> Exception:
    from airflow._impl.exceptions import AirflowException

    return AirflowException(f"{what} needs Airflow's web server, and a task is not in one")
