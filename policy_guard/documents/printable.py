"""Untrusted text made safe to print: nothing in it can move the cursor, reorder a line or command a CI runner."""

from __future__ import annotations

import re
from typing import Any

from policy_guard.regex import regex

ELLIPSIS = "…"
TAB = 4

# actions/runner, ActionCommand.cs: `##[name]` counts anywhere in a line, `::name` after leading blanks.
_COMMAND = regex(r"^((?:[^\S\n]|\x1b\[[0-9;]*m)*:):", re.MULTILINE)
_LONGEST_QUOTED = 60


def printable(text: str) -> str:
    r"""`text` on one line, with everything that is not visible spelled as in Python: `\n`, `\x1b`, `\u202e`, `\xa0`.

    Control, formatting and bidirectional characters, odd blanks and lone surrogates are what Unicode calls not
    printable.
    """
    if text.isprintable():
        return text
    return "".join(map(visible, text))


def visible(character: str) -> str:
    """One character, or the escape that stands for it."""
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def shortened(text: str, limit: int) -> str:
    """`text` made printable, its end replaced by an ellipsis where it is longer than `limit` characters."""
    if len(text) <= limit and text.isprintable():
        return text
    safe_text = printable(text[: limit + 1])
    return safe_text if len(safe_text) <= limit else safe_text[: limit - 1] + ELLIPSIS


def quoted(text: str) -> str:
    """Untrusted text for a message: printable, short, in quotation marks."""
    text = printable(text)
    return f'"{text if len(text) <= _LONGEST_QUOTED else text[: _LONGEST_QUOTED - 3] + "..."}"'


def counted(number: int, singular: str, plural: str = "") -> str:
    """`number` with its noun: "1 policy", "3 policies"; `plural` is `singular` with an s if it is not given."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def cells(text: str) -> int:
    """Return how many columns of a terminal printable `text` takes."""
    return len(text) if text.isascii() else sum(map(_cell, text))


def _cell(character: str) -> int:
    if character.isascii():
        return 1
    from unicodedata import category, east_asian_width

    if category(character) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def defused(text: str) -> str:
    """`text` of several lines in which GitHub's runner finds no workflow command."""
    return _COMMAND.sub(r"\1\\:", text.replace("##[", "##\\["))


def annotation_message(text: str) -> str:
    """`text` as the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def annotation_property(text: str) -> str:
    """`text` as a property of a workflow command: its file or title."""
    return annotation_message(text).replace(":", "%3A").replace(",", "%2C")


def well_formed(value: Any) -> Any:
    """Lone surrogates, which file names of other encodings bring, spelled as escapes: strict readers refuse them."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {well_formed(key): well_formed(part) for key, part in value.items()}
    return [well_formed(part) for part in value] if isinstance(value, list) else value


def in_json(value: Any) -> str:
    """The value as JSON with a line feed, in ASCII; never a workflow command, never half a character."""
    import json

    # `##[` can stand in strings only, so the escape changes nothing for whoever reads the value.
    return json.dumps(well_formed(value), indent=2).replace("##[", "##\\u005b") + "\n"
