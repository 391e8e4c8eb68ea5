"""Whether a policy allows one request.

The twin of `symbolic`, which speaks of all requests: the same names in the same order, and neither imports the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from policy_guard.iam.meaning.concrete_caller_keys import context_of
from policy_guard.iam.meaning.interpretations import (
    ACCOUNT_EXEMPTS_ROOT_ALONE,
    ANY_VALUE_IF_EXISTS,
    BLANKS_AROUND_ACTIONS_COUNT,
    BOUNDARY_UNDOES_NOT_PRINCIPAL,
    EMPTY_TEXT_IS_NO_VALUE,
    ID_NAMES_THE_CALLER,
    NO_VALUES_NEVER_HOLD,
    NULL_BY_VALUES,
    PARTIAL_CHAIN_EXEMPT,
    PLACEHOLDER_IS_UNRESOLVED,
    PLAIN_NEEDS_ALL_VALUES,
    PROVIDER_MADE_THE_SESSION,
    SERVICE_HAS_ANOTHER_NAME,
    UNRESOLVED_DROPS_STATEMENT,
    VARIABLES_ONLY_AFTER_FIFTH_COLON,
    WILDCARDS_CROSS_AT_ENDS,
    WILDCARDS_IN_PRINCIPALS_MATCH_NOBODY,
    WILDCARDS_STAY_IN_ARN_PARTS,
    Reading,
)
from policy_guard.iam.meaning.matching import matches, resolve
from policy_guard.iam.meaning.operator import Operator
from policy_guard.iam.meaning.operators import operators
from policy_guard.iam.policy import (
    CROWDED,
    ROLE,
    Caller,
    Condition,
    Element,
    Kind,
    Policy,
    Principal,
    Principals,
    Request,
    Statement,
    Value,
    as_written,
    by_effect,
    crowded,
    leaves_all,
    patterns_of,
    placeholders_of,
)
from policy_guard.iam.principal import (
    ACCOUNT_KEY,
    ARN_KEY,
    FINER,
    OF_ARN,
    UNSIGNED,
    PrincipalRef,
    beginning,
    by_text,
    has_wildcards,
    in_any_partition,
    is_id,
    is_provider,
    principal_ref,
)
from policy_guard.solver.strings.pattern import (
    Pattern,
    Variable,
    as_text,
    folded,
    has_early_variable,
    in_arn_parts,
    spelled_out,
)

_OF_ACCOUNT = re.compile(r"arn:[^:]+:[^:]+::([^:]*):.*", re.DOTALL)


def allows(policy: Policy | None, kind: Kind, request: Request) -> bool:
    """Tell whether the policy of this kind allows the request; None is no policy."""
    return granted(policy, kind, request) and not denied(policy, request)


def granted(policy: Policy | None, kind: Kind, request: Request) -> bool:
    """Tell whether some Allow applies, or everything is left to others."""
    return leaves_all(policy, kind) or _some_applies(by_effect(policy)[0], request)


def denied(policy: Policy | None, request: Request) -> bool:
    """Tell whether some Deny applies."""
    return _some_applies(by_effect(policy)[1], request)


def _some_applies(statements: tuple[Statement, ...], request: Request) -> bool:
    return any(applies(statement, request) for statement in _concerned(statements, folded(request.action)))


def _concerned(statements: tuple[Statement, ...], action: str) -> tuple[Statement, ...]:
    """The statements without those none of whose actions begins as this one does."""
    if len(statements) < _MANY:
        return statements
    key = id(statements), action
    entry = _CONCERNED.get(key)
    if entry is None or entry[0] is not statements:
        if len(_CONCERNED) >= _MOST_CONCERNED:
            _CONCERNED.clear()
        entry = _CONCERNED[key] = statements, tuple(s for s in statements if _may_match(s.action, action))
    return entry[1]


# By the identity of the statements, which are kept so that it stays theirs: one action is asked about many times.
_CONCERNED: dict[tuple[int, str], tuple[tuple[Statement, ...], tuple[Statement, ...]]] = {}
_MOST_CONCERNED = 500
_MANY = 10


def _may_match(element: Element, action: str) -> bool:
    return (
        element.negated
        or action in element.plain_in_lower_case
        or any(action.startswith(head) for head, _ in element.heads)
    )


def applies(statement: Statement, request: Request) -> bool:
    """Tell whether the statement applies to the request."""
    if request.principal is not None:
        request = request._replace(context=context_of(request))
    return (
        (statement.principals is None or principal_matches(statement.principals, request))
        and action_matches(statement.action, request)
        and (resource_matches(statement.resource, request) if statement.resource else matches(ROLE, request.resource))
        and all(_condition_holds(condition, request) for condition in statement.conditions)
        and _resolved(statement, request)
    )


def action_matches(element: Element, request: Request) -> bool:
    action = folded(request.action)
    return (
        action in element.plain_in_lower_case
        or any(action.startswith(head) and _action(value, request) for head, value in element.heads)
    ) != element.negated


def _action(value: Value, request: Request) -> bool:
    resolved = resolve(value.pattern, request.context, request.unknowns, wild=True)
    trimmed = not value.padded or not request.choices.get(BLANKS_AROUND_ACTIONS_COUNT.name, False)
    return trimmed and resolved is not None and matches(resolved, request.action, fold=True)


def resource_matches(element: Element, request: Request) -> bool:
    patterns: Iterable[Pattern] = (value.pattern for value in element.other_values)
    if request.choices.get(VARIABLES_ONLY_AFTER_FIFTH_COLON.name, False):
        patterns = (pattern for pattern in patterns if not has_early_variable(pattern))
    if request.choices.get(WILDCARDS_STAY_IN_ARN_PARTS.name, False):
        patterns = map(in_arn_parts, patterns)
    elif request.choices.get(WILDCARDS_CROSS_AT_ENDS.name, False):
        patterns = (in_arn_parts(pattern, but_at_ends=True) for pattern in patterns)
    listed = request.resource in element.plain
    return (listed or any(_matches(pattern, request.resource, request) for pattern in patterns)) != element.negated


def condition_holds(condition: Condition, request: Request) -> bool:
    return _condition_holds(condition, request._replace(context=context_of(request)))


def _condition_holds(condition: Condition, request: Request) -> bool:
    if any(name.endswith(CROWDED) for name in request.choices) and crowded(condition) in request.choices:
        return request.choices[crowded(condition)]
    operator = operators()[condition.operator]
    if operator.encode is None:
        return _presence_holds(operator, condition, request)
    usual = _values_hold(operator, condition, request)
    patterns = tuple(value.pattern for value in condition.values)
    texts = request.context.get(condition.key, ())
    if operator.spellings and patterns and any(operator.spellings.unusual(patterns, text) for text in texts):
        return request.choices.get(as_written(condition), usual)
    return usual


def _values_hold(operator: Operator, condition: Condition, request: Request) -> bool:
    values = request.context.get(condition.key, ())
    # Without values, ForAllValues holds only if the key is missing (access-analyzer-reference-policy-checks).
    no_empty = bool(condition.quantifier and condition.values) and request.choices.get(
        EMPTY_TEXT_IS_NO_VALUE.name, False
    )
    tests = [_test(operator, condition, value, request) for value in values if value or not no_empty]
    if condition.quantifier == "ForAllValues":
        return all(tests)
    if condition.quantifier == "ForAnyValue":
        absent_too = condition.if_exists and request.choices.get(ANY_VALUE_IF_EXISTS.name, False)
        return any(tests) if values else absent_too
    if not values:
        return condition.if_exists or (operator.negated and not _never_holds(condition, request))
    return all(tests) if request.choices.get(PLAIN_NEEDS_ALL_VALUES.name, False) else any(tests)


def _presence_holds(operator: Operator, condition: Condition, request: Request) -> bool:
    present = bool(request.context.get(condition.key))
    if condition.quantifier and request.choices.get(NULL_BY_VALUES.name, False):
        if condition.quantifier == "ForAllValues":
            return True
        if not present:
            return False
    absent = "false" if present else "true"
    resolved = (resolve(v.pattern, request.context, request.unknowns, wild=False) for v in condition.values)
    return any(pattern is not None and operator.holds(pattern, absent) for pattern in resolved)


def _test(operator: Operator, condition: Condition, text: str, request: Request) -> bool:
    """Tell whether one value of the request satisfies the condition."""
    if operator.negated and _never_holds(condition, request):
        return False
    return any(_value_matches(operator, value.pattern, text, request) for value in condition.values) != operator.negated


def _never_holds(condition: Condition, request: Request) -> bool:
    """Tell whether the condition has no values, in the reading in which it then never holds."""
    return not condition.values and request.choices.get(NO_VALUES_NEVER_HOLD.name, False)


def _value_matches(operator: Operator, pattern: Pattern, text: str, request: Request) -> bool:
    """Tell whether the value matches one pattern of the condition."""
    if unclear := operator.unclear(pattern):
        operator = unclear.if_true if request.choices.get(unclear.reading, False) else unclear.if_false
    resolved = resolve(operator.prepared(pattern), request.context, request.unknowns, operator.wild)
    return resolved is not None and operator.holds(resolved, text)


def _matches(pattern: Pattern, text: str, request: Request) -> bool:
    resolved = resolve(pattern, request.context, request.unknowns, wild=True)
    return resolved is not None and matches(resolved, text)


def _resolved(statement: Statement, request: Request) -> bool:
    """State that variables without a default and placeholders have values, in the reading that asks for it."""
    if not request.choices.get(UNRESOLVED_DROPS_STATEMENT.name, False):
        return True
    if any(request.choices.get(f"{PLACEHOLDER_IS_UNRESOLVED.name} {each}") for each in placeholders_of(statement)):
        return False
    parts = (part for pattern in patterns_of(statement) for part in pattern.parts)
    return all(
        part.default is not None or request.context.get(part.key) for part in parts if isinstance(part, Variable)
    )


def principal_matches(principals: Principals, request: Request) -> bool:
    caller = request.principal or Caller("Anonymous")
    literally = request.choices.get(WILDCARDS_IN_PRINCIPALS_MATCH_NOBODY.name, False)
    entries = [entry for entry in principals.entries if not (literally and has_wildcards(principal_ref(entry)))]
    pairs = [(entry, _resolve_principal(entry, request)) for entry in entries]
    listed = [principal for entry, principal in pairs if _is_listed(entry, principal, caller, request)]
    return (
        not _exempt([principal for _, principal in pairs], listed, caller, request)
        if principals.negated
        else bool(listed)
    )


def _resolve_principal(entry: Principal, request: Request) -> PrincipalRef:
    """Whom the entry names, with the unknown parts of its template filled in."""
    principal = principal_ref(entry)
    if principal.kind == "open":
        return by_text("".join(map(as_text, _fill_in(principal.name, request, wild=False).parts)))
    return PrincipalRef(principal.kind, *(_fill_in(pattern, request, wild=True) for pattern in principal[1:]))


def _fill_in(pattern: Pattern, request: Request, wild: bool) -> Pattern:
    resolved = resolve(pattern, {}, request.unknowns, wild)
    assert resolved is not None
    return resolved


def _is_listed(entry: Principal, principal: PrincipalRef, caller: Caller, request: Request) -> bool:
    if principal.kind == "everyone":
        return True
    if is_id(entry.type, principal) and caller.type == "AWS" and caller.name.startswith("arn:"):
        return _has_reading(ID_NAMES_THE_CALLER, entry, request)
    if is_provider(entry.type) and caller.type == "AWS":
        signed = _is_role_session(caller) and folded(request.action) not in UNSIGNED
        return signed and _has_reading(PROVIDER_MADE_THE_SESSION, entry, request)
    if entry.type == "AWS" and caller.type == "Service":
        return _is_acting(principal, request)
    if (head := beginning(entry)) is not None and caller.type == "Service":
        shares_beginning = caller.name.startswith(head) and caller.name != head
        return matches(principal.name, caller.name) or (
            shares_beginning and _has_reading(SERVICE_HAS_ANOTHER_NAME, entry, request)
        )
    if entry.type != caller.type or principal.kind == "nobody":
        return False
    if principal.kind == "account":
        # What is filled in says nothing of a partition that the entry leaves to its template.
        written = principal_ref(entry)
        in_partition = in_any_partition(written if written.kind == "account" else principal)
        return _in_account(principal, caller) and (in_partition or _in_partition(principal, caller))
    if principal.kind == "session":
        return _is_session(principal, caller)
    if principal.kind == "user" and principal.session.parts and caller.session is not None:
        return _is_federated_of(principal, caller, caller.session)
    of_session = principal.kind == "role" or (principal.kind == "user" and _is_federated(caller))
    return matches(principal.name, caller.name) and (caller.session is None or of_session)


def _is_acting(principal: PrincipalRef, request: Request) -> bool:
    """Tell whether the condition keys tell that the service is of the account, or has the ARN, that the entry names."""
    accounts, arns = (request.context.get(key, ()) for key in (ACCOUNT_KEY, ARN_KEY))
    if principal.kind == "account":
        owners = (match[1] for text in arns if (match := _OF_ACCOUNT.fullmatch(text)))
        return any(matches(principal.account, text) for text in (*accounts, *owners))
    return principal.kind in OF_ARN and any(matches(principal.name, text) for text in arns)


def _has_reading(reading: Reading, entry: Principal, request: Request) -> bool:
    """Tell whether the request goes by the reading of this entry."""
    return request.choices.get(f"{reading.name} {spelled_out(entry.value.pattern)}", False)


def _in_account(principal: PrincipalRef, caller: Caller) -> bool:
    parts = caller.name.split(":")
    return caller.type == "AWS" and len(parts) > 5 and matches(principal.account, parts[4])


def _in_partition(principal: PrincipalRef, caller: Caller) -> bool:
    return matches(principal.partition, caller.name.split(":")[1])


def _is_federated(caller: Caller) -> bool:
    """Tell whether the caller is a federated session of a user, who is its session."""
    return ":federated-user/" in caller.name and (caller.session or "").startswith("user/")


def _is_federated_of(principal: PrincipalRef, caller: Caller, user: str) -> bool:
    if not _is_federated(caller):
        return False
    _, partition, _, _, account, _ = caller.name.split(":", 5)
    return (
        matches(principal.partition, partition)
        and matches(principal.account, account)
        and matches(principal.session, user)
    )


def _is_role_session(caller: Caller) -> bool:
    return caller.session is not None and ":role/" in caller.name


def _is_session(principal: PrincipalRef, caller: Caller) -> bool:
    if not _is_role_session(caller):
        return False
    _, partition, _, _, account, role = caller.name.split(":", 5)
    path = role.split("/")[1:]
    return (
        matches(principal.partition, partition)
        and matches(principal.account, account)
        and any(matches(principal.name, "/".join(path[at:])) for at in range(len(path)))
        and matches(principal.session, caller.session or "")
    )


def _exempt(principals: list[PrincipalRef], listed: list[PrincipalRef], caller: Caller, request: Request) -> bool:
    """Tell whether NotPrincipal leaves the caller out: its whole chain is listed."""
    bounded = caller.type == "AWS" and (":role/" in caller.name or ":user/" in caller.name or _is_federated(caller))
    if bounded and request.choices.get(BOUNDARY_UNDOES_NOT_PRINCIPAL.name, False):
        return False
    kinds = {principal.kind for principal in listed}
    if kinds & {"everyone", "other", "id"}:
        return True
    finer = any(principal.kind in FINER and _in_account(principal, caller) for principal in principals)
    chain = {"account"}
    if _is_federated(caller):
        chain |= {"user", "federated"}
    elif caller.session is not None:
        chain |= {"role", "session"}
    elif ":role/" in caller.name:
        chain.add("role")
    elif not caller.name.endswith(":root"):
        chain.add("user")
    alone = not finer and not request.choices.get(ACCOUNT_EXEMPTS_ROOT_ALONE.name, False)
    if "account" in kinds and (alone or chain <= kinds):
        return True
    return bool(kinds) and request.choices.get(PARTIAL_CHAIN_EXEMPT.name, False)
