"""The whole translation on one screen.

    DAG files --frontend--> Workflow --checks--> --lowering--> machine --packaging--> zip --stack--> template

The frontend's worker process loads DAG files while this process translates the ones before them and the preflight
process loads their packages; so on two cores a conversion takes little longer than loading the files does.
"""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from orkestra_bridge.diagnostics import refuses
from orkestra_bridge.frontend.missing import MISSING_FILE, missing_text, put_together
from orkestra_bridge.frontend.opening import open_project
from orkestra_bridge.output import Output
from orkestra_bridge.policy import check_allowances

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.frontend.model import Environment, Lack
    from orkestra_bridge.options import ConvertOptions
    from orkestra_bridge.report import DagReport, Report
    from orkestra_bridge.translation import Pending

    OnFile = Callable[[int, int, str], None]
    Meanwhile = Callable[[], None]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """The result of `convert`: what there is to say, where the output is, and what parsed it."""

    report: Report
    out: Path
    environment: Environment

    @property
    def translated(self) -> tuple[str, ...]:
        """The ids of the DAGs that were translated, in the order of the report."""
        return tuple(dag.dag_id for dag in self.report.dags if dag.verdict == "translated")


@final
@dataclass(slots=True)
class _Collected:
    """What has been found so far."""

    dags: list[DagReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    lacking: list[Lack] = field(default_factory=list)


def convert(
    options: ConvertOptions, *, on_file: OnFile | None = None, meanwhile: Meanwhile | None = None
) -> Conversion:
    """Translate all DAGs below the given paths and write the output.

    Args:
        options: What to translate, for which target, and where to.
        on_file: Called with (files done, files in all, path) after each file.
        meanwhile: Called while the worker imports Airflow, for what the caller needs later and has to import.

    Returns:
        The report; refused DAGs are in it, with the findings that say why, and leave no output.

    Raises:
        UsageError: A path does not exist, or something is allowed that cannot be.
        OutputError: OUT cannot be written; nothing that was in it is lost.
        EnvironmentSetupError: There is no Airflow to parse with.
    """
    check_allowances(options.allow)
    opened = open_project(options.paths, options.airflow, options.project, options.cache)
    files = opened.discovery.files
    found = _Collected(findings=list(opened.discovery.findings))
    with ExitStack() as stack:
        output = stack.enter_context(Output(options.out))
        frontend = stack.enter_context(opened.frontend(options.parse_timeout))
        loading = frontend.load(files)
        # The later stages are imported while the worker imports Airflow.
        from orkestra_bridge.ir.serialize import render
        from orkestra_bridge.report import Report
        from orkestra_bridge.translation import Translator

        translator = stack.enter_context(Translator(options, opened.environment, output, opened.around))
        found.findings.extend(translator.about_requirements)
        if frontend.working:
            translator.warm(files)
            if meanwhile:
                meanwhile()
        waiting: deque[Pending] = deque()
        for done, loaded in enumerate(loading, start=1):
            found.findings.extend(loaded.findings)
            found.lacking.extend(loaded.lacking)
            waiting.extend(translator.begin(workflow, file) for workflow, file in translator.due(loaded))
            while waiting and waiting[0].ready:
                found.dags.append(translator.finish(waiting.popleft()))
            if on_file:
                on_file(done, len(files), loaded.file.display)
        waiting.extend(translator.begin(workflow, file) for workflow, file in translator.held())
        found.dags.extend(translator.finish(pending) for pending in waiting)
        if not refuses(tuple(found.findings)):  # else there may be DAGs that nobody has seen
            found.findings.extend(translator.about_patterns())
        report = Report(
            dags=tuple(found.dags), findings=tuple(found.findings), missing=put_together(found.lacking)
        )
        if report.missing:
            output.write(MISSING_FILE, missing_text(report.missing).encode())
        output.write("report.json", render(report.to_json(), sort=False))
        output.commit()
    return Conversion(report=report, out=options.out, environment=opened.environment)
