"""The condition keys whose values follow from who asks, as formulas: conditions on them become sets of callers.

The twin of `concrete_caller_keys`, which speaks of one request and names AWS's pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache, partial

from policy_guard.iam.meaning.symbolic_principal import (
    FEDERATED_OF_USERS,
    FEDERATED_USERS,
    ROLES,
    ROOTS,
    SESSIONS,
    USERS,
    WORD,
    join,
)
from policy_guard.iam.principal import ACCOUNT_KEY, ARN_KEY, NO_ACCOUNT, PRINCIPAL_TYPES, TAGS
from policy_guard.solver.formula import (
    FALSE,
    TRUE,
    And,
    Formula,
    Literal,
    Member,
    Present,
    conjunction,
    disjunction,
    member,
    negation,
    present,
)
from policy_guard.solver.strings.automaton import ANY, ANYTHING, Glob, Step
from policy_guard.solver.strings.language import Deferred, Language, Slot
from policy_guard.solver.strings.pattern import Variable

_WHOLE = Language([ROOTS, USERS, ROLES, FEDERATED_USERS])
_IN_SESSION = Language([SESSIONS, FEDERATED_OF_USERS])
_IDENTITIES = Language([ROOTS, USERS, ROLES, FEDERATED_USERS, FEDERATED_OF_USERS, SESSIONS])
_NOBODY = Language(texts=["Anonymous"])
_SERVICES = Language([join("Service ", (ANY, ANYTHING))])
_OF_OTHER_TYPES = (join(f"{kind} ", (ANY, ANYTHING)) for kind in ("Federated", "CanonicalUser"))
_WITHOUT_ACCOUNT = Language([*_OF_OTHER_TYPES, join("AWS ", WORD), join("Anonymous")])
_BY_TYPE = {
    "root": Language([ROOTS]),
    "user": Language([USERS]),
    "role": Language([ROLES, SESSIONS]),
    "federated-user": Language([FEDERATED_USERS, FEDERATED_OF_USERS]),
    "anonymous": _NOBODY,
}
_ARN, _ACCOUNT = ARN_KEY, ACCOUNT_KEY
_TYPE, _IS_SERVICE = "aws:principaltype", "aws:principalisawsservice"
_SERVICE_NAME, _SERVICE_NAMES = "aws:principalservicename", "aws:principalservicenameslist"
_ORGANIZATION = ("aws:principalorgid", "aws:principalorgpaths")
_HEAD: dict[str, Glob] = {_ARN: join("AWS "), _ACCOUNT: join("AWS arn:", WORD, ":", WORD, "::")}
_TAIL: dict[str, Glob] = {_ARN: (), _ACCOUNT: join(":", WORD)}


def is_implied(key: str) -> bool:
    """Tell whether something follows for the key from who asks."""
    keys = (_ARN, _ACCOUNT, _TYPE, _IS_SERVICE, _SERVICE_NAME, _SERVICE_NAMES, *_ORGANIZATION)
    return key in keys or key.startswith(TAGS)


def by_caller(formula: Formula) -> Formula:
    """The formula in which the presence and the values of these keys are those that follow from the caller."""
    if isinstance(formula, Literal):
        positive = _atom(formula.atom) if isinstance(formula.atom, Member | Present) else None
        if positive is None:
            return formula
        return positive if formula.positive else negation(positive)
    return (conjunction if isinstance(formula, And) else disjunction)(map(by_caller, formula.parts))


def _atom(atom: Member | Present) -> Formula | None:
    slot = atom.slot if isinstance(atom, Present) else atom.variable
    if not isinstance(slot, Slot) or not is_implied(slot.key):
        return None
    return _present(slot) if isinstance(atom, Present) else _member(slot, atom.language)


def _present(slot: Slot) -> Formula:
    """State that the key is there: for some callers always, for some never, and for the others who knows."""
    key, presence = slot.key, present(slot)
    if key in _ORGANIZATION or key.startswith(TAGS):
        return conjunction([presence, negation(_caller_in(_NOBODY))])
    if key in (_SERVICE_NAME, _SERVICE_NAMES):
        return conjunction([presence, _caller_in(_SERVICES)])
    signed = [_caller_in(_IDENTITIES)]
    if key == _IS_SERVICE:
        return disjunction([*signed, _caller_in(_SERVICES)])
    if key == _ARN:
        return disjunction([*signed, conjunction([presence, _caller_in(_SERVICES)])])
    return disjunction([*signed, presence, *([_caller_in(_NOBODY)] if key == _TYPE else [])])


def _member(slot: Slot, values: Language) -> Formula:
    """State that the value is one of these."""
    cases = list(_values(slot.key, values))
    other_callers = negation(disjunction(_caller_in(callers) for callers, _ in cases))
    alternatives = (conjunction([_caller_in(callers), holds]) for callers, holds in cases)
    return disjunction([*alternatives, conjunction([other_callers, member(slot, values)])])


def _values(key: str, values: Language) -> Iterable[tuple[Language, Formula]]:
    """Callers for whom the value of the key is known, and when it is one of these."""
    if key in _HEAD:
        head, tail = _HEAD[key], _TAIL[key]
        yield _WHOLE, _one_of_values(values, head, tail)
        yield _IN_SESSION, _one_of_values(values, head, (*tail, *join(":", WORD)))
        yield _WITHOUT_ACCOUNT, constant(NO_ACCOUNT, values)
    if key == _TYPE:
        yield from ((callers, constant(PRINCIPAL_TYPES[kind], values)) for kind, callers in _BY_TYPE.items())
    elif key == _IS_SERVICE:
        yield _IDENTITIES, constant("false", values)
        yield _SERVICES, constant("true", values)


def facts(variable: Variable) -> Formula:
    """State that the policy variable stands for what follows from the caller."""
    value = Language([(Step(frozenset([Variable(variable.key)])),)])
    slot = Slot(variable.key, 0)
    cases = []
    for callers, holds in _values(variable.key, value):
        text = _constant_of(holds)
        cases.append((callers, member(slot, Language(texts=[text])) if text is not None else holds))
    return conjunction(disjunction([negation(_caller_in(callers)), holds]) for callers, holds in cases)


def _constant_of(formula: Formula) -> str | None:
    """The text that the formula compares with a variable, if it is a constant."""
    atom = formula.atom if isinstance(formula, Literal) else None
    name = atom.variable if isinstance(atom, Member) else None
    return name[1:] if isinstance(name, str) and name.startswith("=") else None


def constant(text: str, values: Language) -> Formula:
    """Tell whether a text that is known here lies in the language, whose letters may not be."""
    if values.letters:
        return member(f"={text}", values)
    return TRUE if text in values else FALSE


def _caller_in(callers: Language) -> Formula:
    return member("principal", callers)


def _one_of_values(values: Language, head: Glob, tail: Glob) -> Formula:
    """State that the caller is spelled as one of the values between head and tail."""
    globs = ((*head, *glob, *tail) for glob in values)
    late = (Deferred(deferred.pattern, _enclosing_build(deferred.build, head, tail)) for deferred in values.late)
    return member("principal", Language(globs, late=late))


@lru_cache(maxsize=1_000)
def _enclosing_build(build: Callable[[str], Iterable[Glob]], head: Glob, tail: Glob) -> Callable[[str], Iterable[Glob]]:
    """Remembered, so that equal languages stay equal."""
    return partial(_built, build, head, tail)


def _built(build: Callable[[str], Iterable[Glob]], head: Glob, tail: Glob, text: str) -> Iterable[Glob]:
    return ((*head, *glob, *tail) for glob in build(text))
