"""Keys of the context that have no counterpart on AWS, where the code or a template of a task reads them.

Part of the worker program: standard library and Airflow's own Jinja only, Python 3.8 and later. Code is read and not run:
from what a task calls (its function, its callbacks, the methods of an operator of the user's) to all that this refers to
in files of the user's. So a DAG is not blamed for what another one in its file does.
"""

from __future__ import annotations

import dis
import functools
import inspect
import linecache
import re
import sys
import types
from typing import TYPE_CHECKING, Any, List, Tuple

from .worker_watch import ARCHIVES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .worker_watch import Watch

MISSING = frozenset({"asset_state_store", "inlet_events", "task_state_store"})
"""What is in Airflow's database and nowhere else (`airflow.sdk.definitions.context.Context`)."""

# task id, key, file, line, argument whose template it is
Row = List[Any]
_Hit = Tuple[str, str, int, bool]
_CONTAINERS = (list, tuple, set)


class ContextReads:
    """Finds the keys that the tasks of DAGs read; one for each file, so that a function is followed only once."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._keys = MISSING & _known_keys()
        self._followed: dict[int, tuple[Any, list[_Hit]]] = {}
        self._is_mentioned: bool | None = None

    def of_code(self, dag: Any) -> Iterator[Row]:
        """Yield a row for each place where code of the DAG or of one of its tasks reads such a key."""
        if not self._keys or not self._mentioned():
            return
        for hit in self._hits(_called(vars(dag))):
            yield [None, *hit[:3], None]
        for task in dag.task_dict.values():
            partial = getattr(task, "partial_kwargs", None)
            arguments = vars(task) if partial is None else partial
            kind = type(task) if partial is None else task.operator_class
            given = arguments.get("op_kwargs")
            own = set(given) if isinstance(given, dict) else set()
            # Airflow 3 keeps the function of a mapped task beside its arguments.
            called = [*_called(arguments), *_called({"": getattr(task, "python_callable", None)}), kind]
            for key, file, line, is_parameter in self._hits(called):
                if not (is_parameter and key in own):
                    yield [task.task_id, key, file, line, None]

    def _mentioned(self) -> bool:
        """Return True if a file of the user's has one of the keys in it, as text or as a constant of compiled code.

        Where none has, there is nothing to follow, which would take longer than loading most files does.
        """
        if self._is_mentioned is None:
            words = [key.encode() for key in self._keys]
            self._is_mentioned = bool(sys.pycache_prefix) or any(
                path.endswith(ARCHIVES) or any(word in data for word in words)
                for path in self._watch.code_files()
                for data in [_content_of(path)]
            )
        return self._is_mentioned

    def of_template(
        self, text: str, environment: Any, place: tuple[str, int], task: Any, field: str
    ) -> Iterator[Row]:
        """Yield a row for each such key that a template reads; ``environment`` is None for a text that is none."""
        if environment is None or not any(key in text for key in self._keys):
            return
        from jinja2 import TemplateSyntaxError, nodes

        try:
            names = {node.name for node in environment.parse(text).find_all(nodes.Name)}
        except TemplateSyntaxError:
            return  # the task fails when it renders, as in Airflow
        for key in sorted(self._keys & names):
            yield [task.task_id, key, *place, field]

    def _hits(self, roots: Iterable[Any]) -> list[_Hit]:
        found: dict[_Hit, None] = {}
        for root in roots:
            known = self._followed.get(id(root))
            if known is None:
                # the root is kept, for nothing else may get its id
                known = self._followed[id(root)] = (root, self._follow(root))
            found.update(dict.fromkeys(known[1]))
        return sorted(found, key=lambda hit: (hit[1], hit[2], hit[0]))

    def _follow(self, root: Any) -> list[_Hit]:
        """Return what is read by something that can be called, and by all that it refers to."""
        found: list[_Hit] = []
        waiting, seen = [root], {id(root)}
        while waiting:
            thing = waiting.pop()
            if isinstance(thing, types.FunctionType) and self._is_local(thing.__code__):
                found.extend(self._read(thing.__code__))
            for other in self._behind(thing):
                if id(other) not in seen:
                    seen.add(id(other))
                    waiting.append(other)
        return found

    def _is_local(self, code: types.CodeType) -> bool:
        return self._watch.is_local(code.co_filename)

    def _read(self, code: types.CodeType) -> Iterator[_Hit]:
        """Yield the parameters and constants of a function, and of those in it, that are such keys."""
        file = self._watch.relative(code.co_filename)
        parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        for key in self._keys.intersection(parameters):
            yield key, file, _mention(code, key), True
        if self._keys.intersection(each for each in code.co_consts if type(each) is str):
            for step, line in _steps(code):
                if type(step.argval) is str and step.opname == "LOAD_CONST" and step.argval in self._keys:
                    yield step.argval, file, line, False
        for inner in _inner(code):
            yield from self._read(inner)

    def _behind(self, thing: Any) -> Iterator[Any]:
        """Yield what may be called when this is."""
        kind = type(thing)
        if issubclass(kind, functools.partial):
            yield thing.func
        elif kind is types.MethodType:
            yield thing.__func__
            yield type(thing.__self__)
        elif kind is types.FunctionType:
            yield from self._behind_function(thing)
        elif issubclass(kind, type):
            yield from self._methods(thing)
        else:
            yield kind

    def _behind_function(self, function: types.FunctionType) -> Iterator[Any]:
        inside = (_content(cell) for cell in function.__closure__ or ())
        yield from (value for value in inside if _is_code(value))
        if not self._is_local(function.__code__):
            return
        names, attributes = _names(function.__code__)
        for name in names & function.__globals__.keys():
            value = function.__globals__[name]
            if type(value) is types.ModuleType:
                space = vars(value)
                yield from (space[each] for each in attributes & space.keys() if _is_code(space[each]))
            elif _is_code(value):
                yield value

    def _methods(self, kind: type) -> Iterator[Any]:
        for cls in type.mro(kind):
            for value in list(vars(cls).values()):
                function = _function_of(value)
                # Airflow wraps `execute` in a function of its own.
                inner = inspect.unwrap(function) if type(function) is types.FunctionType else None
                if type(inner) is types.FunctionType and self._is_local(inner.__code__):
                    yield inner


def _content_of(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def _known_keys() -> set[str]:
    """Return the keys that this Airflow has: a name that is none is the user's own."""
    try:
        from airflow.sdk.definitions.context import KNOWN_CONTEXT_KEYS
    except ImportError:
        from airflow.utils.context import KNOWN_CONTEXT_KEYS
    return set(KNOWN_CONTEXT_KEYS)


def _called(arguments: dict[str, Any]) -> Iterator[Any]:
    """Yield what arguments have that can be called: a function, a callback, a list of them."""
    for value in list(arguments.values()):
        for each in value if type(value) in _CONTAINERS else (value,):
            if _is_code(each):
                yield each


def _is_code(value: Any) -> bool:
    """Return True for functions and what else can be called; asks the type alone, for a value may be a proxy."""
    return hasattr(type(value), "__call__") and type(value) is not types.BuiltinFunctionType  # noqa: B004


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # the name is not bound yet
        return None


def _function_of(value: Any) -> Any:
    """Return the function behind what stands in a class."""
    if type(value) is property:
        return value.fget
    return value.__func__ if type(value) in (staticmethod, classmethod) else value


def _inner(code: types.CodeType) -> Iterator[types.CodeType]:
    return (each for each in code.co_consts if type(each) is types.CodeType)


@functools.lru_cache(maxsize=10_000)
def _names(code: types.CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """Return the global names that a function and those in it use, and the names of attributes."""
    names = {step.argval for step, _ in _steps(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    attributes = set(code.co_names)
    for inner in _inner(code):
        more = _names(inner)
        names |= more[0]
        attributes |= more[1]
    return frozenset(names), frozenset(attributes)


def _steps(code: types.CodeType) -> Iterator[tuple[Any, int]]:
    """Yield the instructions of a function, each with its line."""
    starts, line = dict(dis.findlinestarts(code)), code.co_firstlineno
    for step in dis.get_instructions(code):
        line = starts.get(step.offset) or line
        yield step, line


def _mention(code: types.CodeType, key: str) -> int:
    """Return the line of a parameter: the first one of the function that has its name."""
    lines = linecache.getlines(code.co_filename)
    word = re.compile(r"\b" + key + r"\b")
    for number in range(code.co_firstlineno, len(lines) + 1):
        if word.search(lines[number - 1]):
            return number
    return code.co_firstlineno
