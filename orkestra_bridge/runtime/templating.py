"""Jinja as Airflow renders it: sandboxed or native, with its filters, the DAG's macros, filters and search path.

Source: `airflow/template/templater.py`, `airflow/templates.py`, `airflow/utils/helpers.py`.
"""

from __future__ import annotations

import logging
import os
from collections import ChainMap
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2

log = logging.getLogger("airflow.task")

# What makes Jinja change a text: its delimiters, and the newlines that it normalises or drops at the end.
_SPECIAL = ("{{", "{%", "{#", "\r")


def _ds(value: Any) -> str:
    return str(value.strftime("%Y-%m-%d"))


def _ds_nodash(value: Any) -> str:
    return str(value.strftime("%Y%m%d"))


def _ts(value: Any) -> str:
    return str(value.isoformat())


def _ts_nodash(value: Any) -> str:
    return str(value.strftime("%Y%m%dT%H%M%S"))


def _ts_nodash_with_tz(value: Any) -> str:
    return str(value.isoformat()).replace("-", "").replace(":", "")


def _optional(function: Any) -> Any:
    return lambda value: None if value is None else function(value)


FILTERS = {
    "ds": _optional(_ds),
    "ds_nodash": _optional(_ds_nodash),
    "ts": _optional(_ts),
    "ts_nodash": _optional(_ts_nodash),
    "ts_nodash_with_tz": _optional(_ts_nodash_with_tz),
}


def environment(dag: Any, *, native: bool = False) -> jinja2.Environment:
    """Return the Jinja environment of a DAG's templates; a bare one for no DAG."""
    options: dict[str, Any] = {"cache_size": 0}
    if dag is not None:
        options |= _dag_options(dag)
    env: jinja2.Environment = _environment_classes()[native](**options)
    env.filters.update(FILTERS)
    if dag is not None:
        env.globals.update(dag.user_defined_macros or {})
        env.filters.update(dag.user_defined_filters or {})
    return env


def _dag_options(dag: Any) -> dict[str, Any]:
    import jinja2

    folders = [dag.folder, *(str(path) for path in dag.template_searchpath or ())]
    return {
        "loader": jinja2.FileSystemLoader(folders),
        "undefined": dag.template_undefined or jinja2.StrictUndefined,
        "extensions": ["jinja2.ext.do"],
        **(dag.jinja_environment_kwargs or {}),
    }


_CLASSES: list[Any] = []


def _environment_classes() -> tuple[Any, Any]:
    if not _CLASSES:
        import jinja2.nativetypes
        import jinja2.sandbox

        class Sandboxed(jinja2.sandbox.SandboxedEnvironment):
            def is_safe_attribute(self, obj: Any, attr: str, _value: Any) -> bool:
                # Names with one leading underscore are allowed in Airflow, Python's internals are not.
                return not jinja2.sandbox.is_internal_attribute(obj, attr)

        _CLASSES.extend((Sandboxed, jinja2.nativetypes.NativeEnvironment))
    return _CLASSES[0], _CLASSES[1]


def _is_path(value: Any, extensions: Iterable[str]) -> bool:
    return isinstance(value, str) and value.endswith(tuple(extensions))


def read_template_files(owner: Any) -> None:
    """Replace the fields of an operator that name a template file by the file's content, then let it prepare them.

    A file that is not found is logged, as in Airflow: rendering will fail on it.
    """
    if owner.template_ext:
        for field in owner.template_fields:
            content = getattr(owner, field, None)
            if isinstance(content, str) and _is_path(content, owner.template_ext):
                setattr(owner, field, _source(owner, content))
            elif isinstance(content, list):
                read = [
                    _source(owner, item) if _is_path(item, owner.template_ext) else item for item in content
                ]
                if read != content:
                    setattr(owner, field, read)
    owner.prepare_template()


def _source(owner: Any, name: str) -> str:
    import jinja2

    env = owner.get_template_env()
    if env.loader is None:
        return name
    try:
        return str(env.loader.get_source(env, name)[0])
    except jinja2.TemplateNotFound:
        log.exception("Failed to resolve the template file %r", name)
        return name


class Renderer:
    """Renders the values of one operator in one context."""

    def __init__(self, owner: Any, context: Mapping[str, Any], env: jinja2.Environment | None = None) -> None:
        self.owner = owner
        self.context = context
        self.extensions = tuple(getattr(owner, "template_ext", None) or ())
        dag = getattr(owner, "dag", None)
        own = getattr(owner, "render_template_as_native_obj", None)
        self.native = bool(own) if own is not None else bool(dag and dag.render_template_as_native_obj)
        self.plain = not self.native and not (dag is not None and dag.jinja_environment_kwargs)
        self._env = env
        self._seen: set[int] = set()
        self._resolved: Container[int] = getattr(owner, "_resolved_values", ())

    @property
    def env(self) -> jinja2.Environment:
        """Return the environment, made when the first template needs it: importing Jinja takes a while."""
        if self._env is None:
            self._env = self.owner.get_template_env()
        return self._env

    def render_fields(self, parent: Any) -> None:
        """Render the template fields of an object in place; raises what a template raises."""
        for field in parent.template_fields:
            try:
                value = getattr(parent, field)
            except AttributeError:
                kind = type(parent).__name__
                raise AttributeError(
                    f"{field!r} is configured as a template field but {kind} does not have this attribute."
                ) from None
            if _is_empty(value):
                continue
            try:
                setattr(parent, field, self._render_field(value))
            except Exception:
                log.exception("Exception rendering the template field %r", field)
                raise

    def _render_field(self, value: Any) -> Any:
        if callable(value) and not hasattr(value, "resolve"):
            return value(context=self.context, jinja_env=self.env)
        return self.render(value)

    def render(self, value: Any) -> Any:
        """Return a value with every template and reference in it replaced.

        What a mapped task is expanded over is no template where a task returned it.
        """
        if id(value) in self._resolved:
            return value
        return self._render_text(value) if isinstance(value, str) else self._render_other(value)

    def _render_other(self, value: Any) -> Any:
        if not isinstance(value, os.PathLike) and not isinstance(value, type) and hasattr(value, "resolve"):
            return value.resolve(self.context)
        if isinstance(value, tuple):
            items = [self.render(item) for item in value]
            return tuple(items) if type(value) is tuple else type(value)(*items)
        if isinstance(value, (list, set)):
            items = [self.render(item) for item in value]
            return set(items) if isinstance(value, set) else items
        if isinstance(value, dict):
            return {key: self.render(item) for key, item in value.items()}
        return self._render_nested(value)

    def _render_nested(self, value: Any) -> Any:
        known = id(value) in self._seen or isinstance(value, type)
        if not known and getattr(value, "template_fields", None):
            self._seen.add(id(value))
            self.render_fields(value)
        return value

    def _render_text(self, text: str) -> Any:
        if self.extensions and text.endswith(self.extensions):
            return self._rendered(self.env.get_template(text))
        if self.plain and not text.endswith("\n") and not any(mark in text for mark in _SPECIAL):
            return text
        return self._rendered(self.env.from_string(text))

    def _rendered(self, template: jinja2.Template) -> Any:
        env = template.environment
        values = self.context
        if template.globals:
            # The context wins over globals of the same name (`airflow/utils/helpers.py:render_template`).
            values = _Layered(values, template.globals)
        try:
            nodes = template.root_render_func(env.context_class(env, values, template.name, template.blocks))  # type: ignore[arg-type]
            if not self.native:
                return "".join(nodes)
            from jinja2.nativetypes import native_concat

            return native_concat(nodes)
        except Exception:  # noqa: BLE001  # Jinja rewrites the traceback and raises it again
            env.handle_exception()


class _Layered(Mapping[str, Any]):
    """A context over globals, without evaluating the context's lazy values."""

    def __init__(self, top: Mapping[str, Any], bottom: Mapping[str, Any]) -> None:
        self.top = top
        self.bottom = bottom

    def __getitem__(self, key: str) -> Any:
        return self.top[key] if key in self.top else self.bottom[key]

    def __contains__(self, key: object) -> bool:
        return key in self.top or key in self.bottom

    def __iter__(self) -> Iterator[str]:
        return iter({**dict.fromkeys(self.bottom), **dict.fromkeys(self.top)})

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def copy(self) -> ChainMap[str, Any]:
        """Return a mapping that can be changed: Jinja asks for one when it rewrites a traceback."""
        layers: Any = (self.top, self.bottom)
        return ChainMap({}, *layers)


def _is_empty(value: Any) -> bool:
    try:
        return not value
    except Exception:  # noqa: BLE001  # a DataFrame has no truth value; Airflow renders such fields all the same
        return False
