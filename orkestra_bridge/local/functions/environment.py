"""The environment variables of a worker: Lambda's own and those of the function, nothing else from here.

Source: AWS Lambda developer guide, "Working with Lambda environment variables".
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.local.functions.model import FunctionSpec

AIRFLOW_PREFIXES = ("AIRFLOW_VAR_", "AIRFLOW_CONN_")
MACHINE = ("PATH", "LD_LIBRARY_PATH", "HOME")
"""What a program needs to find its libraries and other programs here."""
REGION = "us-east-1"


def airflow_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables and connections that Airflow would read from the environment."""
    return {name: value for name, value in environment.items() if name.startswith(AIRFLOW_PREFIXES)}


def worker_environment(spec: FunctionSpec, number: int) -> dict[str, str]:
    """Return the whole environment of worker ``number``; the function's own variables win."""
    return {
        **{name: os.environ[name] for name in MACHINE if name in os.environ},
        "TMPDIR": tempfile.gettempdir(),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "LAMBDA_TASK_ROOT": str(spec.task_root),
        "_HANDLER": spec.handler,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory or 10240),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[$LATEST]{number}",
        **spec.environment,
    }
