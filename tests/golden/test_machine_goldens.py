"""A golden state machine for each construct; rewritten only with --rewrite-goldens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from workflows import DOCKER, POD, a_task, a_workflow

from orkestra_bridge.ir.model import Attribute, Expansion, MappedGroup, Polling, Retry, Workflow
from orkestra_bridge.ir.places import Container, Image
from orkestra_bridge.lowering.cutting import Weight
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.mermaid import to_mermaid
from orkestra_bridge.lowering.payload import ROOM
from orkestra_bridge.lowering.pprint import nesting_text

GOLDENS = Path(__file__).parent / "machines"

CONSTRUCTS: dict[str, Workflow] = {
    "chain": a_workflow(a_task("extract"), a_task("transform", "extract"), a_task("load", "transform")),
    "diamond": a_workflow(
        a_task("start", operator="EmptyOperator"),
        a_task("left", "start"),
        a_task("right", "start"),
        a_task("end", "left", "right", operator="EmptyOperator"),
    ),
    "several_roots": a_workflow(a_task("a"), a_task("b"), a_task("c", "a", "b")),
    "branch": a_workflow(
        a_task("choose", operator="BranchPythonOperator"),
        a_task("yes", "choose"),
        a_task("no", "choose", operator="EmptyOperator"),
        a_task("join", "yes", "no", operator="EmptyOperator", trigger_rule="none_failed_min_one_success"),
    ),
    "retries": a_workflow(
        a_task(
            "fetch", retry=Retry(attempts=3, delay=30.0, backoff=2.0, max_delay=300.0), execution_timeout=60.0
        )
    ),
    "n_shape": a_workflow(a_task("a"), a_task("b"), a_task("c", "a"), a_task("d", "a", "b")),
    "n_shape_with_barrier": a_workflow(
        a_task("a"), a_task("b"), a_task("c", "a"), a_task("d", "a", "b"), dag_id="barrier"
    ),
    "early_rules": a_workflow(
        a_task("a"),
        a_task("b", operator="BranchPythonOperator"),
        a_task("first", "a", "b", trigger_rule="one_success"),
        a_task("at_once", "a", trigger_rule="always"),
        a_task("end", "first", "at_once", operator="EmptyOperator", trigger_rule="one_failed"),
    ),
    "trigger_rules": a_workflow(
        a_task("a"),
        a_task("b"),
        a_task("on_failure", "a", "b", trigger_rule="one_failed"),
        a_task("always", "on_failure", trigger_rule="all_done", operator="EmptyOperator"),
    ),
    "mapped": a_workflow(
        a_task("list"),
        a_task("each", "list", mapped=True, expansion=Expansion(over=("list",)), max_active=5),
        a_task(
            "fixed", "each", mapped=True, expansion=Expansion(length=3), retry=Retry(attempts=1, delay=10.0)
        ),
        a_task("end", "fixed", operator="EmptyOperator", trigger_rule="all_done"),
    ),
    "distributed_maps": a_workflow(
        a_task("list"),
        a_task("each", "list", mapped=True, expansion=Expansion(over=("list",), most=1024 * 1024)),
        a_task("g.a", "list", mapped=True, mapped_group="g", retry=Retry(attempts=9)),
        a_task("g.b", "g.a", mapped=True, mapped_group="g", operator="EmptyOperator"),
        a_task("end", "each", "g.b"),
        mapped_groups=(MappedGroup(group_id="g", expansion=Expansion(over=("list",))),),
    ),
    "mapped_group": a_workflow(
        a_task("list"),
        a_task("g.a", "list", mapped=True, mapped_group="g"),
        a_task("g.b", "g.a", mapped=True, mapped_group="g", operator="EmptyOperator"),
        a_task("end", "g.a", "g.b"),
        mapped_groups=(MappedGroup(group_id="g", expansion=Expansion(over=("list",))),),
    ),
    "sensors": a_workflow(
        a_task("wait", operator="PythonSensor", polling=Polling(timeout=3600.0)),
        a_task(
            "poll.week",
            "wait",
            operator="PythonSensor",
            polling=Polling(),
            retry=Retry(attempts=2, delay=30.0),
        ),
        a_task("load", "poll.week"),
    ),
    "container": a_workflow(
        a_task("list"),
        a_task(
            "each",
            "list",
            mapped=True,
            expansion=Expansion(over=("list",)),
            container=Container(reason="it was asked for", cpu=1024, memory=4096),
        ),
        a_task(
            "long",
            execution_timeout=7200.0,
            retry=Retry(attempts=1, delay=10.0),
            attributes=(Attribute(name="on_failure_callback", value="alert"),),
            container=Container(reason="execution_timeout is 7200 s", attribute="execution_timeout"),
        ),
    ),
    "own_image": a_workflow(
        a_task("list"),
        a_task(
            "each",
            "list",
            operator="DockerOperator",
            mapped=True,
            expansion=Expansion(over=("list",)),
            image=Image(kind="docker", executed_by=DOCKER, reference="team/etl:1"),
            container=Container(reason="it starts the image team/etl:1"),
        ),
        a_task(
            "pod",
            operator="KubernetesPodOperator",
            execution_timeout=600.0,
            retry=Retry(attempts=2, delay=10.0),
            image=Image(
                kind="kubernetes",
                executed_by=POD,
                reference="{{ params.image }}",
                entry_point=("python",),
                result="/airflow/xcom/return.json",
            ),
            container=Container(reason="it starts the image of its own", cpu=1024, memory=2048),
        ),
    ),
    "time_limit": a_workflow(a_task("a"), dagrun_timeout=90.0),
}


IN_PARTS: dict[str, Workflow] = {
    "parts_of_a_series": a_workflow(*(a_task(f"t{i}", *([f"t{i - 1}"] if i else [])) for i in range(4))),
    "parts_of_a_parallel": a_workflow(
        *(a_task(name) for name in "abcd"), a_task("e", "a"), a_task("f", "b", "d"), a_task("g", "d")
    ),
}
SMALL = Weight(4_500, 10**6, ROOM)


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_machine(name: str, rewrite_goldens: bool) -> None:
    workflow = CONSTRUCTS[name]
    definition = lower(workflow, "barrier" if workflow.dag_id == "barrier" else "token").definition
    check({f"{name}.asl.json": as_text(definition), f"{name}.mmd": to_mermaid(definition)}, rewrite_goldens)


@pytest.mark.parametrize("name", IN_PARTS)
def test_machines_of_parts(name: str, rewrite_goldens: bool) -> None:
    lowered = lower(IN_PARTS[name], "token", SMALL)
    texts = {f"{name}.asl.json": as_text(lowered.definition)}
    texts |= {f"{name}.{part}.asl.json": as_text(each) for part, each in lowered.parts.items()}
    texts[f"{name}.mmd"] = to_mermaid(lowered.definition, lowered.parts)
    texts[f"{name}.txt"] = nesting_text(lowered.decomposition, lowered.region)
    check(texts, rewrite_goldens)
    assert len(list(GOLDENS.glob(f"{name}.*"))) == len(texts)


def as_text(definition: Any) -> str:
    return json.dumps(definition, indent=2, ensure_ascii=False) + "\n"


def check(texts: dict[str, str], rewrite_goldens: bool) -> None:
    for name, text in texts.items():
        golden = GOLDENS / name
        if rewrite_goldens:
            golden.write_text(text)
        assert text == golden.read_text()


def test_no_golden_is_left_over() -> None:
    assert {path.name.split(".")[0] for path in GOLDENS.iterdir()} == {*CONSTRUCTS, *IN_PARTS}
