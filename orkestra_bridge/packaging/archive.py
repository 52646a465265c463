"""A package's files as a zip with the same bytes for the same input, whoever makes it and when.

The runtime with its facade is the same in every package, so it is compressed once per process and every zip starts as a
copy of it.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, final

from orkestra_bridge.packaging.model import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orkestra_bridge.packaging.model import LambdaPackage

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip file can express."""

LEVEL = 6
"""zlib's level: 9 costs two to four times as much for 2 % less."""


_END = struct.Struct("<4s4H2LH")
_MANY = 50_000
"""Files of a package from which on the record at the end could be of another form (ZIP64)."""


def zipped(package: LambdaPackage) -> bytes:
    """Return the zip file of a package."""
    shared = _shared()
    spliced = len(package.entries) < _MANY
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        buffer.write(shared.data)
        # What opening the copy for appending would read from it again, for every package.
        archive.start_dir = len(shared.data)
        if not spliced:
            archive.filelist.extend(shared.infos)
        for entry in package.entries:
            _write(archive, entry)
    return _with_shared_directory(buffer.getbuffer(), shared) if spliced else buffer.getvalue()


def _with_shared_directory(archive: memoryview, shared: _Shared) -> bytes:
    """Return a zip with the shared files put first into its directory, which has a package's own files only.

    Writing some hundred entries for every package took longer than all else. The record at the end is the one of
    PKWARE's APPNOTE.TXT, 4.3.16: counts, size and place of the directory.
    """
    *head, here, count, size, start, comment = _END.unpack(archive[-_END.size :])
    more, length = len(shared.infos), len(shared.directory)
    end = _END.pack(*head, here + more, count + more, size + length, start, comment)
    return b"".join((archive[:start], shared.directory, archive[start : -_END.size], end))


def shared_entries() -> tuple[Entry, ...]:
    """Return the files that every package has: the runtime with its facade."""
    return _shared().entries


def shared_hash() -> str:
    """Return the `tree_hash` of what every package has."""
    return _shared().tree_hash


def tree_hash(entries: Iterable[Entry]) -> str:
    """Return SHA-256 over path, mode and content of the files, whatever order they come in.

    Not over the zip: zlib builds differ between platforms, and equal content should have an equal key.
    """
    digest = hashlib.sha256()
    for line in sorted(_digest_line(entry) for entry in entries):
        digest.update(line)
    return digest.hexdigest()


def _digest_line(entry: Entry) -> bytes:
    content = hashlib.sha256(entry.data).hexdigest()
    return f"{entry.path}\0{entry.mode:o}\0{content}\n".encode()


@final
@dataclass(frozen=True, slots=True)
class _Shared:
    """The part of a package that every DAG has: its files, and their zip, the directory at its end apart."""

    entries: tuple[Entry, ...]
    tree_hash: str
    data: bytes
    infos: tuple[zipfile.ZipInfo, ...]
    directory: bytes


@lru_cache(maxsize=1)
def _shared() -> _Shared:
    entries = tuple(sorted(_own_files(), key=lambda entry: entry.path))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for entry in entries:
            _write(archive, entry)
        data, infos = buffer.getvalue(), tuple(archive.infolist())
    directory = buffer.getvalue()[len(data) : -_END.size]
    return _Shared(entries, tree_hash(entries), data, infos, directory)


def _own_files() -> Iterator[Entry]:
    own = Path(__file__).parent.parent
    yield Entry("orkestra_bridge/__init__.py", (own / "__init__.py").read_bytes())
    for path in (own / "runtime").rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            yield Entry(f"orkestra_bridge/{path.relative_to(own).as_posix()}", path.read_bytes())


def _write(archive: zipfile.ZipFile, entry: Entry) -> None:
    info = zipfile.ZipInfo(entry.path, EPOCH)
    info.create_system = 3  # Unix on every platform, else Lambda ignores the mode
    info.external_attr = (0o100000 | entry.mode) << 16
    archive.writestr(info, entry.data, zipfile.ZIP_DEFLATED, LEVEL)
