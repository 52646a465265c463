"""What all tests share: the support folder on the import path, and the flag that rewrites goldens."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from _pytest.config.argparsing import Parser

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS / "support"))
os.environ.setdefault("CDK_VALIDATION", "false")
# How long an example takes says something about the machine and what else it does, nothing about the example.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_addoption(parser: Parser) -> None:
    parser.addoption(
        "--rewrite-goldens", action="store_true", help="write the golden files anew instead of comparing"
    )


@pytest.fixture
def rewrite_goldens(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--rewrite-goldens"))


@pytest.fixture(scope="session")
def sample_dags() -> Path:
    return TESTS.parent / "sample_dags"
