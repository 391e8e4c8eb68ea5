"""Untrusted text in Markdown: it cannot end a fence, a code span or a cell, and nothing in it is a tag or a mention."""

from __future__ import annotations

import re
from collections.abc import Iterable

from policy_guard.documents.printable import printable

_TICKS = re.compile("`+")


_MARKUP = re.compile(r"[\\`*_\[\]<>#|~@!:.$&]")
# In code GitHub looks for no mention, issue or emoji; Markdown itself does look for what it takes for an address.
_MARKUP_IN_CODE = re.compile(r"[\\`*_\[\]<>|~@$&]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_WORD = re.compile(r"[^ ]{25,}")
_BREAKS = re.compile(r"[^ ]{8,24}[/:,-]|[^ ]{25}")


def inline(text: str) -> str:
    """A sentence that may name things of a policy: in it nothing is markup, and no mention.

    Long words may be broken, since a table is as wide as the longest word in it.
    """
    return _break_words(text, _MARKUP).replace("\\@", "@\u200b")


def inline_code(text: str) -> str:
    """The text as code, of which long words may be broken."""
    return f"<code>{_break_words(text, _MARKUP_IN_CODE)}</code>" if _WORD.search(printable(text)) else code(text)


def _break_words(text: str, markup: re.Pattern[str]) -> str:
    words = _WORD.sub(lambda word: _BREAKS.sub("\\g<0>\0", word[0]), printable(text))
    return "<wbr>".join(markup.sub(r"\\\g<0>", part) for part in words.split("\0"))


def code(text: str) -> str:
    """The text in a code span, between more backticks than it has itself."""
    safe = printable(text)
    ticks = "`" * (max([0, *map(len, _TICKS.findall(safe))]) + 1)
    return f"{ticks}{safe}{ticks}" if len(ticks) == 1 and safe.strip() else f"{ticks} {safe} {ticks}"


def cell(text: str) -> str:
    """Markdown as one cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def fence(language: str, lines: Iterable[str]) -> list[str]:
    """Lines in a fence longer than any run of backticks in them."""
    content = list(lines)
    fence = "`" * (max([2, *(len(run) for line in content for run in _TICKS.findall(line))]) + 1)
    return [f"{fence}{language}", *content, fence]
