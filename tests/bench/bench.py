"""Benchmarks: each prints what was measured, the limit or the peer, and the ratio. Nothing here fails on time.

python tests/bench/bench.py [convert] [start] [run]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = 200
TASKS = 10
FAN_OUT = 50
ROUNDS = 3

BAG = """
import os, sys, tempfile, inspect
os.environ.update(AIRFLOW_HOME=tempfile.mkdtemp(), AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="sqlite://",
                  AIRFLOW__LOGGING__LOGGING_LEVEL="FATAL", AIRFLOW__CORE__LOAD_EXAMPLES="False")
try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models.dagbag import DagBag
kw = {"include_examples": False} if "include_examples" in inspect.signature(DagBag.__init__).parameters else {}
bag = DagBag(sys.argv[1], **kw)
assert len(bag.dags) == int(sys.argv[2]), bag.import_errors
"""


@dataclass(frozen=True)
class Measure:
    """Seconds of one command, its children included."""

    wall: float
    cpu: float
    output: str


def measure(*command: str, cwd: Path = ROOT, may_fail: bool = False) -> Measure:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode and not may_fail:
        sys.exit(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measure(wall, cpu, done.stdout)


def quickest(measures: list[Measure]) -> Measure:
    """Return the least wall and CPU time of several measures."""
    return Measure(min(each.wall for each in measures), min(each.cpu for each in measures), "")


def usual(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the pair with the median of the ratios: the machine was as fast for one as for the other."""
    return sorted(pairs, key=lambda pair: pair[1] / pair[0])[len(pairs) // 2]


def line(what: str, measured: float, limit: float, unit: str = "s", *, at_least: bool = False) -> None:
    ratio = measured / limit
    good = ratio >= 1 if at_least else ratio <= 1
    word = "of at least" if at_least else "of at most"
    print(
        f"{'ok ' if good else 'MISSED'} {what}: {measured:.2f} {unit} {word} {limit:.2f} {unit} (ratio {ratio:.2f})"
    )


def bridge(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "orkestra_bridge", *arguments]


def generate(folder: Path, files: int) -> None:
    for number in range(files):
        tasks = "\n".join(
            f"    t{i} = PythonOperator(task_id='t{i}', python_callable=work, op_args=[{i}])"
            for i in range(TASKS)
        )
        chain = " >> ".join(f"t{i}" for i in range(TASKS))
        (folder / f"dag_{number:03}.py").write_text(
            "from datetime import datetime\n"
            "from airflow import DAG\n"
            "from airflow.providers.standard.operators.python import PythonOperator\n\n\n"
            "def work(number):\n    return number\n\n\n"
            f"with DAG('dag_{number:03}', schedule='{number % 60} * * * *', start_date=datetime(2024, 1, 1)):\n"
            f"{tasks}\n    {chain}\n"
        )


def bench_convert(folder: Path) -> None:
    dags = folder / "dags"
    dags.mkdir()
    generate(dags, FILES)
    loads = [sys.executable, "-c", BAG, str(dags), str(FILES)]
    pairs, seconds = list[tuple[Measure, Measure]](), list[Measure]()
    for number in range(ROUNDS):  # in turns, for a machine is not equally fast all the time
        # Folders of its own for each: ext4 is slow to create files where many have just been deleted.
        out, cache = folder / f"out-{number}", folder / f"cache-{number}"
        command = bridge("convert", str(dags), "-o", str(out), "--layers", "skip", "--cache-dir", str(cache))
        pairs.append((measure(*loads), measure(*command)))
        seconds.append(measure(*command))
    bag, first = usual([(bag.cpu, first.cpu) for bag, first in pairs])
    line(f"convert {FILES} files of {TASKS} tasks, CPU; DagBag alone {bag:.2f} s", first, 2 * bag)
    bag, first = usual([(bag.wall, first.wall) for bag, first in pairs])
    line(f"convert {FILES} files of {TASKS} tasks, wall; DagBag alone {bag:.2f} s", first, 1.2 * bag)
    line("convert again, nothing changed, wall", quickest(seconds).wall, 2.0)


def bench_start(folder: Path) -> None:
    helps = min(measure(*bridge("--help")).wall for _ in range(5))
    line("orkestra-bridge --help, wall", helps, 0.3)
    source = folder / "hello.py"
    source.write_text(
        "from airflow.sdk import dag, task\n\n@dag(schedule=None)\ndef hello():\n"
        "    @task\n    def hi():\n        return 1\n    hi()\n\nhello()\n"
    )
    out = folder / "hello-out"
    measure(*bridge("convert", str(source), "-o", str(out), "--layers", "skip", "--no-cache"))
    package = out / "hello" / "functions" / "tasks.zip"
    line("package without user code, size", (package.stat().st_size - 400) / 1024, 300, "KB")
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder / "task")
    facade = folder / "task" / "orkestra_bridge" / "runtime" / "facade"
    program = f"import sys; sys.path[:0] = [{str(folder / 'task')!r}, {str(facade)!r}]\n"
    loads = "import orkestra_bridge.runtime.handler, airflow; from airflow import DAG; from airflow.sdk import dag, task"
    isolated = [sys.executable, "-I", "-S", "-c"]
    measure(*isolated, program + loads)
    bare = min(measure(*isolated, program).cpu for _ in range(5))
    full = min(measure(*isolated, program + loads).cpu for _ in range(5))
    line("import of runtime and facade, CPU", full - bare, 0.1)


def bench_run(folder: Path) -> None:
    dags = folder / "fan"
    dags.mkdir()
    (dags / "fan.py").write_text(
        "from airflow.sdk import DAG, task\n\nwith DAG('fan', schedule=None):\n    for i in range(50):\n\n"
        "        @task(task_id=f't{i}')\n        def trivial():\n            return 1\n\n        trivial()\n"
    )
    out = folder / "fan-out"
    measure(*bridge("convert", str(dags), "-o", str(out), "--layers", "skip", "--no-cache"))
    ours = min(
        (measure(*bridge("run", "fan", "--out", str(out), "--format", "json")) for _ in range(2)),
        key=lambda m: m.wall,
    )
    oracle = ROOT / "tests" / "support" / "airflow_oracle.py"
    theirs = measure(sys.executable, str(oracle), str(dags / "fan.py"))
    print(f"   run of {FAN_OUT} tasks: {ours.wall:.2f} s here, {theirs.wall:.2f} s by Airflow's dag.test()")
    line(
        "tasks per second against Airflow's",
        FAN_OUT / ours.wall,
        5 * FAN_OUT / theirs.wall,
        "/s",
        at_least=True,
    )


BENCHES = {"convert": bench_convert, "start": bench_start, "run": bench_run}


def main(wanted: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        for name in wanted or list(BENCHES):
            folder = Path(scratch) / name
            folder.mkdir()
            BENCHES[name](folder)


if __name__ == "__main__":
    main(sys.argv[1:])
