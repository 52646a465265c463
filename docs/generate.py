"""Writes the pages of the reference that say what the code says: `python docs/generate.py`.

The page of findings is in the repository; the others are made when the documentation is built (`--all`). `--check` writes
nothing, names the pages that are not up to date, and exits with 1 if there are any.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orkestra_bridge import errors
from orkestra_bridge.cli.configured import fields_of
from orkestra_bridge.cli.convert import command as convert
from orkestra_bridge.cli.main import cli
from orkestra_bridge.config.model import DAG_FIELDS, TASK_FIELDS
from orkestra_bridge.diagnostics import Severity
from orkestra_bridge.operators import registry
from orkestra_bridge.operators.refused import BY_BASE
from orkestra_bridge.rulebook import FAMILIES, rules_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from orkestra_bridge.config.model import Field
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


def cli_page() -> str:
    """Return the page of all commands with their help."""
    context = click.Context(cli, info_name="orkestra-bridge", terminal_width=100)
    lines = [GENERATED, "", "# Command line", ""]
    for command, inner in _commands(cli, context):
        name = inner.command_path
        lines += [f"## {name}", "", "```text", command.get_help(inner).rstrip(), "```", ""]
    return "\n".join(lines)


def _commands(group: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    yield group, context
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if command is not None:
                yield from _commands(
                    command, click.Context(command, info_name=name, parent=context, terminal_width=100)
                )


def configuration_page() -> str:
    """Return the page of all keys of the configuration."""
    lines = [
        GENERATED,
        "",
        "# Configuration",
        "",
        "Keys of `orkestra.toml`, and of `[tool.orkestra-bridge]`.",
        "",
    ]
    lines += _keys(fields_of(convert))
    lines += ["", '## DAGs: `[dags."PATTERN"]`', "", *_keys(DAG_FIELDS)]
    lines += ["", '## Tasks: `[dags."PATTERN".tasks."PATTERN"]`', "", *_keys(TASK_FIELDS)]
    return "\n".join([*lines, ""])


def _keys(fields: Iterable[Field]) -> Iterator[str]:
    yield from ("| key | value | what |", "|---|---|---|")
    for field in fields:
        value = " or ".join(f"`{choice}`" for choice in field.choices) or field.kind
        what = field.help.replace("|", "\\|")
        yield f"| `{field.key}` | {'list of ' if field.many else ''}{value} | {what} |"


def operators_page() -> str:
    """Return the page of operators: which are known, and which are refused."""
    lines = [
        GENERATED,
        "",
        "# Operators",
        "",
        "Any operator runs on Lambda by its own `execute()`, whether it is yours, a provider's or Airflow's, unless",
        "it is refused below. Some are known by name, because the machine depends on what they do.",
        "",
        "| operator | how it runs |",
        "|---|---|",
    ]
    known = vars(registry)["_FAMILIES"]
    lines += [f"| `{name}` | {family.name}, {family.runs.value} |" for name, family in sorted(known.items())]
    lines += ["", "## Refused", "", "Classes on top of these are refused, too.", ""]
    lines += ["| operator | why | instead |", "|---|---|---|"]
    lines += [f"| `{name}` | {each.why} | {each.remedy} |" for name, each in sorted(BY_BASE.items())]
    return "\n".join([*lines, ""])


def exit_codes_page() -> str:
    """Return the page of exit codes."""
    classes = [errors.BridgeError, *errors.BridgeError.__subclasses__()]
    rows = {each.exit_code: (each.__doc__ or "").splitlines()[0] for each in classes}
    rows[0] = "Everything went well."
    rows[1] = "Something was refused (see `--error-level`), or a run failed."
    rows[2] = "Wrong usage: an option, a path or the configuration."
    rows[130] = "Interrupted."
    lines = [GENERATED, "", "# Exit codes", "", "| code | when |", "|---|---|"]
    return "\n".join([*lines, *(f"| {code} | {rows[code]} |" for code in sorted(rows)), ""])


def pictures() -> Iterator[tuple[str, str]]:
    """Yield name and SVG of the pictures in the explanation, made of the sample DAGs."""
    from orkestra_bridge.assess.run import AssessOptions, assess
    from orkestra_bridge.assess.svg import svg
    from orkestra_bridge.options import AirflowSource, Project

    samples = REFERENCE.parents[1] / "sample_dags"
    options = AssessOptions(
        paths=tuple(samples / f"{name}.py" for name in PICTURES),
        airflow=AirflowSource(),
        project=Project(),
        parse_timeout=60,
        joins="token",
        cache=None,
    )
    for dag in assess(options).dags:
        picture = re.sub("<title>.*?</title>", "", svg(dag))  # they have paths of this machine
        picture = picture.replace("<g ", f"<style>{STYLE}</style><g ", 1)
        yield (
            f"{dag.dag_id}.svg",
            picture.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + "\n",
        )


PICTURES = ("branching_report", "feature_store")
STYLE = (
    "rect{fill:#dcebff;stroke:#b8c6d6}.pass rect{fill:#eceff3}.edge{fill:none;stroke:#5a6878;stroke-width:1.2}"
    "text{font:12px monospace;text-anchor:middle;fill:#1d2733}"
)
COMMITTED: Mapping[str, Callable[[], str]] = {"diagnostics.md": diagnostics_page}
BUILT: Mapping[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "configuration.md": configuration_page,
    "operators.md": operators_page,
    "exit-codes.md": exit_codes_page,
}


def stale() -> list[str]:
    """Return the names of the committed pages that differ from what the code says."""
    return [name for name, page in COMMITTED.items() if _read(REFERENCE / name) != page()]


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
    if "--pictures" in sys.argv[1:]:
        for name, picture in pictures():
            (REFERENCE.parent / "images" / name).write_text(picture, encoding="utf-8")
    pages = {**COMMITTED, **(BUILT if "--all" in sys.argv[1:] else {})}
    for name, page in pages.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
