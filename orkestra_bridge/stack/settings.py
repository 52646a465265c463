"""Variables and connections that a DAG file looks up when it loads -> parameters for the function's environment.

Airflow itself looks for AIRFLOW_VAR_<NAME> and AIRFLOW_CONN_<ID> first (`airflow.secrets.environment_variables`), and so
does the facade. Values are never in the template: they are given when the stack is made, and CloudFormation does not
show them.
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

    what: str
    variable: str
    parameter: str

    @property
    def condition(self) -> str:
        """The template's condition that is true if a value is given."""
        return f"Has{self.parameter}"


def settings_of(workflow: Workflow) -> tuple[Setting, ...]:
    """Return the settings that can be environment variables on Lambda, variables before connections."""
    return tuple(setting for setting in _all(workflow) if _ENVIRONMENT_NAME.fullmatch(setting.variable))


def _all(workflow: Workflow) -> tuple[Setting, ...]:
    found = (
        *(_setting("Variable", "AIRFLOW_VAR_", name) for name in sorted(set(workflow.variables))),
        *(_setting("Connection", "AIRFLOW_CONN_", name) for name in sorted(set(workflow.connections))),
    )
    # names that differ in case only share an environment variable
    return tuple({setting.variable: setting for setting in found}.values())


def _setting(kind: str, prefix: str, name: str) -> Setting:
    words = re.findall(r"[A-Za-z0-9]+", name)
    parameter = kind + "".join(word[:1].upper() + word[1:] for word in words)
    if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name) or len(parameter) > 100:
        # another name could give the same words: tell the two apart
        parameter = f"{parameter[:100]}{hashlib.sha256(name.encode()).hexdigest()[:6].upper()}"
    return Setting(f"{kind} {name}", f"{prefix}{name.upper()}", parameter)


def setting_parameters(settings: tuple[Setting, ...]) -> Json:
    """Return a parameter for each setting, by name; an empty one leaves the setting out."""
    return {
        setting.parameter: {
            "Type": "String",
            "NoEcho": True,
            "Description": f"Value of the Airflow {setting.what}; empty if the DAG can do without",
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
    """Return what the user has to do about Variables and connections."""
    usable = settings_of(workflow)
    findings = []
    if usable:
        names = ", ".join(setting.what for setting in usable)
        message = f"the file looks up {names} when it is loaded; the values are not in the template"
        remedy = f"set when you deploy: {', '.join(setting.parameter for setting in usable)}"
        findings.append(SETTINGS.at(workflow.span, message, remedy, dag_id=workflow.dag_id))
    for setting in _all(workflow):
        if setting not in usable:
            message = f"{setting.what}: {setting.variable} cannot be an environment variable on Lambda"
            remedy = "name it with letters, digits and underscores only"
            findings.append(SETTING_NAME.at(workflow.span, message, remedy, dag_id=workflow.dag_id))
    return tuple(findings)
