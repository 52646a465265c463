"""`orkestra-bridge assess`, as a user calls it, and its page in a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from commands import Done, bridge

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = """\
from datetime import datetime
from airflow.sdk import dag, task


@dag(schedule="0 6 * * *", start_date=datetime(2024, 1, 1), catchup=False)
def {name}():
    @task({arguments})
    def first(): ...

    @task
    def second(x): ...

    second(first())


{name}()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assess")
    (folder / "dags").mkdir()
    for name, arguments in (("good", ""), ("pooled", 'pool="small"'), ("past", "depends_on_past=True")):
        (folder / "dags" / f"{name}.py").write_text(SOURCE.format(name=name, arguments=arguments))
    (folder / "orkestra.toml").write_text('paths = ["dags"]\ncache-dir = "cache"\n')
    return folder


def assess(home: Path, *options: str) -> Done:
    return bridge("assess", *options, cwd=home)


def test_text_and_exit_code(home: Path) -> None:
    done = assess(home)
    assert done.code == 1, done.err
    assert "\x1b" not in done.out
    assert "3 DAGs: 1 ready, 1 differ in something, 1 blocked" in " ".join(done.out.split())
    assert max(map(len, done.out.splitlines())) <= 80
    assert assess(home, "--allow", "OB206").code == 0


def test_json(home: Path) -> None:
    document = assess(home, "--format", "json").json()
    verdicts = {dag["dag_id"]: (dag["verdict"], dag["runs"]) for dag in document["dags"]}
    assert verdicts == {
        "good": ("ready", {"lambda": 2}),
        "pooled": ("differs", {"lambda": 2}),
        "past": ("blocked", {"lambda": 2}),
    }
    past = next(dag for dag in document["dags"] if dag["dag_id"] == "past")
    assert (past["states"], past["attributes"]["refused"]) == (0, 1)
    assert len(past["upcoming"]) == 3
    (finding,) = [each for each in past["findings"] if each["severity"] == "error"]
    assert (finding["file"], finding["line"], finding["dag_place"]) == ("dags/past.py", 13, "dags/past.py:16")


def test_nothing_is_written_but_what_was_asked_for(home: Path) -> None:
    done = assess(home, "--format", "sarif", "-o", "findings.sarif")
    assert done.out == ""
    assert "findings.sarif" in done.err
    assert {path.name for path in home.iterdir()} <= {
        "dags",
        "orkestra.toml",
        "cache",
        "findings.sarif",
        "page.html",
    }
    assert assess(home, "-o", "no/such/folder/x").code == 3


PROBE = """
<script>
  var bar = document.querySelector(".filters"), seen = {};
  function shown() {
    return [].filter.call(document.querySelectorAll("details.dag"), function (each) { return !each.hidden; })
      .map(function (each) { return each.id; });
  }
  function set(selector, name, value) {
    bar.querySelector(selector)[name] = value;
    bar.dispatchEvent(new Event("input"));
  }
  set("input[type=search]", "value", "OB201"); seen.search = shown();
  set("input[type=search]", "value", "nothing like it"); seen.nothing = shown();
  set("input[type=search]", "value", ""); seen.all = shown();
  set("input[value=blocked]", "checked", false); seen.unblocked = shown();
  set("input[value=blocked]", "checked", true);
  seen.notes = document.querySelectorAll("tr.info:not([hidden])").length;
  set("input[name=notes]", "checked", true);
  seen.all_notes = document.querySelectorAll("tr.info:not([hidden])").length;
  document.querySelectorAll("details.dag").forEach(function (each) { each.open = true; });
  seen.width = window.innerWidth;
  seen.wider = [].filter.call(document.querySelectorAll("body *"), function (each) {
    return !each.closest(".picture") && each.getBoundingClientRect().right > window.innerWidth;
  }).map(function (each) { return each.outerHTML.slice(0, 80); });
  parent.postMessage(JSON.stringify(seen).replace(/</g, "&lt;"), "*");
</script>
"""
FRAME = """
<body><script>addEventListener("message", function (event) {{
  document.body.innerHTML = "<pre>" + event.data + "</pre>";
}});</script><iframe src="probe.html" style="width: {width}px; height: 900px; border: 0"></iframe></body>
"""
"""Chromium has a narrowest window of 500 pixels, a frame has none."""


LONG = "pooled_sales_of_all_regions_by_product_and_customer_segment"
"""A name as long as real ones."""


@pytest.fixture
def browser(tmp_path: Path) -> Callable[..., str]:
    """What Chromium prints about a page."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("there is no Chromium")
    common = [found, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile"]

    def look(page: Path, *options: str) -> str:
        done = subprocess.run(
            [*common, *options, page.as_uri()], capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout

    return look


@pytest.mark.parametrize("width", [1280, 400])
def test_filters_work_and_nothing_is_wider_than_the_window(
    home: Path, browser: Callable[..., str], width: int
) -> None:
    assert assess(home, "--format", "html", "-o", "page.html").code == 1
    probe = home / "cache" / "probe.html"
    page = (home / "page.html").read_text().replace("pooled", LONG)
    probe.write_text(page.replace("</body>", f"{PROBE}</body>"))
    frame = home / "cache" / "frame.html"
    frame.write_text(FRAME.format(width=width))
    dom = browser(frame, "--dump-dom", "--window-size=1400,1000", "--virtual-time-budget=5000")
    seen = json.loads(unescape(dom.partition("<pre>")[2].partition("</pre>")[0]))
    assert seen["search"] == [f"dag-{LONG}"]
    assert seen["nothing"] == []
    assert sorted(seen["all"]) == ["dag-good", "dag-past", f"dag-{LONG}"]
    assert sorted(seen["unblocked"]) == ["dag-good", f"dag-{LONG}"]
    assert seen["notes"] == 0
    assert seen["all_notes"] > 0
    assert seen["width"] == width
    assert seen["wider"] == []


def test_the_page_in_a_browser(home: Path, browser: Callable[..., str], tmp_path: Path) -> None:
    assert assess(home, "--format", "html", "-o", "page.html").code == 1
    page = home / "page.html"
    seen = browser(page, "--dump-dom")
    assert "3 shown</output>" in seen
    assert seen.count("<svg") == 3
    assert '<form class="filters">' in seen.replace(' onsubmit="return false"', "")
    source = (home / "page.html").read_text()
    assert (
        '<form class="filters" hidden' in source
    )  # so without JavaScript there are no filters, and all is shown
    assert "<details" in source.partition("<script>")[0]
    overview = source.partition("</table>")[0]
    assert '<span class="error" title="a run that depends on the run before it">OB206</span>' in overview
    assert "49/100: OB206 a run that depends on the run before it" in source
    order = [each.partition('"')[0] for each in source.split('<details class="dag" id="dag-')[1:]]
    assert order[0] == "past", "what needs most work comes first"
    browser(page, "--window-size=1200,900", f"--screenshot={tmp_path / 'page.png'}")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


def test_airflows_own_examples_have_no_fault_of_ours(tmp_path: Path) -> None:
    # Not the module's own place: other tests put the facade on the import path.
    examples = Path(sysconfig.get_path("purelib")) / "airflow" / "example_dags"
    done = bridge(
        "assess", examples, "--format", "json", "--error-level", "never", "--no-cache", cwd=tmp_path
    )
    assert done.code == 0, done.err
    document = done.json()
    assert document["summary"]["dags"] > 60
    found = [*document["findings"], *(each for dag in document["dags"] for each in dag["findings"])]
    assert [each for each in found if each["id"] in {"OB200", "OB390", "OB391"}] == []
