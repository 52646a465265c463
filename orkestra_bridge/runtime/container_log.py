"""What a container has printed: from CloudWatch Logs, or from a folder in a local run.

``ORKESTRA_IMAGE_LOG`` names the log group, or is the path of the folder. A line comes to CloudWatch some seconds after it
was printed; the end of a container is told earlier than that at times.

Source: Amazon ECS developer guide, "Using the awslogs log driver": streams are ``prefix/container/task``.
"""

from __future__ import annotations

import os
import time
from importlib import import_module
from typing import Any

VARIABLE = "ORKESTRA_IMAGE_LOG"
PREFIX = "image"
PATIENCE = (0.0, 1.0, 2.0, 3.0, 4.0)
"""Seconds before each look for lines that are not there yet."""


def stream_name(task_arn: str, container: str) -> str:
    """Return the log stream of a container of an ECS task."""
    return f"{PREFIX}/{container}/{task_arn.rpartition('/')[2]}"


def lines_of(task_arn: str, container: str, *, last: bool = False) -> list[str]:
    """Return the lines that a container has printed, or ``last`` of them; empty if it printed nothing."""
    place = os.environ.get(VARIABLE, "")
    stream = stream_name(task_arn, container)
    if place.startswith("/"):
        from pathlib import Path

        path = Path(place) / f"{stream}.log"
        return path.read_text(errors="replace").splitlines() if path.is_file() else []
    client: Any = import_module("boto3").client("logs")
    for pause in PATIENCE:
        time.sleep(pause)
        lines = _last(client, place, stream) if last else _all(client, place, stream)
        if lines:
            return lines
    return []


def _last(client: Any, group: str, stream: str) -> list[str]:
    try:
        page = client.get_log_events(logGroupName=group, logStreamName=stream, limit=1, startFromHead=False)
    except client.exceptions.ResourceNotFoundException:
        return []
    return [event["message"] for event in page["events"]]


def _all(client: Any, group: str, stream: str) -> list[str]:
    lines: list[str] = []
    asked: dict[str, Any] = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
    while True:
        try:
            page = client.get_log_events(**asked)
        except client.exceptions.ResourceNotFoundException:
            return []
        lines += [event["message"] for event in page["events"]]
        if page["nextForwardToken"] == asked.get("nextToken"):
            return lines
        asked["nextToken"] = page["nextForwardToken"]
