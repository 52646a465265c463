"""Layers, built by uv from wheels that the test makes."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from packages import source_distribution, wheel

from orkestra_bridge.options import Target
from orkestra_bridge.packaging.installer import pins
from orkestra_bridge.packaging.layer import (
    UNZIPPED_LIMIT,
    Layers,
    build_layer,
    cached_layer,
    layer_hash,
)
from orkestra_bridge.packaging.model import Layer, Requirement

if TYPE_CHECKING:
    from pathlib import Path

TARGET = Target()


def a_requirement(
    name: str, version: str = "1.0", *, provided: bool = False, reason: str = ""
) -> Requirement:
    return Requirement(name=name, version=version, modules=(name,), provided=provided, reason=reason)


def offline(wheels: Path) -> tuple[str, ...]:
    return ("--no-index", "--find-links", str(wheels), "--no-cache")


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    wheel(folder, "tiny", "1.0", {"tiny/__init__.py": "x = 1\n", "tiny/py.typed": "", "tiny/stub.pyi": ""})
    wheel(folder, "other", "2.0", {"other.py": ""})
    wheel(folder, "native", "1.0", {"native.py": "arm = True\n"}, tag="cp313-cp313-manylinux_2_28_aarch64")
    wheel(folder, "native", "1.0", {"native.py": "arm = False\n"}, tag="cp313-cp313-manylinux_2_28_x86_64")
    return folder


def built(requirements: tuple[Requirement, ...], cache: Path, wheels: Path, target: Target = TARGET) -> Layer:
    result = build_layer(requirements, target, cache, index=offline(wheels))
    assert result.findings == ()
    assert result.layer is not None
    return result.layer


def test_what_is_in_a_layer(tmp_path: Path, wheels: Path) -> None:
    layer = built((a_requirement("tiny"), a_requirement("other", "2.0")), tmp_path / "cache", wheels)
    with zipfile.ZipFile(layer.path) as archive:
        assert sorted(archive.namelist()) == [
            "python/other-2.0.dist-info/METADATA",
            "python/other-2.0.dist-info/WHEEL",
            "python/other.py",
            "python/tiny-1.0.dist-info/METADATA",
            "python/tiny-1.0.dist-info/WHEEL",
            "python/tiny/__init__.py",
        ]
        assert layer.size == sum(info.file_size for info in archive.infolist())


def test_the_same_requirements_give_the_same_bytes(tmp_path: Path, wheels: Path) -> None:
    first = built((a_requirement("tiny"), a_requirement("other", "2.0")), tmp_path / "one", wheels)
    second = built(
        (a_requirement("other", "2.0", reason="x"), a_requirement("tiny")), tmp_path / "two", wheels
    )
    assert first.key_hash == second.key_hash
    assert first.path.read_bytes() == second.path.read_bytes()


@pytest.mark.parametrize(
    ("architecture", "content"), [("arm64", b"arm = True\n"), ("x86_64", b"arm = False\n")]
)
def test_wheels_are_those_of_the_target(
    tmp_path: Path, wheels: Path, architecture: str, content: bytes
) -> None:
    target = Target(architecture="arm64" if architecture == "arm64" else "x86_64")
    layer = built((a_requirement("native"),), tmp_path / "cache", wheels, target)
    with zipfile.ZipFile(layer.path) as archive:
        assert archive.read("python/native.py") == content


def test_a_layer_is_built_once(tmp_path: Path, wheels: Path) -> None:
    cache = tmp_path / "cache"
    first = built((a_requirement("tiny"),), cache, wheels)
    again = build_layer((a_requirement("tiny"),), TARGET, cache, index=("--this-would-fail",))
    assert again.layer == first == cached_layer((a_requirement("tiny"),), TARGET, cache)


def test_what_lambda_has_needs_no_layer(tmp_path: Path) -> None:
    result = build_layer((a_requirement("boto3", provided=True),), TARGET, tmp_path)
    assert (result.layer, result.findings) == (None, ())


def test_no_wheel_for_the_target(tmp_path: Path, wheels: Path) -> None:
    wheel(wheels, "windows-only", "3.0", {"w.py": ""}, tag="cp313-cp313-win_amd64")
    result = build_layer((a_requirement("windows-only", "3.0"),), TARGET, tmp_path, index=offline(wheels))
    (finding,) = result.findings
    assert result.layer is None
    assert (finding.id, finding.severity.value) == ("OB432", "error")
    assert "windows-only" in finding.message
    assert "Python 3.13 on arm64" in finding.message


def test_a_pure_distribution_without_a_wheel_is_built_from_source(tmp_path: Path, wheels: Path) -> None:
    source_distribution(wheels, "old", "1.2")
    other = a_requirement("tiny")
    refused = build_layer((other, a_requirement("old", "1.2")), TARGET, tmp_path, index=offline(wheels))
    assert [finding.id for finding in refused.findings] == ["OB432"]
    pure = replace(a_requirement("old", "1.2"), pure=True)
    with zipfile.ZipFile(built((other, pure), tmp_path, wheels).path) as archive:
        assert archive.read("python/old.py") == b"built = True\n"


def test_a_file_has_to_have_the_hash_that_the_requirements_file_names(tmp_path: Path, wheels: Path) -> None:
    [file] = wheels.glob("tiny-*.whl")
    right = f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    wrong = f"sha256:{'0' * 64}"
    both = replace(a_requirement("tiny"), hashes=(wrong, right))
    layer = built((both, a_requirement("other", "2.0")), tmp_path, wheels)
    assert layer.key_hash != layer_hash((a_requirement("tiny"), a_requirement("other", "2.0")), TARGET)
    forged = replace(a_requirement("tiny"), hashes=(wrong,))
    result = build_layer((forged, a_requirement("other", "2.0")), TARGET, tmp_path, index=offline(wheels))
    [finding] = result.findings
    assert result.layer is None
    assert (finding.id, finding.severity.value) == ("OB434", "error")
    assert finding.message.startswith("tiny==1.0 has other files")


def test_what_uv_adds_is_held_to_the_versions_that_are_there_and_to_constraints(
    tmp_path: Path, wheels: Path
) -> None:
    for version in ("1.0", "2.0"):
        wheel(wheels, "added", version, {"added.py": f"version = {version!r}\n"})
    added = replace(a_requirement("added", ""), line="added>=1")
    here = (a_requirement("tiny"), added)
    newest = build_layer(here, TARGET, tmp_path / "cache", index=offline(wheels)).layer
    older = build_layer(
        here, TARGET, tmp_path / "cache", index=offline(wheels), constraints=("added<2",)
    ).layer
    assert newest is not None
    assert older is not None
    for layer, version in ((newest, "2.0"), (older, "1.0")):
        with zipfile.ZipFile(layer.path) as archive:
            assert version in archive.read("python/added.py").decode()
            assert "python/tiny/__init__.py" in archive.namelist()
    wheel(wheels, "greedy", "1.0", {"greedy.py": ""}, requires=("tiny>=2",))
    wheel(wheels, "tiny", "2.0", {"tiny.py": ""})
    conflict = (a_requirement("tiny"), replace(added, line="greedy"))
    [finding] = build_layer(conflict, TARGET, tmp_path / "cache", index=offline(wheels)).findings
    assert finding.id == "OB432"
    assert "greedy depend on tiny>=2 and tiny==1.0" in finding.message


def test_airflow_itself_is_never_in_a_layer(tmp_path: Path, wheels: Path) -> None:
    """A provider that a task's requirements name needs it, and the package has the facade for it."""
    path = wheel(wheels, "some-provider", "1.0", {"some_provider.py": ""}, requires=("apache-airflow>=3",))
    assert path.is_file()
    named = (replace(a_requirement("some-provider", ""), line="some-provider"), a_requirement("tiny"))
    layer = built(named, tmp_path / "cache", wheels)
    with zipfile.ZipFile(layer.path) as archive:
        assert "python/some_provider.py" in archive.namelist()


def test_a_version_that_is_nowhere(tmp_path: Path, wheels: Path) -> None:
    (finding,) = build_layer(
        (a_requirement("tiny", "9.9"),), TARGET, tmp_path, index=offline(wheels)
    ).findings
    assert finding.id == "OB432"
    assert "tiny==9.9" in finding.message


def test_an_index_that_does_not_answer_is_asked_once(tmp_path: Path) -> None:
    nowhere = ("--no-cache", "--default-index", "http://127.0.0.1:9/simple")
    with Layers(TARGET, tmp_path, index=nowhere) as layers:
        first = layers.submit((a_requirement("tiny"),)).result()
        second = layers.submit((a_requirement("other"),)).result()
    (finding,) = first.findings
    assert (finding.id, finding.severity.value) == ("OB431", "warning")
    assert "cannot be reached" in finding.message
    assert second is first


def test_equal_requirements_share_a_layer(tmp_path: Path, wheels: Path) -> None:
    with Layers(TARGET, None, index=offline(wheels)) as layers:
        first = layers.submit((a_requirement("tiny", reason="imported at a.py:1"),))
        assert layers.submit((a_requirement("tiny", reason="imported at b.py:1"),)) is first
        layer = first.result().layer
        assert layer is not None
        assert layer.path.is_file()
    assert not layer.path.exists()


def test_layers_can_be_skipped(tmp_path: Path) -> None:
    with Layers(TARGET, tmp_path, skip=True) as layers:
        result = layers.submit((a_requirement("tiny"),)).result()
    assert (result.layer, result.findings) == (None, ())


def test_a_layer_over_the_limit(tmp_path: Path, wheels: Path) -> None:
    requirements = (a_requirement("tiny"),)
    layer = built(requirements, tmp_path, wheels)
    layer.path.with_suffix(".json").write_text(f'{{"size": {UNZIPPED_LIMIT + 1}}}')
    (finding,) = build_layer(requirements, TARGET, tmp_path).findings
    assert (finding.id, finding.severity.value) == ("OB433", "error")


def test_the_hash_is_about_versions_and_target() -> None:
    one = layer_hash((a_requirement("tiny"),), TARGET)
    assert one == layer_hash(
        (a_requirement("tiny", reason="x"), a_requirement("boto3", provided=True)), TARGET
    )
    assert one != layer_hash((a_requirement("tiny", "1.1"),), TARGET)
    assert one != layer_hash((a_requirement("tiny"),), Target(python="3.12"))
    assert one != layer_hash((a_requirement("tiny"),), Target(architecture="x86_64"))


def test_pins() -> None:
    assert pins((a_requirement("b"), a_requirement("a", ""))) == ("a", "b==1.0")


@pytest.mark.network
def test_a_real_layer(tmp_path: Path) -> None:
    requirements = (a_requirement("markupsafe", "3.0.2"), a_requirement("jinja2", "3.1.6"))
    layer = build_layer(requirements, TARGET, tmp_path).layer
    assert layer is not None
    with zipfile.ZipFile(layer.path) as archive:
        assert [name for name in archive.namelist() if name.endswith("aarch64-linux-gnu.so")]
