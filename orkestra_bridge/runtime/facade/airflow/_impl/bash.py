"""BashOperator: a command or a script, its exit code and the last line it prints.

Every package loads this module, few have a command: what only a command needs is imported where it is run.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from airflow._impl.exceptions import AirflowException, AirflowSkipException
from airflow._impl.operator import BaseOperator

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator


class BashOperator(BaseOperator):
    """Runs a command with bash; fails by its exit code, skips on ``skip_on_exit_code``."""

    template_fields: Any = ("bash_command", "env", "cwd")
    template_fields_renderers: ClassVar[dict[str, str]] = {"bash_command": "bash", "env": "json"}
    template_ext: Any = (".sh", ".bash")
    ui_color = "#f0ede4"

    def __init__(
        self,
        *,
        bash_command: Any,
        env: dict[str, str] | None = None,
        append_env: bool = False,
        output_encoding: str = "utf-8",
        skip_exit_code: int | None = None,
        skip_on_exit_code: Any = 99,
        cwd: str | None = None,
        output_processor: Callable[[str], Any] = lambda result: result,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bash_command = bash_command
        self.env = env
        self.append_env = append_env
        self.output_encoding = output_encoding
        codes = skip_exit_code if skip_exit_code is not None else skip_on_exit_code
        self.skip_on_exit_code = (
            list(codes)
            if isinstance(codes, (list, tuple, set, frozenset))
            else [codes]
            if codes is not None
            else []
        )
        self.cwd = cwd
        self.output_processor = output_processor
        self._from_file = self._is_file(bash_command)
        self._process: subprocess.Popen[bytes] | None = None

    def _is_file(self, command: Any) -> bool:
        return isinstance(command, str) and command.endswith(tuple(self.template_ext))

    def get_env(self, context: Any) -> dict[str, str]:
        """Return the environment of the command: the process's or the given one, plus AIRFLOW_CTX_*."""
        from orkestra_bridge.runtime.context import environment_variables

        own = dict(self.env) if self.env is not None else None
        inherited = {**os.environ, **(own or {})} if own is None or self.append_env else own
        return {**inherited, **environment_variables(context)}

    def execute(self, context: Any) -> Any:
        import shutil

        bash = shutil.which("bash") or "bash"
        if self.cwd is not None:
            if not os.path.exists(self.cwd):
                raise AirflowException(f"Can not find the cwd: {self.cwd}")
            if not os.path.isdir(self.cwd):
                raise AirflowException(f"The cwd {self.cwd} must be a directory")
        code, last = self._run(bash, self.get_env(context))
        if code in self.skip_on_exit_code:
            raise AirflowSkipException(f"Bash command returned exit code {code}. Skipping.")
        if code != 0:
            raise AirflowException(f"Bash command failed. The command returned a non-zero exit code {code}.")
        return self.output_processor(last)

    def _run(self, bash: str, env: dict[str, str]) -> tuple[int, str]:
        with _folder(self.cwd) as folder, self._command(bash, folder) as command:
            return self._wait(command, env, folder)

    @contextmanager
    def _command(self, bash: str, folder: str) -> Iterator[list[str]]:
        """Return the command line; a script that came from a file is written to one again, as Airflow does since 2.11."""
        if not self._from_file:
            yield [bash, "-c", self.bash_command]
            return
        import tempfile

        with tempfile.NamedTemporaryFile(mode="w", dir=folder, suffix=".sh") as script:
            script.write(self.bash_command)
            script.flush()
            yield [bash, os.path.basename(script.name)]

    def _wait(self, command: list[str], env: dict[str, str], folder: str) -> tuple[int, str]:
        import subprocess

        self.log.info("Running command: %s", command)
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=env,
            start_new_session=True,
        )
        last = ""
        with self._process as process:
            self.log.info("Output:")
            for raw in process.stdout or ():
                last = raw.decode(self.output_encoding, errors="backslashreplace").rstrip()
                self.log.info("%s", last)
            code = process.wait()
        self.log.info("Command exited with return code %s", code)
        return code, last

    def on_kill(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)


@contextmanager
def _folder(cwd: str | None) -> Iterator[str]:
    if cwd is not None:
        yield cwd
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="airflowtmp") as folder:
        yield folder
