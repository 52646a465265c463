"""Paths that a file computes from where it stands."""

from __future__ import annotations

import ast

import pytest

from orkestra_bridge.packaging.file_paths import path_uses

HERE = "/dags/team/dag.py"


def named(source: str) -> list[str]:
    return [use.path for use in path_uses(ast.parse(source), HERE) if use.named and not use.searched]


@pytest.mark.parametrize(
    "expression",
    [
        "Path(__file__).parent / 'sql' / 'a.sql'",
        "pathlib.Path(__file__).resolve().parent.joinpath('sql', 'a.sql')",
        "os.path.join(os.path.dirname(__file__), 'sql', 'a.sql')",
        "os.path.join(os.path.abspath(os.path.dirname(__file__)), 'sql/a.sql')",
        "os.path.dirname(os.path.realpath(__file__)) + '/sql/a.sql'",
        "f'{os.path.dirname(__file__)}/sql/a.sql'",
        "str(Path(__file__).parents[0] / 'sql/a.sql')",
        "Path(__file__).with_name('sql') / 'a.sql'",
    ],
)
def test_idioms(expression: str) -> None:
    assert named(f"open({expression})") == ["/dags/team/sql/a.sql"]


def test_names_of_the_module_are_known() -> None:
    source = (
        "HERE = Path(__file__).parent\n"
        "SQL = HERE / 'sql'\n"
        "x = (SQL / 'a.sql').read_text()\n"
        "for f in SQL.glob('*'): pass\n"
    )
    assert named(source) == ["/dags/team/sql/a.sql", "/dags/team/sql"]


def test_a_definition_alone_is_not_a_use() -> None:
    assert named("SQL = Path(__file__).parent / 'sql'\n") == []


def test_the_plain_folder_of_the_file_is_not_named() -> None:
    assert named("print(Path(__file__).parent, os.path.join(__file__, '..', '..'))\n") == []


def test_names_assigned_twice_are_not_known() -> None:
    assert named("d = Path(__file__).parent / 'a'\nd = other()\nopen(d / 'x')\n") == []


def test_what_cannot_be_known_is_left_alone() -> None:
    assert (
        named(
            "open(Path(__file__).parent / name)\nopen(os.path.join(base, 'x'))\nPath(__file__).parents[n]\n"
        )
        == []
    )


@pytest.mark.parametrize(
    "statement",
    [
        "sys.path.append(os.path.join(os.path.dirname(__file__), 'lib'))",
        "sys.path.insert(0, str(Path(__file__).parent / 'lib'))",
        "sys.path.extend([f'{os.path.dirname(__file__)}/lib'])",
        "site.addsitedir(os.path.dirname(__file__) + '/lib')",
    ],
)
def test_additions_to_the_search_path(statement: str) -> None:
    found = path_uses(ast.parse(statement), HERE)
    assert [(use.path, use.searched) for use in found] == [("/dags/team/lib", True)]
