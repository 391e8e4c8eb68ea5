"""For people: one page that needs nothing else, with tables to sort and to filter."""

from __future__ import annotations

import base64
import hashlib
import json
import os

from policy_guard.report.overview import Overview
from policy_guard.report.overviews import OverviewFormat
from policy_guard.report.overviews.json import contents

_FOLDER = os.path.join(os.path.dirname(__file__), "page")


def _render(overview: Overview, root: str) -> str:
    """The page; its policy for content lets in this script and this style alone, and no request to any host."""
    style, script = _file("page.css"), _file("page.js")
    parts = {"STYLE_HASH": _hash(style), "SCRIPT_HASH": _hash(script), "STYLE": style, "SCRIPT": script}
    page = _file("page.html")
    head, _, tail = page.partition("DATA")
    for name, text in parts.items():
        head = head.replace(name, text) if name != "SCRIPT" else head
        tail = tail.replace(name, text)
    return head + _in_script(contents(overview, root)) + tail


def _file(name: str) -> str:
    with open(os.path.join(_FOLDER, name), encoding="utf-8") as file:
        return file.read()


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _in_script(values: object) -> str:
    """The values in JSON that ends no element: `<` and the like stand as escapes."""
    text = json.dumps(values, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


FORMAT = OverviewFormat("html", _render)
