"""From plans to the text of a DAG file that does what `dag_behaviour` says."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING, Literal

from dag_plan import RETURN_VALUE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dag_plan import Argument, DagPlan, Pull, TaskPlan

Imports = Literal["sdk", "classic"]

_IMPORTS = {
    "sdk": """\
from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import BranchPythonOperator, PythonOperator, ShortCircuitOperator
from airflow.sdk import DAG, BaseOperator, TaskGroup, dag, task
""",
    "classic": """\
from airflow import DAG
from airflow.decorators import dag, task
from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.models.baseoperator import BaseOperator
from airflow.operators.bash import BashOperator
from airflow.operators.empty import EmptyOperator
from airflow.operators.python import BranchPythonOperator, PythonOperator, ShortCircuitOperator
from airflow.utils.task_group import TaskGroup
""",
}
_HEAD = '''
class WorkOperator(BaseOperator):
    """An operator of the house: it calls what it is given."""

    def __init__(self, *, work, **kwargs):
        super().__init__(**kwargs)
        self.work = work

    def execute(self, context):
        return self.work(context["ti"])
'''
_FAIL_FAST = """

from airflow.version import version

FAIL_FAST = {"fail_stop" if version.startswith("2.") else "fail_fast": True}
"""
_ENDINGS = {
    "success": "",
    "skip": 'raise AirflowSkipException("nothing to do")',
    "fail": 'raise ValueError("meant to fail")',
    "fail_for_good": 'raise AirflowFailException("meant to fail for good")',
    "flaky": 'if ti.try_number == 1:\n    raise RuntimeError("the first try fails")',
}
_BASH_ENDINGS = {
    "success": "",
    "skip": "exit 99",
    "fail": "exit 1",
    "fail_for_good": "exit 1",
    "flaky": "test {{ ti.try_number }} -gt 1 || exit 1",
}
_CLASSES = {
    "python": "PythonOperator",
    "taskflow": "PythonOperator",
    "branch": "BranchPythonOperator",
    "short_circuit": "ShortCircuitOperator",
}
_DECORATORS = {"branch": "task.branch", "short_circuit": "task.short_circuit"}


def write_file(plans: Sequence[DagPlan], imports: Imports = "sdk") -> str:
    """Return the source of one DAG file with all the DAGs."""
    head = f"import datetime\n\n{_IMPORTS[imports]}\n{_HEAD}"
    if any(plan.fail_fast for plan in plans):
        head += _FAIL_FAST
    return head + "".join(f"\n\n{_dag(plan, number)}" for number, plan in enumerate(plans))


def _dag(plan: DagPlan, number: int) -> str:
    body = indent("\n".join(_body(plan)), "    ")
    options = f"dag_id={plan.dag_id!r}, schedule=None, start_date=datetime.datetime(2024, 1, 1)"
    options += ", **FAIL_FAST" if plan.fail_fast else ""
    if number % 2:
        return (
            f"@dag(catchup=False, {options})\ndef make_{plan.dag_id}():\n{body}\n\n\nmake_{plan.dag_id}()\n"
        )
    return f"with DAG({options}):\n{body}\n"


def _body(plan: DagPlan) -> Iterator[str]:
    """Return the lines within the DAG: tasks in their groups, then edges."""
    opened: list[str] = []
    for task in plan.tasks:
        path = task.group.split(".") if task.group else []
        while opened != path[: len(opened)]:
            opened.pop()
        while len(opened) < len(path):
            group = path[len(opened)]
            name = "__".join([*opened, group])
            yield indent(f"with TaskGroup({group!r}) as {name}:", "    " * len(opened))
            opened.append(group)
        yield indent(_task(plan, task), "    " * len(opened))
        if task.role != "work":
            yield indent(_marked(task), "    " * len(opened))
    for before, after in plan.edges:
        yield f"{before.replace('.', '__')} >> {after.replace('.', '__')}"


def _marked(task: TaskPlan) -> str:
    return f"{task.name}.as_{task.role}({'on_failure_fail_dagrun=True' if task.fails_run else ''})"


def _task(plan: DagPlan, task: TaskPlan) -> str:
    if task.kind == "empty":
        return f"{task.name} = EmptyOperator({_options(task)})"
    if task.kind == "bash":
        return f"{task.name} = BashOperator({_options(task)}, bash_command={_command(task)!r})"
    return _taskflow(plan, task) if task.taskflow else _classic(task)


def _options(task: TaskPlan) -> str:
    """Return constructor arguments; defaults are left out."""
    options = [f"task_id={task.label!r}"]
    if task.rule not in ("all_success", "all_done_setup_success"):
        options.append(f"trigger_rule={task.rule!r}")
    if task.retries:
        options.append(f"retries={task.retries}, retry_delay=datetime.timedelta(0)")
    if not task.pushes_result:
        options.append("do_xcom_push=False")
    if task.multiple_outputs:
        options.append("multiple_outputs=True")
    if task.kind == "short_circuit" and not task.cascades:
        options.append("ignore_downstream_trigger_rules=False")
    return ", ".join(options)


def _command(task: TaskPlan) -> str:
    words = " ".join([str(task.value), *(f"{{{{ {_pull(pull)} }}}}" for pull in task.pulls)])
    return "\n".join(line for line in ("echo begin", _BASH_ENDINGS[task.outcome], f'echo "{words}"') if line)


def _classic(task: TaskPlan) -> str:
    function = f"{task.name}_work"
    how = f"work={function}" if task.kind == "operator" else f"python_callable={function}"
    operator = "WorkOperator" if task.kind == "operator" else _CLASSES[task.kind]
    work = f"def {function}(ti):\n{indent(_work(task), '    ')}"
    return f"{work}\n{task.name} = {operator}({_options(task)}, {how})"


def _taskflow(plan: DagPlan, task: TaskPlan) -> str:
    function = f"{task.name}_work"
    parameters = [f"given_{number}" for number in range(len(task.arguments))]
    given = ", ".join(_given(plan, argument) for argument in task.arguments)
    head = f"@{_DECORATORS.get(task.kind, 'task')}({_options(task)})"
    work = f"def {function}({', '.join([*parameters, 'ti=None'])}):\n{indent(_work(task), '    ')}"
    return f"{head}\n{work}\n{task.name} = {function}({given})"


def _given(plan: DagPlan, argument: Argument) -> str:
    source = plan.by_id[argument.task_id]
    output = source.name if source.taskflow else f"{source.name}.output"
    return output if argument.key == RETURN_VALUE else f"{output}[{argument.key!r}]"


def _work(task: TaskPlan) -> str:
    """Return the body of a task's function."""
    seen = [f"given_{number}" for number in range(len(task.arguments))]
    seen += [f"list({_pull(pull)})" if pull.listed else _pull(pull) for pull in task.pulls]
    lines = [f"seen = [{', '.join(seen)}]"] if seen or task.passes_on else []
    lines += [f"ti.xcom_push(key={key!r}, value={value!r})" for key, value in task.pushes]
    lines += [_ENDINGS[task.outcome]] if task.outcome != "success" else []
    goes_on = task.outcome in ("success", "flaky")
    return "\n".join([*lines, f"return {_result(task)}"] if goes_on else lines)


def _result(task: TaskPlan) -> str:
    if task.kind == "branch":
        return repr(list(task.chooses) if isinstance(task.chooses, tuple) else task.chooses)
    if task.kind == "short_circuit":
        return repr(task.holds)
    return f'{{"value": {task.value!r}, "seen": seen}}' if task.passes_on else repr(task.value)


def _pull(pull: Pull) -> str:
    tasks = repr(list(pull.task_ids)) if pull.listed else repr(pull.task_ids[0])
    key = "" if pull.key == RETURN_VALUE else f", key={pull.key!r}"
    return f"ti.xcom_pull(task_ids={tasks}{key})"
