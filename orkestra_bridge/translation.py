"""All DAGs of a conversion: what is left as it is, what is drafted and finished, and what has to wait for others."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from orkestra_bridge.packaging.closure import Closures
from orkestra_bridge.packaging.listed import Listed
from orkestra_bridge.passes.configured import unused_patterns
from orkestra_bridge.passes.other_dags import Loaded
from orkestra_bridge.policy import apply_allowances
from orkestra_bridge.unchanged import Unchanged

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future
    from types import TracebackType

    from typing_extensions import Self

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.drafting import Draft, Drafter
    from orkestra_bridge.frontend.model import DagFile, Environment, LoadedFile
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.options import ConvertOptions
    from orkestra_bridge.output import Output
    from orkestra_bridge.project.surroundings import Surroundings
    from orkestra_bridge.report import DagReport


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A DAG that has been begun: its draft, or the report of an earlier conversion that is still being looked at."""

    workflow: Workflow
    file: DagFile
    key: str | None
    draft: Draft | None = None
    kept: Future[DagReport | None] | None = None

    @property
    def ready(self) -> bool:
        """Return True if finishing it would not have to wait."""
        if self.kept is not None:
            return self.kept.done()
        return self.draft is None or self.draft.ready


@final
class Translator:
    """Translates workflows one after the other with the same options; a context manager that ends its processes."""

    def __init__(
        self, options: ConvertOptions, environment: Environment, output: Output, around: Surroundings
    ) -> None:
        self._options = options
        self._environment = environment
        self._output = output
        self._around = around
        self._listed = Listed(options)
        self._closures = Closures()
        self._unchanged = (
            Unchanged(
                options,
                environment,
                around,
                output,
                listed=self._listed,
                closures=self._closures,
                cache=options.cache,
            )
            if options.cache
            else None
        )
        self._stack = ExitStack()
        self._made: Drafter | None = None
        self._loaded = Loaded()
        self._held: list[tuple[Workflow, DagFile]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
        if self._unchanged:
            self._unchanged.close()

    @property
    def _drafter(self) -> Drafter:
        """Return what makes drafts; where nothing has changed it is not even imported."""
        if self._made is None:
            from orkestra_bridge.drafting import Drafter

            self._made = self._stack.enter_context(
                Drafter(
                    self._options,
                    self._environment,
                    self._output,
                    self._around,
                    listed=self._listed,
                    loaded=self._loaded,
                    closures=self._closures,
                )
            )
        return self._made

    @property
    def about_requirements(self) -> tuple[Finding, ...]:
        """Return what the requirements file says that cannot be read from here."""
        return self._listed.unread()

    def about_patterns(self) -> tuple[Finding, ...]:
        """Return the patterns of the configuration that fit nothing; called when all files are loaded."""
        found = unused_patterns(self._options.overrides, self._loaded.dags.values())
        return apply_allowances(found, self._options.allow)

    def warm(self, files: Iterable[DagFile]) -> None:
        """Begin with what does not need the representation of these files."""
        self._drafter.warm(files)

    def due(self, loaded: LoadedFile) -> list[tuple[Workflow, DagFile]]:
        """Return the workflows of a file that can be begun now; one that needs another DAG waits for `held`."""
        self._loaded.learn(loaded.workflows)
        now: list[tuple[Workflow, DagFile]] = []
        for workflow in loaded.workflows:
            (self._held if self._loaded.lacks(workflow) else now).append((workflow, loaded.file))
        return now

    def held(self) -> list[tuple[Workflow, DagFile]]:
        """Return the workflows that have waited for others; called when all files are loaded."""
        return self._held

    def begin(self, workflow: Workflow, file: DagFile) -> Pending:
        """Return a DAG that is looked for among what has not changed, or drafted."""
        key = self._unchanged.key(workflow, file) if self._unchanged else None
        kept = self._unchanged.find(key, workflow.dag_id) if self._unchanged else None
        draft = None if kept else self._drafter.draft(workflow, file)
        return Pending(workflow=workflow, file=file, key=key, draft=draft, kept=kept)

    def finish(self, pending: Pending) -> DagReport:
        """Wait for what is still running, write the DAG's files unless they are there, and return its report."""
        report = pending.kept.result() if pending.kept else None
        if report is not None:
            return report
        draft = pending.draft or self._drafter.draft(pending.workflow, pending.file)
        finished = self._drafter.finish(draft)
        if self._unchanged:
            self._unchanged.keep(pending.key, finished)
        return finished.report
