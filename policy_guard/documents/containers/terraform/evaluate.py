"""What expressions come to: texts with holes, lists and mappings, under truths that nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from typing import TypeVar

from policy_guard.documents.containers.choices import Atom, Need, Truths, free, outcome_table, outcomes, settle
from policy_guard.documents.containers.holes import hole
from policy_guard.documents.containers.memory import Written
from policy_guard.documents.containers.opaque import Excess, Missing, Opaque
from policy_guard.documents.containers.terraform.conversions import as_beside, has_other_kinds, json_parts
from policy_guard.documents.containers.terraform.deciding import all_deciding, references
from policy_guard.documents.containers.terraform.definition import Definition
from policy_guard.documents.containers.terraform.file_patterns import IN_REPOSITORY
from policy_guard.documents.containers.terraform.folder import ANY_FILE
from policy_guard.documents.containers.terraform.numbers import reckoned
from policy_guard.documents.containers.terraform.scope import Scope
from policy_guard.documents.containers.terraform.steps import (
    child_of,
    head_and_steps,
    is_of_item,
    names_any,
    written_part,
)
from policy_guard.documents.containers.terraform.values import (
    JSON,
    SET,
    count_object,
    each_of,
    encoded_whole,
    is_known,
    is_null,
    label_of,
    literal,
    name_of,
    pairs_of,
    parts,
    place_at,
    single,
    stretches_of,
    surely_equal,
    text_in,
    text_of,
    unknown,
)
from policy_guard.documents.containers.terraform.written import made_of
from policy_guard.documents.hcl.syntax import (
    Attribute,
    Block,
    Body,
    Call,
    Chosen,
    Conditional,
    Expression,
    For,
    Index,
    Interpolation,
    Item,
    List,
    Literal,
    Operation,
    OtherFile,
    Repeated,
    Splat,
    Template,
    Text,
    Variable,
    parts_of,
)
from policy_guard.documents.hcl.syntax import (
    Mapping as MappingNode,
)
from policy_guard.documents.source import Array, Entry, Node, Object, Origin, Scalar, Source, Span, Stretch

T = TypeVar("T")
_STEPS = 100_000
_FROM_FILES = (
    "data.local_file.",
    "data.external.",
    "data.local_sensitive_file.",
    "data.archive_file.",
    "data.sops_file.",
)
_OF_POLICIES = ("aws_iam_policy.", "aws_organizations_policy.", "data.aws_iam_policy.")
_DOCUMENT = ("data", "aws_iam_policy_document")
_READING = ("templatefile", "jsondecode", "yamldecode", "csvdecode")


class Evaluator:
    """Works out expressions of a scope under truths; `names` are those of loops and of `each`."""

    def __init__(
        self,
        scope: Scope,
        source: Source,
        truths: Truths,
        names: Mapping[str, Node] | None = None,
        steps: list[int] | None = None,
        active: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.scope = scope
        self.source = source
        self.truths = truths
        self.names = dict(names or {})
        self.steps = steps if steps is not None else [_STEPS]
        self.active = active

    def with_names(self, names: Mapping[str, Node]) -> Evaluator:
        """An evaluator that knows more names."""
        return self._evaluator_of(self.scope, self.source, {**self.names, **names})

    def under(self, truths: Truths) -> Evaluator:
        """Return an evaluator of the same under these truths."""
        return Evaluator(self.scope, self.source, truths, self.names, self.steps, self.active)

    def in_scope(self, scope: Scope, source: Source, key: str) -> Evaluator:
        """Return an evaluator for what has this address in another scope."""
        return self._evaluator_of(scope, source, {}, key)

    def in_call(self, scope: Scope, source: Source, key: str) -> Evaluator:
        """Return an evaluator for what its caller, which is `scope`, gives this scope for a variable with this key."""
        return Evaluator(scope, source, self.truths, {}, self.steps, (*self.active, (self.scope.name, key)))

    def _evaluator_of(self, scope: Scope, source: Source, names: Mapping[str, Node], key: str = "") -> Evaluator:
        active = (*self.active, (scope.name, key)) if key else self.active
        return Evaluator(scope, source, self.truths, names, self.steps, active)

    def truth(self, atom: Atom) -> bool:
        """The truth of an atom; raises `Need`."""
        settled_truth = settle(atom, self.truths)
        self.scope.memory.note(atom, settled_truth)
        if settled_truth is None:
            raise Need(atom)
        return settled_truth

    def spend(self, span: Span) -> None:
        """Count a step. Raises `Opaque` when there are too many."""
        self.steps[0] -= 1
        self.scope.steps[0] -= 1
        if self.steps[0] < 0 or self.scope.steps[0] < 0 or len(self.active) > 40:
            self.scope.memory.forgo()
            raise Excess("this value takes too many steps to work out; write it shorter", span)

    def value(self, node: Expression) -> Node:
        """Return what an expression comes to. Raises `Need` and `Opaque`."""
        self.spend(node.span)
        if isinstance(node, OtherFile):
            return self._value_in_other_file(node)
        if isinstance(node, Literal):
            return self._literal(node)
        if isinstance(node, Template):
            return self.template(node)
        if isinstance(node, List):
            return Array(tuple(map(self.value, node.items)), node.span)
        if isinstance(node, MappingNode):
            return self._mapping(node)
        if isinstance(node, Conditional):
            return self._chosen(node)
        if isinstance(node, Operation):
            return self._operation(node)
        if isinstance(node, Variable | Attribute | Index):
            return self._reference(node)
        if isinstance(node, For):
            return self._for(node)
        return self._call_or_splat(node)

    def _literal(self, node: Literal) -> Scalar:
        value = literal(node)
        return value._replace(written=(Stretch(value.text, node.span, False, (Origin(self.source, node.span),)),))

    def _value_in_other_file(self, node: OtherFile) -> Node:
        """Return what a value comes to that stands in another file, at its place in this one."""
        try:
            return place_at(self._evaluator_of(self.scope, node.source, self.names).value(node.value), node.span)
        except Opaque as error:
            raise Opaque(error.problem.message, node.span) from None

    def _call_or_splat(self, node: Call | Splat | Item) -> Node:
        if isinstance(node, Call):
            return self._called(node)
        if isinstance(node, Item):
            return self.names["*"]
        if (documents := self._documents(node)) is not None:
            return documents
        collection = self.value(node.value)
        if isinstance(collection, Array):
            items = tuple(self.with_names({"*": item}).value(node.element) for item in collection.items)
            return Array(items, node.span, SET if collection.tag == SET else None)
        if isinstance(collection, Object) and not is_null(collection):
            return Array((self.with_names({"*": collection}).value(node.element),), node.span)
        return self.opaque(node)

    def _called(self, node: Call) -> Node:
        """What a call comes to; what it reads in a text is worked out once, and not for each item of a loop."""
        if node.name not in _READING or names_any(node, self.names):
            return self.scope.ways.call(self, node)
        outside = self._evaluator_of(self.scope, self.source, {})
        place = ("call", self.source.path, Written(node))
        return self.remembered(place, lambda: outside.scope.ways.call(outside, node))

    def opaque(self, node: Expression) -> Node:
        """An unknown value that is known by all that decides it."""
        words = " ".join(self.source.text[slice(*node.span)].split())
        return unknown(words if len(words) <= 60 else f"{words[:57]}...", node.span, *self._structure(node))

    def by_text(self, words: str, node: object, span: Span) -> Scalar:
        """An unknown value that is known by what is written in all that decides it."""
        names = sorted((name, name_of(value)) for name, value in self.names.items())
        return unknown(words, span, all_deciding(self.scope, node), names)

    def _structure(self, node: Expression) -> list[object]:
        """The structure of an expression, with its references worked out."""
        parts = (part for part in parts_of(node) if not isinstance(part, Span))
        return [type(node).__name__, *map(self.part_structure, parts)]

    def part_structure(self, part: object) -> object:
        """The structure of a part of an expression, with its references worked out."""
        if isinstance(part, OtherFile):
            return self._evaluator_of(self.scope, part.source, self.names).part_structure(part.value)
        if isinstance(part, Variable | Attribute | Index) and ("*" in self.names or not is_of_item(part)):
            return self._name_apart(part)
        if isinstance(part, Call) and part.name.startswith(("file", "templatefile")):
            return name_of(self.value(part))
        if isinstance(part, tuple):
            return [self.part_structure(each) for each in part]
        inner = [each for each in parts_of(part) if not isinstance(each, Span)]
        return [type(part).__name__, *map(self.part_structure, inner)] if is_dataclass(part) else part

    def _name_apart(self, node: Variable | Attribute | Index) -> object:
        """Return what tells apart what a reference comes to, whatever is so; of too much to work out, all texts."""
        if not names_any(node, self.names):
            inner = self._evaluator_of(self.scope, self.source, {})
            return self.remembered(("name", Written(node)), lambda: inner._table(node))
        return self._table(node)

    def _table(self, node: Variable | Attribute | Index) -> object:
        """Return what tells apart all that a reference comes to."""

        def run(truths: Truths) -> str:
            try:
                return self.scope.memory.apart(lambda: name_of(self.under(truths)._reference(node)))
            except Missing:
                return "nothing"

        try:
            return outcome_table(outcomes(run, {}, node.span))
        except Opaque:
            return name_of(self.by_text("", node, node.span))

    def template(self, node: Template) -> Node:
        """Return what a template comes to; one interpolation alone keeps its type."""
        if len(node.parts) == 1 and isinstance(node.parts[0], Interpolation):
            return self.value(node.parts[0].value)
        return text_in(self._stretches_of(node.parts) or (self._literal_text(node.span),), node.span)

    def _literal_text(self, span: Span, text: str = "") -> Stretch:
        is_exact = self.source.text[slice(*span)] == text
        return Stretch(text, span, is_exact, (Origin(self.source, span, is_exact),))

    def stretches(self, part: object) -> tuple[Stretch, ...]:
        """The stretches that a part of a template comes to."""
        if isinstance(part, Text):
            return (self._literal_text(part.span, part.value),)
        if isinstance(part, Interpolation):
            return self._interpolated(self.value(part.value), part.span)
        assert isinstance(part, Chosen | Repeated)
        if isinstance(part, Chosen):
            return self._stretches_of(part.if_true if self.holds(part.condition) else part.if_false)
        pairs = pairs_of(self.value(part.collection))
        if pairs is None:
            words = " ".join(self.source.text[slice(*part.span)].split())[:57]
            return (Stretch(hole(f"{words}...", self.part_structure(part)), part.span),)
        stretches: list[Stretch] = []
        for key, item in pairs:
            inner = self.with_names({part.names[1]: item, **({part.names[0]: key} if part.names[0] else {})})
            stretches += inner._stretches_of(part.body)
        return tuple(stretches)

    def _interpolated(self, value: Node, span: Span) -> tuple[Stretch, ...]:
        """The stretches of a value that a text is filled with."""
        written = json_parts(value) if not isinstance(value, Scalar) and value.tag == JSON else None
        if isinstance(value, Scalar) and value.tag == JSON and (whole := encoded_whole(value)) is not None:
            written = whole
        text = made_of(text_of(written, span), (value,)) if written is not None else single(value)
        stretches = stretches_of(text) if isinstance(text, Scalar) else tuple(Stretch(p, span) for p in parts(text))
        return tuple(stretch._replace(span=span, exact=False) for stretch in stretches)

    def _stretches_of(self, all_parts: Sequence[object]) -> tuple[Stretch, ...]:
        return tuple(stretch for part in all_parts for stretch in self.stretches(part))

    def _mapping(self, node: MappingNode) -> Node:
        entries: list[Entry] = []
        for key, value in node.items:
            name = single(self.value(key))
            if not isinstance(name, Scalar) or not is_known(name):
                return self.opaque(node)
            entries.append(Entry(name._replace(parts=None), self.value(value)))
        return Object(tuple(entries), node.span)

    def holds(self, node: Expression) -> bool:
        """Tell whether a condition holds; raises `Need` if nobody knows."""
        value = self.value(node)
        if isinstance(value, Scalar) and is_known(value) and value.text in ("true", "false"):
            return value.text == "true"
        return self.truth(free(f"{label_of(value)} holds", f"terraform {name_of(single(value))}"))

    def _operation(self, node: Operation) -> Node:
        if node.operator == "!":
            return self._boolean(not self.holds(node.right), node.span)
        if node.left is not None and node.operator in ("&&", "||"):
            if (left := self.holds(node.left)) == (node.operator == "||"):
                return self._boolean(left, node.span)
            return self._boolean(self.holds(node.right), node.span)
        if node.left is not None and node.operator in ("==", "!="):
            left_value, right_value = self.value(node.left), self.value(node.right)
            is_equal = surely_equal(left_value, right_value)
            if is_equal is not None:
                return self._boolean(is_equal == (node.operator == "=="), node.span)
            key = "".join(sorted((name_of(single(left_value)), name_of(single(right_value)))))
            atom = free(f"{label_of(left_value)} is {label_of(right_value)}", f"terraform equal {key}")
            return self._boolean(self.truth(atom) == (node.operator == "=="), node.span)
        first = self.value(node.left) if node.left is not None else None
        return reckoned(node.operator, first, self.value(node.right), node.span) or self.opaque(node)

    def _chosen(self, node: Conditional) -> Node:
        """The value of one side; a number or truth value is a text where the other side is one."""
        one, other = (node.if_true, node.if_false) if self.holds(node.condition) else (node.if_false, node.if_true)
        value = self.value(one)
        if not isinstance(other, Template | List | MappingNode) or not has_other_kinds(value):
            return value
        try:
            return as_beside(value, self.value(other)) or self.opaque(node)
        except (Need, Opaque):
            return value

    def _boolean(self, truth: bool, span: Span) -> Node:
        return Scalar("true" if truth else "false", span, "boolean")

    def _for(self, node: For) -> Node:
        collection = self.value(node.collection)
        pairs = pairs_of(collection)
        if pairs is None or node.grouped:
            return self.opaque(node)
        items: list[Node] = []
        keys: list[Scalar] = []
        for key, item in pairs:
            inner = self.with_names({node.names[1]: item, **({node.names[0]: key} if node.names[0] else {})})
            if node.condition is not None and not inner.holds(node.condition):
                continue
            items.append(inner.value(node.value))
            if node.key is not None:
                name = single(inner.value(node.key))
                if not isinstance(name, Scalar) or not is_known(name):
                    return self.opaque(node)
                keys.append(name._replace(parts=None))
        if node.key is None:
            return Array(tuple(items), node.span, SET if collection.tag == SET else None)
        return Object(tuple(map(Entry, keys, items)), node.span)

    # --- references

    def _reference(self, node: Expression) -> Node:
        head, steps = head_and_steps(node)
        if not isinstance(head, Variable):
            return self.follow(self.value(head), steps, node.span)
        if head.name in self.names:
            return self.follow(self.names[head.name], steps, node.span)
        return self._named_value(head.name, steps, node.span)

    def _named_value(self, first: str, steps: Sequence[Attribute | Index], span: Span) -> Node:
        labels = [step.name for step in steps if isinstance(step, Attribute)]
        if first in ("local", "var") and steps and isinstance(steps[0], Attribute):
            if first == "local":
                value, rest = self._local_part(labels[0], steps[1:])
            else:
                value, rest = self.scope.ways.variable(self, labels[0], steps[1:], span)
            head = "" if first == "var" and self.scope.parent else f"{first}."
            name = f"{self.scope.name}{head}{labels[0]}"
            return place_at(self.follow(value, rest, span), span, name)
        if first == "module" and steps and isinstance(steps[0], Attribute):
            return self.scope.ways.module(self, steps, span)
        if first == "path" and labels in (["module"], ["root"]):
            scope = self.scope if labels == ["module"] else self.scope.root()
            return Scalar(f"{IN_REPOSITORY}{scope.folder.path or '.'}", span)
        if first in ("path", "terraform", "each", "count", "self"):
            return unknown(f"{first}.{'.'.join(labels)}", span, is_list=False)
        count = 2 if first in ("data", "ephemeral") else 1
        if len(labels) < count:
            return unknown(first, span)
        head = ".".join((first, *labels[:count]))
        if head.startswith("data.aws_iam_policy_document.") and labels[-1] in ("json", "minified_json"):
            return self._document(head, steps[count:], span)
        if head.startswith(_FROM_FILES):
            return self._from_files(head, steps[count:], span)
        if head.startswith(_OF_POLICIES) and head in self.scope.folder.definitions:
            return self.scope.ways.policy(self, head, steps[count:], span)
        return self.scope.ways.attribute(self, head, steps[count:], span)

    def _from_files(self, head: str, steps: Sequence[Attribute | Index], span: Span) -> Node:
        """Return what a file or a program gives that is not followed: any file of the repository may decide it."""
        value = self.scope.ways.attribute(self, head, steps, span)
        return unknown(label_of(value), span, name_of(value), self.scope.folder.contents_of(ANY_FILE))

    def _document(self, head: str, steps: Sequence[Attribute | Index], span: Span) -> Node:
        """The policy that a data source makes, as the JSON that it is given on as."""
        return self.scope.ways.rendered(*self._inside_document(head, steps, span))

    def _inside_document(self, head: str, steps: Sequence[Attribute | Index], span: Span) -> tuple[Evaluator, Body]:
        """The data source that makes a policy, and an evaluator for its inside."""
        definition = self.scope.folder.definitions.get(head)
        if definition is None:
            raise Opaque(f"{head} is not defined in this folder; Terraform refuses this", span)
        key = self.value(steps[0].key) if steps and isinstance(steps[0], Index) else None
        return self.inside(head, definition, key, span), definition.body

    def document_at(self, node: Expression) -> tuple[Evaluator, Body] | None:
        """The data source to whose policy a reference leads, and an evaluator for its inside; None for all else."""
        head, steps = head_and_steps(node)
        labels = tuple(step.name for step in steps[:2] if isinstance(step, Attribute))
        last = steps[-1] if steps else None
        if not isinstance(head, Variable) or (head.name, *labels[:1]) != _DOCUMENT or len(labels) != 2:
            return None
        if head.name in self.names or not isinstance(last, Attribute) or last.name not in ("json", "minified_json"):
            return None
        return self._inside_document(".".join((*_DOCUMENT, labels[1])), steps[2:], node.span)

    def _documents(self, node: Splat) -> Node | None:
        """The policies that all objects of a data source make; None for anything else, or if nobody knows how many."""
        labels = next(references(node.value), ()) if isinstance(node.value, Attribute) else ()
        step = node.element if isinstance(node.element, Attribute) else None
        if labels[:2] != _DOCUMENT or len(labels) != 3 or step is None or not isinstance(step.value, Item):
            return None
        if step.name not in ("json", "minified_json"):
            return None
        definition = self.scope.folder.definitions.get(head := ".".join(labels))
        if definition is None or definition.body.value("for_each") is not None:
            return None
        count = definition.body.value("count")
        number = self.outside(head, definition, node.span).value(count) if count is not None else None
        text = "1" if number is None else label_of(number) if is_known(number) else ""
        if not text.isdecimal() or len(text) > 2:
            return None
        keys = [Scalar(str(index), node.span, "number") for index in range(int(text))]
        insides = (self.inside(head, definition, key, node.span) for key in keys)
        return Array(tuple(self.scope.ways.rendered(inside, definition.body) for inside in insides), node.span)

    def inside(self, head: str, definition: Definition, key: Node | None, span: Span) -> Evaluator:
        """Return an evaluator for the inside of a block, for that of its objects which has the key."""
        return self.outside(head, definition, span).instance(definition.body, key)

    def outside(self, head: str, definition: Definition, span: Span) -> Evaluator:
        """Return an evaluator for what a block says of how many objects it makes."""
        self.refuse_circle(head, span)
        return self._evaluator_of(self.scope, definition.source, {}, head)

    def instance(self, body: Body, key: Node | None) -> Evaluator:
        """Return an evaluator for one of several objects that a block makes; without a key for any of them."""
        for_each = body.value("for_each")
        if key is None or (for_each is None and body.value("count") is None):
            return self.with_names(self.numbered(body))
        if for_each is None:
            return self.with_names({"count": count_object(key)})
        value = self.value(for_each)
        if isinstance(value, Array):
            return self.with_names({"each": each_of(key, key)})
        return self.with_names({"each": each_of(key, child_of(value, key, key.span, self.scope.policies))})

    def numbered(self, body: Body) -> dict[str, Node]:
        """Return what `count` and `each` stand for in any of the objects that a block makes."""
        count, for_each = body.value("count"), body.value("for_each")
        if count is not None:
            value = self.value(count)
            first = is_known(value) and label_of(value) in ("0", "1")
            index = Scalar("0", count.span, "number") if first else unknown("count.index", count.span, name_of(value))
            return {"count": count_object(index)}
        if for_each is None:
            return {}
        collection_name = name_of(self.value(for_each))
        return {
            "each": each_of(*(unknown(f"each.{name}", for_each.span, collection_name) for name in ("key", "value")))
        }

    def local(self, name: str) -> Node:
        """The value of a local."""
        return self._local_part(name, ())[0]

    def _local_part(self, name: str, steps: Sequence[Attribute | Index]) -> tuple[Node, Sequence[Attribute | Index]]:
        """The part of a local that the first steps lead to as it is written, and the steps that are left."""
        definition = self._definition(f"local.{name}")
        if definition.value is None:
            raise Opaque(f"local.{name} has no value", definition.span)
        key = f"local.{name}"
        self.refuse_circle(key, definition.span)
        inner = self._evaluator_of(self.scope, definition.source, {}, key)
        part = written_part(definition.value, steps)
        return self.remembered((key, part.path), lambda: inner.value(part.value)), part.rest

    def remembered(self, key: object, work: Callable[[], T]) -> T:
        """Return what `work` makes of this scope and its truths alone, done once under this key."""
        value: T = self.scope.memory.value((self.scope, key), self.truths, work)
        return value

    def refuse_circle(self, key: str, span: Span) -> None:
        if (self.scope.name, key) in self.active:
            self.scope.memory.forgo()
            raise Opaque(f"{key} depends on itself", span)

    def _definition(self, address: str) -> Definition:
        definition = self.scope.folder.definitions.get(address)
        if definition is None:
            raise Opaque(f"{address} is not defined in this folder; Terraform refuses this", Span(0, 1))
        return definition

    def body_content(self, body: Body) -> object:
        """Return what is in a body, without its places."""
        return self.block(Block(type="", labels=(), body=body, span=body.span, head=body.span))

    def block(self, block: Block) -> list[object]:
        """Return what is in a block, without its places."""
        contents: list[object] = [block.labels]
        contents += [(name, self.part_structure((each.value,))) for name, each in sorted(block.body.arguments.items())]
        return [*contents, *(self.block(each) for each in block.body.blocks)]

    def follow(self, value: Node, steps: Sequence[Attribute | Index], span: Span) -> Node:
        """The part of a value that dots and brackets lead to."""
        for step in steps:
            if isinstance(step, Attribute):
                key: Node = Scalar(step.name, step.span)
            else:
                key = self.value(step.key)
            value = child_of(value, key, span, self.scope.policies)
        return value
