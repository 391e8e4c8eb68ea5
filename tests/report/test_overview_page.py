"""The page of an overview in a browser: sorting, filtering, widths, what a screen reader gets, and hostile texts."""

from __future__ import annotations

import importlib.resources
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policy_guard.report.overview import Entry, Overview, Place, Remark, Review, Row, counts
from policy_guard.report.overviews import overview_format
from tests.report.test_summary_page import OPTIONS

webdriver = pytest.importorskip("selenium.webdriver", reason="the page is not tried in a browser without selenium")

HOSTILE = "</script><script>document.title='x'</script><img src=x onerror=document.title='x'>\u2028\x1b[31m"


def row(number: int, **fields: Any) -> Row:
    values: dict[str, Any] = {
        "name": f"iam/policy-{number}.json",
        "place": Place(f"iam/policy-{number}.json", 3),
        "address": "",
        "holder": f"role-{number % 7}",
        "kind": ("identity", "resource", "trust")[number % 3],
        "extent": "exactly",
        "statements": number % 9,
        "critical": ("delete-bucket",) if number % 5 == 0 else (),
        "administrator": (),
        "public": number % 50 == 1,
        "callers": ("everyone",) if number % 50 == 1 else (),
        "wildcards": ("s3:Get*",),
        "levels": {"s3": {"Read": 40 + number % 3, "List": 2}},
        "unused": (),
        "undecided": (),
        "grants": (f"Allow s3:Get* on bucket-{number}",),
    }
    return Row(**{**values, **fields})


def overview(rows: tuple[Row, ...], **fields: Any) -> Overview:
    values: dict[str, Any] = {
        "revision": "the working tree",
        "address": "https://github.com/acme/policies/blob/0123",
        "day": "2026-01-31",
        "catalogue": "a catalogue",
        "rows": rows,
        "entries": (Entry("delete-bucket", "error", "buckets stay"), Entry("none", "warning", "nobody")),
        "unreadable": (Remark(Place("iam/broken.json", 2), "this is not JSON"),),
        "skipped": (),
        "notes": ("a note",),
        "reviews": (Review("iam/policy-1.json", ("no-new-access",), "as agreed", "a.yaml", "2026-01-01", True),),
        "policies": len(rows) + 1,
    }
    return Overview(**{**values, **fields})


SMALL = overview(tuple(row(number) for number in range(12)), before=overview((row(0), row(1, grants=("Allow sqs:*",)))))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    for argument in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('user')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    try:
        driver = webdriver.Chrome(options=options)
    except Exception as error:  # whatever keeps a browser from starting here
        pytest.skip(f"no Chromium can be driven here: {type(error).__name__}")
    driver.set_script_timeout(180)
    yield driver
    driver.quit()


def opened(browser: Any, shown: Overview, tmp_path: Path) -> Any:
    page = tmp_path / "report.html"
    page.write_text(overview_format("html").render(shown, "../"), encoding="utf-8")
    browser.get_log("browser")
    browser.get(page.as_uri())
    return browser


def names(browser: Any, section: str) -> list[str]:
    script = f"return [...document.querySelectorAll('#{section} tbody tr td:first-child')].map(e => e.innerText)"
    return list(browser.execute_script(script))


def test_tables_are_sorted_and_filtered_without_an_error(browser: Any, tmp_path: Path) -> None:
    page = opened(browser, SMALL, tmp_path)
    assert len(names(page, "policies")) == 12
    first = names(page, "policies")[0]
    page.execute_script("document.querySelector('#policies thead button').click()")
    assert names(page, "policies")[-1] == first
    assert (
        page.execute_script("return document.querySelector('#policies th').getAttribute('aria-sort')") == "descending"
    )
    search = page.find_element("css selector", "#policies input")
    search.send_keys("policy-7")
    assert names(page, "policies") == ["iam/policy-7.json:3"]
    search.clear()
    search.send_keys("x")
    search.send_keys("\ue003")
    page.execute_script(
        "const s = document.querySelectorAll('#policies select')[1]; s.value = 'public access';"
        "s.dispatchEvent(new Event('change'))"
    )
    assert names(page, "policies") == ["iam/policy-1.json:3"]
    assert page.get_log("browser") == []


def test_each_row_leads_to_its_file_and_line(browser: Any, tmp_path: Path) -> None:
    page = opened(browser, SMALL, tmp_path)
    links = page.execute_script("return [...document.querySelectorAll('#policies td a')].map(a => a.href)")
    assert links[0] == "https://github.com/acme/policies/blob/0123/iam/policy-0.json#L3"
    page = opened(browser, SMALL._replace(address=""), tmp_path)
    links = page.execute_script(
        "return [...document.querySelectorAll('#policies td a')].map(a => a.getAttribute('href'))"
    )
    assert links[0] == "../iam/policy-0.json"


def test_pictures_are_drawn_when_they_are_asked_for(browser: Any, tmp_path: Path) -> None:
    page = opened(browser, SMALL, tmp_path)
    page.execute_script("for (const d of document.querySelectorAll('#policies details')) d.open = true")
    time.sleep(0.3)
    text = page.execute_script("return document.querySelector('#policies').innerText")
    assert "Object" in text
    assert page.execute_script("return document.querySelectorAll('#policies .bar span').length") > 12
    assert "Allow sqs:*" in text
    assert page.get_log("browser") == []


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_of_the_page_has_to_be_scrolled_to_the_side(browser: Any, tmp_path: Path, width: int) -> None:
    page = opened(browser, SMALL, tmp_path)
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    )
    wide = page.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(browser: Any, tmp_path: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_core_python", reason="the page is not looked at by axe without axe-core-python")
    page = opened(browser, SMALL, tmp_path)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    page.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    page.execute_script(next(importlib.resources.files(axe).rglob("axe.min.js")).read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    found = page.execute_async_script("const done = arguments[0]; axe.run().then(result => done(result.violations))")
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found] == []


def test_hostile_texts_stay_texts(browser: Any, tmp_path: Path) -> None:
    hostile = row(1, name=HOSTILE, place=Place(HOSTILE, 1), holder=HOSTILE, address=HOSTILE, wildcards=(HOSTILE,))
    shown = overview((hostile,), notes=(HOSTILE,), unreadable=(Remark(Place("javascript:alert(1)", 1), HOSTILE),))
    page = opened(browser, shown._replace(address=""), tmp_path)
    assert page.title == "What the policies grant"
    assert page.execute_script("return document.querySelectorAll('img').length") == 0
    hrefs = page.execute_script("return [...document.querySelectorAll('main a')].map(a => a.protocol)")
    assert set(hrefs) <= {"file:"}
    assert page.get_log("browser") == []


@pytest.mark.slow
def test_three_thousand_rows_are_filtered_at_once(browser: Any, tmp_path: Path) -> None:
    page = opened(browser, overview(tuple(row(number) for number in range(3000))), tmp_path)
    script = (
        "const i = document.querySelector('#policies input'); i.value = 'policy-29';"
        "const start = performance.now(); i.dispatchEvent(new Event('input')); return performance.now() - start"
    )
    page.execute_script(script)
    assert len(names(page, "policies")) == 50
    assert page.execute_script("return document.querySelector('#policies [role=status]').innerText") == "111 of 3000"


def test_holders_of_one_name_in_two_files_are_two_lines_of_the_map(browser: Any, tmp_path: Path) -> None:
    places = [Place("a.yaml", 1), Place("b.yaml", 1)]
    rows = tuple(row(n, holder="Role", place=place, critical=("delete-bucket",)) for n, place in enumerate(places))
    page = opened(browser, overview(rows), tmp_path)
    script = "return [...document.querySelectorAll('#matrix tbody th')].map(e => e.title)"
    assert page.execute_script(script) == ["Role\na.yaml", "Role\nb.yaml"]


@pytest.mark.parametrize("name", ["html", "json", "markdown", "text"])
def test_each_format_tells_the_counts(name: str) -> None:
    text = overview_format(name).render(SMALL, "")
    assert "iam/policy-10.json" in text
    assert "\x1b" not in overview_format(name).render(overview((row(1, name=HOSTILE),)), "")
    assert counts(SMALL).critical == 3


def test_the_page_asks_no_host() -> None:
    page = overview_format("html").render(SMALL, "")
    policy = re.search('Content-Security-Policy" content="(.*?)"', page)
    assert policy
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]


def test_numbers_add_up() -> None:
    values = json.loads(overview_format("json").render(SMALL, ""))
    assert values["sum"] == "13 policies: 12 read exactly, 1 unreadable."
    assert values["cards"][0] == {"title": "policies", "now": 12, "before": 2}
    assert (
        json.loads(overview_format("json").render(overview((), unreadable=()), ""))["sum"] == "1 policy: 1 unreadable."
    )
