"""XComs that are too large for the ledger: what is put away, what stays, and that nobody who reads them can tell."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from invocations import HEAD, event, one_task

from orkestra_bridge.runtime import storage
from orkestra_bridge.runtime.errors import XComStorageError, XComTooLargeError
from orkestra_bridge.runtime.failure import PUSHED_BEFORE_FAILURE
from orkestra_bridge.runtime.large import LargeXComs, Place, is_reference
from orkestra_bridge.runtime.serde import encode
from orkestra_bridge.runtime.xcoms import MISSING, XComs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orkestra_bridge.runtime.handler import Package

REFERENCE = {"__xcom__": "stored", "value": "e"}
TEXT = "x" * 20_000


class Memory:
    """A store that counts."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.reads: list[str] = []

    def write(self, key: str, data: bytes) -> None:
        self.objects[key] = data

    def read(self, key: str) -> bytes:
        self.reads.append(key)
        if key not in self.objects:
            raise XComStorageError(f"{key} is not there")
        return self.objects[key]


@pytest.fixture
def memory() -> Memory:
    return Memory()


def put_away(
    memory: Memory | None, limit: int = 100, map_index: int = -1, values: Any = None, **pushed: Any
) -> dict[str, Any]:
    encoded = {key: encode(value) for key, value in {**pushed, **(values or {})}.items()}
    LargeXComs(memory, "e", limit).put_away(encoded, "t", map_index)
    return encoded


def test_what_fits_stays(memory: Memory) -> None:
    assert put_away(memory, a=1, b=[1, 2]) == {"a": 1, "b": [1, 2]}
    assert not memory.objects


def test_the_largest_go_until_the_others_fit(memory: Memory) -> None:
    found = put_away(memory, 1000, a="a" * 600, b="b" * 700, c="c" * 300)
    assert found == {"a": "a" * 600, "b": REFERENCE, "c": "c" * 300}
    assert memory.objects == {"e/t/b.json": json.dumps("b" * 700).encode()}


def test_many_small_values_stay_for_references_are_no_smaller(memory: Memory) -> None:
    pushed = {f"k{i}": "y" * 100 for i in range(50)}
    assert put_away(memory, values=pushed) == pushed


@pytest.mark.parametrize(
    ("value", "length"),
    [
        (["item"] * 50, 50),
        (("item",) * 50, 50),
        ({f"k{i}": i for i in range(50)}, 50),
        ({f"{i}" * 3 for i in range(50)}, 50),
        ("text" * 50, None),
    ],
)
def test_a_reference_knows_how_long_the_value_is(memory: Memory, value: Any, length: int | None) -> None:
    (reference,) = put_away(memory, v=value).values()
    assert reference == {**REFERENCE, **({} if length is None else {"length": length})}
    shelf = LargeXComs(memory, "other")
    assert shelf.length(reference, Place("t", -1, "v")) == len(value)
    assert len(memory.reads) == (length is None)
    assert shelf.value(reference, Place("t", -1, "v")) == value
    assert is_reference(reference)
    assert not is_reference(encode({"__xcom__": "stored", "value": "e"}))


def test_an_instance_has_a_place_of_its_own_and_a_short_reference(memory: Memory) -> None:
    assert put_away(memory, map_index=7, values={"a key/": ["z"] * 100}) == {"a key/": {"__xcom__": "stored"}}
    assert list(memory.objects) == ["e/t/7/a%20key%2F.json"]


def test_the_list_of_what_a_branch_skips_stays_for_the_tasks_below_read_it(memory: Memory) -> None:
    followed = {"followed": [f"task_{i}" for i in range(100)]}
    assert put_away(memory, skipmixin_key=followed, other=TEXT) == {
        "skipmixin_key": followed,
        "other": REFERENCE,
    }


def test_without_a_store_only_what_no_machine_passes_on_fails() -> None:
    assert put_away(None, v="v" * 250_000)["v"] == "v" * 250_000
    with pytest.raises(XComTooLargeError, match=r"task 't' have 300,\d+ bytes.*ORKESTRA_XCOM_STORE"):
        put_away(None, v="v" * 300_000)


def test_each_value_is_read_once_and_made_anew_for_everybody(memory: Memory) -> None:
    put_away(memory, v=[[1]] * 100)
    shelf, place = LargeXComs(memory, "e"), Place("t", -1, "v")
    first = shelf.value(REFERENCE, place)
    first[0].append(2)
    assert shelf.value(REFERENCE, place) == [[1]] * 100
    assert memory.reads == ["e/t/v.json"]


def test_what_is_gone_is_named(memory: Memory) -> None:
    with pytest.raises(
        XComStorageError, match=r"XCom 'v' of task 't' is stored and cannot be had: e/t/v\.json"
    ):
        LargeXComs(memory, "e").value(REFERENCE, Place("t", -1, "v"))
    with pytest.raises(XComStorageError, match="ORKESTRA_XCOM_STORE is not set"):
        LargeXComs(None, "e").value(REFERENCE, Place("t", -1, "v"))


def mapped_ledger(memory: Memory, count: int) -> dict[str, Any]:
    shelf, instances = LargeXComs(memory, "e", 100), []
    for index in range(count):
        pushed = {"return_value": [index] * 100}
        shelf.put_away(pushed, "m", index)
        instances.append({"state": "success", "map_index": index, "xcom": pushed})
    memory.reads.clear()
    return {"m": {"instances": instances}}


@pytest.mark.parametrize("major", [2, 3])
def test_an_item_of_a_mapped_task_reads_that_one_alone(memory: Memory, major: int) -> None:
    found = XComs(mapped_ledger(memory, 50), major=major, large=LargeXComs(memory, "e"))
    values = found.referred("m", "return_value", mapped=True, missing=MISSING)
    assert len(values) == 50
    assert values[30] == [30] * 100
    assert memory.reads == ["e/m/30/return_value.json"]
    assert [value[0] for value in values] == list(range(50))
    assert len(memory.reads) == 50
    assert found.map_length("m", mapped=True) == 50


@pytest.mark.parametrize("major", [2, 3])
def test_pulls_of_stored_values(memory: Memory, major: int) -> None:
    found = XComs(mapped_ledger(memory, 3), major=major, large=LargeXComs(memory, "e"))
    assert list(found.pull("m", "return_value")) == [[0] * 100, [1] * 100, [2] * 100]
    assert found.pull("m", "return_value", map_indexes=2) == [2] * 100
    assert list(found.pull("m", "return_value", map_indexes=[1, 0])) == [[1] * 100, [0] * 100]
    assert next(iter(found.pull(["m"], "return_value"))) == [0] * 100


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(storage.VARIABLE, str(tmp_path / "xcom"))
    return tmp_path / "xcom"


TWO_TASKS = f"""
{HEAD}
from airflow.decorators import task
with DAG('d', **ARGS):
    @task(multiple_outputs=True)
    def make(ti=None):
        ti.xcom_push("extra", ("y" * 9000,))
        return {{"text": "x" * 20_000, "number": 7}}

    @task
    def use(text, number, ti=None):
        (extra,) = ti.xcom_pull(task_ids="make", key="extra")
        return [len(text), number, len(extra), len(ti.xcom_pull(task_ids="make")["text"])]

    made = make()
    use(made["text"], made["number"])
"""


def test_a_task_cannot_tell_that_its_arguments_were_stored(
    unpack: Callable[..., Package], folder: Path
) -> None:
    package = unpack(TWO_TASKS)
    entry = package.run(event("make"))
    assert entry["xcom"] == {
        "extra": REFERENCE | {"length": 1},
        "text": REFERENCE,
        "number": 7,
        "return_value": REFERENCE | {"length": 2},
    }
    assert json.loads((folder / "e" / "make" / "text.json").read_text()) == "x" * 20_000
    assert package.run(event("use", ledger={"make": entry}))["xcom"] == {
        "return_value": [20_000, 7, 9000, 20_000]
    }


def test_a_resumed_run_reads_what_the_earlier_one_stored(
    unpack: Callable[..., Package], folder: Path
) -> None:
    package = unpack(TWO_TASKS)
    kept = package.run(event("make", run={"ledger": {"make": package.run(event("make"))}}))
    later = event("use", ledger={"make": kept})
    later["execution"]["name"] = "another"
    assert package.run(later)["xcom"]["return_value"][0] == 20_000


def test_a_smaller_limit_of_the_manifest_counts(unpack: Callable[..., Package], folder: Path) -> None:
    package = unpack(one_task("return 'x' * 500"))
    assert package.run(event("t"))["xcom"] == {"return_value": "x" * 500}
    package.manifest["workflow"]["inline_limit"] = 200
    assert package.run(event("t"))["xcom"] == {"return_value": REFERENCE}


EXPANDED = f"""
{HEAD}
from airflow.decorators import task, task_group
with DAG('d', **ARGS) as dag:
    @task
    def numbers():
        return [{{"n": i, "text": "x" * 100}} for i in range(2000)]

    @task
    def one(item):
        return item["n"]

    one.expand(item=numbers())
"""


def test_a_mapped_task_is_expanded_over_a_stored_list(
    unpack: Callable[..., Package], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "2000")
    package = unpack(EXPANDED)
    ledger = {"numbers": package.run(event("numbers"))}
    assert ledger["numbers"]["xcom"] == {"return_value": REFERENCE | {"length": 2000}}
    stored = folder / "e" / "numbers" / "return_value.json"
    content = stored.read_bytes()
    stored.unlink()
    assert package.run(event("one", ledger=ledger, expand={"limit": 2000})) == {"length": 2000}
    stored.write_bytes(content)
    ledger["one"] = {"length": 2000}
    assert package.run(event("one", ledger=ledger, map_index=1999))["xcom"] == {"return_value": 1999}


def test_pushes_before_a_failure_are_stored_too(unpack: Callable[..., Package], folder: Path) -> None:
    package = unpack(one_task("ti.xcom_push('big', 'x' * 10**6)\nti.xcom_push('k', 1)\nraise KeyError('x')"))
    with pytest.raises(Exception, match="'x'") as caught:
        package.run(event("t"))
    _, _, pushed = str(caught.value).partition(PUSHED_BEFORE_FAILURE)
    assert json.loads(base64.b64decode(pushed.rstrip("]"))) == {"big": REFERENCE, "k": 1}
    assert (folder / "e" / "t" / "big.json").stat().st_size > 10**6


def test_a_store_that_refuses_fails_the_task_and_its_callback_knows(
    unpack: Callable[..., Package], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write_text("in the way")
    tell = "@task(on_failure_callback=lambda context: print('told', type(context['exception']).__name__))"
    with pytest.raises(Exception, match=r"^XCom 'return_value' of task 't': .*cannot be written") as caught:
        unpack(one_task("return 'x' * 10**5", tell)).run(event("t"))
    assert type(caught.value).__name__ == "XComStorageError"
    assert "told XComStorageError" in capsys.readouterr().out


def test_what_success_callbacks_push_and_pull_is_stored_as_well(
    unpack: Callable[..., Package], folder: Path
) -> None:
    source = f"""
{HEAD}
def push(context):
    ti = context["ti"]
    ti.xcom_push("from_callback", ti.xcom_pull(task_ids="t") * 2)
with DAG('d', **ARGS):
    @task(on_success_callback=push)
    def t():
        return "x" * 10_000
    t()
"""
    entry = unpack(source).run(event("t"))
    assert entry["xcom"] == {"return_value": REFERENCE, "from_callback": REFERENCE}
    assert len(json.loads((folder / "e" / "t" / "from_callback.json").read_text())) == 20_000
