"""The policy that `aws_iam_policy_document` makes of its blocks, as the AWS provider does.

Source: terraform-provider-aws, internal/service/iam/policy_document_data_source.go and policy_model.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from policy_guard.documents.containers.choices import free
from policy_guard.documents.containers.holes import Parts
from policy_guard.documents.containers.opaque import Excess, Opaque, Unclear
from policy_guard.documents.containers.terraform.definition import plain_text
from policy_guard.documents.containers.terraform.elsewhere import is_unread
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.merged import Item, items_apart, merged_statements
from policy_guard.documents.containers.terraform.text import policy_of
from policy_guard.documents.containers.terraform.values import (
    JSON,
    each_of,
    is_known,
    is_null,
    label_of,
    name_of,
    pairs_of,
    parts,
    single,
    surely_differ,
    text_of,
    unknown,
)
from policy_guard.documents.hcl.syntax import Block, Body, Call, Conditional, Expression, List, OtherFile, Variable
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Scalar, Span

_LISTS = {
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
}
_BLOCKS = ("principals", "not_principals", "condition")
_MERGED = ("source_json", "source_policy_documents", "override_policy_documents", "override_json")
_OWN = "statement"
_JOINING = ("concat", "compact", "flatten")
_TOP = ("version", "policy_id", "count", "for_each", "provider", "depends_on", *_MERGED)
_ELEMENTS = (
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
)


def render(evaluator: Evaluator, body: Body, is_apart: bool = False) -> Object:
    """The policy of a data source. Raises `Need` and `Opaque`.

    If it `is_apart`, each statement has what has to be so for it, and no truths are needed for that.
    """
    for name, argument in body.arguments.items():
        if name not in _TOP:
            raise Opaque(f"aws_iam_policy_document has no argument {name[:60]}", argument.span)
    items: list[Item] = []
    for name in _MERGED[:2]:
        items += (item._replace(group=name) for item in _merged_items(evaluator, body, name, is_apart))
    for block in body.blocks:
        items += _items_of_block(evaluator, block, is_apart)
    for name in _MERGED[2:]:
        items += _merged_items(evaluator, body, name, is_apart)
    statements = merged_statements(evaluator, items, is_apart)
    version = body.value("version")
    text = single(evaluator.value(version)) if version is not None else Scalar("2012-10-17", body.span)
    entries = (_entry("Version", text), _entry("Statement", Array(statements, body.span)))
    return Object(entries, body.span, JSON)


def policy_value(evaluator: Evaluator, node: Expression) -> Node:
    """What an expression comes to; of a document that it leads to, each statement has what has to be so for it."""
    if isinstance(node, Conditional):
        return policy_value(evaluator, node.if_true if evaluator.holds(node.condition) else node.if_false)
    document = evaluator.document_at(node)
    return render(*document, is_apart=True) if document is not None else evaluator.value(node)


def _entry(name: str, value: Node) -> Entry:
    return Entry(Scalar(name, value.span), value)


# --- blocks


def _items_of_block(evaluator: Evaluator, block: Block, is_apart: bool) -> list[Item]:
    """The statements that a block of a document makes; of one that depends on too much, what may be in it."""

    def items(inner: Evaluator) -> list[Item]:
        bodies = _blocks(inner, (block,), ("statement",))
        return [Item(each, group=_OWN) for body in bodies for each in _statement(*body)]

    if not is_apart:
        return items(evaluator)
    try:
        return items_apart(evaluator, block, items)
    except (Excess, Unclear):
        return [Item(evaluator.by_text("this statement", block, block.head), group=_OWN)]


def _blocks(
    evaluator: Evaluator, blocks: Iterable[Block], types: Sequence[str]
) -> Iterator[tuple[Evaluator, Body, bool]]:
    """The blocks of these types, those of `dynamic` too; the last says that nobody knows how often it is there."""
    for block in blocks:
        if block.type in types:
            yield evaluator, block.body, False
        elif block.type == "dynamic" and block.labels and block.labels[0] in types:
            yield from _dynamic(evaluator, block)
        elif block.type not in (*_BLOCKS, "dynamic", "statement", "timeouts"):
            raise Opaque(f"aws_iam_policy_document has no block {block.type[:60]}", block.head)


def _dynamic(evaluator: Evaluator, block: Block) -> Iterator[tuple[Evaluator, Body, bool]]:
    for_each, contents = block.body.value("for_each"), block.body.of_type("content")
    if for_each is None or len(contents) != 1:
        raise Opaque("a dynamic block has a for_each and one content", block.head)
    iterator = block.body.value("iterator")
    name = _name(iterator) if iterator is not None else block.labels[0]
    value = evaluator.value(for_each)
    pairs = pairs_of(value)
    for key, item in pairs or ():
        each_key = key if isinstance(value, Object) else item
        yield evaluator.with_names({name: each_of(each_key, item)}), contents[0].body, False
    if pairs is None:
        if not evaluator.truth(free(f"{label_of(value)} is not empty", f"terraform not empty {name_of(value)}")):
            return
        # Statements that allow and those that deny may apply by different items.
        effect = contents[0].body.value("effect")
        kind = name_of(evaluator.value(effect)) if effect is not None else "Allow"
        unknowns = (
            unknown(f"{noun} of {label_of(value)}", for_each.span, name_of(value), kind) for noun in ("a key", "one")
        )
        yield evaluator.with_names({name: each_of(*unknowns)}), contents[0].body, True


def _name(iterator: Expression) -> str:
    """The name that an iterator gives to each item."""
    if isinstance(iterator, OtherFile):
        return _name(iterator.value)
    return iterator.name if isinstance(iterator, Variable) else plain_text(iterator)


def _statement(evaluator: Evaluator, body: Body, is_repeated: bool) -> Iterator[Object]:
    entries: list[Entry] = []
    for name, argument in body.arguments.items():
        value = evaluator.value(argument.value)
        if name in _LISTS:
            entries += _texts(_LISTS[name], value, marked=name.endswith("resources"))
        elif name in ("sid", "effect"):
            text = single(value)
            if not is_null(text) and parts(text):
                entries.append(_entry(name.capitalize(), text))
        else:
            raise Opaque(f"a statement has no argument {name[:60]}", argument.span)
    if all(entry.key.text != "Effect" for entry in entries):
        entries.insert(0, _entry("Effect", Scalar("Allow", Span(body.span.start, body.span.start + 1))))
    for type_, element in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
        entries += _principals(element, list(_blocks(evaluator, body.blocks, (type_,))))
    conditions = _conditions(list(_blocks(evaluator, body.blocks, ("condition",))))
    if conditions is not None:
        yield Object((*entries, *conditions), body.span)


def _texts(element: str, value: Node, marked: bool) -> Iterator[Entry]:
    """The element of a list of texts, which is not there if the list is empty or null."""
    if is_null(value):
        return
    items = _flat_items(value)
    if items:
        texts = tuple(_with_variables(item) if marked else item for item in map(_as_string, items))
        yield _entry(element, Array(texts, value.span))


def _flat_items(value: Node) -> tuple[Node, ...]:
    """The items of a list; Terraform up to 0.11 takes those of a list in it for its own, and later ones refuse that."""
    items = value.items if isinstance(value, Array) else (value,)
    return tuple(inner for item in items for inner in (item.items if isinstance(item, Array) else (item,)))


def _as_string(item: Node) -> Node:
    if isinstance(item, Scalar) and item.kind != "null":
        return item._replace(kind="string")
    raise Opaque("a list of texts is expected here", item.span)


def _with_variables(item: Node) -> Node:
    """The text with `&{` as the beginning of a policy variable."""
    if not isinstance(item, Scalar):
        return item
    text_parts = tuple(part.replace("&{", "${") if isinstance(part, str) else part for part in parts(item))
    return item._replace(text=item.text.replace("&{", "${"), parts=text_parts)


def _principals(element: str, blocks: Sequence[tuple[Evaluator, Body, bool]]) -> Iterator[Entry]:
    by_type: dict[str, list[Node]] = {}
    for evaluator, body, is_repeated in blocks:
        if set(body.arguments) != {"type", "identifiers"}:
            raise Opaque("principals have type and identifiers", body.span)
        if is_repeated:
            raise Unclear("these principals are not known here; write them out", body.span)
        type_ = single(evaluator.value(body.arguments["type"].value))
        if not isinstance(type_, Scalar) or not is_known(type_):
            raise Unclear("the type of these principals is not known; write it out", body.span)
        items = _flat_items(evaluator.value(body.arguments["identifiers"].value))
        by_type.setdefault(type_.text, []).extend(_with_variables(_as_string(item)) for item in items)
    if not by_type:
        return
    span = blocks[0][1].span
    if list(by_type) == ["*"] and [parts(item) for item in by_type["*"]] == [("*",)]:
        yield _entry(element, by_type["*"][0])
        return
    yield _entry(element, Object(tuple(_entry(type_, Array(tuple(i), span)) for type_, i in by_type.items()), span))


def _conditions(blocks: Sequence[tuple[Evaluator, Body, bool]]) -> tuple[Entry, ...] | None:
    """The conditions of a statement; None if they never hold."""
    by_test: dict[str, dict[Parts, list[Node]]] = {}
    span = blocks[0][1].span if blocks else Span(0, 0)
    for evaluator, body, is_repeated in blocks:
        if set(body.arguments) != {"test", "variable", "values"}:
            raise Opaque("a condition has test, variable and values", body.span)
        if is_repeated:
            words = "the conditions of a dynamic block hold"
            if not evaluator.truth(free(words, f"terraform {words} {evaluator.body_content(body)!r}")):
                return None
            continue
        test, variable = (single(evaluator.value(body.arguments[name].value)) for name in ("test", "variable"))
        if not isinstance(test, Scalar) or not is_known(test):
            raise Unclear("the test of a condition is not known; write it out", body.span)
        values = by_test.setdefault(label_of(test), {})
        if not all(surely_differ(parts(variable), other) for other in values if other != parts(variable)):
            raise Unclear("nobody knows whether these are conditions on one key; write the keys out", body.span)
        items = _flat_items(evaluator.value(body.arguments["values"].value))
        values.setdefault(parts(variable), []).extend(_with_variables(_as_string(item)) for item in items)
    if not by_test:
        return ()
    tests = Object(tuple(_entry(test, _on_keys(values, span)) for test, values in by_test.items()), span)
    return (_entry("Condition", tests),)


def _on_keys(values: Mapping[Parts, Sequence[Node]], span: Span) -> Object:
    return Object(tuple(Entry(_key(key, span), Array(tuple(each), span)) for key, each in values.items()), span)


def _key(key: Parts, span: Span) -> Scalar:
    return text_of(key, span) if any(isinstance(part, Hole) for part in key) else Scalar("".join(map(str, key)), span)


# --- documents that are merged


def _merged_items(evaluator: Evaluator, body: Body, name: str, is_apart: bool) -> list[Item]:
    """The statements of the policies in a list, as they come out of being read and written again."""
    argument = body.value(name)
    if argument is None:
        return []
    is_text = name.endswith("_json")
    if not is_apart:
        value = evaluator.value(argument)
        return [] if is_text and _is_empty(value) else _items_of_value(value)
    items: list[Item] = []
    for part, is_compact in _merged_values(argument, is_text):
        items += _items_of_part(evaluator, part, is_compact)
    return items


def _merged_values(value: Expression, is_compact: bool) -> Iterator[tuple[Expression, bool]]:
    """The values in a list of documents as it is written; the second tells that empty ones are left out."""
    if isinstance(value, List):
        yield from ((item, is_compact) for item in value.items)
    elif isinstance(value, Call) and value.name in _JOINING and not value.spread:
        for argument in value.arguments:
            yield from _merged_values(argument, is_compact or value.name == "compact")
    else:
        yield value, is_compact


def _items_of_part(evaluator: Evaluator, part: Expression, is_compact: bool) -> list[Item]:
    """The statements of a value in a list of documents, each with what has to be so for it."""

    def items(inner: Evaluator) -> list[Item]:
        value = policy_value(inner, part)
        return [] if is_compact and _is_empty(value) else _items_of_value(value)

    return items_apart(evaluator, part, items)


def _is_empty(value: Node) -> bool:
    return isinstance(value, Scalar) and not parts(value)


def _items_of_value(value: Node) -> list[Item]:
    """The statements of one policy, or of those in a list; one of which nothing is known stands for its own."""
    items: list[Item] = []
    for document in value.items if isinstance(value, Array) else (value,):
        if is_null(document):
            continue
        if isinstance(document, Scalar) and is_unread(document):
            items.append(Item(document))
            continue
        statements = policy_of(document, document.span).get("Statement")
        if not isinstance(statements, Array):
            raise Opaque("the provider takes a list of statements alone here", document.span)
        items += (Item(each._replace(guards=()), each.guards) for each in map(_rewrite, statements.items))
    return items


def _rewrite(statement: Node) -> Object:
    if not isinstance(statement, Object) or any(entry.key.text not in _ELEMENTS for entry in statement.entries):
        raise Opaque("the provider reads this statement in another way; spell its elements as AWS does", statement.span)
    entries = (entry._replace(value=_element(entry.key.text, entry.value)) for entry in statement.entries)
    kept_entries = (entry for entry in entries if not (entry.key.text == "Condition" and entry.value == _NO_CONDITION))
    return statement._replace(entries=tuple(kept_entries))


_NO_CONDITION = Object((), Span(0, 0))


def _element(name: str, value: Node) -> Node:
    if name in ("Principal", "NotPrincipal") and isinstance(value, Scalar):
        return Scalar("*", value.span, parts=("*",))
    if name != "Condition" or not isinstance(value, Object):
        return value
    tests: list[Entry] = []
    for test in value.entries:
        keys = test.value.entries if isinstance(test.value, Object) else ()
        entries = tuple(Entry(key, values) for key, each in keys if (values := _text_values(each)) is not None)
        if entries:
            tests.append(test._replace(value=Object(entries, test.value.span)))
    return Object(tuple(tests), value.span) if tests else _NO_CONDITION


def _text_values(value: Node) -> Node | None:
    """The values of a condition that the provider keeps: numbers and null go."""
    items = value.items if isinstance(value, Array) else (value,)
    scalars = tuple(item for item in items if isinstance(item, Scalar) and item.kind not in ("number", "null"))
    return Array(scalars, value.span) if scalars else None
