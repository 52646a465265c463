"""The worker's problem records as findings: one rule, one message and one remedy per kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from orkestra_bridge.diagnostics import Finding, Rule
from orkestra_bridge.frontend import rules
from orkestra_bridge.frontend.distributions import import_remedy
from orkestra_bridge.ir.model import SourceSpan

if TYPE_CHECKING:
    from orkestra_bridge.frontend.model import DagFile

Record = Mapping[str, Any]
Said = tuple[Rule, str, str]
_SHOWN = 8


def _syntax(record: Record) -> Said:
    return (
        rules.SYNTAX_ERROR,
        f"is not valid Python: {record['text']}",
        "correct the line, or leave the file out with .airflowignore",
    )


def _undecodable(_: Record) -> Said:
    return (
        rules.NOT_PYTHON_SOURCE,
        "holds bytes that are no Python source",
        "save it as UTF-8 text, or leave it out with .airflowignore",
    )


def _import(record: Record) -> Said:
    module = record["module"]
    what = f"cannot import {module}" if record["absent"] and module else "fails on an import"
    return rules.IMPORT_ERROR, f"{what}: {record['text']}", import_remedy(record)


def _missing(record: Record) -> Said:
    name = record["name"]
    if record["what"] == "environ":
        return (
            rules.MISSING_ENVIRONMENT,
            f"reads the environment variable {name!r} while it is loaded, and it is not set",
            f"set {name} in the file that --env-file names, or give a default with os.environ.get",
        )
    if record["what"] == "variable":
        return (
            rules.MISSING_VARIABLE,
            f"reads the Airflow Variable {name!r} while it is loaded, and there is none",
            f"set AIRFLOW_VAR_{name.upper()}, use --variables, give Variable.get a default, or read it inside the task",
        )
    return (
        rules.MISSING_CONNECTION,
        f"reads the Airflow connection {name!r} while it is loaded, and there is none",
        f"set AIRFLOW_CONN_{name.upper()} to its URI, use --connections, or read the connection inside the task",
    )


def _cycle(record: Record) -> Said:
    return (
        rules.CYCLE,
        f"the tasks depend on each other in a circle: {' >> '.join(record['tasks'])}",
        "remove one of these dependencies",
    )


def _duplicate(record: Record) -> Said:
    return (
        rules.DUPLICATE_DAG_ID,
        f"the dag_id is already used in line {record['first'][1]}; Airflow would keep either one",
        "give each DAG an id of its own",
    )


def _exit(_: Record) -> Said:
    return (
        rules.EXITS,
        "ends the process while it is loaded",
        "move the call into a task, or under `if __name__ == '__main__':`",
    )


def _timeout(record: Record) -> Said:
    return (
        rules.TIMEOUT,
        f"is still loading after {record['limit']:g} s",
        "move slow work into tasks, or raise --parse-timeout",
    )


def _crash(record: Record) -> Said:
    return (
        rules.CRASH,
        f"ends the interpreter {record['text']} while it is loaded",
        "find the extension module that does it (often an import), and move it into a task",
    )


def _exception(record: Record) -> Said:
    text = f": {record['text']}" if record["text"] else ""
    remedy = "correct the code; Airflow reports the same as an import error"
    unset = record.get("unset", ())
    if unset:
        more = f" and {len(unset) - _SHOWN} more" if len(unset) > _SHOWN else ""
        names = f"{', '.join(unset[:_SHOWN])}{more}"
        remedy = f"it asked for {names}, which the environment does not have: set them with --env-file, or {remedy}"
    return rules.RAISES, f"raises {record['type']} while it is loaded{text}", remedy


def _schedule(record: Record) -> Said:
    return (
        rules.INVALID_SCHEDULE,
        f"the schedule is not valid: {record['text']}",
        "use a cron expression of five fields, a preset such as @daily, a timedelta or None",
    )


def _empty(_: Record) -> Said:
    return (
        rules.NO_DAG,
        "holds no DAG",
        "nothing to do; Airflow takes DAGs from module globals, `with DAG(...)` and called @dag functions",
    )


def _printed(_: Record) -> Said:
    return (
        rules.PRINTS,
        "prints while it is loaded; the text is dropped",
        "use logging, or print inside the task",
    )


def _changed(record: Record) -> Said:
    what = record["what"]
    if what == "sys.path":
        return (
            rules.CHANGES_MODULE_PATH,
            "changes sys.path while it is loaded; other DAG files do not see it",
            "imports from the DAG folder need no change of sys.path",
        )
    changed = f"os.environ[{record['name']!r}]" if record["name"] else what
    changed = "the working directory" if what == "cwd" else changed
    return (
        rules.CHANGES_PROCESS,
        f"changes {changed} while it is loaded; each task does so too, other DAG files do not see it",
        "set it in the task that needs it",
    )


def _deprecated(record: Record) -> Said:
    count = record["count"]
    more = f" (and {count - 1} more)" if count > 1 else ""
    return (
        rules.DEPRECATED,
        f"uses a deprecated name{more}: {record['text']}",
        "nothing to do now; it still works",
    )


def _template_missing(record: Record) -> Said:
    return (
        rules.TEMPLATE_MISSING,
        f"names the template file {record['name']!r}, which cannot be read; the task fails, as in Airflow",
        "add the file to the DAG's folder or template_searchpath; a blank at the end marks a plain command",
    )


def _template_outside(record: Record) -> Said:
    return (
        rules.TEMPLATE_OUTSIDE,
        f"reads the template {record['name']!r} from outside of the DAG folder, which is not packaged",
        "move the file into the DAG folder",
    )


def _policy_skip(_: Record) -> Said:
    return (
        rules.POLICY_SKIPPED,
        "is left out by a cluster policy",
        "nothing to do, unless the policy is wrong",
    )


def _internal(record: Record) -> Said:
    return (
        rules.INTERNAL,
        f"cannot be read because of a bug in this program: {record['text']}",
        "report it with the file; --airflow-version with another Airflow may avoid it",
    )


_KINDS: Mapping[str, Callable[[Record], Said]] = {
    "changed": _changed,
    "crash": _crash,
    "cycle": _cycle,
    "deprecated": _deprecated,
    "duplicate": _duplicate,
    "empty": _empty,
    "exception": _exception,
    "exit": _exit,
    "import": _import,
    "internal": _internal,
    "missing": _missing,
    "policy_skip": _policy_skip,
    "printed": _printed,
    "schedule": _schedule,
    "syntax": _syntax,
    "template_missing": _template_missing,
    "template_outside": _template_outside,
    "timeout": _timeout,
    "undecodable": _undecodable,
}


def to_finding(record: Record, file: DagFile) -> Finding:
    """Return the finding for a record of the worker's, at the place as the user would type it."""
    rule, message, remedy = _KINDS[record["kind"]](record)
    if record.get("via"):
        message += f" (loaded by {file.display}:{record['via']})"
    return rule.at(
        SourceSpan(file.shown(record["file"]), record["line"]),
        message,
        remedy,
        dag_id=record.get("dag_id"),
        task_id=record.get("task_id"),
        attribute=record.get("attribute"),
    )
