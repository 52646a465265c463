"""Where the definitions of state machines are: in the template, or in files of their own if they are too large for it.

Sources: CloudFormation, "Understand CloudFormation quotas" (1 MB for a template in S3) and the resource type
AWS::StepFunctions::StateMachine, whose DefinitionSubstitutions apply to a DefinitionS3Location as well.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

ASSETS = "definitions"
"""Folder of the files, as they have to be uploaded."""
KEY = "DefinitionKey"
"""Ending of the template's parameters that have the S3 keys of definitions."""
INLINE_LIMIT = 900_000
"""Bytes that a template may have with all definitions in it; some room is left for tags and metadata of the user's."""
_SMALL = 5_000
"""Bytes of a definition that stays in the template all the same."""
_KEY_PREFIX = "orkestra-bridge/"

Json = dict[str, Any]


def asset_bytes(definition: Json) -> bytes:
    """Return a definition as it is uploaded: without spaces, for they count."""
    return orjson.dumps(definition)


def move_out(template: Json, definitions: Mapping[str, Json]) -> dict[str, Json]:
    """Change a template that is too large, so that large definitions are in S3; return these by logical id.

    ``definitions`` has the definition of each state machine by its logical id.
    """
    if len(orjson.dumps(template)) <= INLINE_LIMIT:
        return {}
    moved = {name: each for name, each in definitions.items() if len(asset_bytes(each)) > _SMALL}
    for name, definition in moved.items():
        properties = template["Resources"][name]["Properties"]
        for inline in ("Definition", "DefinitionString"):
            properties.pop(inline, None)
        properties["DefinitionS3Location"] = {
            "Bucket": {"Ref": "AssetBucket"},
            "Key": {"Ref": f"{name}{KEY}"},
        }
        digest = hashlib.sha256(asset_bytes(definition)).hexdigest()
        template["Parameters"][f"{name}{KEY}"] = {
            "Type": "String",
            "Description": f"S3 key of {ASSETS}/{name}.json",
            "Default": f"{_KEY_PREFIX}{digest}.json",
        }
    return moved
