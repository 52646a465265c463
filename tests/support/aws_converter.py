"""What AWS's converter makes of the DAG files of `tests/dags`: `python tests/support/aws_converter.py FOLDER [NAME...]`.

It is `python-to-yaml-dag-converter-mwaa-serverless`, in an environment of its own in FOLDER, which is made with uv unless
it is there. What it answers is written to `tests/data/aws_converter.json`, and the page of the comparison has to agree.
It takes AWS's operators only, so that `S3CreateBucketOperator` stands in for `BashOperator`. A file takes some ten
seconds; NAME chooses some of them, such as `pool.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE = "python-to-yaml-dag-converter-mwaa-serverless"
VERSION = "0.1.4"
ROOT = Path(__file__).parents[1]
DAGS = ROOT / "dags"
RECORD = ROOT / "data" / "aws_converter.json"
_STAND_IN = (
    (
        "from airflow.providers.standard.operators.bash import",
        "from airflow.providers.amazon.aws.operators.s3 import",
    ),
    (
        "from airflow.providers.standard.operators import bash as",
        "from airflow.providers.amazon.aws.operators import s3 as",
    ),
    ("BashOperator", "S3CreateBucketOperator"),
    ("bash_command=", "bucket_name="),
)
_PROGRAM = """
import json, os, pathlib, sys

import yaml
from airflow.models.dagbag import DagBag  # what takes long to import is imported once
from dag_converter import cli

found = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.py")):
    out = path.parent / "out" / path.stem
    child = os.fork()
    if not child:
        log = os.open(path.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1), os.dup2(log, 2)
        sys.argv = ["dag-converter", "convert", str(path), "--output", str(out)]
        code = 0
        try:
            cli.app()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException as error:
            print(f"{type(error).__name__}: {error}")
            code = 1
        sys.stdout.flush()
        os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    log = path.with_suffix(".log").read_text(errors="replace").splitlines()
    errors = [line for line in log if line.split(":")[0].endswith(("Error", "Exception"))]
    found[path.name] = {
        "exit": status,
        "error": errors[-1][:200] if errors else None,
        "yaml": {each.name: yaml.safe_load(each.read_text()) for each in sorted(out.rglob("*.y*ml"))},
    }
print("RESULT" + json.dumps(found, default=str))
"""


def make_environment(folder: Path) -> Path:
    """Return the Python of an environment with the converter; raises CalledProcessError if it cannot be made."""
    python = folder / "bin" / "python"
    if not python.exists():
        uv = [sys.executable, "-m", "uv"]
        package = f"{PACKAGE}=={VERSION}"
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
        subprocess.run([*uv, "pip", "install", "--quiet", "--python", str(python), package], check=True)
    return python


def converted(python: Path, names: Sequence[str] = ()) -> dict[str, Any]:
    """Return what the converter answers for each file: ``exit``, ``error`` and the ``yaml`` that it writes, by name.

    ``names`` are those of the files, all of them if there is none.
    """
    with tempfile.TemporaryDirectory() as scratch:
        for path in DAGS.glob("*.py"):
            if names and path.name not in names:
                continue
            text = path.read_text(encoding="utf-8")
            for written, instead in _STAND_IN:
                text = text.replace(written, instead)
            (Path(scratch) / path.name).write_text(text, encoding="utf-8")
        environment = {**os.environ, "AIRFLOW_HOME": f"{scratch}/home", "AWS_DEFAULT_REGION": "us-east-1"}
        done = subprocess.run(
            [python, "-c", _PROGRAM, scratch],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=scratch,
        )
        answer = next((line for line in done.stdout.splitlines() if line.startswith("RESULT")), None)
        if answer is None:
            raise RuntimeError(done.stderr[-2000:])
        found: dict[str, Any] = json.loads(answer.removeprefix("RESULT").replace(scratch, "."))
        return found


if __name__ == "__main__":
    result = converted(make_environment(Path(sys.argv[1]).absolute()), sys.argv[2:])
    if sys.argv[2:]:
        result = {**json.loads(RECORD.read_text(encoding="utf-8")), **result}
    RECORD.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    refused = sum(not each["yaml"] for each in result.values())
    sys.stdout.write(f"{RECORD}: {len(result)} files, {refused} without YAML\n")
