"""Partial evaluation of intrinsic functions: texts with holes, as far as the template says what they come to.

Two holes of one name are one text on both sides, so a name holds all of the template that decides the text. What the
template leaves open is a truth that the evaluation asks for.

Source: AWS CloudFormation Template Reference, intrinsic-function-reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TypeVar

from policy_guard.documents.containers.choices import Atom, Impossible, Need, Truths, free, settle
from policy_guard.documents.containers.cloudformation.calls import LOOP, NO_VALUE, TRANSFORM, call, canonical, words_of
from policy_guard.documents.containers.cloudformation.conditions import Symbol, boolean, symbol
from policy_guard.documents.containers.cloudformation.functions import FUNCTIONS
from policy_guard.documents.containers.cloudformation.named import IDENTIFYING, NAMED, all_decide
from policy_guard.documents.containers.cloudformation.parts import (
    NOTHING,
    NoValue,
    Value,
    is_plain,
    key_of,
    literal,
    parts_of,
    refuse_disputed,
    resolve,
    text_of,
    with_marks,
)
from policy_guard.documents.containers.cloudformation.template import ANY_OUTPUT, Template, loop, type_of
from policy_guard.documents.containers.holes import Parts, hole, joined, spelling, visible
from policy_guard.documents.containers.memory import Memory
from policy_guard.documents.containers.opaque import Excess, Opaque, digest
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Scalar, Span
from policy_guard.records import NamedTuple

# AWS CloudFormation Template Reference, pseudo-parameter-reference: what these are in AWS's own partition.
_IN_AWS = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
PLACE = re.compile(r"\$\{([^{}]*)\}")
T = TypeVar("T")
_DEEPEST = 100
_MOST_STEPS = 200_000
_MOST_KEYS = 320
CONSTRAINTS = ("AllowedPattern", "MinLength", "MaxLength", "MinValue", "MaxValue")
"""What a template asks of the value of a parameter, besides its type and AllowedValues."""


class Changes(NamedTuple):
    """The names that mean another thing on the other side of a comparison, as far as the evaluation has to know.

    `defaults` are parameters whose default differs, `allowed` those of which other values are allowed, also by rules,
    `mappings` are mappings that differ.
    With `partitions`, one side speaks of another partition than `aws`. The `assumptions` are what the new side asks of
    the values of these parameters: without it there is no new stack, so they hold for both sides.
    """

    defaults: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    mappings: frozenset[str] = frozenset()
    partitions: bool = False
    assumptions: tuple[Atom, ...] = ()


class Evaluator:
    """Evaluates nodes of a template under some truths; raises `Need`, `Impossible` or `Opaque`."""

    def __init__(
        self,
        template: Template,
        changes: Changes,
        truths: Truths,
        steps: list[int] | None = None,
        memory: Memory | None = None,
        for_names: bool = False,
    ) -> None:
        """`steps` counts what may still be evaluated, over all evaluators that share it.

        Those of one template and the same changes may share a `memory`, too. If values serve `for_names` only, they
        are told from others and not read: `Fn::If` is then a text that its condition and both of its sides decide.
        """
        self.for_names = for_names
        self.template = template
        self.truths = truths
        self._changes = changes
        self._steps = steps if steps is not None else [_MOST_STEPS]
        self._memory = memory if memory is not None else Memory()
        self._depth = 0
        self._trail: tuple[str, ...] = ()
        self._substitutions: tuple[dict[str, Scalar], ...] = ()

    # --- truths

    def truth(self, atom: Atom) -> bool:
        settled_truth = settle(atom, self.truths)
        self._memory.note(atom, settled_truth)
        if settled_truth is None:
            raise Need(atom)
        return settled_truth

    def truth_symbol(self, atom: Atom) -> Symbol:
        """The truth of an atom if the others decide it; otherwise what it is known by."""
        settled_truth = settle(atom, self.truths)
        self._memory.note(atom, settled_truth)
        return ("truth", atom.key, atom.values) if settled_truth is None else settled_truth

    def condition(self, name: Node) -> bool:
        """The truth of a named condition."""
        return self._named(name, boolean, Evaluator.truth)

    def symbol(self, name: Node) -> Symbol:
        """The truth of a named condition as far as it is decided; otherwise its symbol."""
        return self._named(name, symbol, Evaluator.truth_symbol)

    def _named(self, name: Node, work: Callable[[Evaluator, Node], T], of_atom: Callable[[Evaluator, Atom], T]) -> T:
        """Return what is worked out from the definition of a named condition, or from its name if it has none."""
        if not isinstance(name, Scalar) or name.tag is not None:
            raise Opaque("a condition is named by a text here", name.span)
        definition = self.template.conditions.get(name.text)
        if definition is None:
            return of_atom(self, free(f"{name.text} holds", f"condition {name.text}"))
        place = f"condition {name.text}"
        if self._is_within(place):
            raise Impossible
        return self._remembered((place, work.__name__), place, lambda: work(self, definition))

    def _is_within(self, place: str) -> bool:
        """Tell whether what a place comes to is being worked out, and so asks for itself."""
        is_within = place in self._trail
        self._memory.note(_within(place), is_within or None)
        return is_within

    def _remembered(self, key: tuple[str, ...], place: str, work: Callable[[], T]) -> T:
        """Return what is worked out within a place, or was under truths and within places that are the same to it."""
        truths = {**self.truths, **{_within(outer): True for outer in self._trail}}
        outer_trail, self._trail = self._trail, (*self._trail, place)
        try:
            value: T = self._memory.value((*key, self.for_names), truths, work)
            return value
        finally:
            self._trail = outer_trail

    def boolean(self, node: Node) -> bool:
        """The truth that a condition comes to."""
        return boolean(self, node)

    def text_truth(self, unknown: Hole, text: str) -> Atom:
        """The truth that the text that nobody knows is this one."""
        name = unknown.name
        bounded = name in self._changes.allowed
        return Atom(name, (text,), visible(unknown), self._allowed(name), bounded)

    def _allowed(self, name: str) -> tuple[str, ...] | None:
        parameter = self.template.parameters.get(name)
        values = parameter.get("AllowedValues") if parameter is not None else None
        if not isinstance(values, Array) or not all(map(_is_clear, values.items)):
            return None
        texts = (spelling(parts_of(literal(item))) for item in values.items if isinstance(item, Scalar))
        return tuple(dict.fromkeys(texts))

    # --- values

    def value(self, node: Node) -> Value:
        """Return what a node comes to."""
        self._step(node)
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                self._memory.forgo()
                raise Opaque("functions are nested too deep here", node.span)
            return self._value(node)
        finally:
            self._depth -= 1

    def _step(self, node: Node) -> None:
        self._steps[0] -= 1
        if self._steps[0] < 0:
            self._memory.forgo()
            raise Excess("this takes too long to evaluate; write it with fewer functions", node.span)

    def _value(self, node: Node) -> Value:
        if function_call := call(node):
            return self._call(function_call.name, function_call.argument, node)
        if isinstance(node, Scalar):
            return literal(node)
        if isinstance(node, Array):
            items = (self.value(item) for item in node.items)
            return node._replace(items=tuple(item for item in items if not isinstance(item, NoValue)))
        return node._replace(entries=tuple(self._entries(node)))

    def _entries(self, node: Object) -> Iterator[Entry]:
        for entry in entries_of(node):
            if entry.key.tag is not None:
                raise Opaque("a key has a tag here, which has no meaning; write the key", entry.key.span)
            value = self.value(entry.value)
            if not isinstance(value, NoValue):
                yield Entry(literal(entry.key), value)

    def text(self, node: Node) -> Scalar:
        """The text that a node comes to."""
        value = self.value(node)
        if not isinstance(value, Scalar):
            raise Opaque("a string is expected here, and this may be a list, a mapping or nothing", node.span)
        return value

    def differs(self, mapping: str) -> bool:
        """Tell whether a mapping is another one on the other side."""
        return mapping in self._changes.mappings

    def _call(self, name: str, argument: Node, node: Node) -> Value:
        if name in _NAMING:
            return _NAMING[name](self, argument, node.span)
        if name not in FUNCTIONS:
            raise Opaque(f"{name} may insert anything here; write the resulting value", node.span)
        return FUNCTIONS[name](self, argument, node.span)

    def items(self, argument: Node, minimum: int, maximum: int) -> tuple[Node, ...]:
        items = argument.items if isinstance(argument, Array) and argument.tag is None else ()
        if not minimum <= len(items) <= maximum:
            raise Opaque("this function takes a list of a different length", argument.span)
        return items

    def _ref(self, argument: Node, span: Span) -> Value:
        if not isinstance(argument, Scalar) or argument.tag is not None:
            name = self.text(argument)
            named = hole(
                f"Ref {spelling(parts_of(name))}", "ref", key_of(name), self.written("Parameters", "Resources")
            )
            return text_of((named,), span)
        return self.reference(argument.text, span)

    def reference(self, name: str, span: Span) -> Value:
        """Return what `Ref` to a name is, or `${name}` under `Fn::Sub`."""
        for substitutions in reversed(self._substitutions):
            if name in substitutions:
                return substitutions[name]._replace(span=span)
        if name == NO_VALUE:
            return NOTHING
        if name.startswith("AWS::"):
            return text_of((self._pseudo(name),), span)
        if name in self.template.parameters:
            return self._parameter(name, span)
        if name in self.template.resources:
            return text_of(self.attribute(name, "Ref", span), span, self._name_spans(name))
        return text_of((hole(name, "not defined"),), span)

    def written(self, *sections: str) -> str:
        """Return what a computed name may stand for: all that is written in some sections of the template."""
        nodes = map(self.template.root.get, sections)
        spans = tuple(node.span for node in nodes if node is not None)
        nested = self.template.nested.items() if "Resources" in sections else ()
        outputs = [(name, key, output.digest) for name, each in nested for key, output in sorted(each.outputs.items())]
        exports = sorted(export.digest for export in self.template.exports)
        return digest((_written(self.template.source.text, spans), outputs, exports))

    def _pseudo(self, name: str) -> str | Hole:
        if name in _IN_AWS and not self._changes.partitions:
            return _IN_AWS[name]
        is_list = name == "AWS::NotificationARNs"
        return Hole(f"!Ref {name}", is_list)

    def _parameter(self, name: str, span: Span) -> Value:
        parameter = self.template.parameters[name]
        type_ = type_of(parameter)
        is_list = type_.startswith(("List<", "CommaDelimitedList")) or "List<" in type_
        looked_up = type_.startswith("AWS::SSM::Parameter::Value")
        default = parameter.get("Default")
        moved = name in self._changes.defaults and isinstance(default, Scalar)
        if moved and self.truth(free(f"{name} is left at its default", f"default {name}")):
            assert isinstance(default, Scalar)
            return self._default(default, span, is_list, looked_up)
        if name in self._changes.allowed and not all(map(self.truth, self.bounds(name))):
            raise Impossible
        part = Hole(f"{name} by SSM" if looked_up else name, is_list)
        return text_of((part,), span)

    def bounds(self, name: str) -> Iterator[Atom]:
        """Return what the template asks of the value of a parameter: one that it does not take makes no stack."""
        if (allowed_values := self._allowed(name)) is not None:
            yield Atom(name, allowed_values, name, bounded=True)
        elif (values := self.template.parameters[name].get("AllowedValues")) is not None:
            yield free(f"{name} is allowed", repr((name, "AllowedValues", canonical(values))))
        for rule, node in self.template.rules.items():
            if name in words_of(node):
                yield free(f"{rule} holds", repr((name, rule, canonical(node))))
        for key in CONSTRAINTS:
            constraint = self.template.parameters[name].get(key)
            if isinstance(constraint, Scalar):
                yield free(f"{name} has the {key} {constraint.text}", repr((name, key, constraint.text)))
        type_ = type_of(self.template.parameters[name])
        if type_ != "String":
            yield free(f"{name} is a {type_}", repr((name, "Type", type_)))

    def _default(self, default: Scalar, span: Span, is_list: bool, looked_up: bool) -> Value:
        see, disputed = (default.span,), default.disputed
        if looked_up:
            return text_of((Hole(f"SSM {default.text}", is_list),), span, see)
        if is_list:
            texts = default.text.split(",")
            scalars = (text_of(with_marks((text.strip(),)), span, see) for text in texts)
            return Array(tuple(text._replace(disputed=disputed) for text in scalars), span)
        return text_of(with_marks((default.text,)), span, see)._replace(disputed=disputed)

    def _name_spans(self, name: str) -> tuple[Span, ...]:
        """Return where the template names a resource."""
        resource = self.template.resources[name]
        naming, properties = NAMED.get(type_of(resource)), resource.get("Properties")
        name_node = properties.get(naming.property) if naming and isinstance(properties, Object) else None
        return (name_node.span,) if name_node is not None else ()

    def attribute(self, name: str, attribute: str, span: Span) -> Parts:
        """Return what `Ref`, or an attribute, of a resource of the template is."""
        place = f"resource {name}"
        if self._is_within(place):
            return (hole(name, "in itself", type_of(self.template.resources[name]), attribute),)
        # The names that a text gives under `Fn::Sub` mean nothing in the resource that it names.
        outer_substitutions, self._substitutions = self._substitutions, ()
        try:
            return self._remembered((place, attribute), place, lambda: self._attribute(name, attribute))
        finally:
            self._substitutions = outer_substitutions

    def _attribute(self, name: str, attribute: str) -> Parts:
        resource = self.template.resources[name]
        type_, properties = type_of(resource), resource.get("Properties")
        naming = NAMED.get(type_)
        if naming and attribute in ("Ref", "Arn") and (properties is None or isinstance(properties, Object)):
            name_parts = self._name_parts(properties, naming.property) if properties else None
            if name_parts is None and naming.ref == "name":
                name_parts = (hole(name, type_, *self._identity(type_, properties, "Ref")),)
            if name_parts is not None and attribute == "Ref" and naming.ref == "name":
                return name_parts
            if name_parts is not None and naming.arn and (attribute == "Arn" or naming.ref == "arn"):
                path_parts = self._name_parts(properties, "Path") if properties else None
                return self.arn(naming.arn, name_parts, path_parts or ("/",))
        label = name if attribute == "Ref" else f"{name}.{attribute}"
        return (hole(label, type_, *self._identity_for(name, attribute)),)

    def _name_parts(self, properties: Object, key: str) -> Parts | None:
        node = properties.get(key)
        if node is None:
            return None
        value = self.value(node)
        return parts_of(value) if isinstance(value, Scalar) else None

    def arn(self, arn: str, name: Parts, path: Parts = ()) -> Parts:
        """An ARN with its partition, region, account and name filled in."""
        replacements: dict[str, Parts] = {
            "{P}": (self._pseudo("AWS::Partition"),),
            "{R}": (self._pseudo("AWS::Region"),),
            "{A}": (self._pseudo("AWS::AccountId"),),
            "{path}": path,
            "{name}": name,
        }
        pieces = re.split(r"(\{[A-Za-z]+\})", arn)
        return joined(part for piece in pieces for part in replacements.get(piece, (piece,)))

    def _identity_for(self, name: str, attribute: str) -> Iterator[object]:
        """Return what may decide an attribute of a resource: of a nested template, what it says of that output."""
        resource, nested = self.template.resources[name], self.template.nested.get(name)
        properties = resource.get("Properties")
        outputs = nested.outputs if nested and attribute != "Ref" else {}
        output = outputs.get(attribute.partition(".")[2], outputs.get(ANY_OUTPUT))
        if output is None or not nested or not nested.certain:
            yield from self._identity(type_of(resource), properties, attribute)
        if output is not None:
            yield output.digest
            values = properties.get("Parameters") if isinstance(properties, Object) else None
            for key, value in values.entries if isinstance(values, Object) else ():
                if key.text in output.parameters:
                    yield key.text, self._name(value)

    def _identity(self, type_: str, properties: Node | None, attribute: str) -> Iterator[object]:
        """Return what of the properties may decide what the resource is called, or what an attribute of it is."""
        if properties is None:
            return
        if not isinstance(properties, Object) or call(properties):
            yield canonical(properties)
            return
        naming = NAMED.get(type_)
        for key, value in sorted(properties.entries, key=lambda entry: entry.key.text):
            is_identifying = (
                key.text in (naming.property, "Path", attribute) if naming else IDENTIFYING.fullmatch(key.text)
            )
            if is_identifying or all_decide(type_):
                yield key.text, self._name(value)

    def _name(self, node: Node) -> str:
        """A text that is the same for two nodes only if they come to the same."""
        is_for_names, self.for_names = self.for_names, True
        try:
            return canonical(resolve(self, node))
        finally:
            self.for_names = is_for_names

    def _get_att(self, argument: Node, span: Span) -> Value:
        first, *attribute_nodes = self.items(argument, 2, 9)
        names = [self.text(first), *map(self.text, attribute_nodes)]
        if not all(is_plain(parts_of(name)) for name in names):
            return text_of((hole("an attribute", "get", *map(key_of, names), self.written("Resources")),), span)
        name, attribute = names[0].text, ".".join(scalar.text for scalar in names[1:])
        return self._attribute_of(name, attribute, span)

    def _attribute_of(self, name: str, attribute: str, span: Span) -> Scalar:
        if name in self.template.resources:
            return text_of(self.attribute(name, attribute, span), span, self._name_spans(name))
        return text_of((hole(f"{name}.{attribute}", "not defined"),), span)

    def _sub(self, argument: Node, span: Span) -> Value:
        substitutions: dict[str, Scalar] = {}
        if isinstance(argument, Array):
            argument, *mappings = self.items(argument, 1, 2)
            substitutions = self.substitutions(mappings[0]) if mappings else {}
        if not isinstance(argument, Scalar) or argument.tag is not None:
            raise Opaque("Fn::Sub takes a string, or a list of a string and a mapping", span)
        parts, see = self.substituted(argument.text, substitutions, span)
        return text_of(parts, span, see)

    def substitutions(self, node: Node) -> dict[str, Scalar]:
        """The texts that the mapping of `Fn::Sub` gives to names."""
        if not isinstance(node, Object) or node.tag is not None:
            raise Opaque("Fn::Sub takes a string, or a list of a string and a mapping", node.span)
        texts = {key.text: self.text(value) for key, value in node.entries}
        for text in texts.values():
            refuse_disputed(text)
        return texts

    def substituted(self, text: str, substitutions: dict[str, Scalar], span: Span) -> tuple[Parts, tuple[Span, ...]]:
        """The parts of a text under `Fn::Sub`, and the places that decide them."""
        outer_substitutions, self._substitutions = self._substitutions, (*self._substitutions, substitutions)
        try:
            parts: list[str | Hole] = []
            see: list[Span] = []
            for number, piece in enumerate(PLACE.split(text)):
                if number % 2 == 0:
                    parts.append(piece)
                    continue
                value = self._substitution(piece, span)
                refuse_disputed(value)
                parts += parts_of(value)
                see += value.see
            return with_marks(tuple(parts)), tuple(see)
        finally:
            self._substitutions = outer_substitutions

    def _substitution(self, inner: str, span: Span) -> Scalar:
        if inner.startswith("!"):
            return text_of((f"${{{inner[1:]}}}",), span)
        name = inner.strip()
        if any(name in own for own in self._substitutions) or "." not in name:
            value = self.reference(name, span)
            if not isinstance(value, Scalar):
                raise Opaque(f"${{{name}}} is a list or nothing, and stands in a text here", span)
            return value
        head, _, tail = name.partition(".")
        return self._attribute_of(head, tail, span)


@lru_cache(maxsize=16)
def _written(text: str, spans: tuple[Span, ...]) -> str:
    return digest([text[slice(*span)] for span in spans])


def _within(place: str) -> Atom:
    """The truth that a place is being worked out."""
    return free(f"within {place}")


def _is_clear(node: Node) -> bool:
    return isinstance(node, Scalar) and not node.disputed and node.kind != "null"


_NAMING: dict[str, Callable[[Evaluator, Node, Span], Value]] = {
    "Ref": Evaluator._ref,
    "Fn::GetAtt": Evaluator._get_att,
    "Fn::Sub": Evaluator._sub,
}


def entries_of(node: Object) -> Iterator[Entry]:
    """The entries of a mapping with its loops expanded; raises `Opaque` for what may stand for any entries."""
    for entry in node.entries:
        if entry.key.text == TRANSFORM:
            raise Opaque("Fn::Transform may insert anything here; write the resulting value", entry.key.span)
        if not entry.key.text.startswith(LOOP):
            yield entry
            continue
        body = loop(entry, [_MOST_KEYS])
        if body is None:
            raise Opaque("Fn::ForEach runs over what the template does not say; write the list out", entry.key.span)
        yield from body
