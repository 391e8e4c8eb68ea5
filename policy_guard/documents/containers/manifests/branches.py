"""Marks of Go's templates and of Jinja, and what they decide: which stretches of a file are there, and how often.

An engine runs over the whole text, comments and values included. Either engine may be the one that does, so that each
has its own reading of the marks; a policy is another one if one of both readings says so.

Sources: pkg.go.dev/text/template; "Template Designer Documentation" of Jinja.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from policy_guard.documents.containers.opaque import digest
from policy_guard.documents.source import Span
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

_GO_INNER = regex(r"\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`|'(?:[^'\\\n]|\\.)*'|\}\}")
_JINJA_INNER = regex(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[%}]\}")
_JINJA_OPENING = regex(r"\{[{%#]")
_END_OF_RAW = regex(r"\{%[-+]?\s{0,9}endraw\b")
_GO_COMMENT = regex(r"\{\{(?:-\s{1,9})?\s{0,9}/\*")
_WORD = regex(r"\$?\w+")
_GO_OPENING = ("if", "with", "range", "define", "block")
_JINJA_OPENING_WORDS = ("if", "for", "with", "macro", "call", "filter", "block", "autoescape", "trans")
_ELSE = ("else", "elif")
# These take effect on what stands behind them.
_LEAVING = ("break", "continue", "fail", "return")
_ASSIGNED = regex(r"\$?\w+(?:\s*,\s*\$?\w+)*\s*:?=(?!=)")
# These change values that every mark may read.
_CHANGING = regex(r"(?:^|[\s(|])(?:set|unset|merge\w*|mustMerge\w*|do|import|from|extends)\b")
_QUOTED = regex(r"[\"'`]([^\"'`\n]{1,200})[\"'`]")
# Of ERB, Terraform, Velocity, FreeMarker and Smarty: these are not followed, so that all before a place count there.
_OTHER_ENGINES = regex(
    r"<%(?!=)[^<%>\n]*%>|%\{~?[ \t]{0,9}(?:if|else|endif|for|endfor)\b[^{}\n]*\}"
    r"|#(?:if|elseif|foreach|set|else|end)\b(?=\(|[ \t]{0,9}$)"
    r"|</?#(?:if|list|else|elseif|assign|macro)\b[^<>\n]*>|\{/?(?:if|foreach|section|while|for)\b[^{}:\n]*\}",
    re.MULTILINE,
)
_MOST_DEFINITIONS = 200
# Lines that say what a resource is or gives: where among them a mark stands decides what it leaves out or repeats.
_TELLING = regex(
    r"(?i)^---|apiVersion|kind:|polic|arn|effect|action|principal|statement|role|user|group\b|bucket|boundary|account"
    r"|annotations:|provider|suspend|external-name"
)
_SIMPLE_MARK = regex(r"\{\{[^{}]*\}\}|\{%[^%{}]*%\}")


class Mark(NamedTuple):
    """A mark: what stands in it, without blanks at its ends, and where it stands."""

    inner: str
    span: Span

    @property
    def word(self) -> str:
        """The first word."""
        match = _WORD.match(self.inner)
        return match[0] if match else ""


class _Definition(NamedTuple):
    """A definition that marks elsewhere may refer to by its name; without a name it may change everything."""

    name: str
    text: str


class _Frame(NamedTuple):
    """A mark that begins a branch or a loop, up to the end of it."""

    mark: Mark
    parts: list[Mark]
    end: int


def go_marks(text: str) -> list[Mark]:
    """The marks of a template of Go, without its comments. What stands behind one that never ends is none for Go."""
    marks: list[Mark] = []
    at = 0
    while (start := text.find("{{", at)) >= 0:
        is_comment = _GO_COMMENT.match(text, start) is not None
        end = text.find("*/", start) if is_comment else _end(text, start + 2, _GO_INNER, "}}")
        if end < 0:
            break
        if is_comment:
            end = text.find("}}", end)
            if end < 0:
                break
        else:
            marks.append(_mark(text, start, end + 2))
        at = end + 2
    return marks


def jinja_marks(text: str) -> list[Mark]:
    """The marks of a template of Jinja, without its comments, and without what stands in `raw`."""
    marks: list[Mark] = []
    at = 0
    while opening := _JINJA_OPENING.search(text, at):
        start, sign = opening.start(), opening[0]
        closing = {"{{": "}}", "{%": "%}", "{#": "#}"}[sign]
        end = text.find("#}", start) if sign == "{#" else _end(text, start + 2, _JINJA_INNER, closing)
        if end < 0:
            at = start + 2
            if sign != "{#":
                break
            continue
        at = end + 2
        if sign == "{#":
            continue
        mark = _mark(text, start, at)
        if not mark.inner.startswith("/*"):
            marks.append(mark)
        if sign == "{%" and mark.word == "raw" and (raw_end := _END_OF_RAW.search(text, at)):
            at = raw_end.start()
    return marks


def _end(text: str, at: int, inner: re.Pattern[str], closing: str) -> int:
    """Return where a mark closes, outside of the texts in it; -1 if nowhere."""
    for match in inner.finditer(text, at):
        if match[0] == closing:
            return match.start()
    return -1


def _mark(text: str, start: int, end: int) -> Mark:
    inner = text[start + 2 : end - 2]
    return Mark(" ".join(inner.strip("-+~ \t\r\n").split()), Span(start, end))


class _Reading:
    """The decisions of the marks of one engine."""

    def __init__(self, text: str, marks: list[Mark], is_go: bool) -> None:
        self.outputs: list[Mark] = []
        self.definitions: list[_Definition] = []
        self.frames: list[_Frame] = []
        self.deciding_marks: list[Mark] = []
        self.marks = marks
        self._text = text
        self._is_go = is_go
        self._starts: list[int] = []
        self._states: list[str] = []
        self._closures: dict[_Definition, set[_Definition]] = {}
        self._follow()

    def _follow(self) -> None:
        open_marks: list[tuple[Mark, list[Mark], str]] = []
        state = ""
        for mark in self.marks:
            word = mark.word
            if self._opens(mark):
                open_marks.append((mark, [], state))
                state = digest((state, mark.inner))
            elif word in _ELSE and open_marks:
                open_marks[-1][1].append(mark)
                state = digest((state, mark.inner))
            elif (word == "end" if self._is_go else word.startswith("end")) and open_marks:
                opening, parts, state = open_marks.pop()
                self._close(opening, parts, mark.span)
            elif word in _LEAVING:
                state = digest((state, mark.inner))
            else:
                self._take(mark)
                continue
            self.deciding_marks.append(mark)
            self._starts.append(mark.span.start)
            self._states.append(state)
        for opening, parts, _ in open_marks:
            self._close(opening, parts, Span(len(self._text), len(self._text)))
        self.frames.sort(key=lambda frame: frame.mark.span)
        self._frame_starts = [frame.mark.span.start for frame in self.frames]
        self.conditions = "\n".join(each.inner for frame in self.frames for each in (frame.mark, *frame.parts))
        if self.conditions:
            self.conditions = f"{{{{{self.conditions}"

    def _opens(self, mark: Mark) -> bool:
        if self._is_go:
            return mark.word in _GO_OPENING
        if not self._text.startswith("{%", mark.span.start):
            return False
        is_set_block = mark.word == "set" and "=" not in mark.inner
        return mark.word in _JINJA_OPENING_WORDS or is_set_block

    def _close(self, opening: Mark, parts: list[Mark], end: Span) -> None:
        self.frames.append(_Frame(opening, parts, end.start))
        if opening.word in ("define", "macro", "block", "set"):
            quoted = _QUOTED.search(opening.inner)
            name = quoted[1] if quoted else opening.inner.removeprefix(opening.word).strip().partition("(")[0]
            self.definitions.append(_Definition(name, self._text[opening.span.start : end.start]))

    def _take(self, mark: Mark) -> None:
        """Takes a mark that decides nothing of what stands around it."""
        inner = mark.inner.removeprefix("set ") if not self._is_go else mark.inner
        assigned = _ASSIGNED.match(inner)
        if assigned:
            names = _WORD.findall(assigned[0])
            self.definitions += [_Definition(name, mark.inner) for name in names]
        if _CHANGING.search(inner if assigned else mark.inner):
            self.definitions.append(_Definition("", mark.inner))
        if not assigned:
            self.outputs.append(mark)

    def state(self, at: int) -> str:
        """The branches around a place, in a short text."""
        count = bisect_right(self._starts, at)
        return self._states[count - 1] if count else ""

    def inside(self, span: Span) -> list[tuple[Mark, _Frame]]:
        """The marks within a stretch that begin, part or end branches there, with those branches."""
        starts = self._frame_starts
        frames = self.frames[bisect_left(starts, span.start) : bisect_left(starts, span.end)]
        return [(mark, frame) for frame in frames for mark in (frame.mark, *frame.parts)]

    def deciding(self, text: str) -> str:
        """Return what the marks in a text refer to, in a short text; empty if nothing."""
        if not self.definitions or ("{{" not in text and "{%" not in text):
            return ""
        texts = self.texts_of(text)
        return digest(texts) if texts else ""

    def texts_of(self, text: str) -> list[str]:
        """The definitions that a text refers to, in their order."""
        if len(self.definitions) > _MOST_DEFINITIONS:
            return [each.text for each in self.definitions]
        chosen = {each for named in self._named_in(text) for each in self._closure(named)}
        return [each.text for each in self.definitions if each in chosen]

    def _named_in(self, text: str) -> list[_Definition]:
        return [each for each in self.definitions if each.name in text]

    def _closure(self, definition: _Definition) -> set[_Definition]:
        """A definition, and all that it refers to."""
        if definition not in self._closures:
            chosen, queue = {definition}, [definition]
            while queue:
                found = [each for each in self._named_in(queue.pop().text) if each not in chosen]
                chosen.update(found)
                queue += found
            self._closures[definition] = chosen
        return self._closures[definition]


class Branches:
    """The decisions of the marks of a file about the stretches between them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.readings = [_Reading(text, go_marks(text), True), _Reading(text, jinja_marks(text), False)]
        self._telling_starts: list[int] = []
        at = 0
        for line in text.split("\n"):
            if _TELLING.search(_SIMPLE_MARK.sub("", line)):
                self._telling_starts.append(at)
            at += len(line) + 1
        self._other_starts: list[int] = []
        self._other_states: list[str] = []
        for match in _OTHER_ENGINES.finditer(text):
            self._other_starts.append(match.start())
            count = bisect_left(self._telling_starts, match.start())
            self._other_states.append(digest((self._other_states[-1:], match[0], count)))
        self._around: dict[Span, tuple[str, ...]] = {}

    def around(self, resource: Span, at: int) -> tuple[str, ...]:
        """Return what decides of a resource, and of a place in it, whether it is there and what marks come to."""
        if resource not in self._around:
            self._around[resource] = tuple(filter(None, self._texts(resource)))
        return (*self._around[resource], *filter(None, (reading.state(at) for reading in self.readings)))

    def starts(self) -> set[int]:
        """Return where the marks stand that decide what is there, or stand in lines of their own."""
        deciding = {mark.span.start for reading in self.readings for mark in reading.deciding_marks}
        return deciding | {mark.span.start for mark in self.outputs() if self._is_alone(mark)}

    def every_start(self) -> set[int]:
        """Return where any mark stands."""
        return {mark.span.start for reading in self.readings for mark in reading.marks}

    def _is_alone(self, mark: Mark) -> bool:
        line_start = self._text.rfind("\n", 0, mark.span.start) + 1
        line_end = self._text.find("\n", mark.span.end)
        behind = self._text[mark.span.end : len(self._text) if line_end < 0 else line_end]
        return not self._text[line_start : mark.span.start].strip() and not behind.strip()

    def state(self, at: int) -> str:
        """The branches around a place, in a short text."""
        return "".join(reading.state(at) for reading in self.readings)

    def outputs(self) -> list[Mark]:
        """The marks that write something, in their order."""
        marks = {mark.span.start: mark for reading in reversed(self.readings) for mark in reading.outputs}
        return [marks[start] for start in sorted(marks)]

    def defined(self, name: str) -> bool:
        """Tell whether the file itself defines a template or a macro of this name."""
        return any(each.name == name for reading in self.readings for each in reading.definitions)

    def templates(self) -> Iterator[tuple[Mark, Span, str]]:
        """The templates of Go that the file defines, each with where it stands and all texts that decide it.

        Many of them are one.
        """
        (reading, _) = self.readings
        if len(reading.definitions) > _MOST_DEFINITIONS:
            yield Mark("all templates", reading.marks[0].span), Span(0, len(self._text)), self._text
            return
        for frame in reading.frames:
            if frame.mark.word in ("define", "block"):
                body = self._text[frame.mark.span.end : frame.end]
                span = Span(frame.mark.span.end, frame.end)
                yield frame.mark, span, "\n".join((body, *reading.texts_of(body)))

    def definitions(self, text: str) -> str:
        """Return what the marks in a text refer to in this file, in a short text; empty if nothing."""
        return "".join(reading.deciding(text) for reading in self.readings)

    def _texts(self, span: Span) -> Iterator[str]:
        first = bisect_left(self._telling_starts, span.start)
        for reading in self.readings:
            yield reading.state(span.start)
            has_frames = bool(reading.state(span.start))
            for mark, frame in reading.inside(span):
                if self._tells(frame):
                    has_frames = True
                    yield f"{mark.inner} {bisect_left(self._telling_starts, mark.span.start) - first}"
            yield reading.deciding(self._text[slice(*span)])
            if has_frames:
                yield reading.deciding(reading.conditions)
        if others := bisect_left(self._other_starts, span.end):
            yield self._other_states[others - 1]

    def _tells(self, frame: _Frame) -> bool:
        """Tell whether in a branch stands what says what a resource is or gives."""
        line_start = self._text.rfind("\n", 0, frame.mark.span.start) + 1
        return bisect_left(self._telling_starts, line_start) < bisect_left(self._telling_starts, frame.end)
