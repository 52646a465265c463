"""What DAG files cannot be loaded without, put together: for report.json, and as a file to fill in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.frontend.model import Missing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orkestra_bridge.frontend.model import Lack

MISSING_FILE = "missing.env"
_PREFIXES = {"variable": "AIRFLOW_VAR_", "connection": "AIRFLOW_CONN_", "environ": ""}
_PLACES = 3


def put_together(lacks: Iterable[Lack]) -> tuple[Missing, ...]:
    """Return each missing name once, with all places, sorted by kind and name."""
    places: dict[tuple[str, str], list[str]] = {}
    for lack in lacks:
        known = places.setdefault((lack.kind, lack.name), [])
        if lack.place not in known:
            known.append(lack.place)
    return tuple(
        Missing(kind=kind, name=name, places=tuple(where)) for (kind, name), where in sorted(places.items())
    )


def missing_text(missing: Iterable[Missing]) -> str:
    """Return a file for --env-file with a line for each value, and the modules as comments."""
    lines = [
        "# What the DAG files need to be loaded: fill in the values, and give this file with --env-file.",
        "",
    ]
    modules = []
    for each in missing:
        where = ", ".join(each.places[:_PLACES]) + (" and more" if len(each.places) > _PLACES else "")
        if each.kind == "module":
            modules.append(f"# module {each.name}: {where}")
            continue
        name = each.name if each.kind == "environ" else each.name.upper()
        lines += [f"# {where}", f"{_PREFIXES[each.kind]}{name}="]
    if modules:
        lines += ["", "# Install these, or name the folders they are in with --pythonpath:", *modules]
    return "\n".join(lines) + "\n"
