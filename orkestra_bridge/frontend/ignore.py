"""`.airflowignore` files. Source: `airflow.utils.file.find_path_from_directory` and its two kinds of rules.

Both kinds hold from the folder of the file downwards. Regular expressions are searched in the path below the
DAG folder; glob patterns work as in .gitignore, later ones override earlier ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Syntax = Literal["glob", "regexp"]
NAME = ".airflowignore"
_COMMENT = re.compile(r"\s*#.*")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidPattern:
    """A line that Airflow drops."""

    file: Path
    line: int
    pattern: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """What one line says.

    ``answer`` True to ignore, False to take back (``!pattern``), for paths that ``matches`` accepts.
    """

    matches: Callable[[Path, bool], bool]
    answer: bool


class IgnoreRules:
    """The rules of all `.airflowignore` files on the way down from a DAG folder."""

    def __init__(self, root: Path, syntax: Syntax) -> None:
        self._root = root
        self._compile = self._glob if syntax == "glob" else self._regexp
        self._rules: dict[Path, tuple[_Rule, ...]] = {}
        self.invalid: list[InvalidPattern] = []

    def enter(self, folder: Path) -> None:
        """Read the folder's own file; its parent has to have been entered before."""
        inherited = self._rules.get(folder.parent, ()) if folder != self._root else ()
        own: list[_Rule] = []
        file = folder / NAME
        if file.is_file():
            for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
                pattern = _COMMENT.sub("", line)
                if pattern:
                    rule = self._compile(pattern, folder)
                    if rule is None:
                        self.invalid.append(InvalidPattern(file=file, line=number, pattern=pattern))
                    else:
                        own.append(rule)
        self._rules[folder] = (*inherited, *own)

    def ignores(self, path: Path, *, folder: bool) -> bool:
        """Return True if a file or folder in an entered folder is to be left out.

        The last rule that matches decides.
        """
        answer = False
        for rule in self._rules[path.parent]:
            if rule.answer != answer and rule.matches(path, folder):
                answer = rule.answer
        return answer

    def _regexp(self, pattern: str, _: Path) -> _Rule | None:
        try:
            compiled = re.compile(pattern)
        except re.error:
            return None
        return _Rule(
            matches=lambda path, _: compiled.search(path.relative_to(self._root).as_posix()) is not None,
            answer=True,
        )

    def _glob(self, pattern: str, folder: Path) -> _Rule | None:
        if pattern.strip() == "/":
            return None
        try:
            compiled = _gitignore_pattern()(pattern)
        except ValueError:
            return None
        if compiled.include is None:
            return None
        only_folders = pattern.rstrip().endswith("/")
        anchored = "/" in pattern.rstrip("/")

        def matches(path: Path, is_folder: bool) -> bool:
            if only_folders and not is_folder:
                return False
            name = path.relative_to(folder).as_posix() if anchored else path.name
            return compiled.match_file(f"{name}/" if is_folder else name) is not None

        return _Rule(matches=matches, answer=bool(compiled.include))


def _gitignore_pattern() -> Any:
    """Return pathspec's class for one line of a .gitignore; 1.0 renamed it."""
    try:
        from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern
    except ImportError:
        from pathspec.patterns.gitwildmatch import GitWildMatchPattern

        return GitWildMatchPattern
    return GitIgnoreSpecPattern
