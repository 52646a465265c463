"""A file's values against the fields that there are: everything that is wrong with it, or a configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge.config.events import wrong_pattern
from orkestra_bridge.config.meant import meant
from orkestra_bridge.config.model import DAG_FIELDS, TASK_FIELDS, Configuration, Field, Override, Value
from orkestra_bridge.config.places import line_of
from orkestra_bridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orkestra_bridge.config.find import Source

_NAMES = {
    "text": "a text",
    "path": "a path",
    "integer": "a whole number",
    "number": "a number",
    "flag": "true or false",
    "pattern": "an event pattern: a table of fields and the values that they may have",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,), "path": (str,), "integer": (int,), "number": (int, float), "flag": (bool,), "pattern": (dict,),
}  # fmt: skip
_DAGS = "dags"
_TASKS = "tasks"
_EACH = "**"
"""A pattern for all tasks of a DAG that is told from the DAG as a whole."""


def read_configuration(source: Source, fields: Sequence[Field]) -> Configuration:
    """Return what a file says.

    Args:
        source: The file.
        fields: The keys that its first level may have, besides ``dags``.

    Raises:
        UsageError: Something in it is wrong; the message has a line for each thing, with its place.
    """
    reader = _Reader(source)
    values = {key: value for _, key, value in reader.table((), source.content, fields, inner=(_DAGS,))}
    overrides = tuple(reader.overrides(source.content.get(_DAGS, {})))
    if reader.problems:
        raise UsageError(
            "\n".join(["the configuration is wrong:", *reader.problems]),
            remedy="`orkestra-bridge config schema` says what there is",
        )
    return Configuration(file=source.file, values=values, overrides=overrides)


@final
class _Reader:
    """Reads one file and collects what is wrong with it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._shown = _relative(source.file)
        self.problems: list[str] = []

    def table(
        self, path: tuple[str, ...], content: Any, fields: Sequence[Field], *, inner: tuple[str, ...] = ()
    ) -> Iterator[tuple[tuple[str, ...], str, Value]]:
        """Yield where a value stands, its key and the value, for each one in a table that is right."""
        if not isinstance(content, dict):
            self._problem(path, f"{path[-1]} must be a table")
            return
        known = {field.key: field for field in fields}
        for key, value in content.items():
            where = (*path, key)
            if key in inner:
                continue
            if key not in known:
                self._problem(where, f"there is no key {key!r}{meant(key, (*known, *inner))}")
            elif self._fits(where, known[key], value):
                yield where, key, Value(self._resolved(known[key], value), self._place(where))

    def overrides(self, content: Any) -> Iterator[Override]:
        """Yield the values of the tables about DAGs and about their tasks."""
        if not isinstance(content, dict):
            self._problem((_DAGS,), 'dags must have a table for each pattern, such as [dags."sales_*"]')
            return
        for dag, of_dag in content.items():
            path = (_DAGS, dag)
            for _, key, value in self.table(path, of_dag, DAG_FIELDS, inner=(_TASKS,)):
                yield Override(dag=dag, key=key, value=value.value, origin=value.origin)
            tasks = of_dag.get(_TASKS, {}) if isinstance(of_dag, dict) else {}
            if not isinstance(tasks, dict):
                self._problem((*path, _TASKS), "tasks must have a table for each pattern")
                continue
            for task, of_task in tasks.items():
                for _, key, value in self.table((*path, _TASKS, task), of_task, TASK_FIELDS):
                    # of a whole DAG they mean something else: which versions its packages have
                    pattern = _EACH if task == "*" and key == "requirements" else task
                    yield Override(dag=dag, task=pattern, key=key, value=value.value, origin=value.origin)

    def _fits(self, where: tuple[str, ...], field: Field, value: Any) -> bool:
        items = value if field.many and isinstance(value, list) else [value]
        if field.many and not isinstance(value, list):
            self._problem(where, f"{field.key} must be a list, not {value!r}")
            return False
        wrong = [problem for item in items if (problem := _wrong(field, item))]
        for problem in wrong:
            self._problem(where, f"{field.key} {problem}")
        return not wrong

    def _resolved(self, field: Field, value: Any) -> Any:
        if field.kind != "path":
            return value
        return [self._path(item) for item in value] if field.many else self._path(value)

    def _path(self, value: str) -> str:
        """Return a path of the file, which is relative to the file's folder, as one from the working directory."""
        return str(_relative(self._source.file.parent / Path(value).expanduser()))

    def _place(self, where: tuple[str, ...]) -> str:
        return f"{self._shown}:{line_of(self._source.text, (*self._source.table, *where))}"

    def _problem(self, where: tuple[str, ...], message: str) -> None:
        self.problems.append(f"{self._place(where)}: {message}")


def _wrong(field: Field, value: Any) -> str | None:
    """Return what is wrong with a single value, None if it is right."""
    right_type = isinstance(value, _TYPES[field.kind]) and (
        field.kind == "flag" or not isinstance(value, bool)
    )
    if not right_type:
        return f"must be {_NAMES[field.kind]}, not {value!r}"
    if field.kind == "pattern":
        return wrong_pattern(value)
    if field.choices and value not in field.choices:
        return f"must be one of {', '.join(field.choices)}, not {value!r}{meant(value, field.choices)}"
    if field.minimum is not None and value < field.minimum:
        return f"must be at least {field.minimum:g}, not {value!r}"
    if field.maximum is not None and value > field.maximum:
        return f"must be at most {field.maximum:g}, not {value!r}"
    return None


def _relative(path: Path) -> Path:
    return Path(os.path.relpath(path))
