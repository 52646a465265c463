"""What a configuration may say, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Kind = Literal["text", "path", "integer", "number", "flag"]


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
    """A value for some DAGs, or for some of their tasks; patterns as in a shell."""

    dag: str
    task: str = "*"
    key: str
    value: Any
    origin: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What a file says; ``file`` is None where there is none."""

    file: Path | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()


DAG_FIELDS = (
    Field(
        key="memory", kind="integer", minimum=128, maximum=10_240, help="MB of the functions of these DAGs."
    ),
    Field(
        key="target", kind="text", choices=("lambda", "container"), help="Where the tasks of these DAGs run."
    ),
    Field(
        key="allow", kind="text", many=True, help="Findings that must not refuse these DAGs, such as OB206."
    ),
)
TASK_FIELDS = (
    Field(key="target", kind="text", choices=("lambda", "container"), help="Where these tasks run."),
    Field(key="allow", kind="text", many=True, help="Findings about these tasks that must not refuse a DAG."),
)
