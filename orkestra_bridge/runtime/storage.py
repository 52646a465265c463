"""Where XCom values are kept that are too large for the state data: an S3 bucket, or a folder on this machine.

The function's environment says which: ``ORKESTRA_XCOM_STORE`` is ``s3://bucket/prefix`` on AWS, and the path of a
folder in a local run.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from orkestra_bridge.runtime.errors import XComStorageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VARIABLE = "ORKESTRA_XCOM_STORE"
CONNECTIONS = 32
"""To S3, at the same time."""
_S3 = "s3://"
# A part of a key may be a file's name: systems allow 255 bytes.
_PART = 120


class Store(Protocol):
    """Keeps bytes under keys of the form ``a/b/c``, each part of which `part` has made."""

    def write(self, key: str, data: bytes) -> None:
        """Keep the data, instead of what was there; raises XComStorageError if it cannot be kept."""
        ...

    def read(self, key: str) -> bytes:
        """Return what was kept; raises XComStorageError if it cannot be read."""
        ...


def part(text: str) -> str:
    """Return a text as part of a key: the same for the same text, safe in URLs and as a file's name."""
    from hashlib import sha256
    from urllib.parse import quote

    quoted = quote(text, safe="") or "%"
    if not quoted.strip("."):
        quoted = quoted.replace(".", "%2E")
    if len(quoted) <= _PART:
        return quoted
    return f"{quoted[: _PART - 17]}-{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def store_of(environment: Mapping[str, str]) -> Store | None:
    """Return the store that environment variables name, None if they name none."""
    place = environment.get(VARIABLE)
    return _store(place) if place else None


@lru_cache(maxsize=4)
def _store(place: str) -> Store:
    """Return one store for one place, so that a warm function keeps its connections."""
    if place.startswith(_S3):
        bucket, _, prefix = place[len(_S3) :].partition("/")
        return S3Store(bucket, prefix)
    from pathlib import Path

    return FolderStore(Path(place))


class FolderStore:
    """Files below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, key: str, data: bytes) -> None:
        """Write a file, whole or not at all."""
        path = self._folder / key
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            scratch = path.with_name(f"{path.name[:100]}.{os.getpid()}~")
            scratch.write_bytes(data)
            scratch.replace(path)
        except OSError as problem:
            raise XComStorageError(f"{path} cannot be written: {problem.strerror or problem}") from problem

    def read(self, key: str) -> bytes:
        """Return what a file holds."""
        try:
            return (self._folder / key).read_bytes()
        except OSError as problem:
            raise XComStorageError(
                f"{self._folder / key} cannot be read: {problem.strerror or problem}"
            ) from problem


class S3Store:
    """Objects of a bucket below a prefix; ``client`` is boto3's, made when it is first needed."""

    def __init__(self, bucket: str, prefix: str, client: Any = None) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.rstrip('/')}/" if prefix else ""
        self._made = client

    @property
    def _client(self) -> Any:
        if self._made is None:
            from importlib import import_module

            boto3: Any = import_module("boto3")
            config: Any = import_module("botocore.config")
            retries = {"mode": "standard", "total_max_attempts": 5}
            self._made = boto3.client(
                "s3", config=config.Config(max_pool_connections=CONNECTIONS, retries=retries)
            )
        return self._made

    def write(self, key: str, data: bytes) -> None:
        """Put an object."""
        name = self._prefix + key
        try:
            self._client.put_object(Bucket=self._bucket, Key=name, Body=data, ContentType="application/json")
        except Exception as problem:
            raise XComStorageError(f"s3://{self._bucket}/{name} cannot be written: {problem}") from problem

    def read(self, key: str) -> bytes:
        """Return an object's content."""
        name = self._prefix + key
        try:
            content: bytes = self._client.get_object(Bucket=self._bucket, Key=name)["Body"].read()
        except Exception as problem:
            # without the right to list a bucket, S3 says AccessDenied for what is not there
            raise XComStorageError(
                f"s3://{self._bucket}/{name} cannot be read; has it expired? {problem}"
            ) from problem
        return content
