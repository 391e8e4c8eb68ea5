"""Places in Terraform that hold policies, or give them on to modules elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from policy_guard.documents.containers import Kind
from policy_guard.documents.containers.choices import (
    Impossible,
    Need,
)
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.terraform.deciding import deciding_texts
from policy_guard.documents.containers.terraform.definition import Definition
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.grants import GRANTING, PERMISSION
from policy_guard.documents.containers.terraform.modules import module_scopes
from policy_guard.documents.containers.terraform.scope import Scope
from policy_guard.documents.containers.terraform.uses import kind_of, takes_policy
from policy_guard.documents.containers.terraform.values import name_of
from policy_guard.documents.hcl.syntax import (
    Argument,
    Block,
    Expression,
)

_LIKE_POLICY = re.compile(r"\b(?:Statement|statements?|actions|\w*polic(?:y|ies)\w*)\b")
# Of the arguments of modules elsewhere, those that may say who gets what.
_OF_ACCESS = re.compile(
    r"polic|statement|action|arn|principal|role|permission|trusted|admin|iam|assume|grant|public|account", re.IGNORECASE
)
# Arguments of which it is looked whether a policy is written in them, though none is known to be taken there.
_MAY_HOLD = re.compile(
    r"Statement|polic|document|json|body|content|manifest|definition|template|input|value|config", re.IGNORECASE
)
BY_NAME = ("policy_arn", "policy_arns")
_OF_TARGETS, _POLICY_ID = "aws_organizations_policy_attachment", "policy_id"
CEILING = "permissions_boundary"
GRANT = "grant"
"""The name under which a resource that grants access without a document has a policy."""
_DOCUMENT = "data.aws_iam_policy_document."


@dataclass(frozen=True)
class Use:
    """A place that holds a policy: `deciding` is the text of all that may decide it, `reads` that files do so too.

    With `opens` it is a block of public access, or a boundary, that leaves all open in cases where it is not there.
    """

    address: str
    scope: Scope
    definition: Definition
    value: Expression | None
    kind: Kind | None
    deciding: frozenset[tuple[str, str, str]]
    reads: bool
    opens: bool = False


def type_of(use: Use) -> str:
    """Return the type of the resource at a place."""
    return use.address.removeprefix(use.scope.name).partition(".")[0]


def uses(scope: Scope) -> Iterator[Use]:
    """All places in a scope and in the modules that it calls."""
    read: set[str] = set()
    for address, definition in scope.folder.definitions.items():
        if definition.block is not None and definition.block.type == "resource":
            for use in _of_resource(scope, address, definition):
                if not is_by_name(use):
                    read |= {name for where, name, _ in deciding_texts(scope, use.value)[0] if where == scope.name}
                yield use
    for address, definition in scope.folder.definitions.items():
        if address.startswith(_DOCUMENT) and address not in read:
            yield _use(scope, address, definition, None, None)
        elif address.startswith("module."):
            yield from _of_module(scope, address, definition)


def _of_module(scope: Scope, address: str, definition: Definition) -> Iterator[Use]:
    label = address.removeprefix("module.")
    if (scopes := module_scopes(scope, label)) is not None:
        yield from (use for module_scope in scopes for use in uses(module_scope))
    elif scope.path_of(label):
        use = _use(scope, address, definition, None, None)
        # Beyond what is looked into nobody knows what changed: it is never what it was.
        beyond = {("", "", f"{id(scope.root())}")} if scope.is_at_limit() else set()
        yield replace(use, deciding=use.deciding | beyond)
    else:
        yield from _of_remote(scope, address, definition)


def is_by_name(use: Use) -> bool:
    """Tell whether the policy is named there, and stands elsewhere."""
    return use.address.endswith(BY_NAME) or is_of_target(use)


def is_of_target(use: Use) -> bool:
    """Tell whether the policy of an organization is attached there."""
    return use.address.removeprefix(use.scope.name).startswith(_OF_TARGETS) and use.address.endswith(f".{_POLICY_ID}")


def policy_use(scope: Scope, address: str) -> Use | None:
    """The place at which a managed policy is written."""
    definition, type_ = scope.folder.definitions[address], address.partition(".")[0]
    name = "content" if type_ == "aws_organizations_policy" else "policy"
    value = definition.body.value(name)
    return _use(scope, f"{address}.{name}", definition, value, kind_of(type_, name)) if value is not None else None


def _of_remote(scope: Scope, address: str, definition: Definition) -> Iterator[Use]:
    """Return what a module elsewhere is given that may grant something, by what it comes to.

    Where policies are given, another version of the module may make others of them.
    """
    arguments = {
        name: _argument_value(scope, definition, argument) for name, argument in definition.body.arguments.items()
    }
    words = {name: f"{name} {definition.written(definition.body.arguments[name])}" for name in arguments}
    policies = any(_LIKE_POLICY.search(f"{words[name]} {text}") for name, (text, _) in arguments.items())
    versions = ("source", "version", "providers") if policies else ()
    relevant_names = {
        name
        for name in arguments
        if name in versions or _OF_ACCESS.search(words[name]) or _is_policy(arguments[name][0])
    }
    if not relevant_names:
        return
    yield Use(
        address=f"{scope.name}{address}",
        scope=scope,
        definition=definition,
        value=None,
        kind=None,
        deciding=frozenset((scope.name, name, arguments[name][0]) for name in relevant_names),
        reads=any(arguments[name][1] for name in relevant_names),
    )


def _argument_value(scope: Scope, definition: Definition, argument: Argument) -> tuple[str, bool]:
    """Return what an argument comes to, or where nobody knows all that decides it, and whether files may."""
    evaluator = Evaluator(scope, definition.source, {})
    try:
        return name_of(evaluator.with_names(evaluator.numbered(definition.body)).value(argument.value)), False
    except (Need, Opaque, Impossible):
        texts, reads = deciding_texts(scope, argument, excluded_prefix="aws_")
        argument_text = definition.written(argument)
        return "\n".join([argument_text, *(text for _, _, text in sorted(texts))]), reads


def _is_policy(text: str) -> bool:
    return "Statement" in text and "Effect" in text


def _of_resource(scope: Scope, address: str, definition: Definition) -> Iterator[Use]:
    type_ = address.partition(".")[0]
    if type_ in GRANTING:
        kind: Kind = "resource" if type_ == PERMISSION else "identity"
        yield _use(scope, f"{address}.{GRANT}", definition, None, kind)
    for name, argument in definition.body.arguments.items():
        if takes_policy(type_, name):
            yield _use(scope, f"{address}.{name}", definition, argument.value, kind_of(type_, name))
        elif type_.startswith("aws_") and (name.endswith(BY_NAME) or (type_, name) == (_OF_TARGETS, _POLICY_ID)):
            yield _use(scope, f"{address}.{name}", definition, argument.value, "identity")
        else:
            yield from _unlisted_uses(scope, f"{address}.{name}", definition, argument)
    if type_ in ("aws_iam_role", "aws_iam_user") and (value := definition.body.value(CEILING)) is not None:
        yield _use(scope, f"{address}.{CEILING}", definition, value, "identity")
    for number, block in enumerate(definition.body.blocks):
        value = block.body.value("policy")
        if block.type == "inline_policy" and value is not None:
            yield _use(scope, f"{address}.inline_policy[{number}]", definition, value, "identity")
        elif block.type == "dynamic" and block.labels and block.labels[0].endswith("policy"):
            yield _use(scope, f"{address}.dynamic[{number}]", definition, None, None)
        else:
            for at, argument in enumerate(_arguments(block)):
                yield from _unlisted_uses(
                    scope, f"{address}.{block.type}[{number}].{argument.name}[{at}]", definition, argument
                )


def _arguments(block: Block) -> Iterator[Argument]:
    yield from block.body.arguments.values()
    for inner in block.body.blocks:
        yield from _arguments(inner)


def _unlisted_uses(scope: Scope, address: str, definition: Definition, argument: Argument) -> Iterator[Use]:
    """The policy in an argument that is not known to take any, if one is written there or in what decides it."""
    text = definition.written(argument)
    if not _MAY_HOLD.search(text):
        return
    if _is_policy(text) or any(
        _is_policy(each) for _, _, each in deciding_texts(scope, argument, excluded_prefix="aws_")[0]
    ):
        yield _use(scope, address, definition, argument.value, None)


def _use(scope: Scope, address: str, definition: Definition, value: Expression | None, kind: Kind | None) -> Use:
    texts, reads = deciding_texts(scope, definition.block)
    definition_text = (scope.name, "", definition.text)
    return Use(
        address=f"{scope.name}{address}",
        scope=scope,
        definition=definition,
        value=value,
        kind=kind,
        deciding=texts | {definition_text},
        reads=reads,
    )
