"""One DAG file to plain values: its DAGs, and what is wrong with it.

Part of the worker program: standard library and Airflow only, Python 3.8 and later. It does what
`DagBag.process_file` does (same module name, same choice of DAGs, same validation and policies), but keeps
the exceptions, whose places DagBag drops.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Tuple

from . import worker_lookups
from .worker_airflow import Airflow, make_database
from .worker_context import ContextReads
from .worker_extract import Extractor, cycle, topological
from .worker_output import WarningFold
from .worker_problems import Problems
from .worker_search import Search
from .worker_templates import TemplateFiles
from .worker_values import Encoder, Redactor

if TYPE_CHECKING:
    import types

    from .worker_watch import Watch

Place = Tuple[str, int]


class ParseTimeout(BaseException):
    """Raised by the alarm when a file takes too long.

    Not an Exception, so that user code does not swallow it.
    """


class FileLoader:
    """Loads DAG files one after the other in this process."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._assumed = watch.assumed
        self._lookups = worker_lookups.Lookups(self._assumed)
        worker_lookups.install(self._lookups)
        self._airflow = Airflow(watch)
        self._extract = Extractor(
            self._airflow.dag_class,
            self._airflow.operator_class,
            self._airflow.group_class,
            self._airflow.version,
        )
        self._context = ContextReads(watch)
        self._tables = False

    @property
    def version(self) -> str:
        """Return the Airflow version."""
        return self._airflow.version

    def load(self, root: str, relative: str, timeout: float, assume: bool = False) -> dict[str, Any]:
        """Return a file's dags, problems, variables, connections, inputs, what it lacks and whether it timed out.

        If it lacks something, it is loaded again with that made up, to see what else it lacks; what it holds then counts
        only with ``assume``. All of this has to be done within ``timeout`` seconds.
        """
        self._assumed.clear()
        search = Search(assume)
        end = time.monotonic() + timeout
        while True:
            began = time.monotonic()
            problems, answer = self._attempt(root, relative, max(end - began, 0.1))
            now = time.monotonic()
            if not search.goes_on(self._assumed, problems, answer) or now + (now - began) > end:
                return search.result(answer, self._assumed)

    def _attempt(self, root: str, relative: str, timeout: float) -> tuple[Problems, dict[str, Any]]:
        os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = self._airflow.settings.DAGS_FOLDER = root
        self._lookups.clear()
        self._airflow.clear()
        self._watch.start(root, relative)
        problems = Problems(self._watch, self._lookups, relative)
        dags: list[dict[str, Any]] = []
        try:
            with WarningFold(self._watch) as fold, self._assumed:
                dags = self._load(root, relative, timeout, problems)
            problems.deprecations(fold.found)
        finally:
            self._watch.finish()
        problems.habits(bool(dags))
        redact = Redactor([*self._lookups.values(), *self._watch.looked_up()])
        return problems, {
            "dags": dags,
            "problems": problems.redacted(redact),
            "variables": self._lookups.names("variable"),
            "connections": self._lookups.names("connection"),
            "inputs": self._watch.inputs(),
            "timed_out": problems.timed_out,
        }

    def _load(self, root: str, relative: str, timeout: float, problems: Problems) -> list[dict[str, Any]]:
        path = os.path.join(root, relative)
        name = _module_name(path)
        self._airflow.context.current_autoregister_module_name = name
        try:
            with _alarm(timeout):
                module = _execute(name, path)
                return self._bag(module, relative, problems)
        except ParseTimeout as error:
            problems.timeout(error, timeout)
        except BaseException as error:  # noqa: BLE001 -- user code may raise anything, SystemExit included
            if self._create_tables(error):
                self._airflow.clear()
                return self._load(root, relative, timeout, problems)
            problems.exception(error)
        finally:
            self._airflow.context.current_autoregister_module_name = None
            sys.modules.pop(name, None)
        return []

    def _create_tables(self, error: BaseException) -> bool:
        """Make an empty database in memory for the few things that query it while parsing.

        True if there was none.
        """
        if self._tables or "no such table" not in str(error):
            return False
        self._tables = True
        self._watch.active = False
        try:
            return make_database(self._airflow.settings.engine)
        finally:
            self._watch.active = True

    def _bag(self, module: types.ModuleType, relative: str, problems: Problems) -> list[dict[str, Any]]:
        """Return the DAGs that `DagBag` would take from a module, each one validated on its own."""
        cls = self._airflow.dag_class
        wanted = [value for value in vars(module).values() if isinstance(value, cls)]
        wanted += [dag for dag, _ in self._airflow.context.autoregistered_dags]
        made = self._airflow.in_order(wanted)
        for dag, place, _ in made:
            dag.fileloc = module.__file__
            problems.dag_places.setdefault(dag.dag_id, []).append(place)
        twice = problems.duplicates()
        data = self._watch.data_files()
        redact = Redactor([*self._lookups.values(), *self._watch.looked_up()])
        encode = Encoder(self._watch.relations(), redact)
        self._extract.start_file(encode, {module.__name__: relative[:-3].replace("/", ".")})
        self._context = ContextReads(self._watch)
        found = (
            self._one(dag, place, given, problems, data)
            for dag, place, given in made
            if dag.dag_id not in twice
        )
        return [document for document in found if document is not None]

    def _one(
        self, dag: Any, place: Place, given: dict[str, Any], problems: Problems, data: set[str]
    ) -> dict[str, Any] | None:
        try:
            order, stuck = topological(dag.task_dict)
            if stuck:
                problems.cycle(dag.dag_id, place, cycle(dag.task_dict, stuck), self._places(dag, stuck))
                return None
            _validate(dag)
            self._apply_policies(dag)
            document = self._extract.dag(dag, order, place, self._airflow.places, given)
            templates = TemplateFiles(dag, self._watch, problems, self._airflow.places, self._context)
            document["files"] = sorted(data.union(templates.collect()))
            document["needs"] = templates.needs
            document["context_reads"] = [*self._context.of_code(dag), *templates.reads]
            dag.resolve_template_files()
        except Exception as error:  # noqa: BLE001 -- validation runs code of operators, timetables and policies
            if type(error).__name__ == "AirflowClusterPolicySkipDag":
                problems.skipped_by_policy(dag.dag_id, place)
            else:
                problems.exception(error, dag.dag_id, place)
            return None
        return document

    def _places(self, dag: Any, task_ids: list[str]) -> dict[str, Place]:
        places = ((task_id, self._airflow.places.get(id(dag.task_dict[task_id]))) for task_id in task_ids)
        return {task_id: place for task_id, place in places if place is not None}

    def _apply_policies(self, dag: Any) -> None:
        self._airflow.settings.dag_policy(dag)
        for task in dag.task_dict.values():
            self._airflow.settings.task_policy(task)


def _module_name(path: str) -> str:
    """Return the name that DagBag gives the module (`airflow.utils.file.get_unique_dag_module_name`)."""
    stem = os.path.splitext(os.path.basename(path))[0].replace(".", "_")
    digest = hashlib.sha1(path.encode("utf-8", "surrogateescape")).hexdigest()  # noqa: S324
    return f"unusual_prefix_{digest}_{stem}"


def _execute(name: str, path: str) -> types.ModuleType:
    loader = importlib.machinery.SourceFileLoader(name, path)
    spec = importlib.util.spec_from_loader(name, loader)
    if spec is None:
        raise ImportError(f"no loader for {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module


def _validate(dag: Any) -> None:
    """Validate a DAG as DagBag does before it takes it; before 2.9 DagBag called the parts itself."""
    if hasattr(dag, "validate"):
        dag.validate()
        return
    dag.timetable.validate()
    dag.validate_schedule_and_params()


class _alarm:  # noqa: N801 -- reads as the context manager that it is
    """Raises ParseTimeout in the main thread after so many seconds."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout

    def __enter__(self) -> None:
        signal.signal(signal.SIGALRM, _ring)
        signal.setitimer(signal.ITIMER_REAL, self._timeout)

    def __exit__(self, *exc: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _ring(*_: Any) -> None:
    raise ParseTimeout
