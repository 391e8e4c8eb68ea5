"""One statement: its elements, each checked for what AWS would reject."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy_guard.documents.printable import quoted
from policy_guard.documents.source import Array, Node, Object, Scalar, Span
from policy_guard.iam.parse.condition import conditions, guarding
from policy_guard.iam.parse.reader import Reader, known_key
from policy_guard.iam.policy import Condition, Effect, Element, Principal, Principals, Statement, Value, without_blanks
from policy_guard.iam.principal import principal_ref
from policy_guard.regex import regex
from policy_guard.solver.strings.pattern import PSEUDO, Pattern, Unknown, Variable, Wildcard, with_variables

_ELEMENTS = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
_PRINCIPALS = ("AWS", "Service", "Federated", "CanonicalUser")
# CloudFormation User Guide, pseudo-parameter-reference: twelve digits.
_OWN_ACCOUNT = (f"{PSEUDO}AccountId", "AWS::AccountId")
# AWS: IAM User Guide, reference-arns: aws, aws-cn, aws-us-gov, and others whose names begin so.
NO_PARTITION = regex(r"arn:(?!aws(-[a-z0-9-]+)?:)([^:]*):")
# IAM User Guide, access-analyzer-reference-policy-checks, Empty array action, resource, principal.
_NO_EFFECT = "the statement has no effect; remove it"
_SHORT_API = "execute-api:/"
_BEFORE_PATH = Wildcard("*", before_slash=True)
_NOWHERE = Element(False, (), Span(0, 0))


def parse_statement(reader: Reader, index: int, node: Node, version: str) -> Statement:
    """The statement that stands at `index`, counted from 0."""
    entries = _entries(reader, node)
    variables = version == "2012-10-17"
    action = _one_of(reader, entries, "Action", node)
    resource = _one_of(reader, entries, "Resource", node)
    principal = _one_of(reader, entries, "Principal", node)
    if action is None and isinstance(node, Object):
        reader.problem('the statement has no "Action"', Span(node.span.start, node.span.start + 1), "MISSING_ACTION")
    return Statement(
        index=index,
        sid=_sid(reader, entries.get("Sid")),
        effect=_effect(reader, entries.get("Effect"), node),
        principals=principals(reader, *principal, if_empty=_NO_EFFECT) if principal else None,
        action=_actions(reader, *action) if action else _NOWHERE,
        resource=_resources(reader, *resource, variables) if resource else None,
        conditions=(*_conditions(reader, entries.get("Condition"), variables), *_guards(node)),
        version=version,
        span=node.span,
        source=reader.source,
    )


def _entries(reader: Reader, node: Node) -> dict[str, Node]:
    if isinstance(node, Object):
        return reader.entries(node, _ELEMENTS, "a statement")
    reader.problem("a statement is a mapping with Effect, Action and Resource", node.span, "DATA_TYPE_MISMATCH")
    return {}


def _one_of(reader: Reader, entries: dict[str, Node], name: str, node: Node) -> tuple[str, Node] | None:
    present = [element for element in (name, f"Not{name}") if element in entries]
    if len(present) > 1:
        words = f'a statement has "{name}" or "Not{name}", not both'
        reader.problem(words, entries[present[1]].span, "UNSUPPORTED_ELEMENT_COMBINATION")
    return (present[0], entries[present[0]]) if present else None


def _sid(reader: Reader, node: Node | None) -> str | None:
    if node is None:
        return None
    if isinstance(node, Scalar) and node.kind != "null":
        return node.text
    reader.problem('"Sid" takes a string', node.span, "DATA_TYPE_MISMATCH")
    return None


_EFFECTS: dict[str, Effect] = {"Allow": "Allow", "Deny": "Deny"}


def _effect(reader: Reader, node: Node | None, statement_node: Node) -> Effect:
    if node is None:
        if isinstance(statement_node, Object):
            start = statement_node.span.start
            reader.problem('the statement has no "Effect"', Span(start, start + 1), "MISSING_EFFECT")
        return "Deny"
    text = node.text if isinstance(node, Scalar) and node.tag is None else ""
    if text in _EFFECTS:
        return _EFFECTS[text]
    description = quoted(text) if text else "empty" if _is_empty(node) else _kind_of(node)
    reader.problem(f'"Effect" is {description}; write "Allow" or "Deny"', node.span, "INVALID_EFFECT")
    return "Deny"


def _is_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.tag is None and not node.text


def _kind_of(node: Node) -> str:
    """Return what stands in place of a plain word: a function by its name, or the kind of a value."""
    if node.tag is not None:
        return f"the function {quoted(node.tag)}, which is resolved later"
    names = [entry.key.text for entry in node.entries] if isinstance(node, Object) else []
    if len(names) == 1 and (names[0].startswith("Fn::") or names[0] == "Ref"):
        return f"the function {quoted(names[0])}, which is resolved later"
    return {Scalar: "a value", Array: "a list", Object: "a mapping"}[type(node)]


def _conditions(reader: Reader, node: Node | None, variables: bool) -> tuple[Condition, ...]:
    return conditions(reader, node, variables) if node else ()


def _guards(node: Node) -> Iterator[Condition]:
    return (guarding(guard, node.span) for guard in (node.guards if isinstance(node, Object) else ()))


def _actions(reader: Reader, name: str, node: Node) -> Element:
    """Leaves blanks around an action and beside its colon out of the pattern: AWS's own managed policies have some.

    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/ViewOnlyAccess.html, version 1.
    """
    if_empty = "" if name.startswith("Not") else _NO_EFFECT
    values = [_trimmed(reader.name(value)) for value in reader.values(node, name, variables=False, if_empty=if_empty)]
    for value in values:
        _check_action(reader, value)
        if value.padded:
            reader.doubt(f"{quoted(value.text)} has blanks in it, which AWS may take for a part of it", value.span)
    return Element(name.startswith("Not"), tuple(values), node.span)


def _trimmed(value: Value) -> Value:
    if " " not in value.text:
        return value
    parts = list(value.pattern.parts)
    if parts and isinstance(parts[0], str):
        parts[0] = parts[0].lstrip(" ")
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip(" ")
    colon = next((at for at, part in enumerate(parts) if isinstance(part, str) and ":" in part), None)
    if colon is not None:
        service, _, name = str(parts[colon]).partition(":")
        parts[colon] = f"{service.rstrip(' ')}:{name.lstrip(' ')}"
    return value._replace(pattern=Pattern(tuple(part for part in parts if part != "")))


def _check_action(reader: Reader, value: Value) -> None:
    text = without_blanks(value.text)
    if any(isinstance(part, Unknown) for part in value.pattern.parts) or text == "*":
        return
    if not re.fullmatch(r"[A-Za-z0-9_*?-]+:[A-Za-z0-9_*?-]+", text):
        words = f'{quoted(value.text)} is not an action; write "service:Name" or "*"'
        reader.problem(words, value.span, "INVALID_ACTION")


def _resources(reader: Reader, name: str, node: Node, variables: bool) -> Element:
    if_empty = "" if name.startswith("Not") else _NO_EFFECT
    values = tuple(map(reader.name, map(_expanded, reader.values(node, name, variables, if_empty=if_empty))))
    for value in values:
        first = value.pattern.parts[0] if value.pattern.parts else ""
        if isinstance(first, str) and not first.startswith("arn:") and not _may_be_arn(first, value):
            words = f'{quoted(value.text)} is not a resource; write an ARN or "*"'
            reader.problem(words, value.span, "INVALID_ARN_PREFIX")
        _check_partition(reader, value)
    return Element(name.startswith("Not"), values, node.span)


def _check_partition(reader: Reader, value: Value) -> bool:
    """Tell whether the partition is one: AWS rejects an ARN of any other (access-analyzer-reference-policy-checks)."""
    first = value.pattern.parts[0] if value.pattern.parts else ""
    wrong = NO_PARTITION.match(first) if isinstance(first, str) else None
    if wrong:
        message = f"{quoted(wrong[2])} is not an AWS partition" if wrong[2] else "the ARN names no partition"
        reader.problem(
            f'{message}; the text begins with "arn:aws:", "arn:aws-cn:" or the like', value.span, "INVALID_PARTITION"
        )
    return not wrong


def _expanded(value: Value) -> Value:
    """The value with the short form of an API's ARN spelled out.

    It stands for the API that has the policy, whose ARN has no slash before the stage (API Gateway Developer Guide,
    apigateway-resource-policies-examples).
    """
    first, *parts = value.pattern.parts or ("",)
    if not isinstance(first, str) or not is_short(value):
        return value
    path = first.removeprefix(_SHORT_API.rstrip("/"))
    return value._replace(pattern=Pattern(("arn:", _BEFORE_PATH, ":execute-api:", _BEFORE_PATH, path, *parts)))


def is_short(value: Value) -> bool:
    """Tell whether the value is the short form of an API's ARN, which only the resource policy of an API takes."""
    return value.text.startswith(_SHORT_API)


def _may_be_arn(first: str, value: Value) -> bool:
    """Tell whether a text that is cut short by a wildcard or a hole may go on to be an ARN."""
    return len(value.pattern.parts) > 1 and "arn:".startswith(first)


def principals(reader: Reader, name: str, node: Node, if_empty: str = "") -> Principals:
    """Principal, or NotPrincipal if the name begins with `Not`.

    A Principal that names nobody is a problem, unless `if_empty` says what it means.
    """
    negated = name.startswith("Not")
    if_empty = "" if negated else if_empty
    if isinstance(node, Scalar) and node.tag is None:
        value = reader.value(node, name, variables=False)
        type_ = "*" if node.text == "*" else "AWS"
        entries = [_principal(reader, type_, value)] if value else []
    elif isinstance(node, Object):
        entries = [
            _principal(reader, type_, value)
            for type_, names in reader.entries(node, _PRINCIPALS, f'"{name}"', "INVALID_PRINCIPAL_KEY").items()
            for value in reader.values(names, type_, variables=False, plain=type_ == "AWS", if_empty=if_empty)
        ]
        if not node.entries:
            report = reader.doubt if if_empty else reader.problem
            report(f'"{name}" names nobody', node.span, "EMPTY_OBJECT_PRINCIPAL")
    else:
        reader.problem(
            f'"{name}" is "*" or a mapping of {", ".join(_PRINCIPALS)}', node.span, "INVALID_PRINCIPAL_FORMAT"
        )
        entries = []
    for entry in entries:
        _check_principal(reader, entry)
    return Principals(negated, tuple(entries), node.span)


def _principal(reader: Reader, type_: str, value: Value) -> Principal:
    """An entry; the id of the account that a template is deployed to is its ARN, so that nobody takes it for `*`.

    IAM User Guide, reference_policies_elements_principal, "AWS account principals": ARN and id behave the same way.
    """
    value = reader.name(value)
    parts = value.pattern.parts
    if type_ == "AWS" and len(parts) == 1 and isinstance(parts[0], Unknown) and parts[0].name in _OWN_ACCOUNT:
        value = value._replace(pattern=Pattern(("arn:", Unknown(f"{PSEUDO}Partition"), ":iam::", parts[0], ":root")))
    return Principal(type_, value)


def _check_principal(reader: Reader, entry: Principal) -> None:
    parts = entry.value.pattern.parts
    if any(isinstance(part, Variable) for part in with_variables(entry.value.text, known_key).parts):
        # IAM User Guide, reference_policies_variables: in Resource and Condition only.
        reader.problem(
            f"{quoted(entry.value.text)} has a policy variable, which Principal does not take; write the name",
            entry.value.span,
            "VARIABLE_UNSUPPORTED_IN_ELEMENT",
        )
        return
    if entry.type == "AWS" and len(parts) > 1 and any(isinstance(part, Wildcard) for part in parts):
        reader.doubt(
            f"{quoted(entry.value.text)} has a wildcard inside a name, and AWS takes it for a plain character: "
            "name each principal in full, or the account and a condition on aws:PrincipalArn",
            entry.value.span,
            "UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
        )
    if _check_partition(reader, entry.value) and principal_ref(entry).kind == "nobody":
        reader.problem(
            f'{quoted(entry.value.text)} is not a principal; write an account id, an IAM ARN or "*"',
            entry.value.span,
            "INVALID_PRINCIPAL_FORMAT",
        )
