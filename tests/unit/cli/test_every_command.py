"""What holds for every command: examples that parse, the same names for the same things, one line for wrong usage."""

from __future__ import annotations

import re
import shlex
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from orkestra_bridge import errors
from orkestra_bridge.cli.examples import Command, Group
from orkestra_bridge.cli.main import cli, main

if TYPE_CHECKING:
    from collections.abc import Iterator


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = dict(commands())
NAMED = {"orkestra-bridge": cli, **{f"orkestra-bridge {name}": command for name, command in ALL.items()}}


@pytest.mark.parametrize("name", sorted(NAMED))
def test_every_command_has_examples_that_can_be_typed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = NAMED[name]
    assert isinstance(command, (Command, Group))
    ours = [each for each in command.examples if each.startswith("orkestra-bridge")]
    assert ours
    shown = command.get_help(click.Context(command))
    assert all(each in shown for each in command.examples), "an example must not be wrapped"
    monkeypatch.chdir(tmp_path)
    for file in ("requirements.txt", ".env", "variables.json", "connections.json", "durations.csv"):
        Path(file).touch()
    for example in ours:
        typed = re.split(r"\s{2,}|\s>\s", example)[0]
        path: list[str] = []
        rest = shlex.split(typed)[1:]
        while rest and " ".join((*path, rest[0])) in ALL:
            path.append(rest.pop(0))
        target = ALL[" ".join(path)]
        assert target.make_context(" ".join(path), rest).command is target


def test_one_name_means_one_thing() -> None:
    options: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for command in ALL.values():
        for parameter in command.get_params(click.Context(command)):
            if isinstance(parameter, click.Option):
                for name in parameter.opts:
                    if not name.startswith("--") and "--help" not in parameter.opts:  # click makes that one
                        options[name].add(tuple(sorted(set(parameter.opts) - {name})))
                assert parameter.help, (command.name, parameter.name)
                assert parameter.help.rstrip().endswith("."), (command.name, parameter.help)
    assert options == {
        "-o": {("--out",), ("--output",)},
        "-q": {("--quiet",)},
        "-v": {("--verbose",)},
    }


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *typed: str
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["orkestra-bridge", *typed])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, said.out, said.err


WRONG = [
    (("asess",), 2, "Did you mean 'assess'?"),
    (("assess", "nothing"), 2, "nothing does not exist -> "),
    (("assess", "--form", "json"), 2, "Did you mean '--format'?"),
    (
        ("assess", "dag.py", "--durations", "dag.py"),
        2,
        "does not name dag_id, task_id and seconds -> see docs/",
    ),
    (
        ("assess", "dag.py", "--durations", "number.json"),
        2,
        "number.json has no list of task instances -> see docs/",
    ),
    (("assess", "dag.py", "--source-url", "https://x/{line}"), 2, "must say where the path goes, as {file}"),
    (("assess", "-q", "-v"), 2, "--quiet and --verbose exclude each other"),
    (("-q", "assess", "-v"), 2, "--quiet and --verbose exclude each other"),
    (("assess",), 2, "Missing argument 'PATHS...'; `paths` in the configuration would do as well."),
    (("convert", "dag.py", "--airflow-python", "/nope"), 4, "/nope is not a Python interpreter -> "),
    (
        ("convert", "dag.py", "--airflow-python", "/bin/ls"),
        4,
        "/bin/ls does not work as a Python interpreter -> give",
    ),
    (("convert", "dag.py", "--airflow-python", "x", "--airflow-version", "3"), 2, "exclude each other"),
    (("convert", "dag.py", "--allow", "OB2066"), 2, "there is no finding 'OB2066' -> did you mean OB206?"),
    (("config", "shwo"), 2, "Did you mean 'show'?"),
    (("config", "show", "--memroy", "1"), 2, "Did you mean '--memory'?"),
    (("explain", "."), 2, ". is a folder -> name one DAG file"),
    (("run",), 2, "Missing argument 'DAG_ID'"),
    (("run", "nobody"), 2, "there is no DAG 'nobody' in "),
    (("run", "x", "--conf", "{"), 2, "Invalid value for --conf: not JSON"),
    (("run", "x", "--conf", "[]"), 2, "must be a JSON object"),
    (("secrets", "push"), 2, "nothing to push: give --variables, --connections or --kubernetes"),
    (("--config", "number.json", "doctor"), 2, "number.json is not TOML"),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dag.py").write_text("# airflow dag\n")
    Path("number.json").write_text("5")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("typed", "code", "message"), WRONG, ids=[" ".join(case[0]) for case in WRONG])
def test_wrong_usage_ends_with_a_message(
    typed: tuple[str, ...],
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ended, out, err = run(monkeypatch, capsys, *typed)
    assert (ended, out) == (code, "")
    assert message in err
    assert "Traceback" not in err
    assert max(map(len, err.splitlines())) < 250


def test_colours_only_where_a_person_reads_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from orkestra_bridge.cli.console import say

    monkeypatch.setattr("click.utils.should_strip_ansi", lambda _, color: color is False)  # a terminal
    monkeypatch.delenv("NO_COLOR", raising=False)
    say(click.style("x", fg="red"))
    assert capsys.readouterr().out == "\x1b[31mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    say(click.style("x", fg="red"))
    assert capsys.readouterr().out == "x"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_ORKESTRA_BRIDGE_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", "orkestra-bridge convert --error-level ")
    monkeypatch.setenv("COMP_CWORD", "3" if shell != "fish" else "")
    code, out, _ = run(monkeypatch, capsys)
    assert code == 0
    assert {"warning", "error", "never"} <= set(re.findall(r"\w+", out))


def test_the_page_of_exit_codes_is_what_the_errors_say() -> None:
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("generate", Path(__file__).parents[3] / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = module_from_spec(spec)
    spec.loader.exec_module(generate)
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", generate.exit_codes_page(), re.MULTILINE)}
    codes = [errors.BridgeError.exit_code, *(each.exit_code for each in errors.BridgeError.__subclasses__())]
    assert listed == {0, 130, *codes}
