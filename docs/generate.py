"""Writes the pages of the reference that say what the code says: `python docs/generate.py`.

`--check` writes nothing, names the pages that are not up to date, and exits with 1 if there are any.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from orkestra_bridge.diagnostics import Severity
from orkestra_bridge.rulebook import FAMILIES, rules_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orkestra_bridge.diagnostics import Rule

REFERENCE = Path(__file__).parent / "reference"
GENERATED = "<!-- Written by docs/generate.py from the code; do not edit. -->"


def diagnostics_page() -> str:
    """Return the page of all findings."""
    lines = [
        GENERATED,
        "",
        "# Findings",
        "",
        "Every finding has a permanent id. An `error` refuses the DAG, or the file, that it is about; a `warning` is",
        "something that is not quite as in Airflow; an `info` is good to know. `--allow ID` makes an error a warning",
        "where the last column says what the translation then does, and a warning an info always.",
        "",
    ]
    for family, title in FAMILIES.items():
        lines += [
            f"## {title}",
            "",
            "| id | what | severity | verdict | if you allow it |",
            "|---|---|---|---|---|",
        ]
        lines += [_row(rule) for rule in rules_of(family)]
        lines.append("")
    return "\n".join(lines)


def _row(rule: Rule) -> str:
    allowed = rule.if_allowed or (
        "cannot be allowed" if rule.severity is Severity.ERROR else "nothing changes"
    )
    cells = (rule.id, rule.title, rule.severity.value, rule.verdict.value, allowed)
    return f"| {' | '.join(cells)} |"


PAGES: Mapping[str, Callable[[], str]] = {"diagnostics.md": diagnostics_page}


def stale() -> list[str]:
    """Return the names of the pages that differ from what the code says."""
    return [name for name, page in PAGES.items() if _read(REFERENCE / name) != page()]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main() -> None:
    """Write the pages, or check them."""
    if "--check" in sys.argv[1:]:
        names = stale()
        if names:
            sys.exit(f"not up to date: {', '.join(names)}; run python docs/generate.py")
        return
    REFERENCE.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
