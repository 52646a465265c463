"""Paths in object stores: universal-pathlib with the credentials of a connection (`airflow/sdk/io/path.py`)."""

from __future__ import annotations

import inspect
import shutil
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import urlsplit

from fsspec.implementations.local import LocalFileSystem
from upath import UPath
from upath.extensions import ProxyUPath, classmethod_or_method

from airflow._impl.module_loading import import_string
from airflow._impl.provider_registry import ProvidersManager


@lru_cache(maxsize=1)
def _filesystems() -> dict[str, Any]:
    """Return scheme -> function that makes the file system, as the providers of the package say."""

    def local(_conn_id: str | None, storage_options: Any) -> Any:
        return LocalFileSystem(**storage_options)

    found: dict[str, Any] = {"file": local, "local": local}
    for provider in ProvidersManager().providers.values():
        for name in provider.data.get("filesystems", ()):
            module = import_string(name)
            found.update(dict.fromkeys(module.schemes, module.get_fs))
    return found


def has_fs(scheme: str) -> bool:
    return scheme in _filesystems()


def get_fs(scheme: str, conn_id: str | None = None, storage_options: Any = None) -> Any:
    """Return a file system; raises ValueError for a scheme that no provider in the package has."""
    if scheme not in _filesystems():
        raise ValueError(
            f"No filesystem registered for scheme {scheme}: import the provider that brings it in the DAG file"
        )
    make = _filesystems()[scheme]
    few = len(inspect.signature(make).parameters) == 1
    return make(conn_id) if few else make(conn_id, storage_options or {})


@lru_cache(maxsize=64)
def _store(protocol: str, conn_id: str | None) -> Any:
    return get_fs(protocol, conn_id)


_ATTACHED: dict[tuple[str, str | None], Any] = {}


def attach(protocol: str, conn_id: str | None = None, fs: Any = None, **_kwargs: Any) -> Any:
    """Use a file system for a scheme from now on."""
    if fs is not None:
        _ATTACHED[protocol, conn_id] = fs
    return fs or _file_system(protocol, conn_id)


def _file_system(protocol: str, conn_id: str | None) -> Any:
    return _ATTACHED.get((protocol, conn_id)) or _store(protocol, conn_id)


class ObjectStoragePath(ProxyUPath):  # type: ignore[misc]
    """A path such as ``s3://aws_default@bucket/key``."""

    __version__: ClassVar[int] = 1
    sep: ClassVar[str] = "/"
    root_marker: ClassVar[str] = "/"
    __slots__ = ("_conn_id",)

    def __init__(
        self, *args: Any, protocol: str | None = None, conn_id: str | None = None, **options: Any
    ) -> None:
        if args and isinstance(args[0], ObjectStoragePath):
            conn_id = conn_id or args[0].conn_id
        elif args:
            url = urlsplit(str(args[0]))
            user, at, host = url.netloc.rpartition("@")
            if at:
                conn_id = conn_id or user or None
                args = (url._replace(netloc=host).geturl(), *args[1:])
            protocol = protocol or url.scheme
        self._conn_id = conn_id
        super().__init__(*args, protocol=protocol, **options)
        self._connect(self.__wrapped__)

    @classmethod_or_method  # type: ignore[untyped-decorator]
    def _from_upath(cls_or_self: Any, upath: Any, /) -> Any:
        whole = isinstance(cls_or_self, ObjectStoragePath)
        cls = type(cls_or_self) if whole else cls_or_self
        if isinstance(upath, cls):
            return upath
        path = object.__new__(cls)
        path.__wrapped__ = upath
        path._conn_id = cls_or_self.conn_id if whole else None
        if not hasattr(upath, "_fs_cached"):
            path._connect(upath)
        return path

    def _connect(self, wrapped: Any) -> None:
        if self._conn_id is not None:
            wrapped._fs_cached = _file_system(wrapped.protocol or "file", self._conn_id)

    @property
    def conn_id(self) -> str | None:
        return getattr(self, "_conn_id", None)

    @property
    def fs(self) -> Any:
        return _file_system(self.protocol or "file", self.conn_id)

    def __hash__(self) -> int:
        return hash(str(self))

    def __eq__(self, other: object) -> bool:
        return self.samestore(other) and str(self) == str(other)

    def samestore(self, other: Any) -> bool:
        """Return True if another path is in the same store, reached by the same connection."""
        here = (self.protocol, self.conn_id)
        return isinstance(other, ObjectStoragePath) and here == (other.protocol, other.conn_id)

    @property
    def bucket(self) -> str:
        return self._url.netloc if self._url else ""

    container = bucket

    @property
    def key(self) -> str:
        return self._url.path.lstrip(self.sep) if self._url else ""

    @property
    def namespace(self) -> str:
        return f"{self.protocol}://{self.bucket}" if self.bucket else str(self.protocol)

    def open(self, mode: str = "r", **kwargs: Any) -> Any:
        kwargs.setdefault("block_size", kwargs.pop("buffering", None))
        return self.fs.open(self.path, mode=mode, **kwargs)

    def replace(self, target: Any) -> Any:
        return self.rename(target)

    @classmethod
    def cwd(cls) -> Any:
        return cls._from_upath(UPath.cwd())

    @classmethod
    def home(cls) -> Any:
        return cls._from_upath(UPath.home())

    def ukey(self) -> Any:
        return self.fs.ukey(self.path)

    def checksum(self) -> Any:
        return self.fs.checksum(self.path)

    def sign(self, expiration: int = 100, **kwargs: Any) -> Any:
        return self.fs.sign(self.path, expiration=expiration, **kwargs)

    def size(self) -> Any:
        return self.fs.size(self.path)

    def read_block(self, offset: int, length: int, delimiter: Any = None) -> Any:
        return self.fs.read_block(self.path, offset=offset, length=length, delimiter=delimiter)

    def copy(self, dst: Any, recursive: bool = False, **kwargs: Any) -> None:
        """Copy a file, or with ``recursive`` a folder, within a store, from here, to here or between stores.

        Raises:
            FileNotFoundError: If there is nothing at this path.
        """
        dst = ObjectStoragePath(dst) if isinstance(dst, str) else dst
        if self.samestore(dst):
            self.fs.copy(self.path, dst.path, recursive=recursive, **kwargs)
        elif self.protocol == "file":
            dst.fs.put(self.path, dst.path, recursive=recursive, **kwargs)
        elif dst.protocol == "file":
            self.fs.get(self.path, dst.path, recursive=recursive, **kwargs)
        else:
            self._copy_between(dst)

    def _copy_between(self, dst: Any) -> None:
        if not self.exists():
            raise FileNotFoundError(f"{self} does not exist")
        sources = [path for path in self.rglob("*") if path.is_file()] if self.is_dir() else [self]
        for source in sources:
            target = dst / str(source).removeprefix(str(self)).lstrip("/") if source is not self else dst
            with source.open("rb") as reading, target.open("wb") as writing:
                shutil.copyfileobj(reading, writing)

    def move(self, path: Any, recursive: bool = False, **kwargs: Any) -> None:
        """Copy, then remove what was here."""
        self.copy(path, recursive=recursive, **kwargs)
        self.fs.rm(self.path, recursive=recursive)
