"""Runs planned DAGs on Airflow and through `convert` and `run`, and says where the outcomes differ."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from airflow_model import TooManyOrdersError, fingerprint, possible_outcomes
from dag_minimiser import minimise
from dag_writer import write_file

from orkestra_bridge.local.interpreter import VirtualClock
from orkestra_bridge.local.run import RunRequest, run_dag
from orkestra_bridge.options import AirflowSource, ConvertOptions
from orkestra_bridge.pipeline import convert

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence

    from airflow_process import Airflow
    from dag_plan import DagPlan
    from dag_writer import Imports

    from orkestra_bridge.local.interpreter import Json
    from orkestra_bridge.pipeline import Conversion

    Outcome = Mapping[str, Any]

LOGICAL_DATE = "2024-03-01T00:00:00+00:00"
DAGS_PER_FILE = 10


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A DAG whose outcome is none of those that it may have.

    Attributes:
        culprit: ``machine``, or ``model`` if it is Airflow's own outcome that the model does not know.
    """

    plan: DagPlan
    culprit: str
    text: str


def write_files(plans: Sequence[DagPlan], folder: Path, major: int) -> list[Path]:
    """Write DAG files with several DAGs each, the kinds of imports in turns, and return them."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number, start in enumerate(range(0, len(plans), DAGS_PER_FILE)):
        imports: Imports = "classic" if major < 3 or number % 3 == 2 else "sdk"
        file = folder / f"generated_{number}.py"
        file.write_text(write_file(plans[start : start + DAGS_PER_FILE], imports), encoding="utf-8")
        files.append(file)
    return files


def translated(paths: Sequence[Path], out: Path, airflow: Airflow) -> Conversion:
    """Return what `convert` made of files or folders, parsed by the given Airflow."""
    source = AirflowSource() if airflow.major > 2 else AirflowSource(python=airflow.python)
    return convert(ConvertOptions(paths=tuple(paths), out=out, airflow=source, layers="skip", cache=None))


def machine_outcomes(
    conversion: Conversion,
    environment: Mapping[str, str] | None = None,
    *,
    only: Container[str] | None = None,
    logical_date: str = LOGICAL_DATE,
    conf: Mapping[str, Json] | None = None,
) -> Iterator[tuple[str, Outcome | None, str]]:
    """Run every DAG, and return (dag_id, outcome, "") or (dag_id, None, why it was not translated).

    ``only`` is for those with these ids.
    """
    for dag in conversion.report.dags:
        if only is not None and dag.dag_id not in only:
            continue
        if dag.dag_id not in conversion.translated:
            yield dag.dag_id, None, "; ".join(f"{finding.id} {finding.message}" for finding in dag.findings)
            continue
        request = RunRequest(
            out=conversion.out,
            dag_id=dag.dag_id,
            python=Path(sys.executable),
            logical_date=logical_date,
            conf=conf or {},
            environment=environment or {},
        )
        # a clock that jumps over retry delays
        yield dag.dag_id, run_dag(request, clock=VirtualClock()).to_json(), ""


def differences(plans: Sequence[DagPlan], folder: Path, airflow: Airflow) -> list[Difference]:
    """Return the DAGs that end differently here; an empty list is what everybody wants."""
    files = write_files(plans, folder / "dags", airflow.major)
    with airflow.runs(files) as wait_for_airflow:
        conversion = translated(files, folder / "out", airflow)
        machine = {dag_id: (outcome, why) for dag_id, outcome, why in machine_outcomes(conversion)}
        expected = wait_for_airflow()
    found = []
    for plan in plans:
        possible = possible_outcomes(plan, major=airflow.major)
        outcome, problem = machine.get(plan.dag_id, (None, "convert did not find it"))
        texts = {
            "model": difference(expected[plan.dag_id], possible),
            "machine": difference(outcome, possible),
        }
        found += [
            Difference(plan=plan, culprit=culprit, text=f"{text} {problem}")
            for culprit, text in texts.items()
            if text
        ]
    return found


def difference(outcome: Outcome | None, possible: Mapping[str, Outcome]) -> str:
    """Return how an outcome differs from the possible one that is nearest to it; nothing if it is one of them."""
    if outcome is None:
        return "not translated"
    if fingerprint(outcome) in possible:
        return ""
    best = min((_unlike(outcome, other) for other in possible.values()), key=len)
    return f"none of {len(possible)} possible outcomes; the nearest differs in\n  " + "\n  ".join(best)


def _unlike(outcome: Outcome, other: Outcome) -> list[str]:
    found = []
    if outcome["run_state"] != other["run_state"]:
        found.append(f"run state: {outcome['run_state']}, should be {other['run_state']}")
    for part in ("tasks", "xcom"):
        for key in sorted({*outcome[part], *other[part]}):
            here, there = outcome[part].get(key), other[part].get(key)
            if here != there:
                found.append(f"{part} of {key}: {here}, should be {there}")
    return found


def minimised(found: Difference, folder: Path, airflow: Airflow) -> Path:
    """Return a DAG file with the smallest DAG that still differs in the same way."""
    first_of = _still_wrong_here if found.culprit == "machine" else _still_wrong_model
    smallest = minimise(found.plan, first_of(folder, airflow))
    file = folder / f"{found.plan.dag_id}_minimised.py"
    file.write_text(write_file([smallest]), encoding="utf-8")
    return file


def _explorable(plans: Sequence[DagPlan], major: int) -> dict[str, Mapping[str, Outcome]]:
    translatable = [plan for plan in plans if not plan.fail_fast or plan.in_a_row]
    found = {plan.dag_id: _possible(plan, major) for plan in translatable}
    return {dag_id: outcomes for dag_id, outcomes in found.items() if outcomes}


def _possible(plan: DagPlan, major: int) -> Mapping[str, Outcome]:
    """Return all possible outcomes, or none if there are too many orders to say."""
    try:
        return possible_outcomes(plan, major=major)
    except TooManyOrdersError:
        return {}


def _still_wrong_here(folder: Path, airflow: Airflow) -> Callable[[Sequence[DagPlan]], DagPlan | None]:
    """Return a search with the model as the judge: it needs no run of Airflow."""

    def search(plans: Sequence[DagPlan]) -> DagPlan | None:
        possible = _explorable(plans, airflow.major)
        by_id = {plan.dag_id: plan for plan in plans if plan.dag_id in possible}
        files = write_files(list(by_id.values()), folder / "smaller", airflow.major)
        for dag_id, outcome, _ in machine_outcomes(translated(files, folder / "smaller_out", airflow)):
            if difference(outcome, possible[dag_id]):
                return by_id[dag_id]
        return None

    return search


def _still_wrong_model(folder: Path, airflow: Airflow) -> Callable[[Sequence[DagPlan]], DagPlan | None]:
    def search(plans: Sequence[DagPlan]) -> DagPlan | None:
        possible = _explorable(plans, airflow.major)
        known = [plan for plan in plans if plan.dag_id in possible]
        with airflow.runs(write_files(known, folder / "smaller", airflow.major)) as wait_for_airflow:
            expected = wait_for_airflow()
        return next(
            (plan for plan in known if difference(expected[plan.dag_id], possible[plan.dag_id])), None
        )

    return search
