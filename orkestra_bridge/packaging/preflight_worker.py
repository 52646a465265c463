"""Loads packages one after another and says what it saw. Stdlib only; started through `isolation.py`.

One process imports the runtime and the facade once and forks; the child loads packages as long as they leave
nothing behind but standard library modules (`Loader.is_clean`), then the next one is forked: a fork costs
milliseconds, a new interpreter a hundred. Requests come as JSON lines on what was standard input, answers leave
as JSON lines on what was standard output; user code gets /dev/null and a scratch file in their place.

Request: ``{"root": folder with the user's part of the package, "dags": the DAG folder, "modules": [...],
"distributions": [...], "remove": whether the folder is to be removed then, "timeout": seconds}``. Answer:
``{"status": "loaded", "dags": {...}}``,
``{"status": "failed", "error": {...}}``, ``{"status": "timeout", "frames": [...]}`` or
``{"status": "died", "code": n}``, the first two with ``stdout``, ``foreign``: modules and files that came from
elsewhere on this machine, and ``absent``: names of Airflow that are there but fail when they are used. Frames are
``[file, line]`` of user code, the innermost last.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import shutil
import signal
import sys
import threading
import traceback
import warnings
from contextlib import suppress
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType, TracebackType

PRELOADED = ("jinja2", "pendulum")
"""What the runtime itself uses for every task: loaded once and not once per package."""

OUTPUT_KEPT = 200
"""Characters of the user's output that are reported."""

SYSTEM = ("/usr/", "/etc/", "/proc/", "/dev/", "/sys/", "/lib", "/tmp/", "/private/", "/System/", "/Library/")  # noqa: S108
"""Folders whose like there is in Lambda, or that are nobody's source."""

TASK_ROOT = "/var/task"
"""Where Lambda unpacks the package: messages show its paths and not those of a scratch folder."""

GRACE = 0.5
"""Seconds between asking a package where it hangs and killing it."""


class Server:
    """The process that forks. ``counts`` is how many packages imported a third-party module by themselves."""

    def __init__(self, base: str, site_packages: list[str]) -> None:
        self.loader = Loader(base, site_packages)
        self.counts: dict[str, int] = {}
        self.loaded: set[str] = set()
        self.child: Child | None = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return what loading this package in a clean process shows."""
        self.preload(request)
        try:
            answer = self.ask_child(request) if hasattr(os, "fork") else self.loader.load(request)
        finally:
            if request["remove"]:
                shutil.rmtree(request["root"], ignore_errors=True)
        for name in answer.pop("imported", ()):
            self.counts[name] = self.counts.get(name, 0) + 1
        as_in_lambda: dict[str, Any] = json.loads(json.dumps(answer).replace(request["root"], TASK_ROOT))
        return as_in_lambda

    def preload(self, request: dict[str, Any]) -> None:
        """Import what a second package would import again, with nothing but what this package lists."""
        listed = {name.partition(".")[0] for name in request["modules"]}
        frequent = [*PRELOADED, *sorted(name for name, count in self.counts.items() if count > 1)]
        wanted = [name for name in frequent if name in listed and name not in self.loaded]
        if not wanted:
            return
        self.end_child()
        self.loader.isolate(self.loader.base, request)
        for name in wanted:
            self.loaded.add(name)
            with suppress(BaseException):  # the package itself will show what is wrong with it
                importlib.import_module(name)
        self.loader.ahead = self.loader.third_party(list(sys.modules))
        gc.freeze()

    def ask_child(self, request: dict[str, Any]) -> dict[str, Any]:
        """Load the package in the child; what fails in a used one is asked again in a new one."""
        used = self.child is not None
        child = self.child = self.child or Child(self.loader)
        text = child.ask(request, request["timeout"])
        answer: dict[str, Any] = json.loads(text) if text else {"status": "died"}
        if not answer.pop("clean", False):
            code = self.end_child()
            if not text:
                answer["code"] = code
        if used and answer["status"] in ("failed", "died"):
            return self.ask_child(request)
        return answer

    def end_child(self) -> int:
        """Kill the child, if there is one, and whatever it started; return its exit code."""
        child, self.child = self.child, None
        return child.end() if child else 0


class Child:
    """A forked process that loads packages, seen from the process that forked it."""

    def __init__(self, loader: Loader) -> None:
        request_reading, self.asking = os.pipe()
        self.answers, answer_writing = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            os.close(self.asking)
            os.close(self.answers)
            loader.serve(request_reading, answer_writing)
        os.close(request_reading)
        os.close(answer_writing)

    def ask(self, request: dict[str, Any], timeout: float) -> str:
        """Return the child's answer, an empty text if it died; it gets a moment to say where it hangs."""
        with suppress(BrokenPipeError):
            os.write(self.asking, json.dumps(request).encode() + b"\n")
        text = read_line(self.answers, timeout)
        if text is None:
            os.kill(self.process, signal.SIGTERM)
            text = read_line(self.answers, GRACE) or '{"status": "timeout"}'
        return text

    def end(self) -> int:
        """Kill the process and return its exit code."""
        os.close(self.asking)
        os.close(self.answers)
        end_group(self.process)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


class Loader:
    """Loads packages in this process."""

    def __init__(self, base: str, site_packages: list[str]) -> None:
        self.base = base
        self.site_packages = site_packages
        self.isolation = sys.modules["_orkestra_isolation"]
        self.ahead: set[str] = set()
        self.watch: FileWatch | None = None
        self.root = base
        self.path = sys.path[:]

    def isolate(self, root: str, request: dict[str, Any]) -> None:
        """Set the imports up for one package."""
        self.isolation.isolate(
            {
                "task_root": root,
                "site_packages": self.site_packages,
                "modules": request["modules"],
                "distributions": request["distributions"],
            }
        )

    def serve(self, reading: int, writing: int) -> NoReturn:
        """Answer requests while the process is clean; leave without running anybody's exit handlers."""

        def send(answer: dict[str, Any]) -> None:
            os.write(writing, json.dumps(answer, default=str).encode() + b"\n")

        def stop(_signal: int, frame: FrameType | None) -> None:
            frames = user_frames(traceback.walk_stack(frame), self.root)
            send({"status": "timeout", "frames": frames[::-1]})
            os._exit(0)

        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, stop)
        clean = True
        while clean and (line := read_line(reading, None)):
            answer = self.load(json.loads(line))
            clean = answer["clean"]
            send(answer)
        os._exit(0)

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return what loading this package in this process shows; ``clean`` if it left nothing behind."""
        root = self.root = request["root"]
        self.path, filters = sys.path[:], warnings.filters[:]
        output = f"{root}/.stdout"
        redirect(output)
        os.chdir(root)
        os.environ["LAMBDA_TASK_ROOT"] = root
        self.isolate(root, request)
        whole = self.forget_unlisted(request["modules"])
        mark, environment = len(sys.modules), dict(os.environ)
        watch = self.watching(request["dags"], root)
        answer = load_package(root)
        watch.active = False
        # Only the new ones, from the end: looking at every module would copy its memory into this process.
        new = list(islice(reversed(sys.modules), max(0, len(sys.modules) - mark)))
        answer["foreign"] = [*self.foreign_modules(new, root), *watch.found]
        answer["imported"] = sorted(self.third_party(new))
        answer["absent"] = absent_names(root)
        sys.stdout.flush()
        answer["stdout"] = Path(output).read_text(encoding="utf-8", errors="replace")[:OUTPUT_KEPT]
        same = (
            whole
            and len(sys.modules) >= mark
            and dict(os.environ) == environment
            and filters == warnings.filters
        )
        answer["clean"] = same and self.is_clean(answer) and self.purge(new, root)
        return answer

    def is_clean(self, answer: dict[str, Any]) -> bool:
        """Return True if the next package finds this process as a forked one would be."""
        left = answer["imported"] or answer["foreign"] or answer["stdout"]
        return answer["status"] == "loaded" and not left and threading.active_count() == 1

    def purge(self, names: Iterable[str], root: str) -> bool:
        """Take out the modules, DAGs and search paths of the package that was just loaded."""
        for name in names:
            if file_of(name).startswith(root):
                del sys.modules[name]
        importlib.import_module("airflow._impl.settings").SETTINGS.dags.clear()
        sys.path[:] = self.path
        os.chdir(self.base)
        return True

    def watching(self, dags: str, root: str) -> FileWatch:
        """Return the audit hook, set to this package; hooks cannot be taken off again, so there is one."""
        if self.watch is None:
            self.watch = FileWatch([self.base, *self.site_packages])
            sys.addaudithook(self.watch)
        self.watch.begin(dags, root)
        return self.watch

    def forget_unlisted(self, modules: Iterable[str]) -> bool:
        """Take out what was loaded for other packages and is not listed by this one; True if there was nothing."""
        listed = {name.partition(".")[0] for name in modules}
        for name in self.ahead - listed:
            for loaded in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
                del sys.modules[loaded]
        return self.ahead <= listed

    def third_party(self, names: Iterable[str]) -> set[str]:
        """Return the top-level names among these modules that came from site-packages."""
        found = set()
        for name in names:
            top = name.partition(".")[0]
            shared = top == "airflow"  # the facade, and installed providers below it
            if top not in found and file_of(name if shared else top).startswith(tuple(self.site_packages)):
                found.add(name if shared else top)
        return found

    def foreign_modules(self, names: Iterable[str], root: str) -> list[dict[str, Any]]:
        """Return modules that were found neither in the package nor the layer nor the standard library."""
        known = (
            root,
            self.base,
            *self.site_packages,
            sys.prefix,
            sys.base_prefix,
            str(Path(os.__file__).parent),
        )
        found = []
        for name in sorted(names):
            file = file_of(name)
            if "." not in name and name != "__mp_main__" and file and not file.startswith(known):
                found.append({"module": name, "file": Path(file).name})
        return found


class FileWatch:
    """An audit hook that notes files of this machine which user code reads while it loads."""

    def __init__(self, allowed: list[str]) -> None:
        self.everywhere = (*allowed, *SYSTEM, sys.prefix, sys.base_prefix)
        self.active = False

    def begin(self, dags: str, root: str) -> None:
        """Watch what the package in this folder opens; ``dags`` is the folder that it was made from."""
        self.root = root
        self.dags = dags + os.sep
        self.allowed = (root, *self.everywhere)
        self.found: list[dict[str, Any]] = []
        self.active = True

    def here_only(self, path: str) -> bool:
        """Return True for what Lambda has not: a project may hold its environment, and an environment the DAGs."""
        elsewhere = max((len(each) for each in self.allowed if path.startswith(each)), default=0)
        return len(self.dags) > elsewhere if path.startswith(self.dags) else not elsewhere

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note the opening of an absolute path that only exists here."""
        if event != "open" or not self.active or not isinstance(arguments[0], str):
            return
        path = os.path.normpath(arguments[0])
        if self.here_only(path) and path.startswith(os.sep) and not path.endswith((".py", ".pyc", ".so")):
            frames = user_frames(traceback.walk_stack(sys._getframe(1)), self.root)
            if frames and Path(path).is_file():
                self.found.append({"path": path, "frames": frames[:1]})


def serve(base: str, site_packages: list[str], airflow_version: str) -> int:
    """Answer requests until the other side hangs up or sends SIGTERM; no process is left behind."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    redirect(os.devnull)
    sys.dont_write_bytecode = False  # the base folder is ours and compiled once
    gc.disable()  # all of it stays
    load_facade(airflow_version)
    gc.enable()
    gc.freeze()
    server = Server(base, site_packages)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.end_child()
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    for line in requests:
        answers.write(json.dumps(server.answer(json.loads(line))) + "\n")
        answers.flush()
    server.end_child()
    return 0


def load_facade(airflow_version: str) -> None:
    """Import the runtime and all of the facade, so that every fork has it; DAG files only look names up."""
    from orkestra_bridge.runtime import loading

    sys.path.insert(0, loading.FACADE)
    importlib.import_module("airflow._impl.settings").configure(version=airflow_version, dags_folder="")
    for path in sorted(Path(loading.FACADE).glob("airflow/_impl/*.py")):
        with suppress(Exception):  # a part that cannot be loaded shows when a package asks for it
            importlib.import_module(f"airflow._impl.{path.stem}")


def load_package(root: str) -> dict[str, Any]:
    """Return the tasks by DAG of the package in this folder, loaded as the handler does it, or why that fails.

    All DAGs of the file, not just the package's own: the answer serves the packages of the others too.
    """
    from orkestra_bridge.runtime import loading
    from orkestra_bridge.runtime.errors import RuntimeSetupError

    try:
        manifest = loading.read_manifest(root)
        with suppress(RuntimeSetupError):  # raised where the file makes no DAG of this id; the others count
            loading.load_dag(root, manifest)
        file = f"{root}/{manifest['source']}/{manifest['dag_file']}"
        module = next(
            each for each in reversed(sys.modules.values()) if getattr(each, "__file__", "") == file
        )
        dags = loading.find_dags(module)
        return {"status": "loaded", "dags": {dag_id: loading.describe(dag) for dag_id, dag in dags.items()}}
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt are findings too
        return {"status": "failed", "error": describe_error(error, root)}


def absent_names(root: str) -> list[dict[str, Any]]:
    """Return the names of Airflow that user code looked up and that fail when they are used."""
    noted = importlib.import_module("airflow._impl.settings").SETTINGS.absent
    source = f"{root}/source/"
    return [
        {"name": f"{path}.{name}", "frames": [[relative(file, root), line]]}
        for path, name, (file, line) in noted
        if file.startswith(source)
    ]


def describe_error(error: BaseException, root: str) -> dict[str, Any]:
    """Return type, message and place of an exception in the user's code."""
    frames = user_frames(traceback.walk_tb(error.__traceback__), root)
    if isinstance(error, SyntaxError) and (error.filename or "").startswith(root):
        frames.append([relative(str(error.filename), root), error.lineno or 0])
    cause = error
    while not isinstance(cause, ImportError) and cause.__cause__ is not None:
        cause = cause.__cause__
    return {
        "type": type(error).__name__,
        "message": str(error),
        "frames": frames,
        "import": cause.name if isinstance(cause, ImportError) else None,
        "facade": facade_lacks(cause),
        "variable": missing_variable(error),
        "path": str(error.filename) if isinstance(error, FileNotFoundError) else None,
    }


def facade_lacks(error: BaseException) -> str | None:
    """Return the name below `airflow` that the facade does not have, None for any other error.

    It raises ImportError with ``name`` and, for a name in a module, the module as ``path``.
    """
    if not isinstance(error, ImportError):
        return None
    home = str(error.path or "")
    if home.partition(".")[0] == "airflow":
        return f"{home}.{error.name}"
    name = str(error.name or "")
    return name if name.partition(".")[0] == "airflow" else None


def missing_variable(error: BaseException) -> str | None:
    """Return the name that ``os.environ[name]`` did not find, None for any other error."""
    last: TracebackType | None = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    lookup = type(os.environ).__getitem__.__code__
    if not isinstance(error, KeyError) or last is None or last.tb_frame.f_code is not lookup:
        return None
    return str(error.args[0])


def user_frames(frames: Iterable[tuple[FrameType, int]], root: str) -> list[list[Any]]:
    """Return ``[file, line]`` of the frames in the user's source, outermost first as Python shows them."""
    source = f"{root}/source/"
    found = []
    for frame, line in frames:
        file = frame.f_code.co_filename
        if file.startswith(source):
            found.append([relative(file, root), line])
    return found


def relative(file: str, root: str) -> str:
    """Return a path in the package's ``source`` as the DAG folder has it."""
    return file[len(f"{root}/source/") :].replace(os.sep, "/")


def file_of(name: str) -> str:
    """Return the file that a loaded module came from, an empty string if there is none."""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if file is None:
        paths = list(getattr(module, "__path__", ()))
        file = paths[0] if paths else ""
    return str(file)


def redirect(output: str) -> None:
    """Give standard input, output and error to nobody, a file and nobody."""
    nothing = os.open(os.devnull, os.O_RDWR)
    target = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(target, 1)
    os.dup2(nothing, 2)
    os.close(nothing)
    os.close(target)


def read_line(descriptor: int, timeout: float | None) -> str | None:
    """Return a line, an empty string if the other side ended without one, None after so many seconds."""
    end = None if timeout is None else monotonic() + timeout
    data = b""
    while not data.endswith(b"\n"):
        if not select.select([descriptor], [], [], None if end is None else max(0.0, end - monotonic()))[0]:
            return None
        piece = os.read(descriptor, 65536)
        if not piece:
            return ""
        data += piece
    return data.decode()


def end_group(leader: int) -> None:
    """Kill a process and whatever it started."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(leader, signal.SIGKILL)
