"""A partitioned DAG with its launcher, and all that this calls; the facade has to be on the import path."""

from __future__ import annotations

from typing import Any

from launched import Aws

from orkestra_bridge.ir.model import AssetCondition
from orkestra_bridge.local.interpreter import VirtualClock, execute
from orkestra_bridge.runtime.partition_events import entries_of
from orkestra_bridge.stack.partition_launcher import partition_launcher_definition

FUNCTION = "${TasksFunctionArn}"
FILLED = ("${StateMachineArn}", "${UndeliveredRunsUrl}", "${AssetMemory}", FUNCTION)
A, B, C = (AssetCondition(kind="asset", name=name, uri=f"s3://bucket/{name}") for name in "abc")


def any_of(*members: AssetCondition) -> AssetCondition:
    return AssetCondition(kind="any", of=members)


def all_of(*members: AssetCondition) -> AssetCondition:
    return AssetCondition(kind="all", of=members)


def schedule(default: str = "IdentityMapper()", **mappers: str) -> Any:
    """Return the facade's timetable for the assets a, b and c, with mappers given as Python."""
    from airflow import sdk

    names = {name: getattr(sdk, name) for name in sdk.__all__ if name.endswith(("Mapper", "Window", "Count"))}
    made = {name: sdk.Asset(name, f"s3://bucket/{name}") for name in "abc"}
    return sdk.PartitionedAssetTimetable(
        assets=made["a"] & made["b"] & made["c"],
        partition_mapper_config={made[name]: eval(text, dict(names)) for name, text in mappers.items()},
        default_partition_mapper=eval(default, dict(names)),
    )


class Dag:
    """A partitioned DAG with its launcher and all that this calls."""

    def __init__(self, condition: AssetCondition, timetable: Any) -> None:
        self.condition = condition
        self.timetable = timetable
        self.aws = Aws(lambda payload: entries_of(self, payload["partitions"]))
        self.dag_id = "d"
        self.count = 0

    @property
    def definition(self) -> dict[str, Any]:
        rollup = any(
            mapper.is_rollup
            for mapper in (
                self.timetable.default_partition_mapper,
                *self.timetable.partition_mapper_config.values(),
            )
        )
        remembers = rollup or self.condition.needs_memory
        return partition_launcher_definition("d", self.condition, remembers=remembers, function=FUNCTION)

    def hear(self, *told: tuple[Any, ...], again: int = 0) -> str:
        """Deliver an event about partitions of assets, each with its key and the date of the run that made it."""
        self.count += not again
        moment = f"2024-03-01T00:{self.count // 60:02}:{self.count % 60:02}.000000+00:00"
        events = [
            {
                "keys": list(asset.keys),
                "name": asset.name,
                "uri": asset.uri,
                "timestamp": moment,
                "partition_key": key,
                **({"partition_date": date[0]} if date else {}),
            }
            for asset, key, *date in told
        ]
        given = {"id": f"{self.count:08}-1111", "detail": {"timestamp": moment, "events": events}}
        clock = VirtualClock()
        return clock.run(execute(self.definition, given, tasks=self.aws, clock=clock)).status

    @property
    def runs(self) -> list[dict[str, Any]]:
        return list(self.aws.started.values())

    @property
    def keys(self) -> list[str]:
        return [run["partition_key"] for run in self.runs]


HOURS = [f"2024-03-01T{hour:02}:00:00" for hour in range(24)]
ROLLUP = "RollupMapper(upstream_mapper=StartOfDayMapper(), window=DayWindow())"
REGIONS = (
    "RollupMapper(upstream_mapper=FixedKeyMapper('all'), window=SegmentWindow(['us', 'eu', 'apac']){more})"
)
