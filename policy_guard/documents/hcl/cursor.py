"""A place in a text that is read from its beginning to its end."""

from __future__ import annotations

import re
from typing import NoReturn, TypeVar

from policy_guard.documents.source import Problem, Span, Unreadable

MAX_DEPTH = 60
"""How deep values and blocks may lie in each other."""
_MAX_HEIGHT = 150
_COMMENT = r"/\*(?:[^*]|\*(?!/))*\*/"
_BLANKS = re.compile(rf"(?:[ \t]+|{_COMMENT})*")
_LINES = re.compile(rf"(?:[ \t\n]+|\r\n|#[^\n]*|//[^\n]*|{_COMMENT})*")
_REST = re.compile(r"(?:#|//)[^\n]*")
_NAME = re.compile(r"[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff-]*")
T = TypeVar("T")


class Cursor:
    """Where a reader is. Line breaks end something unless it stands in brackets, when `lines` is False."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines = True
        self._depth = 0
        self._heights: dict[int, int] = {}

    def fail(self, message: str, at: int | None = None) -> NoReturn:
        """Raises `Unreadable` for the place."""
        start = min(self.at if at is None else at, max(0, len(self.text) - 1))
        raise Unreadable(Problem(message, Span(start, min(start + 1, len(self.text)))))

    def deeper(self) -> None:
        """Notes that what is read lies one level deeper."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self.fail(f"the file is nested deeper than {MAX_DEPTH} levels; write it flatter")

    def higher(self) -> None:
        """Ends a level."""
        self._depth -= 1

    def build(self, node: T, *children: object) -> T:
        """The node over these; fails where a tree gets too high to be walked."""
        height = 1 + max((self._heights.get(id(each), 0) for each in children), default=0)
        if height > _MAX_HEIGHT:
            self.fail("the expression is too long to be read; write it in parts")
        self._heights[id(node)] = height
        return node

    def skip_byte_order_mark(self) -> None:
        """Goes past a mark at the beginning, as Terraform does. Source: hashicorp/hcl, hclsyntax, scanTokens."""
        self.at += self.text.startswith("\ufeff")

    def skip(self) -> None:
        """Goes on to the next character that is no blank, and no line break that does not count."""
        match = (_BLANKS if self.lines else _LINES).match(self.text, self.at)
        self._move_past(match)

    def skip_lines(self) -> None:
        """Goes on to the next character that is neither blank nor line break."""
        self._move_past(_LINES.match(self.text, self.at))

    def _move_past(self, match: re.Match[str] | None) -> None:
        self.at = match.end() if match else self.at
        if self.text.startswith("/*", self.at):
            self.fail("the comment has no end; write */ after it")

    def sees(self, text: str) -> bool:
        """Tell whether the text stands here, without going past it."""
        return self.text.startswith(text, self.at)

    def takes(self, text: str) -> bool:
        """Tell whether the text stands here or after blanks; goes past it."""
        self.skip()
        if self.sees(text):
            self.at += len(text)
            return True
        return False

    def needs(self, text: str) -> None:
        """Goes past a text that has to stand here."""
        if not self.takes(text):
            self.fail(f'"{text}" is expected here')

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Return what matches right here; goes past it."""
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match

    def name(self) -> str:
        """The name that stands right here; empty if there is none.

        Raises `Unreadable` for characters that no name has. Source: hashicorp/hcl, hclsyntax/spec.md, Identifiers.
        """
        start = self.at
        match = self.match(_NAME)
        if match and not match[0].replace("-", "_").isidentifier():
            self.fail("a character here belongs to no name", start)
        return match[0] if match else ""

    def peek_name(self) -> str:
        """The name that stands right here, without going past it."""
        match = _NAME.match(self.text, self.at)
        return match[0] if match else ""

    def ends_line(self) -> bool:
        """Tell whether only a comment stands before the end of the line; goes past it."""
        self.skip()
        comment = _REST.match(self.text, self.at)
        at = comment.end() if comment else self.at
        at += self.text.startswith("\r\n", at)
        if at < len(self.text) and self.text[at] != "\n":
            return False
        self.at = min(at + 1, len(self.text))
        return True

    def in_line(self) -> bool:
        """Tell whether something else than a comment stands before the end of the line."""
        self.skip()
        following = self.text[self.at : self.at + 2]
        return not (following[:1] in ("", "\n", "#") or following in ("\r\n", "//"))
