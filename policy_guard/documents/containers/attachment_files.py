"""Which policies principals have, in files beside the policies: `policy-attachments` of ours, and saved answers of AWS.

Sources: IAM API Reference, ListAttachedRolePolicies, ListAttachedUserPolicies, ListAttachedGroupPolicies and
ListEntitiesForPolicy. The last does not tell the policy's name, so that the name of the file has to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from policy_guard.documents.containers.holes import Parts, hole, spelling
from policy_guard.documents.containers.managed import path_of
from policy_guard.documents.containers.managed import statements as managed_statements
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.containers.recognition import policy_of
from policy_guard.documents.format import ATTACHMENTS_KEY
from policy_guard.documents.source import Array, Entry, Node, Object, Problem, Scalar, Source, Span, Unreadable
from policy_guard.regex import regex

_ANSWERS = ("AttachedPolicies", "AttachedManagedPolicies")
_ENTITIES = {"PolicyRoles": "RoleName", "PolicyUsers": "UserName", "PolicyGroups": "GroupName"}
_PRINCIPALS = ("roles", "users", "groups")
_ARN = regex(r"arn:[^:\s*?]+:iam::[^:\s*?]+:policy/[^\s*?]+")
_MORE = ("IsTruncated", "NextToken", "Marker")
_WRITE = "write the ARN of a managed policy, or the path of a document in this repository"
POLICY, _DOCUMENT, GROUP = "attached:ManagedPolicy", "attached:Document", "attached:Group"


def attached_policies(source: Source, documents: Sequence[Node], labels: Iterable[str]) -> Iterator[PolicyDocument]:
    """One policy for each principal, of what a file attaches to it. Raises `Unreadable` for what is mistaken.

    `labels` are those of the other policies in the file: of two with one label only one would be judged.
    """
    all_labels = set(labels)
    for policy in _policies(source, documents):
        if policy.label in all_labels:
            raise Unreadable(Problem(f'"{policy.label}" stands twice in this file; keep one', policy.node.span))
        all_labels.add(policy.label)
        yield policy


def _policies(source: Source, documents: Sequence[Node]) -> Iterator[PolicyDocument]:
    for number, document in enumerate(documents):
        stack: list[tuple[Node, str]] = [(document, f"[{number}]" if number else "")]
        while stack:
            node, label = stack.pop()
            if isinstance(node, Object):
                yield from _in_object(source, node, label)
                stack += [(entry.value, f"{label}.{entry.key.text}".lstrip(".")) for entry in node.entries]
            elif isinstance(node, Array):
                stack += [(item, f"{label}[{at}]") for at, item in enumerate(node.items)]


def _in_object(source: Source, node: Object, label: str) -> Iterator[PolicyDocument]:
    keys = {entry.key.text for entry in node.entries}
    if ATTACHMENTS_KEY in keys:
        _refuse_repeated(node)
        yield from _of_format(source, node)
    if keys & {*_ANSWERS, *_ENTITIES}:
        _refuse_repeated(node)
        _refuse_part(node)
        for name in _ANSWERS:
            yield from _of_answer(source, node.get(name), node, f"{label}.{name}".lstrip("."))
        yield from _of_entities(source, node, label)


def _refuse_repeated(node: Object) -> None:
    keys: set[str] = set()
    for key, _ in node.entries:
        if key.text in keys:
            raise Unreadable(Problem(f'"{key.text}" is written twice; keep one', key.span))
        keys.add(key.text)


def _refuse_part(node: Object) -> None:
    """Refuse a part of an answer: what is not there may be attached as well."""
    for name in _MORE:
        value = node.get(name)
        if isinstance(value, Scalar) and value.kind != "null" and value.text.lower() not in ("false", ""):
            raise Unreadable(Problem(f'"{name}" says that this is a part of the answer; save all of it', value.span))


# --- the format of ours


def _of_format(source: Source, node: Object) -> Iterator[PolicyDocument]:
    version = node.get("version")
    if not isinstance(version, Scalar) or version.text != "1":
        raise Unreadable(Problem(f'beside "{ATTACHMENTS_KEY}" stands "version: 1"', node.span))
    kinds = _members(node.get(ATTACHMENTS_KEY) or node, _PRINCIPALS)
    groups = dict(_named_members(kinds.get("groups"), ("policies",)))
    for kind in _PRINCIPALS:
        allowed_keys = ("policies", "groups") if kind == "users" else ("policies",)
        for name, members in _named_members(kinds.get(kind), allowed_keys):
            statements = list(_statements(members.get("policies")))
            for group in _texts(members.get("groups")):
                of_group = groups.get(group.text)
                attached = (
                    _statements(of_group.get("policies"))
                    if of_group
                    else [attached_statement(GROUP, _group(group), group.span)]
                )
                statements += (_at(each, group.span) for each in attached)
            yield from principal_document(source, f"{ATTACHMENTS_KEY}.{kind}.{name}", f"{kind[:-1]} {name}", statements)


def _group(name: Scalar) -> Parts:
    return (f"arn:aws:iam::*:group/{name.text}",)


def _at(statement: Object, span: Span) -> Object:
    """The statement as if it were written where a group is named."""
    entries = (Entry(key, value._replace(span=span)) for key, value in statement.entries)
    return Object(tuple(entries), span)


def _named_members(node: Node | None, keys: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Node]]]:
    if node is None:
        return
    if not isinstance(node, Object):
        raise Unreadable(Problem("names of principals are expected here, each with its policies", node.span))
    _refuse_repeated(node)
    for key, value in node.entries:
        yield key.text, _members(value, keys)


def _members(node: Node, keys: tuple[str, ...]) -> dict[str, Node]:
    """The values of a mapping that may have these keys."""
    if not isinstance(node, Object):
        raise Unreadable(Problem(f"a mapping with {' or '.join(keys)} is expected here", node.span))
    _refuse_repeated(node)
    for key, _ in node.entries:
        if key.text not in keys:
            raise Unreadable(Problem(f'"{key.text}" is not expected here; there are {", ".join(keys)}', key.span))
    return {key.text: value for key, value in node.entries}


def _texts(node: Node | None) -> Iterator[Scalar]:
    if node is None:
        return
    if not isinstance(node, Array):
        raise Unreadable(Problem("a list is expected here", node.span))
    for item in node.items:
        if not isinstance(item, Scalar) or item.kind != "string" or item.tag is not None or item.disputed:
            raise Unreadable(Problem("a text is expected here", item.span))
        yield item


def _statements(node: Node | None) -> Iterator[Object]:
    for text in _texts(node):
        yield from statements_of_policy(text, may_be_path=True)


# --- answers of AWS


def _of_answer(source: Source, answer: Node | None, node: Object, label: str) -> Iterator[PolicyDocument]:
    if answer is None:
        return
    statements: list[Object] = []
    for item in answer.items if isinstance(answer, Array) else (answer,):
        arn = item.get("PolicyArn") if isinstance(item, Object) else None
        if not isinstance(arn, Scalar):
            raise Unreadable(Problem('an attached policy with its "PolicyArn" is expected here', item.span))
        statements += statements_of_policy(arn, may_be_path=False)
    names = (node.get(name) for name in _ENTITIES.values())
    holder = next((name.text for name in names if isinstance(name, Scalar)), "")
    yield from principal_document(source, label, holder, statements)


def _of_entities(source: Source, node: Object, label: str) -> Iterator[PolicyDocument]:
    for key, name_key in _ENTITIES.items():
        entities = node.get(key)
        for item in entities.items if isinstance(entities, Array) else ():
            name = item.get(name_key) if isinstance(item, Object) else None
            if not isinstance(name, Scalar):
                raise Unreadable(Problem(f'an entity with its "{name_key}" is expected here', item.span))
            address = f"{label}.{key}[{name.text}]".lstrip(".")
            yield from principal_document(source, address, f"{name_key} {name.text}", list(_of_file(source, name.span)))


def _of_file(source: Source, span: Span) -> Iterator[Object]:
    """The policy that has the name of a file."""
    name = source.path.rpartition("/")[2].partition(".")[0]
    if end := path_of(name):
        yield from managed_statements((f"arn:aws{end}",), span)
    else:
        yield attached_statement(
            POLICY, ("arn:", hole("partition"), ":iam::", hole("account"), f":policy/{name}"), span
        )


# --- what is attached


def statements_of_policy(text: Scalar, may_be_path: bool) -> Iterator[Object]:
    """The statements of a managed policy of AWS, or one that stands for another policy or document."""
    aws_statements = managed_statements((text.text,), text.span)
    yield from aws_statements
    if aws_statements:
        return
    if _ARN.fullmatch(text.text):
        yield attached_statement(POLICY, (text.text,), text.span)
    elif (
        may_be_path and not text.text.startswith("arn:") and text.text.isprintable() and not set("*?") & set(text.text)
    ):
        yield attached_statement(_DOCUMENT, (hole(text.text),), text.span)
    else:
        raise Unreadable(
            Problem(f"this names no policy; {_WRITE}" if may_be_path else "this is no ARN of a policy", text.span)
        )


def attached_statement(action: str, resource: Parts, span: Span) -> Object:
    elements = {
        "Effect": Scalar("Allow", span),
        "Action": Scalar(action, span, parts=(action,)),
        "Resource": Scalar(spelling(resource), span, parts=resource),
    }
    return Object(tuple(Entry(Scalar(key, span), value) for key, value in elements.items()), span)


def principal_document(source: Source, label: str, holder: str, statements: list[Object]) -> Iterator[PolicyDocument]:
    """The policy of one principal; nothing where nothing is attached."""
    if statements:
        yield PolicyDocument(label, policy_of(tuple(statements), statements[0].span), source, holder, kind="identity")
