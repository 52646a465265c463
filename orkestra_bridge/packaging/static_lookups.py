"""Reads which Variables, connections and environment variables one Python file asks for by name. Pure: runs nothing.

A name counts if it is a literal or a module's constant. A look-up under a name that is only known when the code runs is
kept without a name, unless the name is plainly passed on (``self.get_connection(self.conn_id)``): then it is found where
it is given, as a default, an argument or an attribute that ends in ``conn_id``.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LookupKind = Literal["variable", "connection", "environment", "hook"]

_VARIABLE_METHODS = frozenset({"get", "setdefault", "get_variable_from_secrets"})
_CONNECTION_METHODS = frozenset(
    {"get_connection", "get_connections", "get_connection_from_secrets", "get_hook"}
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StaticLookup:
    """A look-up in the source.

    Attributes:
        name: What is looked up; for ``hook`` the dotted name of a hook class whose default connection is used; None where
            it is only known at run time.
        deferred: True if it stands in a function, so that loading the file need not do it.
    """

    kind: LookupKind
    name: str | None
    line: int
    deferred: bool = False


def static_lookups(tree: ast.Module) -> tuple[StaticLookup, ...]:
    """Return the look-ups of a module, in the order of the file, equal ones of a line once."""
    reader = _Reader(tree)
    found = dict.fromkeys(
        replace(each, deferred=deferred) for node, deferred in _walk(tree) for each in reader.read(node)
    )
    return tuple(sorted(found, key=lambda lookup: (lookup.line, lookup.kind, lookup.name or "")))


def _walk(tree: ast.AST) -> Iterator[tuple[ast.AST, bool]]:
    """Yield all nodes, each with whether it stands in a function."""
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, deferred = waiting.pop()
        yield node, deferred
        inside = deferred or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        waiting.extend((child, inside) for child in ast.iter_child_nodes(node))


def _is_conn_id(name: str | None) -> bool:
    return name is not None and name.endswith(("conn_id", "conn_name_attr"))


def _last(node: ast.AST | None) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


class _Reader:
    """Evaluates names; knows the module's constants and what its imports are called."""

    def __init__(self, tree: ast.Module) -> None:
        self.constants = dict(_constants(tree))
        self.imported = dict(_imported(tree))

    def read(self, node: ast.AST) -> Iterator[StaticLookup]:
        if isinstance(node, ast.Call):
            yield from self._call(node)
        elif isinstance(node, ast.Subscript):
            if isinstance(node.ctx, ast.Load) and _is_environ(node.value):
                yield from self._environment(node.slice, node.lineno)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets: Sequence[ast.expr] = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from self._assigned(targets, node.value)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str) and _is_conn_id(key.value):
                    yield from self._given(value)
        elif isinstance(node, ast.arguments):
            yield from self._defaults(node)

    def _call(self, node: ast.Call) -> Iterator[StaticLookup]:
        method, owner = _last(node.func), _last(getattr(node.func, "value", None))
        for keyword in node.keywords:
            if _is_conn_id(keyword.arg):
                yield from self._given(keyword.value)
        if method in _VARIABLE_METHODS and owner == "Variable":
            yield from self._looked_up("variable", _argument(node, "key"), node.lineno)
        elif method in _CONNECTION_METHODS or (method == "get" and owner == "Connection"):
            yield from self._looked_up("connection", _argument(node, "conn_id"), node.lineno)
        elif method == "getenv" or (method == "get" and _is_environ(getattr(node.func, "value", None))):
            yield from self._environment(_argument(node, "key"), node.lineno)
        elif method.endswith("Hook") and method != "BaseHook":
            yield from self._hook(node)

    def _hook(self, node: ast.Call) -> Iterator[StaticLookup]:
        named = [keyword.value for keyword in node.keywords if _is_conn_id(keyword.arg)]
        given = named[0] if named else node.args[0] if node.args else None
        if given is not None:
            if not (isinstance(given, ast.Constant) and given.value is None):
                yield from self._looked_up("connection", given, node.lineno)
        elif not any(keyword.arg is None for keyword in node.keywords):
            dotted = self.imported.get(_root(node.func))
            if dotted:
                rest = ast.unparse(node.func).partition(".")[2]
                yield StaticLookup(kind="hook", name=f"{dotted}.{rest}".rstrip("."), line=node.lineno)

    def _looked_up(self, kind: LookupKind, node: ast.expr | None, line: int) -> Iterator[StaticLookup]:
        if node is None:
            return
        name = self._text(node)
        if name is not None:
            yield StaticLookup(kind=kind, name=name, line=line)
        elif kind != "connection" or not self._passed_on(node):
            yield StaticLookup(kind=kind, name=None, line=line)

    def _passed_on(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Call) and _last(node.func) == "getattr":
            return any(_is_conn_id(_last(argument)) for argument in node.args)
        if isinstance(node, ast.BoolOp):
            return all(self._passed_on(value) or self._text(value) is not None for value in node.values)
        return _is_conn_id(_last(node))

    def _given(self, node: ast.expr | None) -> Iterator[StaticLookup]:
        for part in node.values if isinstance(node, ast.BoolOp) else [node]:
            name = self._text(part) if part is not None else None
            if name and part is not None and "{{" not in name:
                yield StaticLookup(kind="connection", name=name, line=part.lineno)

    def _assigned(self, targets: Sequence[ast.expr], value: ast.expr | None) -> Iterator[StaticLookup]:
        for target in targets:
            name = _last(target)
            if _is_conn_id(name.lower()) and name != "conn_name_attr":
                yield from self._given(value)

    def _defaults(self, node: ast.arguments) -> Iterator[StaticLookup]:
        positional = [*node.posonlyargs, *node.args]
        pairs = [
            *zip(positional[len(positional) - len(node.defaults) :], node.defaults, strict=True),
            *zip(node.kwonlyargs, node.kw_defaults, strict=True),
        ]
        for argument, default in pairs:
            if _is_conn_id(argument.arg):
                yield from self._given(default)

    def _environment(self, node: ast.expr | None, line: int) -> Iterator[StaticLookup]:
        name = self._text(node) if node is not None else None
        if name:
            yield StaticLookup(kind="environment", name=name, line=line)

    def _text(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        return self.constants.get(node.id) if isinstance(node, ast.Name) else None


def _is_environ(node: ast.AST | None) -> bool:
    return _last(node) == "environ"


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _argument(node: ast.Call, keyword: str) -> ast.expr | None:
    if node.args:
        return node.args[0]
    return next((each.value for each in node.keywords if each.arg == keyword), None)


def _constants(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    """Yield the texts that module-level names stand for; a name that is assigned twice stands for nothing."""
    seen: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, value = [statement.target], statement.value
        else:
            continue
        text = value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
        for target in targets:
            if isinstance(target, ast.Name):
                yield target.id, None if target.id in seen else text
                seen.add(target.id)


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield alias.asname or top, alias.name if alias.asname else top
