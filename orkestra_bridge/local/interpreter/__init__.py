"""Executes a JSONata state machine on asyncio, as AWS Step Functions would.

Input: a definition, its input and a `TaskRunner` that answers Task states. Output: an `Execution`, and events
as they happen. It refuses what it does not know instead of passing over it. May not know about Lambda, DAGs
or the disk.
"""

from orkestra_bridge.local.interpreter.clock import Clock, RealClock, VirtualClock, millis
from orkestra_bridge.local.interpreter.engine import execute
from orkestra_bridge.local.interpreter.failures import StatesError
from orkestra_bridge.local.interpreter.model import Event, EventSink, Execution, Json, TaskCall, TaskRunner
from orkestra_bridge.local.interpreter.tokens import TaskTokens

__all__ = [
    "Clock",
    "Event",
    "EventSink",
    "Execution",
    "Json",
    "RealClock",
    "StatesError",
    "TaskCall",
    "TaskRunner",
    "TaskTokens",
    "VirtualClock",
    "execute",
    "millis",
]
