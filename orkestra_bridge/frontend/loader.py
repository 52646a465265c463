"""The frontend's face: DAG files in, loaded files out, in the order given and as soon as they are ready."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orkestra_bridge.frontend import rules
from orkestra_bridge.frontend.cache import AnswerCache
from orkestra_bridge.frontend.decode import decode_workflow
from orkestra_bridge.frontend.diagnose import to_finding
from orkestra_bridge.frontend.interpreters import with_interpreters
from orkestra_bridge.frontend.model import DagFile, Environment, Lack, LoadedFile
from orkestra_bridge.frontend.pool import WorkerPool
from orkestra_bridge.ir.model import SourceSpan, Workflow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.project.surroundings import Surroundings


class Frontend:
    """Loads DAG files with one Airflow environment; a context manager that ends its workers.

    Args:
        environment: The Python with Airflow.
        parse_timeout: Seconds that one file may take.
        cache: Folder for answers, or None to load everything anew.
        workers: Processes to load with. Importing Airflow dominates, so more than one pays only for many hundred files.
        surroundings: What the files find around them.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        parse_timeout: float,
        cache: Path | None,
        workers: int = 1,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._environment = environment
        self._home = tempfile.TemporaryDirectory(prefix="orkestra-bridge-", ignore_cleanup_errors=True)
        self._pool = WorkerPool(
            environment,
            Path(self._home.name),
            timeout=parse_timeout,
            size=max(1, workers),
            surroundings=surroundings,
        )
        self._cache = AnswerCache(cache, environment, surroundings) if cache is not None else None

    def __enter__(self) -> Frontend:  # noqa: PYI034 -- nobody derives from it, and typing.Self needs 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers and remove their scratch folder; may be called twice."""
        self._pool.close()
        if self._cache:
            self._cache.close()
        self._home.cleanup()

    @property
    def working(self) -> bool:
        """Return True if a worker has been started, which it is for files that the cache does not know."""
        return self._pool.started

    def load(self, files: Sequence[DagFile]) -> Iterator[LoadedFile]:
        """Return an iterator over each file's workflows and findings, in the order of ``files``.

        The loading has begun when this returns. Raises EnvironmentSetupError, now or on the way, if the environment's
        Airflow cannot be imported.
        """
        kept = [self._cache.find(file) if self._cache else None for file in files]
        if None in kept:
            self._pool.start()
        return self._each(files, kept)

    def _each(
        self, files: Sequence[DagFile], kept: Sequence[Mapping[str, Any] | None]
    ) -> Iterator[LoadedFile]:
        first: dict[str, SourceSpan] = {}
        fresh = self._pool.run([file for file, answer in zip(files, kept, strict=True) if answer is None])
        for file, answer in zip(files, kept, strict=True):
            given = next(fresh) if answer is None else answer
            if answer is None and self._cache is not None:
                self._cache.keep(file, given)
            yield _without_repeated_ids(
                _loaded(file, given, self._environment, cached=answer is not None), first
            )


def _loaded(
    file: DagFile, answer: Mapping[str, Any], environment: Environment, *, cached: bool
) -> LoadedFile:
    return LoadedFile(
        file=file,
        workflows=tuple(
            with_interpreters(decode_workflow(document, answer), environment, file.root)
            for document in answer["dags"]
        ),
        findings=tuple(to_finding(record, file) for record in answer["problems"]),
        cached=cached,
        lacking=tuple(
            Lack(kind=kind, name=name, place=f"{file.shown(path)}:{line}" if line else file.shown(path))
            for kind, name, path, line in answer["lacking"]
        ),
    )


def _without_repeated_ids(loaded: LoadedFile, first: dict[str, SourceSpan]) -> LoadedFile:
    """Refuse DAGs whose id an earlier file has used.

    Airflow's DagBag, too, keeps the first (`DagBag.bag_dag`).
    """
    kept: list[Workflow] = []
    said: list[Finding] = []
    for workflow in loaded.workflows:
        shown = SourceSpan(loaded.file.shown(workflow.span.file), workflow.span.line)
        earlier = first.setdefault(workflow.dag_id, shown)
        if earlier is shown:
            kept.append(workflow)
            continue
        said.append(
            rules.DUPLICATE_DAG_ID.at(
                shown,
                f"the dag_id is already used at {earlier.file}:{earlier.line}, which is kept",
                "give each DAG an id of its own",
                dag_id=workflow.dag_id,
            )
        )
    if not said:
        return loaded
    return replace(loaded, workflows=tuple(kept), findings=(*loaded.findings, *said))
