"""Which execute() of the user's can be called twice around an image."""

from __future__ import annotations

from typing import Any

import pytest

from orkestra_bridge.frontend.worker_around import runs_around


class Base:
    __module__ = "airflow.providers.docker.operators.docker"

    def execute(self, context: Any) -> Any:
        return context


class Nothing(Base):
    pass


class Plain(Base):
    def execute(self, context: Any) -> Any:
        self.command = "run"
        result = super().execute(context)
        return [result]


class Sometimes(Base):
    def execute(self, context: Any) -> Any:
        if context:
            return super().execute(context)
        return None


class ByName(Base):
    def execute(self, context: Any) -> Any:
        return Base.execute(self, context)


class Twice(Plain):
    def execute(self, context: Any) -> Any:
        return super().execute(context)


class Never(Base):
    def execute(self, context: Any) -> Any:
        return 1


class Again(Base):
    def execute(self, context: Any) -> Any:
        super().execute(context)
        return super().execute(context)


class Tidies(Base):
    def execute(self, context: Any) -> Any:
        try:
            return super().execute(context)
        finally:
            self.command = ""


class InBlock(Base):
    def execute(self, context: Any) -> Any:
        with context:
            return super().execute(context)


class InLoop(Base):
    def execute(self, context: Any) -> Any:
        return [super(InLoop, self).execute(each) for each in context]


class AboveOne(Tidies):
    def execute(self, context: Any) -> Any:
        return super().execute(context)


@pytest.mark.parametrize("kind", [Plain, Sometimes, ByName, Twice])
def test_one_call_that_nothing_surrounds(kind: type) -> None:
    assert runs_around(kind)


@pytest.mark.parametrize("kind", [Base, Nothing, Never, Again, Tidies, InBlock, InLoop, AboveOne])
def test_all_others(kind: type) -> None:
    assert not runs_around(kind)
