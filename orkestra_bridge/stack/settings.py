"""Environment variables that a DAG reads -> parameters of the template, for the function's environment.

Values are never in the template: they are given when the stack is made, and CloudFormation does not show them. Variables
and connections are no parameters: the function looks them up by name (`secret_access.py`), so that changing one needs no
deployment, and none is readable in the function's configuration.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge.stack.rules import SETTING_NAME, SETTINGS

if TYPE_CHECKING:
    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Workflow

Json = dict[str, Any]

_ENVIRONMENT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]+", re.ASCII)
"""What Lambda allows (API reference: Environment)."""


@final
@dataclass(frozen=True, slots=True)
class Setting:
    """One value that the function needs: the environment variable and the template's parameter for it."""

    variable: str
    parameter: str

    @property
    def condition(self) -> str:
        """The template's condition that is true if a value is given."""
        return f"Has{self.parameter}"


def settings_of(workflow: Workflow) -> tuple[Setting, ...]:
    """Return the settings that can be environment variables on Lambda, sorted by name."""
    names = sorted({need.name for need in workflow.needs.environment})
    return tuple(_setting(name) for name in names if _ENVIRONMENT_NAME.fullmatch(name))


def _setting(name: str) -> Setting:
    words = re.findall(r"[A-Za-z0-9]+", name)
    parameter = "Environment" + "".join(word[:1].upper() + word[1:].lower() for word in words)
    if not re.fullmatch(r"[A-Z0-9]+(_[A-Z0-9]+)*", name) or len(parameter) > 100:
        # another name could give the same words: tell the two apart
        parameter = f"{parameter[:100]}{hashlib.sha256(name.encode()).hexdigest()[:6].upper()}"
    return Setting(name, parameter)


def setting_parameters(settings: tuple[Setting, ...]) -> Json:
    """Return a parameter for each setting, by name; an empty one leaves the setting out."""
    return {
        setting.parameter: {
            "Type": "String",
            "NoEcho": True,
            "Description": f"The tasks' environment variable {setting.variable}; empty if they can do without",
            "Default": "",
        }
        for setting in settings
    }


def environment(settings: tuple[Setting, ...]) -> Json:
    """Return the function's environment variables."""
    return {
        setting.variable: {"Fn::If": [setting.condition, {"Ref": setting.parameter}, {"Ref": "AWS::NoValue"}]}
        for setting in settings
    }


def setting_findings(workflow: Workflow) -> tuple[Finding, ...]:
    """Return what the user has to do about environment variables."""
    usable = settings_of(workflow)
    findings = []
    if usable:
        names = ", ".join(setting.variable for setting in usable)
        message = f"the code reads the environment variables {names}; the values are not in the template"
        remedy = f"set when you deploy: {', '.join(setting.parameter for setting in usable)}"
        findings.append(SETTINGS.at(workflow.span, message, remedy, dag_id=workflow.dag_id))
    for need in workflow.needs.environment:
        if not _ENVIRONMENT_NAME.fullmatch(need.name):
            message = f"{need.name} cannot be an environment variable on Lambda"
            remedy = "name it with letters, digits and underscores only, beginning with a letter"
            findings.append(SETTING_NAME.at(workflow.span, message, remedy, dag_id=workflow.dag_id))
    return tuple(findings)
