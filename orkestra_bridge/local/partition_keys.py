"""Whether a DAG takes a partition key, as Airflow says it when a run is triggered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orkestra_bridge.errors import LocalRunError, UsageError
from orkestra_bridge.runtime.partitions import check_key, date_of

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOW = "workflow.json"


def check_partition(folder: Path, key: str) -> None:
    """Look whether the DAG that `convert` wrote into a folder takes a partition key; nothing if there is no such folder.

    Raises:
        UsageError: It is not partitioned, or its keys have another format.
        LocalRunError: What `convert` wrote cannot be read.
    """
    path = folder / WORKFLOW
    if not path.is_file():
        return  # that is said where the machine is looked for
    try:
        schedule = json.loads(path.read_text(encoding="utf-8"))["schedule"]
    except (OSError, ValueError) as problem:
        raise LocalRunError(f"{path} cannot be read: {problem}", remedy="convert the DAG again") from problem
    try:
        check_key(key, schedule)
        date_of(key, schedule)
    except ValueError as problem:
        message = f"a run of {folder.name} cannot have --partition-key {key!r}: {problem}"
        raise UsageError(message, remedy="give a key as the DAG's schedule makes it") from problem
