"""``orkestra-bridge config``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from orkestra_bridge.cli.configured import configuration_of, defaults, fields_of, key_of
from orkestra_bridge.cli.examples import Command, Group

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.config.model import Configuration

_SOURCES = {
    ParameterSource.COMMANDLINE: "command line",
    ParameterSource.ENVIRONMENT: "environment",
    ParameterSource.DEFAULT: "default",
}


@click.group(
    "config",
    cls=Group,
    examples=(
        "orkestra-bridge config show",
        "orkestra-bridge config schema > orkestra.schema.json",
    ),
)
def command() -> None:
    """Show the project's configuration: orkestra.toml, or [tool.orkestra-bridge] in pyproject.toml."""


@command.command(
    "show",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    cls=Command,
    examples=(
        "orkestra-bridge config show",
        "orkestra-bridge config show --memory 1024",
    ),
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def show(context: click.Context, options: tuple[str, ...]) -> int:
    """Print what `convert` would go by, and where each value comes from; OPTIONS are those of `convert`."""
    from orkestra_bridge.cli.convert import command as convert

    configuration = configuration_of(context)
    rows = list(_rows(configuration, options, convert))
    width, longest = (max(len(row[n]) for row in rows) for n in (0, 1))
    for key, value, origin in rows:
        click.echo(f"{key:{width}}  {value:{longest}}  {origin}".rstrip())
    return 0


def _rows(
    configuration: Configuration, options: tuple[str, ...], convert: click.Command
) -> Iterator[tuple[str, str, str]]:
    mapped = defaults(configuration, [convert])["convert"]
    context = click.Context(convert, info_name="orkestra-bridge config show", default_map=mapped)
    with context:
        convert.parse_args(context, list(options))
        known = {field.key for field in fields_of(convert)}
        for parameter in convert.params:
            key = key_of(parameter)
            if key not in known:
                continue
            source = context.get_parameter_source(str(parameter.name))
            in_file = configuration.values.get(key)
            origin = (
                in_file.origin
                if in_file and source is ParameterSource.DEFAULT_MAP
                else _SOURCES.get(source or ParameterSource.DEFAULT, "default")
            )
            yield key, _shown(context.params[str(parameter.name)]), origin
    for override in configuration.overrides:
        task = f".tasks.{override.written}" if override.task != "*" else ""
        yield f"dags.{override.dag}{task}.{override.key}", _shown(override.value), override.origin


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return json.dumps(value, default=str)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_shown, value)) or "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "-" if value is None else str(value)


@command.command(
    "schema",
    cls=Command,
    examples=("orkestra-bridge config schema > orkestra.schema.json",),
)
def schema() -> int:
    """Print the JSON Schema of the configuration, for editors."""
    from orkestra_bridge.cli.convert import command as convert
    from orkestra_bridge.config.schema import json_schema
    from orkestra_bridge.ir.serialize import render

    click.echo(render(json_schema(fields_of(convert)), sort=False), nl=False)
    return 0
