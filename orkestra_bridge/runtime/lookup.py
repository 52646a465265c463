"""Variables and connections by name: from the environment, Secrets Manager or Parameter Store, the first that has one.

AWS is asked only where the function has a prefix, and once for each name: the answer, none included, is kept for the life
of the process. Names are laid out as the Amazon provider's secrets backends have them: ``<prefix>/variables/<key>`` and
``<prefix>/connections/<conn_id>`` (`airflow.providers.amazon.aws.secrets`). Slashes around the prefix do not count.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["variables", "connections"]
Folder = Literal["variables", "connections", "kubernetes-secrets", "kubernetes-configmaps"]
"""What is below a prefix: what tasks look up, and what ECS gives images of the user's, under ``<name>/<key>``."""

PREFIX_VARIABLE = "ORKESTRA_BRIDGE_PREFIX"
"""The function's environment variable with the prefix; without it nothing but the environment is looked at."""

ENVIRONMENT: dict[Kind, str] = {"variables": "AIRFLOW_VAR_", "connections": "AIRFLOW_CONN_"}
"""What Airflow puts in front of a name in the environment (`airflow.secrets.environment_variables`)."""

SECRET_CHARACTERS = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
"""What a secret may be called (Secrets Manager API reference, CreateSecret)."""

PARAMETER_CHARACTERS = re.compile(r"/[A-Za-z0-9_./-]{1,1010}")
"""What a parameter may be called (Systems Manager API reference, PutParameter)."""

_ABSENT = frozenset(
    {"ResourceNotFoundException", "ParameterNotFound", "InvalidRequestException", "ValidationException"}
)
"""No such secret or parameter, one that is being deleted, or a name that there cannot be."""

_DENIED = frozenset({"AccessDeniedException", "DecryptionFailure", "InvalidKeyId"})

log = logging.getLogger("airflow.task")


def secret_name(prefix: str, kind: Folder, name: str) -> str:
    """Return the name of the secret that holds a value."""
    return f"{prefix.strip('/')}/{kind}/{name}"


def parameter_name(prefix: str, kind: Folder, name: str) -> str:
    """Return the name of the parameter that holds a value; one with levels has to begin with a slash."""
    return f"/{prefix.strip('/')}/{kind}/{name}"


class Lookup:
    """Finds values and remembers them; ``client`` makes a client for a service of AWS."""

    def __init__(self, client: Callable[[str], Any] | None = None) -> None:
        self._client = client or _boto3_client
        self._clients: dict[str, Any] = {}
        self._known: dict[tuple[Kind, str], str | None] = {}
        self._denied: dict[tuple[Kind, str], str] = {}
        self._lock = threading.RLock()

    def find(self, kind: Kind, name: str) -> str | None:
        """Return the text of a Variable or connection, None if there is none in any place.

        Raises botocore's errors for anything else than a name that is absent or may not be read.
        """
        found = os.environ.get(f"{ENVIRONMENT[kind]}{name.upper()}")
        prefix = os.environ.get(PREFIX_VARIABLE)
        if found is not None or not prefix:
            return found
        with self._lock:
            key = (kind, name)
            if key not in self._known:
                self._known[key] = self._ask(prefix, kind, name)
            return self._known[key]

    def remedy(self, kind: Kind, name: str) -> str:
        """Return what to do about a name that was not found, and where it was looked for."""
        variable = f"{ENVIRONMENT[kind]}{name.upper()}"
        prefix = os.environ.get(PREFIX_VARIABLE)
        if not prefix:
            return f"set the environment variable {variable}"
        denied = self._denied.get((kind, name))
        if denied:
            return f"let the function's role read it: {denied}"
        return (
            f"push it to {secret_name(prefix, kind, name)} (orkestra-bridge secrets push), or set {variable}"
        )

    def forget(self) -> None:
        """Forget all answers."""
        with self._lock:
            self._known.clear()
            self._denied.clear()

    def _ask(self, prefix: str, kind: Kind, name: str) -> str | None:
        secret = secret_name(prefix, kind, name)
        if SECRET_CHARACTERS.fullmatch(secret):
            found = self._call(kind, name, "secretsmanager", "get_secret_value", SecretId=secret)
            if found is not None:
                return str(found["SecretString"])
        parameter = parameter_name(prefix, kind, name)
        if PARAMETER_CHARACTERS.fullmatch(parameter):
            found = self._call(kind, name, "ssm", "get_parameter", Name=parameter, WithDecryption=True)
            if found is not None:
                return str(found["Parameter"]["Value"])
        return None

    def _call(self, kind: Kind, name: str, service: str, operation: str, **arguments: Any) -> Any:
        """Return the answer of a call, None if it says that there is no such thing or that it may not be read."""
        if service not in self._clients:
            self._clients[service] = self._client(service)
        try:
            return getattr(self._clients[service], operation)(**arguments)
        except Exception as error:
            code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
            if code in _DENIED:
                target = arguments.get("SecretId") or arguments["Name"]
                self._denied[(kind, name)] = f"{service} refused {target} ({code})"
                log.warning("%s refused to give %s: %s", service, target, code)
            elif code not in _ABSENT:
                raise
            return None


def _boto3_client(service: Any) -> Any:
    import boto3

    return boto3.client(service)


LOOKUP = Lookup()
"""The one of this process."""
