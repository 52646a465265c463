"""Cases about data: expressions, variables, choices."""

from __future__ import annotations

from asl_case import END, Case, block, computed, machine, one

PLAIN = [
    Case(
        "pass hands its input on", machine("A", A={"Type": "Pass", **END}), {"a": [1, None]}, {"a": [1, None]}
    ),
    Case("output may be a constant", one({"a": [1, "x", None, True]}), {}, {"a": [1, "x", None, True]}),
    Case(
        "expressions stand anywhere in output",
        one({"l": ["{% $states.input.a + 1 %}", "b"]}),
        {"a": 1},
        {"l": [2, "b"]},
    ),
    Case("text around an expression makes it a constant", one("x {% 1 %}"), {}, "x {% 1 %}"),
    Case("a null result is a result", one("{% $states.input.a %}"), {"a": None}, None),
    Case(
        "undefined fails",
        one("{% $states.input.nothing %}"),
        {},
        error="States.QueryEvaluationError",
        status="FAILED",
    ),
    Case(
        "undefined inside of an object leaves the field out",
        one("{% {'a': $states.input.b, 'c': 1} %}"),
        {},
        {"c": 1},
    ),
    Case(
        "nulls inside of arrays stay",
        one("{% $map($states.input, function($v) {$v}) %}"),
        [None, 1],
        [None, 1],
    ),
    Case(
        "a type error fails", one("{% 'a' + 1 %}"), {}, error="States.QueryEvaluationError", status="FAILED"
    ),
    Case(
        "quotes and line ends survive",
        one("{% $states.input.s & '!' %}"),
        {"s": "a\"b\\c\n'd"},
        "a\"b\\c\n'd!",
    ),
    Case("keys that are not words", one("{% $states.input.`a.b`.`c d` %}"), {"a.b": {"c d": 5}}, 5),
    Case(
        "merge and membership",
        one("{% $merge([$states.input, {'b': 'x' in ['x', 'y']}]) %}"),
        {"a": 1},
        {"a": 1, "b": True},
    ),
    Case("membership in undefined is false", one("{% 'x' in $states.input.skip %}"), {}, False),
    Case(
        "empty arrays stay arrays",
        one({"a": "{% [] %}", "b": "{% $states.input.b %}"}),
        {"b": []},
        {"a": [], "b": []},
    ),
    Case("parse reads JSON text", one("{% $parse($states.input).a[1] %}"), '{"a": [1, 2]}', 2),
    Case("partition cuts into chunks", one("{% $partition([1, 2, 3], 2) %}"), {}, [[1, 2], [3]]),
    Case("range includes its end", one("{% $range(0, 6, 3) %}"), {}, [0, 3, 6]),
    Case(
        "a chain passes data on",
        machine(
            "A",
            A=computed({"n": "{% $states.input.n + 1 %}"}, Next="B"),
            B=computed("{% $states.input.n * 2 %}"),
        ),
        {"n": 4},
        10,
    ),
    Case(
        "succeed ends a machine",
        machine("A", A={"Type": "Succeed", "Output": {"k": "{% $states.input.a %}"}}),
        {"a": 3},
        {"k": 3},
    ),
    Case(
        "fail ends it with its error",
        machine("A", A={"Type": "Fail", "Error": "Bad", "Cause": "so"}),
        {},
        error="Bad",
        status="FAILED",
    ),
    Case(
        "fail may compute its error",
        machine("A", A={"Type": "Fail", "Error": "{% 'Bad' & $states.input %}", "Cause": "so"}),
        1,
        error="Bad1",
        status="FAILED",
    ),
    Case(
        "the context tells the execution's input",
        machine("A", A=computed({}, Next="B"), B=computed("{% $states.context.Execution.Input.q %}")),
        {"q": 7},
        7,
    ),
    Case("the context tells the state's name", one("{% $states.context.State.Name %}"), {}, "Compute"),
]

VARIABLES = [
    Case(
        "assigned variables are there in later states",
        machine(
            "A", A=computed({}, Assign={"v": "{% $states.input.a %}"}, Next="B"), B=computed("{% $v & 'x' %}")
        ),
        {"a": 'q"'},
        'q"x',
    ),
    Case(
        "assign sees the variables from before",
        machine(
            "A",
            A=computed({}, Assign={"a": 1, "b": 1}, Next="B"),
            B=computed({}, Assign={"a": "{% $b + 1 %}", "b": "{% $a + 5 %}"}, Next="C"),
            C=computed("{% [$a, $b] %}"),
        ),
        {},
        [2, 6],
    ),
    Case(
        "output is computed with the variables from before",
        machine(
            "A", A=computed({}, Assign={"a": 1}, Next="B"), B=computed("{% $a %}", Assign={"a": 2}, **END)
        ),
        {},
        1,
        moto="it assigns first",
    ),
    Case(
        "branches see outer variables",
        machine(
            "A",
            A=computed({}, Assign={"v": 3}, Next="P"),
            P={"Type": "Parallel", "Branches": [block("X", X=computed("{% $v %}"))], **END},
        ),
        {},
        [3],
    ),
    Case(
        "variables of a branch end with it",
        machine(
            "P",
            P={
                "Type": "Parallel",
                "Branches": [block("X", X=computed(1, Assign={"v": 3}, **END))],
                "Next": "B",
            },
            B=computed("{% $exists($v) %}"),
        ),
        {},
        False,
    ),
]

CHOICES = [
    Case(
        "the first rule that is true is taken",
        machine(
            "C",
            C={
                "Type": "Choice",
                "Choices": [
                    {"Condition": "{% $states.input.n > 9 %}", "Next": "X"},
                    {"Condition": "{% $states.input.n > 3 %}", "Next": "Y"},
                    {"Condition": "{% true %}", "Next": "X"},
                ],
                "Default": "X",
            },
            X=computed("x"),
            Y=computed("y"),
        ),
        {"n": 5},
        "y",
    ),
    Case(
        "else the default",
        machine(
            "C",
            C={
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input.n > 9 %}", "Next": "X"}],
                "Default": "Y",
            },
            X=computed("x"),
            Y=computed("y"),
        ),
        {"n": 5},
        "y",
    ),
    Case(
        "a rule may assign and give an output",
        machine(
            "C",
            C={
                "Type": "Choice",
                "Choices": [{"Condition": "{% true %}", "Assign": {"w": 4}, "Output": {"o": 1}, "Next": "X"}],
            },
            X=computed("{% [$w, $states.input.o] %}"),
        ),
        {},
        [4, 1],
    ),
    Case(
        "the state's own output is for the default",
        machine(
            "C",
            C={
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input.n = 1 %}", "Next": "X"}],
                "Default": "X",
                "Output": "d",
            },
            X={"Type": "Pass", **END},
        ),
        {"n": 2},
        "d",
    ),
    Case(
        "nothing matches and no default",
        machine(
            "C", C={"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "X"}]}, X=computed(1)
        ),
        {},
        error="States.NoChoiceMatched",
        status="FAILED",
        moto="it says States.Runtime",
    ),
    Case(
        "a condition has to be a boolean",
        machine(
            "C",
            C={"Type": "Choice", "Choices": [{"Condition": "{% 'yes' %}", "Next": "X"}], "Default": "X"},
            X=computed(1),
        ),
        {},
        error="States.QueryEvaluationError",
        status="FAILED",
        moto="it takes it for false",
    ),
]
