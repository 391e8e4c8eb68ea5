"""Variables: what a caller, a file or a default gives them, as their types make it.

Source: Terraform, "Input Variables", "Type Constraints" and "Optional Object Type Attributes".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_guard.documents.containers.choices import free
from policy_guard.documents.containers.terraform.definition import Definition, plain_text
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.functions import LISTS
from policy_guard.documents.containers.terraform.steps import WrittenPart, written_part
from policy_guard.documents.containers.terraform.values import is_known, is_null, label_of, name_of, unknown
from policy_guard.documents.containers.terraform.written import made_of
from policy_guard.documents.hcl.syntax import (
    Attribute,
    Call,
    Expression,
    Index,
    List,
    Literal,
    Mapping,
    OtherFile,
    Variable,
)
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Scalar, Span

_KINDS = {"string": "string", "bool": "boolean", "number": "number"}
_OPTIONAL = "optional"
_MOST_DEEP = 20
_NOTHING = Literal("null", "null", Span(0, 0))
"""What stands for the value of a variable that no caller gives."""


def variable_value(
    evaluator: Evaluator, name: str, steps: Sequence[Attribute | Index], span: Span
) -> tuple[Node, Sequence[Attribute | Index]]:
    """The part of a variable that the first steps lead to as it is given, and the steps left. Raises like `value`."""
    scope = evaluator.scope
    definition = scope.folder.definitions.get(f"var.{name}")
    type_ = definition.body.value("type") if definition else None
    argument = scope.call.body.value(name) if scope.parent is not None and scope.call is not None else None
    part = written_part(argument, steps, type_) if argument is not None else WrittenPart(_NOTHING, type_, (), steps)

    def value() -> Node:
        evaluator.refuse_circle(f"var.{name}", span)
        part_value = _value(evaluator, name, definition, part, span)
        if part.type_ is None or definition is None:
            return part_value
        inner = evaluator.in_scope(scope, definition.source, f"var.{name}")
        return made_of(_Conversion(inner, span).converted(part_value, part.type_), (part_value,))

    return evaluator.remembered((f"var.{name}", part.path), value), part.rest


def _value(evaluator: Evaluator, name: str, definition: Definition | None, part: WrittenPart, span: Span) -> Node:
    scope, key = evaluator.scope, f"var.{name}"
    default = definition.body.value("default") if definition else None
    if scope.parent is not None and scope.call is not None:
        if part.value is not _NOTHING:
            caller = evaluator.in_call(scope.parent, scope.call.source, key)
            value = caller.with_names(scope.instance or caller.numbered(scope.call.body)).value(part.value)
            if part.path or not is_null(value) or default is None or definition is None or _takes_null(definition):
                return value
        if definition is not None and default is not None:
            return evaluator.in_scope(scope, definition.source, key).value(default)
    assignment = scope.folder.assignments.get(name) or (definition._replace(value=default) if definition else None)
    atom = free(f"{key} has the value in the repository", f"terraform value {scope.name}{name}")
    repository_value = assignment.value if assignment is not None and name in scope.changed_variables else None
    if assignment is not None and repository_value is not None and evaluator.truth(atom):
        return evaluator.in_scope(scope, assignment.source, key).value(repository_value)
    return unknown(f"{scope.name}{key}", span)


def _takes_null(definition: Definition) -> bool:
    """Tell whether null is a value of a variable, and does not stand for its default."""
    nullable = definition.body.value("nullable")
    return nullable is None or (isinstance(nullable, Literal) and nullable.text == "true")


class _Conversion:
    """What a type makes of values; `evaluator` works out the defaults of optional attributes."""

    def __init__(self, evaluator: Evaluator, span: Span) -> None:
        self._evaluator = evaluator
        self._span = span

    def converted(self, value: Node, type_: Expression, depth: int = 0) -> Node:
        """Return the value as a type makes it, or as it is where Terraform would refuse it."""
        if isinstance(type_, OtherFile):
            return self.converted(value, type_.value, depth)
        if is_null(value) or depth > _MOST_DEEP:
            return value
        if not isinstance(type_, Call):
            name = type_.name if isinstance(type_, Variable) else plain_text(type_)
            return _scalar(value, _KINDS.get(name, ""))
        inner_type = type_.arguments[0] if type_.arguments else None
        if inner_type is None:
            return value
        if type_.name == "object" and isinstance(inner_type, Mapping):
            return self._object(value, inner_type, depth)
        return self._collection(value, type_.name, inner_type, depth)

    def _collection(self, value: Node, name: str, type_: Expression, depth: int) -> Node:
        if isinstance(value, Array) and name in ("list", "set"):
            items = tuple(self.converted(item, type_, depth + 1) for item in value.items)
            array = value._replace(items=items)
            return LISTS["toset"]([array], value.span) or array if name == "set" else array
        if isinstance(value, Array) and isinstance(type_, List) and len(type_.items) == len(value.items):
            pairs = zip(value.items, type_.items, strict=True)
            return value._replace(items=tuple(self.converted(*pair, depth + 1) for pair in pairs))
        if isinstance(value, Object) and name == "map":
            entries = (entry._replace(value=self.converted(entry.value, type_, depth + 1)) for entry in value.entries)
            return value._replace(entries=tuple(entries))
        if _is_unknown(value) and (defaults := [self._name(each) for each in _defaults(type_)]):
            return unknown(label_of(value), value.span, name_of(value), defaults)
        return value

    def _object(self, value: Node, attributes: Mapping, depth: int) -> Node:
        """Return the attributes that the type names; those of an unknown object as far as they have defaults."""
        is_unknown = _is_unknown(value)
        if not isinstance(value, Object) and not (is_unknown and any(_defaults(attributes))):
            return value
        entries: list[Entry] = []
        for key, type_ in attributes.items:
            name = key.name if isinstance(key, Variable) else plain_text(key)
            inner_type, default = _optional(type_)
            attribute = self._unknown(value, key, default) if is_unknown else _attribute(value, name)
            if attribute is None and inner_type is type_:
                return value
            if attribute is None or is_null(attribute):
                attribute = self._evaluator.value(default) if default is not None else _null(value.span)
            entries.append(Entry(Scalar(name, value.span), self.converted(attribute, inner_type, depth + 1)))
        return Object(tuple(entries), value.span)

    def _unknown(self, value: Node, key: Expression, default: Expression | None) -> Node:
        """An attribute of an object that nobody knows: its default may decide it."""
        step = Attribute(key, key.name if isinstance(key, Variable) else plain_text(key), value.span)
        attribute = self._evaluator.follow(value, (step,), value.span)
        if default is None:
            return attribute
        return unknown(label_of(attribute), value.span, name_of(attribute), self._name(default))

    def _name(self, default: Expression) -> str:
        return name_of(self._evaluator.value(default))


def _attribute(value: Node, name: str) -> Node | None:
    entries = value.entries if isinstance(value, Object) else ()
    return next((entry.value for entry in entries if entry.key.text == name), None)


def _null(span: Span) -> Node:
    return Scalar("", span, "null")


def _optional(type_: Expression) -> tuple[Expression, Expression | None]:
    """Return the type of an attribute and its default, if it is optional and has one."""
    if isinstance(type_, Call) and type_.name == _OPTIONAL and type_.arguments:
        return type_.arguments[0], type_.arguments[1] if len(type_.arguments) > 1 else None
    return type_, None


def _defaults(type_: Expression) -> Iterator[Expression]:
    """The defaults of the optional attributes in a type, at any depth."""
    stack: list[Expression] = [type_]
    while stack:
        node = stack.pop()
        if isinstance(node, Mapping):
            stack += (value for _, value in node.items)
        elif isinstance(node, List):
            stack += node.items
        elif isinstance(node, Call):
            inner_type, default = _optional(node)
            stack += node.arguments if inner_type is node else (inner_type,)
            if default is not None:
                yield default


def _is_unknown(value: Node) -> bool:
    """Tell whether nothing of a value is known."""
    return isinstance(value, Scalar) and value.parts is not None and [*map(type, value.parts)] == [Hole]


def _scalar(value: Node, kind: str) -> Node:
    """Return a text, number or truth value as one of this kind, as far as its text says that it is one."""
    if not kind or not isinstance(value, Scalar) or not is_known(value) or value.kind == kind:
        return value
    text = label_of(value)
    is_one = kind == "string" or (text in ("true", "false") if kind == "boolean" else text.isdecimal())
    return Scalar(text, value.span, kind, parts=(text,) if text else ()) if is_one else value
