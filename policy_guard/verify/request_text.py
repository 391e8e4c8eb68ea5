"""An example in words: a request as the policies that it is about spell it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from weakref import WeakKeyDictionary

from policy_guard.iam import catalog
from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.concrete_caller_keys import context_of
from policy_guard.iam.meaning.matching import matches
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import MADE_UP, Request, Statement, Value, by_effect
from policy_guard.records import NamedTuple
from policy_guard.settings.critical import exceptions
from policy_guard.solver.strings.pattern import HIDDEN, visible_name
from policy_guard.verify.check import Question

_MOST_ABSENT = 2


def sentence(request: Request) -> str:
    """The request as one says it: "s3:GetObject on arn:aws:s3:::logs/x by anyone, when aws:SourceIp is 1.2.3.4"."""
    caller = f" by {request.principal}" if request.principal else ""
    context = [f"{key} is {' and '.join(values)}" for key, values in request.context.items()]
    unknowns = [f"{visible_name(name)} is {text}" for name, text in request.unknowns.items()]
    circumstances = f", when {' and '.join([*context, *unknowns])}" if context or unknowns else ""
    return f"{request.action} on {request.resource}{caller}{circumstances}"


def spell_request(request: Request, question: Question) -> Request:
    """The request with its action and condition keys as the policies, or else AWS, spell them."""
    spelled = _spellings(question)
    return request._replace(
        action=_spell_action(request.action, spelled),
        context={spelled.keys.get(k, k): texts for k, texts in request.context.items() if not k.startswith(MADE_UP)},
        unknowns={name.partition(HIDDEN)[0]: text for name, text in request.unknowns.items()},
    )


class _Spellings(NamedTuple):
    """How policies spell what is compared without regard to case.

    `actions` are by their text, `patterns` of actions by what stands before their first wildcard, each with its number.
    """

    keys: dict[str, str]
    actions: dict[str, str]
    patterns: dict[str, list[tuple[int, Value]]]


_KNOWN: WeakKeyDictionary[Access, _Spellings] = WeakKeyDictionary()


def _spellings(question: Question) -> _Spellings:
    """Return the spellings of a question, computed once for all its findings."""
    if question.access not in _KNOWN:
        _KNOWN[question.access] = _find_spellings(question)
    return _KNOWN[question.access]


def _find_spellings(question: Question) -> _Spellings:
    policies = [policy for policy in (question.new, question.old, question.reference) if policy]
    statements = [statement for policy in policies for statement in policy.statements]
    statements += exceptions(question.critical)
    keys = {key.lower(): key for statement in statements for key in _variables(statement)}
    keys |= {c.key: c.written_key for statement in reversed(statements) for c in statement.conditions}
    values = [value for statement in statements for value in statement.action.values]
    values += [value for entry in question.critical for each in entry.sets for value in each.actions]
    actions: dict[str, str] = {}
    patterns: dict[str, list[tuple[int, Value]]] = {}
    for number, value in enumerate(values):
        actions.setdefault(value.text.strip().lower(), value.text.strip())
        head = value.text.partition("*")[0].partition("?")[0]
        patterns.setdefault(head.lower(), []).append((number, value))
    return _Spellings(keys, actions, patterns)


def absent_keys(request: Request, question: Question) -> str:
    """The keys that the request lacks, and that the old version asks for where it allows the like."""
    allow_statements = by_effect(question.old)[0]
    similar_statements = [s for s in allow_statements if concrete.action_matches(s.action, request)]
    conditions = (
        c for s in similar_statements for c in s.conditions if not c.if_exists and not c.key.startswith(MADE_UP)
    )
    keys = dict.fromkeys(condition.written_key for condition in conditions)
    present = {key.lower() for key, values in context_of(request).items() if values}
    absent = [key for key in keys if key.lower() not in present]
    return f", without {' and '.join(absent)}" if 0 < len(absent) <= _MOST_ABSENT else ""


def _variables(statement: Statement) -> Iterator[str]:
    texts = [value.text for value in statement.resource.values] if statement.resource else []
    texts += [value.text for condition in statement.conditions for value in condition.values]
    for text in texts:
        yield from re.findall(r"\$\{([^{},]*:[^{},]*)", text)


def _spell_action(action: str, spellings: _Spellings) -> str:
    if action in spellings.actions:
        return spellings.actions[action]
    service, _, name = action.partition(":")
    catalog_name = next((each for each in catalog.actions(service) if each.lower() == name), None)
    if catalog_name:
        return f"{service}:{catalog_name}"
    heads = (action[:end] for end in range(1, len(action) + 1))
    for _, value in sorted(each for head in heads for each in spellings.patterns.get(head, ())):
        if matches(value.pattern, action, fold=True):
            head = value.text.partition("*")[0].partition("?")[0]
            return head + action[len(head) :]
    return action
