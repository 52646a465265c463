"""The progress bar of a conversion: on stderr, and only where a person watches."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def file_progress() -> Iterator[Callable[[int, int, str], None] | None]:
    """Yield what to call after each file, or None where stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("translating"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        job = bar.add_task("", total=None)

        def on_file(done: int, total: int, name: str) -> None:
            bar.update(job, completed=done, total=total, description=name)

        yield on_file
