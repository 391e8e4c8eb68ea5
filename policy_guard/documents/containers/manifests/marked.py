"""Manifests that are templates of Go or Jinja: read as if the marks were names, and known by their text.

Lines of marks alone, such as `{{- if .Values.on }}`, are no YAML. What stands between them is judged as if it were
there once, and other marks are new access: what they come to is the same as long as their text is, unless what decides
it changes elsewhere.

Source: Helm, "The Chart Template Developer's Guide".
"""

from __future__ import annotations

from collections.abc import Iterable

from policy_guard.documents.source import Array, Entry, Node, Scalar, Source, Span
from policy_guard.regex import regex

# No braces inside: each stretch of a text is then gone through once.
_MARK = regex(r"\{\{[^{}]*\}\}|\{%[^%{}]*%\}|\{#[^#{}]*#\}")
_ALONE = regex(r"[ \t]*(?:\ue000[^\n\ue000\ue001]*\ue001[ \t]*)+")
_KEY = regex(r"\s*(?:-\s+)*([\w./-]+)\s*:")
# Lines that say what a resource is or gives: where among them a mark stands decides what it leaves out or repeats.
_TELLING = regex(r"(?i)^---|apiVersion|kind:|polic|arn|effect|action|principal|statement|role")
_SHIFT = 0xE100
_FIRST, _LAST = "\ue000", "\ue001"
_LONGEST = 500_000


def masked(source: Source) -> Source | None:
    """The source with other characters in place of its marks, at the same places; None if it has none."""
    if len(source.text) > _LONGEST or not _MARK.search(source.text) or _FIRST in source.text:
        return None
    lines = _MARK.sub(lambda mark: _mask(mark[0]), source.text).split("\n")
    text = "\n".join(" " * len(line) if _ALONE.fullmatch(line) else line for line in lines)
    return Source(source.path, text, source.revision)


def unmasked(node: Node) -> Node:
    """The tree with the texts of its marks as they are written."""
    if isinstance(node, Scalar):
        return node._replace(text=_unmasked_text(node.text))
    if isinstance(node, Array):
        return node._replace(items=tuple(map(unmasked, node.items)))
    entries = (Entry(key._replace(text=_unmasked_text(key.text)), unmasked(value)) for key, value in node.entries)
    return node._replace(entries=tuple(entries))


def marks(source: Source) -> list[Scalar]:
    """The marks that stand in lines of their own, each with what it stands between as its text."""
    line_marks: list[Scalar] = []
    lines, at, telling_count = source.text.split("\n"), 0, 0
    for number, line in enumerate(lines):
        telling_count += bool(_TELLING.search(line))
        if _ALONE.fullmatch(_MARK.sub(lambda mark: _mask(mark[0]), line)):
            neighbor_keys = [_key(each) for each in lines[max(0, number - 1) : number + 2 : 2]]
            start = at + len(line) - len(line.lstrip())
            line_marks.append(Scalar(f"{line.strip()} {telling_count} {neighbor_keys}", Span(start, at + len(line))))
        at += len(line) + 1
    return line_marks


def in_lines(source: Source, spans: Iterable[Span]) -> list[Scalar]:
    """The lines in which marks stand at these places, as texts."""
    lines = {source.position(span.start).line for span in spans}
    starts = ((source.offset(line, 1), source.line(line)) for line in sorted(lines))
    return [Scalar(text.strip(), Span(start, start + len(text))) for start, text in starts]


def _key(line: str) -> str:
    """The key that stands in a line, without its value: what a mark stands beside may change by itself."""
    key = _KEY.match(line)
    return key[1] if key else ""


def _mask(mark: str) -> str:
    """A text of the same length that YAML takes for a plain one."""
    return _FIRST + "".join(map(_mask_character, mark[1:-1])) + _LAST


def _mask_character(character: str) -> str:
    return chr(_SHIFT + ord(character)) if ord(character) < 256 and character not in "\r\n" else character


def _unmasked_text(text: str) -> str:
    if _FIRST not in text:
        return text
    return "".join(map(_unmask_character, text)).replace(_FIRST, "{").replace(_LAST, "}")


def _unmask_character(character: str) -> str:
    return chr(ord(character) - _SHIFT) if _SHIFT <= ord(character) < _SHIFT + 256 else character
