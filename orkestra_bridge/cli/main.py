"""The ``orkestra-bridge`` command: which commands there are, and how errors end them."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orkestra_bridge import __version__
from orkestra_bridge.cli.examples import Group
from orkestra_bridge.errors import BridgeError, InternalError

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = {
    "assess": ("orkestra_bridge.cli.assess", "Say what a translation would be like, without packaging."),
    "config": ("orkestra_bridge.cli.config", "Show the project's configuration, and its schema."),
    "convert": (
        "orkestra_bridge.cli.convert",
        "Translate DAG files into state machines, Lambda packages and templates.",
    ),
    "doctor": ("orkestra_bridge.cli.doctor", "Look at what the other commands need."),
    "explain": ("orkestra_bridge.cli.explain", "Print one stage of a DAG's translation."),
    "secrets": ("orkestra_bridge.cli.secrets", "Bring Variables and connections to AWS."),
    "run": ("orkestra_bridge.cli.run", "Run a translated DAG on this machine."),
}
_INTERRUPTED = 130
_OBJECTS_PER_COLLECTION = 200_000


class _Lazy(Group):
    """A group that knows its commands' names and one-line helps without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(_COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][1]) for name in sorted(_COMMANDS)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = click.utils.make_str(args[0])
        if name not in _COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(name, _COMMANDS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"There is no command {name!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"]},
    examples=(
        "orkestra-bridge assess dags/             see what a translation would be like",
        "orkestra-bridge convert dags/            translate every DAG below dags/",
        "orkestra-bridge run daily_sales          run one of them here, from what was emitted",
        "orkestra-bridge explain dags/sales.py    see how a DAG becomes a machine",
    ),
)
@click.version_option(__version__, prog_name="orkestra-bridge")
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read this configuration; default orkestra.toml or pyproject.toml, here or in a folder above.",
)
@click.option("--no-config", is_flag=True, help="Read no configuration.")
@click.pass_context
def cli(context: click.Context, /, file: Path | None, *, no_config: bool) -> None:
    """Turn Airflow DAG files into AWS Step Functions applications."""
    if not no_config and context.invoked_subcommand in _COMMANDS and not context.resilient_parsing:
        _configure(context, str(context.invoked_subcommand), file)


def _configure(context: click.Context, name: str, file: Path | None) -> None:
    """Let the configuration give the defaults of a command's options."""
    from orkestra_bridge.cli import configured

    configuration = configured.read(file)
    context.meta[configured.KEY] = configuration
    if configuration.file is not None:
        command = import_module(_COMMANDS[name][0]).command
        context.default_map = configured.defaults(configuration, [command])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with the code of the command, or of the error that ended it."""
    # Nearly everything that a command makes lives until it ends: looking for garbage often finds none.
    gc.set_threshold(_OBJECTS_PER_COLLECTION, 20, 20)
    try:
        result = cli.main(arguments, prog_name="orkestra-bridge", standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except click.ClickException as problem:
        problem.show()
        sys.exit(problem.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(_INTERRUPTED)
    except BridgeError as problem:
        click.echo(f"error: {problem}", err=True)
        sys.exit(problem.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as fault:
        if os.environ.get("ORKESTRA_DEBUG"):
            raise
        wrapped = InternalError(
            f"internal error: {type(fault).__name__}: {fault}",
            remedy="this is a fault of orkestra-bridge: please report it; ORKESTRA_DEBUG=1 shows where",
        )
        click.echo(f"error: {wrapped}", err=True)
        sys.exit(wrapped.exit_code)
