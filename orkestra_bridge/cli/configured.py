"""The configuration file as defaults of the options: an option on the command line wins, then the file, then the default.

The keys of the file are the options of `convert`, so there is one list of both.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from orkestra_bridge.config.model import Configuration, Field
from orkestra_bridge.options import Overrides, Pattern, Scoped
from orkestra_bridge.policy import Allowance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from orkestra_bridge.config.model import Kind, Override
    from orkestra_bridge.options import RunsIn

Result = TypeVar("Result")
KEY = "orkestra_bridge.configuration"
"""Under which a context keeps the configuration (`click.Context.meta`)."""
_ONLY_FLAGS = frozenset({"help", "form", "run_id"})


class ConfiguredPaths(click.Argument):
    """An argument of paths that the configuration may give."""

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, ParameterSource]:
        """Return what was typed, else what the configuration says."""
        if not opts.get(str(self.name)):
            configured = ctx.lookup_default(str(self.name))
            if configured:
                return configured, ParameterSource.DEFAULT_MAP
        return super().consume_value(ctx, opts)


def needed(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the paths; raises click.UsageError if neither the command line nor the configuration gives one."""
    if not paths:
        raise click.UsageError("Missing argument 'PATHS...'; `paths` in the configuration would do as well.")
    return paths


def fields_of(command: click.Command) -> tuple[Field, ...]:
    """Return the keys of the configuration: the options of a command, and its paths."""
    return tuple(_field(each) for each in command.params if each.name not in _ONLY_FLAGS)


def key_of(parameter: click.Parameter) -> str:
    """Return an option's key in the file: its long name without the dashes."""
    if isinstance(parameter, click.Argument):
        return str(parameter.name)
    return next(name for name in parameter.opts if name.startswith("--")).lstrip("-")


def _field(parameter: click.Parameter) -> Field:
    kind, type_ = _kind(parameter), parameter.type
    bounds = (type_.min, type_.max) if isinstance(type_, (click.IntRange, click.FloatRange)) else (None, None)
    help_ = parameter.help if isinstance(parameter, click.Option) else "DAG files and folders of them."
    return Field(
        key=key_of(parameter),
        kind=kind,
        help=help_ or "",
        many=parameter.multiple or parameter.nargs == -1,
        choices=tuple(str(choice) for choice in type_.choices) if isinstance(type_, click.Choice) else (),
        minimum=bounds[0],
        maximum=bounds[1],
    )


def _kind(parameter: click.Parameter) -> Kind:
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return "flag"
    if isinstance(parameter.type, click.Path):
        return "path"
    if isinstance(parameter.type, (click.IntRange, click.types.IntParamType)):
        return "integer"
    if isinstance(parameter.type, (click.FloatRange, click.types.FloatParamType)):
        return "number"
    return "text"


def read(file: Path | None) -> Configuration:
    """Return the configuration in a file, or that of the working directory; raises UsageError if it is wrong."""
    from orkestra_bridge.config.find import find_source, read_source

    source = read_source(file.resolve()) if file else find_source(Path.cwd())
    if source is None:
        return Configuration()
    from orkestra_bridge.cli.convert import command
    from orkestra_bridge.config.read import read_configuration

    return read_configuration(source, fields_of(command))


def defaults(configuration: Configuration, commands: Sequence[click.Command]) -> dict[str, dict[str, Any]]:
    """Return click's `default_map`: for each command, the values of the options that it has."""
    return {
        str(command.name): {
            str(each.name): configuration.values[key].value
            for each in command.params
            if each.name not in _ONLY_FLAGS and (key := key_of(each)) in configuration.values
        }
        for command in commands
    }


def allowances(ids: Sequence[str], overrides: Sequence[Override]) -> tuple[Allowance, ...]:
    """Return what is allowed everywhere and what is allowed for some DAGs or tasks."""
    scoped = (
        Allowance(each, override.dag, override.task)
        for override in overrides
        if override.key == "allow"
        for each in override.value
    )
    return (*(Allowance(each) for each in ids), *scoped)


def overrides_of(written: Sequence[Override], paths: Sequence[Path] = ()) -> Overrides:
    """Return what the configuration gives DAGs and tasks, as the options have it.

    Its patterns are expected to fit something where a folder is loaded, and not only some files of a project.
    """
    whole = any(path.is_dir() for path in paths)
    return Overrides(
        memory=tuple(_scoped(written, "memory", int)),
        timeout=tuple(_scoped(written, "timeout", int)),
        requirements=tuple(_scoped(written, "requirements", Path)),
        events=tuple(_scoped(written, "events", tuple)),
        patterns=tuple(_pattern(each) for each in written if whole),
    )


def _pattern(written: Override) -> Pattern:
    file, _, line = written.origin.rpartition(":")
    return Pattern(written.dag, written.task, file, int(line))


def _scoped(written: Sequence[Override], key: str, make: Callable[[Any], Result]) -> Iterator[Scoped[Result]]:
    for each in written:
        if each.key == key:
            yield Scoped(make(each.value), each.dag, each.task)


def targets(
    containers: Sequence[str], airflows: Sequence[str], overrides: Sequence[Override]
) -> dict[str, RunsIn]:
    """Return where tasks run, by pattern: what the command line says comes last, and so wins."""
    written = [each for each in overrides if each.key == "target"]
    ordered = sorted(
        written, key=lambda each: each.task != "*"
    )  # what is said of tasks comes last, and so wins
    configured = {f"{each.dag}.{each.task}": each.value for each in ordered}
    asked: dict[str, RunsIn] = {
        **dict.fromkeys(containers, "container"),
        **dict.fromkeys(airflows, "airflow"),
    }
    return {**configured, **asked}


def configuration_of(context: click.Context) -> Configuration:
    """Return the configuration that is in force."""
    found: Configuration = context.meta.get(KEY, Configuration())
    return found
