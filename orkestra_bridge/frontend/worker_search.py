"""Finds out all that a DAG file lacks, by loading it again and again with more and more made up.

Part of the worker program: standard library only, Python 3.8 and later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .worker_assume import Assumed
    from .worker_problems import Problems

# What may only fail because of a made-up value.
_ARTIFACTS = ("exception", "schedule", "empty")


class Search:
    """What the loads of one file have shown; with ``assume`` the last one's DAGs count."""

    def __init__(self, assume: bool) -> None:
        self._assume = assume
        self._lacking: list[dict[str, Any]] = []
        self._maybe: list[list[Any]] = []
        self._first: dict[str, Any] | None = None
        self._inputs: dict[str, dict[str, Any]] = {"files": {}, "folders": {}, "environ": {}}
        self._repeatable = True

    def goes_on(self, assumed: Assumed, problems: Problems, answer: dict[str, Any]) -> bool:
        """Take note of a load; True if another one, with more made up, may show more."""
        self._first = self._first or answer
        for kind, known in self._inputs.items():
            known.update(answer["inputs"].get(kind, {}))
        self._repeatable = self._repeatable and answer["inputs"]["repeatable"]
        if problems.lacking is not None:
            kind, name = problems.lacking
            if not assumed.add(kind, name):
                return False
            self._lacking.append(
                next(each for each in answer["problems"] if each["kind"] in ("missing", "import"))
            )
            return True
        if not problems.failed:
            return False
        return (bool(assumed) and assumed.other_text()) or self._tries_unset(assumed, problems)

    def _tries_unset(self, assumed: Assumed, problems: Problems) -> bool:
        """Make up what the file only asked for with a default: it may be the default that it cannot do with."""
        if not self._assume:
            return False
        more = [name for name in problems.unset if assumed.add("environ", name)]
        self._maybe.extend(["environ", name, problems.relative, 0] for name in more)
        assumed.first_text()
        return bool(more)

    def result(self, last: dict[str, Any], assumed: Assumed) -> dict[str, Any]:
        """Return the answer for the file."""
        assert self._first is not None, "there was a load"
        if not self._lacking and not self._maybe:
            return {**self._first, "lacking": [], "made_up": []}
        dropped = ("missing",) if self._assume else ("missing", *_ARTIFACTS)
        others = [each for each in last["problems"] if each["kind"] not in dropped]
        others = [each for each in others if each not in self._lacking and not _is_stand(each, assumed)]
        return {
            **last,
            "dags": last["dags"] if self._assume else [],
            "problems": [*self._lacking, *others],
            "inputs": {**self._inputs, "repeatable": self._repeatable},
            "lacking": [*(_row(each) for each in self._lacking), *self._maybe],
            "made_up": assumed.names() if self._assume else [],
        }


def _is_stand(record: dict[str, Any], assumed: Assumed) -> bool:
    """Return True for an import that fails because of a module that is only made up."""
    return record["kind"] == "import" and assumed.stands_for(str(record["module"]))


def _row(record: dict[str, Any]) -> list[Any]:
    """Return kind, name, file and line of what is lacking."""
    kind, name = (
        (record["what"], record["name"]) if record["kind"] == "missing" else ("module", record["module"])
    )
    return [kind, name, record["file"], record["line"]]
