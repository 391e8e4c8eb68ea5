"""Where in the text of a policy something stands, as the API writes it: a path of keys and indexes, and a span."""

from __future__ import annotations

from typing import Any

from policy_guard.documents.source import Array, Node, Object, Source, Span


def location(source: Source, root: Node | None, span: Span) -> dict[str, Any]:
    """The location of a span; its path leads to the innermost value, or key, that holds it."""
    return {
        "path": _path(root, span) if root is not None else [],
        "span": {"start": _position(source, span.start), "end": _position(source, span.end)},
    }


def _path(node: Node, span: Span) -> list[dict[str, Any]]:
    path: list[dict[str, Any]] = []
    while True:
        step = _step(node, span)
        if step is None:
            return path
        element, child = step
        path.append(element)
        if child is None:
            return path
        node = child


def _step(node: Node, span: Span) -> tuple[dict[str, Any], Node | None] | None:
    if isinstance(node, Array):
        numbered = (({"index": index}, item) for index, item in enumerate(node.items))
        return next((step for step in numbered if _holds(step[1].span, span)), None)
    for key, value in node.entries if isinstance(node, Object) else ():
        if _holds(value.span, span):
            return {"value": key.text}, value
        if _holds(key.span, span):
            return {"key": key.text}, None
    return None


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _position(source: Source, offset: int) -> dict[str, int]:
    """A position as the API counts: lines from 1, columns and offsets from 0."""
    position = source.position(offset)
    return {"line": position.line, "column": position.column - 1, "offset": offset}
