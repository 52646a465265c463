"""The launcher of partitioned DAGs on the second interpreter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import moto_engine
import pytest
from partitioned import ROLLUP, A, B, C, Dag, all_of, any_of, schedule

from orkestra_bridge.local.interpreter import VirtualClock, execute
from orkestra_bridge.runtime.partition_events import entries_of

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import AssetCondition


@pytest.mark.parametrize(
    ("condition", "mapper"),
    [
        (A, "IdentityMapper()"),
        (A, "FanOutMapper(upstream_mapper=StartOfWeekMapper(), window=WeekWindow())"),
        (all_of(A, B), "StartOfHourMapper()"),
        (any_of(all_of(A, B), C), ROLLUP.replace("DayWindow()", "DayWindow(), wait_policy=MinimumCount(1)")),
        (all_of(A, C), "IdentityMapper()"),
    ],
)
def test_the_second_interpreter_starts_the_same_runs(condition: AssetCondition, mapper: str) -> None:
    """One event about two assets: what the runs are started with is shown as the output of both interpreters."""
    dag = Dag(condition, schedule(mapper))
    definition = json.loads(
        json.dumps(dag.definition).replace("${AssetMemory}", f"Memory{abs(hash(mapper))}")
    )
    states = definition["States"]["Each partition"]["ItemProcessor"]["States"]
    states["Start the run"]["Output"] = "{% $document %}"
    date = "2024-03-06T05:00:00+00:00"
    events = [
        {
            "keys": list(asset.keys),
            "name": asset.name,
            "uri": asset.uri,
            "timestamp": date,
            "partition_key": date[:19],
            "partition_date": date,
        }
        for asset in (A, B)
    ]
    given = {"id": "1", "detail": {"timestamp": date, "events": events}}
    clock = VirtualClock()
    ours = clock.run(execute(definition, given, tasks=Dag(condition, dag.timetable).aws, clock=clock))
    machines = {"${StateMachineArn}": definition}
    theirs = moto_engine.run_with_moto(
        definition, given, lambda payload: entries_of(dag, payload["partitions"]), machines=machines
    )
    assert theirs == ours
    assert theirs.status == "SUCCEEDED"
    assert [bool(each) for each in theirs.output or ()] == [condition != all_of(A, C)] * (
        7 if "FanOut" in mapper else 1
    )
