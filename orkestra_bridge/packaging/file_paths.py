"""Works out, without running anything, which paths a file computes from ``__file__``.

``Path(__file__).parent / "sql" / "daily.sql"`` names a file that the package must hold, and
``sys.path.append(os.path.join(os.path.dirname(__file__), "lib"))`` a folder in which imports are found.
Only what the usual idioms of `os.path` and `pathlib` give is known; everything else is left alone.
"""

from __future__ import annotations

import ast
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Iterator


@final
@dataclass(frozen=True, slots=True)
class Value:
    """A string or path known before running; ``extended`` if a literal name was added to ``__file__``."""

    text: str
    extended: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PathUse:
    """An absolute path that the file computes.

    Attributes:
        searched: True if it is added to ``sys.path``.
        named: True if a literal part of it names something (False for the plain folder of the file).
    """

    path: str
    line: int
    searched: bool
    named: bool


def path_uses(tree: ast.Module, path: str) -> tuple[PathUse, ...]:
    """Return the absolute paths that a module standing at ``path`` computes, in the order of the file."""
    reader = _Reader(path)
    for statement in tree.body:
        reader.note_assignment(statement)
    searched = set(_search_path_arguments(tree))
    return tuple(_uses(tree, reader, searched))


def _uses(tree: ast.AST, reader: _Reader, searched: set[ast.expr]) -> Iterator[PathUse]:
    for child in ast.iter_child_nodes(tree):
        known = reader.value(child) if isinstance(child, ast.expr) else None
        if known is None or not isinstance(child, ast.expr):
            yield from _uses(child, reader, searched)
        elif posixpath.isabs(known.text) and not _is_definition(tree, child, reader):
            yield PathUse(
                path=posixpath.normpath(known.text),
                line=child.lineno,
                searched=child in searched,
                named=known.extended,
            )


def _is_definition(parent: ast.AST, child: ast.expr, reader: _Reader) -> bool:
    """Return True for ``HERE = Path(...)`` of a module: what counts is where HERE is used."""
    return (
        isinstance(parent, ast.Assign)
        and child is parent.value
        and all(isinstance(target, ast.Name) and target.id in reader.constants for target in parent.targets)
    )


def _search_path_arguments(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Attribute) and owner.attr == "path" and _name(owner.value) == "sys":
                if node.func.attr in ("append", "insert") and node.args:
                    yield node.args[-1]
                elif (
                    node.func.attr == "extend"
                    and node.args
                    and isinstance(node.args[0], (ast.List, ast.Tuple))
                ):
                    yield from node.args[0].elts
            elif node.func.attr == "addsitedir" and node.args:
                yield node.args[0]


def _name(node: ast.expr) -> str:
    """Return the last part of a dotted name, or an empty string."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


class _Reader:
    """Evaluates expressions; ``constants`` are module-level names assigned exactly one known value."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.constants: dict[str, Value | None] = {}

    def note_assignment(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Assign):
            targets: list[ast.expr] = statement.targets
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        else:
            return
        value = self.value(statement.value) if statement.value is not None else None
        for target in targets:
            if isinstance(target, ast.Name):
                self.constants[target.id] = None if target.id in self.constants else value

    def value(self, node: ast.expr) -> Value | None:
        """Return what the expression gives, None if that is not known without running it."""
        match node:
            case ast.Constant(value=str(text)):
                return Value(text)
            case ast.Name(id=name, ctx=ast.Load()):
                return Value(self.path) if name == "__file__" else self.constants.get(name)
            case ast.Attribute(value=owner, attr="parent"):
                return _parent(self.value(owner))
        return self._compound(node)

    def _compound(self, node: ast.expr) -> Value | None:
        match node:
            case ast.BinOp():
                return self._operation(node)
            case ast.Subscript():
                return self._ancestor(node)
            case ast.JoinedStr():
                return self._joined(node)
            case ast.Call():
                return self._call(node)
        return None

    def _operation(self, node: ast.BinOp) -> Value | None:
        if not isinstance(node.op, (ast.Add, ast.Div)):
            return None
        left, right = self.value(node.left), self.value(node.right)
        if left is None or right is None:
            return None
        if isinstance(node.op, ast.Add):
            return Value(left.text + right.text, extended=True)
        return _join(left, right)

    def _ancestor(self, node: ast.Subscript) -> Value | None:
        """``path.parents[n]`` with a literal n."""
        if not isinstance(node.value, ast.Attribute) or node.value.attr != "parents":
            return None
        if not isinstance(node.slice, ast.Constant) or not isinstance(node.slice.value, int):
            return None
        value = self.value(node.value.value)
        for _ in range(node.slice.value + 1):
            value = _parent(value)
        return value

    def _joined(self, node: ast.JoinedStr) -> Value | None:
        text = ""
        for part in node.values:
            value = self.value(part.value) if isinstance(part, ast.FormattedValue) else self.value(part)
            if value is None:
                return None
            text += value.text
        return Value(text, extended=True)

    def _call(self, node: ast.Call) -> Value | None:
        if node.keywords:
            return None
        name = _name(node.func)
        arguments = [self.value(argument) for argument in node.args]
        known = [argument for argument in arguments if argument is not None]
        if len(known) != len(arguments):
            return None
        owner = self.value(node.func.value) if isinstance(node.func, ast.Attribute) else None
        if owner is not None:
            return _method(name, owner, known)
        return _function(name, known)


def _function(name: str, arguments: list[Value]) -> Value | None:
    """``os.path.<name>``, ``Path``, ``str``: a function of paths."""
    if not arguments:
        return None
    if name == "dirname":
        return _parent(arguments[0])
    if name in ("abspath", "realpath", "normpath", "str", "fspath") and len(arguments) == 1:
        return arguments[0]
    if name in ("join", "Path", "PurePath", "PosixPath"):
        result: Value | None = arguments[0]
        for part in arguments[1:]:
            result = _join(result, part)
        return result
    return None


def _method(name: str, owner: Value, arguments: list[Value]) -> Value | None:
    """A method of `pathlib.Path`."""
    if name in ("resolve", "absolute", "as_posix") and not arguments:
        return owner
    if name == "joinpath":
        result: Value | None = owner
        for part in arguments:
            result = _join(result, part)
        return result
    if name == "with_name" and len(arguments) == 1:
        return _join(_parent(owner), arguments[0])
    return None


def _join(left: Value | None, right: Value) -> Value | None:
    if left is None:
        return None
    ups_only = set(right.text.split("/")) <= {"..", ".", ""}
    return Value(posixpath.join(left.text, right.text), extended=left.extended or not ups_only)


def _parent(value: Value | None) -> Value | None:
    if value is None:
        return None
    return Value(posixpath.dirname(posixpath.normpath(value.text)), extended=value.extended)
