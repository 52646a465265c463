"""The worker program: loads DAG files in the environment's own Python and answers with JSON lines.

Started as a script, never imported by this package. Arguments: the numbers of two file descriptors (requests
in, answers out) and of a file for the traceback of a crash, and a JSON object with ``search``, the folders that
modules are searched in after the DAG folder, and ``assume``, whether files count that need made-up values.
A request is ``{"id", "root", "relative", "timeout"}``. Answers are ``{"ready": Airflow version}`` once, then per
request ``{"begin": id}`` and ``{"id", ...}`` as `FileLoader.load` returns it. Standard library and Airflow only,
Python 3.8 and later.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import signal
import sys
import traceback
import types
from typing import IO, Any

PACKAGE = "_orkestra_bridge_worker"
# Airflow collects garbage of its own; doing it every so many files keeps the memory flat and costs nothing.
FILES_PER_COLLECTION = 50


def _make_package() -> None:
    """Make the sibling modules importable, but not by their names, which are common ones."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
    package = types.ModuleType(PACKAGE)
    package.__path__ = [here]
    sys.modules[PACKAGE] = package


def _silence() -> None:
    """Lead the standard streams nowhere: neither Airflow nor user code may write into the user's terminal."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.close(null)


def _described(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} at {os.path.basename(frame.filename)}:{frame.lineno}"


class _Answers:
    """Writes one JSON document per line."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, document: dict[str, Any]) -> None:
        data = json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode("ascii") + b"\n"
        while data:
            data = data[os.write(self._descriptor, data) :]


def _serve(requests: IO[str], answers: _Answers, home: str, config: dict[str, Any]) -> None:
    from importlib import import_module

    # Nearly all that importing Airflow makes stays: looking for garbage in it is a sixth of the time that it takes.
    gc.disable()
    watch = import_module(PACKAGE + ".worker_watch").Watch(home, config["search"])
    with import_module(PACKAGE + ".worker_light").without_extras():
        loader = import_module(PACKAGE + ".worker_load").FileLoader(watch)
        import_module(PACKAGE + ".worker_airflow").warm_up(loader.version)
    watch.install()
    gc.freeze()
    answers.send({"ready": loader.version})
    process = os.getpid()
    for number, line in enumerate(requests, 1):
        request = json.loads(line)
        answers.send({"begin": request["id"]})
        try:
            result = loader.load(request["root"], request["relative"], request["timeout"], config["assume"])
            if os.getpid() != process:
                os._exit(0)  # a child that user code forked and that came all the way back here
            answers.send({"id": request["id"], **result})
        except Exception as error:  # noqa: BLE001 -- our own bug must not cost the other files
            answers.send({"id": request["id"], "internal": _described(error)})
        if number % FILES_PER_COLLECTION == 0:
            gc.collect()


def main() -> None:
    """Serve requests until the other side closes its end, then leave without waiting for threads."""
    requests, answers, crash = (int(argument) for argument in sys.argv[1:4])
    config = json.loads(sys.argv[4])
    sys.argv[1:] = []
    sys.dont_write_bytecode = True
    for number in (requests, answers, crash):
        os.set_inheritable(number, False)
    faulthandler.enable(file=crash, all_threads=False)
    faulthandler.register(signal.SIGUSR2, file=crash, all_threads=False)
    _make_package()
    _silence()
    output = _Answers(answers)
    home = os.environ["AIRFLOW_HOME"]
    try:
        with os.fdopen(requests, encoding="utf-8") as stream:
            _serve(stream, output, home, config)
    except Exception as error:  # noqa: BLE001 -- the other side has to hear of it, whatever it is
        output.send({"failed": _described(error)})
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
