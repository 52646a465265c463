"""Files of Secrets and ConfigMaps, as ``kubectl get secret,configmap NAME -o json`` (or ``-o yaml``) prints them.

Source: Kubernetes' API reference, "Secret" (``data`` is in Base64, ``stringData`` is not) and "ConfigMap".
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

from orkestra_bridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Folder = Literal["kubernetes-secrets", "kubernetes-configmaps"]
_FOLDERS: dict[str, Folder] = {"Secret": "kubernetes-secrets", "ConfigMap": "kubernetes-configmaps"}
_REMEDY = "write the file with `kubectl get secret NAME -o json`"


@final
@dataclass(frozen=True, slots=True)
class ClusterEntry:
    """One key of a Secret or a ConfigMap.

    Attributes:
        name: ``NAME/KEY``.
        value: Its text; None for what no environment variable holds: nothing, or bytes that are no text.
        namespace: Empty where the file does not say it.
    """

    folder: Folder
    name: str
    value: str | None
    namespace: str
    file: Path


def read_kubernetes(paths: Iterable[Path]) -> tuple[ClusterEntry, ...]:
    """Return the keys of all Secrets and ConfigMaps in the files, sorted by name.

    Raises UsageError for a file that has something else, and for two objects of the same name that differ: what is kept
    on AWS has no namespaces.
    """
    found: dict[tuple[str, str], ClusterEntry] = {}
    for entry in (each for path in paths for each in _entries(path)):
        known = found.setdefault((entry.folder, entry.name), entry)
        if known.value != entry.value:
            places = " and ".join(f"{each.namespace or each.file}" for each in (known, entry))
            raise UsageError(
                f"{entry.name} is another one in {places}",
                remedy="push one of them under another --prefix, for the stacks that need it",
            )
    return tuple(found[key] for key in sorted(found))


def _entries(path: Path) -> Iterator[ClusterEntry]:
    for each in _objects(path):
        kind, about = each.get("kind"), each.get("metadata") or {}
        if kind not in _FOLDERS or not isinstance(about, dict) or not about.get("name"):
            raise UsageError(f"{path} has something that is no Secret and no ConfigMap", remedy=_REMEDY)
        for key, value in _values(each, f"{path}: {about['name']}").items():
            yield ClusterEntry(
                folder=_FOLDERS[kind],
                name=f"{about['name']}/{key}",
                value=value or None,
                namespace=str(about.get("namespace") or ""),
                file=path,
            )


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file: one, several documents, or the items of a list."""
    import yaml

    try:
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))  # JSON is YAML, too
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or type(problem).__name__
        raise UsageError(f"{path} cannot be read as text: {reason}", remedy="name another file") from None
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        raise UsageError(f"{place} is neither JSON nor YAML", remedy=_REMEDY) from None
    for document in filter(None, documents):
        items = document.get("items") if isinstance(document, dict) and "items" in document else [document]
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise UsageError(f"{path} has something that is no object", remedy=_REMEDY)
        yield from items


def _values(item: dict[str, Any], place: str) -> dict[str, str | None]:
    """Return the texts of an object by key, None for bytes that are none."""
    secret = item["kind"] == "Secret"
    data, texts = item.get("data") or {}, item.get("stringData") or {}
    if not isinstance(data, dict) or not isinstance(texts, dict):
        raise UsageError(f"{place} has no keys and values as its data", remedy=_REMEDY)
    found: dict[str, str | None] = {
        key: _decoded(value, f"{place}, key {key}") if secret else str(value) for key, value in data.items()
    }
    return {**found, **dict.fromkeys(item.get("binaryData") or {}), **{key: str(texts[key]) for key in texts}}


def _decoded(value: object, place: str) -> str | None:
    try:
        raw = base64.b64decode(str(value), validate=True)
    except binascii.Error:
        raise UsageError(f"{place} is not in Base64", remedy=_REMEDY) from None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
