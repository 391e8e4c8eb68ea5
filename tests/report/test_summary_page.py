"""The step summary as a browser shows it, 980 pixels wide as on GitHub: nothing has to be scrolled to the side."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from policy_guard.documents.printable import printable
from policy_guard.documents.source import Source, Span
from policy_guard.report.markdown_escape import cell, inline, inline_code
from policy_guard.report.report import Report, Reviewed, Skipped, Style
from policy_guard.report.reporters import reporter
from policy_guard.verify.finding import Finding, Related
from tests.report.test_reporters import CASES, GITHUB

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# What decides on widths in the style sheet of GitHub's pages; long words break, but not to make a table narrower.
LOOKS = """
body {margin: 0}
article {box-sizing: border-box; width: 980px; padding: 32px; font: 16px/1.5 sans-serif; overflow-wrap: break-word}
table {display: block; width: max-content; max-width: 100%; overflow: auto; border-collapse: collapse}
th, td {padding: 6px 13px; border: 1px solid}
code {padding: .2em .4em; font: 85% monospace; white-space: break-spaces}
pre {padding: 16px; overflow: auto; font: 85%/1.45 monospace}
pre code {padding: 0; font: inherit; white-space: pre; overflow-wrap: normal}
"""
MEASURE = """
const wide = [...document.querySelectorAll("article, article *")].filter(e => e.scrollWidth > e.clientWidth + 1
  && getComputedStyle(e).display !== "inline");
document.title = JSON.stringify(wide.map(e => [e.closest("section").id, e.tagName, e.textContent.slice(0, 80)]));
"""
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


def _long() -> Report:
    path = "environments/production/eu-central-1/teams/payments/identity/roles/PaymentsReconciliationWorker.json"
    arn = f"arn:aws:iam::111122223333:role/{'very/long/path/of/roles/' * 9}ReconciliationWorker{'x' * 90}"
    text = json.dumps({"Statement": [{"Action": ["s3:GetObject"] * 40, "Resource": arn}]})
    source = Source(path, text)
    finding = Finding(
        "no-new-access",
        "violated",
        "error",
        f"grants new access to {arn}",
        source,
        Span(text.index("arn:"), text.index("arn:") + len(arn)),
        (12, "AllowTheReconciliationWorkerToReadAllObjects" + "X" * 60),
        facts=(
            ("new", f"s3:Get* on {arn}"),
            ("before", arn),
            ("example", f"s3:GetObject on {arn} as {arn}"),
            ("accept", f"policy-guard accept {path} --reason '...'"),
        ),
        related=(Related(source, Span(0, 1), arn),),
    )
    return Report(
        findings=(finding, finding._replace(facts=(), statement=None, message="W" * 300)),
        base=f"refs/heads/{'feature-' * 20}@3f9c2ab",
        notes=(f"{path} was renamed to {path}", "y" * 300),
        skipped=(Skipped(path + "x" * 200, arn),),
        accepted=(Reviewed(path, (), f"s3:GetObject on {arn}", arn, ".policy-guard/accepted/" + path, "2030-01-01"),),
        judged=(path * 3,),
        fails=True,
    )


def _page(reports: dict[str, Report]) -> str:
    render = MarkdownIt("commonmark", {"html": True}).enable("table").render
    sections = (
        f"<section id={json.dumps(name)}>{render(reporter('markdown').render(report, Style(environ=GITHUB)))}</section>"
        for name, report in reports.items()
    )
    body = "".join(sections).replace("<details>", "<details open>")
    return (
        f"<!doctype html><meta charset=utf-8><title></title><style>{LOOKS}</style>"
        f"<article>{body}</article><script>{MEASURE}</script>"
    )


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")
def test_nothing_has_to_be_scrolled_to_the_side(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(_page({**CASES, "long names everywhere": _long()}), encoding="utf-8")
    command = [str(BROWSER), *OPTIONS, f"--user-data-dir={tmp_path}/user", "--window-size=980,2000", "--dump-dom"]
    shown = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=60, check=True).stdout
    measured = re.search("<title>(.*?)</title>", shown, re.DOTALL)
    assert measured and json.loads(unescape(measured[1])) == []


def test_each_finding_has_one_row_and_what_is_folded_does_not_repeat_it() -> None:
    said = reporter("markdown").render(_long(), Style(environ=GITHUB))
    assert len(re.findall("^\\| ❌ \\|", said, re.MULTILINE)) == 2
    folded = said[said.index("<details>") :]
    assert said.count("s3:Get\\* on") == 1 and "- new: " not in folded
    assert "- example: " in folded


@given(st.text("<>&`*_[]()|\\~#!@:.$ab/-= \n", max_size=60), st.sampled_from([inline, inline_code]))
def test_a_text_is_shown_as_it_is(text: str, escaped: Callable[[str], str]) -> None:
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(
        f"| a |\n|---|\n| x{cell(escaped(text))}x |\n"
    )
    (shown,) = re.findall("<td>x(.*)x</td>", html)
    tags = "<wbr>|</?code>" if escaped is inline_code else "<wbr>"
    assert unescape(re.sub(tags, "", shown)).replace("\u200b", "").strip() == printable(text).strip()


def test_an_example_that_is_all_of_it_is_told_once() -> None:
    facts = (("new", "s3:GetObject on arn:aws:s3:::b/x"), ("example", "s3:GetObject on arn:aws:s3:::b/x"))
    finding = CASES["a widened policy and two that are proved"].findings[0]._replace(facts=facts)
    assert reporter("markdown").render(Report((finding,)), Style()).count("GetObject on") == 1
