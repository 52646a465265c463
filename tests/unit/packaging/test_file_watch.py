"""Which files only this machine has."""

from __future__ import annotations

import pytest

from orkestra_bridge.packaging.preflight_worker import FileWatch

SITE = "/home/me/project/.venv/lib/python3.13/site-packages"


@pytest.mark.parametrize(
    ("dags", "path", "expected"),
    [
        ("/home/me/project", "/home/me/project/data.csv", True),
        ("/home/me/project", "/home/me/other.csv", True),
        ("/home/me/project", f"{SITE}/pandas-3.1.1.dist-info/METADATA", False),
        (f"{SITE}/airflow/example_dags", f"{SITE}/airflow/example_dags/data.csv", True),
        ("/home/me/project", "/packages/1/source/data.csv", False),
    ],
)
def test_the_nearest_folder_decides(dags: str, path: str, expected: bool) -> None:
    watch = FileWatch([SITE])
    watch.begin(dags, "/packages/1")
    assert watch.here_only(path) is expected
