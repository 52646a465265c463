"""The nodes of the representation: frozen, final and flat; a variant is a field, not a subclass.

Times are ISO 8601 strings with an offset, durations are seconds, paths are POSIX and relative to the DAG folder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, final

# cattrs looks the annotations up
from orkestra_bridge.ir.places import Container, Image, Interpreter, Packages  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Collection

JsonValue = Any
"""A value that `json.dumps` can write: None, bool, int, float, str, list or dict with str keys."""


@final
@dataclass(frozen=True, slots=True)
class SourceSpan:
    """A place in the user's source; ``line`` counts from 1, 0 where it is not known."""

    file: str
    line: int = 0


class ScheduleKind(str, Enum):
    """What starts a run."""

    NONE = "none"
    ONCE = "once"
    CRON = "cron"
    DELTA = "delta"
    CONTINUOUS = "continuous"
    ASSET = "asset"
    CUSTOM = "custom"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AssetCondition:
    """An asset, an alias of assets, or several of them that a schedule combines.

    Attributes:
        kind: ``asset``, ``alias``, or ``any`` and ``all`` of what is in ``of``.
        name: Of the asset or the alias; empty where only the URI is known (Airflow 2, references).
        uri: Normalised by Airflow; empty where only the name is known.
        watchers: Names of the watchers that make events of the asset.
        arguments: Its other arguments that differ from Airflow's defaults; they do not make it another asset.
    """

    kind: str
    name: str = ""
    uri: str = ""
    watchers: tuple[str, ...] = ()
    of: tuple[AssetCondition, ...] = ()
    arguments: tuple[Attribute, ...] = field(default=(), compare=False)

    @property
    def keys(self) -> tuple[str, ...]:
        """Return by which keys its events are known: by name and URI, since an active asset has one of each."""
        if self.kind == "alias":
            return (f"alias {self.name}",)
        named = (f"name {self.name}",) if self.name else ()
        return (*((f"uri {self.uri}",) if self.uri else ()), *named)

    @property
    def leaves(self) -> tuple[AssetCondition, ...]:
        """Return the assets and aliases in it, each once, in order."""
        if self.kind in ("asset", "alias"):
            return (self,)
        return tuple(dict.fromkeys(leaf for member in self.of for leaf in member.leaves))

    def holds(self, arrived: Collection[str]) -> bool:
        """Return True if events with these keys satisfy it (`airflow.assets.evaluation.AssetEvaluator`)."""
        if self.kind in ("asset", "alias"):
            return any(key in arrived for key in self.keys)
        held = [member.holds(arrived) for member in self.of]
        return all(held) if self.kind == "all" else any(held)

    def touched_by(self, keys: Collection[str]) -> bool:
        """Return True if an event with these keys is about one of the assets."""
        return any(leaf.holds(keys) for leaf in self.leaves)

    def to_json(self) -> JsonValue:
        """Return it as people read it: by ``any`` or ``all`` a list, by ``asset`` a URI, by ``alias`` a name."""
        if self.kind in ("any", "all"):
            return {self.kind: [member.to_json() for member in self.of]}
        return {self.kind: self.uri or self.name}

    @property
    def needs_memory(self) -> bool:
        """Return True if one event may not be enough, so that those before it have to be remembered."""
        return not all(self.holds(leaf.keys) for leaf in self.leaves)


class PartitionedBy(str, Enum):
    """What decides to which partition a run belongs."""

    CRON = "cron"
    ASSETS = "assets"
    RUNTIME = "runtime"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Partitions:
    """How the runs of a DAG get their partition keys (Airflow 3.2 and later).

    Attributes:
        by: The tick of the cron, the events of assets, or whoever starts the run.
        key_format: For strftime, in the schedule's time zone, if ``by`` is cron.
        offset: By how many ticks the partition is later than the tick that starts the run.
        mappers: The classes that make a run's key of those of the assets, if ``by`` is assets. They are used in Python.
        rollup: True if one of them lets a run wait for several partitions of an asset.
    """

    by: PartitionedBy
    key_format: str = ""
    offset: int = 0
    mappers: tuple[str, ...] = ()
    rollup: bool = False

    def to_json(self) -> dict[str, JsonValue]:
        """Return it as people read it: what decides, and how the key is made."""
        if self.by is PartitionedBy.CRON:
            return {"by": self.by.value, "key_format": self.key_format, "offset": self.offset}
        mappers: dict[str, JsonValue] = {"mappers": list(self.mappers)} if self.mappers else {}
        return {"by": self.by.value, **mappers}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a DAG runs, read from its timetable.

    Attributes:
        expressions: Cron expressions (presets already expanded) if ``kind`` is cron; several for MultipleCronTrigger.
        seconds: The period if ``kind`` is delta and it is a fixed one.
        timezone: IANA name of the zone in which the cron is read.
        data_interval: True where the run that starts at tick n covers [n-1, n] and has n-1 as its logical date
            (Airflow 2's CronDataInterval and DeltaDataInterval timetables); False where logical date, start and end
            are all the tick.
        text: What the user wrote, for people.
        assets: The assets whose events start runs if ``kind`` is asset; beside ``expressions`` if it has both.
        attributes: Further arguments of the timetable that differ from its defaults.
        partitions: How its runs get partition keys, None if they have none.
    """

    kind: ScheduleKind = ScheduleKind.NONE
    expressions: tuple[str, ...] = ()
    seconds: float | None = None
    timezone: str = "UTC"
    data_interval: bool = False
    text: str = "None"
    assets: AssetCondition | None = None
    attributes: tuple[Attribute, ...] = ()
    partitions: Partitions | None = None

    @property
    def maps_partitions(self) -> bool:
        """Return True if partition mappers make the keys of its runs of those of asset events."""
        return self.partitions is not None and self.partitions.by is PartitionedBy.ASSETS


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Airflow's retry arguments. ``backoff`` is the multiplier, 1.0 for a constant delay.

    ``policy`` is True if a retry_policy of the user's decides at each failure, in Python.
    """

    attempts: int = 0
    delay: float = 300.0
    backoff: float = 1.0
    max_delay: float | None = None
    policy: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An argument of a DAG or task that differs from Airflow's default.

    Attributes:
        value: The value if JSON can carry it, else its repr without addresses.
        inherited: True if it came from default_args.
        of_class: True for an argument of the operator's class, False for one that every operator has.
    """

    name: str
    value: JsonValue
    inherited: bool = False
    of_class: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """What a mapped task or a mapped task group is expanded over.

    Attributes:
        over: Ids of the tasks whose results decide how many instances there are, sorted.
        length: The number of instances, or None where it is known only when those tasks have finished.
        most: How many instances a product of several arguments may have then, by Airflow's default limit for each; None
            for a single argument.
    """

    over: tuple[str, ...] = ()
    length: int | None = None
    most: int | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """How a task looks for what it waits for; times in seconds.

    Attributes:
        interval: From one poke to the next.
        timeout: From the first poke until it gives up.
        exponential: True if the interval grows.
        resumes: True if the task is no sensor but goes on from where it was: it waits for another run, or defers.
    """

    interval: float = 60.0
    timeout: float = 604_800.0
    exponential: bool = False
    resumes: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MappedGroup:
    """A task group made by ``expand``; ``parent`` is the mapped group around it, which Airflow hardly supports."""

    group_id: str
    expansion: Expansion
    parent: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGroup:
    """A task group that was given more than its place; its default_args have already reached its tasks."""

    group_id: str
    span: SourceSpan
    attributes: tuple[Attribute, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the configuration gives a task, its own values before those of the DAG.

    Attributes:
        memory: MB, or None.
        timeout: Seconds that a try may take, or None.
        packages: What it may import besides what its DAG has, or None.
        imports: False if nothing of the task's can import anything, so that packages are of no use to it.
        own: True if a value is the task's own: it has a function beside that of the DAG then.
    """

    memory: int | None = None
    timeout: int | None = None
    packages: Packages | None = None
    imports: bool = True
    own: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One Airflow task.

    Attributes:
        operator: Class name, such as ``PythonOperator``.
        bases: Qualified names of the class and its ancestors, most derived first, without ``object``.
        decorator: ``@task``, ``@task.branch``... where the TaskFlow API made it, else None.
        upstream: Direct upstream task ids, sorted.
        execution_timeout: Seconds, or None.
        ignore_downstream_trigger_rules: ShortCircuit only.
        mapped: True if it was made by ``expand``, or belongs to a task group that was.
        expansion: What it is expanded over itself; None for a task that was not made by ``expand``.
        mapped_group: Id of the innermost mapped task group around it.
        max_active: How many instances of it may run at once in one run; None for no limit.
        inlets, outlets: The assets among them, in order; the task makes an event of each outlet when it succeeds.
        polling: How it waits, if it is a sensor or may wait without being one.
        calls: The other DAG that it starts or waits for, as it was given: it may be a template.
        image: The image of the user's that it runs in, if its operator starts one.
        interpreter: What the interpreter has that its function runs with, if it names one that is here.
        container: Set where it does not run in the DAG's function (`passes/placement.py`).
        given: What the configuration gives it (`passes/configured.py`), or None.
    """

    task_id: str
    operator: str
    bases: tuple[str, ...]
    span: SourceSpan
    decorator: str | None = None
    upstream: tuple[str, ...] = ()
    trigger_rule: str = "all_success"
    retry: Retry = field(default_factory=Retry)
    execution_timeout: float | None = None
    ignore_downstream_trigger_rules: bool = True
    mapped: bool = False
    expansion: Expansion | None = None
    mapped_group: str | None = None
    max_active: int | None = None
    is_setup: bool = False
    is_teardown: bool = False
    on_failure_fail_dagrun: bool = False
    inlets: tuple[AssetCondition, ...] = ()
    outlets: tuple[AssetCondition, ...] = ()
    polling: Polling | None = None
    calls: str | None = None
    image: Image | None = None
    group: str | None = None
    doc: str | None = None
    attributes: tuple[Attribute, ...] = ()
    interpreter: Interpreter | None = None
    container: Container | None = None
    given: Given | None = None

    @property
    def asks_to_wait(self) -> bool:
        """True if the function says how long to wait: until another poke, or until another try."""
        return self.polling is not None or self.tries_by_policy

    @property
    def tries_by_policy(self) -> bool:
        """True if the function decides about another try, and when it is made."""
        return self.retry.policy and self.retry.attempts > 0 and self.container is None

    @property
    def packages(self) -> Packages | None:
        """What the configuration lets it import besides what its DAG has, or None."""
        return self.given.packages if self.given and self.given.imports else None

    @property
    def limit(self) -> float | None:
        """Seconds that a try may take: the shorter of execution_timeout and what the configuration gives, or None."""
        given = self.given.timeout if self.given else None
        return min((each for each in (self.execution_timeout, given) if each is not None), default=None)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A name that a DAG looks up, and where; ``line`` is 0 where only the file is known."""

    name: str
    file: str
    line: int = 0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownNeed:
    """A look-up whose name is only known at run time; ``kind`` is ``variables`` or ``connections``."""

    kind: str
    file: str
    line: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a DAG needs of its surroundings, sorted by name, and look-ups under names that are not known.

    Of Secrets and ConfigMaps of Kubernetes, a name is ``NAME/KEY``.
    """

    variables: tuple[Need, ...] = ()
    connections: tuple[Need, ...] = ()
    environment: tuple[Need, ...] = ()
    kubernetes_secrets: tuple[Need, ...] = ()
    kubernetes_configmaps: tuple[Need, ...] = ()
    unknown: tuple[UnknownNeed, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ContextRead:
    """A place that reads a key of the context that Airflow has in its database.

    Attributes:
        key: The key, such as ``inlet_events``.
        task_id: The task whose code or template it is; None for a callback of the DAG.
        attribute: The argument whose template reads it; None where it is code.
    """

    key: str
    span: SourceSpan
    task_id: str | None = None
    attribute: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """One DAG, with everything that the later stages need.

    Attributes:
        span: The DAG file, relative to the DAG folder, and the line of the DAG.
        airflow_version: The Airflow that parsed it; decides the semantics of dates and of the XCom of skipping tasks.
        params: The DAG's params with their default values.
        tasks: In topological order, ties in order of definition.
        mapped_groups: The task groups made by ``expand``, sorted by id.
        groups: Task groups with arguments that differ from the defaults, sorted by id.
        unused_default_args: Names in the DAG's default_args that no task takes.
        files: Template files that tasks read and data files that loading reads, relative to the DAG folder.
        inline_limit: Bytes of XComs that may stay in a task instance's entry of the ledger (`lowering/payload.py`).
        error_limit: Characters of an error that may.
        archived: For each part whose entries are put away when it ends, the tasks of which it has them.
        variables, connections: Names that were looked up while parsing.
        made_up: What was made up to load it, such as ``variable bucket``; it is not the user's DAG then.
        events: Event patterns of EventBridge that start runs, from the configuration.
        needs: What it needs when it runs; from the frontend, what its tasks' arguments and templates name.
        context_reads: Where its code and templates read keys of the context that want a table on AWS.
    """

    dag_id: str
    span: SourceSpan
    airflow_version: str
    schedule: Schedule
    tasks: tuple[Task, ...]
    description: str | None = None
    tags: tuple[str, ...] = ()
    start_date: str | None = None
    end_date: str | None = None
    catchup: bool = False
    paused: bool | None = None
    max_active_runs: int = 16
    dagrun_timeout: float | None = None
    params: dict[str, JsonValue] = field(default_factory=dict)
    render_native: bool = False
    mapped_groups: tuple[MappedGroup, ...] = ()
    groups: tuple[TaskGroup, ...] = ()
    unused_default_args: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    files: tuple[str, ...] = ()
    inline_limit: int = 8_192
    error_limit: int = 16_000
    archived: tuple[tuple[str, ...], ...] = ()
    variables: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    needs: Needs = field(default_factory=Needs)
    context_reads: tuple[ContextRead, ...] = ()
    made_up: tuple[str, ...] = ()
    events: tuple[JsonValue, ...] = ()

    def task(self, task_id: str) -> Task:
        """Return the task with this id; raises KeyError if there is none."""
        return _index(self.tasks)[task_id]


_Tasks = tuple[Task, ...]
_indexes: list[tuple[_Tasks, dict[str, Task]]] = []
"""Of the last few workflows: DAGs have thousands of tasks, and each is looked up many times."""


def _index(tasks: _Tasks) -> dict[str, Task]:
    for known, index in _indexes:
        if known is tasks:
            return index
    made = {task.task_id: task for task in tasks}
    _indexes.insert(0, (tasks, made))
    del _indexes[8:]
    return made
