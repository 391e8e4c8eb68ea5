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
_ANSWER = (*_NAMES, _POLICIES, *_ENDS)
_OF_ALL = ("Path", "Arn", "CreateDate", "AttachedManagedPolicies", "PermissionsBoundary", "Tags")
_MEMBERS = {
    _USERS: ("UserName", "UserId", "UserPolicyList", "GroupList", *_OF_ALL),
    _GROUPS: ("GroupName", "GroupId", "GroupPolicyList", *_OF_ALL),
    _ROLES: (
        *("RoleName", "RoleId", "AssumeRolePolicyDocument", "InstanceProfileList", "RolePolicyList", "RoleLastUsed"),
        *("Description", "MaxSessionDuration"),
        *_OF_ALL,
    ),
    _POLICIES: (
        *("PolicyName", "PolicyId", "Arn", "Path", "DefaultVersionId", "AttachmentCount", "IsAttachable"),
        *("PermissionsBoundaryUsageCount", "Description", "CreateDate", "UpdateDate", "PolicyVersionList"),
    ),
}
"""Every member that AWS's answer has: beside others a policy may stand that this reader would not see."""
_OF_INLINE = ("PolicyName", "PolicyDocument")
_OF_ATTACHED = ("PolicyName", "PolicyArn")
_OF_BOUNDARY = ("PermissionsBoundaryType", "PermissionsBoundaryArn")
_OF_VERSION = ("Document", "VersionId", "IsDefaultVersion", "CreateDate")


def is_account(document: Node) -> bool:
    """Tell whether a document is such an answer, or a list of some."""
    items = document.items if isinstance(document, Array) else (document,)
    return any(isinstance(item, Object) and item.get(key) is not None for item in items for key in _NAMES)


def account_policies(source: Source, documents: Sequence[Node]) -> Reading:
    """The policies of an account. Raises `Unreadable` for a part of an answer, and what is mistaken in it."""
    document = documents[0]
    if len(documents) > 1 or not isinstance(document, Object):
        words = "an account's answer stands alone in its file; save all of it as one"
        raise Unreadable(Problem(words, Span(document.span.start, document.span.start + 1)))
    _refuse_others(document, _ANSWER)
    _refuse_part(document)
    account = _Account(source, document)
    return Reading(tuple(account.policies()), 0)


class _Account:
    """The answer, with its managed policies and groups by what principals name them by."""

    def __init__(self, source: Source, document: Object) -> None:
        self._source = source
        self._document = document
        self._managed = _by_name(document, _POLICIES, "Arn")
        self._groups = _by_name(document, _GROUPS, "GroupName")

    def policies(self) -> Iterator[PolicyDocument]:
        for kind, name_key in _NAMES.items():
            for name, principal in _by_name(self._document, kind, name_key).items():
                yield from self._of_principal(kind, principal, name)
        for arn, policy in self._managed.items():
            yield self._whole(f"{_POLICIES}.{arn}", "", "identity", _default_version(policy, self._source))

    def _of_principal(self, kind: str, principal: Object, name: str) -> Iterator[PolicyDocument]:
        holder, label = f"{_NOUNS[kind]} {name}", f"{kind}.{name}"
        statements: list[Object] = []
        for number, document in enumerate(self._documents(kind, principal)):
            if _can_be_united(document):
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
        for item in _objects(principal, _INLINE[kind], _OF_INLINE):
            yield _read(_value(item, "PolicyDocument"), self._source)
        for arn in _attached_arns(principal):
            if arn.text in self._managed:
                yield _default_version(self._managed[arn.text], self._source)
        for group in _texts(principal, "GroupList"):
            if group.text in self._groups:
                yield from self._documents(_GROUPS, self._groups[group.text])

    def _unknown(self, principal: Object) -> Iterator[Object]:
        """Statements for what a principal has and whose document is not in the answer, and for AWS's own policies.

        Those have what AWS says, whatever the answer does.
        """
        for arn in _attached_arns(principal):
            if arn.text not in self._managed or managed_statements((arn.text,), arn.span):
                yield from statements_of_policy(arn, may_be_path=False)
        for group in _texts(principal, "GroupList"):
            if group.text in self._groups:
                yield from self._unknown(self._groups[group.text])
            else:
                yield attached_statement(GROUP, (f"arn:aws:iam::*:group/{group.text}",), group.span)

    def _boundary(self, principal: Object, label: str, holder: str) -> Iterator[PolicyDocument]:
        boundary = principal.get("PermissionsBoundary")
        if boundary is None:
            return
        if not isinstance(boundary, Object):
            raise Unreadable(Problem("a mapping is expected here", boundary.span))
        _refuse_others(boundary, _OF_BOUNDARY)
        arn = _text(boundary, "PermissionsBoundaryArn")
        address = f"{label}.PermissionsBoundary"
        known = managed_statements((arn.text,), arn.span)
        if arn.text in self._managed and not known:
            yield self._whole(address, holder, "boundary", _default_version(self._managed[arn.text], self._source))
            return
        statements = known or (attached_statement(POLICY, (arn.text,), arn.span),)
        yield self._whole(address, holder, "boundary", policy_of(statements, arn.span))

    def _whole(self, label: str, holder: str, kind: Kind, document: Object) -> PolicyDocument:
        return PolicyDocument(label, document, self._source, holder, kind=kind)


def _refuse_part(document: Object) -> None:
    for name in _ENDS:
        value = document.get(name)
        if isinstance(value, Scalar) and value.kind != "null" and value.text.lower() not in ("false", ""):
            raise Unreadable(Problem(f'"{name}" says that this is a part of the answer; save all of it', value.span))


def _refuse_others(node: Object, members: Sequence[str]) -> None:
    """Refuse a member twice, and one that AWS's answer does not have."""
    keys: set[str] = set()
    for key, _ in node.entries:
        if key.text in keys:
            raise Unreadable(Problem(f'"{key.text}" is written twice; keep one', key.span))
        if key.text not in members:
            words = f'"{key.text}" is no member of the answer of get-account-authorization-details; take it out'
            raise Unreadable(Problem(words, key.span))
        keys.add(key.text)


def _by_name(document: Object, key: str, name_key: str) -> dict[str, Object]:
    objects: dict[str, Object] = {}
    for node in _objects(document, key, _MEMBERS[key]):
        name = _text(node, name_key)
        if name.text in objects:
            raise Unreadable(Problem(f'"{name.text}" stands twice in {key}; keep one', name.span))
        objects[name.text] = node
    return objects


def _items(node: Object, key: str) -> Sequence[Node]:
    items = node.get(key)
    if items is None:
        return ()
    if not isinstance(items, Array) or items.tag is not None:
        raise Unreadable(Problem(f"{key} is a list", items.span))
    return items.items


def _objects(node: Object, key: str, members: Sequence[str]) -> Iterator[Object]:
    for item in _items(node, key):
        if not isinstance(item, Object):
            raise Unreadable(Problem(f"a mapping is expected in {key}", item.span))
        _refuse_others(item, members)
        yield item


def _value(node: Object, key: str) -> Node:
    value = node.get(key)
    if value is None:
        raise Unreadable(Problem(f'"{key}" is missing here', Span(node.span.start, node.span.start + 1)))
    return value


def _text(node: Object, key: str) -> Scalar:
    value = _value(node, key)
    if not isinstance(value, Scalar) or value.kind != "string" or value.tag is not None or value.disputed:
        raise Unreadable(Problem(f'"{key}" is a text', value.span))
    return value


def _texts(node: Object, key: str) -> Iterator[Scalar]:
    for item in _items(node, key):
        if not isinstance(item, Scalar) or item.kind != "string" or item.tag is not None or item.disputed:
            raise Unreadable(Problem(f"texts are expected in {key}", item.span))
        yield item


def _attached_arns(principal: Object) -> Iterator[Scalar]:
    return (_text(item, "PolicyArn") for item in _objects(principal, "AttachedManagedPolicies", _OF_ATTACHED))


def _default_version(policy: Object, source: Source) -> Object:
    """The document of a managed policy that counts."""
    versions = [*_objects(policy, "PolicyVersionList", _OF_VERSION)]
    defaults = [version for version in versions if _is_true(version.get("IsDefaultVersion"))]
    if len(defaults) != 1:
        raise Unreadable(Problem("one version of a policy is the default", Span(*policy.span)))
    version_id, named_id = defaults[0].get("VersionId"), policy.get("DefaultVersionId")
    if isinstance(named_id, Scalar) and not (isinstance(version_id, Scalar) and version_id.text == named_id.text):
        raise Unreadable(Problem("another version is marked as the default", named_id.span))
    return _read(_value(defaults[0], "Document"), source)


def _is_true(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.text.lower() == "true"


def _read(node: Node, source: Source) -> Object:
    """A document, which may stand in a string. Raises `Unreadable`, also for one in the escapes of an address."""
    document = read_text(node, source) if isinstance(node, Scalar) else node
    if not isinstance(document, Object):
        raise Unreadable(Problem("a policy is expected here", node.span))
    return document


def _can_be_united(document: Object) -> bool:
    """Tell whether a document is no more than its statements; any other is judged, or refused, by itself."""
    keys = sorted(entry.key.text for entry in document.entries)
    version, statement = document.get("Version"), document.get("Statement")
    is_plain = keys == ["Statement", "Version"] and document.tag is None and statement is not None
    is_current = isinstance(version, Scalar) and version.text == _VERSION and version.tag is None
    return is_plain and is_current and statement is not None and statement.tag is None


def _statements(document: Object) -> Sequence[Object]:
    """The statements of a document, without their Sids, which may be the same in another document."""
    statement = _value(document, "Statement")
    items = statement.items if isinstance(statement, Array) else (statement,)
    return [_without_sid(item) for item in items]


def _without_sid(statement: Node) -> Object:
    if not isinstance(statement, Object):
        raise Unreadable(Problem("a statement is expected here", statement.span))
    entries = (entry for entry in statement.entries if entry.key.text != "Sid")
    return statement._replace(entries=tuple(entries))
