"""What a DAG file does besides defining DAGs: what it reads, prints and changes; undone after each file.

Part of the worker program: standard library only, Python 3.8 and later. Everything here is process-wide on
purpose: it is user code that is watched.
"""

from __future__ import annotations

import _collections_abc
import contextlib
import os
import sys
import sysconfig
from typing import TYPE_CHECKING, Any, Tuple

from .worker_assume import Assumed
from .worker_digests import environ_digest, file_digest, folder_digest
from .worker_output import Printed

if TYPE_CHECKING:
    import types
    from collections.abc import Iterator

Place = Tuple[str, int]

_WRITING = os.O_WRONLY | os.O_RDWR
# Answers that no file holds: a DAG that asks for them is loaded anew each time.
_OUTSIDE_WORLD = frozenset(
    (
        "os.exec",
        "os.fork",
        "os.posix_spawn",
        "os.system",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "sqlite3.connect",
        "subprocess.Popen",
    )
)
_ENVIRON_CODE = (os.__file__, _collections_abc.__file__, "<frozen os>", "<frozen _collections_abc>")
_IMPORT_CODE = ("<frozen importlib._bootstrap_external>", "<frozen importlib._bootstrap>")
ARCHIVES = (".egg", ".whl", ".zip")
"""Files that modules may be imported from."""
_CODE = (".py", ".pyc", *ARCHIVES)
_DEVICES = ("/dev/", "/proc/", "/sys/")


class HardExit(BaseException):
    """Raised in place of ``os._exit``, so that the place can be named and the worker lives."""


class Watch:
    """Observes the process while one DAG file is loaded; `start` and `finish` enclose that."""

    def __init__(self, home: str, search: list[str] | None = None) -> None:
        paths = sysconfig.get_paths()
        libraries = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
        libraries.update(path for path in sys.path if path.endswith(("site-packages", "dist-packages")))
        libraries.add(os.path.dirname(__file__))
        self._libraries = tuple(sorted(_folder(path) for path in libraries))
        self._home = _folder(home)
        self._search = search or []
        self._path = [*self._search, *(path for path in sys.path if path not in self._search)]
        self._environ: Any = os.environ
        self._raw_environ: dict[Any, Any] = {}
        self._environ_before: dict[str, str] = {}
        self._outside_modules: dict[str, str | None] = {}
        self._known_files: dict[str, bool] = {}
        self.assumed = Assumed()
        self.active = False
        self.root = ""
        self._dag_file = ""
        self._dag_folders: tuple[str, ...] = ()
        self._early: list[str] = []  # local code that was there before the first DAG file of a folder
        self._prefixes: tuple[str, ...] = ()  # no file is local before the first `start`
        self._libraries_here = self._libraries

    def install(self) -> None:
        """Hook the interpreter; cannot be taken back."""
        _RecordingEnviron.watch = self
        os.environ.__class__ = _RecordingEnviron
        self._really_exit = os._exit
        os._exit = self._hard_exit  # type: ignore[assignment]
        self._pid = os.getpid()
        sys.addaudithook(self._audit)
        loaded = (path for module in list(sys.modules.values()) for path in _module_files(module))
        self._outside_modules.update((path, file_digest(path)) for path in loaded if self._is_outside(path))

    def start(self, root: str, relative: str) -> None:
        """Begin to observe a file below this DAG folder, which becomes the first entry of ``sys.path``."""
        self._dag_file = os.path.join(root, relative)
        if root != self.root:
            self._enter(root)
        self.opened: set[str] = set()
        self._compiled: set[str] = set()
        self.listed: set[str] = set()
        self.environ_read: set[str] = set()
        self.user_read: set[str] = set()
        self.outside_world: set[str] = set()
        self.changes: dict[str, list[Any]] = {}
        self.printed: Place | None = None
        self._remember_environ()
        self._modules_before = set(sys.modules)
        self._cwd = os.getcwd()
        sys.path[:] = [root, *self._path]
        self._stdio = sys.stdin, sys.stdout, sys.stderr
        sys.stdout = Printed(self)
        self.active = True

    def _enter(self, root: str) -> None:
        self.root = root
        self._known_files.clear()
        # User code may follow symbolic links on its own and import its modules by their real path.
        places = [place for folder in (root, *self._search) for place in (folder, os.path.realpath(folder))]
        self._prefixes = tuple(dict.fromkeys(_folder(place) for place in places))
        self._dag_folders = tuple(dict.fromkeys((_folder(root), _folder(os.path.realpath(root)))))
        self._libraries_here = tuple(
            path for path in self._libraries if not self._prefixes[0].startswith(path)
        )
        early = {path for module in list(sys.modules.values()) for path in _module_files(module)}
        self._early = [path for path in early if self._is_code(path)]

    def finish(self) -> None:
        """Stop observing and put the environment, folder, module path and modules back."""
        self.active = False
        sys.stdin, sys.stdout, sys.stderr = self._stdio
        self._restore_environ()
        if _cwd() != self._cwd:
            with contextlib.suppress(OSError):  # it may have been removed meanwhile
                os.chdir(self._cwd)
        if sys.path != [self.root, *self._path]:
            self.changes.setdefault("sys.path", ["", 0])
        sys.path[:] = self._path
        self._purge_modules()

    def _remember_environ(self) -> None:
        """Keep the variables; decoding them all again for each file would take longer than a small file does."""
        if self._raw_environ != self._environ._data:
            self._raw_environ = self._environ._data.copy()
            self._environ_before = dict(os.environ)

    def _restore_environ(self) -> None:
        os.environ = self._environ  # noqa: B003 -- the same object, in case it was replaced
        if self._raw_environ != self._environ._data:
            for name in set(os.environ) - set(self._environ_before):
                del os.environ[name]
            os.environ.update(self._environ_before)

    def _purge_modules(self) -> None:
        """Drop the local modules, so that two DAG folders may each have a module of one name."""
        # All paths first: that of a namespace package is asked of the package around it, which must still be there.
        made = {name: _module_files(sys.modules[name]) for name in set(sys.modules) - self._modules_before}
        for name, paths in made.items():
            for path in paths:
                if self.is_local(path):
                    if not path.endswith(os.sep):
                        self.opened.add(path)
                    sys.modules.pop(name, None)
                elif self._is_outside(path):
                    self._outside_modules.setdefault(path, file_digest(path))

    def is_local(self, path: str) -> bool:
        """Return True for a file below the DAG folder or a search folder, unless an installed library has it."""
        known = self._known_files.get(path)
        if known is None:
            known = path.startswith(self._prefixes) and not path.startswith(self._libraries_here)
            self._known_files[path] = known
        return known

    def _is_outside(self, path: str) -> bool:
        """Return True for a file of neither the DAG folder nor the environment."""
        return os.path.isabs(path) and not path.startswith(
            (*self._prefixes, self._home, *self._libraries, *_DEVICES)
        )

    def place(self, frame: types.FrameType | None, made: Any = None) -> Place | None:
        """Return the innermost place in the user's files, from this frame outwards.

        If ``made`` is what is being constructed, the user's constructors of it do not count.
        """
        known = self._known_files
        while frame is not None:
            file = frame.f_code.co_filename
            local = known[file] if file in known else self.is_local(file)
            if local and (made is None or not _constructs(frame, made)):
                return self.relative(file), frame.f_lineno
            frame = frame.f_back
        return None

    def place_in_dag_file(self, frame: types.FrameType | None) -> Place | None:
        """Return the innermost place in the DAG file itself, or in any file of the user's if there is none."""
        inner = frame
        while frame is not None:
            if frame.f_code.co_filename == self._dag_file:
                return self.relative(self._dag_file), frame.f_lineno
            frame = frame.f_back
        return self.place(inner)

    def relative(self, path: str) -> str:
        """Return a local path relative to the DAG folder; one of a search folder elsewhere begins with ``../``."""
        for folder in self._dag_folders:
            if path.startswith(folder):
                return path[len(folder) :]
        if path.startswith(self._prefixes):
            return os.path.relpath(path, self.root)
        return path

    def folders(self) -> list[str]:
        """Return the DAG folder and the search folders."""
        return [self.root, *self._search]

    def relations(self) -> dict[str, str]:
        """Return each folder of the user's, with a slash, and what stands for it in paths that are shown."""
        shown = {_folder(self.root): ""}
        for folder in self._search:
            shown.setdefault(_folder(folder), _folder(os.path.relpath(folder, self.root)))
        return shown

    def change(self, what: str, name: str, frame: types.FrameType | None) -> None:
        """Remember the first place that changes a part of the process.

        ``os.environ`` or the working directory.
        """
        if self.active and what not in self.changes:
            place = self.place(frame)
            if place is not None:
                self.changes[what] = [*place, name]

    def read_environ(self, name: str, frame: types.FrameType | None) -> None:
        """Remember that a variable was read; ``*`` stands for all of them."""
        if not self.active:
            return
        if not name.startswith("AIRFLOW_"):  # those are part of the key under which a result is kept
            self.environ_read.add(name)
        while frame is not None and frame.f_code.co_filename in _ENVIRON_CODE:
            frame = frame.f_back
        if frame is not None and self.is_local(frame.f_code.co_filename):
            self.user_read.add(name)

    def inputs(self) -> dict[str, Any]:
        """Return what the file's result depends on: digests of files, folders and environment variables."""
        files = {path for path in self.opened if self.is_local(path) or self._is_outside(path)}
        digests = {path: file_digest(path) for path in files - self._outside_modules.keys()}
        return {
            "files": dict(sorted({**digests, **self._outside_modules}.items())),
            "folders": {path: folder_digest(path) for path in sorted(self.listed)},
            "environ": {name: environ_digest(name) for name in sorted(self.environ_read)},
            "repeatable": not self.outside_world,
        }

    def data_files(self) -> set[str]:
        """Return the local files that are no code and were read up to now, relative to the DAG folder.

        Hidden files are left out: ``.env`` and its like are for this machine.
        """
        return {
            self.relative(path)
            for path in self.opened
            if self.is_local(path)
            and not path.endswith((".py", ".pyc", ".so"))
            and not os.path.basename(path).startswith(".")
            and os.path.isfile(path)
        }

    def code_files(self) -> list[str]:
        """Return the local files, compiled ones included, that may hold code which has been loaded up to now."""
        return list({*self._early, *filter(self._is_code, self.opened.union(self._compiled))})

    def _is_code(self, path: str) -> bool:
        return path.endswith(_CODE) and self.is_local(path)

    def unset(self) -> list[str]:
        """Return the environment variables that the user's own code asked for and that are not set, sorted."""
        return sorted(name for name in self.user_read if name != "*" and name not in self._environ_before)

    def looked_up(self) -> Iterator[str]:
        """Yield the values of the environment variables that the user's own code read."""
        for name in self.user_read:
            yield from self._environ_before.values() if name == "*" else [self._environ_before.get(name, "")]

    def _hard_exit(self, status: int) -> None:
        if self.active and os.getpid() == self._pid:
            raise HardExit(status)
        self._really_exit(status)

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.active:
            return
        if event == "open":
            self._audit_open(args)
        elif event in ("os.listdir", "os.scandir"):
            self._audit_listing(args[0])
        elif event == "os.chdir":
            self.change("cwd", "", sys._getframe(1))
        elif event in _OUTSIDE_WORLD and args[:1] != (":memory:",) and not _importing(sys._getframe(1), self):
            self.outside_world.add(event)

    def _audit_open(self, args: tuple[Any, ...]) -> None:
        path, mode, flags = args[0], args[1], args[2]
        if isinstance(path, int) or path is None or (isinstance(flags, int) and flags & _WRITING):
            return
        if isinstance(mode, str) and not mode.startswith("r"):
            return
        name = os.path.abspath(os.fsdecode(path))
        (self._compiled if name.endswith(".pyc") else self.opened).add(name)

    def _audit_listing(self, path: Any) -> None:
        if isinstance(path, int) or sys._getframe(2).f_code.co_filename in _IMPORT_CODE:
            return
        name = os.path.abspath(os.fsdecode(path or "."))
        if self.is_local(name + "/") or self._is_outside(name + "/"):
            self.listed.add(name)


def _constructs(frame: types.FrameType, made: Any) -> bool:
    code = frame.f_code
    return code.co_name == "__init__" and frame.f_locals.get(code.co_varnames[0]) is made


def _importing(frame: types.FrameType | None, watch: Watch) -> bool:
    """Return True if a library does something of its own accord while it is imported."""
    while frame is not None and not watch.is_local(frame.f_code.co_filename):
        if frame.f_code.co_filename in _IMPORT_CODE:
            return True
        frame = frame.f_back
    return False


def _folder(path: str) -> str:
    return os.path.join(path, "")


def _cwd() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


def _module_files(module: Any) -> list[str]:
    name = getattr(module, "__file__", None)
    if isinstance(name, str):
        return [name]
    try:
        return [os.path.join(path, "") for path in module.__path__ or ()]
    except Exception:  # noqa: BLE001 -- anything can be in sys.modules
        return []


class _RecordingEnviron(os._Environ):  # type: ignore[type-arg]
    """`os.environ` that tells the watch what is read and set."""

    watch: Watch

    def __getitem__(self, key: Any) -> Any:
        self.watch.read_environ(str(key), sys._getframe(1))
        try:
            return super().__getitem__(key)
        except KeyError:
            made_up = self.watch.assumed.value("environ", str(key)) if self.watch.active else None
            if made_up is None:
                raise
            return made_up

    def __iter__(self) -> Any:
        self.watch.read_environ("*", sys._getframe(1))
        return super().__iter__()

    def __setitem__(self, key: Any, value: Any) -> None:
        self.watch.change("os.environ", str(key), sys._getframe(1))
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        self.watch.change("os.environ", str(key), sys._getframe(1))
        super().__delitem__(key)
