"""Reads one Python file: what it imports and which paths it computes. Pure: touches no disk, runs nothing.

Statements are walked with two facts that decide what a missing module means: *optional* (the code goes on
without it) and *deferred* (in a function, run by a task and not while the file loads).
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from orkestra_bridge.packaging.file_paths import PathUse, path_uses
from orkestra_bridge.packaging.static_lookups import StaticLookup, static_lookups

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

IMPORT_FAILURES = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_LOOKS_UP = re.compile(rb"Variable|onnection|environ|getenv|Hook|conn_id")
OPERATORS_ELSEWHERE = ("VirtualenvOperator", "ExternalPythonOperator")
OTHER_INTERPRETERS = frozenset(
    {"virtualenv", "external_python", "docker", "kubernetes", "branch_virtualenv", "branch_external_python"}
)
"""``@task.<name>`` whose body does not run in the function's Python (airflow.decorators)."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ImportStatement:
    """``import module`` (names is empty) or ``from module import names``; level counts the leading dots.

    ``inside`` is the name of the innermost function around it, empty where there is none.
    """

    module: str
    names: tuple[str, ...] = ()
    level: int = 0
    line: int = 0
    optional: bool = False
    deferred: bool = False
    inside: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedSource:
    """What one file imports, the paths it computes and the Variables, connections and so on that it looks up.

    ``finds_hooks`` is True if it looks hooks up by the type of a connection (`BaseHook.get_hook`); ``subclassed`` has the
    names that classes are made of while the file loads.
    """

    imports: tuple[ImportStatement, ...]
    paths: tuple[PathUse, ...] = ()
    finds_hooks: bool = False
    lookups: tuple[StaticLookup, ...] = ()
    subclassed: frozenset[str] = frozenset()


def scan(source: bytes, path: str) -> ScannedSource:
    """Return the imports and path computations of a file that stands at ``path``.

    Raises SyntaxError (with its line) or ValueError if the bytes are not Python.
    """
    tree = ast.parse(source, filename=path)
    if any(name.encode() in source for name in (*OPERATORS_ELSEWHERE, *OTHER_INTERPRETERS)):
        _set_apart(tree)
    imports = list(_imports(tree.body, optional=False, deferred=False))
    if b"import_module" in source or b"__import__" in source:
        imports.extend(_dynamic_imports(tree))
    paths = path_uses(tree, path) if b"__file__" in source or b"sys.path" in source else ()
    return ScannedSource(
        imports=tuple(imports),
        paths=paths,
        finds_hooks=b".get_hook(" in source,
        lookups=static_lookups(tree) if _LOOKS_UP.search(source) else (),
        subclassed=frozenset(_subclassed(tree)),
    )


def _subclassed(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from (base.id for base in node.bases if isinstance(base, ast.Name))


def _set_apart(tree: ast.Module) -> None:
    """Take the code out of functions whose own packages are known; make that of others optional which may have some.

    A function without packages of its own runs with those of the DAG, and may import what is installed where that was
    parsed.
    """
    given: dict[str, ast.Call] = {}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and _last_name(call.func).endswith(OPERATORS_ELSEWHERE):
            for keyword in call.keywords:
                if keyword.arg == "python_callable" and isinstance(keyword.value, ast.Name):
                    given[keyword.value.id] = call
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found = given.get(node.name) or _decorated_elsewhere(node)
            if found is not None and _has_packages(found):
                node.body = [ast.Pass()]
            elif found is not None:
                node.body = [ast.If(test=ast.Constant(value=True), body=node.body, orelse=[])]


def _decorated_elsewhere(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    """Return the decorator that gives a function to another interpreter."""
    for decorator in function.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(target, ast.Attribute) and target.attr in OTHER_INTERPRETERS:
            return decorator
    return None


def _has_packages(given: ast.expr) -> bool:
    """Return True if an operator or a decorator says what its function may import, or names an image that has it."""
    if not isinstance(given, ast.Call):
        return False
    named = {keyword.arg for keyword in given.keywords}
    return bool(named & {"requirements", "python_version", "image"})


def _imports(
    body: Sequence[ast.stmt], *, optional: bool, deferred: bool, inside: str = ""
) -> Iterator[ImportStatement]:
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield ImportStatement(
                    module=alias.name, line=node.lineno, optional=optional, deferred=deferred, inside=inside
                )
        elif isinstance(node, ast.ImportFrom):
            yield ImportStatement(
                module=node.module or "",
                names=tuple(alias.name for alias in node.names),
                level=node.level,
                line=node.lineno,
                optional=optional,
                deferred=deferred,
                inside=inside,
            )
        else:
            name = node.name if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else inside
            for block, may_fail, later in _blocks(node):
                yield from _imports(
                    block, optional=optional or may_fail, deferred=deferred or later, inside=name
                )


def _blocks(node: ast.stmt) -> Iterator[tuple[Sequence[ast.stmt], bool, bool]]:
    """Yield the statement lists inside a statement, each with (optional, deferred)."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield node.body, False, True
    elif isinstance(node, ast.If):
        if not _is_type_checking(node.test):
            yield node.body, True, False
        yield node.orelse, True, False
    elif isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
        yield from _try_blocks(node)
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        yield node.body, any(_suppresses(item.context_expr) for item in node.items), False
    elif isinstance(node, ast.Match):
        for case in node.cases:
            yield case.body, True, False
    elif isinstance(node, (ast.ClassDef, ast.For, ast.AsyncFor, ast.While)):
        yield node.body, False, False
        yield getattr(node, "orelse", ()), False, False


def _try_blocks(node: ast.stmt) -> Iterator[tuple[Sequence[ast.stmt], bool, bool]]:
    handlers: list[ast.ExceptHandler] = getattr(node, "handlers", [])
    caught = any(_catches_import_failure(handler.type) for handler in handlers)
    yield getattr(node, "body", ()), caught, False
    for handler in handlers:
        yield handler.body, True, False
    yield getattr(node, "orelse", ()), caught, False
    yield getattr(node, "finalbody", ()), False, False


def _catches_import_failure(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    options = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(_last_name(option) in IMPORT_FAILURES for option in options)


def _suppresses(expression: ast.expr) -> bool:
    return (
        isinstance(expression, ast.Call)
        and _last_name(expression.func) == "suppress"
        and any(_last_name(argument) in IMPORT_FAILURES for argument in expression.args)
    )


def _is_type_checking(test: ast.expr) -> bool:
    return _last_name(test) == "TYPE_CHECKING" or (isinstance(test, ast.Constant) and not test.value)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _dynamic_imports(tree: ast.Module) -> Iterator[ImportStatement]:
    """Yield ``importlib.import_module("literal")`` and ``__import__("literal")``, taken as optional."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or _last_name(node.func) not in ("import_module", "__import__"):
            continue
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value.strip("."):
            name = first.value.lstrip(".")
            level = len(first.value) - len(name)
            yield ImportStatement(module=name, level=level, line=node.lineno, optional=True, deferred=True)
