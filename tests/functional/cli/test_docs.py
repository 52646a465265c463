"""What the documentation shows works: its files are written, its commands are run, its configuration is read."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from commands import bridge

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = sorted(
    path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if "examples" not in path.parts
)
_FENCE = re.compile(r"^( *)```(\w+)(?: title=(\S+))?\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


def blocks(page: str) -> list[tuple[str, str, str]]:
    """Return language, title and content of a page's code blocks."""
    found = _FENCE.findall((DOCS / page).read_text(encoding="utf-8"))
    return [(language, title, content) for _, language, title, content in found]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the pages show, and the sample DAGs."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(
        ROOT / "sample_dags", folder / "sample_dags", ignore=shutil.ignore_patterns("__pycache__")
    )
    for page in PAGES:
        for _, title, content in blocks(page):
            if title:
                path = folder / title
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
    return folder


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(each[0] == "console" for each in blocks(page))]
)
def test_the_commands_of_a_page_work(home: Path, page: str) -> None:
    text = "".join(content for language, _, content in blocks(page) if language == "console")
    commands = [shlex.split(line) for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    assert commands
    for command in commands:
        assert command[0] == "orkestra-bridge"
        extra = ["--layers", "skip"] if command[1] == "convert" else []
        done = bridge(*command[1:], *extra, cwd=home)
        assert done.code == 0, (command, done.out, done.err)


def test_each_option_and_finding_that_is_named_exists() -> None:
    from orkestra_bridge.rulebook import all_rules

    helps = "".join(
        bridge(*command, "--help", cwd=ROOT).out
        for command in (["convert"], ["assess"], ["run"], ["explain"], ["secrets", "push"])
    )
    for page in PAGES:
        text = (DOCS / page).read_text(encoding="utf-8")
        if page.startswith("reference/"):
            continue
        assert set(re.findall(r"\bOB\d{3}\b", text)) <= set(all_rules())
        for option in re.findall(r"(?<![\w-])(--[a-z]+(?:-[a-z]+)*)", text):
            assert option in helps or option == "--csv", (page, option)


def test_links_between_pages_lead_somewhere() -> None:
    generated = {"cli.md", "configuration.md", "operators.md", "exit-codes.md"}
    for page in PAGES:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", (DOCS / page).read_text(encoding="utf-8")):
            path = (DOCS / page).parent / target
            assert path.exists() or path.name in generated, (page, target)
