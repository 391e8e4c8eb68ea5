"""All principals and managed policies of an account, as `aws iam get-account-authorization-details` saves them.

Source: IAM API Reference, GetAccountAuthorizationDetails. Each principal has one identity policy, of what it has
inline, attached and by its groups; beside it stand its boundary and, of a role, its trust policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_guard.documents.containers import Kind
from policy_guard.documents.containers.attachment_files import (
    GROUP,
    POLICY,
    attached_statement,
    principal_document,
    statements_of_policy,
)
from policy_guard.documents.containers.managed import statements as managed_statements
from policy_guard.documents.containers.plain import PolicyDocument, Reading
from policy_guard.documents.containers.recognition import policy_of
from policy_guard.documents.embedded import read_text
from policy_guard.documents.source import Array, Node, Object, Problem, Scalar, Source, Span, Unreadable

_USERS, _GROUPS, _ROLES, _POLICIES = "UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"
_NAMES = {_USERS: "UserName", _GROUPS: "GroupName", _ROLES: "RoleName"}
_INLINE = {_USERS: "UserPolicyList", _GROUPS: "GroupPolicyList", _ROLES: "RolePolicyList"}
_NOUNS = {_USERS: "user", _GROUPS: "group", _ROLES: "role"}
_ENDS = ("IsTruncated", "Marker", "NextToken")
_VERSION = "2012-10-17"


def is_account(document: Node) -> bool:
    """Tell whether a document is such an answer."""
    return isinstance(document, Object) and any(isinstance(document.get(key), Array) for key in _NAMES)


def account_policies(source: Source, document: Node) -> Reading:
    """The policies of an account. Raises `Unreadable` for a part of an answer, and what is mistaken in it."""
    assert isinstance(document, Object)
    _refuse_part(document)
    account = _Account(source, document)
    return Reading(tuple(account.policies()), 0)


class _Account:
    """The answer, with its managed policies and groups by what principals name them by."""

    def __init__(self, source: Source, document: Object) -> None:
        self._source = source
        self._document = document
        self._managed = {_text(policy, "Arn").text: policy for policy in _objects(document, _POLICIES)}
        self._groups = {_text(group, "GroupName").text: group for group in _objects(document, _GROUPS)}

    def policies(self) -> Iterator[PolicyDocument]:
        for kind, name_key in _NAMES.items():
            names: set[str] = set()
            for principal in _objects(self._document, kind):
                name = _text(principal, name_key)
                if name.text in names:
                    raise Unreadable(Problem(f'"{name.text}" stands twice in {kind}; keep one', name.span))
                names.add(name.text)
                yield from self._of_principal(kind, principal, name.text)
        for arn, policy in self._managed.items():
            yield self._whole(f"{_POLICIES}.{arn}", "", "identity", _default_version(policy, self._source))

    def _of_principal(self, kind: str, principal: Object, name: str) -> Iterator[PolicyDocument]:
        holder, label = f"{_NOUNS[kind]} {name}", f"{kind}.{name}"
        statements: list[Object] = []
        for number, document in enumerate(self._documents(kind, principal)):
            if _is_current(document):
                statements += _statements(document)
            else:
                yield self._whole(f"{label}.{number}", holder, "identity", document)
        statements += self._unknown(principal)
        yield from principal_document(self._source, label, holder, statements)
        if (trust := principal.get("AssumeRolePolicyDocument")) is not None:
            yield self._whole(f"{label}.AssumeRolePolicyDocument", holder, "trust", _read(trust, self._source))
        yield from self._boundary(principal, label, holder)

    def _documents(self, kind: str, principal: Object) -> Iterator[Object]:
        """Everything that a principal has and whose document is in the answer."""
        for item in _objects(principal, _INLINE[kind]):
            yield _read(_value(item, "PolicyDocument"), self._source)
        for arn in _attached_arns(principal):
            if arn.text in self._managed:
                yield _default_version(self._managed[arn.text], self._source)
        for group in _texts(principal, "GroupList"):
            if group.text in self._groups:
                yield from self._documents(_GROUPS, self._groups[group.text])

    def _unknown(self, principal: Object) -> Iterator[Object]:
        """Statements for what a principal has and whose document is not in the answer; AWS's own are known."""
        for arn in _attached_arns(principal):
            if arn.text not in self._managed:
                yield from statements_of_policy(arn, may_be_path=False)
        for group in _texts(principal, "GroupList"):
            if group.text in self._groups:
                yield from self._unknown(self._groups[group.text])
            else:
                yield attached_statement(GROUP, (f"arn:aws:iam::*:group/{group.text}",), group.span)

    def _boundary(self, principal: Object, label: str, holder: str) -> Iterator[PolicyDocument]:
        boundary = principal.get("PermissionsBoundary")
        if not isinstance(boundary, Object):
            return
        arn = _text(boundary, "PermissionsBoundaryArn")
        address = f"{label}.PermissionsBoundary"
        if arn.text in self._managed:
            yield self._whole(address, holder, "boundary", _default_version(self._managed[arn.text], self._source))
            return
        known = managed_statements((arn.text,), arn.span)
        statements = known or (attached_statement(POLICY, (arn.text,), arn.span),)
        yield self._whole(address, holder, "boundary", policy_of(statements, arn.span))

    def _whole(self, label: str, holder: str, kind: Kind, document: Object) -> PolicyDocument:
        return PolicyDocument(label, document, self._source, holder, kind=kind)


def _refuse_part(document: Object) -> None:
    for name in _ENDS:
        value = document.get(name)
        if isinstance(value, Scalar) and value.kind != "null" and value.text.lower() not in ("false", ""):
            raise Unreadable(Problem(f'"{name}" says that this is a part of the answer; save all of it', value.span))


def _objects(node: Object, key: str) -> Iterator[Object]:
    items = node.get(key)
    for item in items.items if isinstance(items, Array) else ():
        if not isinstance(item, Object):
            raise Unreadable(Problem(f"a mapping is expected in {key}", item.span))
        yield item


def _value(node: Object, key: str) -> Node:
    value = node.get(key)
    if value is None:
        raise Unreadable(Problem(f'"{key}" is missing here', Span(node.span.start, node.span.start + 1)))
    return value


def _text(node: Object, key: str) -> Scalar:
    value = _value(node, key)
    if not isinstance(value, Scalar) or value.kind != "string":
        raise Unreadable(Problem(f'"{key}" is a text', value.span))
    return value


def _texts(node: Object, key: str) -> Iterator[Scalar]:
    items = node.get(key)
    for item in items.items if isinstance(items, Array) else ():
        if not isinstance(item, Scalar):
            raise Unreadable(Problem(f"texts are expected in {key}", item.span))
        yield item


def _attached_arns(principal: Object) -> Iterator[Scalar]:
    return (_text(item, "PolicyArn") for item in _objects(principal, "AttachedManagedPolicies"))


def _default_version(policy: Object, source: Source) -> Object:
    """The document of a managed policy that counts."""
    for version in _objects(policy, "PolicyVersionList"):
        is_default = version.get("IsDefaultVersion")
        if isinstance(is_default, Scalar) and is_default.text.lower() == "true":
            return _read(_value(version, "Document"), source)
    raise Unreadable(Problem("the policy has no version that is the default", Span(*policy.span)))


def _read(node: Node, source: Source) -> Object:
    """A document, which may stand in a string. Raises `Unreadable`, also for one in the escapes of an address."""
    document = read_text(node, source) if isinstance(node, Scalar) else node
    if not isinstance(document, Object):
        raise Unreadable(Problem("a policy is expected here", node.span))
    return document


def _is_current(document: Object) -> bool:
    version = document.get("Version")
    return isinstance(version, Scalar) and version.text == _VERSION


def _statements(document: Object) -> Sequence[Object]:
    """The statements of a document; what is no mapping is refused with its whole policy elsewhere."""
    statement = document.get("Statement")
    items = statement.items if isinstance(statement, Array) else (statement,)
    wrong = next((item for item in items if not isinstance(item, Object)), None)
    if wrong is not None or statement is None:
        raise Unreadable(Problem("statements are expected here", (wrong or document).span))
    return [item for item in items if isinstance(item, Object)]
