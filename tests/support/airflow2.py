"""Makes a virtual environment with Airflow 2 at the path given, unless it is there already."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

VERSION = "2.11.2"
VIRTUALENV = "virtualenv>=20,<22"  # Airflow 2 makes the environments of tasks with it, from wheels that it brings along


def main(folder: Path) -> None:
    marker = folder / f"airflow-{VERSION}-with-virtualenv"
    if marker.exists():
        return
    python = str(folder / "bin" / "python")
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
    install = [*uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python]
    subprocess.run([*install, f"apache-airflow=={VERSION}", VIRTUALENV], check=True)
    marker.touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
