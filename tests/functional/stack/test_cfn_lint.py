"""A second opinion on templates: cfn-lint also knows IAM actions and the states of a machine."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from stacks import SCHEDULES, stack
from workflows import a_task

from orkestra_bridge.ir.serialize import render

if TYPE_CHECKING:
    from pathlib import Path


def lint(*files: Path) -> subprocess.CompletedProcess[str]:
    program = "from cfnlint import runner; runner.main()"
    command = [sys.executable, "-c", program, "--format", "parseable", "--", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_cfn_lint_has_nothing_to_say(tmp_path: Path) -> None:
    files = []
    for schedule in sorted(SCHEDULES):
        file = tmp_path / f"{schedule}.json"
        file.write_bytes(render(stack(schedule, tasks=(a_task("a"),)).template))
        files.append(file)
    done = lint(*files)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_cfn_lint_does_find_a_misspelled_right(tmp_path: Path) -> None:
    template = stack().template
    policy = template["Resources"]["ScheduleRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    policy["Statement"][0]["Action"] = ["states:StartExecutions"]
    (tmp_path / "t.json").write_bytes(render(template))
    assert "W3037" in lint(tmp_path / "t.json").stdout
