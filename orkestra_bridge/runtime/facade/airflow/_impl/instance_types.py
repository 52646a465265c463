"""The classes of ``ti`` and ``dag_run``, for annotations and isinstance."""

from __future__ import annotations

from orkestra_bridge.runtime.instances import DagRun, TaskInstance

__all__ = ["DagRun", "TaskInstance"]
