"""What user code writes and warns while it is loaded: nothing of it reaches the terminal, the first place is remembered.

Part of the worker program: standard library only, Python 3.8 and later.
"""

from __future__ import annotations

import io
import os
import re
import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import types

    from .worker_watch import Watch


class Printed(io.TextIOWrapper):
    """A standard output that leads nowhere and remembers who wrote to it first."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(open(os.devnull, "wb"), encoding="utf-8", errors="replace")  # noqa: SIM115
        self._watch = watch

    def write(self, text: str) -> int:
        """Accept and drop the text."""
        watch = self._watch
        if watch.printed is None and watch.active and not _through_logging(sys._getframe(1), watch):
            watch.printed = watch.place(sys._getframe(1))
        return len(text)


def _through_logging(frame: types.FrameType | None, watch: Watch) -> bool:
    while frame is not None and not watch.is_local(frame.f_code.co_filename):
        if re.search(r"[/\\](logging|structlog|warnings)(\.py|[/\\])", frame.f_code.co_filename):
            return True
        frame = frame.f_back
    return False


class WarningFold:
    """Collects the deprecations that user code causes: the first one, where it is, and how many there are."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._catcher: Any = None
        self.found: list[tuple[str, int, str]] = []

    def __enter__(self) -> WarningFold:  # noqa: PYI034 -- typing.Self is younger than the Pythons this runs on
        self._catcher = warnings.catch_warnings()
        self._catcher.__enter__()
        warnings.simplefilter("default")
        warnings.showwarning = self._show
        return self

    def __exit__(self, *exc: object) -> None:
        self._catcher.__exit__(*exc)

    def _show(self, message: Any, category: Any, *_: Any, **__: Any) -> None:
        deprecations = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)
        if issubclass(category, deprecations) or "RemovedIn" in category.__name__:
            place = self._watch.place(sys._getframe(1))
            if place is not None:
                self.found.append((*place, " ".join(str(message).split())))
