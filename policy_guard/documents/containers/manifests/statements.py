"""Statements of IAM that stand without a policy around them, in the spellings that tools take."""

from __future__ import annotations

from collections.abc import Iterable

from policy_guard.documents.containers.manifests.pulumi_document import is_in_words, statement_in_words, statements_of
from policy_guard.documents.containers.manifests.resources import is_filled_in
from policy_guard.documents.containers.recognition import looks_like_policy
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar

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
# Go reads keys in any case, and so does kops: https://pkg.go.dev/encoding/json#Unmarshal.
_BY_NAME = {element.lower(): element for element in _ELEMENTS}
_ACTING = {name.removesuffix("s") + end for name in map(str.lower, _ELEMENTS[2:8]) for end in ("", "s")}
# Files with these are parts of one of the Serverless Framework, and judged there.
_OF_SERVERLESS = "iamRoleStatements"
_EFFECTS = ("Allow", "Deny")


def statements_in(node: Node) -> tuple[Node, ...] | None:
    """The statements of a list or of a call of Pulumi; None for anything else."""
    if isinstance(node, Object):
        return statements_of(node)
    if not isinstance(node, Array) or not node.items:
        return None
    if all(isinstance(item, Object) and item.get("Effect") is not None for item in node.items):
        return node.items
    statements = tuple(statement_of(item) for item in node.items if reads_as_statement(item))
    complete = tuple(statement for statement in statements if statement is not None)
    return complete if len(complete) == len(node.items) else None


def reads_as_statement(node: Node) -> bool:
    """Tell whether a mapping is a statement for some tool, in whatever case and number its keys are written."""
    if not isinstance(node, Object):
        return False
    effects = [entry.value for entry in node.entries if entry.key.text.lower() == "effect"]
    has_effect = any(isinstance(each, Scalar) and _is_effect(each.text) for each in effects)
    return has_effect and any(entry.key.text.lower() in _ACTING for entry in node.entries)


def hold_statements(documents: Iterable[Node]) -> bool:
    """Tell whether a list of statements, in the words of IAM, stands somewhere in the documents."""
    stack = list(documents)
    while stack:
        node = stack.pop()
        if isinstance(node, Array):
            if any(reads_as_statement(item) and "Effect" in _words(item) for item in node.items):
                return True
            stack += node.items
        elif isinstance(node, Object) and not looks_like_policy(node):
            stack += [entry.value for entry in node.entries if entry.key.text != _OF_SERVERLESS]
    return False


def _words(node: Node) -> set[str]:
    return {entry.key.text for entry in node.entries} if isinstance(node, Object) else set()


def statement_of(node: Node) -> Object | None:
    """The statement in the words of IAM; None if it cannot be told what a tool makes of it."""
    if not isinstance(node, Object):
        return None
    names = [entry.key.text for entry in node.entries]
    if is_in_words(node):
        statement: Object | None = statement_in_words(node)
    elif len({name.lower() for name in names}) < len(names) or any(name.lower() not in _BY_NAME for name in names):
        statement = None
    else:
        entries = (Entry(key._replace(text=_BY_NAME[key.text.lower()]), value) for key, value in node.entries)
        statement = node._replace(entries=tuple(entries))
    effect = statement.get("Effect") if statement else None
    return statement if isinstance(effect, Scalar) and effect.text in _EFFECTS else None


def _is_effect(text: str) -> bool:
    return text.capitalize() in _EFFECTS or is_filled_in(text)
