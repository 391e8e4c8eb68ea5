"""Principals in Terraform: whose identity policies are judged as one, role by role, user by user, group by group."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.choices import Impossible, Need
from policy_guard.documents.containers.opaque import Opaque, digest
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.places import CEILING, Use
from policy_guard.documents.containers.terraform.scope import Scope
from policy_guard.documents.containers.terraform.values import label_of, name_of
from policy_guard.documents.hcl.syntax import Attribute, Expression, Variable
from policy_guard.documents.source import Node, Span
from policy_guard.solver.strings.pattern import HIDDEN

# Source: the AWS provider's documentation of each resource.
_ARGUMENTS = {
    f"aws_iam_{principal}_policy{suffix}": principal
    for principal in ("role", "user", "group")
    for suffix in ("", "_attachment")
}
_ROLE = "aws_iam_role"


def argument_of_principal(use: Use) -> str:
    """Return the argument that names the principal of an identity policy, also for a role's own; else nothing."""
    address = use.address.removeprefix(use.scope.name)
    type_, _, path = address.partition(".")
    if address.endswith(CEILING):
        return ""
    if type_ == _ROLE:
        return "role" if path.partition(".")[2].startswith(("inline_policy", "managed_policy_arns")) else ""
    return _ARGUMENTS.get(type_, "")


def principal_of(use: Use, evaluator: Evaluator) -> str:
    """Return what is equal for two policies of one principal only; nothing where it is not known."""
    argument = argument_of_principal(use)
    if not argument:
        return ""
    value = use.definition.body.value(argument) if not _is_own(use) else _own_name(use)
    if value is None:
        return ""
    try:
        return "\n".join((argument_label(argument, evaluator.value(value)), *_provider(use), *providers(use.scope)))
    except (Need, Impossible, Opaque):
        return ""


def argument_label(argument: str, value: Node) -> str:
    """An argument with its value as people know it, equal only for equal values."""
    return f"{argument} {label_of(value)}{HIDDEN}{digest(name_of(value))}"


def providers(scope: Scope) -> Iterator[str]:
    """The providers that the modules around a scope are given, as written."""
    while scope.call is not None and scope.parent is not None:
        value = scope.call.body.value("providers")
        yield scope.call.source.text[slice(*value.span)] if value is not None else ""
        scope = scope.parent


def _provider(use: Use) -> Iterator[str]:
    value = use.definition.body.value("provider")
    yield use.definition.source.text[slice(*value.span)] if value is not None else ""


def _is_own(use: Use) -> bool:
    """Tell whether the policy is written in the role itself."""
    return use.address.removeprefix(use.scope.name).startswith(f"{_ROLE}.")


def _own_name(use: Use) -> Expression | None:
    """The expression by which others name a role; None if the block makes several."""
    body = use.definition.body
    if body.value("count") is not None or body.value("for_each") is not None:
        return None
    label = use.address.removeprefix(use.scope.name).split(".")[1]
    span = Span(use.definition.span.start, use.definition.span.start)
    return Attribute(Attribute(Variable(_ROLE, span), label, span), "name", span)
