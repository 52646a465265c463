"""From a seed to the plan of a DAG: the same seed and features always give the same plan.

    generate(7, Features()) -> DagPlan(dag_id="dag_7", ...)

Graphs are chains, fans, complete layers, N shapes and random ones; everything that a task can do is drawn for each task.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from random import Random
from typing import TYPE_CHECKING, Any, final

from airflow_model import TooManyOrdersError, possible_outcomes
from dag_plan import RETURN_VALUE, WITH_CODE, Argument, DagPlan, Pull, TaskPlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from dag_plan import Kind, Outcome

RULES = (
    "all_success",
    "all_failed",
    "all_done",
    "all_done_min_one_success",
    "all_skipped",
    "always",
    "none_failed",
    "none_failed_min_one_success",
    "none_skipped",
    "one_done",
    "one_failed",
    "one_success",
)
"""All but ``all_done_setup_success``, which is for teardowns."""
_ONLY_IN_3 = ("all_done_min_one_success",)
_VALUES: tuple[Any, ...] = (
    None,
    0,
    7,
    -1.5,
    2.0,
    True,
    False,
    "",
    "done",
    "grün ✓ 'quoted' \"twice\"\n",
    [1, "two", None],
    [],
    {"rows": 3, "names": ["a", "b"]},
    {"nested": {"deep": [{"x": 1}]}, "none": None},
    (1, (2, "three")),
    {1, 2, 3},
    2**60 + 1,
    datetime(2024, 2, 29, 12, 30, tzinfo=timezone.utc),
)
_WORDS = (None, 3, "ok", "two words")
"""Values whose text is the same in a template and in Python."""
_KEYS = ("rows", "path", "a key")
_MOST_PASSED_ON = 3


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What may occur in a generated DAG.

    Attributes:
        tasks: The least and the greatest number of tasks.
        rules: Trigger rules to draw from.
        trouble: How often a task does not simply succeed, from 0 to 1.
        setups: Setups and teardowns; a DAG that has them has no groups.
        fail_fast: The DAG stops at the first failure; its tasks stand in a row, for only then can it be translated.
    """

    tasks: tuple[int, int] = (2, 10)
    rules: tuple[str, ...] = RULES
    trouble: float = 0.35
    setups: bool = False
    fail_fast: bool = False
    groups: bool = True
    branches: bool = True
    short_circuits: bool = True
    retries: bool = True
    bash: bool = True
    taskflow: bool = True
    xcom: bool = True


def generate(seed: int, features: Features, *, major: int = 3) -> DagPlan:
    """Return the plan for a seed; DAGs with more orders than the model can try are drawn again."""
    if major < 3:
        features = replace(features, rules=tuple(rule for rule in features.rules if rule not in _ONLY_IN_3))
    for again in range(100):
        plan = _Generator(Random(f"{seed}/{again}"), features).plan(f"dag_{seed}")
        try:
            possible_outcomes(plan, major=major)
        except TooManyOrdersError:
            continue
        return plan
    raise AssertionError(f"no plan for seed {seed}")


class _Generator:
    def __init__(self, rng: Random, features: Features) -> None:
        self.rng = rng
        self.features = features

    def plan(self, dag_id: str) -> DagPlan:
        size = self.rng.randint(*self.features.tasks)
        pairs = self.graph(size)
        names = self.names(size)
        edges = [(names[before], names[after]) for before, after in pairs]
        tasks = tuple(TaskPlan(task_id=name, kind="empty") for name in names)
        plan = DagPlan(dag_id=dag_id, tasks=tasks, edges=tuple(edges), fail_fast=self.features.fail_fast)
        plan = replace(plan, edges=(*plan.edges, *self.group_edges(plan)))
        if self.features.setups and not plan.groups:
            plan = self.with_setups(plan)
        for task in plan.tasks:
            plan = plan.with_task(self.task(plan, task))
        return self.without_doubled_edges(plan)

    def with_setups(self, plan: DagPlan) -> DagPlan:
        """Make one or two tasks setups, most of them with a teardown further down."""
        names = [task.task_id for task in plan.tasks]
        for _ in range(self.rng.randint(1, 2)):
            first = self.rng.randrange(len(names))
            setup, later = names[first], names[first + 1 :]
            if plan.by_id[setup].role != "work":
                continue
            plan = plan.with_task(replace(plan.by_id[setup], role="setup"))
            if later and self.chance(0.8):
                teardown = self.rng.choice(later[len(later) // 2 :])
                if plan.by_id[teardown].role == "setup":
                    continue
                marked = replace(plan.by_id[teardown], role="teardown", fails_run=self.chance(0.3))
                pair = (setup, teardown)
                plan = replace(plan.with_task(marked), edges=tuple(dict.fromkeys((*plan.edges, pair))))
        return plan

    def chance(self, likelihood: float) -> bool:
        return self.rng.random() < likelihood

    # -- the graph

    def graph(self, size: int) -> list[tuple[int, int]]:
        if self.features.fail_fast:
            return sorted({*self.chain(size), *self.random_graph(size)})
        shapes: list[Callable[[int], list[tuple[int, int]]]] = [self.random_graph] * 4
        shapes += [self.chain, self.fan, self.layers, self.zigzag]
        return self.rng.choice(shapes)(size)

    def random_graph(self, size: int) -> list[tuple[int, int]]:
        """Each task has up to three parents, mostly near ones."""
        pairs = set()
        for after in range(1, size):
            for _ in range(self.rng.choice((0, 1, 1, 2, 2, 3))):
                nearest = max(0, after - 4) if self.chance(0.7) else 0
                pairs.add((self.rng.randrange(nearest, after), after))
        return sorted(pairs)

    def chain(self, size: int) -> list[tuple[int, int]]:
        return [(index, index + 1) for index in range(size - 1)]

    def fan(self, size: int) -> list[tuple[int, int]]:
        last = size - 1
        return sorted({(0, index) for index in range(1, last)} | {(index, last) for index in range(1, last)})

    def layers(self, size: int) -> list[tuple[int, int]]:
        """Every task of a layer is upstream of every task of the next."""
        layer = [0]
        for _ in range(1, size):
            layer.append(layer[-1] + (1 if self.chance(0.45) else 0))
        return [(a, b) for a in range(size) for b in range(a + 1, size) if layer[b] == layer[a] + 1]

    def zigzag(self, size: int) -> list[tuple[int, int]]:
        """An N shape, and longer ones: each task of the second half has two neighbours in the first."""
        half = size // 2
        pairs = {(index % max(half, 1), half + index) for index in range(size - half)}
        pairs |= {((index + 1) % half, half + index) for index in range(size - half) if half}
        return sorted((before, after) for before, after in pairs if before < after)

    # -- names and groups

    def names(self, size: int) -> list[str]:
        labels = [f"t{index}" for index in range(size)]
        if not self.features.groups or size < 3 or self.chance(0.5):
            return labels
        start = self.rng.randrange(size - 1)
        end = self.rng.randrange(start + 1, size) + 1
        prefixes = ["g1." if start <= index < end else "" for index in range(size)]
        if end - start > 2 and self.chance(0.5):
            inner = self.rng.randrange(start, end - 1)
            for index in range(inner, self.rng.randrange(inner + 1, end) + 1):
                prefixes[index] = "g1.inner." if index < end else prefixes[index]
        elif end < size - 1 and self.chance(0.5):
            prefixes[end:] = ["g2."] * (size - end)
        return [f"{prefix}{label}" for prefix, label in zip(prefixes, labels, strict=True)]

    def group_edges(self, plan: DagPlan) -> list[tuple[str, str]]:
        order = [task.task_id for task in plan.tasks]
        found = []
        for group in plan.groups:
            members = plan.members(group)
            before, after = order[: order.index(members[0])], order[order.index(members[-1]) + 1 :]
            if before and self.chance(0.5):
                found.append((self.rng.choice(before), group))
            if after and self.chance(0.5):
                later = [name for name in plan.groups if set(plan.members(name)) <= set(after)]
                found.append((group, self.rng.choice([*after, *later])))
        return found

    def without_doubled_edges(self, plan: DagPlan) -> DagPlan:
        """Drop edges that arguments make anyway, now and then."""
        given = {(argument.task_id, task.task_id) for task in plan.tasks for argument in task.arguments}
        kept = tuple(edge for edge in plan.edges if edge not in given or self.chance(0.2))
        lean = replace(plan, edges=kept)
        return lean if lean.upstream == plan.upstream else plan

    # -- tasks

    def task(self, plan: DagPlan, task: TaskPlan) -> TaskPlan:
        task = replace(task, kind=self.kind(plan, task), rule=self.rule(plan, task))
        if task.kind == "empty":
            return task
        task = replace(task, outcome=self.outcome())
        if self.features.retries and (task.outcome == "flaky" or self.chance(0.15)):
            task = replace(task, retries=self.rng.choice((0, 1, 1, 2)))
        if task.kind == "bash":
            return self.bash(plan, task)
        task = replace(
            task, taskflow=task.kind == "taskflow" or (self.features.taskflow and self.chance(0.4))
        )
        if task.kind == "operator":
            task = replace(task, taskflow=False)
        task = self.with_xcom(plan, task) if self.features.xcom else replace(task, value=7)
        if task.kind == "branch":
            return replace(task, chooses=self.choice(plan, task))
        if task.kind == "short_circuit":
            return replace(task, holds=self.chance(0.35), cascades=self.chance(0.6))
        return task

    def kind(self, plan: DagPlan, task: TaskPlan) -> Kind:
        weights: dict[Kind, int] = {"python": 6, "operator": 2, "empty": 4}
        weights["taskflow"] = 6 * self.features.taskflow
        weights["bash"] = 1 * self.features.bash
        if plan.downstream[task.task_id] and task.role == "work":
            weights["branch"] = 3 * self.features.branches
            weights["short_circuit"] = 2 * self.features.short_circuits
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def rule(self, plan: DagPlan, task: TaskPlan) -> str:
        if task.role == "teardown":
            return "all_done_setup_success"
        if any(plan.by_id[name].role == "setup" for name in plan.upstream[task.task_id]):
            return "all_success"  # Airflow refuses any other rule right after a setup
        if self.features.fail_fast:
            return "all_success"  # and here as well
        several = len(plan.upstream[task.task_id]) > 1
        return self.rng.choice(self.features.rules) if self.chance(0.6 if several else 0.3) else "all_success"

    def outcome(self) -> Outcome:
        if not self.chance(self.features.trouble):
            return "success"
        troubles: list[Outcome] = ["skip", "skip", "fail", "fail", "fail_for_good"]
        return self.rng.choice(troubles + (["flaky", "flaky"] if self.features.retries else []))

    def choice(self, plan: DagPlan, task: TaskPlan) -> str | tuple[str, ...] | None:
        direct = plan.downstream[task.task_id]
        groups = [after for before, after in plan.edges if before == task.task_id and after in plan.groups]
        further = sorted(plan.below[task.task_id] - set(direct))
        if groups and self.chance(0.6):
            return groups[0] if self.chance(0.7) else (groups[0], self.rng.choice(direct))
        if further and self.chance(0.1):
            return self.rng.choice(further)
        if self.chance(0.12):
            return None
        if self.chance(0.6):
            return self.rng.choice(direct)
        return tuple(sorted(self.rng.sample(direct, self.rng.randint(0, len(direct)))))

    def bash(self, plan: DagPlan, task: TaskPlan) -> TaskPlan:
        sources = [name for name in sorted(plan.above[task.task_id]) if _is_word(plan.by_id[name])]
        pulls = (Pull(task_ids=(self.rng.choice(sources),)),) if sources and self.chance(0.7) else ()
        # a command that fails is always tried again
        outcome: Outcome = "fail" if task.outcome == "fail_for_good" else task.outcome
        return replace(task, value=self.rng.choice(("one", "two three")), pulls=pulls, outcome=outcome)

    # -- XComs

    def with_xcom(self, plan: DagPlan, task: TaskPlan) -> TaskPlan:
        value = self.rng.choice(_WORDS if self.chance(0.4) else _VALUES)
        multiple = task.kind == "taskflow" and isinstance(value, dict) and self.chance(0.7)
        pushes = tuple((key, self.rng.choice(_VALUES)) for key in _KEYS if self.chance(0.12))
        task = replace(
            task,
            value=value,
            multiple_outputs=multiple,
            pushes=pushes,
            pushes_result=not self.chance(0.06),
            pulls=self.pulls(plan, task),
            arguments=self.task_arguments(plan, task),
        )
        inputs = [name for pull in task.pulls for name in pull.task_ids] + [
            one.task_id for one in task.arguments
        ]
        depth = 1 + max((_depth(plan, name) for name in inputs), default=0)
        ordinary = task.kind in ("python", "taskflow", "operator")
        return replace(task, passes_on=ordinary and bool(inputs) and depth <= _MOST_PASSED_ON)

    def pulls(self, plan: DagPlan, task: TaskPlan) -> tuple[Pull, ...]:
        above = sorted(plan.above[task.task_id])
        found: list[Pull] = []
        while above and self.chance(0.4) and len(found) < 3:
            key = self.rng.choice(_KEYS) if self.chance(0.3) else RETURN_VALUE
            several = self.chance(0.35)
            count = self.rng.randint(1, min(3, len(above))) if several else 1
            found.append(Pull(task_ids=tuple(self.rng.sample(above, count)), key=key, listed=several))
        return tuple(found)

    def task_arguments(self, plan: DagPlan, task: TaskPlan) -> tuple[Argument, ...]:
        direct = plan.upstream[task.task_id]
        if not task.taskflow or not direct or self.chance(0.4):
            return ()
        chosen = self.rng.sample(direct, self.rng.randint(1, min(2, len(direct))))
        return tuple(Argument(task_id=name, key=self.key_of(plan.by_id[name])) for name in chosen)

    def key_of(self, source: TaskPlan) -> str:
        keys = [key for key, _ in source.pushes]
        keys += list(source.value) if source.multiple_outputs and not source.passes_on else []
        return self.rng.choice(keys) if keys and self.chance(0.5) else RETURN_VALUE


def _depth(plan: DagPlan, name: str) -> int:
    task = plan.by_id[name]
    if not task.passes_on:
        return 0
    inputs = [other for pull in task.pulls for other in pull.task_ids] + [
        one.task_id for one in task.arguments
    ]
    return 1 + max(_depth(plan, other) for other in inputs)


def _is_word(task: TaskPlan) -> bool:
    if task.kind in ("empty", "short_circuit"):
        return True
    return task.kind in WITH_CODE and task.kind != "branch" and not task.passes_on and task.value in _WORDS
