"""The findings as SARIF 2.1.0, which code hosts show beside the lines that they are about (OASIS, SARIF 2.1.0)."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from orkestra_bridge import __version__
from orkestra_bridge.diagnostics import Severity
from orkestra_bridge.report import TOOL
from orkestra_bridge.rulebook import all_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orkestra_bridge.diagnostics import Finding, Rule

Json = dict[str, Any]

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def sarif(findings: Sequence[Finding]) -> Json:
    """Return the log: one run, with the rules that were found and a result for each finding."""
    rules = [all_rules()[rule_id] for rule_id in sorted({finding.id for finding in findings})]
    index = {rule.id: number for number, rule in enumerate(rules)}
    driver = {"name": TOOL, "semanticVersion": __version__, "rules": [_rule(rule) for rule in rules]}
    results = [_result(finding, index[finding.id]) for finding in findings]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _rule(rule: Rule) -> Json:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"verdict": rule.verdict.value},
    }


def _result(finding: Finding, index: int) -> Json:
    subject = ".".join(part for part in (finding.dag_id, finding.task_id) if part)
    result: Json = {
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {
            "text": f"{subject + ': ' if subject else ''}{finding.message}. Remedy: {finding.remedy}"
        },
        "locations": [_location(finding.file, finding.line)],
        "partialFingerprints": {"finding/v1": f"{finding.id}/{subject}/{finding.attribute or ''}"},
        "properties": {"verdict": finding.verdict.value},
    }
    if finding.dag_place:
        file, _, line = finding.dag_place.rpartition(":")
        where = {**_location(file, int(line)), "id": 1, "message": {"text": f"the DAG {finding.dag_id}"}}
        result["relatedLocations"] = [where]
    if finding.allowed:
        result["suppressions"] = [{"kind": "external", "justification": "allowed by option or configuration"}]
    return result


def _location(file: str, line: int) -> Json:
    physical: Json = {"artifactLocation": {"uri": quote(PurePath(file).as_posix())}}
    if line > 0:
        physical["region"] = {"startLine": line}
    return {"physicalLocation": physical}
