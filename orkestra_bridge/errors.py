"""What can stop the program. Findings about DAGs are values (`diagnostics.py`); exceptions are for stopping.

    BridgeError                 1
    ├── UsageError              2   wrong arguments: a path that does not exist, an unknown DAG
    ├── OutputError             3   the output folder cannot be written
    ├── EnvironmentSetupError   4   no usable Airflow, Python or uv to work with
    ├── LocalRunError           5   the local run could not be carried out (not: the DAG failed)
    ├── AwsError                6   AWS refused a call, or could not be reached
    └── InternalError           70  our own bug; says so and names the DAG

Exit codes are unique (a test holds it). 0 means success and 1 that something was refused or that a run failed.
"""

from __future__ import annotations


class BridgeError(Exception):
    """Base of every error that ends a command with a message instead of a traceback."""

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} -> {self.remedy}" if self.remedy else self.message


class UsageError(BridgeError):
    """The command was given something that cannot be right."""

    exit_code = 2


class OutputError(BridgeError):
    """The output folder cannot be written; whatever was in it is still there."""

    exit_code = 3


class EnvironmentSetupError(BridgeError):
    """No Airflow, Python or uv that could do the job."""

    exit_code = 4


class LocalRunError(BridgeError):
    """A local run could not be carried out; the DAG itself is not to blame."""

    exit_code = 5


class AwsError(BridgeError):
    """AWS refused a call, or could not be reached."""

    exit_code = 6


class InternalError(BridgeError):
    """A bug of this program, reported with the DAG it happened on."""

    exit_code = 70
