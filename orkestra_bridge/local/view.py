"""A run on the terminal: lines of tasks as they end, those at work below them, and the result.

Quiet where stderr is not a terminal. Colours follow NO_COLOR and FORCE_COLOR, as rich has them.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, final

from orkestra_bridge.local.board import Board, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from orkestra_bridge.local.assets import Consumer
    from orkestra_bridge.local.interpreter import Event
    from orkestra_bridge.local.run import RunResult

GLYPHS: Mapping[str, tuple[str, str]] = {
    "running": (">", "cyan"),
    "waiting": ("~", "yellow"),
    "success": ("+", "green"),
    "failed": ("x", "red"),
    "upstream_failed": ("!", "dark_orange"),
    "skipped": ("-", "magenta"),
}
"""State to sign and colour; plain ASCII, so that it reads the same everywhere."""
REFRESH = 8
"""Redraws per second."""
SHOWN_WORK = 12
"""Tasks at work that are shown; the rest are counted."""
_WIDTH = 100


@contextmanager
def live_view(dag_id: str, *, console: Console | None = None) -> Iterator[Callable[[Event], None]]:
    """Yield what to call with each event of a run of this DAG; it does nothing where nobody watches."""
    from rich.console import Console as RichConsole
    from rich.live import Live

    console = console or RichConsole(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _ignore
        return
    work = _Work(dag_id, Board())
    with Live(work, console=console, refresh_per_second=REFRESH, transient=True) as live:

        def on_event(event: Event) -> None:
            ended = work.board.hear(event)
            if ended is not None:
                live.console.print(line_text(ended))

        yield on_event


def print_result(result: RunResult, *, console: Console | None = None) -> None:
    """Print how a run, and before it those that it triggered, ended: to stdout, a line per task."""
    from rich.console import Console as RichConsole

    console = console or RichConsole(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    for run in (*result.triggered, result):
        _print_one(run, console)


def _print_one(result: RunResult, console: Console) -> None:
    from rich.text import Text

    console.print(_table(result))
    colour = "green" if result.run_state == "success" else "red"
    console.print(
        Text.assemble(
            f"{result.dag_id} {result.run_id}: ", (result.run_state, colour), f" in {result.seconds:.1f} s"
        ),
        soft_wrap=True,
    )
    if result.error and result.error != "DagRunFailed":
        console.print(Text(f"{result.error}: {result.cause or ''}".rstrip(": "), style="red"), soft_wrap=True)
    for consumer in result.consumers:
        console.print(_consumer_text(consumer), soft_wrap=True)
    console.print(f"logs: {result.logs}", soft_wrap=True)


def _consumer_text(consumer: Consumer) -> str:
    """Return what an updated asset means for a DAG that waits for it."""
    if consumer.document is None:
        return f"assets: {consumer.dag_id} still waits for {', '.join(consumer.waits_for)}"
    return f"assets: {consumer.dag_id} starts ({consumer.document['run_id']})"


def line_text(line: Line) -> Text:
    """Return a task's line: sign, name, tries if there was more than one, seconds, note."""
    from rich.text import Text

    glyph, colour = GLYPHS.get(line.state, ("?", "white"))
    text = Text.assemble((f"{glyph} ", colour), line.task_id, (f"  {line.state}", colour))
    if line.tries > 1:
        text.append(f"  try {line.tries}")
    text.append(f"  {line.seconds:.1f} s", style="dim")
    if line.note:
        text.append(f"  {line.note}", style="dim")
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _ignore(_: Event) -> None:
    """Take an event that nobody wants to see."""


@final
class _Work:
    """What rich draws again and again: the tasks at work."""

    def __init__(self, dag_id: str, board: Board) -> None:
        self.dag_id = dag_id
        self.board = board

    def __rich__(self) -> Text:
        from dataclasses import replace

        from rich.text import Text

        now = self.board.clock()
        working = list(self.board.working.values())
        lines = [line_text(replace(line, seconds=now - line.since)) for line in working[:SHOWN_WORK]]
        if len(working) > SHOWN_WORK:
            lines.append(Text(f"  and {len(working) - SHOWN_WORK} more", style="dim"))
        counts = ", ".join(f"{count} {state}" for state, count in sorted(self.board.counts.items()))
        lines.append(
            Text(f"{self.dag_id}: {len(working)} at work{', ' if counts else ''}{counts}", style="bold")
        )
        return Text("\n").join(lines)


def _table(result: RunResult) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("task", overflow="fold")
    table.add_column("state")
    table.add_column("tries", justify="right")
    table.add_column("what went wrong", overflow="fold")
    for task_id, task in result.tasks.items():
        glyph, colour = GLYPHS.get(task.state, ("?", "white"))
        state = Text(f"{glyph} {task.state}", style=colour)
        table.add_row(Text(task_id), state, str(task.tries), Text(task.error or ""))
    return table
