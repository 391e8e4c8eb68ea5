"""What AWS remarks about a policy that it takes, or that only it would not take: by its codes, and in our words.

Source: IAM User Guide, access-analyzer-reference-policy-checks. What needs a list of accounts, regions or services'
ARNs is not here; docs/serve.md names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from policy_guard.documents.globs import glob
from policy_guard.documents.printable import quoted
from policy_guard.documents.source import Array, Node, Object, Problem, Scalar, Span
from policy_guard.iam import catalog
from policy_guard.iam.policy import Condition, Kind, Policy, Statement, Value
from policy_guard.regex import regex

_FIELDS_OF_ARN = 6
_QUOTAS = {"identity": ("IDENTITY_POLICY", 6144), "scp": ("SCP", 5120)}
"""Characters that a policy may have: a managed policy without blanks, and a service control policy with them."""
_MOST_WILDCARDS = 50
"""How many patterns with wildcards each action or resource of a statement is held against."""
_ACCOUNT = regex(r"[0-9]+")
_UNIQUE_ID = regex(r"(AROA|AIDA)[A-Z0-9]{12,}")
_SERVICE = regex(r"[a-z0-9][a-z0-9.-]*\.(amazonaws\.com(\.cn)?|amazon\.com|internal|aws\.internal)")
_DATE = regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*")
_KEY = regex(r"[^:\s]+:\S.*", re.DOTALL)
_ON_ALL = ("PASS_ROLE", "iam:PassRole"), ("CREATE_SLR", "iam:CreateServiceLinkedRole")
_PLAIN_STRINGS = ("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase")
_OPERATORS = {
    "String": ("String", "Arn"),
    "ARN": ("Arn", "String"),
    "Arn": ("Arn", "String"),
    "Bool": ("Bool", "String"),
    "Date": ("Date", "Numeric"),
    "Numeric": ("Numeric",),
    "IPAddress": ("IpAddress", "NotIpAddress"),
}
"""How the names of the operators begin that fit a key of the type."""
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
_WILD = regex(r"[*?]")
_OPEN = regex(r"[*?]|\$\{")
_INSIDE = regex(r"\?|\$\{")
_VARIABLE = regex(r"\$\{[^${}]*\}")
_POLICY_VARIABLE = regex(r"\$\{[a-z0-9-]+:[A-Za-z]")


def remarks_of_tree(root: Node) -> Iterator[Problem]:
    """The remarks that need no more than the elements as they are written."""
    if not isinstance(root, Object):
        return
    if root.get("Version") is None:
        words = 'the policy has no "Version", and policy variables are plain texts in it; write "2012-10-17"'
        yield Problem(words, Span(root.span.start, root.span.start + 1), "MISSING_VERSION")
    statements = root.get("Statement")
    for statement in statements.items if isinstance(statements, Array) else (statements,):
        if isinstance(statement, Object):
            yield from _of_elements(statement)


def _of_elements(statement: Object) -> Iterator[Problem]:
    sid, condition = statement.get("Sid"), statement.get("Condition")
    if isinstance(sid, Scalar) and not sid.text:
        yield Problem('"Sid" is empty; write one, or leave it out', sid.span, "EMPTY_SID_VALUE")
    operators = condition.entries if isinstance(condition, Object) else ()
    for node in (condition, *(entry.value for entry in operators)):
        if isinstance(node, Object) and not node.entries:
            yield Problem("this condition is empty; write one, or leave it out", node.span, "EMPTY_OBJECT_CONDITION")
    for name in ("Action", "NotAction", "Resource", "NotResource"):
        value = statement.get(name)
        for item in value.items if isinstance(value, Array) else (value,):
            if isinstance(item, Object):
                yield Problem(f"{quoted(name)} takes strings, and this is a mapping", item.span, "DATA_TYPE_MISMATCH")


def remarks(policy: Policy) -> Iterator[Problem]:
    """The remarks about a policy that can be read."""
    yield from _of_size(policy)
    yield from _of_statements(policy)
    for statement in policy.statements:
        yield from _of_actions(statement)
        yield from _of_resources(statement)
        yield from _of_principals(statement)
        yield from _of_all_resources(statement, policy.kind)
        for condition in statement.conditions:
            yield from _of_condition(statement, condition)


def _of_size(policy: Policy) -> Iterator[Problem]:
    name, most = _QUOTAS.get(policy.kind, ("", 0))
    text = policy.source.text
    length = len(text) if policy.kind == "scp" else len("".join(text.split()))
    if name and length > most:
        words = f"the policy has {length} characters, and AWS takes {most}; write several policies"
        yield Problem(words, Span(0, 1), f"POLICY_SIZE_EXCEEDS_{name}_QUOTA")


def _of_statements(policy: Policy) -> Iterator[Problem]:
    """Sids that AWS takes twice in policies of resources, and statements that say the same."""
    sids: set[str] = set()
    texts: set[object] = set()
    for statement in policy.statements:
        if statement.sid and statement.sid in sids:
            words = f"the Sid {quoted(statement.sid)} is written twice; give each its own"
            yield Problem(words, statement.span, "UNIQUE_SIDS_RECOMMENDED")
        sids.add(statement.sid or "")
        text = _meaning(statement)
        if text in texts:
            yield Problem("another statement says the same; leave one out", statement.span, "REDUNDANT_STATEMENT")
        texts.add(text)


def _meaning(statement: Statement) -> object:
    """A value that is the same for statements that are written alike but for their Sids and the order of texts."""
    elements = [
        (element.negated, frozenset(value.text for value in element.values))
        for element in (statement.action, statement.resource)
        if element
    ]
    entries = frozenset((e.type, e.value.text) for e in statement.principals.entries) if statement.principals else None
    negated = statement.principals.negated if statement.principals else False
    conditions = frozenset(
        (c.quantifier, c.operator, c.if_exists, c.key, frozenset(value.text for value in c.values))
        for c in statement.conditions
    )
    return statement.effect, tuple(elements), negated, entries, conditions


def _of_actions(statement: Statement) -> Iterator[Problem]:
    for value in statement.action.values:
        text = value.text.strip()
        service, colon, _ = text.partition(":")
        if colon and _WILD.search(service) and service != "*":
            words = f"{quoted(text)} names services by a wildcard; write the service"
            yield Problem(words, value.span, "WILDCARD_IN_SERVICE_NAME")
        if not _is_literal(value):
            continue
        if not catalog.actions(service):
            yield Problem(f'AWS has no service "{service}"', value.span, "INVALID_SERVICE_IN_ACTION")
        elif not catalog.exists(text):
            near = catalog.nearest(text)
            remedy = f'; did you mean "{near}"?' if near else ""
            words = f'AWS has no action "{text}" in {catalog.source()}{remedy}'
            yield Problem(words, value.span, "INVALID_ACTION")
    if not statement.action.negated:
        yield from _redundant(statement.action.values, str.lower, "REDUNDANT_ACTION")


def _is_literal(value: Value) -> bool:
    parts = value.pattern.parts
    return len(parts) == 1 and isinstance(parts[0], str)


def _redundant(values: Sequence[Value], folded: Callable[[str], str], code: str) -> Iterator[Problem]:
    """The texts that another one of the list covers, which has no wildcard but `*`: `?` may stand for less than `*`."""
    texts = {folded(value.text.strip()): value.text for value in reversed(values)}
    wide = [text for text in reversed(texts) if "*" in text and not _INSIDE.search(text)][:_MOST_WILDCARDS]
    tests = [(text, glob(text)) for text in wide]
    before: set[str] = set()
    for value in values:
        text = folded(value.text.strip())
        cover = next((other for other, covers in tests if other != text and covers(text)), text)
        if cover != text or text in before:
            yield Problem(f"{quoted(value.text)} is covered by {quoted(texts[cover])}; leave it out", value.span, code)
        before.add(text)


def _of_resources(statement: Statement) -> Iterator[Problem]:
    values = statement.resource.values if statement.resource else ()
    for value in values:
        if not value.text.startswith("arn:"):
            continue
        fields = value.text.split(":", _FIELDS_OF_ARN - 1)
        if len(fields) < _FIELDS_OF_ARN and not _OPEN.search(value.text):
            words = (
                f"{quoted(value.text)} has {len(fields)} fields; write arn:partition:service:region:account:resource"
            )
            yield Problem(words, value.span, "MISSING_ARN_FIELD")
        elif len(fields) >= 3 and fields[2] != fields[2].lower() and "${" not in fields[2]:
            words = f"{quoted(fields[2])} is a service in capital letters; write it in small ones"
            yield Problem(words, value.span, "INVALID_ARN_SERVICE_CASE")
        elif len(fields) == _FIELDS_OF_ARN and _ACCOUNT.fullmatch(fields[4]) and len(fields[4]) != 12:
            yield Problem(
                f"{quoted(fields[4])} is no account id, which has 12 digits", value.span, "INVALID_ARN_ACCOUNT"
            )
        yield from _variable_of_old(statement, value)
    if statement.resource and not statement.resource.negated:
        yield from _redundant(values, str, "REDUNDANT_RESOURCE")


def _variable_of_old(statement: Statement, value: Value) -> Iterator[Problem]:
    if statement.version != "2012-10-17" and _POLICY_VARIABLE.search(value.text):
        words = f'{quoted(value.text)} has a policy variable, which is plain text here; write "Version": "2012-10-17"'
        yield Problem(words, value.span, "VARIABLE_UNSUPPORTED_IN_VERSION")


def _of_principals(statement: Statement) -> Iterator[Problem]:
    for entry in statement.principals.entries if statement.principals else ():
        text, span = entry.value.text, entry.value.span
        if unique_id := _UNIQUE_ID.fullmatch(text):
            noun = "ROLE" if unique_id[1] == "AROA" else "USER"
            words = f"{quoted(text)} is the id of a {noun.lower()}, who may be gone; write its ARN"
            yield Problem(words, span, f"INVALID_{noun}_REFERENCE")
        if entry.type == "Service" and _is_literal(entry.value) and not _SERVICE.fullmatch(text.lower()):
            words = f"{quoted(text)} is not the name of a service; write one such as lambda.amazonaws.com"
            yield Problem(words, span, "INVALID_SERVICE_PRINCIPAL_FORMAT")


def _of_all_resources(statement: Statement, kind: Kind) -> Iterator[Problem]:
    """Roles that can be passed, or be made for services, on all resources."""
    resource = statement.resource
    if statement.effect != "Allow" or resource is None or kind in ("scp", "rcp"):
        return
    star = next((value for value in resource.values if value.text == "*"), None)
    if not (resource.negated or star):
        return
    span = resource.span if resource.negated or star is None else star.span
    on = "NOT_RESOURCE" if resource.negated else "STAR_IN_RESOURCE"
    for name, action in _ON_ALL:
        if how := _granted(statement, action):
            words = f"{action} is allowed on {'all but some' if resource.negated else 'all'} roles; name the roles"
            yield Problem(words, span, _joined(name, how, on))


def _granted(statement: Statement, action: str) -> str:
    """How the statement allows an action: by its name, by a wildcard, by NotAction, or not at all."""
    texts = [value.text.strip().lower() for value in statement.action.values]
    covered = [text for text in texts if glob(text)(action.lower())]
    if statement.action.negated:
        return "" if covered else "NOT_ACTION"
    if not covered:
        return ""
    return "ACTION" if action.lower() in covered else "STAR_IN_ACTION"


def _joined(name: str, how: str, on: str) -> str:
    """The code that AWS has for it, whose parts do not always stand in one order."""
    if how == "ACTION":
        return f"{name}_WITH_{on}"
    if how == "STAR_IN_ACTION":
        return f"{name}_WITH_{how}_AND_{on.removeprefix('STAR_IN_')}"
    return f"{name}_WITH_NOT_ACTION_AND_{on}" if on == "NOT_RESOURCE" else f"{name}_WITH_{on}_AND_NOT_ACTION"


def _of_condition(statement: Statement, condition: Condition) -> Iterator[Problem]:
    if condition.unknown_key:
        return
    span, written = condition.span, quoted(condition.written_key)
    type_ = catalog.key_type(condition.key)
    if not _KEY.fullmatch(condition.written_key):
        yield Problem(f"{written} is no condition key; write service:key", span, "INVALID_CONDITION_KEY_FORMAT")
    elif type_ is None:
        yield from _of_unknown_key(condition, span, written)
    elif condition.operator != "Null":
        yield from _of_quantifier(statement, condition, type_)
        fitting = _OPERATORS.get(type_.type, ())
        if fitting and not condition.operator.startswith(fitting):
            words = f"{written} is of the type {type_.type}, and {condition.operator} compares others"
            yield Problem(words, span, "TYPE_MISMATCH")
    yield from chain.from_iterable(_of_value(condition, value) for value in condition.values)
    for value in condition.values:
        yield from _variable_of_old(statement, value)
    yield from _of_addresses(condition)
    if (
        condition.operator.startswith(("Numeric", "Date"))
        and len(condition.values) > 1
        and "Than" in condition.operator
    ):
        words = f"of several values of {condition.operator} one decides; write that alone"
        yield Problem(words, span, "REDUNDANT_CONDITION_VALUE_NUM")


def _of_unknown_key(condition: Condition, span: Span, written: str) -> Iterator[Problem]:
    """A key that AWS does not list, where it has one that is spelled much alike: the list here may be the older one."""
    prefix, _, name = condition.key.partition(":")
    near = catalog.nearest_key(condition.key) if "/" not in name else None
    if near and (prefix == "aws" or catalog.actions(prefix)):
        code = "INVALID_GLOBAL_CONDITION_KEY" if prefix == "aws" else "INVALID_SERVICE_CONDITION_KEY"
        yield Problem(f"AWS has no condition key {written}; did you mean {quoted(near)}?", span, code)


def _of_quantifier(statement: Statement, condition: Condition, type_: catalog.KeyType) -> Iterator[Problem]:
    written = quoted(condition.written_key)
    if type_.multivalued and not condition.quantifier:
        words = f"{written} has several values; write ForAnyValue or ForAllValues before {condition.operator}"
        yield Problem(words, condition.span, "MISSING_QUALIFIER")
    if not type_.multivalued and condition.quantifier == "ForAllValues" and statement.effect == "Allow":
        words = f"{written} has one value, and ForAllValues holds where there is none; leave ForAllValues out"
        yield Problem(words, condition.span, "FORALLVALUES_WITH_SINGLE_VALUED_KEY")


def _of_value(condition: Condition, value: Value) -> Iterator[Problem]:
    text = value.text
    if condition.operator in _PLAIN_STRINGS and _WILD.search(_VARIABLE.sub("", text)):
        words = f"{condition.operator} takes * and ? in {quoted(text)} for plain characters; StringLike takes wildcards"
        yield Problem(words, value.span, "WILDCARD_WITHOUT_LIKE_OPERATOR")
    if condition.operator.startswith("Date") and _is_literal(value) and not _DATE.fullmatch(text):
        yield Problem(f"{quoted(text)} may be read otherwise; write YYYY-MM-DD", value.span, "INVALID_DATE_VALUE")


def _of_addresses(condition: Condition) -> Iterator[Problem]:
    """Bits behind those that count, and private addresses, which aws:SourceIp never is."""
    if condition.operator not in ("IpAddress", "NotIpAddress"):
        return
    from ipaddress import ip_interface, ip_network

    private: list[Value] = []
    for value in condition.values:
        try:
            network = ip_interface(value.text).network
        except ValueError:
            continue
        if "/" in value.text and ip_interface(value.text).ip != network.network_address:
            words = f"{quoted(value.text)} has bits that do not count; write {network}"
            yield Problem(words, value.span, "IMPROVE_IP_RANGE")
        if any(network.version == (n := ip_network(text)).version and network.subnet_of(n) for text in _PRIVATE):  # type: ignore[arg-type]
            private.append(value)
    if private and condition.key == "aws:sourceip":
        negated = "NOT_" if condition.operator == "NotIpAddress" else ""
        subset = "" if len(private) == len(condition.values) else "_SUBSET"
        words = "aws:SourceIp is never a private address; ask aws:VpcSourceIp, or write public addresses"
        yield Problem(words, private[0].span, f"PRIVATE_{negated}IP_ADDRESS{subset}")
