"""Principals in Terraform: whose identity policies are judged as one, role by role, user by user, group by group."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.choices import Impossible, Need
from policy_guard.documents.containers.opaque import Opaque, digest
from policy_guard.documents.containers.terraform.definition import Definition
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.ignored import keeps
from policy_guard.documents.containers.terraform.places import CEILING, Use
from policy_guard.documents.containers.terraform.scope import Scope, written_name
from policy_guard.documents.containers.terraform.values import is_null, label_of, name_of, pairs_of
from policy_guard.documents.hcl.syntax import Attribute, Expression, Index, Variable
from policy_guard.documents.source import Array, Node, Span
from policy_guard.solver.strings.pattern import HIDDEN

# Source: the AWS provider's documentation of each resource.
_NOUNS = ("role", "user", "group")
_ARGUMENTS = {
    **{f"aws_iam_{noun}_policy{suffix}": (noun, noun) for noun in _NOUNS for suffix in ("", "_attachment")},
    **{f"aws_iam_{noun}_policy_attachments_exclusive": (noun, f"{noun}_name") for noun in _NOUNS},
    "aws_organizations_policy_attachment": ("target_id", "target_id"),
}
_ROLE = "aws_iam_role"
_BOUNDED = {_ROLE: "role", "aws_iam_user": "user"}
_OF_SEVERAL = "aws_iam_policy_attachment"


def argument_of_principal(use: Use) -> str:
    """Return the argument that names the principal of an identity policy, also for a role's own; else nothing."""
    type_, path = _type_and_path(use)
    if use.address.endswith(CEILING):
        return ""
    if type_ == _ROLE:
        return "name" if path.partition(".")[2].startswith(("inline_policy", "managed_policy_arns")) else ""
    return f"{_NOUNS[0]}s" if type_ == _OF_SEVERAL else _ARGUMENTS.get(type_, ("", ""))[1]


def principal_of(use: Use, evaluator: Evaluator) -> str:
    """Return what is equal for two policies of one principal only; nothing where it is not known."""
    argument, (type_, _) = argument_of_principal(use), _type_and_path(use)
    value = use.definition.body.value(argument) if type_ != _ROLE else _own_name(use, evaluator)
    if not argument or value is None:
        return ""
    noun = _ARGUMENTS[type_][0] if type_ in _ARGUMENTS else _NOUNS[0]
    try:
        return label_of_principal(use, noun, evaluator.value(value))
    except (Need, Impossible, Opaque):
        return ""


def principals_of(use: Use, evaluator: Evaluator) -> tuple[str, ...]:
    """Return the principals that a policy is attached to; an empty text where nobody knows them."""
    if _type_and_path(use)[0] != _OF_SEVERAL:
        return (principal_of(use, evaluator),)
    labels: list[str] = []
    for noun in _NOUNS:
        value = use.definition.body.value(f"{noun}s")
        try:
            collection = evaluator.value(value) if value is not None else None
        except (Need, Impossible, Opaque):
            return ("",)
        if collection is None or is_null(collection):
            continue
        pairs = pairs_of(collection) if isinstance(collection, Array) else None
        if pairs is None:
            return ("",)
        labels += (label_of_principal(use, noun, item) for _, item in pairs)
    return tuple(dict.fromkeys(labels))


def _type_and_path(use: Use) -> tuple[str, str]:
    type_, _, path = use.address.removeprefix(use.scope.name).partition(".")
    return type_, path


def label_of_principal(use: Use, noun: str, value: Node) -> str:
    """Return what is equal for two names of one principal only."""
    name = written_name(use.scope, value)
    return "\n".join((argument_label(noun, name), _provider(use.definition), *providers(use.scope)))


def argument_label(argument: str, value: Node) -> str:
    """An argument with its value as people know it, equal only for equal values."""
    return f"{argument} {label_of(value)}{HIDDEN}{digest(name_of(value))}"


def providers(scope: Scope) -> Iterator[str]:
    """The providers that the modules around a scope are given, as written, or have; none if all are of the root."""
    texts: list[str] = []
    while scope.call is not None and scope.parent is not None:
        value = scope.call.body.value("providers")
        blocks = (definition.block for definition in scope.folder.definitions.values())
        has_own = any(block is not None and block.type == "provider" for block in blocks)
        texts.append(unquoted(scope.call.written(value)) if value is not None else "its own" if has_own else "")
        scope = scope.parent
    yield from texts if any(texts) else ()


def provider_texts(scope: Scope, definition: Definition) -> tuple[str, ...]:
    """The providers that a resource and the modules around it are given, as written; none for those of the root."""
    return tuple(filter(None, (_provider(definition), *providers(scope))))


def _provider(definition: Definition) -> str:
    value = definition.body.value("provider")
    return unquoted(definition.written(value)) if value is not None else ""


def unquoted(text: str) -> str:
    """The names of providers without quotation marks, which Terraform up to 0.11 asked for, and blanks."""
    return " ".join(text.replace('"', "").split())


def bounded_principal(use: Use, evaluator: Evaluator) -> str:
    """Return the principal whose boundary stands at a place, as `principal_of`; nothing where it is not known."""
    type_, noun = _type_and_path(use)[0], _BOUNDED.get(_type_and_path(use)[0], "")
    name = _own_name(use, evaluator, type_) if noun and not keeps(use) else None
    try:
        return label_of_principal(use, noun, evaluator.value(name)) if name is not None else ""
    except (Need, Impossible, Opaque):
        return ""


def _own_name(use: Use, evaluator: Evaluator, type_: str = _ROLE) -> Expression | None:
    """The expression by which others name a role or user; None if nobody knows which of several it is."""
    label, span = _type_and_path(use)[1].split(".")[0], Span(use.definition.span.start, use.definition.span.start)
    role: Expression = Attribute(Variable(type_, span), label, span)
    for collection, loop, name in (("count", "count", "index"), ("for_each", "each", "key")):
        if use.definition.body.value(collection) is not None:
            if loop not in evaluator.names:
                return None
            role = Index(role, Attribute(Variable(loop, span), name, span), span)
    return Attribute(role, "name", span)
