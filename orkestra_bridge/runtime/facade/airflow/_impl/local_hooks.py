"""Hooks of the standard provider: files and subprocesses of the function itself."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import namedtuple
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from airflow._impl.connection import BaseHook

if TYPE_CHECKING:
    from collections.abc import Iterator

SubprocessResult = namedtuple("SubprocessResult", ["exit_code", "output"])  # noqa: PYI024  # Airflow's own type


class FSHook(BaseHook):
    """A connection whose extra names a folder."""

    conn_name_attr = "fs_conn_id"
    default_conn_name = "fs_default"
    conn_type = "fs"
    hook_name = "File (path)"

    def __init__(self, fs_conn_id: str = "fs_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.basepath = self.get_connection(fs_conn_id).extra_dejson.get("path", "")
        self.conn = self.get_connection(fs_conn_id)

    def get_conn(self) -> None:
        return None

    def get_path(self) -> str:
        """Return the folder."""
        return str(self.basepath)


@contextmanager
def working_directory(cwd: str | None = None) -> Iterator[str]:
    """Give the folder, a temporary one for None."""
    if cwd is not None:
        yield cwd
        return
    with TemporaryDirectory(prefix="airflowtmp") as folder:
        yield folder


class SubprocessHook(BaseHook):
    """Runs a command and logs what it writes."""

    def __init__(self, **kwargs: Any) -> None:
        self.sub_process: Any = None
        super().__init__(**kwargs)

    def run_command(
        self,
        command: list[str],
        env: dict[str, str] | None = None,
        output_encoding: str = "utf-8",
        cwd: str | None = None,
    ) -> Any:
        """Return the exit code and the last line of the output."""
        self.log.info("Tmp dir root location: %s", os.environ.get("TMPDIR", "/tmp"))  # noqa: S108
        with working_directory(cwd) as folder:
            self.sub_process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=Path(folder),
                env=env if env or env == {} else dict(os.environ),
                start_new_session=True,
            )
            last = ""
            with self.sub_process as process:
                for raw in process.stdout or ():
                    last = raw.decode(output_encoding, errors="backslashreplace").rstrip()
                    self.log.info("%s", last)
                process.wait()
        self.log.info("Command exited with return code %s", self.sub_process.returncode)
        return SubprocessResult(exit_code=self.sub_process.returncode, output=last)

    def send_sigterm(self) -> None:
        """End the command."""
        if self.sub_process:
            os.killpg(os.getpgid(self.sub_process.pid), signal.SIGTERM)
