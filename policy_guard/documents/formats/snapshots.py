"""Snapshots of tests: what Jest and Vitest keep in `.snap`, and syrupy in `.ambr`.

A source gives one document: a mapping of the snapshots by their names. What is no JSON in one, such as `Any<String>`,
has the tag `!Unknown`. Only snapshots that speak of AWS or of policies are read; one of those that cannot be read is
refused.

Sources: jest-snapshot, utils.ts (`saveSnapshotFile`, `printBacktickString`); pretty-format, README and index.ts;
syrupy, extensions/amber/serializer.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NoReturn

from policy_guard.documents.format import MAX_DEPTH, MAX_VALUES, Format
from policy_guard.documents.source import Array, Entry, Node, Object, Problem, Scalar, Source, Span, Unreadable
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

JEST, AMBER = ".snap", ".ambr"
SUFFIXES = (JEST, AMBER)
UNKNOWN = "!Unknown"

_BETWEEN = regex(r"(?:\s+|//[^\n]*)*")
_EXPORT = regex(r"exports\[`((?:[^`\\]|\\.)*)`\] = `")
_BODY = regex(r"(?:[^`\\]|\\.)*", re.DOTALL)
# JavaScript would fill in or decode anything else than what Jest writes.
_AS_WRITTEN = regex(r"(?:[^\\$]|\\[`\\$]|\$(?!\{))*")
_HIDING = regex(rb"(?<!\\)(?:\\\\)*(?:\\[^\\`$]|\$\{)")
_OUTER_ESCAPE = regex(r"\\([`\\$])")
_INNER_ESCAPE = regex(r"\\([\"\\])")
_BARE_QUOTE = regex(r'(?<!\\)(?:\\\\)*"')
_OF_JEST = regex(r"exports\[`|// (?:Jest|Vitest|Bun) ")
_OF_AWS = regex(r"AWS::|PolicyDocument")
_STATEMENT, _EFFECT = regex(r"""Statement\\*["']?:"""), regex(r"""Effect\\*["']?:""")

_NAME = regex(r"# name: (.*)")
_END = regex(r"(?:# )?---")
_LITERAL = regex(r"(-?[0-9][0-9.eE+-]*)|([Tt]rue|[Ff]alse)|(null|None)")
_JEST_OPENING = regex(r"(?:[\w$.]+ )?([{\[])(?:([}\]])(,?))?")
_AMBER_OPENING = regex(r"(?:[\w.]+|<class '[\w.]+'> )?(\(\{|\(\[|\(|\{|\[)(?:([\])}]+)(,?))?")
_CLOSING = {"{": "}", "[": "]", "({": "})", "([": "])", "(": ")"}
_JEST_KEY = regex(r'"([^\n]*?)": ')
_AMBER_KEY = regex(r"""('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|[0-9]+|True|False|None): |(\w+)=""")
_REPR = regex(r"""('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")(,?)""")
_FENCE = "'''"


class _Snapshot(NamedTuple):
    """One snapshot: its name, and where its text stands."""

    name: Scalar
    span: Span


class _Line(NamedTuple):
    """A line without its ending, and where it begins."""

    text: str
    start: int


def hides_text(path: str, data: bytes) -> bool:
    """Tell whether a snapshot of Jest may say another thing to JavaScript than what stands there."""
    return path.lower().endswith(JEST) and b"exports[`" in data and bool(_HIDING.search(data))


def _read(source: Source) -> tuple[Node, ...]:
    is_jest = source.path.lower().endswith(JEST)
    entries: list[Entry] = []
    texts: dict[str, Span] = {}
    for name, span in _snapshots_of_jest(source.text) if is_jest else _snapshots_of_amber(source.text):
        if name.text in texts:
            _refuse(f"the snapshot {name.text!r} is written twice; keep one", name.span.start)
        texts[name.text] = span
        if _is_about_policies(source.text, span):
            reader = _Reader(source.text, span, is_jest)
            entries.append(Entry(name, reader.document()))
    return (Object(tuple(entries), Span(0, len(source.text))),)


def _snapshots_of_jest(text: str) -> Iterator[_Snapshot]:
    at = _skip(text, 0)
    if not _OF_JEST.match(text, at) and not _OF_JEST.match(text):
        if _is_about_policies(text, Span(0, len(text))):
            _refuse("this is no snapshot of Jest or Vitest, and others are not read; exclude it", at)
        return
    while at < len(text):
        export = _EXPORT.match(text, at)
        if export is None:
            _refuse("a snapshot is expected here, as Jest writes it: exports[`name`] = `text`", at)
        body = _BODY.match(text, export.end())
        assert body is not None
        if not text.startswith("`;", body.end()):
            _refuse("the snapshot that begins here has no end", export.start())
        written = _AS_WRITTEN.match(text, body.start(), body.end())
        assert written is not None
        if written.end() < body.end():
            _refuse("Jest writes no such escape, and JavaScript would read another text here", written.end())
        yield _Snapshot(Scalar(_OUTER_ESCAPE.sub(r"\1", export[1]), Span(*export.span(1))), Span(*body.span()))
        at = _skip(text, body.end() + 2)


def _is_about_policies(text: str, span: Span) -> bool:
    if _OF_AWS.search(text, *span):
        return True
    return bool(_STATEMENT.search(text, *span) and _EFFECT.search(text, *span))


def _skip(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    assert match is not None
    return match.end()


def _snapshots_of_amber(text: str) -> Iterator[_Snapshot]:
    name, start, at = None, 0, 0
    for line in text.split("\n"):
        heading = _NAME.match(line)
        if heading or _END.match(line):
            if name is not None:
                yield _Snapshot(name, Span(start, at))
            span = Span(at, at + len(line.rstrip()))
            name = Scalar(heading[1].strip(), span) if heading else None
            start = at + len(line) + 1
        elif name is None and line.strip() and not line.startswith("#"):
            _refuse('a snapshot is expected here, as syrupy writes it, beginning with "# name:"', at)
        at += len(line) + 1
    if name is not None:
        yield _Snapshot(name, Span(start, min(at, len(text))))


class _Reader:
    """Reads the text of one snapshot, in which each value begins in a line of its own."""

    def __init__(self, text: str, span: Span, is_jest: bool) -> None:
        self._lines = [*_lines_of(text, span)]
        self._is_jest = is_jest
        self._opening = _JEST_OPENING if is_jest else _AMBER_OPENING
        self._number = 0
        self._budget = MAX_VALUES
        self._start = span.start
        self._last = max((number for number, line in enumerate(self._lines) if line.text.strip()), default=0)

    def document(self) -> Node:
        while self._number < len(self._lines) and not self._line.text.strip():
            self._number += 1
        if self._number == len(self._lines):
            return Scalar("", Span(self._start, self._start))
        node = self._value(len(self._line.text) - len(self._line.text.lstrip()), 0)
        while self._number < len(self._lines):
            if self._line.text.strip():
                _refuse("more text follows after the end of the snapshot", self._line.start)
            self._number += 1
        return node

    @property
    def _line(self) -> _Line:
        if self._number >= len(self._lines):
            _refuse("the snapshot that begins here ends too early", self._start)
        return self._lines[self._number]

    def _value(self, column: int, depth: int) -> Node:
        """The value that begins at a column of the line, after which the next line is the current one."""
        line = self._line
        self._budget -= 1
        if self._budget < 0 or depth > MAX_DEPTH:
            _refuse("the snapshot is too large or nested too deeply to be read", line.start + column)
        opening = self._opening.fullmatch(line.text, column)
        if opening is None:
            return self._scalar(column, depth)
        self._number += 1
        if opening[2]:
            span = Span(line.start + column, line.start + len(line.text))
            return Object((), span) if "{" in opening[1] else Array((), span)
        return self._container(opening[1], line, column, depth)

    def _container(self, opening: str, opening_line: _Line, column: int, depth: int) -> Node:
        indent = len(opening_line.text) - len(opening_line.text.lstrip(" "))
        closing = " " * indent + _CLOSING[opening]
        entries: list[Entry] = []
        items: list[Node] = []
        while (line := self._line).text.rstrip(",") != closing:
            if not line.text.startswith(" " * (indent + 2)) or line.text[indent + 2 : indent + 3] in ("", " "):
                _refuse("a value is expected here, with two blanks more than what it lies in", line.start)
            key = self._key(line, indent + 2) if opening != "[" else None
            if key is None:
                items.append(self._value(indent + 2, depth + 1))
            else:
                node, value_column = key
                entries.append(Entry(node, self._value(value_column, depth + 1)))
        self._number += 1
        span = Span(opening_line.start + column, line.start + len(closing))
        if entries and items:
            _refuse("keys stand beside values without one", span.start)
        return Array(tuple(items), span) if items or "{" not in opening else Object(tuple(entries), span)

    def _key(self, line: _Line, column: int) -> tuple[Scalar, int] | None:
        match = (_JEST_KEY if self._is_jest else _AMBER_KEY).match(line.text, column)
        if match is None:
            return None
        text = _unescaped(match[1]) if self._is_jest else match[2] or _of_python(match[1])
        return Scalar(text, Span(line.start + column, line.start + match.end(0) - 2)), match.end()

    def _scalar(self, column: int, depth: int) -> Scalar:
        if self._is_jest and self._line.text.startswith('"', column):
            return self._text_of_jest(column, depth)
        if not self._is_jest and self._line.text.startswith(_FENCE, column):
            return self._lines_of_amber()
        line = self._line
        self._number += 1
        written = line.text[column:].removesuffix(",")
        span = Span(line.start + column, line.start + column + len(written))
        if not self._is_jest and (literal := _REPR.fullmatch(line.text, column)):
            return Scalar(_of_python(literal[1]), span)
        match = _LITERAL.fullmatch(written)
        if match is None:
            return Scalar(written, span, tag=UNKNOWN)
        kind = "number" if match[1] else "boolean" if match[2] else "null"
        return Scalar(written.lower() if match[2] else written, span, kind=kind)

    def _text_of_jest(self, column: int, depth: int) -> Scalar:
        """A text in quotation marks, which may go on over several lines."""
        first = self._line
        indent = len(first.text) - len(first.text.lstrip(" "))
        texts = [first.text[column + 1 :]]
        while not self._ends_text(texts[-1], indent, depth) or not _closes(texts[0], texts[-1]):
            self._number += 1
            texts.append(self._line.text)
        ending = '",' if depth else '"'
        end = self._line.start + len(self._line.text) - (len(ending) - 1)
        self._number += 1
        text = "\n".join(texts).removesuffix(ending)
        return Scalar(_unescaped(text), Span(first.start + column, end))

    def _ends_text(self, text: str, indent: int, depth: int) -> bool:
        """Tell whether a text ends with the line: in a text, too, lines may end with a quotation mark and a comma."""
        following_lines = self._lines[self._number + 1 : self._number + 2]
        if not depth:
            return text.endswith('"') and self._number >= self._last
        if not text.endswith('",') or text.endswith('\\",'):
            return False
        return all(_follows(line.text, indent) for line in following_lines)

    def _lines_of_amber(self) -> Scalar:
        """A text of several lines between marks; its place is that of what stands between them."""
        self._number += 1
        first = self._line
        texts: list[str] = []
        while self._line.text.strip().rstrip(",") != _FENCE:
            texts.append(self._line.text)
            self._number += 1
        end = self._line.start - 1
        self._number += 1
        least = min((len(text) - len(text.lstrip(" ")) for text in texts if text.strip()), default=0)
        start = min(first.start + least, end)
        return Scalar("\n".join(text[least:] for text in texts), Span(start, max(start, end)))


def _lines_of(text: str, span: Span) -> Iterator[_Line]:
    at = span.start
    for line in text[slice(*span)].split("\n"):
        yield _Line(line.removesuffix("\r"), at)
        at += len(line) + 1


def _unescaped(written: str) -> str:
    """The text of which Jest wrote this: with its own escapes always, with those of strings in older versions.

    Nobody can tell whether a quotation mark behind a backslash is one of an older version or two characters of a newer
    one: it is taken for the first unless a bare one stands beside it.
    """
    if "\\" not in written:
        return written
    text = _OUTER_ESCAPE.sub(r"\1", written)
    return text if _BARE_QUOTE.search(text) else _INNER_ESCAPE.sub(r"\1", text)


def _closes(first: str, last: str) -> bool:
    """Tell whether a text that begins as JSON in lines of its own may end there."""
    end = {"{": "}", "[": "]"}.get(first)
    return end is None or last.rstrip('",').endswith(end)


def _follows(text: str, indent: int) -> bool:
    """Tell whether a line may stand below a value: another one, or the end of what both lie in."""
    own_indent = len(text) - len(text.lstrip(" "))
    return own_indent == indent or (own_indent == indent - 2 and text[own_indent : own_indent + 1] in ("}", "]"))


def _of_python(literal: str) -> str:
    """The text that a literal of Python stands for."""
    from ast import literal_eval

    return str(literal_eval(literal))


def _refuse(message: str, at: int) -> NoReturn:
    raise Unreadable(Problem(message, Span(at, at + 1)))


FORMAT = Format("snapshots", SUFFIXES, _read)
