"""Findings: what the translation has to say about a DAG, as values.

A finding is shown as ``id severity file:line dag.task message -> remedy`` and has a permanent id. The rules stand in
`rules.py`; every rule's meaning is fixed for ever, only its wording may improve.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import SourceSpan


class Severity(str, Enum):
    """How much a finding matters; an error refuses the DAG (or the file) it is about."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Verdict(str, Enum):
    """What became of the thing that the finding is about."""

    KEPT = "kept"
    APPROXIMATED = "approximated"
    REFUSED = "refused"
    UNACCOUNTED = "unaccounted"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to know about a DAG file, a DAG or a task.

    Attributes:
        id: Permanent id of the rule, such as ``OB101``.
        attribute: The Airflow argument it is about, or None.
        file: Path as the user would type it; ``line`` counts from 1, 0 where no line is known.
        dag_place: ``file:line`` of the DAG, for a finding about one of its tasks.
        allowed: True if the user has allowed it, which makes an error a warning and a warning a note.
    """

    id: str
    severity: Severity
    verdict: Verdict
    message: str
    remedy: str
    file: str
    line: int = 0
    dag_id: str | None = None
    task_id: str | None = None
    attribute: str | None = None
    dag_place: str | None = None
    allowed: bool = False

    @property
    def place(self) -> str:
        """``file:line``, or the file alone where no line is known."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def __str__(self) -> str:
        about = ".".join(part for part in (self.dag_id, self.task_id) if part)
        subject = f"{about} " if about else ""
        allowed = " (allowed)" if self.allowed else ""
        return (
            f"{self.id} {self.severity.value}{allowed} {self.place} {subject}{self.message} -> {self.remedy}"
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A kind of finding: its permanent id, how severe it is and what it decides.

    Attributes:
        if_allowed: What the translation does where the user allows an error; None for one that cannot be allowed,
            because there would be nothing to deploy. Warnings and notes can always be allowed.
    """

    id: str
    title: str
    severity: Severity
    verdict: Verdict
    if_allowed: str | None = None

    @property
    def can_be_allowed(self) -> bool:
        """Whether ``--allow`` takes this id."""
        return self.severity is not Severity.ERROR or self.if_allowed is not None

    def at(
        self,
        span: SourceSpan,
        message: str,
        remedy: str,
        *,
        dag_id: str | None = None,
        task_id: str | None = None,
        attribute: str | None = None,
    ) -> Finding:
        """Return the finding of this rule at a place in the user's source."""
        return Finding(
            id=self.id,
            severity=self.severity,
            verdict=self.verdict,
            message=message,
            remedy=remedy,
            file=span.file,
            line=span.line,
            dag_id=dag_id,
            task_id=task_id,
            attribute=attribute,
        )


def refuses(findings: tuple[Finding, ...]) -> bool:
    """Return True if one of the findings is an error."""
    return any(finding.severity is Severity.ERROR for finding in findings)
