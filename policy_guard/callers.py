"""Principal and NotPrincipal as sets of callers, each caller spelled as one text.

The text is the type, a blank, and the name: `AWS arn:aws:iam::123456789012:role/ci`, for the session of a role
another blank and the session's name, and `Anonymous` alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from policy_guard.automaton import ANYTHING, Glob, Step, glob_of
from policy_guard.condition import glob
from policy_guard.formula import FALSE, TRUE, Formula, choice, conjunction, disjunction, member, negation
from policy_guard.policy import Caller, Principal, Principals
from policy_guard.principals import Named, named, wildcards
from policy_guard.readings import PARTIAL_CHAIN_EXEMPT
from policy_guard.strings import Language

_APART = frozenset(": ")
_WORD: Glob = (Step(_APART, outside=True), Step(_APART, outside=True, loop=True))
_NAME: Glob = (Step(frozenset(" "), outside=True), Step(frozenset(" "), outside=True, loop=True))


def _join(*parts: str | Glob) -> Glob:
    steps: list[Step] = []
    for part in parts:
        steps += glob_of(part) if isinstance(part, str) else part
    return tuple(steps)


def _text(text: str) -> Glob:
    return glob(wildcards(text), within=": ")


_ROOTS = (_join("AWS arn:", _WORD, ":iam::", _WORD, ":root"),)
_ROLES = (_join("AWS arn:", _WORD, ":iam::", _WORD, ":role/", _WORD),)
_SESSIONS = tuple(_join(role, " ", _WORD) for role in _ROLES)
CALLERS = Language(
    [
        *_ROOTS,
        _join("AWS arn:", _WORD, ":iam::", _WORD, ":user/", _WORD),
        *_ROLES,
        *_SESSIONS,
        _join("AWS arn:", _WORD, ":sts::", _WORD, ":federated-user/", _WORD),
        _join("AWS ", _WORD),
        _join("Service ", _NAME),
        _join("Federated ", _NAME),
        _join("CanonicalUser ", _NAME),
        glob_of("Anonymous"),
    ]
)


def caller(text: str) -> Caller:
    """The caller that is spelled so."""
    kind, _, rest = text.partition(" ")
    name, blank, session = rest.partition(" ")
    return Caller(kind, name, session if blank else None)


def principal_matches(principals: Principals) -> Formula:
    """The callers to which a Principal or NotPrincipal element applies."""
    everyone = [(entry, named(entry)) for entry in principals.entries]
    return negation(_exempt(everyone)) if principals.negated else disjunction(_listed(*each) for each in everyone)


def _listed(entry: Principal, who: Named) -> Formula:
    if who.kind == "everyone":
        return TRUE
    if who.kind == "unclear":
        return choice("unsupported", f'"{entry.type}": "{entry.value.text}" covers the caller')
    return member("principal", Language(_globs(entry.type, who)))


def _globs(type_: str, who: Named) -> Iterable[Glob]:
    if who.kind == "account":
        return [_account(who)]
    if who.kind == "role":
        return [_join("AWS ", _text(who.name)), _join("AWS ", _text(who.name), " ", _WORD)]
    if who.kind == "session":
        role, _, session = who.name.rpartition("/")
        head = _join("AWS arn:", _text(who.partition), ":iam::", _text(who.account), ":role/")
        tail = _join(_text(role), " ", _text(session))
        return [_join(head, tail), _join(head, _WORD, "/", tail)]
    return [_join(f"{type_} ", glob(wildcards(who.name), within=" "))]


def _account(who: Named) -> Glob:
    return _join("AWS arn:", _WORD, ":", _WORD, "::", _text(who.account), ":", (ANYTHING,))


def _exempt(everyone: list[tuple[Principal, Named]]) -> Formula:
    """The callers that NotPrincipal leaves out: those whose whole chain is listed."""
    one_by_one = [each for each in everyone if each[1].kind in ("everyone", "other", "id", "unclear")]
    finer = [who for _, who in everyone if who.kind in ("user", "role", "session")]
    account = _any(everyone, "account")
    user, role, session = (_any(everyone, kind) for kind in ("user", "role", "session"))
    elsewhere = negation(member("principal", Language(map(_account, finer))))
    whole = [
        conjunction([account, elsewhere]),
        conjunction([account, disjunction([user, member("principal", Language(_ROOTS))])]),
        conjunction([account, role, member("principal", Language(_ROLES))]),
        conjunction([account, role, session, member("principal", Language(_SESSIONS))]),
    ]
    partly = conjunction([disjunction([account, user, role, session]), choice("reading", PARTIAL_CHAIN_EXEMPT.name)])
    return disjunction([*(_listed(*each) for each in one_by_one), *whole, partly])


def _any(everyone: list[tuple[Principal, Named]], kind: str) -> Formula:
    listed = [_listed(entry, who) for entry, who in everyone if who.kind == kind]
    return disjunction(listed) if listed else FALSE
