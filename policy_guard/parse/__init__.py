"""A document as written becomes the typed policy that it means, or the list of what is wrong with it."""

from __future__ import annotations

from policy_guard.documents import Found
from policy_guard.parse.reader import Reader, quoted
from policy_guard.parse.statement import statement
from policy_guard.pattern import directive
from policy_guard.policy import VERSIONS, WITHOUT_PRINCIPAL, Policy, Statement
from policy_guard.source import Array, Node, Object, Scalar, Span, Unreadable, scalars

_TOP = ("Version", "Id", "Statement")


def parse(found: Found, kind: str | None = None) -> Policy:
    """The policy that a document means. Its kind comes from its shape where None is given.

    Raises `Unreadable` with every problem found. Source: IAM User Guide, reference_policies_grammar.
    """
    reader = Reader(found.source)
    node = found.node
    if chosen := directive(found.source.text):
        words = "chooses what is there once the template is filled in; write a policy each"
        reader.problem(f"{quoted(found.source.text[slice(*chosen)])} {words}", Span(*chosen))
    _refuse_disputed(reader, node)
    version, statements = _top(reader, node)
    shape = _shape(reader, statements, kind, node)
    if reader.problems:
        raise Unreadable(*reader.problems)
    return Policy(
        shape, version, statements, found.source, node.span, found.label, tuple(reader.doubts), holder=found.holder
    )


def _refuse_disputed(reader: Reader, node: Node) -> None:
    """Notes a problem for each scalar from which readers take different values; every reader knows a Version."""
    version = node.get("Version") if isinstance(node, Object) else None
    found = {scalar.span: scalar for scalar in scalars(node) if scalar.disputed}
    for scalar in found.values():
        if scalar is not version or scalar.text not in VERSIONS:
            reader.problem(f"{quoted(scalar.text)} {scalar.disputed}", scalar.span)


def _top(reader: Reader, node: Node) -> tuple[str, tuple[Statement, ...]]:
    if not isinstance(node, Object):
        reader.problem("a policy is a mapping with Version and Statement", node.span)
        return VERSIONS[0], ()
    entries = reader.entries(node, _TOP, "a policy")
    version = _version(reader, entries.get("Version"))
    if "Statement" not in entries:
        reader.problem('the policy has no "Statement"', Span(node.span.start, node.span.start + 1))
        return version, ()
    return version, tuple(
        statement(reader, index, each, version) for index, each in enumerate(_statements(reader, entries["Statement"]))
    )


def _version(reader: Reader, node: Node | None) -> str:
    if node is None:
        return "2008-10-17"
    text = node.text if isinstance(node, Scalar) and node.tag is None else ""
    if text not in VERSIONS:
        reader.problem('"Version" is "2012-10-17" or "2008-10-17"', node.span)
        return VERSIONS[0]
    return text


def _statements(reader: Reader, node: Node) -> tuple[Node, ...]:
    if isinstance(node, Object):
        return (node,)
    if isinstance(node, Array) and node.items and node.tag is None:
        return node.items
    reader.problem('"Statement" is one statement or a list with at least one', node.span)
    return ()


def _shape(reader: Reader, statements: tuple[Statement, ...], kind: str | None, node: Node) -> str:
    """The kind, after a look at whether each statement has the elements that it asks for."""
    named = any(each.principals for each in statements)
    kind = kind or _kind(statements, named)
    for each in statements:
        if kind in WITHOUT_PRINCIPAL and each.principals:
            reader.problem(f"a policy of the kind {kind} has no Principal or NotPrincipal", each.principals.span)
        elif kind not in WITHOUT_PRINCIPAL and not each.principals:
            reader.problem('the statement has no "Principal"', _head(each.span))
        if kind == "trust" and each.resource:
            reader.problem("a trust policy has no Resource or NotResource", each.resource.span)
        elif kind != "trust" and not each.resource:
            reader.problem('the statement has no "Resource"', _head(each.span))
        if kind == "trust" and (everyone := _bare_star(each)):
            words = '"Principal": "*" is not supported in a trust policy; name who may assume the role, or write'
            reader.problem(f'{words} {{"AWS": "*"}} for everyone', everyone)
        if each.principals and each.principals.negated and (each.effect == "Allow" or kind == "trust"):
            reader.problem('"NotPrincipal" is for Deny in resource policies; name the principals', each.principals.span)
    return kind


def _bare_star(statement: Statement) -> Span | None:
    """Where a statement about roles alone says "Principal": "*".

    AWS rejects that in trust policies (access-analyzer-reference-policy-checks, "Role trust policy unsupported wildcard
    in principal"). Resource policies without Resource, such as those of ECR, have the same shape and take it.
    """
    entries = statement.principals.entries if statement.principals else ()
    actions = statement.action
    roles = not actions.negated and all(value.text.strip().lower().startswith("sts:") for value in actions.values)
    return next((entry.value.span for entry in entries if entry.type == "*" and roles), None)


def _kind(statements: tuple[Statement, ...], named: bool) -> str:
    if not named:
        return "identity"
    return "resource" if any(each.resource for each in statements) else "trust"


def _head(span: Span) -> Span:
    return Span(span.start, span.start + 1)
