"""Answers of the worker, kept by content: an unchanged DAG folder is never loaded twice.

An answer is valid for the same bytes at the same place, the same worker program, the same Airflow and Python,
the same ``AIRFLOW_*`` variables, and as long as everything that was read while loading (files, folders,
environment variables) is as it was.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from orkestra_bridge.frontend.process import WORKER
from orkestra_bridge.frontend.worker_digests import environ_digest, file_digest, folder_digest
from orkestra_bridge.project.surroundings import Surroundings

if TYPE_CHECKING:
    from orkestra_bridge.frontend.model import DagFile, Environment

Answer = Mapping[str, Any]
_FORMAT = "1"


class AnswerCache:
    """Looks answers up and keeps them; a cache that cannot be read or written behaves like an empty one."""

    def __init__(
        self, folder: Path, environment: Environment, surroundings: Surroundings | None = None
    ) -> None:
        around = surroundings or Surroundings()
        self._folder = folder / "frontend"
        self._environ = around.environment()
        self._base = environment_key(environment, around)
        self._digests: dict[str, str | None] = {}

    def find(self, file: DagFile) -> Answer | None:
        """Return the answer for a file, or None if there is none or something it depends on has changed."""
        entry = self._entry(file)
        if entry is None:
            return None
        try:
            kept = orjson.loads(entry.read_bytes())
            return kept["answer"] if self._unchanged(kept["inputs"]) else None
        except (OSError, ValueError, KeyError):
            return None

    def keep(self, file: DagFile, answer: Answer) -> None:
        """Keep an answer, unless it may be another one next time."""
        entry = self._entry(file)
        if entry is None or answer["timed_out"] or not answer["inputs"]["repeatable"]:
            return
        kept = {
            "answer": {name: value for name, value in answer.items() if name != "inputs"},
            "inputs": answer["inputs"],
        }
        try:
            entry.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=entry.parent, delete=False) as stream:
                stream.write(orjson.dumps(kept))
            Path(stream.name).replace(entry)
        except OSError:
            return

    def _entry(self, file: DagFile) -> Path | None:
        digest = self._file(str(file.path))
        if digest is None:
            return None
        key = hashlib.sha256(
            "\0".join((self._base, str(file.root), file.relative, digest)).encode()
        ).hexdigest()
        return self._folder / key[:2] / f"{key[2:]}.json"

    def _unchanged(self, inputs: Mapping[str, Any]) -> bool:
        return (
            all(self._file(path) == digest for path, digest in inputs["files"].items())
            and all(folder_digest(path) == digest for path, digest in inputs["folders"].items())
            and all(
                environ_digest(name, self._environ) == digest for name, digest in inputs["environ"].items()
            )
        )

    def _file(self, path: str) -> str | None:
        """Return a file's digest; shared modules are read once per conversion."""
        if path not in self._digests:
            self._digests[path] = file_digest(path)
        return self._digests[path]


def environment_key(environment: Environment, around: Surroundings) -> str:
    """Return the hash of an Airflow, of the program that works with it, and of what is around the DAG files.

    Installing a distribution changes its folder's time.
    """
    parts = [_FORMAT, environment.airflow_version, environment.python_version, str(environment.python)]
    programs = sorted(WORKER.parent.glob("worker*.py"))
    parts += [hashlib.sha256(program.read_bytes()).hexdigest() for program in programs]
    parts += [
        f"{folder}={folder.stat().st_mtime_ns if folder.exists() else ''}"
        for folder in environment.site_packages
    ]
    parts += sorted(
        f"{name}={value}"
        for name, value in around.environment().items()
        if name.startswith(("AIRFLOW_", "PYTHONPATH"))
    )
    parts += [*map(str, around.search), str(around.working_directory), str(around.assume_missing)]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
