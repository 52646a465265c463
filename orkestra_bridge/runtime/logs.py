"""Log lines of tasks: one plain line each on standard error, from INFO on."""

from __future__ import annotations

import logging


def configure() -> None:
    """Let INFO through, and print it where nobody else (such as Lambda's own runtime) has set up logging."""
    root = logging.getLogger()
    if not root.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root.addHandler(handler)
    root.setLevel(logging.INFO)
