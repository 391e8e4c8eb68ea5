"""What attachments and boundaries stand for: documents of policies of the same root, or what can be told of others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from policy_guard.documents.containers import Kind
from policy_guard.documents.containers.choices import Impossible, Need, Outcome, Truths, guards, outcomes
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.containers.terraform.definition import Definition
from policy_guard.documents.containers.terraform.documents import (
    ORGANIZATIONS,
    Unit,
    digest_of,
    exists,
    holder_of,
    join,
    signature,
    unit_at,
)
from policy_guard.documents.containers.terraform.elsewhere import (
    ABSENT,
    FULL_ACCESS,
    attached_policy,
    below_ceiling,
    policy_with,
    statements_of,
    unread_policy,
    without_ceiling,
)
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.instances import keys_of
from policy_guard.documents.containers.terraform.modules import module_scopes
from policy_guard.documents.containers.terraform.places import CEILING, Use, is_by_name, is_of_target, policy_use
from policy_guard.documents.containers.terraform.principals import principals_of, provider_texts
from policy_guard.documents.containers.terraform.scope import Attachable, Scope
from policy_guard.documents.containers.terraform.values import (
    each_of,
    is_known,
    is_null,
    label_of,
    name_of,
    parts,
    single,
    unknown,
)
from policy_guard.documents.source import Array, Entry, Node, Object, Problem, Scalar, Span, Unreadable
from policy_guard.records import NamedTuple

_OF_AWS = ":iam::aws:"


class _Attached(NamedTuple):
    """A policy of the root that is attached, and the truths under which it is."""

    document: Unit
    truths: list[Truths]


def is_attachment(use: Use) -> bool:
    """Tell whether a policy that stands elsewhere is named at a place."""
    return is_by_name(use) or use.address.endswith(f".{CEILING}")


def attached_units(
    use: Use, address: str, evaluator: Evaluator, principals: Collection[str] | None = None
) -> Iterator[Unit]:
    """The policies that are attached at a place, for each principal, or for some principals only."""
    labels = principals_of(use, evaluator)
    if principals is not None and not any(name in principals for label in labels for name in _names(use, label)):
        return
    units = tuple(_units(use, address, evaluator))
    for label in labels:
        for unit in units:
            principal = _names(use, label)[-1 if unit.policy and unit.policy.kind == "rcp" else 0]
            if principals is None or principal in principals:
                yield unit._replace(holder=label or unit.holder, principal=principal)


def _names(use: Use, label: str) -> tuple[str, ...]:
    """Return what tells principals apart: at a target of an organization, what its policies of each kind cap."""
    return (f"{label}\nscp", f"{label}\nrcp") if label and is_of_target(use) else (label,)


def _units(use: Use, address: str, evaluator: Evaluator) -> Iterator[Unit]:
    """The policies that are attached, each with its own places, and what those that stand elsewhere may do."""
    holder, source = "\n".join(holder_of(use, evaluator)), use.definition.source
    attached: dict[str, _Attached] = {}
    all_outcomes = _outcomes(use, evaluator)
    unfollowed_outcomes = [outcome._replace(value=_unfollowed(use, outcome, attached)) for outcome in all_outcomes]
    unfollowed = join(unfollowed_outcomes, use.definition.span)
    if unfollowed is not None or not attached:
        kind: Kind = "scp" if is_of_target(use) else "identity"
        policy = PolicyDocument(address, unfollowed, source, holder, kind=kind) if unfollowed is not None else None
        yield Unit(address, holder, source, policy)
    count = sum(outcome.value is not None for outcome in all_outcomes)
    for document, truths in attached.values():
        assert document.policy is not None
        node = document.policy.node if len(truths) == count else _under(document.policy.node, truths)
        policy = document.policy._replace(label=address, node=node, holder=holder)
        unit = Unit(address, holder, document.source, policy, attached=document.address)
        is_whole = node is document.policy.node
        yield unit._replace(known_signature=document.known_signature if is_whole else signature(unit))


def _outcomes(use: Use, evaluator: Evaluator) -> list[Outcome[Node]]:
    """Return what the argument comes to under all truths; an empty list where the object is not there."""

    def run(truths: Truths) -> Node:
        inner = Evaluator(use.scope, evaluator.source, truths, evaluator.names, evaluator.steps)
        return inner.value(use.value) if use.value is not None and exists(use, inner) else ABSENT

    return outcomes(run, {}, use.definition.span)


def _unfollowed(use: Use, outcome: Outcome[Node], attached: dict[str, _Attached]) -> Node | None:
    """Return what the policies say that are not of this root; notes in `attached` those that are."""
    value = outcome.value
    if value is None or value is ABSENT:
        return value
    items = () if is_null(value) else value.items if isinstance(value, Array) else (value,)
    statements: list[Node] = []
    for item in items:
        document = _document(use, item)
        if document is None or document.problems:
            statements += _statements_elsewhere(use, item, document)
        elif document.policy is not None:
            key = f"{document.address} {document.known_signature}"
            attached.setdefault(key, _Attached(document, [])).truths.append(outcome.truths)
        elif use.opens:
            statements += statements_of(without_ceiling(value.span))
    if use.opens and not items:
        statements += statements_of(without_ceiling(value.span))
    return policy_with(tuple(statements), value.span) if statements else ABSENT


def _statements_elsewhere(use: Use, item: Node, document: Unit | None) -> tuple[Node, ...]:
    """Return what a policy may say of which the document is not known."""
    if use.address.endswith(f".{CEILING}"):
        return statements_of(below_ceiling(item))
    if is_of_target(use) and label_of(item) in FULL_ACCESS:
        return statements_of(without_ceiling(item.span))
    may_deny = document.elsewhere if document is not None else not is_known(item) and _speaks_of_deny(use)
    if is_of_target(use) or may_deny:
        return statements_of(unread_policy(item))
    policy = attached_policy(item)
    return statements_of(policy) if isinstance(policy, Object) else ()


def _under(policy: Node, cases: Sequence[Truths]) -> Object:
    """A policy whose statements are there in these cases alone."""
    assert isinstance(policy, Object)
    statements = tuple(
        statement._replace(guards=tuple(dict.fromkeys((*guards(truths, {}), *statement.guards))))
        for truths in cases
        for statement in statements_of(policy)
        if isinstance(statement, Object)
    )
    others = tuple(entry for entry in policy.entries if entry.key.text != "Statement")
    return Object((*others, Entry(Scalar("Statement", policy.span), Array(statements, policy.span))), policy.span)


# --- which policy it is


def attached_addresses(use: Use, evaluator: Evaluator) -> Iterator[str]:
    """The places of the policies of this root that are attached at a place."""
    for outcome in _outcomes(use, evaluator):
        value = outcome.value
        for item in value.items if isinstance(value, Array) else () if value is None else (value,):
            if (policy := _policy_of(use, item)) is not None:
                yield f"{policy.scope.name}{policy.address}."


def _policy_of(use: Use, item: Node) -> Attachable | None:
    """The policy of this root of which a value is the ARN, or has the name in the same account."""
    policy = use.scope.policies.of_value(item)
    if isinstance(policy, Attachable):
        return None if policy.is_whole else policy
    name = policy or _name_in(item)
    account = provider_texts(use.scope, use.definition)
    candidates = (
        [each for each in _by_name(use.scope.root()).get(name, ()) if _account(each) == account] if name else []
    )
    return candidates[0] if len(candidates) == 1 else None


def _account(policy: Attachable) -> tuple[str, ...]:
    return provider_texts(policy.scope, policy.scope.folder.definitions[policy.address])


def _name_in(item: Node) -> str:
    """The name of the policy in an ARN that is written out up to there; empty for policies of AWS."""
    first, last = parts(item)[:1], parts(item)[-1:]
    if _OF_AWS in label_of(item) or not all(isinstance(part, str) for part in (*first, *last)):
        return ""
    _, _, path = str(last[0]).partition(":policy/") if last else ("", "", "")
    return path.rpartition("/")[2] if first and str(first[0]).startswith("arn:") else ""


def _by_name(root: Scope) -> dict[str, list[Attachable]]:
    """The managed policies of a root and its modules by their names, as far as they are known."""
    if root.policies.by_name is None:
        root.policies.by_name = {}
        for scope in _scopes(root):
            for address, definition in scope.folder.definitions.items():
                if address.startswith("aws_iam_policy."):
                    for name, key in _known_names(scope, definition):
                        root.policies.by_name.setdefault(name, []).append(Attachable(scope, address, key))
    return root.policies.by_name


def _scopes(scope: Scope) -> Iterator[Scope]:
    yield scope
    for address in scope.folder.definitions:
        if address.startswith("module."):
            for module_scope in module_scopes(scope, address.removeprefix("module.")) or ():
                yield from _scopes(module_scope)


def _known_names(scope: Scope, definition: Definition) -> Iterator[tuple[str, Node | None]]:
    evaluator, argument = Evaluator(scope, definition.source, {}), definition.body.value("name")
    if argument is None:
        return
    try:
        is_one = definition.body.value("count") is None and definition.body.value("for_each") is None
        keys: Sequence[Node | None] = (None,) if is_one else keys_of(evaluator, definition) or ()
        for key in keys:
            name = single(evaluator.instance(definition.body, key).value(argument))
            if isinstance(name, Scalar) and is_known(name):
                yield name.text, key
    except (Need, Impossible, Opaque):
        return


# --- its document


def _document(use: Use, item: Node) -> Unit | None:
    """The policy of this root of which a value is the ARN, worked out once; None if it is none of this root."""
    policy = _policy_of(use, item)
    if policy is None:
        return None
    documents = use.scope.policies.documents
    key = (policy.scope.name, policy.address, name_of(policy.key) if policy.key is not None else "")
    if key not in documents:
        documents[key] = _worked_out(policy)
    document: Unit = documents[key]
    return document


def _worked_out(policy: Attachable) -> Unit:
    """The policy by itself; with problems it is `elsewhere` if it may deny something."""
    use = policy_use(policy.scope, policy.address)
    source = policy.scope.folder.definitions[policy.address].source
    problems: tuple[Problem, ...] = (Problem("there is no policy here", Span(0, 1)),)
    if use is None:
        return Unit(policy.address, "", source, None, problems)
    evaluator = Evaluator(policy.scope, source, {})
    try:
        if not _is_made(evaluator, use, policy.key) or not _caps(evaluator, use):
            return Unit(use.address, "", source, None)
        is_named = policy.key is not None and use.definition.body.value("for_each") is not None
        address = f"{use.address}[{name_of(policy.key)}]" if policy.key is not None and is_named else use.address
        unit = unit_at(use, address, _instance(evaluator, use, policy.key))
        return unit._replace(known_signature=signature(unit))
    except Unreadable as error:
        problems = error.problems
    except Opaque as error:
        problems = (error.problem,)
    except (Need, Impossible):
        pass
    return Unit(use.address, "", source, None, problems, elsewhere=bool(use.reads) or _speaks_of_deny(use))


def _speaks_of_deny(use: Use) -> bool:
    return any("Deny" in text for _, _, text in use.deciding)


def _is_made(evaluator: Evaluator, use: Use, key: Node | None) -> bool:
    """Tell whether one of several has this key, as far as that is known."""
    try:
        keys = keys_of(evaluator, use.definition)
    except Need:
        return True
    return keys is None or key is None or not is_known(key) or label_of(key) in map(label_of, keys)


def _caps(evaluator: Evaluator, use: Use) -> bool:
    """Tell whether a policy of an organization may be about access; all others are."""
    type_ = use.definition.body.value("type")
    if not use.address.endswith(".content") or type_ is None:
        return True
    value = evaluator.value(type_)
    return not is_known(value) or label_of(value) in ORGANIZATIONS


def _instance(evaluator: Evaluator, use: Use, key: Node | None) -> Evaluator:
    """An evaluator for the object with a key; where nobody knows what it is made of, its value is unknown."""
    body = use.definition.body
    try:
        return evaluator.instance(body, key)
    except Need:
        if key is None or (for_each := body.value("for_each")) is None:
            raise
        value = unknown("each.value", key.span, digest_of(use, evaluator, for_each), name_of(key))
        return evaluator.with_names({"each": each_of(key, value)})
