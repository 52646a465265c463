"""What stands beside KubernetesPodOperator in its module, whose other modules are the provider's own.

Source: `airflow/providers/cncf/kubernetes`: `callbacks.py`, `utils/pod_manager.py`.
"""

from __future__ import annotations

from enum import Enum
from typing import Any


class OnFinishAction(str, Enum):
    """What to do with a pod that has ended."""

    KEEP_POD = "keep_pod"
    DELETE_POD = "delete_pod"
    DELETE_ACTIVE_POD = "delete_active_pod"
    DELETE_SUCCEEDED_POD = "delete_succeeded_pod"


class PodPhase:
    """Where a pod is in its life."""

    PENDING = "Pending"
    RUNNING = "Running"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"
    terminal_states = frozenset({FAILED, SUCCEEDED})


client_type = Any
"""The type of a client of a cluster, for annotations."""


class ExecutionMode(str, Enum):
    """How a callback is called."""

    SYNC = "sync"
    ASYNC = "async"


class KubernetesPodOperatorCallback:
    """Base of the user's callbacks, which nothing calls here."""
