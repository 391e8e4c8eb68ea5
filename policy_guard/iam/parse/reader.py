"""Reads entries and strings off a positioned tree and keeps account of what is wrong with them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from policy_guard.documents.printable import printable, quoted
from policy_guard.documents.source import Array, Hole, Node, Object, Problem, Scalar, Source, Span, origins_of
from policy_guard.iam.parse.functions import Function, function, name_of, not_one_text
from policy_guard.iam.parse.spellings import in_name, in_value, is_nameless, nameless_in, numbered, with_named
from policy_guard.iam.parse.substitution import read_substitution
from policy_guard.iam.policy import Value
from policy_guard.records import NamedTuple
from policy_guard.solver.strings.pattern import (
    Part,
    Pattern,
    Unknown,
    Variable,
    holes,
    joined,
    read_evaluated,
    read_pattern,
    spelled_out,
    visible_name,
)

if TYPE_CHECKING:
    from policy_guard.documents.placeholder_patterns import Placeholders

MOST_SUGGESTIONS = 20
_ARRAYS = dict.fromkeys(("Principal", "AWS", "Service", "Federated", "CanonicalUser"), "PRINCIPAL")


class Key(NamedTuple):
    """A condition key. With `unknown` it has an unknown part, so that nobody knows which key it is."""

    text: str
    unknown: bool


class Reader:
    """Collects problems and doubts while one document is read."""

    def __init__(self, source: Source, placeholders: tuple[str, ...] = ()) -> None:
        """`placeholders` are regular expressions for what is one by the settings."""
        self.source = source
        self._placeholders = _compiled(placeholders)
        self._nameless = 0
        self.problems: list[Problem] = []
        self.doubts: list[Problem] = []
        self._suggested = 0

    @cached_property
    def _by_place(self) -> list[int]:
        return list(nameless_in(self.source.text))

    def problem(self, message: str, span: Span, code: str = "") -> None:
        self.problems.append(Problem(message, span, code))

    def doubt(self, message: str, span: Span, code: str = "") -> None:
        """Keeps what can be read, and is likely to mean something else than it seems to."""
        self.doubts.append(Problem(message, span, code))

    def entries(
        self, node: Object, names: Sequence[str], owner: str, code: str = "INVALID_POLICY_ELEMENT"
    ) -> dict[str, Node]:
        """The entries by name. Unknown names, which AWS has a code for, and repeated ones are problems."""
        nodes: dict[str, Node] = {}
        if node.tag is not None:
            self.problem(f"{quoted(node.tag)} has no meaning here; leave the tag out", node.span)
        for key, value in node.entries:
            self.refuse_tag(key)
            if key.text in nodes:
                self.problem(f"{quoted(key.text)} is written twice in {owner}; keep one", key.span, "JSON_SYNTAX_ERROR")
            elif key.text not in names:
                suggestion = _suggestion(key.text, names) if self.may_suggest() else ""
                self.problem(f"{owner} has no element {quoted(key.text)}{suggestion}", key.span, code)
            else:
                nodes[key.text] = value
        return nodes

    def refuse_tag(self, key: Scalar) -> None:
        """Notes a problem for a tag before the name of an element or operator, which some readers take no notice of."""
        if key.tag is not None:
            self.problem(f"{quoted(key.tag)} has no meaning before a key; leave the tag out", key.span)

    def may_suggest(self) -> bool:
        """Tell whether to look for what was meant: for the first few mistakes only, since it takes its time."""
        self._suggested += 1
        return self._suggested <= MOST_SUGGESTIONS

    def values(
        self,
        node: Node,
        name: str,
        variables: bool,
        plain: bool = False,
        if_empty: str = "",
        empty_code: str = "",
    ) -> tuple[Value, ...]:
        """One string or a list of them. With `plain`, numbers and booleans do as well.

        An empty list is a problem, unless `if_empty` says what it means: then it is a doubt.
        """
        items = node.items if isinstance(node, Array) and node.tag is None else (node,)
        if not items and if_empty:
            self.doubt(f"{quoted(name)} is an empty list: {if_empty}", node.span, empty_code or _empty_array(name))
        elif not items:
            self.problem(f"{quoted(name)} is an empty list", node.span, _empty_array(name))
        return tuple(value for item in items if (value := self.value(item, name, variables, plain)))

    def value(self, node: Node, name: str, variables: bool, plain: bool = False) -> Value | None:
        if call := function(node):
            return self._function_value(call, node, name, variables)
        if not isinstance(node, Scalar):
            self.problem(f"{quoted(name)} takes a string or a list of strings", node.span, "DATA_TYPE_MISMATCH")
            return None
        if node.kind != "string" and not (plain and node.kind in ("number", "boolean")):
            self.problem(
                f"{quoted(name)} takes strings, and this is a {node.kind}; put it in quotation marks",
                node.span,
                "DATA_TYPE_MISMATCH",
            )
            return None
        if node.parts is not None and node.kind != "boolean":
            return self._evaluated(node, node.parts, name, variables)
        text = node.text.lower() if node.kind == "boolean" else node.text
        return self._text(text, node.span, variables)

    def _evaluated(self, node: Scalar, parts: Sequence[str | Hole], name: str, variables: bool) -> Value | None:
        """The value of a text that a container has evaluated."""
        pieces: list[Part] = []
        try:
            for part in parts:
                if isinstance(part, Hole):
                    place = f" in {name.removeprefix('Not').lower()}" if part.several else ""
                    pieces.append(Unknown(f"{part.name}{place}"))
                else:
                    pieces += read_evaluated(part, variables, known_key).parts
        except ValueError as error:
            self.problem(printable(str(error)), node.span)
            return None
        return self._with_placeholders(Value(node.text, Pattern(joined(pieces)), node.span, node.see, origins_of(node)))

    def _text(self, text: str, span: Span, variables: bool) -> Value | None:
        try:
            value = Value(text, read_pattern(text, variables, known_key), span)
        except ValueError as error:
            self.problem(printable(str(error)), span, _variable_code(text))
            return None
        return self._with_placeholders(value)

    def name(self, value: Value) -> Value:
        """The value, which names a resource, an action or a principal, with the placeholders that no real name is."""
        pattern, doubtful = in_name(value.pattern)
        if pattern is value.pattern and not holes(pattern):
            return value
        for text in doubtful:
            self._doubt_placeholder(text, value.span)
        return value._replace(pattern=self._numbered(pattern, value.span))

    def condition_value(self, value: Value) -> Value:
        """The value, which a condition compares with, after a look at what may be a placeholder in it."""
        for text in in_value(value.pattern):
            self._doubt_placeholder(text, value.span)
        return value

    def _doubt_placeholder(self, text: str, span: Span) -> None:
        message = f'{quoted(text)} looks like a placeholder and is read as written; name it under "placeholders" in the'
        self.doubt(f"{message} settings if it is one", span)

    def _numbered(self, pattern: Pattern, span: Span) -> Pattern:
        if not any(map(is_nameless, pattern.parts)):
            return pattern
        with_numbers = numbered(pattern, self._nameless, bisect_left(self._by_place, span.start))
        self._nameless += sum(a is not b for a, b in zip(pattern.parts, with_numbers.parts, strict=True))
        return with_numbers

    def key(self, node: Scalar) -> Key | None:
        """A condition key in lower case, but for the names of its unknown parts."""
        if node.tag not in (None, "!Sub"):
            self.problem(f"{quoted(node.tag or '')} has no meaning for a condition key; leave the tag out", node.span)
            return None
        if node.parts is not None:
            value = self._evaluated(node, node.parts, "Condition", variables=False)
        else:
            value = self._text(node.text, node.span, variables=False) if node.tag is None else self._key_under_sub(node)
        if value is None:
            return None
        parts = in_name(value.pattern).pattern.parts
        text = "".join(part.lower() if isinstance(part, str) else spelled_out(Pattern((part,))) for part in parts)
        return Key(text, any(isinstance(part, Unknown) for part in parts))

    def _key_under_sub(self, node: Scalar) -> Value | None:
        return self._substitution(node._replace(tag=None), node, "Condition", variables=False)

    def _with_placeholders(self, value: Value) -> Value | None:
        try:
            value = value._replace(pattern=self._numbered(with_named(value.pattern, self._placeholders), value.span))
        except ValueError as error:
            self.problem(printable(str(error)), value.span)
            return None
        for part in value.pattern.parts:
            if isinstance(part, Variable) and _is_multivalued(part.key):
                problem = f"{quoted(f'${{{part.key}}}')} is a key with several values, and no policy variable"
                self.problem(problem, value.span)
        return value

    def _function_value(self, call: Function, node: Node, name: str, variables: bool) -> Value | None:
        """The value of a template's tag or function, as an unknown part."""
        if reason := not_one_text(call):
            self.problem(f"{reason}; write the resulting value, a policy each if that differs", node.span)
            return None
        if call.name == "Fn::Sub":
            return self._substitution(call.argument, node, name, variables)
        part = Unknown(name_of(call, name.removeprefix("Not").lower()))
        body = self.source.text[node.span.start : node.span.end]
        return Value(visible_name(part.name) if call.name == "Ref" else body, Pattern((part,)), node.span)

    def _substitution(self, argument: Node, node: Node, name: str, variables: bool) -> Value | None:
        """`Fn::Sub`: `${Name}` is filled in, `${!x}` becomes the text `${x}` (CloudFormation User Guide, Fn::Sub)."""
        body = self.source.text[node.span.start : node.span.end]
        pieces = argument.items if isinstance(argument, Array) else (argument,)
        mapping = pieces[1] if len(pieces) == 2 else Object((), node.span)
        text = pieces[0] if pieces else None
        if not isinstance(text, Scalar) or text.tag or not isinstance(mapping, Object) or len(pieces) > 2:
            self.problem("!Sub takes a text, or a list of a text and a mapping", node.span)
            return None
        names = {key.text.strip() for key, _ in mapping.entries if key.tag is None}
        if len(names) < len(mapping.entries):
            self.problem(
                "!Sub has a name twice in its mapping, or one with a tag; keep one, and only the name", node.span
            )
        values = {key.text: self.value(value, name, variables, plain=True) for key, value in mapping.entries}
        try:
            pattern = read_substitution(text.text, variables, known_key, {k: v.pattern for k, v in values.items() if v})
        except ValueError as error:
            self.problem(printable(str(error)), node.span)
            return None
        return self._with_placeholders(Value(body if mapping.entries else text.text, pattern, node.span))


def _variable_code(text: str) -> str:
    """Return what AWS calls the mistake of a text whose policy variables cannot be read."""
    start = text.rfind("${")
    inner = text[start + 2 :].partition("}")
    if start >= 0 and not inner[1]:
        return "MISSING_BRACE_IN_VARIABLE"
    if start >= 0 and not inner[0].strip():
        return "EMPTY_VARIABLE"
    if "," in inner[0]:
        return "MISSING_QUOTE_IN_VARIABLE"
    return "UNSUPPORTED_SPACE_IN_VARIABLE" if " " in inner[0] else ""


def _empty_array(name: str) -> str:
    element = name.removeprefix("Not")
    return f"EMPTY_ARRAY_{element.upper() if element in ('Action', 'Resource') else _ARRAYS.get(element, 'CONDITION')}"


def _compiled(expressions: tuple[str, ...]) -> Placeholders | None:
    if not expressions:
        return None
    from policy_guard.documents.placeholder_patterns import Placeholders

    return Placeholders(expressions)


def known_key(key: str) -> bool:
    """Tell whether a key may be AWS's: its prefix is that of a service or of an identity provider, which is a host."""
    from policy_guard.iam.catalog import actions, key_type

    prefix = key.partition(":")[0]
    return prefix in ("aws", "saml", "sts") or "." in prefix or bool(key_type(key) or actions(prefix))


def _is_multivalued(key: str) -> bool:
    from policy_guard.iam.catalog import key_type

    entry = key_type(key)
    return entry is not None and entry.multivalued


def _suggestion(text: str, names: Sequence[str]) -> str:
    from difflib import get_close_matches

    by_case = {name.lower(): name for name in names}
    close = get_close_matches(text.lower(), by_case, 1)
    return f'; did you mean "{by_case[close[0]]}"?' if close else f"; it takes {', '.join(names)}"
