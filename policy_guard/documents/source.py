"""A file as text, its places, and the tree of values written in it, each knowing where it stands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import TypeAlias

from policy_guard.records import NamedTuple


class Span(NamedTuple):
    """Half-open range of character offsets into a `Source.text`."""

    start: int
    end: int


class Position(NamedTuple):
    """Line and column, both counted from 1; the column counts characters."""

    line: int
    column: int


class Source:
    """The decoded text of one file, without byte order mark, at one revision. Nobody changes one.

    `path` is relative to the repository's root with `/` between folders. `revision` names where the text was
    read (`"index"`, `"working tree"`, a commit) and is for people, as in "main@3f9c2ab".
    """

    __slots__ = ("_starts", "path", "revision", "text")

    def __init__(self, path: str, text: str, revision: str = "") -> None:
        self.path = path
        self.text = text
        self.revision = revision
        self._starts: list[int] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Source) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f"Source{self._identity()!r}"

    def _identity(self) -> tuple[str, str, str]:
        return self.path, self.text, self.revision

    def position(self, offset: int) -> Position:
        """Return where the character at `offset` stands."""
        starts = self._line_starts()
        line = bisect_right(starts, offset)
        return Position(line, offset - starts[line - 1] + 1)

    def at(self, offset: int) -> str:
        """Return where the character at `offset` stands, as people and editors spell it: "policy.json:3:14"."""
        line, column = self.position(min(offset, len(self.text)))
        return f"{self.path}:{line}:{column}"

    def offset(self, line: int, column: int) -> int:
        """The offset of a position; that of `position` leads back."""
        return self._line_starts()[line - 1] + column - 1

    def line(self, number: int) -> str:
        """The text of line `number` (from 1) without its line ending."""
        starts = self._line_starts()
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")

    def line_count(self) -> int:
        return len(self._line_starts())

    def _line_starts(self) -> list[int]:
        if not self._starts:
            starts, at = [0], self.text.find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = self.text.find("\n", at + 1)
            self._starts.extend(starts)
        return self._starts


class Spot(NamedTuple):
    """A span of a source."""

    source: Source
    span: Span


class Origin(NamedTuple):
    """Where a text is written that is used elsewhere; `exact` if it stands there as it is, character by character.

    `way` are the names through which it comes to its use: "local.actions", "module.x.actions".
    """

    source: Source
    span: Span
    exact: bool = False
    way: tuple[str, ...] = ()


class Hole(NamedTuple):
    """Some text that nobody knows, the same wherever the name is the same.

    The name therefore holds everything in the unit that decides the text. With `several` it may be a list of texts.
    """

    name: str
    several: bool = False


class Guard(NamedTuple):
    """What has to be so for a mapping to be there at all: a text that nobody knows is one of `values`, or none of them.

    `key` names that text, as the name of a hole does, and `words` say the whole: "IsProd holds".
    """

    key: str
    values: tuple[str, ...]
    negated: bool
    words: str


class Stretch(NamedTuple):
    """A part of a text and its place; `exact` if it stands there as it is. `origins` are where it is written."""

    part: str | Hole
    span: Span
    exact: bool = False
    origins: tuple[Origin, ...] = ()


class Scalar(NamedTuple):
    """One value.

    `kind` is `string`, `number`, `boolean` or `null`; `text` is the content as IAM would see it (escapes decoded,
    numbers and booleans as they are spelled). `tag` is a YAML tag such as `!Sub`. `disputed` says why other readers
    take another value from it, as the rest of a sentence about the text; it is empty if all agree.

    With `parts` a container has evaluated it: these are what IAM would see, and no text among them is a placeholder.
    `see` are other places of the same source that decide the text. `written` are the stretches of the text, if a
    container followed them to where they are written.
    """

    text: str
    span: Span
    kind: str = "string"
    tag: str | None = None
    disputed: str = ""
    parts: tuple[str | Hole, ...] | None = None
    see: tuple[Span, ...] = ()
    written: tuple[Stretch, ...] = ()


def origins_of(scalar: Scalar) -> tuple[Origin, ...]:
    """Return where the parts of a text are written, as far as a container followed them."""
    return tuple(origin for stretch in scalar.written for origin in stretch.origins)


class Array(NamedTuple):
    items: tuple[Node, ...]
    span: Span
    tag: str | None = None


class Object(NamedTuple):
    """Entries in the order written; a key written twice is there twice.

    The mapping is there if all `guards` hold, which only a container gives to the statements of a policy.
    """

    entries: tuple[Entry, ...]
    span: Span
    tag: str | None = None
    guards: tuple[Guard, ...] = ()

    def get(self, key: str) -> Node | None:
        """The value of the first entry called `key`."""
        return next((entry.value for entry in self.entries if entry.key.text == key), None)


class Entry(NamedTuple):
    key: Scalar
    value: Node


Node: TypeAlias = "Scalar | Array | Object"


def scalars(node: Node) -> Iterator[Scalar]:
    """Every scalar in a tree, keys included, in the order written."""
    stack: list[Node] = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, Scalar):
            yield node
        elif isinstance(node, Array):
            stack += reversed(node.items)
        else:
            stack += [part for entry in reversed(node.entries) for part in (entry.value, entry.key)]


def is_null(node: Node) -> bool:
    """Tell whether a node is a null, written or not."""
    return isinstance(node, Scalar) and node.kind == "null"


class Problem(NamedTuple):
    """Why a text cannot be read as what it claims to be, and where. One plain sentence without a final stop.

    `code` is what AWS calls it (IAM User Guide, access-analyzer-reference-policy-checks), or empty.
    """

    message: str
    span: Span
    code: str = ""


class Unreadable(Exception):
    """Raised by readers; carries every problem found, at least one."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].message)
        self.problems = problems
