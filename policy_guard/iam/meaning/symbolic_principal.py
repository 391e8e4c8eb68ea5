"""Principal and NotPrincipal as sets of callers, each caller spelled as one text.

The text is the type, a blank, and the name: `AWS arn:aws:iam::123456789012:role/ci`, for the session of a role then
a colon and the session's name, for a federated user a colon and the user whose session it is, unless that is the root
user (STS API Reference, GetFederationToken), and `Anonymous` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from functools import partial

from policy_guard.iam.meaning.interpretations import (
    ACCOUNT_EXEMPTS_ROOT_ALONE,
    BOUNDARY_UNDOES_NOT_PRINCIPAL,
    ID_NAMES_THE_CALLER,
    PARTIAL_CHAIN_EXEMPT,
    PROVIDER_MADE_THE_SESSION,
    SERVICE_HAS_ANOTHER_NAME,
    WILDCARDS_IN_PRINCIPALS_MATCH_NOBODY,
)
from policy_guard.iam.policy import Caller, Principal, Principals
from policy_guard.iam.principal import (
    ACCOUNT_KEY,
    ARN_KEY,
    FINER,
    KINDS,
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
from policy_guard.records import NamedTuple
from policy_guard.solver.formula import (
    FALSE,
    TRUE,
    Formula,
    choice,
    conjunction,
    disjunction,
    member,
    negation,
    present,
)
from policy_guard.solver.strings.automaton import ANY, ANYTHING, Glob, Step, glob_of
from policy_guard.solver.strings.glob import glob
from policy_guard.solver.strings.language import Deferred, Language, Slot
from policy_guard.solver.strings.pattern import spelled_out

_COLON = frozenset(":")
WORD: Glob = (Step(_COLON, outside=True), Step(_COLON, outside=True, loop=True))
_NAME: Glob = (ANY, ANYTHING)


def join(*parts: str | Glob) -> Glob:
    """The parts one after the other."""
    steps: list[Step] = []
    for part in parts:
        steps += glob_of(part) if isinstance(part, str) else part
    return tuple(steps)


def _arns(partition: str | Glob) -> tuple[Glob, Glob, Glob, Glob, Glob, Glob]:
    """The root users, users, roles, sessions of roles, and federated users of root users and of users."""
    head = join("AWS arn:", partition)
    role = join(head, ":iam::", WORD, ":role/", WORD)
    federated = join(head, ":sts::", WORD, ":federated-user/", WORD)
    return (
        join(head, ":iam::", WORD, ":root"),
        join(head, ":iam::", WORD, ":user/", WORD),
        role,
        join(role, ":", WORD),
        federated,
        join(federated, ":user/", WORD),
    )


ROOTS, USERS, ROLES, SESSIONS, FEDERATED_USERS, FEDERATED_OF_USERS = _arns(WORD)
_WITH_ARN = Language([join("AWS arn:", (ANYTHING,))])
_IN_SESSION = Language([SESSIONS])
_SERVICES = Language([join("Service ", _NAME)])
_UNSIGNED = Language(texts=UNSIGNED)
_BOUNDED = Language([USERS, ROLES, SESSIONS, FEDERATED_OF_USERS])
_OTHERS = (
    join("AWS ", WORD),
    join("Service ", _NAME),
    join("Federated ", _NAME),
    join("CanonicalUser ", _NAME),
    glob_of("Anonymous"),
)
_ROLE_COLONS = 6


def callers(partitions: Iterable[str] = ()) -> Language:
    """Everyone who may ask; those with an ARN only of the partitions, if there are any."""
    patterns: list[str | Glob] = [*sorted(partitions)] or [WORD]
    return Language([*(arn for partition in patterns for arn in _arns(partition)), *_OTHERS])


CALLERS = callers()


def caller(text: str) -> Caller:
    """The caller that is spelled so."""
    kind, _, name = text.partition(" ")
    parts = name.split(":", _ROLE_COLONS)
    if kind == "AWS" and len(parts) > _ROLE_COLONS:
        return Caller(kind, ":".join(parts[:-1]), parts[-1])
    return Caller(kind, name)


class _Entry(NamedTuple):
    entry: Principal
    principal: PrincipalRef
    keys: Container[str]


def principal_matches(principals: Principals, keys: Container[str] = ()) -> Formula:
    """The callers to which a Principal or NotPrincipal element applies.

    Services are also told by those of the condition `keys` that hold the account and the ARN of a caller.
    """
    entries = [_Entry(entry, principal_ref(entry), keys) for entry in principals.entries]
    return negation(_exempt(entries)) if principals.negated else _named_callers(entries, KINDS)


def _named_callers(entries: list[_Entry], kinds: tuple[str, ...]) -> Formula:
    """The callers that one of the entries names, as one of these kinds."""
    candidates = [entry for entry in entries if entry.principal.kind in kinds]
    open_ = [entry.principal.name for entry in entries if entry.principal.kind == "open"]
    late = (Deferred(name, _LISTED[kind], towards=_TOWARDS[kind]) for name in open_ for kind in kinds)
    return disjunction(
        [
            _member((entry.principal, _globs(entry.entry.type, entry.principal)) for entry in candidates),
            member("principal", Language(late=late)),
            *(_by_another_name(entry.entry, entry.principal) for entry in candidates),
            *(_acting_services(entry, kinds) for entry in entries),
        ]
    )


def _acting_services(entry: _Entry, kinds: tuple[str, ...]) -> Formula:
    """The services of the account or with the ARN that the entry names, as far as condition keys tell.

    AWS: reference_policies_condition-keys: aws:PrincipalAccount is the account to which the requesting principal
    belongs, aws:PrincipalArn its ARN. Whether services have them is not stated.
    """
    caller_keys = [
        caller_key for caller_key in _CALLER_KEYS if caller_key.key in entry.keys and caller_key.kind in kinds
    ]
    parts = []
    for key, kind, build, late in caller_keys:
        globs = [build(entry.principal)] if entry.principal.kind == kind else []
        open_ = [Deferred(entry.principal.name, late)] if entry.principal.kind == "open" else []
        parts.append(conjunction([present(Slot(key, 0)), member(Slot(key, 0), Language(globs, late=open_))]))
    return conjunction([member("principal", _SERVICES), disjunction(parts), _wildcards_match(entry.principal)])


class _CallerKey(NamedTuple):
    """What the value of a key is for those whom an entry of the kind names; `late` is the same by the entry's text."""

    key: str
    kind: str
    build: Callable[[PrincipalRef], Glob]
    late: Callable[[str], Iterable[Glob]]


def _key_globs_by_text(text: str, kind: str, build: Callable[[PrincipalRef], Glob]) -> Iterable[Glob]:
    principal = by_text(text)
    return (build(principal),) if principal.kind == kind else ()


def _caller_key(key: str, kind: str, build: Callable[[PrincipalRef], Glob]) -> _CallerKey:
    return _CallerKey(key, kind, build, partial(_key_globs_by_text, kind=kind, build=build))


def _of_account(principal: PrincipalRef) -> Glob:
    return join("arn:", WORD, ":", WORD, "::", glob(principal.account), ":", (ANYTHING,))


_CALLER_KEYS = (
    _caller_key(ACCOUNT_KEY, "account", lambda principal: glob(principal.account)),
    _caller_key(ARN_KEY, "account", _of_account),
    *(_caller_key(ARN_KEY, kind, lambda principal: glob(principal.name)) for kind in OF_ARN),
)


def _by_another_name(entry: Principal, principal: PrincipalRef) -> Formula:
    """The callers that the entry may mean without their ARN, or a service by another of its names."""
    type_, head = entry.type, beginning(entry)
    if head is not None:
        reading, callers = SERVICE_HAS_ANOTHER_NAME, member("principal", Language([join("Service ", head, _NAME)]))
    elif is_id(type_, principal):
        reading, callers = ID_NAMES_THE_CALLER, member("principal", _WITH_ARN)
    elif is_provider(type_):
        signed = negation(member("action", _UNSIGNED))
        reading, callers = PROVIDER_MADE_THE_SESSION, conjunction([member("principal", _IN_SESSION), signed])
    else:
        return FALSE
    return conjunction(
        [choice("reading", f"{reading.name} {spelled_out(principal.name)}"), callers, _wildcards_match(principal)]
    )


def _wildcards_match(principal: PrincipalRef) -> Formula:
    """State that wildcards in the name stand for other characters, if there are any."""
    literally = choice("reading", WILDCARDS_IN_PRINCIPALS_MATCH_NOBODY.name)
    return negation(literally) if has_wildcards(principal) else TRUE


def _member(sets: Iterable[tuple[PrincipalRef, Iterable[Glob]]]) -> Formula:
    """State that the caller is in one of the sets; in those with wildcards only if they stand for other characters."""
    plain: list[Glob] = []
    wild: list[Glob] = []
    for principal, globs in sets:
        (wild if has_wildcards(principal) else plain).extend(globs)
    wildcards_match = negation(choice("reading", WILDCARDS_IN_PRINCIPALS_MATCH_NOBODY.name))
    matching = (member("principal", Language(globs)) for globs in (plain, wild))
    return disjunction([next(matching), conjunction([next(matching), wildcards_match])])


def _globs(type_: str, principal: PrincipalRef) -> Iterable[Glob]:
    if principal.kind == "everyone":
        return [(ANYTHING,)]
    if principal.kind == "account":
        partition = WORD if in_any_partition(principal) else glob(principal.partition)
        return [_account(principal, partition)]
    if principal.kind == "role":
        return [join("AWS ", glob(principal.name)), join("AWS ", glob(principal.name), ":", WORD)]
    if principal.kind == "user":
        return [join("AWS ", glob(principal.name)), _federated(principal)]
    if principal.kind == "session":
        head = join("AWS arn:", glob(principal.partition), ":iam::", glob(principal.account), ":role/")
        tail = join(glob(principal.name), ":", glob(principal.session))
        return [join(head, tail), join(head, WORD, "/", tail)]
    return [join(f"{type_} ", glob(principal.name))] if principal.kind != "nobody" else []


def _federated(principal: PrincipalRef) -> Glob:
    """The federated sessions of a user, or those of users that have the name of a federated user.

    AWS: IAM User Guide, access_policies, "Session policies": what a resource policy grants to the user, they have.
    """
    if not principal.session.parts:
        return join("AWS ", glob(principal.name), ":user/", WORD)
    head = join("AWS arn:", glob(principal.partition), ":sts::", glob(principal.account), ":federated-user/")
    return join(head, WORD, ":", glob(principal.session))


def _account(principal: PrincipalRef, partition: Glob = WORD) -> Glob:
    return join("AWS arn:", partition, ":", WORD, "::", glob(principal.account), ":", (ANYTHING,))


def _globs_by_text(text: str, kind: str) -> Iterable[Glob]:
    principal = by_text(text)
    return _globs("AWS", principal) if principal.kind == kind else ()


def _towards(text: str, kind: str) -> str:
    """An entry that is likely to name the caller."""
    return "*" if kind == "everyone" else text.removeprefix("AWS ")


def _account_globs_by_text(text: str) -> Iterable[Glob]:
    principal = by_text(text)
    return (_account(principal),) if principal.kind in FINER else ()


# Made once: late patterns are the same only if what they are built by is.
_LISTED: dict[str, Callable[[str], Iterable[Glob]]] = {kind: partial(_globs_by_text, kind=kind) for kind in KINDS}
_TOWARDS: dict[str, Callable[[str], str]] = {kind: partial(_towards, kind=kind) for kind in KINDS}


def _exempt(entries: list[_Entry]) -> Formula:
    """The callers that NotPrincipal leaves out: those whose whole chain is listed."""
    finer = _member(
        (entry.principal, [_account(entry.principal)]) for entry in entries if entry.principal.kind in FINER
    )
    open_ = Language(
        late=(
            Deferred(entry.principal.name, _account_globs_by_text)
            for entry in entries
            if entry.principal.kind == "open"
        )
    )
    root_alone = choice("reading", ACCOUNT_EXEMPTS_ROOT_ALONE.name)
    no_finer_entry = negation(disjunction([finer, member("principal", open_), root_alone]))
    account, user, role, session = (_named_callers(entries, (kind,)) for kind in ("account", *FINER))
    of_itself = negation(member("principal", Language([FEDERATED_OF_USERS])))
    full_chains = [
        _named_callers(entries, ("everyone", "id", "other")),
        conjunction([account, no_finer_entry]),
        conjunction([account, disjunction([conjunction([user, of_itself]), member("principal", Language([ROOTS]))])]),
        conjunction([account, role, member("principal", Language([ROLES]))]),
        conjunction([account, role, session, member("principal", Language([SESSIONS]))]),
    ]
    partial_chains = conjunction(
        [disjunction([account, user, role, session]), choice("reading", PARTIAL_CHAIN_EXEMPT.name)]
    )
    with_boundary = conjunction([member("principal", _BOUNDED), choice("reading", BOUNDARY_UNDOES_NOT_PRINCIPAL.name)])
    return conjunction([disjunction([*full_chains, partial_chains]), negation(with_boundary)])
