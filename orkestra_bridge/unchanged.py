"""DAGs that an earlier conversion translated, and that would become the same again: their folders in OUT stay.

Kept is, under a hash of everything that decides what becomes of a DAG, its part of the report and the digests of its
files. It counts only while OUT has exactly these files: whatever is edited or deleted there is written again.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import orjson

from orkestra_bridge.frontend.cache import environment_key
from orkestra_bridge.ir.serialize import compact
from orkestra_bridge.kept import Kept
from orkestra_bridge.output import LAYERS, digests_of
from orkestra_bridge.report import DagReport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from orkestra_bridge.drafting import Finished
    from orkestra_bridge.frontend.model import DagFile, Environment
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.options import ConvertOptions
    from orkestra_bridge.output import Output
    from orkestra_bridge.packaging.closure import Closures
    from orkestra_bridge.packaging.listed import Listed
    from orkestra_bridge.project.surroundings import Surroundings

_FORMAT = "1"
_OWN = Path(__file__).parent


@final
class Unchanged:
    """Finds and keeps the reports of DAGs; `close` writes them.

    Args:
        cache: The folder of all caches.
        listed: The requirements files, which decide about versions.
        closures: The files of each DAG.
    """

    def __init__(
        self,
        options: ConvertOptions,
        environment: Environment,
        around: Surroundings,
        output: Output,
        *,
        listed: Listed,
        closures: Closures,
        cache: Path,
    ) -> None:
        self._listed = listed
        self._closures = closures
        self._output = output
        self._reports = Kept(cache / "dags.db")
        self._base = _digest(
            _FORMAT,
            _own_programs(),
            environment_key(environment, around),
            repr(sorted(around.values.items())),
            repr(replace(options, paths=(), out=Path(), cache=None)),
        )

    def key(self, workflow: Workflow, file: DagFile) -> str | None:
        """Return the hash of all that decides what becomes of a DAG; None if others decide, too, or it cannot be told.

        What cannot be read or written here is reported where the DAG is drafted, and concerns no other one there.
        """
        if _concerns_others(workflow):
            return None
        try:
            return self._key(workflow, file)
        except Exception:  # noqa: BLE001 - drafting meets it again, and says so
            return None

    def _key(self, workflow: Workflow, file: DagFile) -> str:
        closure = self._closures.of(file, workflow.files)
        return _digest(
            self._base,
            compact(workflow),
            orjson.dumps((file, closure), default=str),
            *_contents(file.base, closure.files),
            self._listed.facts(workflow.dag_id),
        )

    def find(self, key: str | None, dag_id: str) -> Future[DagReport | None] | None:
        """Return the report of an earlier conversion, which is None if its files are not in OUT as it left them."""
        kept = self._kept(key) if key else None
        if kept is None:
            return None
        return self._output.check(lambda: self._still_there(dag_id, kept))

    def _kept(self, key: str) -> dict[str, Any] | None:
        try:
            kept = orjson.loads(self._reports.get(key) or b"null")
        except ValueError:
            return None
        return kept if isinstance(kept, dict) else None

    def _still_there(self, dag_id: str, kept: dict[str, Any]) -> DagReport | None:
        try:
            if kept["files"] != digests_of(self._output.out / dag_id):
                return None
            if not all((self._output.out / name).is_file() for name in kept["beside"]):
                return None
            if any(
                (self._output.out / LAYERS / name).stat().st_size != size
                for name, size in kept["layers"].items()
            ):
                return None
            return DagReport.from_json(kept["report"])
        except (OSError, KeyError, TypeError, ValueError, AttributeError):
            return None

    def keep(self, key: str | None, finished: Finished) -> None:
        """Keep the report of a DAG that was translated, beside the writing of its files."""
        if key and finished.report.verdict == "translated":
            self._output.check(lambda: self._keep(key, finished))

    def _keep(self, key: str, finished: Finished) -> None:
        kept = {
            "report": finished.report,
            "files": {entry.path: entry.digest for entry in finished.files},
            "beside": finished.beside,
            "layers": {f"{each.key_hash}.zip": each.path.stat().st_size for each in finished.layers},
        }
        self._reports.put(key, orjson.dumps(kept))

    def close(self) -> None:
        """Write what has been kept, when the output is complete."""
        self._reports.close()


def _concerns_others(workflow: Workflow) -> bool:
    return workflow.schedule.assets is not None or any(
        task.calls or task.inlets or task.outlets for task in workflow.tasks
    )


def _contents(base: Path, files: Sequence[str]) -> Iterator[str]:
    for name in files:
        path = base / name
        status = path.stat()
        yield f"{status.st_mode & 0o100:o} {_file_digest(str(path), status.st_mtime_ns, status.st_size)}"


@lru_cache(maxsize=4096)
def _file_digest(path: str, _time: int, _size: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _own_programs() -> str:
    """Return what tells this orkestra-bridge from any other, one that is being worked on included."""
    found = []
    for folder, folders, files in os.walk(_OWN):
        folders[:] = sorted(each for each in folders if each != "__pycache__")
        for name in sorted(files):
            status = Path(folder, name).stat()
            found.append(f"{folder}/{name} {status.st_size} {status.st_mtime_ns}")
    return _digest(*found)


def _digest(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogateescape")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()
