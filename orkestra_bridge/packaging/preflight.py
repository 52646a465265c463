"""Proves that a package loads in Lambda as Airflow loaded it, with nothing else installed.

Compared are task ids, edges and operator classes. The loading is done by `preflight_process.py`; answers are
kept under a hash of all they depend on: an unchanged package costs a file read, the DAGs of one file one load.
"""

from __future__ import annotations

import hashlib
import json
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from orkestra_bridge.kept import Kept
from orkestra_bridge.packaging.preflight_findings import findings_of
from orkestra_bridge.packaging.preflight_process import PROGRAMS, PreflightProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.frontend.model import DagFile, Environment
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.packaging.model import LambdaPackage

TIMEOUT = 30.0
"""Seconds that a package may take to load; Lambda gives 10, but this machine may be busy."""

GUESS_TIMEOUT = 2.0
"""Seconds that a package may take which nobody has asked for yet: one that hangs must not keep the others waiting."""


class Preflight:
    """Loads packages in a process like Lambda's; a context manager, started by the first package.

    Args:
        environment: The Python that parsed the DAGs, whose installed modules stand for the layer.
        cache: Where answers are kept; None asks every time.
        timeout: Seconds that one package may take to load.
        values: Environment variables that the function will have.
    """

    def __init__(
        self,
        environment: Environment,
        cache: Path | None,
        *,
        timeout: float = TIMEOUT,
        values: Mapping[str, str] | None = None,
    ) -> None:
        # The process works in a folder of its own.
        self._process = PreflightProcess(
            environment, (cache / "preflight").absolute() if cache else None, values
        )
        self._kept = Kept(cache / "preflight.db") if cache else None
        self._timeout = timeout
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="preflight")
        self._signature = _signature(environment, self._process.settings())
        self._answers: dict[str, dict[str, Any]] = {}
        self._behind = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the process and leave nothing behind; after an error nothing is waited for."""
        if kind is not None:
            self._process.kill()
        self._pool.shutdown(cancel_futures=kind is not None)
        self._process.close()
        if self._kept:
            self._kept.close()

    def warm(self) -> None:
        """Start the process now, while there is nothing else to do, and not with the first package."""
        self._pool.submit(self._process.warm)

    def expect(self, file: DagFile, build: Callable[[], LambdaPackage]) -> None:
        """Load a package that will probably be asked for, as long as nobody waits for another one.

        What it shows is kept only if it loads, and under the hash of what was loaded: a wrong guess costs time only.
        """
        self._pool.submit(self._guess, file, build)

    def _guess(self, file: DagFile, build: Callable[[], LambdaPackage]) -> None:
        if self._behind:
            return
        package = build()
        if package.load_hash in self._answers or self._recall(package):
            return
        answer = self._process.ask(file, package, GUESS_TIMEOUT)
        if answer["status"] == "loaded":
            self._keep(package, answer)

    @property
    def scratch(self) -> Path | None:
        """Return the folder with temporary files, None while there are none."""
        return self._process.scratch

    def check(self, workflow: Workflow, file: DagFile, package: LambdaPackage) -> tuple[Finding, ...]:
        """Return what loading the package shows; empty if it is what Airflow saw."""
        return self.submit(workflow, file, package).result()

    def submit(
        self, workflow: Workflow, file: DagFile, package: LambdaPackage
    ) -> Future[tuple[Finding, ...]]:
        """Return the findings of :meth:`check` as a future, already done if the answer is in the cache."""
        known = self._answers.get(package.load_hash) or self._recall(package)
        if known is not None:
            done: Future[tuple[Finding, ...]] = Future()
            done.set_result(findings_of(known, workflow, file))
            return done
        self._behind = True
        return self._pool.submit(self._examine, workflow, file, package)

    def _examine(self, workflow: Workflow, file: DagFile, package: LambdaPackage) -> tuple[Finding, ...]:
        answer = self._answers.get(package.load_hash)
        if answer is None:
            answer = self._process.ask(file, package, self._timeout)
            self._keep(package, answer)
        return findings_of(answer, workflow, file)

    def _keep(self, package: LambdaPackage, answer: dict[str, Any]) -> None:
        self._answers[package.load_hash] = answer
        if self._kept and answer["status"] in ("loaded", "failed"):
            self._kept.put(self._key(package), json.dumps(answer).encode())

    def _key(self, package: LambdaPackage) -> str:
        return hashlib.sha256(f"{self._signature}{package.load_hash}".encode()).hexdigest()

    def _recall(self, package: LambdaPackage) -> dict[str, Any] | None:
        found = self._kept.get(self._key(package)) if self._kept else None
        try:
            answer = json.loads(found) if found else None
        except ValueError:
            return None
        return answer if isinstance(answer, dict) else None


def _signature(environment: Environment, settings: Mapping[str, str]) -> str:
    """Return a hash of all that an answer depends on beside the package."""
    digest = hashlib.sha256()
    for program in PROGRAMS:
        digest.update(program.read_bytes())
    folders = [str(folder) for folder in environment.site_packages]
    facts = [environment.python_version, sys.platform, folders, sorted(settings.items())]
    digest.update(json.dumps(facts).encode())
    return digest.hexdigest()
