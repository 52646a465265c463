"""What the answer of the preflight process means, as findings with place and remedy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orkestra_bridge.ir.model import SourceSpan
from orkestra_bridge.packaging import rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.diagnostics import Finding, Rule
    from orkestra_bridge.frontend.model import DagFile
    from orkestra_bridge.ir.model import Workflow

MESSAGE_LIMIT = 300
"""Characters of a user's exception that a finding quotes."""

IN_CONTAINER = "use a name that the facade has, or run the task in a container with Airflow itself"
CONDITIONAL = "build the DAG from its file, Variables and connections only, so that it is the same everywhere"


def findings_of(answer: dict[str, Any], workflow: Workflow, file: DagFile) -> tuple[Finding, ...]:
    """Return the findings about one package, none if it loads as Airflow saw it."""
    return tuple(_Reader(workflow, file).read(answer))


class _Reader:
    """Reads an answer about one workflow."""

    def __init__(self, workflow: Workflow, file: DagFile) -> None:
        self.workflow = workflow
        self.file = file
        self.home = SourceSpan(file.shown(workflow.span.file), workflow.span.line)

    def read(self, answer: dict[str, Any]) -> Iterator[Finding]:
        status = answer["status"]
        if status == "loaded":
            yield from self.differences(answer["tasks"])
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
        return SourceSpan(self.file.shown(str(relative)), int(line))

    def failure(self, error: dict[str, Any]) -> Finding:
        place = self.place(error["frames"])
        text = f"{error['type']}: {error['message']}"[:MESSAGE_LIMIT]
        if error["type"] == "SystemExit":
            return self.say(
                rules.LOAD_EXITS,
                place,
                f"it calls sys.exit({error['message']}) while it is loaded",
                "remove the call; raise an exception in a task instead",
            )
        if error["variable"]:
            name = error["variable"]
            return self.say(
                rules.MISSING_VARIABLE,
                place,
                f"while it is loaded it needs the environment variable {name}, which the function lacks",
                f'give a default with os.environ.get("{name}", ...), or use an Airflow Variable',
            )
        if error["import"] or error["type"] in ("ImportError", "ModuleNotFoundError"):
            return self.failed_import(str(error["import"] or ""), text, place)
        if error["path"]:
            return self.say(
                rules.MISSING_FILE,
                place,
                f"it reads {self.hidden(error['path'])} while it is loaded, which is not in the package",
                'name the file from the DAG file: Path(__file__).parent / "...", below the DAG folder',
            )
        if "airflow" in error["message"] and error["type"] == "AttributeError":
            return self.say(rules.FACADE_LACKS, place, f"the package's airflow: {text}", IN_CONTAINER)
        remedy = "correct what the line does, so that it also works without this machine and without Airflow"
        return self.say(rules.LOAD_FAILS, place, f"loading the package fails with {text}", remedy)

    def failed_import(self, module: str, text: str, place: SourceSpan) -> Finding:
        if module.partition(".")[0] == "airflow":
            message = f"the package's airflow does not have what is imported here: {text}"
            return self.say(rules.FACADE_LACKS, place, message, IN_CONTAINER)
        top = module.partition(".")[0] or "the module"
        return self.say(
            rules.IMPORT_FAILS,
            place,
            f"an import fails in the package: {text}",
            f"import {top} by its plain name in the DAG file, so that it is found and packed, or install it",
        )

    def death(self, code: int) -> Finding:
        how = f"ends with signal {-code}" if code < 0 else f"ends the process with exit code {code}"
        return self.say(
            rules.LOAD_EXITS,
            self.home,
            f"loading the package {how}",
            "remove os._exit from the file, or the compiled module that crashes",
        )

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
                yield self.say(rules.OPERATOR_DIFFERS, span, message, IN_CONTAINER, task_id=task_id)
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
                    'name the file from the DAG file: Path(__file__).parent / "...", below the DAG folder',
                )

    def hidden(self, path: str) -> str:
        """Return a path relative to the DAG folder or the package, if it is below one of them."""
        root = f"{self.file.root}/"
        if path.startswith(root):
            return path[len(root) :]
        packed = re.sub(r"^.*/orkestra-bridge-[^/]*/\d+/(source/)?", "", path)
        return packed if packed != path else path

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
