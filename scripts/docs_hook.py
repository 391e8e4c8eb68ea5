"""A hook of MkDocs: the pages under checks/ are what `policy-guard explain` prints, and so are not kept twice."""

from __future__ import annotations

import re
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from policy_guard.verify.checks import explained, names

_SPECIAL = re.compile(r"([*_<\[\\])")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The navigation with a page for each check."""
    pages: list[Any] = [{name: f"checks/{name}.md"} for name in names()]
    config.nav = [*(config.nav or ()), {"Checks": [{"All": "checks/index.md"}, *pages]}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The files with the pages of the checks."""
    for name in names():
        files.append(File.generated(config, f"checks/{name}.md", content=page(explained(name))))
    files.append(File.generated(config, "checks/index.md", content=index()))
    return files


def page(manual: str) -> str:
    """A manual page as Markdown: its examples are indented, as code is there."""
    title, *paragraphs = manual.strip().split("\n\n")
    name, _, claim = title.partition(": ")
    return "\n\n".join([f"# {name}", _sentence(claim), *map(_marked, paragraphs)]) + "\n"


def index() -> str:
    """The page that lists the checks, each with what it claims."""
    titles = (explained(name).partition("\n")[0].partition(": ") for name in names())
    return "# Checks\n\n" + "".join(f"- [{name}]({name}.md): {_marked(claim)}\n" for name, _, claim in titles)


def _sentence(text: str) -> str:
    return _marked(text[:1].upper() + text[1:])


def _marked(paragraph: str) -> str:
    if paragraph.startswith("    "):
        return paragraph
    code_or_text = re.split(r"(`[^`]*`)", paragraph)
    return "".join(part if part.startswith("`") else _SPECIAL.sub(r"\\\1", part) for part in code_or_text)
