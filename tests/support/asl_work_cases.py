"""Cases about work: tasks, branches, iterations, waits, and what becomes of their failures."""

from __future__ import annotations

from asl_case import ANSWER, END, FAILING, Case, block, computed, machine, task

TASKS = [
    Case(
        "a task's result is lambda's answer",
        machine("T", T=task({"a": "{% $states.input.a * 2 %}"}, Output=ANSWER, **END)),
        {"a": 4},
        {"a": 8},
    ),
    Case(
        "result and input are both at hand",
        machine(
            "T",
            T=task(
                {"a": 1}, Output="{% $merge([$states.input, {'t': $states.result.Payload.heard.a}]) %}", **END
            ),
        ),
        {"z": 0},
        {"z": 0, "t": 1},
    ),
    Case(
        "a task may assign its result",
        machine("T", T=task({"a": 1}, Assign={"v": ANSWER}, Output=0, Next="B"), B=computed("{% $v.a %}")),
        {},
        1,
    ),
    Case(
        "an error that nobody catches ends the machine",
        machine("T", T=task(FAILING, **END)),
        {},
        error="Trouble",
        status="FAILED",
    ),
    Case(
        "undefined arguments fail",
        machine("T", T=task("{% $states.input.no %}", **END)),
        {},
        error="States.QueryEvaluationError",
        status="FAILED",
    ),
    Case(
        "retries count up",
        machine(
            "T",
            T=task(
                {"do": "fail until", "attempts": 2, "attempt": "{% $states.context.State.RetryCount %}"},
                Retry=[{"ErrorEquals": ["NotYet"], "MaxAttempts": 2}],
                Output="{% $states.result.Payload.heard.attempt %}",
                **END,
            ),
        ),
        {},
        2,
    ),
    Case(
        "retries end",
        machine(
            "T",
            T=task(
                FAILING,
                Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2, "IntervalSeconds": 600}],
                **END,
            ),
        ),
        {},
        error="Trouble",
        status="FAILED",
    ),
    Case(
        "a retrier for no attempts shields an error from the next",
        machine(
            "T",
            T=task(
                {"do": "fail", "error": "Final"},
                Retry=[
                    {"ErrorEquals": ["Final"], "MaxAttempts": 0},
                    {"ErrorEquals": ["States.ALL"], "MaxAttempts": 9},
                ],
                Catch=[
                    {
                        "ErrorEquals": ["States.ALL"],
                        "Output": "{% $states.context.State.RetryCount %}",
                        "Next": "B",
                    }
                ],
                **END,
            ),
            B={"Type": "Pass", **END},
        ),
        {},
        0,
    ),
    Case(
        "retry comes before catch",
        machine(
            "T",
            T=task(
                FAILING,
                Retry=[{"ErrorEquals": ["Trouble"], "MaxAttempts": 3}],
                Catch=[
                    {
                        "ErrorEquals": ["Trouble"],
                        "Output": "{% $states.context.State.RetryCount %}",
                        "Next": "B",
                    }
                ],
                **END,
            ),
            B={"Type": "Pass", **END},
        ),
        {},
        3,
    ),
    Case(
        "catch tells error and cause",
        machine(
            "T",
            T=task(
                FAILING,
                Catch=[
                    {
                        "ErrorEquals": ["States.TaskFailed"],
                        "Output": [
                            "{% $states.errorOutput.Error %}",
                            "{% $parse($states.errorOutput.Cause).errorMessage %}",
                        ],
                        "Next": "B",
                    }
                ],
                **END,
            ),
            B={"Type": "Pass", **END},
        ),
        {},
        ["Trouble", "on purpose"],
    ),
    Case(
        "catch without output hands the error on",
        machine(
            "T",
            T=task(
                {"do": "fail", "cause": "why"}, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B"}], **END
            ),
            B={"Type": "Pass", **END},
        ),
        {},
        {"Error": "Trouble", "Cause": "why"},
    ),
    Case(
        "catch keeps the input at hand",
        machine(
            "T",
            T=task(
                FAILING,
                Catch=[{"ErrorEquals": ["States.ALL"], "Output": "{% $states.input %}", "Next": "B"}],
                **END,
            ),
            B={"Type": "Pass", **END},
        ),
        {"k": 1},
        {"k": 1},
    ),
    Case(
        "catch may assign",
        machine(
            "T",
            T=task(
                FAILING,
                Catch=[
                    {
                        "ErrorEquals": ["States.ALL"],
                        "Assign": {"e": "{% $states.errorOutput.Error %}"},
                        "Next": "B",
                    }
                ],
                **END,
            ),
            B=computed("{% $e %}"),
        ),
        {},
        "Trouble",
    ),
    Case(
        "a catcher for another error does not help",
        machine(
            "T",
            T=task(FAILING, Catch=[{"ErrorEquals": ["Other"], "Next": "B"}], **END),
            B={"Type": "Pass", **END},
        ),
        {},
        error="Trouble",
        status="FAILED",
    ),
    Case(
        "the state's output does not touch what is caught",
        machine(
            "T",
            T=task(
                FAILING,
                Output="no",
                Catch=[{"ErrorEquals": ["States.ALL"], "Output": "yes", "Next": "B"}],
                **END,
            ),
            B={"Type": "Pass", **END},
        ),
        {},
        "yes",
    ),
    Case(
        "a time limit is an error of its own",
        machine(
            "T",
            T=task(
                {"do": "take long", "seconds": 1.5},
                TimeoutSeconds=1,
                Catch=[
                    {"ErrorEquals": ["States.TaskFailed"], "Output": "wrong", "Next": "B"},
                    {
                        "ErrorEquals": ["States.Timeout"],
                        "Output": "{% $states.errorOutput.Error %}",
                        "Next": "B",
                    },
                ],
                **END,
            ),
            B={"Type": "Pass", **END},
        ),
        {},
        "States.Timeout",
    ),
    Case(
        "an output over 256 KiB is not caught by States.ALL",
        machine(
            "T",
            T=task(
                {"do": "answer much", "size": 270_000},
                Output="{% $states.result.Payload %}",
                Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B"}],
                **END,
            ),
            B=computed("caught"),
        ),
        {},
        error="States.DataLimitExceeded",
        status="FAILED",
        moto="it lets States.ALL catch it",
    ),
]

PARALLELS = [
    Case(
        "branches get the same input and keep their order",
        machine(
            "P",
            P={
                "Type": "Parallel",
                "Branches": [
                    block("A", A=computed("{% $states.input.a %}")),
                    block("B", B=task({"a": 2}, Output="{% $states.result.Payload.heard.a %}", **END)),
                ],
                **END,
            },
        ),
        {"a": 1},
        [1, 2],
    ),
    Case(
        "arguments replace the input of branches",
        machine(
            "P",
            P={
                "Type": "Parallel",
                "Arguments": {"k": "{% $states.input.a %}"},
                "Branches": [block("A", A={"Type": "Pass", **END})],
                "Output": "{% [$states.result[0].k, $states.input.a] %}",
                **END,
            },
        ),
        {"a": 1},
        [1, 1],
    ),
    Case(
        "results may be merged into the input",
        machine(
            "P",
            P={
                "Type": "Parallel",
                "Branches": [block("A", A=computed({"x": 1})), block("B", B=computed({"y": 2}))],
                "Output": "{% $merge($append($states.input, $states.result)) %}",
                **END,
            },
        ),
        {"i": 0},
        {"i": 0, "x": 1, "y": 2},
    ),
    Case(
        "a failed branch fails the state",
        machine(
            "P",
            P={
                "Type": "Parallel",
                "Branches": [
                    block("A", A=computed(1)),
                    block("B", B={"Type": "Fail", "Error": "Down", "Cause": "c"}),
                ],
                "Catch": [
                    {"ErrorEquals": ["Down"], "Output": "{% $states.errorOutput.Cause %}", "Next": "C"}
                ],
                **END,
            },
            C={"Type": "Pass", **END},
        ),
        {},
        "c",
    ),
    Case(
        "branches nest",
        machine(
            "P",
            P={
                "Type": "Parallel",
                "Branches": [
                    block(
                        "Q",
                        Q={
                            "Type": "Parallel",
                            "Branches": [block("A", A=computed(1)), block("B", B=computed(2))],
                            "Next": "R",
                        },
                        R=computed("{% $sum($states.input) %}"),
                    ),
                    block("S", S=computed(5)),
                ],
                **END,
            },
        ),
        {},
        [3, 5],
    ),
    Case(
        "a parallel may be retried",
        machine(
            "P",
            P={
                "Type": "Parallel",
                "Branches": [block("A", A=task(FAILING, **END))],
                "Retry": [{"ErrorEquals": ["Trouble"], "MaxAttempts": 2}],
                "Catch": [
                    {
                        "ErrorEquals": ["States.ALL"],
                        "Output": "{% $states.context.State.RetryCount %}",
                        "Next": "C",
                    }
                ],
                **END,
            },
            C={"Type": "Pass", **END},
        ),
        {},
        2,
    ),
    Case(
        "siblings of a failed branch do not go on",
        machine(
            "P",
            P={
                "Type": "Parallel",
                "Branches": [
                    block("W", W={"Type": "Wait", "Seconds": 86_400, "Next": "X"}, X=task({"a": 1}, **END)),
                    block("B", B={"Type": "Fail", "Error": "Down", "Cause": ""}),
                ],
                "Catch": [{"ErrorEquals": ["Down"], "Output": "ended", "Next": "C"}],
                **END,
            },
            C={"Type": "Pass", **END},
        ),
        {},
        "ended",
    ),
]

MAPS = [
    Case(
        "a map runs its states for each item",
        machine(
            "M",
            M={
                "Type": "Map",
                "Items": "{% $states.input.xs %}",
                "ItemProcessor": block("A", A=computed("{% $states.input * 10 %}")),
                **END,
            },
        ),
        {"xs": [3, 1, 2]},
        [30, 10, 20],
    ),
    Case(
        "the selector shapes the items",
        machine(
            "M",
            M={
                "Type": "Map",
                "Items": [7, 8],
                "ItemSelector": {
                    "v": "{% $states.context.Map.Item.Value %}",
                    "i": "{% $states.context.Map.Item.Index %}",
                    "b": "{% $states.input.b %}",
                },
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    **block("A", A=computed("{% [$states.input.v, $states.input.i, $states.input.b] %}")),
                },
                **END,
            },
        ),
        {"b": "z"},
        [[7, 0, "z"], [8, 1, "z"]],
    ),
    Case(
        "no items, no results",
        machine(
            "M", M={"Type": "Map", "Items": [], "ItemProcessor": block("A", A={"Type": "Pass", **END}), **END}
        ),
        {},
        [],
    ),
    Case(
        "a failed item fails the map",
        machine(
            "M",
            M={
                "Type": "Map",
                "Items": [1, 2],
                "MaxConcurrency": 1,
                "ItemProcessor": block("A", A=task({"do": "fail", "error": "Bad item"}, **END)),
                "Catch": [{"ErrorEquals": ["Bad item"], "Output": "caught", "Next": "C"}],
                **END,
            },
            C={"Type": "Pass", **END},
        ),
        {},
        "caught",
    ),
]

TIMES = [
    Case(
        "waiting changes nothing",
        machine("W", W={"Type": "Wait", "Seconds": "{% $states.input.s %}", **END}),
        {"s": 86_400},
        {"s": 86_400},
    ),
    Case(
        "a moment in the past is no wait",
        machine("W", W={"Type": "Wait", "Timestamp": "2020-01-01T00:00:00Z", **END}),
        {"s": 1},
        {"s": 1},
    ),
    Case(
        "wait may have an output",
        machine("W", W={"Type": "Wait", "Seconds": 3600, "Output": {"d": 1}, **END}),
        {},
        {"d": 1},
    ),
]
