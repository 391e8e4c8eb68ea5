"""YAML 1.1 as PyYAML reads it, as a tree with places: aliases and merge keys resolved, nothing constructed."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING

from policy_guard.documents.format import MAX_DEPTH, MAX_VALUES, Format
from policy_guard.documents.formats._plain import dispute_of
from policy_guard.documents.formats._template import is_template, masked, refusal, unmasked
from policy_guard.documents.source import Array, Entry, Node, Object, Problem, Scalar, Source, Span, Unreadable
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

if TYPE_CHECKING:
    from typing import TypeAlias

    from yaml import YAMLError
    from yaml._yaml import Mark as CMark
    from yaml.error import Mark
    from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, Event, ScalarEvent

    _Mark: TypeAlias = Mark | CMark

# Line breaks in YAML 1.1, which PyYAML reads, and none in 1.2: what is a comment for one is read by the other.
_LINE_BREAKS = regex("[\x85\u2028\u2029]")
_LONE_RETURN = regex(r"\r(?!\n)")
_BRACKETS = regex(r"""(?P<opening>[\[{])|(?P<closing>[\]}])|"(?:[^"\\]|\\.)*"?|'[^']*'?""", re.DOTALL)
_MOST_REPEATED = 1_000_000
"""Characters that aliases may add to those written in the file."""
_STANDARD = "tag:yaml.org,2002:"
_BINARY = f"{_STANDARD}binary"
_MERGE = "merge"
_BELOW = "stands above a merge key << that brings it in, too, and parsers disagree on which one counts; write << first"
# What JSON has no type for is text: a policy's Version is a timestamp in YAML 1.1.
_KINDS = {
    "str": "string",
    "int": "number",
    "float": "number",
    "bool": "boolean",
    "null": "null",
    "timestamp": "string",
    "value": "string",
    "merge": _MERGE,
}

_STAR = 'a "*" without quotation marks begins an alias in YAML; write "*" in quotation marks'
_NO_ANCHOR = (
    "this alias repeats an anchor that is not defined before it; a wildcard at the beginning needs quotation marks"
)


class _NoYaml(Unreadable):
    """Raised for a text that breaks the rules of YAML, as templates do."""


class _Anchored(NamedTuple):
    """A node that aliases may repeat.

    `values`, `characters` and `height` are those of the tree below it, aliases followed.
    """

    node: Node
    values: int
    characters: int
    height: int


class _Open:
    """A list or mapping that is being read; `children` of a mapping are its keys and values in turn."""

    __slots__ = ("characters", "children", "event", "height", "outer_values")

    def __init__(self, event: CollectionStartEvent, outer_values: int, characters: int) -> None:
        self.event = event
        self.outer_values = outer_values
        self.characters = characters
        self.children: list[Node] = []
        self.height = 1


class _Builder:
    """Builds the documents from parser events, bounded in depth and in values even where aliases multiply them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.documents: list[Node] = []
        self.open: list[_Open] = []
        self.anchors: dict[str, _Anchored | None] = {}
        self.values = 0
        self.characters = 0
        self.repeated = 0
        # Where the last event ends that was told by the library.
        self.event_end = 0
        # Where the last thing written ends: PyYAML's end marks of block collections run past comments and blanks.
        self.last = 0

    def begin(self) -> None:
        self.anchors.clear()

    def alias(self, event: AliasEvent) -> None:
        span = _span(event)
        if event.anchor not in self.anchors:
            raise _unreadable(_NO_ANCHOR, span)
        anchored = self.anchors[event.anchor]
        if anchored is None:
            raise _unreadable("this alias repeats a value that contains it, without end", span)
        self.last = span.end
        self.repeated += anchored.characters
        if self.repeated > _MOST_REPEATED:
            raise _unreadable(
                f"aliases repeat more than {_MOST_REPEATED:,} characters; shorten the texts, or exclude the file", span
            )
        self.add(anchored, span, anchored.values, anchored.characters)

    def scalar(self, event: ScalarEvent, tag: str) -> None:
        span = _span(event)
        if event.style in ("|", ">"):
            span = Span(span.start, span.start + len(self.text[span.start : span.end].rstrip()))
        kind = _KINDS.get(tag.removeprefix(_STANDARD)) if tag.startswith(_STANDARD) else None
        plain = event.implicit[0] or event.tag not in (None, "!", f"{_STANDARD}str")
        dispute = dispute_of(event.value, tag.removeprefix(_STANDARD)) if kind and plain else ""
        text = _of_binary(event.value) if tag == _BINARY else event.value
        node = Scalar(
            text=text, span=span, kind=kind or "string", tag=None if kind else _tag_text(tag), disputed=dispute
        )
        self.last = span.end
        self.finish(event.anchor, _Anchored(node, 1, len(event.value), 0), span, 1, len(event.value))

    def start(self, event: CollectionStartEvent) -> None:
        if len(self.open) == MAX_DEPTH:
            raise _too_deep(_span(event))
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.open.append(_Open(event, self.values, self.characters))

    def end(self, event: CollectionEndEvent, mapping: bool) -> None:
        collection = self.open.pop()
        closing = _span(event).end
        if collection.event.flow_style and self.text[closing - 1] in "]}":
            self.last = closing
        start = _span(collection.event).start
        span = Span(start, max(self.last, start))
        children, tag = collection.children, _tag_text(collection.event.tag)
        node = Object(_entries(children), span, tag) if mapping else Array(tuple(map(_settle, children)), span, tag)
        values, characters = self.values - collection.outer_values + 1, self.characters - collection.characters
        self.finish(collection.event.anchor, _Anchored(node, values, characters, collection.height), span, 1, 0)

    def finish(self, anchor: str | None, anchored: _Anchored, span: Span, values: int, characters: int) -> None:
        if anchor is not None:
            self.anchors[anchor] = anchored
        self.add(anchored, span, values, characters)

    def add(self, anchored: _Anchored, span: Span, values: int, characters: int) -> None:
        """Puts a node where it belongs; `values` and `characters` are those that are not counted already."""
        self.values += values
        self.characters += characters
        if self.values > MAX_VALUES:
            message = f"the file holds more than {MAX_VALUES:,} values once its aliases are followed; no policy does"
            raise _unreadable(message, span)
        if len(self.open) + anchored.height > MAX_DEPTH:
            raise _too_deep(span)
        if self.open:
            self.open[-1].children.append(anchored.node)
            self.open[-1].height = max(self.open[-1].height, anchored.height + 1)
        else:
            self.documents.append(_settle(anchored.node))


def _entries(children: list[Node]) -> tuple[Entry, ...]:
    """The entries of a mapping: its own, then those merged in that it does not have itself."""
    own_entries: list[Entry] = []
    merged_entries: tuple[Entry, ...] | None = None
    merge_position = 0
    for key, value in zip(children[::2], children[1::2], strict=True):
        if not isinstance(key, Scalar):
            message = "a list or a mapping stands here as a key; put template parts in quotation marks"
            raise _NoYaml(Problem(message, key.span))
        if key.kind != _MERGE:
            own_entries.append(Entry(key, _settle(value)))
        elif merged_entries is None:
            merged_entries, merge_position = _merged_entries(value), len(own_entries)
        else:
            raise _unreadable("the merge key << stands twice in one mapping; give it a list", key.span)
    return (
        *_mark_overridden(own_entries, merge_position, merged_entries or ()),
        *_without_known(set(map(_name, own_entries)), merged_entries or ()),
    )


def _mark_overridden(own_entries: list[Entry], merge_position: int, merged_entries: tuple[Entry, ...]) -> list[Entry]:
    """The own entries; the first `merge_position` of them stand above `<<`, and some readers prefer what is merged.

    Go's yaml.v2 takes keys and merges in the order written: https://github.com/go-yaml/yaml/blob/v2.4.0/decode.go.
    """
    names = {entry.key.text for entry in merged_entries}
    entries_above = [
        entry._replace(key=entry.key._replace(disputed=_BELOW)) if entry.key.text in names else entry
        for entry in own_entries[:merge_position]
    ]
    return entries_above + own_entries[merge_position:]


def _merged_entries(value: Node) -> tuple[Entry, ...]:
    """Return what `<<` brings in; of a list of mappings the earlier ones win (https://yaml.org/type/merge.html)."""
    parts = value.items if isinstance(value, Array) and value.tag is None else (value,)
    entries: list[Entry] = []
    names: set[tuple[str, str]] = set()
    for part in parts:
        if not isinstance(part, Object) or part.tag is not None:
            raise _unreadable("the merge key << takes a mapping or a list of mappings", part.span)
        entries += _without_known(names, part.entries)
        names.update(map(_name, part.entries))
    return tuple(entries)


def _without_known(names: Container[tuple[str, str]], entries: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in entries if _name(entry) not in names]


def _name(entry: Entry) -> tuple[str, str]:
    return entry.key.text, entry.key.kind


def _settle(node: Node) -> Node:
    """`<<` is an ordinary string where it is no key."""
    return node._replace(kind="string") if isinstance(node, Scalar) and node.kind == _MERGE else node


def _tag_text(tag: str | None) -> str | None:
    """A tag as people write it; None for the tags that every list and mapping has."""
    if tag in (None, "!", f"{_STANDARD}map", f"{_STANDARD}seq"):
        return None
    return f"!!{tag[len(_STANDARD) :]}" if tag.startswith(_STANDARD) else tag


def _of_binary(text: str) -> str:
    """Return what the base64 under `!!binary` spells: for some readers that is a text, if a key such as any other."""
    from base64 import b64decode

    try:
        return b64decode(text).decode("ascii")
    except ValueError:
        return text


def _span(event: Event) -> Span:
    assert event.start_mark and event.end_mark
    return Span(_index(event.start_mark), _index(event.end_mark))


def _index(mark: _Mark | None) -> int:
    return mark.index if mark else 0


def _unreadable(message: str, span: Span) -> Unreadable:
    return Unreadable(Problem(message, span))


def _too_deep(span: Span) -> Unreadable:
    return _unreadable(f"the values are nested more than {MAX_DEPTH} levels deep", span)


def _read(source: Source) -> tuple[Node, ...]:
    _refuse_odd_characters(source.text)
    try:
        return _documents(source.text)
    except _NoYaml as error:
        if not is_template(source.text):
            raise
        masking = masked(source.text)
        if masking is None:
            raise refusal(source.text, error) from None
    return tuple(unmasked(document, masking[1]) for document in _documents(masking[0]))


def _refuse_odd_characters(text: str) -> None:
    """Refuses what readers take for different things: a line's end or none, a mark to skip or a part of a word."""
    if line_break := _LINE_BREAKS.search(text):
        words = "YAML 1.1 and 1.2 differ in whether a line ends here; remove this character"
        raise _unreadable(words, Span(*line_break.span()))
    if (at := text.find("\ufeff")) >= 0:
        words = "some YAML parsers skip this byte order mark, and others read it as a letter; remove it"
        raise _unreadable(words, Span(at, at + 1))
    if "\r" in text and (lone_return := _LONE_RETURN.search(text)):
        words = "YAML parsers disagree on whether a carriage return alone ends a line; write line feeds"
        raise _unreadable(words, Span(*lone_return.span()))


def _documents(text: str) -> tuple[Node, ...]:
    from yaml import YAMLError

    builder = _Builder(text)
    try:
        _build(text, builder)
        return tuple(builder.documents)
    except YAMLError as error:
        raise _nesting_refusal(error, builder) or _syntax(error, text) from None
    except (RecursionError, ValueError):
        raise _unreadable("this YAML cannot be read", Span(0, 1)) from None


def _build(text: str, builder: _Builder) -> None:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        while not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
            builder.event_end = _index(event.end_mark)
            if isinstance(event, yaml.NodeEvent):
                _refuse_bare_question_mark(text, _span(event))
            match event:
                case yaml.ScalarEvent():
                    tag = event.tag if event.tag not in (None, "!") else None
                    builder.scalar(event, tag or loader.resolve(yaml.ScalarNode, event.value, event.implicit))
                case yaml.AliasEvent():
                    builder.alias(event)
                case yaml.CollectionStartEvent():
                    builder.start(event)
                case yaml.CollectionEndEvent():
                    builder.end(event, isinstance(event, yaml.MappingEndEvent))
                case yaml.DocumentStartEvent():
                    builder.begin()
    finally:
        loader.dispose()


def _refuse_bare_question_mark(text: str, node: Span) -> None:
    """Refuses `{?key: value}`, in which YAML 1.1 has the key "key", and other readers "?key"."""
    if node.end > node.start and text[node.start - 1 : node.start] == "?":
        words = 'YAML parsers disagree on whether this "?" is a part of the key; leave it out'
        raise _unreadable(words, Span(node.start - 1, node.start))


def _nesting_refusal(error: YAMLError, builder: _Builder) -> Unreadable | None:
    """The refusal of too deep a nesting, if the library gave up on brackets that it had looked at ahead of its events.

    The library looks up to 1,024 characters ahead and may have a limit of its own, which must not strike first.
    """
    depth = len(builder.open)
    end = _index(getattr(error, "problem_mark", None)) + 1
    for match in _BRACKETS.finditer(builder.text, builder.event_end, end):
        depth += (match.lastgroup == "opening") - (match.lastgroup == "closing")
        if depth > MAX_DEPTH:
            return _too_deep(Span(*match.span()))
    return None


def _syntax(error: YAMLError, text: str) -> Unreadable:
    """PyYAML's complaint at its place, with a hint where the usual reason is plain to see."""
    from yaml.error import MarkedYAMLError
    from yaml.reader import Reader

    if not isinstance(error, MarkedYAMLError):
        character = Reader.NON_PRINTABLE.search(text)
        at = character.start() if character else 0
        return _unreadable(
            "YAML does not take this invisible character; remove it or write it as an escape", Span(at, at + 1)
        )
    at = _index(error.problem_mark or error.context_mark)
    line = text[text.rfind("\n", 0, at) + 1 : at + 2]
    if text[at - 1 : at] == "*":
        return _NoYaml(Problem(_STAR, Span(at - 1, at)))
    if "\t" in line[-2:] or "\t" in line[: len(line) - len(line.lstrip())]:
        return _NoYaml(Problem("a tab stands here, and YAML indents with spaces only; replace it", Span(at, at + 1)))
    has_marks = any(opening in line for opening in ("{{", "{%", "%{"))
    hint = "; put template parts in quotation marks" if has_marks else ""
    return _NoYaml(Problem(f"this is not valid YAML: {str(error.problem)[:100]}{hint}", Span(at, at + 1)))


FORMAT = Format(
    "yaml", (".yaml", ".yml", ".yaml.tpl", ".yml.tpl", ".yaml.tftpl", ".yaml.tmpl", ".yaml.j2", ".yml.j2"), _read
)
