"""Sizes of ECS tasks on Fargate, and what Airflow's users write for CPU and memory.

Sources: Amazon ECS developer guide, "Task CPU and memory" on Fargate; Kubernetes, "Resource units in Kubernetes".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Size = tuple[int, int]
"""CPU units, 1,024 to the vCPU, and MiB."""

USUAL: Size = (512, 1024)
"""Where nobody says how much a task needs."""
LARGEST: Size = (16_384, 122_880)
_MEMORY: dict[int, range | tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16_384 + 1, 1024),
    4096: range(8192, 30_720 + 1, 1024),
    8192: range(16_384, 61_440 + 1, 4096),
    16_384: range(32_768, 122_880 + 1, 8192),
}
"""The MiB that go with so many CPU units."""

_UNITS = {
    "": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip
_DOCKER_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_QUANTITY = re.compile(r"([0-9]*\.?[0-9]+)\s*([A-Za-z]*)")
MIB = 2**20


def sizes() -> Iterator[Size]:
    """Yield every size, the cheapest first: vCPU cost more than memory."""
    return ((cpu, memory) for cpu, memories in _MEMORY.items() for memory in memories)


def size_for(cpu: float | None, memory: float | None) -> Size | None:
    """Return the smallest size with at least so many vCPU and MiB (None: any will do), None if there is none."""
    needed = ((cpu or 0) * 1024, memory or 0)
    return next((size for size in sizes() if size[0] >= needed[0] and size[1] >= needed[1]), None)


def vcpu(value: object) -> float | None:
    """Return the vCPU that a Kubernetes quantity (``500m``, ``2``) or a number says, else None."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = _QUANTITY.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or match[2] not in ("", "m"):
        return None
    return float(match[1]) / (1000 if match[2] else 1)


def mebibytes(value: object) -> float | None:
    """Return the MiB that a Kubernetes quantity (``2Gi``, ``512M``) or a number of bytes says, else None."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value / MIB
    match = _QUANTITY.fullmatch(value.strip()) if isinstance(value, str) else None
    unit = _UNITS.get(match[2]) if match else None
    return None if match is None or unit is None else float(match[1]) * unit / MIB


def docker_mebibytes(value: object) -> float | None:
    """Return the MiB that Docker's ``mem_limit`` (``2g``, ``512m``) or a number of bytes says, else None."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value / MIB
    match = _QUANTITY.fullmatch(value.strip()) if isinstance(value, str) else None
    unit = _DOCKER_UNITS.get(match[2].lower().removesuffix("b") or match[2].lower()) if match else None
    return None if match is None or unit is None else float(match[1]) * unit / MIB
