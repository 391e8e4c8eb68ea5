"""The policy at one place of Terraform: its document, whose it is, and where it is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy_guard.documents.containers import Kind
from policy_guard.documents.containers.choices import (
    Need,
    Outcome,
    Truths,
    free,
    guards,
    outcome_table,
    outcomes,
)
from policy_guard.documents.containers.opaque import Excess, Opaque, digest
from policy_guard.documents.containers.other_access import action_of, terraform_types
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.containers.terraform.commands import COMMAND, called_policy
from policy_guard.documents.containers.terraform.deciding import contents_of, references
from policy_guard.documents.containers.terraform.definition import Definition
from policy_guard.documents.containers.terraform.elsewhere import (
    ABSENT,
    is_unread,
    of_kind,
    policy_with,
    statements_of,
    told_access,
    unread_statements,
    with_unread,
    without_ceiling,
)
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.grants import OF_RESOURCES, OPEN_WITHOUT, granted_policy, open_access
from policy_guard.documents.containers.terraform.handed_on import HANDED_ON, handed_policy
from policy_guard.documents.containers.terraform.lasting import lasting_policy
from policy_guard.documents.containers.terraform.places import GRANT, MADE, Use, speaks_of_access, told_at, type_of
from policy_guard.documents.containers.terraform.principals import (
    argument_label,
    principal_of,
    provider_texts,
    providers,
    unquoted,
)
from policy_guard.documents.containers.terraform.rendered import policy_value, render
from policy_guard.documents.containers.terraform.scope import written_name
from policy_guard.documents.containers.terraform.text import policy_of
from policy_guard.documents.containers.terraform.uses import HOLDERS, is_of_organization
from policy_guard.documents.containers.terraform.values import (
    is_known,
    is_null,
    label_of,
    name_of,
    pairs_of,
    parts,
    unknown,
)
from policy_guard.documents.hcl.syntax import (
    Attribute,
    Body,
    Expression,
)
from policy_guard.documents.source import (
    Array,
    Entry,
    Hole,
    Node,
    Object,
    Problem,
    Scalar,
    Source,
    Span,
    Spot,
    Unreadable,
    scalars,
)
from policy_guard.records import NamedTuple
from policy_guard.solver.strings.pattern import HIDDEN

ORGANIZATIONS: dict[str, Kind] = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}


# Policies that may stand in the resource that they are about, or beside it: the argument that names it, and its type.
_POLICIES_BESIDE = {
    "aws_sqs_queue_policy": ("queue_url", "aws_sqs_queue"),
    "aws_sns_topic_policy": ("arn", "aws_sns_topic"),
    "aws_s3_bucket_policy": ("bucket", "aws_s3_bucket"),
    "aws_kms_key_policy": ("key_id", "aws_kms_key"),
    "aws_secretsmanager_secret_policy": ("secret_arn", "aws_secretsmanager_secret"),
}
_NAMES = ("name", "bucket", "function_name")
# One name may stand for others in another region or cluster.
_NAMING = (*_NAMES, "region", "cluster", "account_id", "path")
_IDENTIFYING = ("id", "arn", "url", "bucket", "key_id")
_SHORTEST = 40
_REVISION = re.compile(r"(?:(?:ref=[^&]*|depth=\d+)(?:&|$))*")
"""Fewer characters are no policy that allows something, however it is written."""
STATEMENTS = "statements of resources"
"""What the principal of units begins with that are statements of policies of resources, which they name."""

_DOCUMENT = re.compile(r"data\.aws_iam_policy_document\.([\w-]+)(?:\[[^\]]*\])?\.(?:minified_)?json")


class Unit(NamedTuple):
    """A policy with its address and its holder; with `problems` it cannot be told, and `policy` is None.

    `principal` is the role, user or group that an identity policy is for, if it is known. With `elsewhere` it is a
    module that is not in the repository, and may make policies of what it is given. The document of a policy that
    is `attached` is that of the unit with this address, and has a signature that is worked out once. `target` is equal
    for a policy in its resource and one beside it. `changed` are definitions that it depends on and that changed.
    `document` names the data source that it takes its document from. `named` is equal for two objects at one place of
    which AWS knows by one name, as far as that is known.
    """

    address: str
    holder: str
    source: Source
    policy: PolicyDocument | None
    problems: tuple[Problem, ...] = ()
    principal: str = ""
    elsewhere: bool = False
    attached: str = ""
    target: str = ""
    known_signature: str = ""
    changed: tuple[Spot, ...] = ()
    document: str = ""
    named: str = ""


def signature(unit: Unit) -> str:
    """Equal for two policies only if they say the same."""
    if unit.known_signature or unit.policy is None:
        return unit.known_signature or repr(unit.problems)
    statements = statements_of(unit.policy.node) if isinstance(unit.policy.node, Object) else ()
    all_guards = [(s.guards if isinstance(s, Object) else ()) for s in statements]
    return f"{unit.policy.kind} {name_of(unit.policy.node)} {all_guards!r}"


def denials(unit: Unit) -> set[str]:
    """Return what tells apart the Deny statements of a policy."""
    statements = statements_of(unit.policy.node) if unit.policy and isinstance(unit.policy.node, Object) else ()
    return {
        f"{name_of(statement)} {statement.guards!r}"
        for statement in statements
        if isinstance(statement, Object) and _effect(statement) != "Allow"
    }


def _effect(statement: Object) -> str:
    effect = statement.get("Effect")
    return effect.text if isinstance(effect, Scalar) and is_known(effect) else ""


def digest_of(use: Use, evaluator: Evaluator, expression: Expression) -> str:
    """Equal for two values at a place only if they are one, whatever is so of what nobody knows."""

    def run(truths: Truths) -> str:
        inner = Evaluator(use.scope, evaluator.source, truths, evaluator.names, evaluator.steps)
        return name_of(inner.value(expression))

    try:
        all_outcomes = outcomes(run, {}, expression.span)
    except Opaque:
        return digest(sorted(use.deciding))
    return digest(outcome_table(all_outcomes))


def unit_at(use: Use, address: str, evaluator: Evaluator) -> Unit:
    """The policy of one object. Raises `Opaque` and `Unreadable`."""
    kind = use.kind
    if is_of_organization(type_of(use), use.address.rpartition(".")[2]):
        kind = kind_of_organization(use, evaluator)
    sources: list[Source] = []

    def run(truths: Truths) -> Node:
        inner = Evaluator(use.scope, evaluator.source, truths, evaluator.names, evaluator.steps)
        return _policy(use, inner, sources)

    span = use.value.span if use.value is not None else use.definition.span
    try:
        all_outcomes = outcomes(run, {}, span)
    except Excess:
        policy_by_text = _known_by_text(use, evaluator)
        if policy_by_text is None:
            raise
        all_outcomes = [Outcome({}, of_kind(policy_by_text, None))]
    document = join(all_outcomes, span)
    source = sources[0] if sources else use.definition.source
    try:
        holder = "\n".join(holder_of(use, evaluator))
    except Opaque:
        if document is not None:
            raise
        holder = ""
    if document is None:
        return Unit(address, holder, source, None)
    policy = PolicyDocument(address, document, source, holder, kind=kind)
    principal = principal_of(use, evaluator) or _grants_of_resources(use, document)
    target, data_source = _target(use), _document_name(use)
    return Unit(address, holder, source, policy, principal=principal, target=target, document=data_source)


def name_at(use: Use, evaluator: Evaluator) -> str:
    """Return what is equal for objects of one place that AWS knows by one name; nothing where that is not known."""
    body = use.definition.body
    if not any(body.value(name) is not None for name in _NAMES):
        return ""
    try:
        values = [(name, evaluator.value(body.arguments[name].value)) for name in _NAMING if name in body.arguments]
    except (Need, Opaque):
        return ""
    if any(name in _NAMES and (is_null(value) or not is_known(value)) for name, value in values):
        return ""
    return "\n".join((use.address, *(f"{name} {name_of(value)}" for name, value in values)))


def _document_name(use: Use) -> str:
    """Return the data source that a policy takes its document from, if it is no more than a reference to one."""
    text = use.definition.written(use.value) if use.value is not None else ""
    match = _DOCUMENT.fullmatch(text.strip())
    return match[1] if match else ""


def _target(use: Use) -> str:
    """Return the resource of the same module whose policy it is, written in it or beside it; nothing where unsure."""
    type_, body = type_of(use), use.definition.body
    if any(body.value(name) is not None for name in ("count", "for_each")):
        return ""
    local_address = use.address.removeprefix(use.scope.name).removesuffix(".policy")
    if type_ in _POLICIES_BESIDE:
        argument, target_type = _POLICIES_BESIDE[type_]
        value = body.value(argument)
        names = next(references(value), ()) if isinstance(value, Attribute) else ()
        if names[:1] != (target_type,) or len(names) != 3 or names[2] not in _IDENTIFYING:
            return ""
        local_address = ".".join(names[:2])
    elif type_ not in {target_type for _, target_type in _POLICIES_BESIDE.values()}:
        return ""
    target = use.scope.folder.definitions.get(local_address)
    if target is None or any(target.body.value(name) is not None for name in ("count", "for_each")):
        return ""
    return "\n".join((f"policy of {use.scope.name}{local_address}", *provider_texts(use.scope, use.definition)))


def _grants_of_resources(use: Use, document: Node) -> str:
    """Return the question that statements of policies of resources share: each names its resource, written out."""
    is_statement = type_of(use) in OF_RESOURCES and use.address.endswith(f".{GRANT}")
    if not is_statement or any(isinstance(part, Hole) for scalar in scalars(document) for part in parts(scalar)):
        return ""
    return "\n".join((STATEMENTS, *provider_texts(use.scope, use.definition)))


def kind_of_organization(use: Use, evaluator: Evaluator) -> Kind | None:
    """The kind of a policy of an organization. Raises `Opaque`, also for a kind that is not read."""
    type_ = use.definition.body.value("type")
    text = label_of(evaluator.value(type_)) if type_ is not None else "SERVICE_CONTROL_POLICY"
    if text not in ORGANIZATIONS:
        raise Opaque("policies of this type are not read; judge it by hand", use.definition.span)
    return ORGANIZATIONS[text]


def holder_of(use: Use, evaluator: Evaluator) -> Iterator[str]:
    """Return what decides whose a policy is."""
    type_ = type_of(use)
    if type_ in terraform_types() and told_at(use) == GRANT:
        yield from (f"{type_}{HIDDEN}", *provider_texts(use.scope, use.definition))
        return
    is_own_holder = type_ in ("aws_iam_policy", "aws_iam_role", "aws_s3_bucket", "data", *OF_RESOURCES)
    holder_arguments = ("provider",) if is_own_holder or told_at(use) not in ("", GRANT) else HOLDERS
    for name in holder_arguments:
        value = use.definition.body.value(name)
        if value is None or (name == "name" and "policy" in type_):
            continue
        try:
            argument_text = unquoted(use.definition.written(value))
            if name == "provider":
                yield f"{name} {argument_text}"
            else:
                yield argument_label(name, written_name(use.scope, evaluator.value(value)))
        except Need:
            yield f"{name} {digest_of(use, evaluator, value)}"
    yield from providers(use.scope)


def _policy(use: Use, evaluator: Evaluator, sources: list[Source]) -> Node:
    """The policy under truths; an empty list where there is none."""
    if not exists(use, evaluator):
        return open_access(type_of(use), {}, use.definition.span) if use.opens else ABSENT
    if name := told_at(use):
        return _told_policy(use, evaluator, name)
    if use.value is None:
        if _is_known_by_all(use):
            return of_kind(_made_of_all(use), use.kind)
        if not use.address.removeprefix(use.scope.name).startswith("data."):
            raise Opaque(
                "policies may be given on here in a way that is not read; judge this by hand", use.definition.span
            )
        policy = policy_of(render(evaluator, use.definition.body, is_apart=True), use.definition.span)
        return of_kind(policy, use.kind)
    value = policy_value(evaluator, use.value)
    if is_null(value) or (isinstance(value, Scalar) and not parts(value)):
        return _without_policy(use, use.value.span)
    if document := used_document(use):
        sources[:] = [document.source]
    read_policy = _read_policy(use, value, use.value.span)
    return of_kind(read_policy, use.kind) if isinstance(read_policy, Object) else read_policy


def _known_by_text(use: Use, evaluator: Evaluator) -> Object | None:
    """What a value may allow and deny that depends on too much, by what is written in all that decides it.

    None for what is known to take a policy.
    """
    body, value = use.definition.body, use.value
    if told_at(use) == COMMAND:
        return _made_of_all(use)
    if use.kind is not None or value is None:
        return None
    deciding_values = (value, body.value("count"), body.value("for_each"))
    return policy_with(unread_statements(evaluator.by_text("this value", deciding_values, value.span)), value.span)


def _is_known_by_all(use: Use) -> bool:
    """Tell whether a place is a module elsewhere, or repeats something that is not known to be a policy."""
    address = use.address.removeprefix(use.scope.name)
    label = address.removeprefix("module.")
    is_repeated = address == label and use.kind is None and not label.startswith("data.")
    return is_repeated or (address != label and not use.scope.path_of(label))


def _made_of_all(use: Use) -> Object:
    """The policies that are made of all that decides a place: what they may allow and deny."""
    span = use.definition.block.head if use.definition.block else use.definition.span
    contents = contents_of(use.scope, use.reads)
    return policy_with(unread_statements(unknown(use.address, span, sorted(use.deciding), contents)), span)


def _read_policy(use: Use, value: Node, span: Span) -> Node:
    """The policy that a value is; of one that nobody knows, or that seems to be none, what it may allow and deny."""
    if is_unread(value):
        return policy_with(unread_statements(value), span)
    if use.kind is None and isinstance(value, Scalar) and is_known(value) and len(value.text) < _SHORTEST:
        return ABSENT
    unread_policy = policy_with(unread_statements(unknown("this text", span, name_of(value))), span)
    try:
        policy = policy_of(value, span)
    except (Opaque, Unreadable):
        if use.kind is not None and (not isinstance(value, Scalar) or is_known(value)):
            raise
        return unread_policy
    return with_unread(policy) if use.kind is not None or policy.get("Statement") is not None else unread_policy


def _without_policy(use: Use, span: Span) -> Node:
    """What stands where a policy is null or empty: nothing, or what AWS lets through without one.

    AWS PrivateLink, "Control access to VPC endpoints using endpoint policies": without a policy, full access.
    """
    if type_of(use) in OPEN_WITHOUT:
        return open_access(type_of(use), {}, span)
    if use.kind != "endpoint":
        return ABSENT
    statement = statements_of(without_ceiling(span))[0]
    assert isinstance(statement, Object)
    principal = Entry(Scalar("Principal", span), Scalar("*", span, parts=("*",)))
    return policy_with((statement._replace(entries=(*statement.entries, principal)),), span)


def _told_policy(use: Use, evaluator: Evaluator, name: str) -> Node:
    """The policy for what a resource gives without a document."""
    type_, body = type_of(use), use.definition.body
    if name == GRANT:
        return granted_policy(evaluator, type_, use.address.removesuffix(f".{GRANT}"), body)
    if name == HANDED_ON:
        return handed_policy(evaluator, body)
    if name == COMMAND:
        return called_policy(evaluator, type_, use.address.removesuffix(f".{COMMAND}"), body)
    if name == MADE:
        return _made_policy(use, evaluator)
    return lasting_policy(evaluator, type_, name, body, use.fresh)


def _made_policy(use: Use, evaluator: Evaluator) -> Object:
    """The policy for all that a module elsewhere makes, which is decided there.

    Of one that was there before and is not called as one that gives access, another version is told apart.
    """
    body = use.definition.body
    arguments = {name: body.arguments[name].value for name in ("source", "version") if name in body.arguments}
    values = {name: evaluator.value(value) for name, value in arguments.items()}
    source, revision = _source_and_revision(values.get("source"))
    deciding = [("source", source), ("version", revision, name_of(values["version"]) if "version" in values else None)]
    words = f"what {use.address.removesuffix(f'.{MADE}')} makes"
    spans = {name: value.span for name, value in arguments.items()}
    span = spans.get("source", use.definition.span)
    if use.address in use.fresh or speaks_of_access(
        f"{use.address} {use.definition.written(body.arguments['source'])}"
    ):
        return policy_with((told_access(action_of("module"), words, span, deciding),), span)
    made = told_access(action_of("module"), words, span, deciding[:1])
    version_span = spans.get("version", span)
    return policy_with((made, told_access(action_of("module-version"), words, version_span, deciding[1:])), span)


def _source_and_revision(value: Node | None) -> tuple[object, str]:
    """Where a module lies, and which revision of it a source in git names.

    Source: Terraform, "Module Sources", "Selecting a Revision".
    """
    if not isinstance(value, Scalar) or not is_known(value):
        return value and name_of(value), ""
    source, _, query = value.text.partition("?")
    return (source, query) if _REVISION.fullmatch(query) else (value.text, "")


def exists(use: Use, evaluator: Evaluator) -> bool:
    """Tell whether `count` and `for_each` let the object be there, and the modules around it."""
    numbers = map(use.definition.body.value, ("count", "for_each"))
    if not all(_is_some(evaluator, each) for each in numbers) or not _is_enabled(evaluator, use.definition.body):
        return False
    scope = use.scope
    while scope.call is not None and scope.parent is not None:
        caller = Evaluator(scope.parent, scope.call.source, evaluator.truths, {}, evaluator.steps)
        body = scope.call.body
        if not _is_some(caller, body.value("count")) or not _is_some(caller, body.value("for_each")):
            return False
        if not _is_enabled(caller, body):
            return False
        scope = scope.parent
    return True


def _is_enabled(evaluator: Evaluator, body: Body) -> bool:
    """Tell whether OpenTofu makes an object (OpenTofu, "The enabled meta-argument")."""
    values = (block.body.value("enabled") for block in body.blocks if block.type == "lifecycle")
    return all(evaluator.holds(value) for value in values if value is not None)


def _is_some(evaluator: Evaluator, number: Expression | None) -> bool:
    """Tell whether a number, or a collection, makes at least one object."""
    if number is None:
        return True
    value = evaluator.value(number)
    if not isinstance(value, Scalar):
        return pairs_of(value) != []
    if is_known(value):
        return label_of(value) != "0"
    return evaluator.truth(free(f"{label_of(value)} is not 0", f"terraform not 0 {name_of(value)}"))


def used_document(use: Use) -> Definition | None:
    """The data source that makes the policy, if the argument is a plain reference to it."""
    names = next(iter(references(use.value)), ())
    if isinstance(use.value, Attribute) and names[:2] == ("data", "aws_iam_policy_document"):
        return use.scope.folder.definitions.get(".".join(names[:3]))
    return None


def join(all_outcomes: list[Outcome[Node]], span: Span) -> Object | None:
    """The policy of all outcomes: statements that are there in each stand alone, others under their truths."""
    heads = [(outcome.truths, outcome.value) for outcome in all_outcomes if outcome.value is not None]
    present_policies = [(truths, value) for truths, value in heads if isinstance(value, Object)]
    if not present_policies:
        return None
    tops = {
        name_of(Object(tuple(e for e in value.entries if e.key.text not in ("Statement", "Id")), span))
        for _, value in present_policies
    }
    if len(tops) > 1:
        raise Opaque("conditions choose between policies of different Versions; write one", span)
    lists = [(truths, statements_of(value)) for truths, value in present_policies]
    names = [{name_of(statement) for statement in statements} for _, statements in lists]
    common_names = set.intersection(*names) if len(present_policies) == len(heads) else set()
    statements: dict[object, Node] = {}
    for truths, policy_statements in lists:
        for statement in policy_statements:
            name = name_of(statement)
            if name in common_names or not truths or not isinstance(statement, Object):
                statements.setdefault(name, statement)
            else:
                statement_guards = (*guards(truths, {}), *statement.guards)
                statements.setdefault((name, statement_guards), statement._replace(guards=statement_guards))
    first = present_policies[0][1]
    entries = [entry for entry in first.entries if entry.key.text != "Statement"]
    if any(entry.key.text == "Statement" for entry in first.entries):
        entries.append(Entry(Scalar("Statement", span), Array(tuple(statements.values()), span)))
    return Object(tuple(entries), first.span)
