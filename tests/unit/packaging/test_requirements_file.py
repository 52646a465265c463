from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packages import environment, installed

from orkestra_bridge.errors import UsageError
from orkestra_bridge.ir.model import SourceSpan
from orkestra_bridge.options import Target
from orkestra_bridge.packaging.forecast import size_findings
from orkestra_bridge.packaging.installer import PLATFORMS, locked, platform_tag
from orkestra_bridge.packaging.model import Requirement
from orkestra_bridge.packaging.pinning import pinned
from orkestra_bridge.packaging.requirements import marker_environment
from orkestra_bridge.packaging.requirements_file import RequirementsFile, read_requirements, unread_findings

if TYPE_CHECKING:
    from pathlib import Path

MARKERS = marker_environment(Target())
SPAN = SourceSpan("dags/etl.py", 3)
TEXT = """\
# a comment
--index-url https://index.example/simple
--constraint "constraints.txt"
-c https://example.com/constraints-3.0.txt
-r more/extra.txt
Pandas==2.2.0 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb   # with hashes
requests >= 2.31 , <3
old==1.0 ; python_version < "3.9"
numpy==2.*
git+https://github.com/x/y
./wheels/own-1.0-py3-none-any.whl
-e ./src
boto3==1.26.0
"""


def read(folder: Path, text: str = TEXT) -> RequirementsFile:
    (folder / "more").mkdir(exist_ok=True)
    (folder / "more" / "extra.txt").write_text("six==1.16.0\n-r ../requirements.txt\n")
    (folder / "constraints.txt").write_text("requests==2.31.0\npandas==1.0\ncharset_normalizer==3.3.2\n")
    (folder / "requirements.txt").write_text(text)
    return read_requirements(folder / "requirements.txt", MARKERS)


def requirement(name: str, version: str, *, provided: bool = False) -> Requirement:
    return Requirement(name=name, version=version, modules=(name,), provided=provided, reason="")


def test_versions_come_from_requirements_then_from_constraints(tmp_path: Path) -> None:
    found = read(tmp_path)
    names = ("pandas", "Requests", "charset-normalizer", "six", "old", "numpy", "unknown")
    exact = {name: wanted.exact for name in names if (wanted := found.exact(name))}
    assert exact == {"pandas": "2.2.0", "Requests": "2.31.0", "charset-normalizer": "3.3.2", "six": "1.16.0"}
    pandas = found.exact("pandas")
    assert pandas is not None
    assert pandas.hashes == ("sha256:aaaa", "sha256:bbbb")
    (packed,), _ = pinned((requirement("pandas", "2.2.0"),), found, SPAN, "etl")
    assert locked((packed,)) == ("pandas==2.2.0 --hash=sha256:aaaa --hash=sha256:bbbb",)
    assert pandas.place == f"{tmp_path}/requirements.txt:6"


def test_lines_that_name_no_version_are_told(tmp_path: Path) -> None:
    findings = unread_findings(read(tmp_path))
    assert [(finding.id, finding.line) for finding in findings] == [
        ("OB443", 4),
        ("OB443", 12),
        ("OB443", 13),
        ("OB443", 14),
    ]


def test_all_bad_lines_are_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, "fine==1\nnot a requirement\nx==\n")
    assert "requirements.txt:2" in str(caught.value)
    assert "requirements.txt:3" in str(caught.value)
    with pytest.raises(UsageError, match="cannot be read as text"):
        read_requirements(tmp_path / "gone.txt", MARKERS)


def test_the_files_versions_win_and_differences_are_told(tmp_path: Path) -> None:
    parsed = (
        requirement("pandas", "2.1.0"),
        requirement("six", "1.16.0"),
        requirement("numpy", "1.26.0"),
        requirement("boto3", "1.40.0", provided=True),
        requirement("other", "5"),
    )
    chosen, (finding,) = pinned(parsed, read(tmp_path), SPAN, "etl")
    assert {each.name: each.version for each in chosen} == {
        "pandas": "2.2.0",
        "six": "1.16.0",
        "numpy": "1.26.0",
        "boto3": "1.40.0",
        "other": "5",
    }
    assert finding.id == "OB442"
    assert "pandas 2.2.0" in finding.message
    assert "numpy 1.26.0, which" in finding.message
    assert "six" not in finding.message
    assert pinned(parsed[1:2], read(tmp_path), SPAN, "etl") == (parsed[1:2], ())


def test_a_layer_that_will_be_too_large_is_told_before_it_is_built(tmp_path: Path) -> None:
    site = environment(tmp_path).site_packages
    for name, megabytes in (("large", 200), ("medium", 60), ("small", 1)):
        installed(tmp_path, name, "1.0", {f"{name}/__init__.py": ""})
        record = tmp_path / f"{name}-1.0.dist-info" / "RECORD"
        extra = [
            f"{name}/data.bin,sha256=x,{megabytes << 20}",
            f"{name}/a.pyc,,{900 << 20}",
            f"../../bin/x,,{900 << 20}",
        ]
        record.write_text(record.read_text() + "\n".join(extra) + "\n")
    wanted = [requirement(name, "1.0") for name in ("small", "large", "medium")]
    (finding,) = size_findings(tuple(wanted), site, SPAN, "etl")
    assert finding.id == "OB441"
    assert "some 261 MB" in finding.message
    assert "large 200 MB, medium 60 MB, small 1 MB" in finding.message
    assert size_findings(tuple(wanted[:2]), site, SPAN, "etl") == ()


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_every_runtime_of_lambda_has_its_wheels(python: str) -> None:
    newest = "manylinux2014" if python in ("3.10", "3.11") else "manylinux_2_34"
    assert PLATFORMS[python] == newest
    assert platform_tag(Target(python=python)) == f"aarch64-{newest}"
    assert platform_tag(Target(python=python, architecture="x86_64")) == f"x86_64-{newest}"
