"""Files of Variables and connections, as `airflow variables export` and `airflow connections export` write them.

JSON, YAML and ``NAME=VALUE`` lines (``.env``), told apart by the file's name as Airflow does
(`airflow.secrets.local_filesystem`). What is wrong is said for the whole file at once, with lines and without values.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, final

from orkestra_bridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

CONNECTION_FIELDS = frozenset(
    {
        "conn_id",
        "conn_type",
        "description",
        "login",
        "password",
        "host",
        "port",
        "schema",
        "extra",
        "extra_dejson",
    }
)
"""What an entry of a connections file may have (`airflow.models.Connection`)."""
_URI = re.compile(r"[A-Za-z][\w.+-]*://")
_JSON_REMEDY = "write the file with `airflow variables export` or `airflow connections export`"


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """One Variable or connection: its value is the text that Airflow keeps, for a connection its URI or JSON."""

    name: str
    value: str
    line: int


Rows = list[tuple[str, Any, int]]


class _Unusable(Exception):  # noqa: N818 -- collected, and raised as one UsageError
    """A line of the file, and what is wrong with it."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def read_variables(path: Path) -> tuple[Entry, ...]:
    """Return the Variables of a file, in its order; values that are no text become JSON, as Airflow keeps them.

    Raises UsageError with every line that cannot be used.
    """
    return _read(path, _variable)


def read_connections(path: Path) -> tuple[Entry, ...]:
    """Return the connections of a file, in its order, each as a URI or as JSON.

    Raises UsageError with every line that cannot be used.
    """
    return _read(path, _connection)


def _read(path: Path, convert: Callable[[str, Any, int], str]) -> tuple[Entry, ...]:
    problems: list[_Unusable] = []
    entries: dict[str, Entry] = {}
    try:
        rows = _rows(path)
    except _Unusable as problem:
        _refuse(path, [problem])
    for name, value, line in rows:
        known = entries.get(name)
        if known:
            problems.append(_Unusable(line, f"{name!r} is already in line {known.line}"))
            continue
        with _collected(problems):
            entries[name] = Entry(name, convert(name, value, line), line)
    if problems:
        _refuse(path, problems)
    return tuple(entries.values())


@contextmanager
def _collected(problems: list[_Unusable]) -> Iterator[None]:
    try:
        yield
    except _Unusable as problem:
        problems.append(problem)


def _refuse(path: Path, problems: list[_Unusable]) -> NoReturn:
    said = "\n       ".join(f"{path}:{problem.line} {problem.message}" for problem in problems)
    raise UsageError(said, remedy=_JSON_REMEDY)


def _rows(path: Path) -> Rows:
    readers: Mapping[str, Callable[[str], Rows]] = {
        ".json": _json_rows,
        ".yaml": _yaml_rows,
        ".yml": _yaml_rows,
        ".env": _env_rows,
    }
    reader = readers.get(path.suffix.lower()) or (_env_rows if path.name == ".env" else None)
    if reader is None:
        raise UsageError(
            f"{path} is neither .json, .yaml nor .env", remedy="name it by its format, as Airflow does"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(
            f"{path} cannot be read as text: {_reason(problem)}", remedy="name another file"
        ) from None
    return reader(text)


def _reason(problem: Exception) -> str:
    return getattr(problem, "strerror", None) or type(problem).__name__


def _json_rows(text: str) -> Rows:
    pairs: list[tuple[str, Any]] = []

    def keep(found: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs[:] = found  # the outermost object is the last one that is read
        return dict(found)

    try:
        document = json.loads(text, object_pairs_hook=keep)
    except ValueError as problem:
        raise _Unusable(
            getattr(problem, "lineno", 1), f"is not JSON: {getattr(problem, 'msg', '')}"
        ) from None
    if not isinstance(document, dict):
        raise _Unusable(1, "must be an object of names and values")
    lines = _line_finder(text)
    return [(name, value, next(lines(name))) for name, value in pairs]


def _line_finder(text: str) -> Callable[[str], Iterator[int]]:
    """Return a function that gives the line of the next mention of a key, searched from the last one on."""
    at = 0

    def line(name: str) -> Iterator[int]:
        nonlocal at
        found = re.compile(re.escape(json.dumps(name)) + r"\s*:").search(text, at)
        found = found or re.compile(re.escape(json.dumps(name, ensure_ascii=False)) + r"\s*:").search(
            text, at
        )
        at = found.end() if found else at
        yield text.count("\n", 0, at) + 1

    return line


def _yaml_rows(text: str) -> Rows:
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        said = getattr(problem, "problem", None) or "it cannot be parsed"
        raise _Unusable(mark.line + 1 if mark else 1, f"is not YAML: {said}") from None
    if not isinstance(document, dict):
        raise _Unusable(1, "must be a mapping of names and values")
    return [
        (str(key.value), document[_key(key.value, document)], key.start_mark.line + 1)
        for key, _ in node.value
    ]


def _key(text: str, document: Mapping[Any, Any]) -> Any:
    """Return the key that YAML made of a text, such as a number."""
    return text if text in document else next(key for key in document if str(key) == text)


def _env_rows(text: str) -> Rows:
    rows: Rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, found, value = line.partition("=")
        if not found or not name.strip() or not value.strip():
            raise _Unusable(number, "must be NAME=VALUE")
        rows.append((name.strip(), value.strip(), number))
    return rows


def _variable(name: str, value: Any, line: int) -> str:
    if not name:
        raise _Unusable(line, "has a Variable without a name")
    # As `airflow variables import` reads it: a description may stand beside the value.
    if isinstance(value, dict) and "value" in value and not value.keys() - {"value", "description"}:
        value = value["value"]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _connection(name: str, value: Any, line: int) -> str:
    if not name:
        raise _Unusable(line, "has a connection without an id")
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        return _connection_text(name, value.strip(), line)
    if not isinstance(value, dict):
        raise _Unusable(line, f"{name!r} must be a URI or an object with conn_type, host, login and so on")
    return _connection_json(name, value, line)


def _connection_text(name: str, text: str, line: int) -> str:
    if not text.startswith("{"):
        if not _URI.match(text):
            raise _Unusable(line, f"{name!r} is neither a URI such as postgres://... nor a JSON object")
        return text
    try:
        fields = json.loads(text)
    except ValueError as problem:
        raise _Unusable(line, f"{name!r} is not JSON: {getattr(problem, 'msg', '')}") from None
    return _connection_json(name, fields, line)


def _connection_json(name: str, fields: Mapping[str, Any], line: int) -> str:
    unknown = sorted(set(fields) - CONNECTION_FIELDS)
    if unknown:
        raise _Unusable(line, f"{name!r} has fields that no connection has: {', '.join(unknown)}")
    if fields.get("conn_id", name) != name:
        raise _Unusable(line, f"{name!r} says in its own conn_id that it is another one")
    if "extra" in fields and "extra_dejson" in fields:
        raise _Unusable(line, f"{name!r} has both extra and extra_dejson")
    kept = {key: value for key, value in fields.items() if value is not None and key != "conn_id"}
    if "extra_dejson" in kept:
        kept["extra"] = kept.pop("extra_dejson")
    port = kept.get("port")
    if port is not None and not str(port).isdigit():
        raise _Unusable(line, f"{name!r} has a port that is no number")
    if not isinstance(kept.get("extra", ""), str):
        kept["extra"] = json.dumps(kept["extra"])
    return json.dumps(kept, ensure_ascii=False, sort_keys=True)
