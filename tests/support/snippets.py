"""The code blocks of the documentation: where they are, and what is in them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (
    "README.md",
    *sorted(
        path.relative_to(ROOT).as_posix()
        for path in DOCS.rglob("*.md")
        if not {"examples", "reference"} & set(path.parts)
    ),
)
_FENCE = re.compile(r"^( *)```(\w*)(?: title=(\S+))?\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Snippet:
    page: str
    language: str
    title: str
    text: str

    @property
    def commands(self) -> list[list[str]]:
        """Each command of a shell's block, as a list of words; ``&&`` separates commands, a prompt is left out."""
        text = self.text.replace("\\\n", " ")
        lines = [""]
        for line in text.splitlines():
            if lines[-1].count('"') % 2:
                lines[-1] += f"\n{line}"
            elif line.startswith("$ ") or not self.has_prompts:
                lines.append(line.removeprefix("$ "))
        parts = [part.strip() for line in lines for part in line.split("&&")]
        return [words for part in parts if (words := shlex.split(part, comments=True))]

    @property
    def has_prompts(self) -> bool:
        """True if lines without a prompt are what the commands print."""
        return self.text.startswith("$ ")


def snippets() -> list[Snippet]:
    """All blocks of all pages, in order."""
    return [
        Snippet(page, language, title, dedent(text))
        for page in PAGES
        for _, language, title, text in _FENCE.findall((ROOT / page).read_text(encoding="utf-8"))
    ]
