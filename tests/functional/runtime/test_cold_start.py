"""What a function imports before it knows its task: every module here costs each cold start its milliseconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from orkestra_bridge.runtime.loading import FACADE

ROOT = str(Path(__file__).parents[3])
SLOW = {
    "asyncio", "boto3", "dataclasses", "email", "hashlib", "inspect", "pathlib", "shutil", "ssl", "subprocess",
    "tempfile", "urllib.parse", "uuid", "zoneinfo",
}  # fmt: skip
PROGRAM = """
import sys
sys.path[:0] = sys.argv[1:]
import orkestra_bridge.runtime.handler
from airflow import DAG
from airflow.sdk import dag, task
import json
print(json.dumps(sorted(sys.modules)))
"""


def test_nothing_slow_is_imported_before_the_task_is_known() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM, ROOT, FACADE], capture_output=True, text=True, check=True
    )
    imported = set(json.loads(done.stdout))
    assert "airflow._impl.taskflow" in imported
    assert not imported & SLOW
