"""The rendering methods that operators inherit; the work is done by the runtime."""

from __future__ import annotations

from typing import Any


class Templater:
    """Renders the fields that ``template_fields`` names (`airflow/template/templater.py`)."""

    template_fields: Any = ()
    template_ext: Any = ()

    def get_template_env(self, dag: Any = None) -> Any:
        """Return the Jinja environment for this object's templates."""
        from orkestra_bridge.runtime.templating import environment

        dag = dag or getattr(self, "dag", None)
        return environment(dag, native=self._renders_native(dag))

    def _renders_native(self, dag: Any) -> bool:
        own = getattr(self, "render_template_as_native_obj", None)
        return bool(own) if own is not None else bool(dag and dag.render_template_as_native_obj)

    def prepare_template(self) -> None:
        """Change the fields after template files were read and before they are rendered."""

    def resolve_template_files(self) -> None:
        """Replace fields that name a template file by the file's content."""
        from orkestra_bridge.runtime.templating import read_template_files

        read_template_files(self)

    def render_template_fields(self, context: Any, jinja_env: Any = None) -> None:
        """Render the template fields in place."""
        from orkestra_bridge.runtime.templating import Renderer

        Renderer(self, context, jinja_env).render_fields(self)

    def render_template(
        self, content: Any, context: Any, jinja_env: Any = None, seen_oids: Any = None
    ) -> Any:
        """Return content with all templates and references in it, however deep, replaced by their values."""
        from orkestra_bridge.runtime.templating import Renderer

        return Renderer(self, context, jinja_env).render(content)


class LiteralValue:
    """Text that is not to be rendered."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def iter_references(self) -> Any:
        return iter(())

    def resolve(self, context: Any) -> Any:
        return self.value


def literal(value: Any) -> LiteralValue:
    """Return a wrapper that keeps a value from being rendered."""
    return LiteralValue(value)
