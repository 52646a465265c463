"""What all commands have in common: examples in their help, one a line, as they can be typed, and ``-q`` and ``-v``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from orkestra_bridge.cli.verbosity import set_verbosity

if TYPE_CHECKING:
    from collections.abc import Sequence


def _set(context: click.Context, parameter: click.Parameter, given: Any) -> None:
    if given:
        set_verbosity(context, str(parameter.name))


VERBOSITY = (
    click.Option(["-q", "--quiet"], is_flag=True, help="Say errors only.", expose_value=False, callback=_set),
    click.Option(
        ["-v", "--verbose"], is_flag=True, help="Say notes as well.", expose_value=False, callback=_set
    ),
)
"""Options of every command and of the program itself."""


class _WithExamples(click.Command):
    """What both have in common."""

    def __init__(self, *arguments: Any, examples: Sequence[str] = (), **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.examples = tuple(examples)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the description, and the examples below it."""
        super().format_help_text(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own parameters, ``-q`` and ``-v``, and ``--help``."""
        own, known = super().get_params(ctx), len(self.params)
        return [*own[:known], *VERBOSITY, *own[known:]]


class Command(_WithExamples):
    """A command with examples."""


class Group(_WithExamples, click.Group):
    """A group of commands with examples."""
