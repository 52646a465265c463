"""From a seed to the text of a DAG with mapped tasks and task groups: the same seed always gives the same DAG.

    written(range(20)) -> the source of a DAG file with the DAGs mapped_0 ... mapped_19

Every task returns what follows from its arguments, so that states, tries and XComs of all instances are comparable. Where
Airflow itself may end in several ways, for a skip and a failure race, `is_race` says so of an outcome.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random
from textwrap import indent
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RULES = (
    "all_done",
    "all_failed",
    "all_skipped",
    "none_failed",
    "none_failed_min_one_success",
    "none_skipped",
    "one_failed",
    "one_success",
)
_EARLY = ("one_success", "one_failed", "one_done")
_SKIPS = re.compile("Branch|ShortCircuit")
_IN_GROUPS = ("all_done", "none_failed", "none_skipped", "all_failed")
"""Rules for tasks of any mapped group; `_EARLY` ones are reported to differ where the length is not known (OB343)."""

HEAD = '''
import datetime

from airflow.decorators import dag, task, task_group
from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.models.dag import DAG
from airflow.operators.empty import EmptyOperator
from airflow.utils.task_group import TaskGroup

COMMON = {"schedule": None, "start_date": datetime.datetime(2024, 1, 1), "catchup": False}


def act(trouble, ti, value):
    """End as planned for this map index, -1 for a task that is not mapped; return the value."""
    for index, how in trouble:
        if index != ti.map_index:
            continue
        if how == "fail":
            raise ValueError("meant to fail")
        if how == "fail_for_good":
            raise AirflowFailException("meant to fail for good")
        if how == "skip":
            raise AirflowSkipException("nothing to do")
        if how == "flaky" and ti.try_number == 1:
            raise RuntimeError("the first try fails")
    return value
'''


@final
@dataclass(slots=True)
class _Node:
    """What later tasks can stand behind or expand over.

    Attributes:
        name: The Python name of the task or group; ``value`` that of its output, None if it has none.
        items: What one item of the output looks like: ``int``, ``dict``, or nothing if it cannot be expanded over.
    """

    name: str
    value: str | None = None
    items: str = ""
    mapped: bool = False


@final
@dataclass(slots=True)
class _Writer:
    rng: Random
    dag_id: str
    troubles: tuple[str, ...]
    nodes: list[_Node] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    count: int = 0

    def write(self) -> str:
        self.source()
        kinds = [self.mapped] * 5 + [self.group] * 3 + [self.plain] * 2 + [self.reduced] * 2
        kinds += [self.empty] * 2 + [self.branch, self.source, self.stop]
        for _ in range(self.rng.randint(2, 4)):
            self.rng.choice(kinds)()
        body = indent("\n".join(self.lines), "    ")
        return f"\n\nwith DAG({self.dag_id!r}, **COMMON):\n{body}\n"

    # -- single tasks

    def source(self) -> None:
        """Write a task that returns a list, at times an empty one or nothing."""
        kind = self.rng.choice(["int", "int", "dict"])
        length = self.rng.choice([0, 1, 2, 3, 3])
        items: list[Any] = [self.rng.randint(1, 9) for _ in range(length)]
        if kind == "dict":
            items = [{"x": item, "y": number} for number, item in enumerate(items)]
        value = "None" if self.chance(0.05) else repr(items)
        name = self.task(f"return act({self.trouble([-1], 0.2)}, ti, {value})")
        self.add(_Node(name, f"{name}_out", kind), f"{name}_out = {name}()")

    def plain(self) -> None:
        name = self.task(f"return act({self.trouble([-1], 0.3)}, ti, 7)", rule=self.rule())
        self.add(_Node(name, f"{name}_out"), f"{name}_out = {name}()")
        self.behind(name)

    def empty(self) -> None:
        name = self.name()
        rule = f", trigger_rule={self.rule()!r}"
        self.add(_Node(name), f"{name}_out = EmptyOperator(task_id={name!r}{rule})")
        self.behind(name)

    def reduced(self) -> None:
        """Write a task that takes what all instances of a mapped one have returned."""
        mapped = [node for node in self.nodes if node.mapped and node.value]
        if not mapped:
            self.mapped()
            return
        chosen = self.rng.choice(mapped)
        trouble = self.trouble([-1], 0.2)
        name = self.task(f"return act({trouble}, ti, list(x))", parameters="x", rule=self.rule())
        self.add(_Node(name, f"{name}_out"), f"{name}_out = {name}({chosen.value})")

    def branch(self) -> None:
        """Write a branch into some of what comes next, groups among it."""
        name = self.name()
        before = len(self.nodes)
        for kind in (self.group, self.rng.choice([self.plain, self.mapped, self.empty])):
            kind()
        arms = [node.name for node in self.nodes[before:]]
        chosen = self.rng.choice([arms[:1], arms[-1:], arms, []])
        lines = [f"@task.branch(task_id={name!r})", f"def {name}():", f"    return {chosen!r}"]
        self.lines += [*lines, f"{name}_out = {name}()"]
        self.lines += [f"{name}_out >> {arm}_out" for arm in arms]

    def stop(self) -> None:
        """Write a short circuit that leaves the trigger rules below its direct downstream tasks alone."""
        name = self.name()
        condition = self.chance(0.4)
        self.lines += [
            f"@task.short_circuit(task_id={name!r}, ignore_downstream_trigger_rules=False)",
            f"def {name}():",
            f"    return {condition}",
            f"{name}_out = {name}()",
        ]
        self.rng.choice([self.mapped, self.group, self.plain])()
        self.lines.append(f"{name}_out >> {self.nodes[-1].name}_out")

    # -- mapped tasks and groups

    def mapped(self) -> None:
        trouble = self.trouble([0, 1, 2], 0.5)
        keyword, given, parameters = self.expansion()
        value = {"x": "x + 1 if isinstance(x, int) else 1", "x, y": "[x, y]"}[parameters]
        name = self.task(f"return act({trouble}, ti, {value})", parameters=parameters, rule=self.rule(0.3))
        if keyword == "expand_kwargs" or parameters == "x" or self.chance(0.5):
            made = f"{name}.{keyword}({given})"
        else:
            made = f"{name}.partial(y=5).expand(x=[1, 2])"
        numbers = "int" if parameters == "x" else ""
        self.add(_Node(name, f"{name}_out", numbers, mapped=True), f"{name}_out = {made}")
        if self.chance(0.4):
            self.behind(name)

    def expansion(self) -> tuple[str, str, str]:
        """Return the method, its arguments, and the parameters of the function that is expanded."""
        dicts = [node for node in self.nodes if node.items == "dict"]
        lists = [node for node in self.nodes if node.items == "int"]
        if dicts and self.chance(0.4):
            return "expand_kwargs", str(self.rng.choice(dicts).value), "x, y"
        if lists and self.chance(0.6):
            over = str(self.rng.choice(lists).value)
            return (
                ("expand", f"x={over}, y=[1, 2]", "x, y")
                if self.chance(0.2)
                else ("expand", f"x={over}", "x")
            )
        if self.chance(0.25):
            return "expand", "x=[1, 2], y=[10, 20]", "x, y"
        return "expand", f"x={self.rng.choice([[], [4], [4, 5], [4, 5, 6]])}", "x"

    def group(self) -> None:
        """Write a task group, mapped or within another plain one, with up to three tasks."""
        name = self.name("g")
        if self.chance(0.25):
            self.plain_group(name)
            return
        lists = [node for node in self.nodes if node.items == "int"]
        over = str(self.rng.choice(lists).value) if lists and self.chance(0.6) else "[4, 5, 6]"
        rules = _IN_GROUPS if over.isidentifier() else (*_IN_GROUPS, *_EARLY)
        inside: list[str] = []
        size = self.rng.randint(1, 3)
        # what comes after the group comes after the task between
        with_setup = size > 2 and Random(f"{self.dag_id} {name}").random() < 0.5
        for number in range(size):
            rule = self.rng.choice(rules) if number and self.chance(0.4) else "all_success"
            # Airflow refuses any other rule right after a setup
            inside += self.member(number, "all_success" if with_setup else rule)
        if with_setup:
            inside += ["m0_out.as_setup()", "m2_out.as_teardown(setups=m0_out)"]
        self.lines += [
            f"@task_group(group_id={name!r})",
            f"def {name}(x):",
            indent("\n".join([*inside, f"return m{int(with_setup)}_out"]), "    "),
        ]
        self.add(_Node(name, f"{name}_out", "", mapped=True), f"{name}_out = {name}.expand(x={over})")
        if self.chance(0.3):
            self.behind(name)

    def member(self, number: int, rule: str) -> list[str]:
        name, before = f"m{number}", f"m{self.rng.randrange(number)}" if number else None
        if number and self.chance(0.3):
            return [
                f"empty = EmptyOperator(task_id={name!r}, trigger_rule={rule!r})",
                f"{before}_out >> empty",
                f"{name}_out = empty.output",
            ]
        trouble = self.trouble([0, 1, 2], 0.4)
        given = f"{before}_out" if before and self.chance(0.6) else "x"
        options = f"task_id={name!r}, trigger_rule={rule!r}, retries=1, retry_delay=datetime.timedelta(0)"
        lines = [
            f"@task({options})",
            f"def {name}(x, ti=None):",
            f"    return act({trouble}, ti, x if x is None else 2 * x)",
            f"{name}_out = {name}({given})",
        ]
        return lines if before is None else [*lines, f"{before}_out >> {name}_out"]

    def plain_group(self, name: str) -> None:
        """Write a group within a group; the inner task is mapped."""
        inner = self.name("h")
        trouble = self.trouble([0, 1], 0.4)
        self.lines += [
            f"with TaskGroup({name!r}) as {name}_out:",
            f"    with TaskGroup({inner!r}):",
            "        @task",
            "        def inside(x, ti=None):",
            f"            return act({trouble}, ti, x)",
            "        inside.expand(x=[1, 2]) >> EmptyOperator(task_id='after')",
        ]
        self.nodes.append(_Node(name))
        self.behind(name)

    # -- parts

    def task(self, body: str, *, parameters: str = "", rule: str = "all_success") -> str:
        name = self.name()
        given = f"{parameters}, ti=None" if parameters else "ti=None"
        options = [f"task_id={name!r}"]
        if rule != "all_success":
            options.append(f"trigger_rule={rule!r}")
        if "flaky" in body or self.chance(0.1):
            options.append("retries=1, retry_delay=datetime.timedelta(0)")
        self.lines += [f"@task({', '.join(options)})", f"def {name}({given}):", f"    {body}"]
        return name

    def behind(self, name: str) -> None:
        """Put a task or group behind one or two earlier ones."""
        earlier = [node for node in self.nodes if node.name != name]
        for node in self.rng.sample(earlier, min(len(earlier), self.rng.choice([1, 1, 2]))):
            self.lines.append(f"{node.name}_out >> {name}_out")

    def add(self, node: _Node, line: str) -> None:
        self.nodes.append(node)
        self.lines.append(line)

    def name(self, prefix: str = "t") -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def chance(self, likelihood: float) -> bool:
        return self.rng.random() < likelihood

    def rule(self, often: float = 0.6) -> str:
        return self.rng.choice(RULES) if self.chance(often) else "all_success"

    def trouble(self, indexes: list[int], often: float) -> str:
        """Return pairs of map index and ending."""
        if not self.chance(often):
            return "()"
        chosen = self.rng.sample(indexes, self.rng.randint(1, min(2, len(indexes))))
        return repr(tuple((index, self.rng.choice(self.troubles)) for index in chosen))


def written(seeds: Iterable[int]) -> str:
    """Return the source of a DAG file with a DAG for each seed."""
    return HEAD + "".join(_written(seed) for seed in seeds)


def _written(seed: int) -> str:
    rng = Random(f"mapped/{seed}")
    # a DAG with one kind of trouble only has fewer races
    troubles = rng.choice([("fail", "fail_for_good", "flaky"), ("skip",), ("skip", "fail", "flaky")])
    return _Writer(rng, f"mapped_{seed}", troubles).write()


def is_race(workflow: Mapping[str, Any], outcome: Mapping[str, Any]) -> bool:
    """Return True if a skip and a failure have met before a task that the first of them decides about.

    So have a branch and another task before one that starts early: it may have started before the branch skips it.

    Args:
        workflow: The DAG as `convert` writes it (``workflow.json``).
        outcome: ``tasks`` by instance, as Airflow left them.
    """
    states: dict[str, set[str]] = {}
    for key, instance in outcome["tasks"].items():
        states.setdefault(key.partition("[")[0], set()).add(instance["state"])
    skipping = {task["task_id"] for task in workflow["tasks"] if _SKIPS.search(task["operator"])}
    for task in workflow["tasks"]:
        if task["trigger_rule"] in _EARLY and 0 < len(skipping & set(task["upstream"])) < len(
            task["upstream"]
        ):
            return True
        seen = set().union(*(states.get(name, set()) for name in task["upstream"]))
        failed = seen & {"failed", "upstream_failed"}
        if failed and "skipped" in seen | states.get(task["task_id"], set()):
            return True
    return False
