"""Template files that tasks read: `bash_command="load.sh"` and what such a template includes.

Part of the worker program: standard library and Airflow's own Jinja only, Python 3.8 and later. Source of the
rule which string names a file: `Templater.resolve_template_files` and `Templater.render_template`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .worker_needs import Row, task_needs, template_needs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .worker_context import ContextReads
    from .worker_problems import Problems
    from .worker_watch import Watch

_REFERS = re.compile(r"\{%[-+]?\s*(include|import|from|extends)\b")
_DEPTH = 8


class TemplateFiles:
    """Collects the template files of one DAG."""

    def __init__(
        self,
        dag: Any,
        watch: Watch,
        problems: Problems,
        places: dict[int, tuple[str, int]],
        context: ContextReads,
    ) -> None:
        self._dag = dag
        self._watch = watch
        self._problems = problems
        self._places = places
        self._environment: Any = None
        self._found: set[str] = set()
        self._context = context
        self.needs: list[Row] = []
        self.reads: list[list[Any]] = []

    def collect(self) -> list[str]:
        """Return the files, relative to the DAG folder and sorted.

        A missing or outside one becomes a problem.
        """
        for task in self._dag.task_dict.values():
            extensions = tuple(getattr(task, "template_ext", None) or ())
            place = self._places.get(id(task)) or (self._watch.relative(self._dag.fileloc), 0)
            self.needs.extend(task_needs(task, place))
            for field, text in _texts(task):
                self._named(text, self._jinja_of(text), place, task, field)
                if extensions and text.endswith(extensions):
                    self._file(text, task, field)
                elif "{%" in text and _REFERS.search(text):
                    self._references(text, task, field)
        return sorted(self._found)

    def _named(self, text: str, jinja: Any, place: tuple[str, int], task: Any, field: str) -> None:
        self.needs.extend(template_needs(text, jinja, place))
        self.reads.extend(self._context.of_template(text, jinja, place, task, field))

    def _jinja_of(self, text: str) -> Any:
        return self._jinja() if "{{" in text or "{%" in text else None

    def _jinja(self) -> Any:
        if self._environment is None:
            self._environment = self._dag.get_template_env()
        return self._environment

    def _file(self, name: str, task: Any, field: str) -> None:
        try:
            source, path, _ = self._jinja().loader.get_source(self._jinja(), name)
        except Exception:  # noqa: BLE001 -- TemplateNotFound, an undecodable file, a loader of the user's
            self._problem("template_missing", name, task, field)
            return
        if not isinstance(path, str) or not self._watch.is_local(path):
            self._problem("template_outside", name, task, field)
            return
        relative = self._watch.relative(path)
        if relative not in self._found:
            self._found.add(relative)
            self._named(source, self._jinja(), (relative, 1), task, field)
            if _REFERS.search(source):
                self._references(source, task, field)

    def _references(self, source: str, task: Any, field: str) -> None:
        from jinja2 import TemplateSyntaxError, meta

        try:
            names = list(meta.find_referenced_templates(self._jinja().parse(source)))
        except TemplateSyntaxError:
            return  # the task fails when it renders, as in Airflow
        for name in names:
            if name is not None:  # None: a name that is only known at run time
                self._file(name, task, field)

    def _problem(self, kind: str, name: str, task: Any, field: str) -> None:
        place = self._places.get(id(task))
        self._problems.add(
            kind, place, dag_id=self._dag.dag_id, task_id=task.task_id, attribute=field, name=_brief(name)
        )


def _brief(name: str) -> str:
    text = " ".join(name.split())
    return text if len(text) <= 80 else text[:77] + "..."


def _texts(task: Any) -> Iterator[tuple[str, str]]:
    """Yield the strings in a task's template fields, however deep they are nested."""
    partial: dict[str, Any] | None = getattr(task, "partial_kwargs", None)
    fields = task.template_fields
    for field in (fields,) if isinstance(fields, str) else fields:
        value = getattr(task, field, None) if partial is None else partial.get(field)
        for text in _strings(value, 0):
            yield field, text


def _strings(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth < _DEPTH and isinstance(value, (list, tuple, set)):
        for item in value:
            yield from _strings(item, depth + 1)
    elif depth < _DEPTH and isinstance(value, dict):
        for item in value.values():
            yield from _strings(item, depth + 1)
