"""What is kept of a conversion is found under a key for each DAG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packages import dag_file, environment, write_tree
from workflows import a_task, a_workflow

from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.output import Output
from orkestra_bridge.packaging.closure import Closures
from orkestra_bridge.packaging.listed import Listed
from orkestra_bridge.project.surroundings import Surroundings
from orkestra_bridge.unchanged import Unchanged

if TYPE_CHECKING:
    from pathlib import Path


def test_a_dag_whose_file_cannot_be_read_has_no_key(tmp_path: Path) -> None:
    options = ConvertOptions(paths=(tmp_path,), out=tmp_path / "out")
    write_tree(tmp_path, {"dag.py": ""})
    file, workflow = dag_file(tmp_path), a_workflow(a_task("t"))
    with Output(options.out) as output:
        unchanged = Unchanged(
            options,
            environment(),
            Surroundings(),
            output,
            listed=Listed(options),
            closures=Closures(),
            cache=tmp_path / "cache",
        )
        assert unchanged.key(workflow, file)
        (tmp_path / "dag.py").unlink()
        assert unchanged.key(workflow, file) is None
