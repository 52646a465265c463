"""Runs DAGs with the Airflow of the Python that runs this file, and prints what became of each.

    python airflow_oracle.py FILE... [--dag-id ID]... [--logical-date ISO] [--conf JSON] [--folder DAGS]
    python airflow_oracle.py --serve HOME        answers one request after the other: see `serve`

One JSON object per DAG and line on standard output, in the order of files and DAG ids:

    {"airflow": "3.3.2", "file": ..., "dag_id": ..., "run_state": "success", "seconds": 0.4,
     "tasks": {"a": {"state": "success", "tries": 1}, "m[0]": {...}}, "xcom": {"a": {"return_value": 3}}}

or ``{"airflow": ..., "file": ..., "error": "..."}``, with ``dag_id`` where it is one DAG's fault. Everything that
Airflow and the tasks print goes to standard error. `DAG.test` runs the tasks in this process, on a throw-away database;
retry delays and poke intervals are zero, and no sleep takes longer than 10 ms. It needs Airflow and nothing of ours, so
any environment with Airflow 2.11 or 3.3 will do.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import inspect
import json
import os
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AIRFLOWS_OWN = ("_link_", "pipeline_inlets", "pipeline_outlets")
"""How keys of XComs begin that no task pushes: links of operators, and in Airflow 2 lineage."""
LONGEST_SLEEP = 0.01
"""Seconds. `DAG.test` sleeps a second whenever a pass of its scheduler only changed states."""


class RunTimeoutError(BaseException):
    """A DAG run took too long; not an `Exception`, so that no task can catch it."""


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--folder", type=Path, help="Airflow's DAGS_FOLDER; the folder of the first file if not given"
    )
    parser.add_argument("--dag-id", action="append", default=[], help="only these DAGs")
    parser.add_argument("--logical-date", type=_date, default=datetime(2024, 3, 1, tzinfo=timezone.utc))
    parser.add_argument("--conf", type=json.loads, default={}, help="the run's conf, as JSON")
    parser.add_argument("--database", type=Path, help="where an empty database is kept for the next process")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds that one DAG run may take")
    parser.add_argument("--environment", type=json.loads, default={}, help="further variables, as JSON")
    parser.add_argument("--out", type=Path, help="where a server writes the outcomes")
    parser.add_argument("--verbose", action="store_true", help="let Airflow log to standard error")
    return parser.parse_args(argv)


def _date(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def prepare_environment(home: Path, *, verbose: bool) -> None:
    """Set what Airflow reads when it is imported; call it before that."""
    os.environ.update(
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__CORE__FERNET_KEY="",
        AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT="120",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home}/airflow.db",
        AIRFLOW__LOGGING__LOGGING_LEVEL="INFO" if verbose else "CRITICAL",
        AIRFLOW__API_AUTH__JWT_SECRET="only-for-tests-" * 3,
        AIRFLOW__USAGE_DATA_COLLECTION__ENABLED="False",
    )
    warnings.simplefilter("ignore")
    shorten_sleeps()


@contextlib.contextmanager
def surroundings(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Be in a DAGS_FOLDER with further environment variables, and forget its modules in the end."""
    from airflow import settings

    before = dict(os.environ)
    os.environ.update(environment, AIRFLOW__CORE__DAGS_FOLDER=str(folder))
    settings.DAGS_FOLDER = str(folder)
    sys.path.insert(0, str(folder))
    known = set(sys.modules)
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        os.environ.clear()
        os.environ.update(before)
        for name in set(sys.modules) - known:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(f"{folder}/"):
                del sys.modules[name]


def private_stdout() -> IO[str]:
    """Return the real standard output; from now on whatever else is written to it goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return out


def make_database(home: Path, template: Path | None) -> None:
    """Create the metadata database from the models, or copy an empty one that an earlier process left behind.

    One that is there is replaced.
    """
    from airflow import models, settings

    models.import_all_models()
    database = home / "airflow.db"
    leave_database()
    database.unlink(missing_ok=True)
    if template and template.exists():
        shutil.copyfile(template, database)
        return
    _create_tables()
    settings.engine.dispose()
    if template:
        template.parent.mkdir(parents=True, exist_ok=True)
        partial = template.with_name(f"{template.name}.{os.getpid()}")
        shutil.copyfile(database, partial)
        partial.replace(template)


def leave_database() -> None:
    """Close the connections to the database."""
    from airflow import settings

    settings.Session.remove()
    settings.engine.dispose()
    if getattr(settings, "async_engine", None):
        settings.async_engine.sync_engine.dispose(close=False)  # they belong to another thread's event loop


def _create_tables() -> None:
    from airflow.models.pool import Pool
    from airflow.utils import db
    from airflow.utils.session import create_session

    with create_session() as session:
        db._create_db_from_orm(session=session)  # `db migrate` takes ten seconds for the same tables
    with create_session() as session:
        db.synchronize_log_template(session=session)
        Pool.create_or_update_pool("default_pool", 128, "", include_deferred=False, session=session)


def dagbag_module() -> Any:
    """Return the module that has DagBag: it moved in Airflow 3.2."""
    try:
        from airflow.dag_processing import dagbag
    except ImportError:
        from airflow.models import dagbag
    return dagbag


def load(file: Path) -> tuple[list[Any], list[str]]:
    """Return the DAGs of a file by their id, and what went wrong."""
    bag_class = dagbag_module().DagBag
    known = inspect.signature(bag_class.__init__).parameters
    bag = bag_class(str(file), **({"include_examples": False} if "include_examples" in known else {}))
    dags = [bag.dags[dag_id] for dag_id in sorted(bag.dags)]
    looked_for = ("trigger_dag_id", "external_dag_id")
    if hasattr(bag, "sync_to_db") and any(
        hasattr(task, name) for dag in dags for task in dag.tasks for name in looked_for
    ):
        bag.sync_to_db()  # tasks find other DAGs in the database
    return dags, list(bag.import_errors.values())


def serve_only(dag: Any) -> None:
    """Let `DAG.test` of Airflow 3 register this DAG alone; it would parse the whole folder again for each run."""
    module = dagbag_module()
    if not hasattr(module, "BundleDagBag"):
        return

    def bag(**options: Any) -> Any:
        made = module.DagBag(collect_dags=False, **options)
        made.dags[dag.dag_id] = dag
        return made

    module.BundleDagBag = bag


def without_delays(dag: Any) -> None:
    """Set everything that a task waits for to zero."""
    for task in dag.tasks:
        if hasattr(task, "partial_kwargs"):
            task.partial_kwargs["retry_delay"] = timedelta(0)
            if hasattr(task.operator_class, "poke"):
                task.partial_kwargs["poke_interval"] = 0
        else:
            task.retry_delay = timedelta(0)
            task.retry_exponential_backoff = False
            if hasattr(task, "poke_interval"):
                task.poke_interval = 0


def start_by_hand(dag: Any) -> None:
    """Let Airflow 2 know that its run is a manual one, and the datasets of the DAG; `DAG.test` tells it neither."""
    known = inspect.signature(dag.create_dagrun).parameters if hasattr(dag, "create_dagrun") else {}
    if "external_trigger" in known:
        dag.sync_to_db()
        dag.create_dagrun = functools.partial(dag.create_dagrun, external_trigger=True)


def shorten_sleeps() -> None:
    """Cap every sleep of this process; runs that tasks have started end in the meantime."""
    sleep: Any = time.sleep

    def shortened(seconds: Any) -> None:
        end_started_runs()
        sleep(min(float(seconds), LONGEST_SLEEP))

    time.sleep = shortened


def end_started_runs() -> None:
    """Let runs that are queued end as the DAG's last run did: `DAG.test` has no scheduler that would run them.

    On a connection of its own that does not wait: Airflow's session may be in the middle of something.
    """
    database = Path(os.environ["AIRFLOW_HOME"]) / "airflow.db"
    ended = (
        "SELECT state FROM dag_run AS o WHERE o.dag_id = dag_run.dag_id AND o.state IN ('success', 'failed')"
    )
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(database, timeout=0)) as own:
        own.execute(
            f"UPDATE dag_run SET state = ({ended} ORDER BY o.id DESC LIMIT 1) "
            f"WHERE state = 'queued' AND EXISTS ({ended})"
        )
        own.commit()


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise RunTimeoutError in the main thread, again and again, once the time is over.

    SIGALRM belongs to Airflow (execution_timeout), and Airflow takes the first exception for a task's failure.
    """
    over = threading.Event()
    main = threading.main_thread().ident

    def stop(*_: object) -> None:
        raise RunTimeoutError

    def watch() -> None:
        patience = seconds
        while main is not None and not over.wait(patience):
            patience = 1.0
            signal.pthread_kill(main, signal.SIGUSR2)

    signal.signal(signal.SIGUSR2, stop)
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)


def run(dag: Any, options: argparse.Namespace) -> dict[str, Any]:
    """Return the outcome of one run of the DAG."""
    without_delays(dag)
    serve_only(dag)
    start_by_hand(dag)
    date = "logical_date" if "logical_date" in inspect.signature(dag.test).parameters else "execution_date"
    began = time.monotonic()
    problem: str | None = None
    try:
        with deadline(options.timeout):
            dag.test(run_conf=options.conf, **{date: options.logical_date})
    except RunTimeoutError:
        problem = f"the run took more than {options.timeout:g} seconds"
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the answer
        problem = f"{type(error).__name__}: {error}"
    found = read_run(dag.dag_id)
    found["seconds"] = round(time.monotonic() - began, 3)
    return found if problem is None else {**found, "error": problem}


def read_run(dag_id: str) -> dict[str, Any]:
    """Return run state, task instances and XComs of the DAG's run as the database has them."""
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        run_ = session.scalars(
            select(DagRun).where(DagRun.dag_id == dag_id).order_by(DagRun.id.desc())
        ).first()
        if run_ is None:
            return {"dag_id": dag_id, "error": "there is no run"}
        instances = session.scalars(
            select(TaskInstance).where(TaskInstance.run_id == run_.run_id, TaskInstance.dag_id == dag_id)
        )
        tasks = {
            instance_key(one.task_id, one.map_index): {
                "state": str(getattr(one.state, "value", one.state)),
                "tries": one.try_number,
            }
            for one in instances
        }
        return {
            "dag_id": dag_id,
            "run_state": str(getattr(run_.state, "value", run_.state)),
            "tasks": dict(sorted(tasks.items())),
            "xcom": read_xcom(session, dag_id, run_.run_id),
        }


def instance_key(task_id: str, map_index: int) -> str:
    """Return ``task`` or ``task[3]``."""
    return task_id if map_index < 0 else f"{task_id}[{map_index}]"


def read_xcom(session: Any, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
    """Return {task instance: {key: value}}; columns are read, for Airflow 2's entities lose tuples."""
    from sqlalchemy import select

    table, decode = _xcom_backend()
    columns = select(table.task_id, table.map_index, table.key, table.value)
    found: dict[str, dict[str, Any]] = {}
    for row in session.execute(columns.where(table.dag_id == dag_id, table.run_id == run_id)):
        if not row.key.startswith(AIRFLOWS_OWN):
            found.setdefault(instance_key(row.task_id, row.map_index), {})[row.key] = decode(row)
    return {key: dict(sorted(found[key].items())) for key in sorted(found)}


def _xcom_backend() -> tuple[Any, Callable[[Any], Any]]:
    try:
        from airflow.models.xcom import XComModel
        from airflow.sdk.execution_time.xcom import XCom
    except ImportError:
        from airflow.models.xcom import XCom as Both

        return Both, Both.deserialize_value
    return XComModel, XCom.deserialize_value


def plain(value: object) -> object:
    """Return what stands in JSON for a value that JSON does not have."""
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    return {"__repr__": re.sub(r" at 0x[0-9a-f]+", "", repr(value))}


def outcomes(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Return what is to be printed, one DAG after the other."""
    import airflow

    folder = (options.folder or options.files[0].parent).resolve()
    with surroundings(folder, options.environment):
        for outcome in _outcomes(options):
            yield {"airflow": airflow.__version__, **outcome}


def _outcomes(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for file in options.files:
        dags, problems = load(file.resolve())
        for problem in problems:
            yield {"file": str(file), "error": problem}
        for dag in dags:
            if not options.dag_id or dag.dag_id in options.dag_id:
                yield {"file": str(file), **run(dag, options)}


@contextlib.contextmanager
def airflow_home() -> Iterator[Path]:
    """Make a folder for Airflow and its database that is removed in the end."""
    shared_memory = (
        "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    )  # SQLite waits for the disk otherwise
    home = Path(tempfile.mkdtemp(prefix="airflow-oracle-", dir=shared_memory))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def report(options: argparse.Namespace, home: Path, out: IO[str]) -> bool:
    """Run everything on a fresh database and print it; return whether each DAG and file had an outcome."""
    make_database(home, options.database)
    fine = True
    for outcome in outcomes(options):
        fine = fine and "error" not in outcome
        out.write(json.dumps(outcome, default=plain) + "\n")
        out.flush()
    return fine


def serve(home: Path) -> None:
    """Answer requests: lists of arguments, a JSON line each, with the file for the outcomes as ``--out``.

    Airflow needs ten seconds of CPU for its first run, and a quarter of a second for each further one.
    """
    out, requests = private_stdout(), os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # Bash tasks would read the requests
    prepare_environment(home, verbose=False)
    for line in requests:
        options = arguments(json.loads(line))
        with options.out.open("w", encoding="utf-8") as found:
            report(options, home, found)
        with contextlib.suppress(BrokenPipeError):
            out.write("done\n")
            out.flush()
    shutil.rmtree(home, ignore_errors=True)  # whoever made it may have been killed


def main() -> int:
    """Run everything; return 1 if a DAG or a file had no outcome."""
    if sys.argv[1] == "--serve":
        serve(Path(sys.argv[2]))
        return 0
    options = arguments()
    out = private_stdout()
    with airflow_home() as home:
        prepare_environment(home, verbose=options.verbose)
        return int(not report(options, home, out))


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # threads of the in-process API would keep the process for seconds
