"""A project's requirements.txt: which versions its packages are to have.

Read as pip documents the format ("Requirements File Format"): comments, continued lines, ``-r`` and ``-c`` with files,
options, hashes, markers. What cannot be read from here, a constraints file on the web say, is named and left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from orkestra_bridge.errors import UsageError
from orkestra_bridge.ir.model import SourceSpan
from orkestra_bridge.packaging import rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

    from orkestra_bridge.diagnostics import Finding

_COMMENT = re.compile(r"(^|\s)#.*$")
_OPTION = re.compile(r"^(--?[A-Za-z][\w-]*)(?:[=\s]\s*(.*))?$")
_HASH = re.compile(r"\s+--hash[=\s](\S+)")
_ADDRESS = re.compile(r"^[a-z+]+://", re.IGNORECASE)
_INCLUDES = frozenset({"-r", "--requirement"})
_CONSTRAINTS = frozenset({"-c", "--constraint"})


@final
@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file says about a distribution.

    Attributes:
        place: ``file:line``.
        hashes: Those of its files.
        line: What the file says, without marker and hashes.
        extras: Those that are named with it.
    """

    name: str
    specifier: SpecifierSet
    place: str
    hashes: tuple[str, ...] = ()
    line: str = ""
    extras: tuple[str, ...] = ()

    @property
    def exact(self) -> str:
        """Return the version if it is the only one, as ``==1.2.3`` says, else an empty text."""
        only = list(self.specifier)
        fits = len(only) == 1 and only[0].operator in ("==", "===") and not only[0].version.endswith(".*")
        return only[0].version if fits else ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementsFile:
    """The requirements and constraints of a file and all that it includes, by normalized name.

    Attributes:
        unread: ``file:line`` and text of lines that name no version: addresses, folders.
    """

    requirements: Mapping[str, Wanted] = field(default_factory=dict)
    constraints: Mapping[str, Wanted] = field(default_factory=dict)
    unread: tuple[tuple[str, str], ...] = ()

    def exact(self, name: str) -> Wanted | None:
        """Return what names one version of a distribution: its requirement first, else its constraint."""
        key = canonicalize_name(name)
        found = (self.requirements.get(key), self.constraints.get(key))
        return next((wanted for wanted in found if wanted is not None and wanted.exact), None)

    def wanted(self, name: str) -> Wanted | None:
        """Return what the file says about a distribution, its requirement or its constraint."""
        key = canonicalize_name(name)
        return self.requirements.get(key) or self.constraints.get(key)


def read_requirements(path: Path, environment: Mapping[str, str]) -> RequirementsFile:
    """Return what a file and its includes say; markers are evaluated in ``environment`` (PEP 508).

    Raises UsageError with every line that is no requirement, or for a file that cannot be read.
    """
    reader = _Reader(environment)
    reader.read(path, constraint=False)
    if reader.problems:
        raise UsageError("\n       ".join(reader.problems), remedy="write it as pip takes it: name==version")
    return RequirementsFile(
        requirements=reader.found[False], constraints=reader.found[True], unread=tuple(reader.unread)
    )


def unread_findings(file: RequirementsFile) -> tuple[Finding, ...]:
    """Return a finding for each line that names no version."""
    return tuple(
        rules.UNREAD_REQUIREMENT.at(
            SourceSpan(place.rpartition(":")[0], int(place.rpartition(":")[2])),
            f"is not read for the packages, which get the versions of the environment that parses: {line}",
            "name versions with ==, or parse with an environment made from the file (--airflow-version)",
        )
        for place, line in file.unread
    )


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.found: dict[bool, dict[str, Wanted]] = {False: {}, True: {}}
        self.problems: list[str] = []
        self.unread: list[tuple[str, str]] = []
        self.seen: set[Path] = set()

    def read(self, path: Path, *, constraint: bool) -> None:
        if path.resolve() in self.seen:
            return
        self.seen.add(path.resolve())
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            reason = getattr(problem, "strerror", None) or type(problem).__name__
            raise UsageError(f"{path} cannot be read as text: {reason}", remedy="name another file") from None
        for number, line in _lines(text):
            self._line(path, number, line, constraint=constraint)

    def _line(self, path: Path, number: int, line: str, *, constraint: bool) -> None:
        place = f"{path}:{number}"
        option = _OPTION.match(line)
        if option:
            self._option(path, place, line, option)
            return
        try:
            parsed = Requirement(_HASH.sub("", line))
        except InvalidRequirement:
            if _ADDRESS.match(line) or "/" in line.split(maxsplit=1)[0] or line.endswith((".whl", ".tar.gz")):
                self.unread.append((place, line))
            else:
                self.problems.append(f"{place} is no requirement: {line}")
            return
        if parsed.marker is None or parsed.marker.evaluate({**self.environment, "extra": ""}):
            parsed.marker = None
            wanted = Wanted(
                parsed.name,
                parsed.specifier,
                place,
                tuple(_HASH.findall(line)),
                line=str(parsed),
                extras=tuple(sorted(parsed.extras)),
            )
            self.found[constraint].setdefault(canonicalize_name(parsed.name), wanted)

    def _option(self, path: Path, place: str, line: str, option: re.Match[str]) -> None:
        name, value = option[1], (option[2] or "").strip().strip("\"'")
        if name in _INCLUDES | _CONSTRAINTS:
            if _ADDRESS.match(value):
                self.unread.append((place, line))
            else:
                self.read(path.parent / value, constraint=name in _CONSTRAINTS)
        elif name in ("-e", "--editable"):
            self.unread.append((place, line))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that say something, continued ones put together, with the number of the first."""
    rest, first = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = _COMMENT.sub("", raw).rstrip()
        first = first if rest else number
        if line.endswith("\\"):
            rest += f"{line[:-1].rstrip()} "
            continue
        whole, rest = f"{rest}{line.strip()}".strip(), ""
        if whole:
            yield first, whole
    if rest.strip():
        yield first, rest.strip()
