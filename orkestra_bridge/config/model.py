"""What a configuration may say, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Kind = Literal["text", "path", "integer", "number", "flag", "pattern"]
"""``pattern`` is an event pattern of EventBridge, as a table."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A key that a table may have.

    Attributes:
        many: True for a list of values.
        choices: The only texts that it may be; empty for any.
        minimum, maximum: Bounds of a number, included.
    """

    key: str
    kind: Kind
    help: str
    many: bool = False
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@final
@dataclass(frozen=True, slots=True)
class Value:
    """A value, paths already relative to the working directory, and ``file:line`` of it."""

    value: Any
    origin: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A value for some DAGs, or for some of their tasks; patterns as in a shell.

    ``task`` is ``**`` for what is said of all tasks and means something else than what is said of the DAG.
    """

    dag: str
    task: str = "*"
    key: str
    value: Any
    origin: str

    @property
    def written(self) -> str:
        """Return the pattern for tasks as it is in the file."""
        return "*" if self.task == "**" else self.task


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What a file says; ``file`` is None where there is none."""

    file: Path | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()


_LONGEST = 604_800
_MOST = 122_880
"""MiB of Fargate's largest size."""
_TARGETS = ("lambda", "container", "airflow")
_AIRFLOW = "; with airflow in a container that has Airflow itself."

DAG_FIELDS = (
    Field(
        key="memory",
        kind="integer",
        minimum=128,
        maximum=_MOST,
        help="MB for the tasks of these DAGs, in functions and containers; beyond 10240 they run in containers.",
    ),
    Field(
        key="timeout",
        kind="integer",
        minimum=1,
        maximum=_LONGEST,
        help="Seconds that a try of a task may take, if its execution_timeout is not shorter; beyond 900 tasks run in "
        "containers.",
    ),
    Field(key="target", kind="text", choices=_TARGETS, help=f"Where the tasks of these DAGs run{_AIRFLOW}"),
    Field(
        key="requirements",
        kind="path",
        help="A requirements file that these DAGs are packaged with, instead of the project's.",
    ),
    Field(
        key="allow", kind="text", many=True, help="Findings that must not refuse these DAGs, such as OB206."
    ),
    Field(
        key="events",
        kind="pattern",
        many=True,
        help="Event patterns of EventBridge; each event that matches starts a run, with the event as its conf.",
    ),
)
TASK_FIELDS = (
    Field(
        key="memory",
        kind="integer",
        minimum=128,
        maximum=_MOST,
        help="MB for these tasks: a function of their own, or beyond 10240 a container.",
    ),
    Field(
        key="timeout",
        kind="integer",
        minimum=1,
        maximum=_LONGEST,
        help="Seconds that a try may take, if execution_timeout is not shorter: a function of their own, or beyond 900 a "
        "container.",
    ),
    Field(key="target", kind="text", choices=_TARGETS, help=f"Where these tasks run{_AIRFLOW}"),
    Field(
        key="requirements",
        kind="path",
        help="A requirements file whose packages these tasks have besides those of their DAG: in a function of their "
        "own, or in an image of their own where they run in a container.",
    ),
    Field(key="allow", kind="text", many=True, help="Findings about these tasks that must not refuse a DAG."),
)
