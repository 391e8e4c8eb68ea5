"""Reads entries and strings off a positioned tree and keeps account of what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence

from policy_guard.pattern import Pattern, Unknown, Variable, read_pattern
from policy_guard.policy import Value
from policy_guard.printable import printable
from policy_guard.source import Array, Node, Object, Problem, Scalar, Source, Span

_LONGEST = 60
MOST_SUGGESTIONS = 20


def quoted(text: str) -> str:
    """Untrusted text for a message: printable, short, in quotation marks."""
    text = printable(text)
    return f'"{text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."}"'


class Reader:
    """Collects problems and doubts while one document is read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.doubts: list[Problem] = []
        self._suggested = 0

    def problem(self, message: str, span: Span) -> None:
        self.problems.append(Problem(message, span))

    def doubt(self, message: str, span: Span) -> None:
        """Keeps what can be read, and is likely to mean something else than it seems to."""
        self.doubts.append(Problem(message, span))

    def entries(self, node: Object, known: Sequence[str], what: str) -> dict[str, Node]:
        """The entries by name. Unknown and repeated names are problems."""
        found: dict[str, Node] = {}
        if node.tag is not None:
            self.problem(f"{quoted(node.tag)} has no meaning here; leave the tag out", node.span)
        for key, value in node.entries:
            if key.text in found:
                self.problem(f"{quoted(key.text)} is written twice in {what}; keep one", key.span)
            elif key.text not in known:
                instead = _instead(key.text, known) if self.may_suggest() else ""
                self.problem(f"{what} has no element {quoted(key.text)}{instead}", key.span)
            else:
                found[key.text] = value
        return found

    def may_suggest(self) -> bool:
        """Whether to look for what may have been meant: for the first few mistakes only, since it takes its time."""
        self._suggested += 1
        return self._suggested <= MOST_SUGGESTIONS

    def values(
        self, node: Node, name: str, variables: bool, plain: bool = False, if_empty: str = ""
    ) -> tuple[Value, ...]:
        """One string or a list of them. With `plain`, numbers and booleans do as well.

        An empty list is a problem, unless `if_empty` says what it means: then it is a doubt.
        """
        items = node.items if isinstance(node, Array) and node.tag is None else (node,)
        if not items and if_empty:
            self.doubt(f"{quoted(name)} is an empty list: {if_empty}", node.span)
        elif not items:
            self.problem(f"{quoted(name)} is an empty list", node.span)
        return tuple(value for item in items if (value := self.value(item, name, variables, plain)))

    def value(self, node: Node, name: str, variables: bool, plain: bool = False) -> Value | None:
        template = self._template(node, variables)
        if template is not None:
            return template
        if not isinstance(node, Scalar):
            self.problem(f"{quoted(name)} takes a string or a list of strings", node.span)
            return None
        if node.kind != "string" and not (plain and node.kind in ("number", "boolean")):
            self.problem(
                f"{quoted(name)} takes strings, and this is a {node.kind}; put it in quotation marks", node.span
            )
            return None
        text = node.text.lower() if node.kind == "boolean" else node.text
        return self._text(text, node.span, variables)

    def _text(self, text: str, span: Span, variables: bool) -> Value | None:
        try:
            value = Value(text, read_pattern(text, variables), span)
        except ValueError as error:
            self.problem(printable(str(error)), span)
            return None
        for part in value.pattern.parts:
            if isinstance(part, Variable) and _several(part.key):
                self.problem(f"{quoted(f'${{{part.key}}}')} is a key with several values, and no policy variable", span)
        return value

    def _template(self, node: Node, variables: bool) -> Value | None:
        """The value of a template's tag or function, as an unknown part; None if the node is none."""
        body = self.source.text[node.span.start : node.span.end]
        if isinstance(node, Object) and len(node.entries) == 1 and node.tag is None:
            name, argument = node.entries[0].key.text, node.entries[0].value
            if name == "Fn::Sub" and isinstance(argument, Scalar):
                return self._substitution(argument, variables)
            if name == "Ref" and isinstance(argument, Scalar):
                return Value(f"${{{argument.text}}}", Pattern((Unknown(argument.text),)), node.span)
            if name.startswith("Fn::"):
                return Value(body, Pattern((Unknown(_resolved(node)),)), node.span)
        tag = node.tag
        if tag is None or tag.startswith("tag:yaml.org,2002:"):
            return None
        if tag == "!Sub" and isinstance(node, Scalar):
            return self._substitution(node, variables)
        if tag == "!Ref" and isinstance(node, Scalar):
            return Value(f"${{{node.text}}}", Pattern((Unknown(node.text),)), node.span)
        return Value(body, Pattern((Unknown(_resolved(node)),)), node.span)

    def _substitution(self, node: Scalar, variables: bool) -> Value | None:
        """`Fn::Sub`: `${Name}` is filled in, `${!x}` becomes the text `${x}` (CloudFormation User Guide, Fn::Sub)."""
        return self._text(node.text.replace("${!", "${"), node.span, variables)


def _several(key: str) -> bool:
    from policy_guard.catalog import key_type

    known = key_type(key)
    return known is not None and known.several


def _resolved(node: Node) -> str:
    """The node in a line, with what its aliases stand for: the same text is the same value."""
    tag = f"{node.tag} " if node.tag else ""
    if isinstance(node, Scalar):
        return f"{tag}{node.text}" if node.kind != "string" else f"{tag}{node.text!r}"
    if isinstance(node, Array):
        return f"{tag}[{', '.join(map(_resolved, node.items))}]"
    return f"{tag}{{{', '.join(f'{entry.key.text!r}: {_resolved(entry.value)}' for entry in node.entries)}}}"


def _instead(text: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    by_case = {name.lower(): name for name in known}
    close = get_close_matches(text.lower(), by_case, 1)
    return f'; did you mean "{by_case[close[0]]}"?' if close else f"; it takes {', '.join(known)}"
