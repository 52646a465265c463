"""What the README shows and claims is what happens."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from commands import bridge

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands() -> list[list[str]]:
    lines = "".join(blocks("console")).replace("\\\n", " ").splitlines()
    parts = [part.strip() for line in lines for part in line.split("&&")]
    return [shlex.split(part)[1:] for part in parts if part.startswith("orkestra-bridge ")]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "sample_dags", home / "sample_dags", ignore=shutil.ignore_patterns("__pycache__"))
    return home


def test_the_dag_is_the_sample() -> None:
    (shown,) = blocks("python")
    assert shown == (ROOT / "sample_dags" / "regional_sales.py").read_text(encoding="utf-8")


def test_every_command_works_in_the_order_of_the_page(home: Path) -> None:
    assert len(commands()) >= 5
    for arguments in commands():
        extra = ["--layers", "skip"] if arguments[0] == "convert" else []
        done = bridge(*arguments, *extra, cwd=home)
        assert done.code == 0, (arguments, done.out, done.err)


def test_the_picture_is_the_one_that_is_emitted(home: Path) -> None:
    done = bridge("convert", "sample_dags/regional_sales.py", "-o", "picture", "--layers", "skip", cwd=home)
    assert done.code == 0, done.err
    (shown,) = blocks("mermaid")
    assert shown == (home / "picture" / "regional_sales" / "graph.mmd").read_text(encoding="utf-8")


def test_the_finding_is_a_real_one(home: Path) -> None:
    done = bridge("convert", "sample_dags/broken", "-o", "broken", "--layers", "skip", cwd=home)
    assert done.code == 1
    (shown,) = blocks("text")
    assert shown.strip() in done.out


def test_the_test_command_is_the_one_that_ci_runs() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    command = next(line for line in "".join(blocks("console")).splitlines() if "tox -e" in line)
    assert f"tox {command.rpartition('tox ')[2]}" in ci


def test_each_finding_and_option_that_is_named_exists() -> None:
    assert (ROOT / "docs" / "examples" / "cdk_app" / "app.py").exists()
    for option in set(re.findall(r"`(--[a-z-]+)", README)):
        assert option in bridge("convert", "--help", cwd=ROOT).out
