"""The output folder: written aside, moved into place when complete, so that it is never half of something.

Everything is staged in a hidden folder inside OUT (so that moving is a rename on one file system). At the end each DAG's
folder replaces the one before it; what the conversion does not produce stays: other DAGs, earlier runs, the user's files.
"""

from __future__ import annotations

import os
import posixpath
import shutil
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from typing_extensions import Self

from orkestra_bridge.errors import OutputError
from orkestra_bridge.packaging.model import Entry
from orkestra_bridge.packaging.pythons import RUNS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

Result = TypeVar("Result")

STAGING_PREFIX = ".orkestra-staging-"
LAYERS = ".layers"
"""Layers are shared by DAGs and named by their content."""
JOINED = frozenset({LAYERS, RUNS})
"""Folders whose new files join the old ones."""


def digests_of(folder: Path) -> dict[str, str]:
    """Return the digest (`Entry.digest`) of every file in a folder that is there, by its path relative to it.

    Raises OSError if one cannot be read.
    """
    found = {}
    for home, _, names in os.walk(folder):
        for name in names:
            path = Path(home, name)
            relative = path.relative_to(folder).as_posix()
            executable = bool(path.stat().st_mode & 0o100)
            found[relative] = Entry(relative, path.read_bytes(), executable=executable).digest
    return found


class Output:
    """A context manager around one conversion's output; leaving it with an exception discards what was staged."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._created = False
        self._staging: Path | None = None
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="output")
        self._writing: list[Future[None]] = []
        self._folders: set[str] = set()

    def __enter__(self) -> Self:
        try:
            self._created = not self.out.exists()
            self.out.mkdir(parents=True, exist_ok=True)
            self._staging = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=self.out))
        except OSError as problem:
            raise OutputError(
                f"cannot write to {self.out}: {problem.strerror or problem}",
                remedy="name another folder with --out, or make this one writable",
            ) from problem
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.shutdown(cancel_futures=True)
        if self._staging is not None:
            shutil.rmtree(self._staging, ignore_errors=True)
        if kind is not None and self._created and not any(self.out.iterdir()):
            self.out.rmdir()

    def write(self, name: str, data: bytes) -> None:
        """Stage a file; ``name`` is a POSIX path relative to OUT. It is written by a thread, `commit` waits for it."""
        self._writing.append(self._writer.submit(self._write, name, data))

    def check(self, look: Callable[[], Result]) -> Future[Result]:
        """Return what a look at OUT shows, as a future: it is done between the writing, by the same thread."""
        return self._writer.submit(look)

    def write_folder(self, name: str, files: Sequence[Entry]) -> None:
        """Stage the files of a folder, their paths relative to it, as `write` does one."""
        self._writing.append(self._writer.submit(self._write_folder, name, files))

    def _write_folder(self, folder: str, files: Sequence[Entry]) -> None:
        for entry in files:
            self._write(f"{folder}/{entry.path}", entry.data, executable=entry.executable)

    def _write(self, name: str, data: bytes, *, executable: bool = False) -> None:
        target = f"{self._staged()}/{name}"
        folder = posixpath.dirname(target)
        try:
            if folder not in self._folders:
                Path(folder).mkdir(parents=True, exist_ok=True)
                self._folders.add(folder)
            with open(target, "wb") as stream:  # noqa: PTH123 - some thousand times
                stream.write(data)
            if executable:
                Path(target).chmod(0o755)
        except OSError as problem:
            raise OutputError(
                f"cannot write {self.out / name}: {problem.strerror or problem}",
                remedy="check the free space and the rights of the folder; what was there before is untouched",
            ) from problem

    def _staged(self) -> Path:
        assert self._staging is not None, "used outside of its with block"
        return self._staging

    def commit(self) -> None:
        """Move everything that was staged to its place, each folder and file in one rename.

        Raises OutputError if a file could not be written, with nothing moved, or if moving fails.
        """
        for written in self._writing:
            written.result()
        aside = self._staged() / ".replaced"
        aside.mkdir()
        try:
            for entry in sorted(self._staged().iterdir()):
                if entry.name in JOINED:
                    self._join(entry)
                elif entry != aside:
                    self._place(entry, aside)
        except OSError as problem:
            raise OutputError(
                f"cannot move the output to {self.out}: {problem.strerror or problem}",
                remedy="check the rights of the folder and run the command again",
            ) from problem

    def _join(self, folder: Path) -> None:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            target = self.out / file.relative_to(self._staged())
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)

    def _place(self, entry: Path, aside: Path) -> None:
        target = self.out / entry.name
        if target.is_dir() and entry.is_dir():
            target.rename(aside / entry.name)
        elif target.is_dir():
            raise OutputError(f"{target} is a folder where a file should go", remedy="move it away")
        entry.replace(target)
