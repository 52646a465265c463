"""Airflow's Variables and connections, and what Kubernetes keeps -> Parameter Store and Secrets Manager, under a prefix.

Variables become parameters (SecureString), connections secrets. What a parameter cannot hold, more than 4 KB (AWS Systems
Manager quotas, standard parameters), becomes a secret, where the runtime looks first. Keys of Kubernetes' objects become
parameters always, advanced ones beyond 4 KB: ECS gives them to images. Names are shown, values never.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

from orkestra_bridge.errors import AwsError, UsageError
from orkestra_bridge.runtime.lookup import (
    PARAMETER_CHARACTERS,
    SECRET_CHARACTERS,
    Folder,
    parameter_name,
    secret_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

PARAMETER_LIMIT = 4096
"""Bytes of a standard parameter; a larger one is charged for."""
ADVANCED_LIMIT = 8192
"""Bytes of an advanced one."""
SECRET_LIMIT = 65_536
"""Bytes of a secret (Secrets Manager quotas)."""
_BATCH = 10
"""Names that GetParameters takes."""

Store = Literal["parameter", "secret"]
Action = Literal["create", "update", "same"]


@final
@dataclass(frozen=True, slots=True)
class Value:
    """A Variable, a connection or a key of Kubernetes to be pushed; ``place`` is ``file:line``, for messages."""

    kind: Folder
    name: str
    text: str
    place: str


@final
@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one value: its name on AWS and what is done there. It does not hold the value."""

    action: Action
    store: Store
    name: str


class SecretPush:
    """Compares values with what is on AWS, and writes what differs.

    Args:
        client: Makes a client for ``ssm`` or ``secretsmanager``.
        prefix: In front of all names; slashes around it do not count.
    """

    def __init__(self, client: Callable[[str], Any], prefix: str) -> None:
        self._client = client
        self._prefix = prefix.strip("/")

    def run(
        self,
        values: Iterable[Value],
        *,
        dry_run: bool = False,
        on_change: Callable[[Change], None] | None = None,
    ) -> tuple[Change, ...]:
        """Write what differs and return all changes, sorted by name; nothing is written with ``dry_run``.

        Raises:
            UsageError: A value or its name cannot be kept on AWS; nothing has been written then.
            AwsError: AWS refuses a call. What was written before stays, and running it again goes on from there.
        """
        wanted = sorted(values, key=lambda value: (value.kind, value.name))
        _check(wanted, self._prefix)
        with _aws_errors(f"reading what is below {self._prefix}"):
            planned = list(self._planned(wanted))
        for change, value in planned:
            if change.action != "same" and not dry_run:
                with _aws_errors(f"writing {change.name}"):
                    self._write(change, value)
            if on_change:
                on_change(change)
        return tuple(change for change, _ in planned)

    def _planned(self, values: list[Value]) -> Iterator[tuple[Change, Value]]:
        secrets = self._existing_secrets() if any(not _of_kubernetes(value) for value in values) else set()
        parameters = self._existing_parameters([value for value in values if _fits(value, self._prefix)])
        for value in values:
            secret = secret_name(self._prefix, value.kind, value.name)
            if secret in secrets or not _fits(value, self._prefix):
                known = self._secret(secret) if secret in secrets else None
                yield Change(_action(known, value), "secret", secret), value
            else:
                parameter = parameter_name(self._prefix, value.kind, value.name)
                yield Change(_action(parameters.get(parameter), value), "parameter", parameter), value

    def _existing_secrets(self) -> set[str]:
        pages = self._client("secretsmanager").get_paginator("list_secrets")
        listing = pages.paginate(Filters=[{"Key": "name", "Values": [f"{self._prefix}/"]}])
        return {secret["Name"] for page in listing for secret in page["SecretList"]}

    def _secret(self, name: str) -> str | None:
        text: str | None = self._client("secretsmanager").get_secret_value(SecretId=name).get("SecretString")
        return text

    def _existing_parameters(self, values: list[Value]) -> Mapping[str, str]:
        names = [parameter_name(self._prefix, value.kind, value.name) for value in values]
        found: dict[str, str] = {}
        for start in range(0, len(names), _BATCH):
            answer = self._client("ssm").get_parameters(
                Names=names[start : start + _BATCH], WithDecryption=True
            )
            found.update({each["Name"]: each["Value"] for each in answer["Parameters"]})
        return found

    def _write(self, change: Change, value: Value) -> None:
        if change.store == "parameter":
            large = {"Tier": "Advanced"} if len(value.text.encode()) > PARAMETER_LIMIT else {}
            self._client("ssm").put_parameter(
                Name=change.name,
                Value=value.text,
                Type="SecureString",
                Overwrite=change.action == "update",
                **large,
            )
        elif change.action == "create":
            self._client("secretsmanager").create_secret(Name=change.name, SecretString=value.text)
        else:
            self._client("secretsmanager").put_secret_value(SecretId=change.name, SecretString=value.text)


def _action(known: str | None, value: Value) -> Action:
    if known is None:
        return "create"
    return "same" if known == value.text else "update"


def _fits(value: Value, prefix: str) -> bool:
    """Return True for what goes into Parameter Store."""
    if _of_kubernetes(value):
        return True
    if value.kind == "connections" or len(value.text.encode()) > PARAMETER_LIMIT:
        return False
    return bool(PARAMETER_CHARACTERS.fullmatch(parameter_name(prefix, value.kind, value.name)))


def _of_kubernetes(value: Value) -> bool:
    return value.kind in ("kubernetes-secrets", "kubernetes-configmaps")


def _check(values: list[Value], prefix: str) -> None:
    if not prefix or prefix.lower().startswith(("aws", "ssm")):
        raise UsageError(
            f"the prefix {prefix!r} cannot be used",
            remedy="Parameter Store keeps aws... and ssm... for itself",
        )
    problems = [f"{value.place} {problem}" for value in values for problem in _problems(value, prefix)]
    if problems:
        raise UsageError("\n       ".join(problems), remedy="nothing was written; correct or remove these")


def _problems(value: Value, prefix: str) -> Iterator[str]:
    if not value.text:
        yield f"{value.name!r} is empty, which AWS does not keep: leave it out and give a default where it is read"
    if _of_kubernetes(value):
        if len(value.text.encode()) > ADVANCED_LIMIT:
            yield f"{value.name!r} has more than the {ADVANCED_LIMIT} bytes of a parameter: keep it in S3"
        if not PARAMETER_CHARACTERS.fullmatch(parameter_name(prefix, value.kind, value.name)):
            yield f"{value.name!r} has characters that no parameter's name has: rename it"
        return
    if len(value.text.encode()) > SECRET_LIMIT:
        yield f"{value.name!r} has more than the {SECRET_LIMIT} bytes of a secret: keep it in S3"
    if not SECRET_CHARACTERS.fullmatch(secret_name(prefix, value.kind, value.name)):
        yield f"{value.name!r} has characters that no secret's name has: rename it"


class _aws_errors:  # noqa: N801 -- reads as the context manager that it is
    """Turns botocore's errors into ours, which say what was being done and no value."""

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        if isinstance(error, ClientError):
            code = error.response.get("Error", {}).get("Code", "")
            said = error.response.get("Error", {}).get("Message", "")
            raise AwsError(f"{self._doing}: {code}: {said}", remedy=_REMEDIES.get(code, _REMEDY)) from None
        if isinstance(error, BotoCoreError):
            raise AwsError(f"{self._doing}: {error}", remedy=_REMEDY) from None


_REMEDY = "check --profile, --region and --endpoint-url, and try again: what was written before stays"
_REMEDIES = {
    "AccessDeniedException": "let the caller use ssm:GetParameters, ssm:PutParameter, secretsmanager:ListSecrets, "
    "GetSecretValue, CreateSecret and PutSecretValue below the prefix",
    "InvalidRequestException": "a secret that is being deleted keeps its name: restore it (aws secretsmanager "
    "restore-secret), or use another --prefix",
}
