"""What the ledger's entries may have, and what happens where all together are too large."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from simulate import run_lowered
from workflows import a_task, a_workflow, from_edges

from orkestra_bridge.asl.check import check
from orkestra_bridge.ir.model import Expansion
from orkestra_bridge.ir.serialize import to_document
from orkestra_bridge.local.interpreter import VirtualClock
from orkestra_bridge.local.ledger import Ledger
from orkestra_bridge.lowering.cutting import Weight
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.payload import (
    LARGEST_ERROR,
    LARGEST_INLINE,
    REFERENCE,
    ROOM,
    STATE_DATA,
    sized,
)
from orkestra_bridge.lowering.task import FUNCTION
from orkestra_bridge.runtime.archive import put_away, whole_ledger
from orkestra_bridge.runtime.event import unpacked
from orkestra_bridge.runtime.storage import VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.lowering.machine import Lowered

LITTLE = Weight(10**6, 10**6, 2_000)


def chain(count: int, **fields: Any) -> Workflow:
    names = [f"t{i}" for i in range(count)]
    return from_edges(names, list(itertools.pairwise(names)), **fields)


def test_few_tasks_may_leave_much() -> None:
    assert (sized(chain(3)).inline_limit, sized(chain(3)).error_limit) == (LARGEST_INLINE, LARGEST_ERROR)


@pytest.mark.parametrize("count", [40, 100, 400, 800])
def test_what_all_tasks_may_leave_fits_into_the_state_data(count: int) -> None:
    workflow = chain(count)
    limit = sized(workflow).inline_limit
    assert REFERENCE <= limit < LARGEST_INLINE
    entry = '{"state":"upstream_failed","tries":12,"at":1764154580123,"xcom":}'
    assert sum(len(f',"t{i}":') + len(entry) + limit for i in range(count)) < STATE_DATA
    assert sized(workflow).error_limit * count < STATE_DATA


def test_a_reference_always_fits() -> None:
    assert sized(chain(2_000)).inline_limit == REFERENCE


def test_tasks_that_push_nothing_leave_the_room_to_others() -> None:
    empty = {f"t{i}": {"operator": "EmptyOperator"} for i in range(1, 200)}
    assert sized(chain(200, **empty)).inline_limit > 5 * sized(chain(200)).inline_limit


def test_mapped_tasks_count_by_their_instances() -> None:
    def fan(expansion: Expansion) -> Workflow:
        return a_workflow(a_task("a"), a_task("b", "a", mapped=True, expansion=expansion))

    assert sized(fan(Expansion(length=500))).inline_limit < 1_000
    assert sized(fan(Expansion(over=("a",)))).inline_limit == LARGEST_INLINE, (
        "instances know their number by themselves"
    )


def lowered_in_little_room() -> tuple[Workflow, Lowered]:
    workflow = chain(20, t19={"trigger_rule": "all_done"})
    lowered = lower(workflow, "token", LITTLE)
    return lowered.workflow, lowered


def test_where_all_is_too_much_parts_put_their_entries_away() -> None:
    _, lowered = lowered_in_little_room()
    assert len(lowered.parts) == len(lowered.workflow.archived) > 2
    assert sorted(name for names in lowered.workflow.archived for name in names) == sorted(
        f"t{i}" for i in range(20)
    )
    arns = [f"${{Part{number}Arn}}" for number in range(1, len(lowered.parts) + 1)]
    for definition in (lowered.definition, *lowered.parts.values()):
        assert check(definition, placeholders=(FUNCTION, *arns), expressions=True) == ()
    assert not [finding for finding in lowered.findings if finding.id == "OB352"]


def test_all_tasks_still_find_what_was_put_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    workflow, lowered = lowered_in_little_room()
    document = to_document(workflow)
    carried: list[int] = []
    ledger = Ledger()

    async def runner(call: Any) -> Any:
        event = unpacked(call.arguments["Payload"])
        carried.append(len(event["ledger"]))
        event["ledger"] = whole_ledger(document, event)
        if "archive" in event:
            return {"Payload": put_away(document, event)}
        number = int(event["task_id"][1:])
        seen = {name: entry["xcom"]["return_value"] for name, entry in event["ledger"].items()}
        assert seen == {f"t{i}": i for i in range(number)}
        assert all(event["ledger"][f"t{i}"]["xcom"] == {"return_value": i} for i in range(number))
        assert "t19" not in event["ledger"]
        return {"Payload": {"state": "success", "tries": 1, "xcom": {"return_value": number}}}

    ended = run_lowered(lowered, runner, VirtualClock(), on_event=ledger.hear)
    assert ended.status == "SUCCEEDED", ended.cause
    assert max(carried) < 12
    results = ledger.results()
    assert {name: dict(result.xcom) for name, result in results.items()} == {
        f"t{i}": {"return_value": i} for i in range(20)
    }


def test_what_does_not_fit_even_then_is_refused_with_the_numbers() -> None:
    names = [f"t{i}" for i in range(60)]
    workflow = from_edges([*names, "end"], [(name, "end") for name in names])
    lowered = lower(workflow, "token", LITTLE)
    (finding, *_) = [finding for finding in lowered.findings if finding.id == "OB352"]
    assert "room for 2,000" in finding.message
    assert not [one for one in lower(workflow).findings if one.id == "OB352"]


def test_a_dag_of_3_000_tasks_fits() -> None:
    names = [f"task_{i:04d}" for i in range(3_000)]
    workflow = from_edges(["start", *names, "end"], [e for n in names for e in (("start", n), (n, "end"))])
    lowered = lower(workflow)
    assert not [finding for finding in lowered.findings if finding.severity.value == "error"]
    assert len(lowered.parts) == len(lowered.workflow.archived)
    assert ROOM < STATE_DATA
