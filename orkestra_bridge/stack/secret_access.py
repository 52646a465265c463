"""What the function may read of Parameter Store and Secrets Manager: the names that the DAG is known to need.

The runtime asks Secrets Manager and then Parameter Store for each name, so both are allowed for it. A secret's ARN ends
in six characters that nobody knows before it is made (Secrets Manager User Guide): ``??????``; for a
secret that does not exist, which is an ordinary answer, it has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.logs import FORMAT_VARIABLE
from orkestra_bridge.runtime.lookup import PARAMETER_CHARACTERS, PREFIX_VARIABLE, SECRET_CHARACTERS, Kind
from orkestra_bridge.stack.iam import allow
from orkestra_bridge.stack.rules import READS_ALL, VALUES_TO_PUSH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Needs, Workflow
    from orkestra_bridge.ir.places import ClusterValue
    from orkestra_bridge.runtime.lookup import Folder

PREFIX_PARAMETER = "SecretsPrefix"
DEFAULT_PREFIX = "orkestra-bridge"
FOLDERS: dict[str, Folder] = {"secret": "kubernetes-secrets", "configmap": "kubernetes-configmaps"}
"""Where the keys of Kubernetes' objects are, below the prefix, by kind."""
MOST_NAMES = 25
"""Names of which the policy says each; a role's own policies hold 10,240 characters (IAM quotas), a name takes 300."""
MOST_KEYS = 40
"""The same for keys of Kubernetes' objects, each of which takes 160."""

Json = dict[str, Any]


def prefix_parameter() -> Json:
    """Return the template's parameter with the prefix."""
    return {
        "Type": "String",
        "Description": "What `orkestra-bridge secrets push --prefix` was given, without slashes around it",
        "Default": DEFAULT_PREFIX,
        "AllowedPattern": "[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*",
    }


def runtime_environment(needs: Needs) -> Json:
    """Return what the runtime itself has to be told: JSON lines for the log, and where look-ups go, if there are any."""
    prefix: Json = {PREFIX_VARIABLE: {"Ref": PREFIX_PARAMETER}} if looks_up(needs) else {}
    return {FORMAT_VARIABLE: "json", **prefix}


def cluster_parameter(value: ClusterValue) -> Json:
    """Return the ARN of the parameter that keeps a key of a Secret or a ConfigMap of Kubernetes."""
    return _parameter(f"{FOLDERS[value.kind]}/{value.name}/{value.key}")


def read_cluster_values(values: Iterable[ClusterValue]) -> list[Json]:
    """Return the statement for the role by which ECS starts images that have such values, none if they have not.

    Of many keys of one object, all of that object may be read: a role's policies have no room for more.
    """
    keys: dict[tuple[str, str], set[str | None]] = {}
    for each in values:
        keys.setdefault((each.kind, each.name), set()).add(each.key)
    exact = sum(map(len, keys.values())) <= MOST_KEYS
    names = [
        f"{FOLDERS[kind]}/{name}/{key}"
        for (kind, name), found in sorted(keys.items())
        for key in (sorted(map(str, found)) if exact else ["*"])
    ]
    if not names:
        return []
    return [allow("ReadClusterValues", ("ssm:GetParameters",), *map(_parameter, names))]


def looks_up(needs: Needs) -> bool:
    """Return True if the DAG reads Variables or connections."""
    return bool(needs.variables or needs.connections or needs.unknown)


def read_values(needs: Needs) -> list[Json]:
    """Return the statements for the function's role, none if nothing is looked up."""
    if not looks_up(needs):
        return []
    paths = list(_paths(needs))
    secrets = [_secret(f"{path}{end}") for path, ends in paths for end in ends]
    parameters = [_parameter(path if ends != ("*",) else f"{path}*") for path, ends in paths]
    return [
        allow("ReadSecrets", ("secretsmanager:GetSecretValue",), *secrets),
        allow("ReadParameters", ("ssm:GetParameter",), *parameters),
    ]


def access_findings(workflow: Workflow) -> tuple[Finding, ...]:
    """Return what has to be pushed before the DAG runs, and why the function may read more than it needs."""
    needs = workflow.needs
    found = []
    if needs.variables or needs.connections:
        names = [*(f"Variable {each.name}" for each in needs.variables)]
        names += [f"connection {each.name}" for each in needs.connections]
        message = (
            f"it looks up {_some(names)}; the function asks Secrets Manager and Parameter Store for them"
        )
        remedy = "push them: orkestra-bridge secrets push --variables FILE --connections FILE"
        found.append(VALUES_TO_PUSH.at(workflow.span, message, remedy, dag_id=workflow.dag_id))
    for kind in ("variables", "connections"):
        found.extend(_wide(workflow, "variables" if kind == "variables" else "connections"))
    return tuple(found)


def _wide(workflow: Workflow, kind: Kind) -> Iterator[Finding]:
    unknown = [each for each in workflow.needs.unknown if each.kind == kind]
    if unknown:
        places = _some([f"{each.file}:{each.line}" for each in unknown])
        reason = f"a name that is looked up at {places} is only known at run time"
    elif len(_names(workflow.needs, kind)) > MOST_NAMES:
        reason = f"a policy has no room for {len(_names(workflow.needs, kind))} names"
    else:
        return
    message = f"the function may read all {kind} below the prefix: {reason}"
    remedy = "look them up under literal names, or deploy with a prefix that holds nothing else"
    yield READS_ALL.at(workflow.span, message, remedy, dag_id=workflow.dag_id)


def _some(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 5 else f"{', '.join(names[:5])} and {len(names) - 5} more"


def _names(needs: Needs, kind: Kind) -> list[str]:
    return [need.name for need in (needs.variables if kind == "variables" else needs.connections)]


def _paths(needs: Needs) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield paths below the prefix with the ends that the names of secrets have there."""
    kinds: tuple[Kind, ...] = ("connections", "variables")
    for kind in kinds:
        names = _names(needs, kind)
        if any(each.kind == kind for each in needs.unknown) or len(names) > MOST_NAMES:
            yield f"{kind}/", ("*",)
        else:
            yield from ((f"{kind}/{name}", ("", "-??????")) for name in _possible(names))


def _possible(names: Iterable[str]) -> Iterator[str]:
    """Yield the names that there can be on AWS; the runtime does not ask for others."""
    for name in names:
        if SECRET_CHARACTERS.fullmatch(name) or PARAMETER_CHARACTERS.fullmatch(f"/{name}"):
            yield name


def _secret(path: str) -> Json:
    return _arn(f"secretsmanager:${{AWS::Region}}:${{AWS::AccountId}}:secret:${{{PREFIX_PARAMETER}}}/{path}")


def _parameter(path: str) -> Json:
    return _arn(f"ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter/${{{PREFIX_PARAMETER}}}/{path}")


def _arn(rest: str) -> Json:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{rest}"}
