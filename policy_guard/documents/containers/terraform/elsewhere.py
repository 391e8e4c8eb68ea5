"""Policies whose text stands elsewhere, as what they may allow or leave."""

from __future__ import annotations

from policy_guard.documents.containers import WITHOUT_PRINCIPAL, Kind
from policy_guard.documents.containers.choices import free, guards
from policy_guard.documents.containers.managed import statements as managed_statements
from policy_guard.documents.containers.terraform.values import is_known, label_of, name_of, parts, unknown
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Span

_UNREAD = "!unread"
"""The tag of a statement that stands for a policy of which nothing is known."""
_CONDITION = "Condition"
ABSENT = Array((), Span(0, 0))
# AWS Organizations User Guide, "Service control policies" and "Resource control policies".
FULL_ACCESS = ("p-FullAWSAccess", "p-RCPFullAWSAccess")


def attached_policy(value: Node) -> Node:
    """Return what attached policies, whose text stands elsewhere, may allow."""
    items = value.items if isinstance(value, Array) else (value,)
    statements = tuple(statement for item in items for statement in _statements_of_item(item))
    if not statements:
        return ABSENT
    return policy_with(statements, value.span)


def unread_policy(value: Node) -> Object:
    """Return what a policy may allow and deny of which nothing is known but its name."""
    deny_statement = _statement("Deny", value, f"what {label_of(value)} denies")
    return policy_with((_allow_statement(value), deny_statement), value.span)


def is_unread(value: Node) -> bool:
    """Tell whether nothing is known of the text of a policy."""
    return isinstance(value, Scalar) and value.kind != "null" and not _known_text(value).strip() and not is_known(value)


def _known_text(value: Node) -> str:
    return "".join(part for part in parts(value) if isinstance(part, str))


def unread_statements(value: Node, *deciding: object) -> tuple[Object, ...]:
    """Return what a policy may allow and deny of which nothing is known; more may decide what of it counts."""
    whole = unknown(label_of(value), value.span, name_of(value), *deciding)
    return tuple(
        statement._replace(tag=_UNREAD)
        for statement in statements_of(unread_policy(whole))
        if isinstance(statement, Object)
    )


def with_unread(policy: Object) -> Object:
    """The policy with what stands for statements and conditions of which nothing is known."""
    statements = statements_of(policy)
    if all(isinstance(each, Object) and _is_read(each) for each in statements):
        return policy
    read = tuple(inner for statement in statements for inner in _read_as_far_as_known(statement))
    return _with_statements(policy, read)


def _with_statements(policy: Object, statements: tuple[Node, ...]) -> Object:
    entries = [entry for entry in policy.entries if entry.key.text != "Statement"]
    entries.append(Entry(Scalar("Statement", policy.span), Array(statements, policy.span)))
    return policy._replace(entries=tuple(entries))


def _is_read(statement: Object) -> bool:
    condition = statement.get(_CONDITION)
    tests = [entry.value for entry in condition.entries] if isinstance(condition, Object) else []
    return not any(map(is_unread, (*tests, *([condition] if condition is not None else []))))


def _read_as_far_as_known(statement: Node) -> tuple[Node, ...]:
    """A statement, or those that stand for it; what is not known of its conditions may be so or not."""
    if not isinstance(statement, Object):
        return unread_statements(statement) if is_unread(statement) else (statement,)
    condition = statement.get(_CONDITION)
    if condition is None or _is_read(statement):
        return (statement,)
    tests = condition.entries if isinstance(condition, Object) else ()
    unread: list[tuple[Node, Node]] = [(entry.key, entry.value) for entry in tests if is_unread(entry.value)]
    atoms = [
        free(f"{label_of(value)} holds", f"terraform condition {name_of(key)} {name_of(value)}")
        for key, value in unread or [(condition, condition)]
    ]
    known_tests = tuple(entry for entry in tests if not is_unread(entry.value))
    entries = tuple(entry for entry in statement.entries if entry.key.text != _CONDITION)
    if known_tests:
        entries = (*entries, Entry(Scalar(_CONDITION, condition.span), Object(known_tests, condition.span)))
    return (statement._replace(entries=entries, guards=(*statement.guards, *guards(dict.fromkeys(atoms, True), {}))),)


def of_kind(policy: Object, kind: Kind | None) -> Object:
    """The policy, its unread statements with the elements that a policy of the kind has, or its other statements."""
    statements = statements_of(policy)
    if not any(statement.tag == _UNREAD for statement in statements):
        return policy
    keys = {entry.key.text for each in statements if isinstance(each, Object) for entry in each.entries}
    named = "Principal" in keys if kind is None else kind not in WITHOUT_PRINCIPAL
    completed = (
        _completed(each, named, kind) if isinstance(each, Object) and each.tag == _UNREAD else each
        for each in statements
    )
    return _with_statements(policy, tuple(completed))


def _completed(statement: Object, named: bool, kind: Kind | None) -> Object:
    entries = [entry for entry in statement.entries if kind != "trust" or entry.key.text != "Resource"]
    if named:
        whom = unknown(
            "whom it names", statement.span, *map(name_of, (e.value for e in statement.entries)), is_list=False
        )
        principal = Object((Entry(Scalar("AWS", statement.span), whom),), statement.span)
        entries.append(Entry(Scalar("Principal", statement.span), principal))
    return statement._replace(entries=tuple(entries), tag=None)


def _statements_of_item(item: Node) -> tuple[Object, ...]:
    """The statements of a policy that is attached by its ARN; an empty one attaches nothing."""
    if not parts(item):
        return ()
    return managed_statements(parts(item), item.span) or (_allow_statement(item),)


def below_ceiling(value: Node) -> Object:
    """The most that a boundary, whose text stands elsewhere, may leave: all but what nobody knows."""
    if aws_statements := managed_statements(parts(value), value.span):
        return policy_with(aws_statements, value.span)
    (allow_statement,) = statements_of(without_ceiling(value.span))
    assert isinstance(allow_statement, Object)
    deny_statement = _statement("Deny", value, f"what {label_of(value)} does not allow")
    return policy_with((allow_statement, deny_statement), value.span)


def without_ceiling(span: Span) -> Object:
    all_text = Scalar("*", span, parts=("*",))
    texts = {"Effect": Scalar("Allow", span), "Action": all_text, "Resource": all_text}
    return policy_with((Object(tuple(Entry(Scalar(k, span), v) for k, v in texts.items()), span),), span)


def policy_with(statements: tuple[Node, ...], span: Span) -> Object:
    """The policy of these statements."""
    version = Entry(Scalar("Version", span), Scalar("2012-10-17", span))
    return Object((version, Entry(Scalar("Statement", span), Array(statements, span))), span)


def _allow_statement(item: Node) -> Object:
    return _statement("Allow", item, f"the actions of {label_of(item)}")


def _statement(effect: str, item: Node, words: str) -> Object:
    """A statement about actions that are known by these words alone, on everything."""
    texts = {"Effect": Scalar(effect, item.span), "Resource": Scalar("*", item.span, parts=("*",))}
    actions = unknown(words, item.span, name_of(item), is_list=False)
    entries = [Entry(Scalar(name, item.span), text) for name, text in {**texts, "Action": actions}.items()]
    return Object(tuple(entries), item.span)


def told_access(action: str, words: str, span: Span, *deciding: object) -> Object:
    """The statement for access that is known by what decides it alone, with an action that AWS does not have."""
    elements = {
        "Effect": Scalar("Allow", span),
        "Action": Scalar(action, span, parts=(action,)),
        "Resource": unknown(words, span, words, *deciding, is_list=False),
    }
    return Object(tuple(Entry(Scalar(key, span), value) for key, value in elements.items()), span)


def statements_of(policy: Object) -> tuple[Node, ...]:
    """Return the statements of a policy, of which there may be one alone."""
    statement = policy.get("Statement")
    if statement is None:
        return ()
    return statement.items if isinstance(statement, Array) else (statement,)
