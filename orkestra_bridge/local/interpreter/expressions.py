"""JSONata expressions in a definition: parsed once, data bound natively, the answer always plain JSON.

Source: AWS Step Functions developer guide, "Transforming data with JSONata"; ASL specification, "JSONata".
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from orkestra_bridge.local.interpreter.document import Document, settle
from orkestra_bridge.local.interpreter.failures import QUERY, StatesError
from orkestra_bridge.local.interpreter.functions import ADDED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orkestra_bridge.local.interpreter.model import Json


def expression_in(text: Any) -> str | None:
    """Return what stands between ``{%`` and ``%}`` if the whole string is an expression, else None."""
    if isinstance(text, str) and text.startswith("{%") and text.endswith("%}"):
        return text[2:-2].strip()
    return None


def expressions_of(template: Json) -> Iterator[str]:
    """Yield every expression in a template."""
    if isinstance(template, dict):
        for item in template.values():
            yield from expressions_of(item)
    elif isinstance(template, list):
        for item in template:
            yield from expressions_of(item)
    else:
        expression = expression_in(template)
        if expression is not None:
            yield expression


@lru_cache(maxsize=8192)
def compiled(expression: str) -> Any:
    """Return the parsed expression with AWS's functions; raises jsonata's JException for a syntax error."""
    from jsonata import Jsonata

    parsed = Jsonata(expression)
    parsed.set_validate_input(False)
    # The only way to tell a null result, which AWS accepts, from an undefined one, which it refuses.
    parsed.set_output_convert_nulls(False)
    for name, function in ADDED.items():
        parsed.register_lambda(name, function)
    return parsed


def syntax_error(expression: str) -> str | None:
    """Return what is wrong with the expression's text, or None."""
    try:
        compiled(expression)
    except Exception as problem:  # noqa: BLE001 - the parser also fails with IndexError and the like
        return str(problem)
    return None


def evaluate(template: Json, bindings: Mapping[str, Any], what: str) -> Document:
    """Return the template with each expression replaced by its value.

    Raises StatesError: States.QueryEvaluationError where an expression fails or is undefined, and
    States.DataLimitExceeded where the whole is too large.
    """
    try:
        return settle(_filled(template, bindings), what)
    except (TypeError, ValueError) as problem:
        raise StatesError(QUERY, f"The {what} is not valid JSON: {problem}") from problem


def _filled(template: Json, bindings: Mapping[str, Any]) -> Any:
    if isinstance(template, dict):
        return {key: _filled(item, bindings) for key, item in template.items()}
    if isinstance(template, list):
        return [_filled(item, bindings) for item in template]
    expression = expression_in(template)
    return template if expression is None else _value(expression, bindings)


def _value(expression: str, bindings: Mapping[str, Any]) -> Any:
    try:
        value = compiled(expression).evaluate(None, bindings)
    except Exception as problem:
        # The engine raises its own JException and, for data it did not expect, any Python error.
        message = f"The JSONata expression '{expression}' threw an error: {problem}"
        raise StatesError(QUERY, message) from problem
    if value is None:
        message = f"The JSONata expression '{expression}' returned nothing (undefined)."
        raise StatesError(QUERY, message)
    return value
