"""Partitioned DAGs of many kinds, whose runs are compared with those that Airflow's scheduler makes."""

from __future__ import annotations

from airflow.sdk import (
    DAG,
    AllowedKeyMapper,
    Asset,
    ChainMapper,
    DayWindow,
    FanOutMapper,
    FixedKeyMapper,
    IdentityMapper,
    MinimumCount,
    MonthWindow,
    PartitionedAssetTimetable,
    PartitionedAtRuntime,
    ProductMapper,
    QuarterWindow,
    RollupMapper,
    SegmentWindow,
    StartOfDayMapper,
    StartOfMonthMapper,
    StartOfQuarterMapper,
    StartOfWeekMapper,
    StartOfYearMapper,
    WeekWindow,
    Window,
    YearWindow,
    task,
)

hours, days, months, regions, pairs = (
    Asset(name, f"s3://bucket/{name}") for name in ("hours", "days", "months", "regions", "pairs")
)
DAY = "%Y-%m-%d"
of_regions = SegmentWindow(["us", "eu", "apac"])

SCHEDULES = {
    "same_day": (days, {}, IdentityMapper()),
    "day_or_hour": (days | hours, {hours: StartOfDayMapper()}, IdentityMapper()),
    "day_and_hour": (days & hours, {hours: StartOfDayMapper(timezone="Asia/Tokyo")}, IdentityMapper()),
    "dates_that_differ": (
        days & hours,
        {hours: StartOfDayMapper(), days: StartOfDayMapper(input_format=DAY, timezone="Europe/Rome")},
        IdentityMapper(),
    ),
    "week_of_days": (
        days,
        {},
        RollupMapper(
            upstream_mapper=StartOfWeekMapper(input_format=DAY),
            window=WeekWindow(),
            wait_policy=MinimumCount(-4),
        ),
    ),
    "quarter_of_months": (
        months,
        {},
        RollupMapper(upstream_mapper=StartOfQuarterMapper(input_format="%Y-%m"), window=QuarterWindow()),
    ),
    "year_before": (
        months | regions,
        {regions: FixedKeyMapper("2024")},
        RollupMapper(
            upstream_mapper=StartOfYearMapper(input_format="%Y-%m"),
            window=YearWindow(direction=Window.Direction.BACKWARD),
            wait_policy=MinimumCount(2),
        ),
    ),
    "day_and_two_regions": (
        days & (regions | pairs),
        {
            days: FixedKeyMapper("all"),
            regions: RollupMapper(
                upstream_mapper=FixedKeyMapper("all"), window=of_regions, wait_policy=MinimumCount(2)
            ),
        },
        FixedKeyMapper("all"),
    ),
    "never_enough": (
        regions,
        {},
        RollupMapper(upstream_mapper=FixedKeyMapper("all"), window=of_regions, wait_policy=MinimumCount(4)),
    ),
    "nothing_to_wait_for": (
        regions,
        {},
        RollupMapper(upstream_mapper=FixedKeyMapper("all"), window=of_regions, wait_policy=MinimumCount(-3)),
    ),
    "region_and_month": (
        pairs,
        {},
        ProductMapper(AllowedKeyMapper(["us", "eu"]), StartOfMonthMapper(input_format=DAY)),
    ),
    "days_of_the_month_before": (
        months,
        {},
        FanOutMapper(
            upstream_mapper=StartOfMonthMapper(input_format="%Y-%m"),
            window=MonthWindow(direction="backward"),
        ),
    ),
    "too_many_days": (
        months,
        {},
        FanOutMapper(
            upstream_mapper=StartOfMonthMapper(input_format="%Y-%m"),
            window=MonthWindow(),
            max_downstream_keys=30,
        ),
    ),
    "hours_of_a_day_by_month": (
        days,
        {},
        ChainMapper(
            FanOutMapper(upstream_mapper=StartOfDayMapper(input_format=DAY), window=DayWindow()),
            StartOfMonthMapper(input_format="%Y-%m-%dT%H"),
        ),
    ),
    "by_references": (
        Asset.ref(name="hours") & Asset.ref(uri="s3://bucket/days"),
        {Asset.ref(name="hours"): StartOfDayMapper(), Asset.ref(uri="s3://bucket/days"): StartOfYearMapper()},
        IdentityMapper(),
    ),
}

for dag_id, (assets, config, default) in SCHEDULES.items():
    with DAG(
        dag_id,
        schedule=PartitionedAssetTimetable(
            assets=assets, partition_mapper_config=config, default_partition_mapper=default
        ),
    ):

        @task
        def look(partition_key):
            return partition_key

        look()

with DAG("is_not_partitioned", schedule=[regions]):
    look()

with DAG("makes_all", schedule=PartitionedAtRuntime()):

    @task(outlets=[hours, days, months, regions, pairs])
    def make():
        pass

    make()
