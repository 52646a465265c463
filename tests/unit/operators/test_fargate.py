"""Sizes on Fargate, and amounts as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orkestra_bridge.operators.fargate import mebibytes, size_for, sizes, vcpu


@pytest.mark.parametrize(
    ("cpu", "memory", "size"),
    [
        (None, None, (256, 512)),
        (0.25, 512, (256, 512)),
        (0.25, 513, (256, 1024)),
        (None, 2049, (512, 3072)),
        (1, 512, (1024, 2048)),
        (3, None, (4096, 8192)),
        (16, 122_880, (16_384, 122_880)),
        (17, None, None),
        (None, 122_881, None),
    ],
)
def test_the_smallest_size_that_is_enough(
    cpu: float | None, memory: float | None, size: tuple[int, int] | None
) -> None:
    assert size_for(cpu, memory) == size


@given(st.floats(0, 16), st.floats(0, 122_880))
def test_a_size_is_one_that_fargate_has_and_enough(cpu: float, memory: float) -> None:
    found = size_for(cpu, memory)
    assert found in set(sizes())
    assert found[0] >= cpu * 1024
    assert found[1] >= memory


@pytest.mark.parametrize(
    ("text", "amount"),
    [("500m", 0.5), ("2", 2), (1.5, 1.5), (" 1 ", 1), ("2x", None), ("Mi", None), (None, None), (True, None)],
)
def test_cpu(text: object, amount: float | None) -> None:
    assert vcpu(text) == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [("2Gi", 2048), ("512Mi", 512), ("512M", 488.28125), ("1g", None), (2**21, 2), ("3Zi", None)],
)
def test_memory(text: object, amount: float | None) -> None:
    assert mebibytes(text) == amount
