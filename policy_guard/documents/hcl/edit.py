"""Edits of lists and blocks in HCL, laid out as their neighbours are: comments and all other lines stay."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise

from policy_guard.documents.edit import Edit, Layout, rewritten
from policy_guard.documents.hcl.bodies import read_file
from policy_guard.documents.hcl.syntax import Block, Body, Expression, List, Template, Text, parts_of
from policy_guard.documents.source import Span
from policy_guard.regex import regex

_BLANKS = regex(r"[ \t]*")
_END_OF_LINE = regex(r"[ \t]*,?[ \t]*(?:(?:#|//)[^\r\n]*)?(?:\r?\n|\Z)")
_KEY = regex(r"[ \t]*\"?[\w-]+\"?[ \t]*[=:][ \t]*")
_STATEMENT = "statement"
_STEP = "  "
_LONG = 120
ELSEWHERE = "it is not written out in a list there"


class Written:
    """Which places of a file are lists of texts, single texts, statements, and heredocs."""

    def __init__(self, text: str) -> None:
        """Raises `Unreadable`."""
        self.text = text
        self.lists: dict[Span, List] = {}
        self.texts: set[Span] = set()
        self.blocks: dict[Span, Block] = {}
        self.heredocs: list[Span] = []
        self._lists_of_items: dict[Span, List] = {}
        self._add(read_file(text))

    def _add(self, body: Body) -> None:
        stack: list[tuple[object, bool]] = [(body, False)]
        while stack:
            node, in_data = stack.pop()
            if isinstance(node, Body):
                for block in node.blocks:
                    if in_data and block.type == _STATEMENT:
                        self.blocks[block.body.span] = block
                    stack.append((block.body, block.type == "data"))
                stack += ((argument.value, False) for argument in node.arguments.values())
                continue
            self._note(node)
            stack += ((part, False) for part in (node if isinstance(node, tuple) else parts_of(node)))

    def _note(self, node: object) -> None:
        if isinstance(node, List):
            self._lists_of_items |= {item.span: node for item in node.items}
            if all(map(self._is_text, node.items)):
                self.lists[node.span] = node
        elif isinstance(node, Template) and self.text.startswith("<<", node.span.start):
            self.heredocs.append(node.span)
        elif isinstance(node, Template) and self._is_text(node):
            self.texts.add(node.span)

    def _is_text(self, node: Expression) -> bool:
        return (
            isinstance(node, Template)
            and self.text.startswith('"', node.span.start)
            and all(isinstance(part, Text) for part in node.parts)
        )

    def is_in_heredoc(self, span: Span) -> bool:
        """Tell whether a place lies in a heredoc."""
        return any(heredoc.start < span.start and span.end < heredoc.end for heredoc in self.heredocs)

    def rewritten(self, items: Sequence[Span], news: Sequence[Sequence[str] | None]) -> Iterator[Edit]:
        """The edits of a list, or of the statements of a document: for each None to leave it, or what takes its place.

        Raises `Layout`.
        """
        removed = [item for item, strings in zip(items, news, strict=True) if strings == ()]
        if removed and all(item in self.blocks for item in removed):
            yield from (self._without(self.blocks[item]) for item in removed)
        elif all(map(self.is_in_heredoc, items)):
            yield from rewritten(self.text, items, news)
        else:
            yield from self._in_list(items, news)

    def _in_list(self, items: Sequence[Span], news: Sequence[Sequence[str] | None]) -> Iterator[Edit]:
        node = self._lists_of_items.get(items[0])
        if node is None or [item.span for item in node.items] != list(items):
            raise Layout(ELSEWHERE)
        if all(map(self._has_lines, items)):
            for item, strings in zip(items, news, strict=True):
                if strings:
                    yield Edit(item, self._lines(strings, self._indent(item.start)))
                elif strings is not None:
                    yield Edit(Span(self._line(item.start), self._next_line(item.end)), "")
            return
        between = "".join(self.text[a.end : b.start] for a, b in pairwise(items))
        if any(mark in between + self.text[items[-1].end : node.span.end] for mark in ("#", "//", "/*")):
            raise Layout("a comment stands beside it")
        yield from rewritten(self.text, items, news)

    def as_list(self, item: Span, strings: Sequence[str]) -> Iterator[Edit]:
        """The edits that make a list, or another text, of one text. Raises `Layout`."""
        line = self._line(item.start)
        indent = self._indent(item.start)
        in_one_line = f"[{', '.join(map(json.dumps, strings))}]"
        is_long = item.start - line + len(in_one_line) > _LONG
        if len(strings) == 1:
            yield Edit(item, json.dumps(strings[0]))
        elif is_long and _KEY.fullmatch(self.text, line, item.start):
            lines = self._lines(strings, f"{indent}{_STEP}")
            comma = "" if self.is_in_heredoc(item) else ","
            feed = self._feed(item.start)
            yield Edit(item, f"[{feed}{indent}{_STEP}{lines}{comma}{feed}{indent}]")
        else:
            yield Edit(item, in_one_line)

    def _without(self, block: Block) -> Edit:
        """The edit that takes a block away with its lines, and with one of the empty lines around it."""
        start, end = self._line(block.span.start), self._next_line(block.span.end)
        if self.text[start : block.span.start].strip():
            raise Layout("its line holds something else")
        line_before = self._line(start - 1) if start else start
        if start and not self.text[line_before:start].strip():
            start = line_before
        return Edit(Span(start, end), "")

    def _lines(self, strings: Sequence[str], indent: str) -> str:
        return f",{self._feed(0)}{indent}".join(map(json.dumps, strings))

    def _has_lines(self, item: Span) -> bool:
        """Tell whether nothing but a comma and a comment shares the lines of an item."""
        line = self._line(item.start)
        return not self.text[line : item.start].strip() and _END_OF_LINE.match(self.text, item.end) is not None

    def _next_line(self, at: int) -> int:
        match = _END_OF_LINE.match(self.text, at)
        if match is None:
            raise Layout("its line holds something else")
        return match.end()

    def _line(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def _indent(self, at: int) -> str:
        return _BLANKS.match(self.text, self._line(at))[0]  # type: ignore[index]  # it matches nothing, too

    def _feed(self, at: int) -> str:
        end = self.text.find("\n", at)
        return "\r\n" if end > 0 and self.text[end - 1] == "\r" else "\n"
