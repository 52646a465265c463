"""DAG folders, installed distributions and wheels made on the spot, for tests of packaging."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from orkestra_bridge.frontend.model import DagFile, Environment
from orkestra_bridge.packaging.distributions import index_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def write_tree(root: Path, files: Mapping[str, str]) -> Path:
    """Write files below a folder and return the folder."""
    for relative, text in files.items():
        path = root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def has_distributions(*names: str) -> bool:
    """Return True if all of these are installed beside the tests.

    Looking for their modules would import Airflow into this process, where other tests expect the facade.
    """
    installed_names = {distribution.name.lower() for distribution in importlib.metadata.distributions()}
    return installed_names.issuperset(names)


def dag_file(root: Path, relative: str = "dag.py") -> DagFile:
    """Return a file of a DAG folder, shown as ``dags/...``."""
    return DagFile(root=root, relative=relative, display=f"dags/{relative}")


def installed(
    site_packages: Path,
    name: str,
    version: str,
    files: Mapping[str, str],
    *,
    requires: Sequence[str] = (),
    direct_url: Mapping[str, object] | None = None,
) -> None:
    """Install a distribution as pip would leave it."""
    write_tree(site_packages, files)
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    lines = [f"{path},sha256=x,1" for path in (*files, f"{info}/METADATA", f"{info}/RECORD")]
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    metadata += [f"Requires-Dist: {line}" for line in requires]
    write_tree(
        site_packages,
        {f"{info}/METADATA": "\n".join(metadata) + "\n\n", f"{info}/RECORD": "\n".join(lines) + "\n"},
    )
    if direct_url is not None:
        (site_packages / info / "direct_url.json").write_text(json.dumps(direct_url))


def environment(*site_packages: Path, python_version: str = "") -> Environment:
    """Return this interpreter as the one that parsed the DAGs, with these folders as its site-packages."""
    index_of.cache_clear()
    return Environment(
        python=Path(sys.executable),
        python_version=python_version or ".".join(map(str, sys.version_info[:3])),
        airflow_version="3.3.2",
        site_packages=tuple(site_packages),
    )


def wheel(
    folder: Path,
    name: str,
    version: str,
    files: Mapping[str, str],
    tag: str = "py3-none-any",
    *,
    requires: Sequence[str] = (),
) -> Path:
    """Write a wheel that installers accept, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name.replace('-', '_')}-{version}"
    content = {
        **files,
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {line}\n" for line in requires),
        f"{stem}.dist-info/WHEEL": f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = [f"{path},{_hash(text)},{len(text.encode())}" for path, text in content.items()]
    content[f"{stem}.dist-info/RECORD"] = "\n".join([*record, f"{stem}.dist-info/RECORD,,"]) + "\n"
    path = folder / f"{stem}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for entry, text in content.items():
            archive.writestr(entry, text)
    return path


BACKEND = """\
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    stem, info = "{name}-{version}", "{name}-{version}.dist-info"
    with zipfile.ZipFile(f"{{folder}}/{{stem}}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("{name}.py", "built = True\\n")
        wheel.writestr(f"{{info}}/METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        wheel.writestr(f"{{info}}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{{info}}/RECORD", "")
    return f"{{stem}}-py3-none-any.whl"
"""


def source_distribution(folder: Path, name: str, version: str) -> Path:
    """Write a source distribution of one module that builds itself, so that no build tool has to be fetched."""
    files = {
        "backend.py": BACKEND.format(name=name, version=version),
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for entry, text in files.items():
            info = tarfile.TarInfo(f"{name}-{version}/{entry}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
