"""Sensors that call something of the user's: a function or a command."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from airflow._impl.exceptions import AirflowFailException
from airflow._impl.python import determine_kwargs
from airflow._impl.sensor import BaseSensorOperator, PokeReturnValue

if TYPE_CHECKING:
    from collections.abc import Callable


class PythonSensor(BaseSensorOperator):
    """Pokes with a function."""

    template_fields: Any = ("templates_dict", "op_args", "op_kwargs")

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Any = None,
        op_kwargs: Any = None,
        templates_dict: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.python_callable = python_callable
        self.op_args = op_args or []
        self.op_kwargs = op_kwargs or {}
        self.templates_dict = templates_dict

    def poke(self, context: Any) -> Any:
        context.update(self.op_kwargs)
        context["templates_dict"] = self.templates_dict
        kwargs = determine_kwargs(self.python_callable, self.op_args, context)
        self.log.info("Poking callable: %s", self.python_callable)
        result = self.python_callable(*self.op_args, **kwargs)
        return result if isinstance(result, PokeReturnValue) else PokeReturnValue(bool(result))


class DecoratedSensorOperator(PythonSensor):
    """The sensor that a function decorated with ``@task.sensor`` becomes when it is called."""

    template_fields: Any = ("op_args", "op_kwargs")
    template_fields_renderers: ClassVar[dict[str, str]] = {"op_args": "py", "op_kwargs": "py"}
    shallow_copy_attrs: Any = ("python_callable",)
    custom_operator_name = "@task.sensor"

    def __init__(self, *, task_id: str, **kwargs: Any) -> None:
        from airflow._impl.taskflow import get_unique_task_id

        unique = get_unique_task_id(task_id, kwargs.get("dag"), kwargs.get("task_group"))
        super().__init__(task_id=unique, **kwargs)


class BashSensor(BaseSensorOperator):
    """Pokes with a command: exit code 0 is a yes."""

    template_fields: Any = ("bash_command", "env")

    def __init__(
        self,
        *,
        bash_command: str,
        env: Any = None,
        output_encoding: str = "utf-8",
        retry_exit_code: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bash_command = bash_command
        self.env = env
        self.output_encoding = output_encoding
        self.retry_exit_code = retry_exit_code

    def poke(self, context: Any) -> bool:
        with tempfile.TemporaryDirectory(prefix="airflowtmp") as folder:
            script = Path(folder, "command")
            script.write_text(self.bash_command, encoding="utf-8")
            code = self._run(str(script), folder)
        if code and self.retry_exit_code is not None and code != self.retry_exit_code:
            raise AirflowFailException(f"Command exited with return code {code}")
        return code == 0

    def _run(self, script: str, folder: str) -> int:
        self.log.info("Running command: %s", self.bash_command)
        command = [shutil.which("bash") or "bash", script]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=self.env,
            start_new_session=True,
        ) as process:
            for raw in process.stdout or ():
                self.log.info("%s", raw.decode(self.output_encoding, errors="backslashreplace").strip())
            code = process.wait()
        self.log.info("Command exited with return code %s", code)
        return code
