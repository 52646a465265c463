"""What goes into a template and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import AssetCondition, Partitions, ScheduleKind

ScheduleState = Literal["ENABLED", "DISABLED"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionAsset:
    """A Lambda package that is to be uploaded.

    Attributes:
        logical: Prefix of its logical ids, ``Tasks`` gives ``TasksFunction``.
        key_hash: Hash of its file tree; its default S3 key is made of it.
        handler: ``module.function``.
        memory: MB.
        timeout: Seconds.
        packages: The number of the packages that its tasks have, None for those of the DAG.
    """

    logical: str
    key_hash: str
    handler: str
    memory: int
    timeout: int
    packages: int | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LayerAsset:
    """A Lambda layer with third-party packages that is to be uploaded."""

    key_hash: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Every how many minutes a run is due, counted from a moment (ISO 8601, UTC).

    Only where the expressions fire more often than the DAG runs: none can say "every 7 hours from there".
    """

    minutes: int
    anchor: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleView:
    """When AWS starts the DAG.

    Attributes:
        text: What the user wrote.
        expressions: EventBridge Scheduler expressions, read in ``timezone``; empty where nothing starts
            the DAG by itself.
        start: The first moment at which a run may start, ISO 8601 in UTC, or None.
        end: The last one, included, or None.
        period: A further condition on the moment, or None.
        events: Event patterns of EventBridge, each of which starts a run.
        assets: The assets whose events start runs, or None.
        partitions: How its runs get partition keys, or None.
        state: What the schedule is when it is created.
    """

    kind: ScheduleKind
    text: str
    expressions: tuple[str, ...] = ()
    timezone: str = "UTC"
    start: str | None = None
    end: str | None = None
    period: Period | None = None
    assets: AssetCondition | None = None
    partitions: Partitions | None = None
    state: ScheduleState = "ENABLED"
    events: tuple[dict[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the schedule as report.json has it; what few schedules have only where it is there."""
        left_out = {"period", "events", "assets", "partitions"}
        fields = {name: getattr(self, name) for name in self.__slots__ if name not in left_out}
        if self.events:
            fields["events"] = list(self.events)
        if self.period is not None:
            fields["period"] = {"minutes": self.period.minutes, "anchor": self.period.anchor}
        if self.assets is not None:
            fields["assets"] = self.assets.to_json()
        if self.partitions is not None:
            fields["partitions"] = self.partitions.to_json()
        return {**fields, "kind": self.kind.value, "expressions": list(self.expressions)}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The product of this stage.

    Attributes:
        template: A CloudFormation template as JSON values.
        definitions: Definitions of state machines that are not in the template, by their logical ids.
    """

    template: dict[str, Any]
    findings: tuple[Finding, ...]
    schedule: ScheduleView
    definitions: Mapping[str, dict[str, Any]] = field(default_factory=dict)
