"""Our own checks of a template: what the validators at hand do not find.

Neither cfn-lint nor cloudformation-validate reads schedule expressions, time zones or the ``${...}`` of a
state machine's definition.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from orkestra_bridge.stack.zones import aws_zone

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

_SUBSTITUTION = re.compile(r"\$\{([^}!]*)\}")
_NUMBER = r"\d{1,4}"
_NAME = "SUN|MON|TUE|WED|THU|FRI|SAT"
_PLAIN = rf"\*|{_NUMBER}/{_NUMBER}|{_NUMBER}(-{_NUMBER})?(,{_NUMBER}(-{_NUMBER})?)*"
_WEEKDAY = rf"\?|[1-7]#[1-5]|[1-7]L|({_NAME})(-({_NAME}))?(,({_NAME})(-({_NAME}))?)*"
_DAY = rf"\?|L|{_NUMBER}W|{_PLAIN}"
_CRON = re.compile(
    rf"cron\(({_PLAIN}) ({_PLAIN}) (?P<day>{_DAY}) ({_PLAIN}) (?P<weekday>{_WEEKDAY}) ({_PLAIN})\)"
)
_OTHER = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)s?\)|at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)")
_LIMIT = 256


def check_template(template: Json) -> tuple[str, ...]:
    """Return what is wrong with a template of ours: one sentence for each fault, none if it is right."""
    faults = [*_dangling(template), *_unused(template)]
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Scheduler::Schedule":
            faults.extend(f"{name}: {fault}" for fault in _schedule_faults(resource["Properties"]))
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            faults.extend(f"{name}: {fault}" for fault in _fill_faults(resource["Properties"]))
    return tuple(faults)


def _dangling(template: Json) -> Iterator[str]:
    resources, parameters = template["Resources"], template.get("Parameters", {})
    known = {*resources, *parameters}
    for kind, name in sorted(set(_references(template))):
        if kind == "condition":
            if name not in template.get("Conditions", {}):
                yield f"the condition {name} is not defined"
        elif not name.startswith("AWS::") and name not in (known if kind == "ref" else resources):
            yield f"{name} is referred to but not defined"


def _unused(template: Json) -> Iterator[str]:
    used = {name for kind, name in _references(template) if kind == "ref"}
    for name in template.get("Parameters", {}):
        if name not in used:
            yield f"the parameter {name} is not used"


def _references(value: Any) -> Iterator[tuple[str, str]]:
    """Yield each name that an intrinsic function or attribute refers to, with the kind of reference."""
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "DependsOn" and isinstance(item, list) and any(isinstance(each, dict) for each in item):
                continue  # of a container of ECS: its conditions are not those of the template
            yield from _reference(key, item)
            if key not in {"Definition", "Ref", "Fn::GetAtt"}:
                yield from _references(item)


def _reference(key: str, item: Any) -> Iterator[tuple[str, str]]:
    if key == "Ref":
        yield "ref", item
    elif key in {"Fn::GetAtt", "DependsOn"}:
        yield "resource", item if isinstance(item, str) else item[0]
    elif key == "Fn::If":
        yield "condition", item[0]
    elif key == "Condition" and isinstance(item, str):
        yield "condition", item
    elif key == "Fn::Sub" and isinstance(item, str):
        for name in _SUBSTITUTION.findall(item):
            yield ("resource", name.split(".")[0]) if "." in name else ("ref", name)


def _schedule_faults(properties: Json) -> Iterator[str]:
    expression = properties["ScheduleExpression"]
    if isinstance(expression, str):
        fault = expression_fault(expression)
        if fault:
            yield fault
    zone = properties.get("ScheduleExpressionTimezone", "UTC")
    if aws_zone(zone) != zone:
        yield f"{zone!r} is no time zone of the IANA database"


def expression_fault(expression: str) -> str | None:
    """Return what is wrong with an EventBridge Scheduler expression, None if it is a form that we write."""
    if len(expression) > _LIMIT:
        return f"{expression!r} has more than {_LIMIT} characters"
    if _OTHER.fullmatch(expression):
        return None
    match = _CRON.fullmatch(expression)
    if match is None:
        return f"{expression!r} is no expression of EventBridge Scheduler"
    if (match["day"] == "?") == (match["weekday"] == "?"):
        return f"{expression!r} must have '?' as exactly one of its day fields"
    return None


def _fill_faults(properties: Json) -> Iterator[str]:
    if "DefinitionS3Location" in properties:
        return  # the definition is not here
    text = properties.get("DefinitionString") or json.dumps(properties["Definition"])
    wanted, given = set(_SUBSTITUTION.findall(text)), set(properties.get("DefinitionSubstitutions", {}))
    for name in sorted(wanted - given):
        yield f"nothing fills in ${{{name}}}"
    for name in sorted(given - wanted):
        yield f"the definition has no ${{{name}}}"
