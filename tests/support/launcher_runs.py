"""Asks the launchers that `convert` wrote which runs events of assets start, as `airflow_partition_runs.py` asks Airflow.

    python launcher_runs.py OUT DAG_ID... < STEPS

Each function is the package of its DAG, loaded in this process; tables are those of local runs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orkestra_bridge.local.interpreter import TaskCall, VirtualClock, execute
from orkestra_bridge.local.package import unpack
from orkestra_bridge.local.services.dynamodb import Table
from orkestra_bridge.runtime.handler import Package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orkestra_bridge.local.interpreter import Json


class Dag:
    """The rule and the launcher of a DAG."""

    def __init__(self, out: Path, dag_id: str) -> None:
        resources = json.loads((out / dag_id / "template.json").read_text())["Resources"]
        self.dag_id = dag_id
        self.definition = resources["AssetLauncher"]["Properties"]["Definition"]
        self.patterns = [
            resource["Properties"]["EventPattern"]
            for resource in resources.values()
            if resource["Type"] == "AWS::Events::Rule"
        ]
        self.package = Package(str(unpack(out / dag_id / "functions" / "tasks.zip", out / "unpacked").root))
        self.table = Table()
        self.started: list[Json] = []

    async def __call__(self, call: TaskCall) -> Json:
        action = call.resource.rpartition(":")[2]
        if action == "invoke":
            return {"Payload": json.loads(json.dumps(self.package.run(call.arguments["Payload"])))}
        if action == "startExecution":
            self.started.append(call.arguments["Input"])
            return {}
        return self.table.call(action, call.arguments, "DynamoDB")

    def hear(self, given: Json, kind: str) -> list[Any]:
        """Return the runs that an event starts; none if no rule lets it through."""
        keys = set(given["detail"]["keys"])
        if not any(
            kind in each["detail-type"] and keys & set(each["detail"]["keys"]) for each in self.patterns
        ):
            return []
        self.started.clear()
        clock = VirtualClock()
        execution = clock.run(execute(self.definition, given, tasks=self, clock=clock))
        assert execution.status == "SUCCEEDED", execution
        return [self._shown(document) for document in self.started]

    def _shown(self, run: Json) -> list[Any]:
        events = sorted([each["name"], each.get("partition_key")] for each in run["asset_events"])
        return [self.dag_id, run["partition_key"], run.get("partition_date", ""), events]


def event_of(number: int, step: Sequence[Sequence[Any]]) -> tuple[Json, str]:
    """Return what EventBridge delivers of a step, and its type; all of its events have a partition key, or none has."""
    moment = f"2030-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000000+00:00"
    events = [
        {
            "keys": [f"uri {uri}", f"name {name}"],
            "name": name,
            "uri": uri,
            "timestamp": moment,
            **({"partition_key": key} if key else {}),
            **({"partition_date": date} if date else {}),
        }
        for name, uri, key, date in step
    ]
    keys = [key for each in events for key in each["keys"]]
    kind = "Partitioned asset event" if step[0][2] else "Asset event"
    return {"id": str(number), "detail": {"keys": keys, "timestamp": moment, "events": events}}, kind


def main() -> None:
    out, dag_ids = Path(sys.argv[1]), sys.argv[2:]
    dags = [Dag(out, dag_id) for dag_id in dag_ids]
    answers = []
    for number, step in enumerate(json.load(sys.stdin)):
        given, kind = event_of(number, step)
        answers.append(sorted(run for dag in dags for run in dag.hear(given, kind)))
    sys.stdout.write(json.dumps(answers) + "\n")


if __name__ == "__main__":
    main()
