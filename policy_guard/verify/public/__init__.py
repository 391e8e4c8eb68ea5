"""What public access is, as a set of requests: those of strangers that carry no value which the policy fixes.

A stranger is nobody at all, someone of an account that the statement does not name, or a user of an identity provider
that everyone may use. Services are none. Whether a statement lets only fixed values in is asked of each by itself: a
value that another one mentions makes nothing less public. Sources: S3 User Guide, access-control-block-public-access,
"The meaning of public"; IAM User Guide, access-analyzer-custom-policy-checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.interpretations import ID_NAMES_THE_CALLER, PROVIDER_MADE_THE_SESSION
from policy_guard.iam.meaning.matching import matches, resolve
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.meaning.symbolic_principal import SESSIONS
from policy_guard.iam.policy import Caller, Condition, Policy, Principal, Request, Statement, Value
from policy_guard.iam.principal import PrincipalRef, by_text, has_wildcards, is_id, is_provider, principal_ref
from policy_guard.records import NamedTuple
from policy_guard.solver.formula import Formula, choice, conjunction, disjunction, member, negation
from policy_guard.solver.strings.automaton import Glob, glob_of
from policy_guard.solver.strings.glob import glob
from policy_guard.solver.strings.language import Deferred, Language
from policy_guard.solver.strings.number_ranges import DIGIT
from policy_guard.solver.strings.pattern import (
    STAR,
    Pattern,
    Wildcard,
    as_text,
    holes,
    in_arn_parts,
    plain_pattern,
    spelled_out,
)
from policy_guard.verify.public.fixed_values import (
    ACCESS_POINTS,
    KEYS,
    addresses,
    confining_conditions,
    facts,
    only_pseudo,
    verbatim,
)
from policy_guard.verify.public.identity_providers import OTHER_CLAIMS, SHARED, arns, is_provider_of

_SAML = ":saml-provider/"
_WORD = Wildcard("*", stays=True)
_ARN, _SERVICE, _REST = (glob(Pattern(parts)) for parts in (("AWS arn:",), (":", _WORD, "::"), (":", STAR)))
_ANY_PARTITION = glob(Pattern((_WORD,)))
_ACCESS_POINT = in_arn_parts(plain_pattern("arn:*:s3*:*:*:accesspoint/*"))


class Fence(NamedTuple):
    """Everything that keeps outside callers out, for the requests to which the statement `premise` applies, or for all.

    A request is inside if one of the conditions holds, if it is made by one of the `entries`, or by a user of the
    provider that one of the `claims` is about, which holds. Its users are also the sessions that one of the
    `providers` made.
    """

    premise: Statement | None
    conditions: tuple[Condition, ...]
    entries: tuple[Principal, ...]
    claims: tuple[Condition, ...]
    providers: tuple[Principal, ...] = ()


def common_fences(policy: Policy) -> tuple[Fence, ...]:
    """Return the fences around all grants of the policy: facts about outside callers, and exceptions of its Denies."""
    providers = tuple(dict.fromkeys(entry for each in policy.statements for entry in _providers(each)))
    deny_fences = (_fence(each)._replace(providers=providers) for each in policy.statements if each.effect == "Deny")
    exception_fences = (each for each in deny_fences if each.conditions or each.entries or each.claims)
    return Fence(None, facts(policy.statements), (), ()), *exception_fences


def own_fence(policy: Policy, statement: Statement) -> Fence:
    """Return the fence around the grants of this Allow: its own conditions, and the principals that it names."""
    allow_statements = (each for each in policy.statements if each.effect == "Allow" and _names_strangers(each))
    return _fence(statement, addresses(allow_statements))._replace(premise=None, providers=tuple(_providers(statement)))


def _providers(statement: Statement) -> Iterator[Principal]:
    entries = statement.principals.entries if statement.principals else ()
    return (entry for entry in entries if is_provider(entry.type))


def fence_statements(policy: Policy) -> Iterator[Statement]:
    """Statements with the conditions of all fences, which an `Access` has to know besides those of the policy."""
    fences = (own_fence(policy, statement) for statement in policy.statements if statement.effect == "Allow")
    for fence in (*common_fences(policy), *fences):
        for statement in policy.statements[:1]:
            yield replace(statement, conditions=(*fence.conditions, *fence.claims))


def may_be_public(policy: Policy) -> bool:
    """A quick look: False is a proof that no Allow names strangers."""
    return any(_names_strangers(statement) for statement in policy.statements if statement.effect == "Allow")


def _names_strangers(statement: Statement) -> bool:
    return any(map(_is_open, statement.principals.entries if statement.principals else ()))


def _is_open(entry: Principal) -> bool:
    principal = principal_ref(entry)
    if entry.type in ("Service", "CanonicalUser") or principal.kind == "id":
        return entry.type != "Service" and has_wildcards(principal)
    if entry.type == "Federated":
        return any(_may_be(entry, host) for host in SHARED)
    return (
        principal.kind in ("everyone", "open") or _has_wildcard(principal.account) or not only_pseudo(principal.account)
    )


def _has_wildcard(pattern: Pattern) -> bool:
    return any(isinstance(part, Wildcard) for part in pattern.parts)


def _fence(statement: Statement, other_addresses: tuple[Value, ...] = ()) -> Fence:
    """Return the values that the statement fixes and the principals it names; the premise is what is left of it."""
    pairs = list(confining_conditions(statement, _keys(), other_addresses))
    conditions = [condition for condition, _ in pairs]
    principals = statement.principals
    names = principals and (statement.effect == "Allow" or principals.negated)
    remaining_conditions = tuple(each for each in statement.conditions if each not in conditions)
    premise = replace(statement, conditions=remaining_conditions, principals=None if names else principals)
    entries = tuple(entry for entry in principals.entries if _fixes(entry)) if principals and names else ()
    fixed_conditions = tuple(condition for _, condition in pairs if condition.key in KEYS)
    return Fence(
        premise, fixed_conditions, entries, tuple(condition for _, condition in pairs if condition.key not in KEYS)
    )


@cache
def _keys() -> dict[str, str]:
    claims = {f"{host}:{claim}": head for host, heads in SHARED.items() for claim, head in heads.items()}
    return {**KEYS, **claims, **dict.fromkeys(OTHER_CLAIMS, "")}


def _host(claim: Condition) -> str:
    return OTHER_CLAIMS.get(claim.key) or claim.key.rpartition(":")[0]


def _fixes(entry: Principal) -> bool:
    """Tell whether the entry names someone, of whatever account: an account, user or role, or the id of one.

    So does a provider of identities that is not open to everyone, with the sessions that it made.
    """
    principal = principal_ref(entry)
    if is_provider(entry.type):
        return not _is_open(entry)
    if is_id(entry.type, principal):
        return not has_wildcards(principal)
    return principal.kind == "open" or (bool(principal.account.parts) and not _has_wildcard(principal.account))


def public(access: Access, fences: Iterable[Fence]) -> Formula:
    """The requests of strangers that are outside of every fence."""
    return conjunction([member("principal", _strangers()), *(_exterior(access, fence) for fence in fences)])


def is_public(fences: Iterable[Fence], request: Request) -> bool:
    """Tell whether the request comes from an outside caller and is outside every fence."""
    caller = request.principal or Caller("Anonymous")
    return _is_stranger(caller) and all(_is_outside(fence, caller, request) for fence in fences)


def _exterior(access: Access, fence: Fence) -> Formula:
    parts = [_fails_condition(access, condition) for condition in fence.conditions]
    parts += [negation(_entry_callers(entry)) for entry in fence.entries]
    parts += [
        disjunction([negation(_host_callers(_host(claim), fence)), negation(access.condition_holds(claim))])
        for claim in fence.claims
    ]
    if fence.premise is None:
        return conjunction(parts)
    return disjunction([negation(access.applies(fence.premise)), conjunction(parts)])


def _is_outside(fence: Fence, caller: Caller, request: Request) -> bool:
    if fence.premise is not None and not concrete.applies(fence.premise, request):
        return True
    return (
        not any(_meets_condition(condition, request) for condition in fence.conditions)
        and not any(_is_entry_caller(entry, caller, request) for entry in fence.entries)
        and not any(
            _is_host_caller(_host(claim), fence, caller, request) and concrete.condition_holds(claim, request)
            for claim in fence.claims
        )
    )


def _host_callers(host: str, fence: Fence) -> Formula:
    """The users that the provider vouches for, and the sessions that one of the entries says it made."""
    provider_readings = (_naming(entry) for entry in fence.providers if _may_be(entry, host))
    sessions = conjunction([member("principal", Language([SESSIONS])), disjunction(provider_readings)])
    return disjunction([member("principal", _users(host)), sessions])


def _is_host_caller(host: str, fence: Fence, caller: Caller, request: Request) -> bool:
    provider_readings = (_is_named(entry, request) for entry in fence.providers if _may_be(entry, host))
    return _is_user(caller, host) or (caller.type == "AWS" and ":role/" in caller.name and any(provider_readings))


def _may_be(entry: Principal, host: str) -> bool:
    """Tell whether the entry is the provider, or may be because of an unknown part or a wildcard."""
    pattern = entry.value.pattern
    if holes(pattern) or _has_wildcard(pattern):
        return not any(_SAML in part for part in pattern.parts if isinstance(part, str))
    return is_provider_of("".join(map(as_text, pattern.parts)), host)


def _fails_condition(access: Access, condition: Condition) -> Formula:
    absent = negation(access.condition_holds(condition))
    through = member("resource", Language([glob(_ACCESS_POINT)]))
    return disjunction([absent, through]) if condition.key in ACCESS_POINTS else absent


def _meets_condition(condition: Condition, request: Request) -> bool:
    through = condition.key in ACCESS_POINTS and matches(_ACCESS_POINT, request.resource)
    return not through and concrete.condition_holds(condition, request)


@cache
def _strangers() -> Language:
    account = (DIGIT,) * 12
    return Language(
        [_account_callers(account), glob_of("Anonymous"), *(steps for host in SHARED for steps in _users(host))]
    )


def _is_stranger(caller: Caller) -> bool:
    if caller.type != "AWS":
        return caller.type == "Anonymous" or any(_is_user(caller, host) for host in SHARED)
    account = _account_of(caller)
    return account is not None and len(account) == 12 and account.isascii() and account.isdigit()


@cache
def _users(host: str) -> Language:
    """The callers that the provider vouches for."""
    return Language([glob_of(f"Federated {host}"), glob(Pattern(("Federated ", *arns(host).parts)))])


def _is_user(caller: Caller, host: str) -> bool:
    return caller.type == "Federated" and is_provider_of(caller.name, host)


def _account_of(caller: Caller) -> str | None:
    parts = caller.name.split(":")
    has_account = caller.type == "AWS" and len(parts) > 5 and parts[0] == "arn" and parts[3] == ""
    return parts[4] if has_account else None


def _reading(entry: Principal) -> str:
    """The reading in which the entry names the caller, whose ARN it does not tell."""
    name = (PROVIDER_MADE_THE_SESSION if is_provider(entry.type) else ID_NAMES_THE_CALLER).name
    return f"{name} {spelled_out(entry.value.pattern)}"


def _naming(entry: Principal) -> Formula:
    return choice("reading", _reading(entry))


def _is_named(entry: Principal, request: Request) -> bool:
    return request.choices.get(_reading(entry), False)


def _entry_callers(entry: Principal) -> Formula:
    """The callers of the account that the entry names, or whom its id names.

    Unknown parts are taken as they are: what they become names someone only if it holds no wildcard.
    """
    principal = principal_ref(entry)
    if is_id(entry.type, principal) or is_provider(entry.type):
        return _naming(entry)
    if principal.kind == "open":
        return member("principal", Language(late=[Deferred(principal.name, _text_callers)]))
    account = glob(verbatim(principal.account))
    return member(
        "principal", Language(_account_callers(account, steps) for steps in (_ANY_PARTITION, glob(principal.partition)))
    )


def _account_callers(account: Glob, partition: Glob = _ANY_PARTITION) -> Glob:
    """The callers of an account. Only its own spelling covers a partition that is not known yet."""
    return (*_ARN, *partition, *_SERVICE, *account, *_REST)


def _text_callers(text: str) -> Iterator[Glob]:
    account = by_text(text).account
    if account.parts and not _has_wildcard(account):
        yield _account_callers(glob(account))


def _is_entry_caller(entry: Principal, caller: Caller, request: Request) -> bool:
    principal = principal_ref(entry)
    if is_id(entry.type, principal) or is_provider(entry.type):
        return _is_named(entry, request)
    caller_account, account = _account_of(caller), _account_in(principal, request)
    return caller_account is not None and account is not None and matches(account, caller_account)


def _account_in(principal: PrincipalRef, request: Request) -> Pattern | None:
    """The account of whom the entry turns out to name; None if that is nobody's, or anybody's."""
    if principal.kind != "open":
        return resolve(verbatim(principal.account), {}, request.unknowns, wild=True)
    text = resolve(principal.name, {}, request.unknowns, wild=False)
    account = by_text("".join(map(as_text, text.parts))).account if text else Pattern(())
    return account if account.parts and not _has_wildcard(account) else None
