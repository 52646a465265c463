"""Answers of the worker, kept by content: an unchanged DAG folder is never loaded twice.

An answer is valid for the same bytes at the same place, the same worker program, the same Airflow and Python,
the same ``AIRFLOW_*`` variables, and as long as everything that was read while loading (files, folders,
environment variables) is as it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from orkestra_bridge.frontend.process import WORKER
from orkestra_bridge.frontend.worker_digests import environ_digest, file_digest, folder_digest
from orkestra_bridge.kept import Kept
from orkestra_bridge.project.surroundings import Surroundings

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.frontend.model import DagFile, Environment

Answer = Mapping[str, Any]
_FORMAT = "1"


class AnswerCache:
    """Looks answers up and keeps them; `close` writes them."""

    def __init__(
        self, folder: Path, environment: Environment, surroundings: Surroundings | None = None
    ) -> None:
        around = surroundings or Surroundings()
        self._kept = Kept(folder / "frontend.db")
        self._environ = around.environment()
        self._base = environment_key(environment, around)
        self._digests: dict[str, str | None] = {}

    def find(self, file: DagFile) -> Answer | None:
        """Return the answer for a file, or None if there is none or something it depends on has changed."""
        key = self._key(file)
        found = self._kept.get(key) if key else None
        if found is None:
            return None
        try:
            kept = orjson.loads(found)
            return kept["answer"] if self._unchanged(kept["inputs"]) else None
        except (ValueError, KeyError):
            return None

    def keep(self, file: DagFile, answer: Answer) -> None:
        """Keep an answer, unless it may be another one next time."""
        key = self._key(file)
        if key is None or answer["timed_out"] or not answer["inputs"]["repeatable"]:
            return
        kept = {
            "answer": {name: value for name, value in answer.items() if name != "inputs"},
            "inputs": answer["inputs"],
        }
        self._kept.put(key, orjson.dumps(kept))

    def close(self) -> None:
        """Write what has been kept."""
        self._kept.close()

    def _key(self, file: DagFile) -> str | None:
        digest = self._file(str(file.path))
        if digest is None:
            return None
        return hashlib.sha256(
            "\0".join((self._base, str(file.root), file.relative, digest)).encode()
        ).hexdigest()

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
