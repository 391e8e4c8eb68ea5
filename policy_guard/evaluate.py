"""Whether a policy allows one request.

The twin of `access`, which speaks of all requests: the same names in the same order, and neither imports the other.
"""

from __future__ import annotations

from policy_guard.condition import Operator
from policy_guard.conditions import operators
from policy_guard.match import matches, resolve
from policy_guard.pattern import Pattern, Unknown, Variable
from policy_guard.policy import (
    CAPS,
    ROLE,
    Caller,
    Condition,
    Element,
    Policy,
    Principals,
    Request,
    Statement,
    Value,
    as_written,
    patterns_of,
)
from policy_guard.principals import Named, named, wildcards
from policy_guard.readings import (
    ANY_VALUE_IF_EXISTS,
    PARTIAL_CHAIN_EXEMPT,
    PLAIN_NEEDS_ALL_VALUES,
    UNRESOLVED_DROPS_STATEMENT,
)


def allows(policy: Policy | None, kind: str, request: Request) -> bool:
    """Whether the policy of this kind allows the request; None is no policy."""
    return granted(policy, kind, request) and not denied(policy, request)


def granted(policy: Policy | None, kind: str, request: Request) -> bool:
    """Whether some Allow applies. A cap that allows nothing leaves everything to others."""
    allowing = [s for s in policy.statements if s.effect == "Allow"] if policy else []
    if not allowing and kind in CAPS:
        return True
    return any(applies(statement, request) for statement in allowing)


def denied(policy: Policy | None, request: Request) -> bool:
    """Whether some Deny applies."""
    return any(applies(s, request) for s in (policy.statements if policy else ()) if s.effect == "Deny")


def applies(statement: Statement, request: Request) -> bool:
    """Whether the statement applies to the request."""
    return (
        (statement.principals is None or principal_matches(statement.principals, request))
        and action_matches(statement.action, request)
        and (resource_matches(statement.resource, request) if statement.resource else matches(ROLE, request.resource))
        and all(condition_holds(condition, request) for condition in statement.conditions)
        and _resolved(statement, request)
    )


def action_matches(element: Element, request: Request) -> bool:
    return any(_action(value, request) for value in element.values) != element.negated


def _action(value: Value, request: Request) -> bool:
    if any(isinstance(part, Unknown) for part in value.pattern.parts):
        return request.choices.get(f'action "{value.text}" covers the one asked for', False)
    return matches(value.pattern, request.action, fold=True)


def resource_matches(element: Element, request: Request) -> bool:
    return any(_matches(v.pattern, request.resource, request) for v in element.values) != element.negated


def condition_holds(condition: Condition, request: Request) -> bool:
    operator = operators().get(condition.operator)
    given = request.context.get(condition.key, ())
    if operator is None:
        return request.choices.get(as_written(condition), False)
    if operator.encode is None:
        return _of_presence(operator, condition, request)
    tests = [_test(operator, condition, value, request) for value in given]
    if condition.quantifier == "ForAllValues":
        return all(tests)
    if condition.quantifier == "ForAnyValue":
        absent_too = condition.if_exists and request.choices.get(ANY_VALUE_IF_EXISTS.name, False)
        return any(tests) if given else absent_too
    if not given:
        return operator.negated or condition.if_exists
    return all(tests) if request.choices.get(PLAIN_NEEDS_ALL_VALUES.name, False) else any(tests)


def _of_presence(operator: Operator, condition: Condition, request: Request) -> bool:
    if any(isinstance(part, Unknown) for value in condition.values for part in value.pattern.parts):
        return request.choices.get(as_written(condition), False)
    absent = "false" if request.context.get(condition.key) else "true"
    return any(operator.holds(value.pattern, absent) for value in condition.values)


def _test(operator: Operator, condition: Condition, text: str, request: Request) -> bool:
    """Whether one value of the request satisfies the condition."""
    resolved = (resolve(v.pattern, request.context, request.unknowns, operator.wild) for v in condition.values)
    return any(given is not None and operator.holds(given, text) for given in resolved) != operator.negated


def _matches(pattern: Pattern, text: str, request: Request) -> bool:
    resolved = resolve(pattern, request.context, request.unknowns, wild=True)
    return resolved is not None and matches(resolved, text)


def _resolved(statement: Statement, request: Request) -> bool:
    """That every variable without a default has a value, in the reading that asks for it."""
    if not request.choices.get(UNRESOLVED_DROPS_STATEMENT.name, False):
        return True
    parts = (part for pattern in patterns_of(statement) for part in pattern.parts)
    return all(
        part.default is not None or request.context.get(part.key) for part in parts if isinstance(part, Variable)
    )


def principal_matches(principals: Principals, request: Request) -> bool:
    caller = request.principal or Caller("Anonymous")
    everyone = [(entry.type, entry.value.text, named(entry)) for entry in principals.entries]
    listed = [who for type_, text, who in everyone if _is_listed(type_, text, who, caller, request)]
    return not _exempt([who for *_, who in everyone], listed, caller, request) if principals.negated else bool(listed)


def _is_listed(type_: str, text: str, who: Named, caller: Caller, request: Request) -> bool:
    if who.kind == "everyone":
        return True
    if who.kind == "unclear":
        return request.choices.get(f'"{type_}": "{text}" covers the caller', False)
    if type_ != caller.type:
        return False
    if who.kind == "account":
        return _in_account(who, caller)
    if who.kind == "session":
        return _is_session(who, caller)
    return matches(wildcards(who.name), caller.name) and (caller.session is None or who.kind == "role")


def _in_account(who: Named, caller: Caller) -> bool:
    parts = caller.name.split(":")
    return caller.type == "AWS" and len(parts) > 5 and matches(wildcards(who.account), parts[4])


def _is_session(who: Named, caller: Caller) -> bool:
    if caller.session is None or ":role/" not in caller.name:
        return False
    _, partition, _, _, account, role = caller.name.split(":", 5)
    return (
        matches(wildcards(who.partition), partition)
        and matches(wildcards(who.account), account)
        and matches(wildcards(who.name), f"{role.rpartition('/')[2]}/{caller.session}")
    )


def _exempt(everyone: list[Named], listed: list[Named], caller: Caller, request: Request) -> bool:
    """Whether NotPrincipal leaves the caller out: its whole chain is listed."""
    kinds = {who.kind for who in listed}
    if kinds & {"everyone", "other", "id", "unclear"}:
        return True
    finer = any(who.kind in ("user", "role", "session") and _in_account(who, caller) for who in everyone)
    chain = {"account"}
    if caller.session is not None:
        chain |= {"role", "session"}
    elif ":role/" in caller.name:
        chain.add("role")
    elif not caller.name.endswith(":root"):
        chain.add("user")
    if "account" in kinds and (not finer or chain <= kinds):
        return True
    return bool(kinds) and request.choices.get(PARTIAL_CHAIN_EXEMPT.name, False)
