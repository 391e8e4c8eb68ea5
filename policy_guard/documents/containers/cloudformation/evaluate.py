"""Partial evaluation of intrinsic functions: texts with holes, as far as the template says what they come to.

Two holes of one name are one text on both sides, so a name holds all of the template that decides the text. What the
template leaves open is a truth that the evaluation asks for.

Source: AWS CloudFormation Template Reference, intrinsic-function-reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from policy_guard.documents.containers.cloudformation.calls import (
    LOOP,
    NO_VALUE,
    TRANSFORM,
    Opaque,
    call,
    canonical,
    digest,
    shape,
)
from policy_guard.documents.containers.cloudformation.choices import Atom, Impossible, Need, Truths, free, settled
from policy_guard.documents.containers.cloudformation.named import IDENTIFYING, NAMED, all_decide
from policy_guard.documents.containers.cloudformation.template import Template, loop, type_of
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Scalar, Span
from policy_guard.solver.strings.pattern import HIDDEN

Parts: TypeAlias = "tuple[str | Hole, ...]"
# AWS CloudFormation Template Reference, pseudo-parameter-reference: what these are in AWS's own partition.
_IN_AWS = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
PLACE = re.compile(r"\$\{([^{}]*)\}")
_MARK = re.compile(r"\{\{[^{}]*\}\}")
_DEEPEST = 100
_MOST_STEPS = 200_000
_MOST_KEYS = 32
_LONGEST = 100_000
CONSTRAINTS = ("AllowedPattern", "MinLength", "MaxLength", "MinValue", "MaxValue")
"""What a template asks of the value of a parameter, besides its type and AllowedValues."""


class Moved(NamedTuple):
    """The names that mean another thing on the other side of a comparison, as far as the evaluation has to know.

    `defaults` are parameters whose default differs, `allowed` those of which other values are allowed, `mappings` are
    mappings that differ.
    With `partitions`, one side speaks of another partition than `aws`.
    """

    defaults: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    mappings: frozenset[str] = frozenset()
    partitions: bool = False


class NoValue:
    """What `AWS::NoValue` stands for: the entry or item that holds it is not there."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NoValue)

    def __hash__(self) -> int:
        return 0


NOTHING = NoValue()
Value: TypeAlias = "Node | NoValue"


def hole(words: str, *deciding: object) -> Hole:
    """The text that people know by these words, and that everything in `deciding` decides."""
    return Hole(f"{words}{HIDDEN}{digest(deciding)}" if deciding else words)


def spelled(parts: Iterable[str | Hole]) -> str:
    """The parts as one text for people."""
    return "".join(f"${{{_shown(part)}}}" if isinstance(part, Hole) else part for part in parts)


def name_of(parts: Parts) -> str:
    """What a text is known by: the same for two texts only if they are one."""
    shown = spelled(parts)
    return shown if is_plain(parts) else f"{shown}{HIDDEN}{digest(parts)}"


def text_of(parts: Parts, span: Span, see: tuple[Span, ...] = ()) -> Scalar:
    """The scalar of a text with these parts."""
    return Scalar(text=spelled(parts), span=span, parts=joined(parts), see=see)


def joined(parts: Iterable[str | Hole]) -> Parts:
    """The parts with neighbouring texts as one, and without empty ones."""
    found: list[str | Hole] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        elif part != "":
            found.append(part)
    return tuple(found)


def literal(scalar: Scalar) -> Scalar:
    """A scalar that no function fills in: dynamic references and marks of template engines in it are holes."""
    if scalar.parts is not None or scalar.kind == "null":
        return scalar
    return scalar._replace(parts=with_marks((scalar.text,)), tag=None)


def with_marks(parts: Parts) -> Parts:
    """The parts with each `{{...}}` as one hole, whatever is filled in between its brackets."""
    whole = joined(parts)
    if not any(isinstance(part, str) and "{{" in part for part in whole):
        return whole
    # One character for each hole, so that a mark around some of them is found.
    holes = [part for part in whole if isinstance(part, Hole)]
    text = "".join(part.replace("\ue000", "\ue001") if isinstance(part, str) else "\ue000" for part in whole)
    if "\ue001" in text:
        return whole
    found: list[str | Hole] = []
    done, used = 0, 0
    for mark in _MARK.finditer(text):
        count = text.count("\ue000", done, mark.start())
        found += _restored(text[done : mark.start()], holes[used : used + count])
        used += count
        inside = text.count("\ue000", *mark.span())
        named = tuple(_restored(mark[0], holes[used : used + inside]))
        used += inside
        found.append(hole(spelled(named), named) if inside else Hole(mark[0]))
        done = mark.end()
    return joined([*found, *_restored(text[done:], holes[used:])])


def _restored(text: str, holes: Sequence[Hole]) -> Iterator[str | Hole]:
    for number, piece in enumerate(text.split("\ue000")):
        if number:
            yield holes[number - 1]
        yield piece


class Evaluator:
    """Evaluates nodes of a template under some truths; raises `Need`, `Impossible` or `Opaque`."""

    def __init__(self, template: Template, moved: Moved, truths: Truths, steps: list[int] | None = None) -> None:
        """`steps` counts what may still be evaluated, over all evaluators that share it."""
        self.template = template
        self.truths = truths
        self._moved = moved
        self._steps = steps if steps is not None else [_MOST_STEPS]
        self._depth = 0
        self._trail: tuple[str, ...] = ()
        self._own: tuple[dict[str, Scalar], ...] = ()

    # --- truths

    def truth(self, atom: Atom) -> bool:
        known = settled(atom, self.truths)
        if known is None:
            raise Need(atom)
        return known

    def condition(self, name: Node) -> bool:
        """The truth of a named condition."""
        if not isinstance(name, Scalar) or name.tag is not None:
            raise Opaque("a condition is named by a text here", name.span)
        defined = self.template.conditions.get(name.text)
        if defined is None:
            return self.truth(free(f"{name.text} holds", f"condition {name.text}"))
        if f"condition {name.text}" in self._trail:
            raise Impossible
        before, self._trail = self._trail, (*self._trail, f"condition {name.text}")
        try:
            return self.boolean(defined)
        finally:
            self._trail = before

    def boolean(self, node: Node) -> bool:
        """The truth that a condition comes to."""
        self._step(node)
        called = call(node)
        if called is None:
            if isinstance(node, Object) and len(node.entries) == 1 and node.entries[0].key.text == "Condition":
                return self.condition(node.entries[0].value)
            if isinstance(node, Scalar) and node.text.lower() in ("true", "false"):
                return node.text.lower() == "true"
            return self.truth(self._free(node))
        name, argument = called
        items = argument.items if isinstance(argument, Array) else ()
        if name == "Condition":
            return self.condition(argument)
        if name == "Fn::Not" and len(items) == 1:
            return not self.boolean(items[0])
        if name == "Fn::And" and items:
            return all(map(self.boolean, items))
        if name == "Fn::Or" and items:
            return any(map(self.boolean, items))
        if name == "Fn::Equals" and len(items) == 2:
            return self._equal(self.value(items[0]), self.value(items[1]), node)
        return self.truth(self._free(node))

    def _free(self, node: Node) -> Atom:
        return free(f"{self._written(node)} holds", canonical(self._resolved(node)))

    def _written(self, node: Node) -> str:
        text = " ".join(self.template.source.text[slice(*node.span)].split())
        return text if len(text) <= 60 else f"{text[:57]}..."

    def _equal(self, one: Value, other: Value, node: Node) -> bool:
        if not (isinstance(one, Scalar) and isinstance(other, Scalar)):
            return self.truth(free(f"{self._written(node)} holds", repr((_key(one), _key(other)))))
        first, second = parts_of(one), parts_of(other)
        if first == second:
            return True
        if is_plain(first) and is_plain(second):
            return False
        for unknown, known in ((first, second), (second, first)):
            if is_plain(known) and sum(isinstance(part, Hole) for part in unknown) == 1:
                return self._is_around(unknown, "".join(map(str, known)))
        return self.truth(free(f"{spelled(first)} is {spelled(second)}", repr(sorted(map(repr, (first, second))))))

    def _is_around(self, parts: Parts, text: str) -> bool:
        """Whether a text with one hole in it is this one: then the hole is what stands between its ends."""
        at = next(number for number, part in enumerate(parts) if isinstance(part, Hole))
        start, end = ("".join(map(str, side)) for side in (parts[:at], parts[at + 1 :]))
        if len(text) < len(start) + len(end) or not (text.startswith(start) and text.endswith(end)):
            return False
        unknown = parts[at]
        assert isinstance(unknown, Hole)
        return self.is_text(unknown, text[len(start) : len(text) - len(end)])

    def is_text(self, unknown: Hole, text: str) -> bool:
        """Whether the text that nobody knows is this one."""
        name = unknown.name
        bounded = name in self._moved.allowed
        return self.truth(Atom(name, (text,), _shown(unknown), self._allowed(name), bounded))

    def _allowed(self, name: str) -> tuple[str, ...] | None:
        parameter = self.template.parameters.get(name)
        values = parameter.get("AllowedValues") if parameter is not None else None
        if not isinstance(values, Array) or not all(isinstance(item, Scalar) for item in values.items):
            return None
        return tuple(dict.fromkeys(item.text for item in values.items if isinstance(item, Scalar)))

    # --- values

    def value(self, node: Node) -> Value:
        """What a node comes to."""
        self._step(node)
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                raise Opaque("functions are nested too deep here", node.span)
            return self._value(node)
        finally:
            self._depth -= 1

    def _step(self, node: Node) -> None:
        self._steps[0] -= 1
        if self._steps[0] < 0:
            raise Opaque("it takes too long to work out what stands here; write it with fewer functions", node.span)

    def _value(self, node: Node) -> Value:
        if called := call(node):
            return self._call(called.name, called.argument, node)
        if isinstance(node, Scalar):
            return literal(node)
        if isinstance(node, Array):
            items = (self.value(item) for item in node.items)
            return node._replace(items=tuple(item for item in items if not isinstance(item, NoValue)))
        return node._replace(entries=tuple(self._entries(node)))

    def _entries(self, node: Object) -> Iterator[Entry]:
        for entry in entries_of(node):
            value = self.value(entry.value)
            if not isinstance(value, NoValue):
                yield Entry(literal(entry.key), value)

    def text(self, node: Node) -> Scalar:
        """The text that a node comes to."""
        value = self.value(node)
        if not isinstance(value, Scalar):
            raise Opaque("one text is expected here, and this may be a list, a mapping or nothing", node.span)
        return value

    def _resolved(self, node: Node) -> Node:
        """The node as far as it can be told, for the name of what it decides."""
        try:
            value = self.value(node)
        except Opaque:
            return node
        return node if isinstance(value, NoValue) else value

    def _call(self, name: str, argument: Node, node: Node) -> Value:
        function = _FUNCTIONS.get(name)
        if function is None:
            raise Opaque(f"{name} may put anything here; write what it comes to", node.span)
        return function(self, argument, node.span)

    def _items(self, argument: Node, least: int, most: int) -> tuple[Node, ...]:
        items = argument.items if isinstance(argument, Array) and argument.tag is None else ()
        if not least <= len(items) <= most:
            raise Opaque("this function takes a list of another length", argument.span)
        return items

    def _ref(self, argument: Node, span: Span) -> Value:
        if not isinstance(argument, Scalar) or argument.tag is not None:
            return text_of(
                (hole(f"Ref {spelled(parts_of(self.text(argument)))}", "ref", _key(self.text(argument))),), span
            )
        return self.named(argument.text, span)

    def named(self, name: str, span: Span) -> Value:
        """What `Ref` to a name is, or `${name}` under `Fn::Sub`."""
        for own in reversed(self._own):
            if name in own:
                return own[name]._replace(span=span)
        if name == NO_VALUE:
            return NOTHING
        if name.startswith("AWS::"):
            return text_of((self._pseudo(name),), span)
        if name in self.template.parameters:
            return self._parameter(name, span)
        if name in self.template.resources:
            return text_of(self.attribute(name, "Ref", span), span, self._seen(name))
        return text_of((hole(name, "not defined"),), span)

    def _pseudo(self, name: str) -> str | Hole:
        if name in _IN_AWS and not self._moved.partitions and not self.template.other_partitions:
            return _IN_AWS[name]
        several = name == "AWS::NotificationARNs"
        return Hole(f"!Ref {name}", several)

    def _parameter(self, name: str, span: Span) -> Value:
        parameter = self.template.parameters[name]
        type_ = type_of(parameter)
        several = type_.startswith(("List<", "CommaDelimitedList")) or "List<" in type_
        looked_up = type_.startswith("AWS::SSM::Parameter::Value")
        default = parameter.get("Default")
        moved = name in self._moved.defaults and isinstance(default, Scalar)
        if moved and self.truth(free(f"{name} is left at its default", f"default {name}")):
            assert isinstance(default, Scalar)
            return self._default(default, span, several, looked_up)
        if name in self._moved.allowed and not all(map(self.truth, self._bounds(name, type_))):
            raise Impossible
        part = Hole(f"{name} by SSM" if looked_up else name, several)
        return text_of((part,), span)

    def _bounds(self, name: str, type_: str) -> Iterator[Atom]:
        """What the template asks of the value of a parameter: one that it does not take makes no stack."""
        if (allowed := self._allowed(name)) is not None:
            yield Atom(name, allowed, name, bounded=True)
        for key in CONSTRAINTS:
            given = self.template.parameters[name].get(key)
            if isinstance(given, Scalar):
                yield free(f"{name} has the {key} {given.text}", repr((name, key, given.text)))
        if type_ != "String":
            yield free(f"{name} is a {type_}", repr((name, "Type", type_)))

    def _default(self, default: Scalar, span: Span, several: bool, looked_up: bool) -> Value:
        see = (default.span,)
        if looked_up:
            return text_of((Hole(f"SSM {default.text}", several),), span, see)
        if several:
            texts = default.text.split(",")
            return Array(tuple(text_of(with_marks((text.strip(),)), span, see) for text in texts), span)
        return text_of(with_marks((default.text,)), span, see)

    def _seen(self, name: str) -> tuple[Span, ...]:
        """Where the template names a resource."""
        resource = self.template.resources[name]
        naming, properties = NAMED.get(type_of(resource)), resource.get("Properties")
        given = properties.get(naming.property) if naming and isinstance(properties, Object) else None
        return (given.span,) if given is not None else ()

    def attribute(self, name: str, attribute: str, span: Span) -> Parts:
        """What `Ref`, or an attribute, of a resource of the template is."""
        resource = self.template.resources[name]
        type_, properties = type_of(resource), resource.get("Properties")
        if f"resource {name}" in self._trail:
            return (hole(name, "in itself", type_, attribute),)
        before, self._trail = self._trail, (*self._trail, f"resource {name}")
        try:
            naming = NAMED.get(type_)
            if naming and attribute in ("Ref", "Arn") and isinstance(properties, Object):
                known = self._given_name(properties, naming.property)
                if known is not None and attribute == "Ref" and naming.ref == "name":
                    return known
                if known is not None and naming.arn and (attribute == "Arn" or naming.ref == "arn"):
                    path = properties.get("Path")
                    return self.arn(naming.arn, known, parts_of(self.text(path)) if path is not None else ("/",))
            shown = name if attribute == "Ref" else f"{name}.{attribute}"
            return (hole(shown, type_, *self._identity(type_, properties)),)
        finally:
            self._trail = before

    def _given_name(self, properties: Object, key: str) -> Parts | None:
        given = properties.get(key)
        if given is None:
            return None
        value = self.value(given)
        return parts_of(value) if isinstance(value, Scalar) else None

    def arn(self, arn: str, name: Parts, path: Parts = ()) -> Parts:
        """An ARN with its partition, region, account and name filled in."""
        filled: dict[str, Parts] = {
            "{P}": (self._pseudo("AWS::Partition"),),
            "{R}": (self._pseudo("AWS::Region"),),
            "{A}": (self._pseudo("AWS::AccountId"),),
            "{path}": path,
            "{name}": name,
        }
        pieces = re.split(r"(\{[A-Za-z]+\})", arn)
        return joined(part for piece in pieces for part in filled.get(piece, (piece,)))

    def _identity(self, type_: str, properties: Node | None) -> Iterator[object]:
        """What of the properties may decide what the resource is called."""
        if properties is None:
            return
        if not isinstance(properties, Object) or call(properties):
            yield canonical(properties)
            return
        naming = NAMED.get(type_)
        for key, value in sorted(properties.entries, key=lambda entry: entry.key.text):
            named = key.text in (naming.property, "Path") if naming else IDENTIFYING.fullmatch(key.text)
            if named or all_decide(type_) or (type_ == "AWS::SSM::Parameter" and key.text == "Value"):
                yield key.text, canonical(self._resolved(value))

    def _get_att(self, argument: Node, span: Span) -> Value:
        first, *others = self._items(argument, 2, 9)
        names = [self.text(first), *map(self.text, others)]
        if not all(is_plain(parts_of(name)) for name in names):
            return text_of((hole("an attribute", "get", *map(_key, names)),), span)
        name, attribute = names[0].text, ".".join(each.text for each in names[1:])
        return self._attribute_of(name, attribute, span)

    def _attribute_of(self, name: str, attribute: str, span: Span) -> Scalar:
        if name in self.template.resources:
            return text_of(self.attribute(name, attribute, span), span, self._seen(name))
        return text_of((hole(f"{name}.{attribute}", "not defined"),), span)

    def _sub(self, argument: Node, span: Span) -> Value:
        own: dict[str, Scalar] = {}
        if isinstance(argument, Array):
            argument, *more = self._items(argument, 1, 2)
            own = self.given(more[0]) if more else {}
        if not isinstance(argument, Scalar) or argument.tag is not None:
            raise Opaque("Fn::Sub takes a text, or a list of a text and a mapping", span)
        parts, see = self.substituted(argument.text, own, span)
        return text_of(parts, span, see)

    def given(self, node: Node) -> dict[str, Scalar]:
        """The texts that the mapping of `Fn::Sub` gives to names."""
        if not isinstance(node, Object) or node.tag is not None:
            raise Opaque("Fn::Sub takes a text, or a list of a text and a mapping", node.span)
        return {key.text: self.text(value) for key, value in node.entries}

    def substituted(self, text: str, own: dict[str, Scalar], span: Span) -> tuple[Parts, tuple[Span, ...]]:
        """The parts of a text under `Fn::Sub`, and the places that decide them."""
        before, self._own = self._own, (*self._own, own)
        try:
            found: list[str | Hole] = []
            see: list[Span] = []
            for number, piece in enumerate(PLACE.split(text)):
                if number % 2 == 0:
                    found.append(piece)
                    continue
                value = self._filled(piece, span)
                found += parts_of(value)
                see += value.see
            return with_marks(tuple(found)), tuple(see)
        finally:
            self._own = before

    def _filled(self, inner: str, span: Span) -> Scalar:
        if inner.startswith("!"):
            return text_of((f"${{{inner[1:]}}}",), span)
        name = inner.strip()
        if any(name in own for own in self._own) or "." not in name:
            value = self.named(name, span)
            if not isinstance(value, Scalar):
                raise Opaque(f"${{{name}}} is a list or nothing, and stands in a text here", span)
            return value
        head, _, tail = name.partition(".")
        return self._attribute_of(head, tail, span)

    def _if(self, argument: Node, span: Span) -> Value:
        condition, when, otherwise = self._items(argument, 3, 3)
        return self.value(when if self.condition(condition) else otherwise)

    def _join(self, argument: Node, span: Span) -> Value:
        first, second = self._items(argument, 2, 2)
        delimiter, many = self.text(first), self.value(second)
        separator = parts_of(delimiter)
        items = many.items if isinstance(many, Array) else (many,)
        parts: list[str | Hole] = []
        see: list[Span] = []
        for number, item in enumerate(items):
            if not isinstance(item, Scalar):
                raise Opaque("Fn::Join takes texts, and this is a list or a mapping", span)
            parts += separator if number else ()
            parts += (self._one(part, separator) for part in parts_of(item))
            see += item.see
        self._bounded(parts, span)
        return text_of(with_marks(tuple(parts)), span, tuple(see))

    def _bounded(self, parts: Iterable[str | Hole], span: Span) -> None:
        if sum(len(part) for part in parts if isinstance(part, str)) > _LONGEST:
            raise Opaque("the text here is too long", span)

    def _one(self, part: str | Hole, separator: Parts) -> str | Hole:
        """A list that nobody knows, joined, is one text."""
        if isinstance(part, Hole) and part.several:
            return hole(f"Join of {_shown(part)}", separator, part.name)
        return part

    def _split(self, argument: Node, span: Span) -> Value:
        first, second = self._items(argument, 2, 2)
        delimiter = self.text(first)
        if not is_plain(parts_of(delimiter)) or not delimiter.text:
            return text_of((hole("Split", _key(delimiter), canonical(second))._replace(several=True),), span)
        joined_before = self._rejoined(second, delimiter.text)
        if joined_before is not None:
            return Array(tuple(joined_before), span)
        value = self.text(second)
        parts = parts_of(value)
        if is_plain(parts):
            pieces = "".join(map(str, parts)).split(delimiter.text)
            return Array(tuple(text_of((piece,), span, value.see) for piece in pieces), span)
        return text_of(
            (hole(f"Split of {spelled(parts)}", delimiter.text, parts)._replace(several=True),), span, value.see
        )

    def _rejoined(self, node: Node, delimiter: str) -> list[Scalar] | None:
        """The items of a list that is joined and split again, as people add to a list; None for anything else."""
        called = call(node)
        if called is None or called.name != "Fn::Join":
            return None
        first, many = self._items(called.argument, 2, 2)
        given = self.text(first)
        if parts_of(given) != (delimiter,):
            return None
        if call(many):
            value = self.value(many)
            items: tuple[Node, ...] = value.items if isinstance(value, Array) else ()
            if isinstance(value, Scalar):
                items = (value,)
        else:
            items = many.items if isinstance(many, Array) else ()
        found: list[Scalar] = []
        for item in items:
            inner = self._rejoined(item, delimiter)
            found += inner if inner is not None else self._split_item(item, delimiter)
        return found

    def _split_item(self, item: Node, delimiter: str) -> list[Scalar]:
        value = self.value(item)
        if isinstance(value, NoValue):
            return []
        if not isinstance(value, Scalar):
            raise Opaque("Fn::Join takes texts, and this is a list or a mapping", item.span)
        parts = parts_of(value)
        if is_plain(parts):
            return [text_of((piece,), value.span) for piece in "".join(map(str, parts)).split(delimiter)]
        if len(parts) == 1 and isinstance(parts[0], Hole) and parts[0].several:
            return [value]
        # A text that may hold the delimiter is one or several.
        return [text_of((hole(f"Split of {spelled(parts)}", delimiter, parts)._replace(several=True),), value.span)]

    def _select(self, argument: Node, span: Span) -> Value:
        first, second = self._items(argument, 2, 2)
        number, many = self.text(first), self.value(second)
        items = many.items if isinstance(many, Array) else ()
        known = number.text.strip()
        exact = isinstance(many, Array) and known.isdigit() and is_plain(parts_of(number))
        if exact and not any(map(_is_several, items[: int(known) + 1] if len(known) < 6 else items)):
            if len(known) > 5 or int(known) >= len(items):
                raise Impossible
            return items[int(known)]
        return text_of((hole(f"Select {spelled(parts_of(number))}", _key(number), _key(many)),), span)

    def _find_in_map(self, argument: Node, span: Span) -> Value:
        items = self._items(argument, 3, 4)
        names = [self.text(item) for item in items[:3]]
        more = items[3].get("DefaultValue") if len(items) > 3 and isinstance(items[3], Object) else None
        shown = f"FindInMap {' '.join(spelled(parts_of(name)) for name in names)}"
        table = self.template.mappings.get(names[0].text) if is_plain(parts_of(names[0])) else None
        if not isinstance(table, Object):
            return text_of((hole(shown, "not defined", *map(_key, names)),), span)
        choosing = names[0].text in self._moved.mappings
        try:
            return self._leaf(table, names[1:], shown, span, choosing)
        except Impossible:
            if more is None:
                raise
            return self.value(more)

    def _leaf(self, table: Object, names: list[Scalar], shown: str, span: Span, choosing: bool) -> Value:
        """What a mapping gives for its keys: exactly, or one text that all that it may give decides."""
        reached: list[Node] = [table]
        for name in names:
            reached = [value for each in reached for value in _values(each, parts_of(name))]
        if not reached:
            raise Impossible
        if choosing and len(reached) <= _MOST_KEYS:
            node: Node = table
            for name in names:
                node = self._chosen(node, parts_of(name)) if isinstance(node, Object) else node
            return _respanned(node, span)
        if len(set(map(shape, reached))) == 1:
            return _respanned(reached[0], span)
        keys = [_key(name) for name in names]
        several = any(isinstance(each, Array) for each in reached)
        part = hole(shown, *keys, _reachable(table, names))
        return text_of((part._replace(several=several),), span, (table.span,))

    def _chosen(self, node: Object, parts: Parts) -> Node:
        for key, value in node.entries:
            if parts == (key.text,):
                return value
            if len(parts) == 1 and isinstance(parts[0], Hole):
                if self.is_text(parts[0], key.text):
                    return value
            elif not is_plain(parts) and self.truth(free(f"{spelled(parts)} is {key.text}", repr((parts, key.text)))):
                return value
        raise Impossible

    def _import(self, argument: Node, span: Span) -> Value:
        value = self.value(argument)
        shown = spelled(parts_of(value)) if isinstance(value, Scalar) else "?"
        return text_of((hole(f"ImportValue {shown}", _key(value)),), span)

    def _length(self, argument: Node, span: Span) -> Value:
        value = self.value(argument)
        if isinstance(value, Array) and not any(map(_is_several, value.items)):
            return text_of((str(len(value.items)),), span)
        return text_of((hole("Length", _key(value)),), span)

    def _base64(self, argument: Node, span: Span) -> Value:
        return text_of((hole("Base64", _key(self.value(argument))),), span)

    def _json(self, argument: Node, span: Span) -> Value:
        return text_of((hole("ToJsonString", _key(self.value(argument))),), span)

    def _zones(self, argument: Node, span: Span) -> Value:
        return text_of((hole("GetAZs", _key(self.value(argument)))._replace(several=True),), span)

    def _cidr(self, argument: Node, span: Span) -> Value:
        return text_of((hole("Cidr", _key(self.value(argument)))._replace(several=True),), span)

    def _truth(self, argument: Node, span: Span) -> Value:
        raise Opaque("a truth value of a condition stands here, and a text is expected", span)


_FUNCTIONS = {
    "Ref": Evaluator._ref,
    "Fn::GetAtt": Evaluator._get_att,
    "Fn::Sub": Evaluator._sub,
    "Fn::If": Evaluator._if,
    "Fn::Join": Evaluator._join,
    "Fn::Split": Evaluator._split,
    "Fn::Select": Evaluator._select,
    "Fn::FindInMap": Evaluator._find_in_map,
    "Fn::ImportValue": Evaluator._import,
    "Fn::Length": Evaluator._length,
    "Fn::Base64": Evaluator._base64,
    "Fn::ToJsonString": Evaluator._json,
    "Fn::GetAZs": Evaluator._zones,
    "Fn::Cidr": Evaluator._cidr,
    "Fn::Equals": Evaluator._truth,
    "Fn::And": Evaluator._truth,
    "Fn::Or": Evaluator._truth,
    "Fn::Not": Evaluator._truth,
}


def entries_of(node: Object) -> Iterator[Entry]:
    """The entries of a mapping with its loops expanded; raises `Opaque` for what may stand for any entries."""
    for entry in node.entries:
        if entry.key.text == TRANSFORM:
            raise Opaque("Fn::Transform may put anything here; write what it comes to", entry.key.span)
        if not entry.key.text.startswith(LOOP):
            yield entry
            continue
        body = loop(entry, [_MOST_KEYS * 10])
        if body is None:
            raise Opaque("Fn::ForEach runs over what the template does not say; write the list out", entry.key.span)
        yield from body


def _shown(part: Hole) -> str:
    return part.name.partition(HIDDEN)[0].removeprefix("!Ref ")


def parts_of(value: Value) -> Parts:
    """The parts of a text."""
    assert isinstance(value, Scalar)
    return value.parts if value.parts is not None else joined((value.text,))


def is_plain(parts: Parts) -> bool:
    return not any(isinstance(part, Hole) for part in parts)


def _is_several(node: Node) -> bool:
    return isinstance(node, Scalar) and any(isinstance(part, Hole) and part.several for part in parts_of(node))


def _key(value: Value) -> object:
    """Equal for two values only if they are one."""
    if isinstance(value, NoValue):
        return NO_VALUE
    return parts_of(value) if isinstance(value, Scalar) else canonical(value)


def _values(node: Node, parts: Parts) -> list[Node]:
    """The values that a level of a mapping may give for a key."""
    if not isinstance(node, Object):
        return []
    if is_plain(parts):
        value = node.get("".join(map(str, parts)))
        return [value] if value is not None else []
    return [entry.value for entry in node.entries]


def _reachable(node: Node, names: list[Scalar]) -> object:
    """The part of a mapping that decides what it gives for these names."""
    if not names or not isinstance(node, Object):
        return canonical(node)
    parts = parts_of(names[0])
    if is_plain(parts):
        return [_reachable(value, names[1:]) for value in _values(node, parts)]
    return sorted((entry.key.text, repr(_reachable(entry.value, names[1:]))) for entry in node.entries)


def _respanned(node: Node, span: Span) -> Value:
    """A value of a mapping at the place where it is asked for."""
    if isinstance(node, Scalar):
        return text_of(with_marks((node.text,)), span, (node.span,))
    if isinstance(node, Array):
        items = (
            text_of(with_marks((item.text,)), span, (item.span,)) for item in node.items if isinstance(item, Scalar)
        )
        return Array(tuple(items), span)
    raise Opaque("a mapping stands where Fn::FindInMap gives a text or a list", node.span)
