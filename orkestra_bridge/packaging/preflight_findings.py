"""What the answer of the preflight process means, as findings with place and remedy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orkestra_bridge.diagnostics import Rule
from orkestra_bridge.ir.model import SourceSpan
from orkestra_bridge.packaging import rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.frontend.model import DagFile
    from orkestra_bridge.ir.model import Workflow

MESSAGE_LIMIT = 300
"""Characters of a user's exception that a finding quotes."""

IN_FUNCTION = (
    "import it inside the function that needs it if no translated task runs that, "
    "or use plain Python, boto3 or the client library of the service instead"
)
COPY_EXAMPLE = "copy the example's module into the DAG folder, and import it from there by its own name"
SAME_CLASS = (
    "use an operator that is translated, or a class of your own that does not depend on where it is loaded"
)
FROM_THE_DAG_FILE = 'keep it below the DAG folder and name it from the file: Path(__file__).parent / "..."'
CONDITIONAL = "build the DAG from its file, Variables and connections only, so that it is the same everywhere"


def findings_of(answer: dict[str, Any], workflow: Workflow, file: DagFile) -> tuple[Finding, ...]:
    """Return the findings about one package, none if it loads as Airflow saw it."""
    return tuple(_Reader(workflow, file).read(answer))


Said = tuple[Rule, str, str]
"""A rule with its message and remedy."""


def _exits(error: dict[str, Any], _hidden: Callable[[str], str]) -> Said | None:
    if error["type"] != "SystemExit":
        return None
    message = f"it calls sys.exit({error['message']}) while it is loaded"
    return rules.LOAD_EXITS, message, "remove the call; raise an exception in a task instead"


def _lacks_variable(error: dict[str, Any], _hidden: Callable[[str], str]) -> Said | None:
    name = error["variable"]
    if not name:
        return None
    message = f"while it is loaded it needs the environment variable {name}, which the function lacks"
    remedy = f'set it in the file that --env-file names, or give a default with os.environ.get("{name}", ...)'
    return rules.MISSING_VARIABLE, message, remedy


def _lacks_in_facade(error: dict[str, Any], _hidden: Callable[[str], str]) -> Said | None:
    if not error["facade"]:
        return None
    message = f"the package's airflow has no {error['facade']}; it is not the whole of Airflow"
    example = f"{error['facade']}.".startswith("airflow.example_dags.")
    return rules.FACADE_LACKS, message, COPY_EXAMPLE if example else IN_FUNCTION


def _cannot_import(error: dict[str, Any], _hidden: Callable[[str], str]) -> Said | None:
    if not error["import"] and error["type"] not in ("ImportError", "ModuleNotFoundError"):
        return None
    top = str(error["import"] or "the module").partition(".")[0]
    remedy = f"import {top} by its plain name in the DAG file, so that it is found and packed, or install it"
    return rules.IMPORT_FAILS, f"an import fails in the package: {error['message']}"[:MESSAGE_LIMIT], remedy


def _lacks_file(error: dict[str, Any], hidden: Callable[[str], str]) -> Said | None:
    if not error["path"]:
        return None
    message = f"it reads {hidden(error['path'])} while it is loaded, which is not in the package"
    return rules.MISSING_FILE, message, FROM_THE_DAG_FILE


def _fails(error: dict[str, Any], _hidden: Callable[[str], str]) -> Said | None:
    text = f"{error['type']}: {error['message']}"[:MESSAGE_LIMIT]
    remedy = "correct what the line does, so that it also works without this machine and without Airflow"
    return rules.LOAD_FAILS, f"loading the package fails with {text}", remedy


EXPLANATIONS = (
    _exits,
    _lacks_variable,
    _lacks_in_facade,
    _cannot_import,
    _lacks_file,
    _fails,
)
"""What an error may mean, the most particular first; the last one fits every error."""


class _Reader:
    """Reads an answer about one workflow."""

    def __init__(self, workflow: Workflow, file: DagFile) -> None:
        self.workflow = workflow
        self.file = file
        self.home = SourceSpan(file.shown(workflow.span.file), workflow.span.line)

    def read(self, answer: dict[str, Any]) -> Iterator[Finding]:
        status = answer["status"]
        if status == "loaded":
            yield from self.loaded(answer["dags"])
        elif status == "failed":
            yield self.failure(answer["error"])
        elif status == "timeout":
            yield self.say(
                rules.LOAD_TIMEOUT,
                self.place(answer.get("frames", ())),
                "loading the package was still busy here when its time was over",
                "move slow work from the top of the file into a task",
            )
        elif status == "died":
            yield self.death(int(answer["code"]))
        else:
            yield self.say(
                rules.NOT_CHECKED,
                self.home,
                f"the package could not be loaded for a check: {answer.get('reason', 'unknown')}",
                "parse the DAGs with a Python of 3.10 or later, or try again",
            )
        yield from self.foreign(answer.get("foreign", ()))
        yield from self.absent(answer.get("absent", ()))
        yield from self.output(str(answer.get("stdout", "")))

    def say(
        self, rule: Rule, span: SourceSpan, message: str, remedy: str, *, task_id: str | None = None
    ) -> Finding:
        return rule.at(span, message, remedy, dag_id=self.workflow.dag_id, task_id=task_id)

    def place(self, frames: Any) -> SourceSpan:
        """Return the innermost place in the user's code, else the DAG's own."""
        if not frames:
            return self.home
        relative, line = frames[-1]
        return SourceSpan(self.file.shown(self.file.from_base(str(relative))), int(line))

    def failure(self, error: dict[str, Any]) -> Finding:
        """Return what the first explanation that fits says."""
        rule, message, remedy = next(filter(None, (explain(error, self.hidden) for explain in EXPLANATIONS)))
        return self.say(rule, self.place(error["frames"]), message, remedy)

    def death(self, code: int) -> Finding:
        how = f"ends with signal {-code}" if code < 0 else f"ends the process with exit code {code}"
        return self.say(
            rules.LOAD_EXITS,
            self.home,
            f"loading the package {how}",
            "remove os._exit from the file, or the compiled module that crashes",
        )

    def loaded(self, dags: dict[str, Any]) -> Iterator[Finding]:
        tasks = dags.get(self.workflow.dag_id)
        if tasks is None:
            message = f"the package does not make this DAG; it makes {_names(dags)}"
            yield self.say(rules.TASKS_DIFFER, self.home, message, CONDITIONAL)
        else:
            yield from self.differences(tasks)

    def differences(self, tasks: dict[str, Any]) -> Iterator[Finding]:
        expected = {task.task_id: task for task in self.workflow.tasks}
        yield from self.other_tasks(set(expected) - set(tasks), set(tasks) - set(expected))
        for task_id, task in expected.items():
            found = tasks.get(task_id)
            if found is None:
                continue
            span = SourceSpan(self.file.shown(task.span.file), task.span.line)
            if found["operator"] != task.operator:
                message = f"it is a {found['operator']} in the package, Airflow saw a {task.operator}"
                yield self.say(rules.OPERATOR_DIFFERS, span, message, SAME_CLASS, task_id=task_id)
            if sorted(found["upstream"]) != sorted(task.upstream):
                here, there = _names(found["upstream"]), _names(task.upstream)
                message = f"it waits for {here} in the package, in Airflow for {there}"
                yield self.say(rules.EDGES_DIFFER, span, message, CONDITIONAL, task_id=task_id)

    def other_tasks(self, missing: set[str], extra: set[str]) -> Iterator[Finding]:
        if missing:
            message = f"the package lacks {_names(missing)}, which Airflow saw"
            yield self.say(rules.TASKS_DIFFER, self.home, message, CONDITIONAL)
        if extra:
            message = f"the package has {_names(extra)}, which Airflow did not see"
            yield self.say(rules.TASKS_DIFFER, self.home, message, CONDITIONAL)

    def foreign(self, found: Any) -> Iterator[Finding]:
        paths = set()
        for each in found:
            if "module" in each:
                yield self.say(
                    rules.MACHINE_PATH,
                    self.place(each.get("frames", ())),
                    f"{each['module']} was loaded from a folder of this machine, not from the package",
                    f"move {each['module']} below the DAG folder, or install it as a distribution",
                )
            elif each["path"] not in paths:
                paths.add(each["path"])
                yield self.say(
                    rules.OUTSIDE_FILE,
                    self.place(each["frames"]),
                    f"it reads {self.hidden(each['path'])}, a file of this machine, while it is loaded",
                    FROM_THE_DAG_FILE,
                )

    def absent(self, found: Any) -> Iterator[Finding]:
        for each in found:
            yield self.say(
                rules.ABSENT_WHEN_USED,
                self.place(each["frames"]),
                f"{each['name']} needs Airflow's database, which is not there: a task that uses it fails",
                "keep what the tasks need in a store of your own, or ask AWS for it (boto3: stepfunctions)",
            )

    def hidden(self, path: str) -> str:
        """Return a path relative to the DAG folder or the package, if it is below one of them."""
        for root in (f"{self.file.root}/", f"{self.file.base}/"):
            if path.startswith(root):
                return path[len(root) :]
        return re.sub(r"^/var/task/(source/)?", "", path)

    def output(self, text: str) -> Iterator[Finding]:
        lines = text.strip().splitlines()
        if lines:
            yield self.say(
                rules.PRINTS,
                self.home,
                f"it prints while it is loaded ({lines[0][:60]!r}), in Lambda at each cold start",
                "move the print into a task if it is about a run",
            )


def _names(names: Any) -> str:
    ordered = sorted(names)
    if not ordered:
        return "nothing"
    shown = ", ".join(ordered[:5])
    return shown if len(ordered) <= 5 else f"{shown} and {len(ordered) - 5} more"
