"""Whether the execute() of the user's classes can run around an image that something else starts.

It is called twice then: until it calls the execute() that it overrides, and again with the result of that. So it may call
it once, and where nothing tidies up or goes on when it is left in between.

Part of the worker program: standard library only, Python 3.8 and later.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCKS = (
    ast.Try,
    ast.With,
    ast.AsyncWith,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)
_METHOD = "execute"


def runs_around(kind: type) -> bool:
    """Return True if the user's classes have an execute() of their own, and each of them can be called twice."""
    own = []
    for base in kind.__mro__:
        if _METHOD in vars(base):
            if base.__module__.startswith("airflow."):
                break
            own.append(vars(base)[_METHOD])
    return bool(own) and all(map(_calls_once, own))


def _calls_once(method: Any) -> bool:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
    except (OSError, TypeError, SyntaxError):
        return False
    [function] = tree.body
    if not isinstance(function, ast.FunctionDef) or function.decorator_list:
        return False
    calls = [node for node in ast.walk(function) if _is_call(node)]
    return len(calls) == 1 and calls == [node for node in _outside_of_blocks(function) if _is_call(node)]


def _outside_of_blocks(function: ast.FunctionDef) -> Iterator[ast.AST]:
    waiting: list[Any] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _BLOCKS):
            waiting.extend(ast.iter_child_nodes(node))


def _is_call(node: ast.AST) -> bool:
    """Return True for ``super().execute(...)`` and ``Base.execute(self, ...)``."""
    if (
        not isinstance(node, ast.Call)
        or not isinstance(node.func, ast.Attribute)
        or node.func.attr != _METHOD
    ):
        return False
    of = node.func.value
    if isinstance(of, ast.Call):
        return isinstance(of.func, ast.Name) and of.func.id == "super"
    first = node.args[0] if node.args else None
    return isinstance(of, (ast.Name, ast.Attribute)) and isinstance(first, ast.Name) and first.id == "self"
