"""What a function is and what an invocation gives."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HANDLER = "orkestra_bridge.runtime.handler.handle"
Waiting = Callable[[], AbstractContextManager[None]]
"""Makes a context for the time in which an invocation waits for a free worker."""

MAX_WORKERS = 32
"""Workers at once: they mostly wait, and share memory with the process that they are forked from."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """A Lambda function that can be run here.

    Attributes:
        task_root: The unzipped package, ``/var/task`` on AWS.
        python: Interpreter of the workers.
        site_packages: Folders in which the modules listed in ``modules`` may be found, and no others.
        handler: ``package.module.function``.
        preload: Modules that the process which workers are forked from imports once.
        preload_path: Folders, besides the package itself, in which it finds them; first on ``sys.path`` from
        then on. timeout: Seconds per invocation; AWS allows 900.
        memory: MiB that one worker may hold, None for no limit. Enforced on Linux only.
        environment: Variables of the workers; nothing else of this process's environment reaches them.
        keeps_bytecode: Compiled modules may be written beside the modules, for the next run.
        max_workers: Invocations at once; further ones wait.
    """

    task_root: Path
    python: Path
    site_packages: tuple[Path, ...] = ()
    modules: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()
    handler: str = HANDLER
    preload: tuple[str, ...] = ("orkestra_bridge.runtime.handler",)
    preload_path: tuple[Path, ...] = ()
    name: str = "tasks"
    timeout: float = 900.0
    memory: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    keeps_bytecode: bool = False
    max_workers: int = MAX_WORKERS

    @property
    def arn(self) -> str:
        """The function's name as AWS writes it; it exists nowhere."""
        return f"arn:aws:lambda:us-east-1:123456789012:function:{self.name}"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an invocation gave: a JSON value, or an error document with ``errorType`` and ``errorMessage``."""

    payload: Any
    failed: bool = False


def concurrent_starts() -> int:
    """Return how many workers may be starting at the same moment: starting is CPU work."""
    return max(2, os.cpu_count() or 2)
