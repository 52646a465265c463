"""The launcher of partitioned DAGs, executed on moto's DynamoDB with the function's own answers: it starts the runs that
Airflow's scheduler would, each once.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import moto_engine
import pytest
from partitioned import FILLED, HOURS, REGIONS, ROLLUP, A, B, C, Dag, all_of, any_of, schedule

from orkestra_bridge.asl.check import check
from orkestra_bridge.ir.model import AssetCondition
from orkestra_bridge.local.interpreter import StatesError
from orkestra_bridge.runtime.partition_events import entries_of, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _tables(facade: Any) -> Iterator[None]:
    with moto_engine._TABLES:
        yield


@pytest.mark.parametrize("condition", [A, any_of(A, B), all_of(A, B), any_of(A, all_of(B, C))])
@pytest.mark.parametrize("mapper", ["IdentityMapper()", ROLLUP])
def test_it_is_a_sound_machine(condition: AssetCondition, mapper: str) -> None:
    definition = Dag(condition, schedule(mapper)).definition
    assert check(definition, placeholders=FILLED, expressions=True) == ()
    states = definition["States"]["Each partition"]["ItemProcessor"]["States"]
    assert ("Remember the event" in states) is (condition.needs_memory or "Rollup" in mapper)


def test_a_run_knows_its_partition_and_the_event() -> None:
    dag = Dag(A, schedule("StartOfHourMapper()"))
    assert dag.hear((A, "2024-03-01T05:17:00", "2024-03-01T05:17:00+00:00")) == "SUCCEEDED"
    (name, run), *_ = dag.aws.started.items()
    assert (run["partition_key"], run["partition_date"]) == ("2024-03-01T05", "2024-03-01T05:00:00+00:00")
    assert (run["run_type"], run["triggered_at"]) == ("asset_triggered", "2024-03-01T00:00:01.000000+00:00")
    assert run["run_id"].startswith("asset_triggered__2024-03-01T00:00:01.000000+00:00_")
    assert name == run["run_id"].replace(":", "_").replace("+", "_").replace(".", "_")
    assert [each["partition_key"] for each in run["asset_events"]] == ["2024-03-01T05:17:00"]


def test_all_assets_have_to_be_there_for_a_partition() -> None:
    dag = Dag(all_of(A, B), schedule("StartOfHourMapper()"))
    dag.hear((A, HOURS[0]))
    dag.hear((B, HOURS[1]))
    dag.hear((A, "2024-03-01T01:30:00"))
    assert dag.keys == ["2024-03-01T01"]
    assert [each["name"] for each in dag.runs[0]["asset_events"]] == ["b", "a"]
    dag.hear((B, HOURS[0]))
    dag.hear((B, HOURS[0]))
    assert dag.keys == ["2024-03-01T01", "2024-03-01T00"]


def test_keys_that_never_meet_start_nothing() -> None:
    dag = Dag(all_of(A, B), schedule("StartOfHourMapper()", b="StartOfYearMapper()"))
    for hour in HOURS[:3]:
        dag.hear((A, hour), (B, hour))
    assert dag.keys == []


def test_a_rollup_waits_for_every_partition_of_its_window() -> None:
    dag = Dag(A, schedule(ROLLUP))
    for hour in (*HOURS[:23], HOURS[5], "2024-03-01T05:30:00"):
        dag.hear((A, hour))
    assert dag.keys == [], "one of them came twice, and one is none of the hours"
    dag.hear((A, HOURS[23]))
    assert dag.keys == ["2024-03-01"]
    assert dag.runs[0]["partition_date"] == "2024-03-01T00:00:00+00:00"
    assert len(dag.runs[0]["asset_events"]) == 26
    for hour in HOURS:
        dag.hear((A, hour))
    assert dag.keys == ["2024-03-01"] * 2


def test_the_length_of_a_window_depends_on_the_key() -> None:
    dag = Dag(
        A,
        schedule(
            "RollupMapper(upstream_mapper=StartOfMonthMapper(input_format='%Y-%m-%d'), window=MonthWindow())"
        ),
    )
    for month, days in (("02", 29), ("04", 30)):
        for day in range(1, days):
            dag.hear((A, f"2024-{month}-{day:02}"))
        assert f"2024-{month}" not in dag.keys
        dag.hear((A, f"2024-{month}-{days}"))
        assert dag.keys[-1] == f"2024-{month}"


@pytest.mark.parametrize(
    ("policy", "runs"),
    [
        ("", [3]),
        (", wait_policy=MinimumCount(2)", [2]),
        (", wait_policy=MinimumCount(-1)", [2]),
        (", wait_policy=MinimumCount(4)", []),
        (", wait_policy=MinimumCount(-3)", [1, 1, 1, 1]),
    ],
)
def test_policies(policy: str, runs: list[int]) -> None:
    dag = Dag(A, schedule(REGIONS.format(more=policy)))
    for region in ("us", "us" if runs != [1, 1, 1, 1] else "other", "eu", "apac"):
        dag.hear((A, region))
    assert [len({each["partition_key"] for each in run["asset_events"]}) for run in dag.runs] == runs


def test_partitions_that_one_task_makes_are_taken_together() -> None:
    dag = Dag(A, schedule(REGIONS.format(more=", wait_policy=MinimumCount(2)")))
    dag.hear((A, "us"), (A, "eu"), (A, "apac"))
    assert [len(run["asset_events"]) for run in dag.runs] == [3]


def test_one_event_may_start_many_runs() -> None:
    dag = Dag(A, schedule("FanOutMapper(upstream_mapper=StartOfWeekMapper(), window=WeekWindow())"))
    dag.hear((A, "2024-03-06T00:00:00"))
    assert sorted(dag.keys) == [f"2024-03-{day:02}" for day in range(4, 11)]
    assert len({run["run_id"] for run in dag.runs}) == 7
    assert all(len(run["asset_events"]) == 1 for run in dag.runs)


@pytest.mark.parametrize(
    "mapper",
    [
        "AllowedKeyMapper(['us'])",
        "FanOutMapper(upstream_mapper=StartOfWeekMapper(), window=WeekWindow(), max_downstream_keys=6)",
    ],
)
def test_a_key_that_a_mapper_does_not_take_starts_nothing(
    mapper: str, caplog: pytest.LogCaptureFixture
) -> None:
    dag = Dag(A, schedule(mapper))
    assert dag.hear((A, HOURS[0])) == "SUCCEEDED"
    assert dag.keys == []
    assert "partition mapper of DAG d" in caplog.text


def test_the_date_of_the_run_that_made_the_event_is_carried_on_where_the_key_is_the_same() -> None:
    dag = Dag(A, schedule())
    first, second = "2024-01-01T00:00:00+00:00", "2024-01-02T00:00:00+00:00"
    dag.hear((A, "us", first))
    dag.hear((A, "eu"))
    dag.hear((A, "apac", first), (A, "apac", second))
    assert [run.get("partition_date") for run in dag.runs] == [first, None, None]


@pytest.mark.parametrize(
    ("dates", "expected"), [("11", "1"), ("12", None), ("-1", "1"), ("1-", "1"), ("123", "3"), ("1212", None)]
)
def test_carried_dates_that_differ_make_none(dates: str, expected: str | None) -> None:
    dag = Dag(all_of(A, B), schedule())
    for date in dates:
        dag.hear((A, "us", *([f"2024-01-0{date}T00:00:00+00:00"] if date != "-" else [])))
    dag.hear((B, "us"))
    (run,) = dag.runs
    assert run.get("partition_date") == (expected and f"2024-01-0{expected}T00:00:00+00:00")


def test_mappers_that_disagree_about_the_date_make_none() -> None:
    form = "input_format='%Y-%m-%d', output_format='%Y-%m-%d'"
    dag = Dag(
        all_of(A, B),
        schedule(f"StartOfDayMapper({form})", b=f"StartOfDayMapper({form}, timezone='Asia/Tokyo')"),
    )
    dag.hear((A, "2024-03-01"), (B, "2024-03-01"))
    dag.timetable = schedule(f"StartOfDayMapper({form})", b="IdentityMapper()")
    dag.hear((A, "2024-03-01"), (B, "2024-03-01", "2024-01-01T00:00:00+00:00"))
    assert [run.get("partition_date") for run in dag.runs] == [None, "2024-03-01T00:00:00+00:00"]


@pytest.mark.parametrize(
    ("condition", "mapper"),
    [(A, "IdentityMapper()"), (A, REGIONS.format(more=", wait_policy=MinimumCount(1)"))],
)
def test_an_event_that_comes_twice_starts_one_run(condition: AssetCondition, mapper: str) -> None:
    dag = Dag(condition, schedule(mapper))
    assert [dag.hear((A, "us"), again=again) for again in (0, 1)] == ["SUCCEEDED"] * 2
    assert len(dag.runs) == 1


def test_an_alias_and_a_uri_are_known_by_their_keys() -> None:
    alias, uri = AssetCondition(kind="alias", name="some"), AssetCondition(kind="asset", uri="s3://bucket/a")
    dag = Dag(all_of(alias, uri), schedule("StartOfHourMapper()", a="StartOfDayMapper()"))
    events = [
        {"keys": ["uri s3://bucket/x", "alias some"], "name": "s3://bucket/x", "uri": "s3://bucket/x"},
        {"keys": ["uri s3://bucket/a"], "name": "s3://bucket/a", "uri": "s3://bucket/a"},
    ]
    request = {
        "id": "1",
        "timestamp": HOURS[1],
        "leaves": [list(leaf.keys) for leaf in dag.condition.leaves],
        "events": [{**each, "partition_key": HOURS[1], "timestamp": HOURS[1]} for each in events],
    }
    day, hour = entries_of(dag, request)["entries"]
    assert (day["key"], day["update"]["expression"]) == (
        "2024-03-01",
        "SET needed1 = :needed1 ADD arrived1 :arrived1, dates :dates, events :events",
    )
    assert (hour["key"], sorted(hour["update"]["values"])) == (
        "2024-03-01T01",
        [":arrived0", ":dates", ":needed0"],
    )


def test_what_arrived_for_other_mappers_is_forgotten() -> None:
    dag = Dag(A, schedule(REGIONS.format(more="")))
    dag.hear((A, "us"))
    dag.timetable = schedule(REGIONS.replace("apac", "asia").format(more=""))
    for region in ("eu", "asia"):
        dag.hear((A, region))
    assert dag.keys == []
    dag.hear((A, "us"))
    assert len(dag.runs[0]["asset_events"]) == 3


def test_a_fingerprint_is_that_of_the_definition() -> None:
    assert fingerprint(schedule(ROLLUP)) == fingerprint(schedule(ROLLUP))
    others = [
        ROLLUP,
        ROLLUP.replace("()", "(timezone='Asia/Tokyo')", 1),
        REGIONS.format(more=""),
        "IdentityMapper()",
    ]
    assert len({fingerprint(schedule(each)) for each in others}) == 4


def test_runs_that_cannot_be_started_are_reported_each_by_itself() -> None:
    dag = Dag(A, schedule("FanOutMapper(upstream_mapper=StartOfYearMapper(), window=QuarterWindow())"))
    dag.aws.broken = True
    assert dag.hear((A, HOURS[0])) == "FAILED"
    assert sorted(each["error"]["run"]["partition_key"] for each in dag.aws.reported) == [
        "2024-01",
        "2024-02",
        "2024-03",
    ]


def test_a_function_that_fails_is_reported() -> None:
    dag = Dag(A, schedule())

    def fail(_: Any) -> Any:
        raise StatesError("ImportError", "no module")

    dag.aws.function = fail
    assert dag.hear((A, "us")) == "FAILED"
    assert len(dag.aws.reported) == 1


@pytest.mark.parametrize("seed", range(10))
def test_any_schedule_starts_runs_as_airflows_scheduler_does(seed: int) -> None:
    """The model is the scheduler's: an item for each key, which it looks at after each event."""
    chance = random.Random(seed)

    def condition(depth: int) -> AssetCondition:
        if not depth or chance.random() < 0.3:
            return chance.choice((A, B, C))
        return chance.choice((any_of, all_of))(*(condition(depth - 1) for _ in range(chance.randint(1, 3))))

    def mapper() -> str:
        count = chance.choice(["", ", wait_policy=MinimumCount(2)", ", wait_policy=MinimumCount(-1)"])
        return chance.choice(
            [
                "FixedKeyMapper('all')",
                REGIONS.format(more=count),
                (
                    "FanOutMapper(upstream_mapper=IdentityMapper(), window=SegmentWindow(['all', 'us']), "
                    "downstream_mapper=IdentityMapper())"
                ),
            ]
        )

    dag = Dag(condition(2), schedule(mapper(), a=mapper(), b=mapper()))
    pending: dict[str, dict[str, set[str]]] = {}
    expected: list[str] = []
    for _ in range(14):
        told = [
            (chance.choice((A, B, C)), chance.choice(("us", "eu", "apac", "x")))
            for _ in range(chance.randint(1, 3))
        ]
        relevant = [each for each in told if each[0] in dag.condition.leaves]
        if not relevant:
            continue
        dag.hear(*relevant)
        for asset, source in relevant:
            found = dag.timetable.get_partition_mapper(name=asset.name, uri=asset.uri).to_downstream(source)
            for key in [found] if isinstance(found, str) else found:
                pending.setdefault(key, {}).setdefault(asset.name, set()).add(source)
        for key in sorted(pending):
            there = [name for name, sources in pending[key].items() if satisfied(dag, name, key, sources)]
            if dag.condition.holds([f"name {name}" for name in there]):
                expected.append(key)
                del pending[key]
    assert sorted(dag.keys) == sorted(expected)


def satisfied(dag: Dag, name: str, key: str, sources: set[str]) -> bool:
    mapper = dag.timetable.get_partition_mapper(name=name)
    if not mapper.is_rollup:
        return True
    answer = mapper.wait_policy.is_satisfied_by_keys(matched=sources, expected=mapper.to_upstream(key))
    return bool(answer.satisfied)
