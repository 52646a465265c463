"""Variables and connections that tasks name: in arguments that end in ``conn_id``, and in templates.

Part of the worker program: standard library and Airflow's own Jinja only, Python 3.8 and later.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, List

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OF_IMAGES = frozenset(("kubernetes_conn_id", "gcp_conn_id", "aws_conn_id"))
"""What finds a cluster, where none is needed: the image runs on Fargate."""
# kind, name or None for one that is only known at run time, file, line
Row = List[Any]


def task_needs(task: Any, place: tuple[str, int]) -> Iterator[Row]:
    """Yield the connections that a task's arguments name, defaults of its operator included."""
    # Most tasks have sixty arguments and no connection.
    unused = _OF_IMAGES if _starts_image(task) else frozenset()
    for value in [
        value for name, value in _arguments(task) if name.endswith("conn_id") and name not in unused
    ]:
        for text in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(text, str) and text:
                yield ["connection", None if "{{" in text or "{%" in text else text, *place]


def _starts_image(task: Any) -> bool:
    kind = getattr(task, "operator_class", type(task))
    bases = getattr(kind, "__mro__", ())
    return any(
        each.__name__ == "KubernetesPodOperator" and each.__module__.startswith("airflow.") for each in bases
    )


def _arguments(task: Any) -> Iterable[tuple[str, Any]]:
    partial = getattr(task, "partial_kwargs", None)
    return vars(task).items() if partial is None else _mapped_arguments(task, partial)


def _mapped_arguments(task: Any, partial: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    given = {**partial, **_expanded(task)}
    yield from given.items()
    for cls in task.operator_class.__mro__:
        try:
            parameters = inspect.signature(cls.__dict__["__init__"]).parameters
        except (KeyError, TypeError, ValueError):
            continue
        for name, parameter in parameters.items():
            if name not in given and parameter.default is not parameter.empty:
                yield name, parameter.default


def _expanded(task: Any) -> dict[str, Any]:
    value = getattr(getattr(task, "expand_input", None), "value", None)
    return value if isinstance(value, dict) else {}


def template_needs(text: str, environment: Any, place: tuple[str, int]) -> Iterator[Row]:
    """Yield what ``{{ var.value.x }}``, ``{{ var.json.x.y }}`` and ``{{ conn.x.host }}`` in a template name."""
    if environment is None or ("var" not in text and "conn" not in text):
        return
    from jinja2 import TemplateSyntaxError

    try:
        tree = environment.parse(text)
    except TemplateSyntaxError:
        return  # the task fails when it renders, as in Airflow
    yield from ([*row, *place] for row in _named(tree))


def _named(tree: Any) -> Iterator[Row]:
    from jinja2 import nodes

    called = {}
    for call in tree.find_all(nodes.Call):
        called[id(call.node)] = call.args[0] if call.args else None
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        kind = _store(node.node)
        if kind is None:
            continue
        if isinstance(node, nodes.Getitem):
            yield [kind, _text(node.arg)]
        elif node.attr == "get" and id(node) in called:
            yield [kind, _text(called[id(node)])]
        else:
            yield [kind, node.attr]


def _store(node: Any) -> str | None:
    """Return what kind of thing the attributes of a node are: ``var.value``, ``var.json`` or ``conn``."""
    if type(node).__name__ == "Name" and node.name == "conn":
        return "connection"
    inner: Any = getattr(node, "node", None)
    if type(node).__name__ == "Getattr" and type(inner).__name__ == "Name" and inner.name == "var":
        return "variable" if node.attr in ("value", "json") else None
    return None


def _text(node: Any) -> str | None:
    value = getattr(node, "value", None)
    return value if isinstance(value, str) else None
