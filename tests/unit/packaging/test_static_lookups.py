from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from orkestra_bridge.packaging.hook_defaults import default_connection
from orkestra_bridge.packaging.static_lookups import static_lookups

if TYPE_CHECKING:
    from pathlib import Path


def found(source: str) -> list[tuple[str, str | None]]:
    return [(each.kind, each.name) for each in static_lookups(ast.parse(source))]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('Variable.get("a")', [("variable", "a")]),
        ('models.Variable.get(key="a", default_var=1)', [("variable", "a")]),
        ('K = "a"\nVariable.get(K)', [("variable", "a")]),
        ('K = "a"\nK = "b"\nVariable.get(K)', [("variable", None)]),
        ('Variable.get(f"{x}_a")', [("variable", None)]),
        ('settings.get("a")', []),
        ('BaseHook.get_connection("db")', [("connection", "db")]),
        ('Connection.get("db")', [("connection", "db")]),
        ("BaseHook.get_connection(conn_id=name)", [("connection", None)]),
        ("self.get_connection(self.http_conn_id)", []),
        ("self.get_connection(getattr(self, self.conn_name_attr))", []),
        ('self.get_connection(conn_id or "db")', []),
        ('S3Hook("mine")', [("connection", "mine")]),
        ('S3Hook(aws_conn_id="mine")', [("connection", "mine")]),
        ("S3Hook(aws_conn_id=None)", []),
        ("S3Hook(pick())", [("connection", None)]),
        ("from a.b import S3Hook\nS3Hook()", [("hook", "a.b.S3Hook")]),
        ("from a import b\nb.S3Hook()", [("hook", "a.b.S3Hook")]),
        ("import a.b as c\nc.S3Hook()", [("hook", "a.b.S3Hook")]),
        ("S3Hook(**options)", []),
        ('Load(postgres_conn_id="db", sql="x")', [("connection", "db")]),
        ('Load(conn_id="{{ params.c }}")', []),
        ('ARGS = {"aws_conn_id": "aws", "x": 1}', [("connection", "aws")]),
        (
            'def f(a, conn_id="db", *, other_conn_id="db2"): ...',
            [("connection", "db"), ("connection", "db2")],
        ),
        ('class H:\n    conn_name_attr = "x_conn_id"\n    default_conn_id = "db"', [("connection", "db")]),
        ('os.environ["A"]; os.environ.get("B", ""); os.getenv("C"); getenv(key="D")', "ABCD"),
        ('os.environ["A"] = "x"', []),
        ("os.environ[name]", []),
    ],
)
def test_what_the_source_looks_up(source: str, expected: list[tuple[str, str | None]] | str) -> None:
    wanted = [("environment", name) for name in expected] if isinstance(expected, str) else expected
    assert found(source) == wanted


def test_a_hooks_default_is_read_from_its_class_and_its_bases(tmp_path: Path) -> None:
    package = tmp_path / "provider"
    package.mkdir()
    (package / "__init__.py").write_text("from provider.leaf import Leaf\n")
    (package / "base.py").write_text('class Base(Other):\n    default_conn_name: str = "base_default"\n')
    (package / "leaf.py").write_text(
        "from provider.base import Base\nclass Leaf(Base[int]): ...\n"
        'class Own(Base):\n    default_conn_name = "own"\nclass Nothing: ...\n'
    )
    names = ("provider.Leaf", "provider.leaf.Own", "provider.leaf.Nothing", "provider.leaf.Gone", "gone.X")
    assert [default_connection((tmp_path,), name) for name in names] == [
        "base_default",
        "own",
        None,
        None,
        None,
    ]


def test_it_is_known_what_loading_the_file_does() -> None:
    source = (
        "for n in names:\n    Variable.get(n)\ndef f():\n    Variable.get(n)\ng = lambda: Variable.get(n)\n"
    )
    assert [(each.line, each.deferred) for each in static_lookups(ast.parse(source))] == [
        (2, False),
        (4, True),
        (5, True),
    ]
