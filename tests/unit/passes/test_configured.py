"""What the configuration gives DAGs and tasks: functions of their own, containers, time limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stacks import FUNCTION
from workflows import a_task, a_workflow

from orkestra_bridge.drafting import function_asset
from orkestra_bridge.ir.model import Given, Task, Workflow
from orkestra_bridge.ir.places import Packages
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.operators.images import Build, build_suffix, builds_of
from orkestra_bridge.options import Overrides, Pattern, Scoped, Target
from orkestra_bridge.passes.configured import about_given, configure, unused_patterns
from orkestra_bridge.passes.placement import place, place_all
from orkestra_bridge.stack.check import check_template
from orkestra_bridge.stack.model import LayerAsset
from orkestra_bridge.stack.template import build_stack

if TYPE_CHECKING:
    from collections.abc import Mapping


def given(*tasks: Task, **overrides: Any) -> Workflow:
    return place(configure(a_workflow(*tasks), Overrides(**overrides)))


def resources(
    workflow: Workflow, *, task_layers: Mapping[int, LayerAsset] | None = None, **overrides: Any
) -> dict[str, Any]:
    lowered = lower(workflow)
    assert lowered.findings == tuple(each for each in lowered.findings if each.id == "OB327")
    function = function_asset(workflow.dag_id, FUNCTION.key_hash, Target(), Overrides(**overrides))
    template = build_stack(
        workflow, lowered.definition, function, None, Target(), task_layers=task_layers or {}
    ).template
    assert check_template(template) == ()
    found: dict[str, Any] = template["Resources"]
    return found


def sizes(found: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {
        name: (item["Properties"]["MemorySize"], item["Properties"]["Timeout"])
        for name, item in found.items()
        if item["Type"] == "AWS::Lambda::Function"
    }


def test_without_configuration_there_is_one_function() -> None:
    workflow = given(a_task("a"), a_task("b", "a"))
    assert [task.given for task in workflow.tasks] == [None, None]
    assert sizes(resources(workflow)) == {"TasksFunction": (512, 900)}


def test_what_a_dag_is_given_is_given_to_its_function() -> None:
    overrides: dict[str, Any] = {
        "memory": (Scoped(1024, "exa*"), Scoped(4096, "other")),
        "timeout": (Scoped(60, "*"),),
    }
    workflow = given(a_task("a"), a_task("b", "a"), **overrides)
    assert sizes(resources(workflow, **overrides)) == {"TasksFunction": (1024, 60)}


def test_a_task_that_is_given_something_else_has_a_function_beside_the_others() -> None:
    overrides: dict[str, Any] = {
        "memory": (Scoped(2048, "*", "heavy"), Scoped(1024)),
        "timeout": (Scoped(30, "*", "quick_*"),),
    }
    tasks = (a_task("a"), a_task("heavy", "a"), a_task("quick_1", "a"), a_task("quick_2", "heavy"))
    workflow = given(*tasks, **overrides)
    found = resources(workflow, **overrides)
    assert sizes(found) == {
        "TasksFunction": (1024, 900),
        "TasksMemory2048Function": (2048, 900),
        "TasksMemory1024Timeout30Function": (1024, 30),
    }
    assert workflow.tasks[2].given == Given(memory=1024, timeout=30, own=True)
    own, shared = found["TasksMemory2048Function"]["Properties"], found["TasksFunction"]["Properties"]
    assert {key for key in shared if own[key] != shared[key]} == {"MemorySize"}
    invoke = found["StateMachineRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]
    assert invoke["Resource"] == [
        {"Fn::GetAtt": [name, "Arn"]}
        for name in ("TasksFunction", "TasksMemory1024Timeout30Function", "TasksMemory2048Function")
    ]
    states = found["StateMachine"]["Properties"]["Definition"]["States"]
    called = {
        state["Arguments"]["Payload"]["task_id"]: state["Arguments"]["FunctionName"]
        for state in flat(states)
        if "task_id" in state.get("Arguments", {}).get("Payload", {})
    }
    assert called == {
        "a": "${TasksFunctionArn}",
        "heavy": "${TasksMemory2048FunctionArn}",
        "quick_1": "${TasksMemory1024Timeout30FunctionArn}",
        "quick_2": "${TasksMemory1024Timeout30FunctionArn}",
    }
    assert found["StateMachine"]["Properties"]["DefinitionSubstitutions"].keys() == {
        name[2:-1] for name in called.values()
    }


def flat(states: dict[str, Any]) -> list[dict[str, Any]]:
    inner = [
        each
        for state in states.values()
        for branch in state.get("Branches", ())
        for each in flat(branch["States"])
    ]
    return [*states.values(), *inner]


def test_what_does_not_fit_into_a_function_runs_in_a_container() -> None:
    workflow = given(
        a_task("long"),
        a_task("large"),
        a_task("neither"),
        a_task("sensor", operator="PythonSensor"),
        timeout=(Scoped(7200, "*", "long"), Scoped(901, "*", "sensor")),
        memory=(Scoped(20_480, "*", "large"), Scoped(2048)),
    )
    containers = [task.container for task in workflow.tasks]
    assert [(each.cpu, each.memory) if each else None for each in containers[:3]] == [
        (512, 2048),
        (4096, 20_480),
        None,
    ]
    assert containers[0] is not None
    assert containers[0].reason == "the configuration gives it 7200 s, a Lambda function ends after 900 s"
    assert containers[1] is not None
    assert containers[1].reason == "the configuration gives it 20480 MB, a Lambda function has at most 10240"


def test_the_shorter_of_both_limits_counts_and_is_said() -> None:
    workflow = given(
        a_task("a", execution_timeout=7200.0), a_task("b", execution_timeout=60.0), timeout=(Scoped(600),)
    )
    assert [(task.limit, task.container) for task in workflow.tasks] == [(600, None), (60.0, None)]
    assert [(finding.id, finding.task_id) for finding in about_given(workflow)] == [("OB226", "a")]
    assert {finding.id for finding in lower(workflow).findings} == set()


def test_a_container_ends_after_what_it_is_given() -> None:
    workflow = given(a_task("long"), timeout=(Scoped(7200),))
    states = lower(workflow).definition["States"]
    assert states["long"]["TimeoutSeconds"] == 7200 + 900


def test_a_pattern_that_fits_nothing_is_said_with_its_place_and_what_was_meant() -> None:
    patterns = (
        Pattern("exa*", "*", "orkestra.toml", 1),
        Pattern("exmaple", "*", "orkestra.toml", 2),
        Pattern("exmaple", "*", "orkestra.toml", 2),
        Pattern("example", "laod", "orkestra.toml", 3),
        Pattern("*", "load", "orkestra.toml", 4),
    )
    found = unused_patterns(Overrides(patterns=patterns), [a_workflow(a_task("load"))])
    assert [(each.id, each.place) for each in found] == [
        ("OB227", "orkestra.toml:2"),
        ("OB227", "orkestra.toml:3"),
    ]
    assert "did you mean 'example'?" in found[0].remedy
    assert "did you mean 'load'?" in found[1].remedy
    assert unused_patterns(Overrides(patterns=patterns), []) == ()


def test_a_task_with_requirements_has_a_function_with_a_layer_of_its_own() -> None:
    overrides: dict[str, Any] = {
        "requirements": (
            Scoped(Path("all.txt")),
            Scoped(Path("ml/train.txt"), "*", "train*"),
            Scoped(Path("ml/score.txt"), "*", "score"),
        ),
        "memory": (Scoped(2048, "*", "train_2"),),
    }
    tasks = (a_task("a"), a_task("train_1", "a"), a_task("train_2", "a"), a_task("score", "train_1"))
    workflow = given(*tasks, **overrides)
    train, score = Packages(2, "ml/train.txt"), Packages(3, "ml/score.txt")
    assert [task.packages for task in workflow.tasks] == [None, train, train, score]
    found = resources(
        workflow, **overrides, task_layers={2: LayerAsset(key_hash="t"), 3: LayerAsset(key_hash="s")}
    )
    layers = {
        name: each["Properties"].get("Layers")
        for name, each in found.items()
        if each["Type"] == "AWS::Lambda::Function"
    }
    assert layers == {
        "TasksFunction": None,
        "TasksRequirements2Function": [{"Ref": "Requirements2Layer"}],
        "TasksRequirements2Memory2048Function": [{"Ref": "Requirements2Layer"}],
        "TasksRequirements3Function": [{"Ref": "Requirements3Layer"}],
    }
    assert found["Requirements3Layer"]["Properties"]["Content"]["S3Key"] == {"Ref": "Requirements3LayerKey"}


def test_a_container_with_requirements_has_an_image_of_its_own() -> None:
    workflow = given(
        a_task("a"),
        a_task("long"),
        a_task("long_2"),
        requirements=(Scoped(Path("x.txt"), "*", "long"),),
        timeout=(Scoped(7200, "*", "long*"),),
    )
    assert builds_of(workflow) == (Build(packages=Packages(2, "x.txt")), Build())
    assert [build_suffix(builds_of(workflow), each) for each in builds_of(workflow)] == ["2", ""]
    starts = lower(workflow).definition["States"]
    text = json.dumps(starts)
    assert "${ContainerTask2}" in text
    assert "${ContainerTask}" in text


def test_packages_too_large_for_a_function_move_their_tasks_alone() -> None:
    workflow = given(a_task("a"), a_task("b"), requirements=(Scoped(Path("x.txt"), "*", "b"),))
    moved = place_all(workflow, "too large", Packages(2, "x.txt"))
    assert [task.container is not None for task in moved.tasks] == [False, True]


def test_packages_of_a_task_that_imports_nothing_are_said_to_be_of_no_use() -> None:
    workflow = given(
        a_task("nothing", operator="EmptyOperator"),
        a_task("b"),
        requirements=(Scoped(Path("x.txt"), "*", "*thing"),),
    )
    assert [task.packages for task in workflow.tasks] == [None, None]
    [finding] = about_given(workflow)
    assert (finding.id, finding.task_id) == ("OB250", "nothing")
    assert "x.txt" in finding.message
    assert sizes(resources(workflow)) == {"TasksFunction": (512, 900)}
