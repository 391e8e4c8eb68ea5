"""JSON as RFC 8259 has it, nothing more: every key and value with its place, keys written twice kept twice."""

from __future__ import annotations

from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]
from typing import NoReturn

from policy_guard.documents.format import MAX_DEPTH, MAX_VALUES, Format
from policy_guard.documents.formats._plain import disputed_number
from policy_guard.documents.formats._template import NO_FILE_YET
from policy_guard.documents.source import Array, Entry, Node, Object, Problem, Scalar, Source, Span, Unreadable
from policy_guard.regex import regex

_BLANK = regex(r"[ \t\n\r]*")
_LITERAL = regex(
    r"(?:(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)|(?P<boolean>true|false)|(?P<null>null))"
    r"(?![\w.+-])"
)
_SURROGATE = regex("[\ud800-\udfff]")
_WORD = regex(r"[\w.+-]{1,20}")
_STRING_PROBLEMS = (
    ("Unterminated", "the string that begins here has no closing quotation mark"),
    ("Invalid control", "a line break, tab or other control character stands inside a string; write it as an escape"),
    ("Invalid \\u", "an escape \\u takes four hexadecimal digits"),
    ("Invalid \\", "JSON has no such escape; a backslash itself is written \\\\"),
)
_HINTS = (
    (("//", "/*", "#"), "comments are not allowed in JSON, not even in a .jsonc file; remove them"),
    (("'", "`"), 'JSON takes straight double quotation marks (") only'),
    (
        ("\u201c", "\u201d", "\u201e", "\u2018", "\u2019"),
        'this quotation mark is a typographic one, and JSON takes straight ones (") only; replace it',
    ),
    (("%7B", "%7b"), "the text is percent-encoded, as the API returns it; write it as JSON"),
    (("\u00a0",), "a no-break space stands here, and JSON takes plain blanks only; replace it with one"),
    (("\u200b", "\ufeff"), "an invisible character stands here, and JSON takes plain blanks only; remove it"),
    (
        ("${", "%{", "{{", "{%", "{#", "<%"),
        f"a template part stands outside quotation marks, so this is not JSON yet; {NO_FILE_YET}",
    ),
)


def scan(text: str) -> Node:
    """The value written in `text`, and nothing beside it; raises Unreadable at the first thing that is no JSON."""
    scanner = _Scanner(text)
    node, at = scanner.value(scanner.skip(0), 0)
    if (at := scanner.skip(at)) < len(text):
        scanner.refuse(at, "more text follows after the end of the JSON value")
    return node


def _quotes_hint(word: str) -> str:
    """Return what a word lacks that is none of JSON's and no number."""
    is_name = word[0].isalpha() and word.isascii() and word.lower() not in ("true", "false", "null", "nan", "infinity")
    return "; a text begins and ends with a quotation mark" if is_name else ""


class _Scanner:
    """Every method takes the offset where its part begins and gives the part with the offset after it."""

    __slots__ = ("budget", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.budget = MAX_VALUES

    def skip(self, at: int) -> int:
        return _BLANK.match(self.text, at).end()  # type: ignore[union-attr]  # it matches nothing, too

    def value(self, at: int, depth: int) -> tuple[Node, int]:
        self.budget -= 1
        if self.budget < 0:
            self.refuse(at, f"the file holds more than {MAX_VALUES:,} values; no policy does, so split or exclude it")
        symbol = self.text[at : at + 1]
        if symbol == '"':
            return self.string(at)
        if symbol not in ("{", "["):
            return self.literal(at)
        if depth == MAX_DEPTH:
            self.refuse(at, f"the values are nested more than {MAX_DEPTH} levels deep")
        if self.text.startswith(("{{", "{%", "{#"), at):
            self.refuse(at, "a key in double quotation marks is expected here")
        return self.object(at, depth + 1) if symbol == "{" else self.array(at, depth + 1)

    def object(self, start: int, depth: int) -> tuple[Object, int]:
        entries: list[Entry] = []
        at = self.skip(start + 1)
        while entries or self.text[at : at + 1] != "}":
            key, at = self.key(at)
            value, at = self.value(at, depth)
            entries.append(Entry(key, value))
            at, closed = self.separator(at, "}")
            if closed:
                return Object(tuple(entries), Span(start, at)), at
        return Object((), Span(start, at + 1)), at + 1

    def array(self, start: int, depth: int) -> tuple[Array, int]:
        items: list[Node] = []
        at = self.skip(start + 1)
        while items or self.text[at : at + 1] != "]":
            item, at = self.value(at, depth)
            items.append(item)
            at, closed = self.separator(at, "]")
            if closed:
                return Array(tuple(items), Span(start, at)), at
        return Array((), Span(start, at + 1)), at + 1

    def key(self, at: int) -> tuple[Scalar, int]:
        if self.text[at : at + 1] != '"':
            self.refuse(at, "a key in double quotation marks is expected here")
        key, at = self.string(at)
        at = self.skip(at)
        if self.text[at : at + 1] != ":":
            self.refuse(at, "a colon is expected here, between a key and its value")
        return key, self.skip(at + 1)

    def separator(self, at: int, closing: str) -> tuple[int, bool]:
        """The offset after a comma and its blanks, or after the closing bracket; and whether it was the latter."""
        at = self.skip(at)
        symbol = self.text[at : at + 1]
        if symbol == closing:
            return at + 1, True
        if symbol != ",":
            self.refuse(at, f"a comma or {closing} is expected here")
        following = self.skip(at + 1)
        if self.text[following : following + 1] == closing:
            self.refuse(at, f"JSON takes no comma before {closing}")
        return following, False

    def string(self, at: int) -> tuple[Scalar, int]:
        try:
            text, end = scanstring(self.text, at + 1, True)
        except JSONDecodeError as error:
            message = next((ours for theirs, ours in _STRING_PROBLEMS if error.msg.startswith(theirs)), error.msg)
            self.refuse(error.pos, message, hint=False)
        if not text.isascii() and _SURROGATE.search(text):
            self.refuse(at, "a \\u escape in this string is half of a character", end, hint=False)
        return Scalar(text, Span(at, end)), end

    def literal(self, at: int) -> tuple[Scalar, int]:
        match = _LITERAL.match(self.text, at)
        if match is None:
            word = _WORD.match(self.text, at)
            self.refuse(
                at,
                f"{word[0]} is not a JSON value{_quotes_hint(word[0])}" if word else "a value is expected here",
                word and word.end(),
            )
        disputed = disputed_number(match[0]) if match.lastgroup == "number" else ""
        return Scalar(
            text=match[0], span=Span(at, match.end()), kind=str(match.lastgroup), disputed=disputed
        ), match.end()

    def refuse(self, at: int, message: str, end: int | None = None, hint: bool = True) -> NoReturn:
        """Raises Unreadable; what stands at `at` may tell more than `message` does."""
        if hint and at >= len(self.text):
            message = f"the text ends too early: {message}"
        elif hint:
            message = next(
                (hint_message for starts, hint_message in _HINTS if self.text.startswith(starts, at)), message
            )
        raise Unreadable(Problem(message, Span(at, at + 1 if end is None else end)))


def _read(source: Source) -> tuple[Node, ...]:
    return (scan(source.text),)


FORMAT = Format("json", (".json", ".json.tpl", ".json.tftpl", ".json.tmpl", ".json.j2", ".jsonc", ".json5"), _read)
