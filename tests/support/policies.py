"""Policies and requests from plain data, for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.formats import read
from policy_guard.documents.source import Source
from policy_guard.iam.meaning.concrete_caller_keys import context_of
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.parse import parse
from policy_guard.iam.policy import Caller, Policy, Request
from policy_guard.iam.principal import NO_ACCOUNT, PRINCIPAL_TYPES
from policy_guard.solver.formula import And, Choice, Formula, Literal, Member
from policy_guard.solver.strings.automaton import Caseless, Letter, Verbatim
from policy_guard.solver.strings.language import Language, Slot
from policy_guard.solver.strings.pattern import Unknown, Variable, folded
from policy_guard.solver.strings.placeholders import substituted


def policy(document: Mapping[str, Any] | str, kind: str | None = None) -> Policy:
    text = document if isinstance(document, str) else json.dumps(document, indent=2)
    source = Source("policy.json", text)
    return parse(PolicyDocument("", read(source)[0], source), kind)


def request(row: Mapping[str, Any]) -> Request:
    caller = row.get("principal")
    return Request(
        Caller(**caller) if caller else None,
        row["action"],
        row["resource"],
        {key: tuple(values) for key, values in row.get("context", {}).items()},
        row.get("unknowns", {}),
        row.get("choices", {}),
    )


def spelled(caller: Caller | None) -> str:
    if caller is None or caller.type == "Anonymous":
        return "Anonymous"
    return f"{caller.type} {caller.name}" + (f":{caller.session}" if caller.session is not None else "")


def inside(formula: Formula, asked: Request) -> bool:
    """Whether the request is in the set, its values laid into the slots in their order."""
    if not isinstance(formula, Literal):
        combine = all if isinstance(formula, And) else any
        return combine(inside(part, asked) for part in formula.parts)
    return _atom(formula, asked) == formula.positive


def _atom(literal: Literal, asked: Request) -> bool:
    atom = literal.atom
    if isinstance(atom, Choice):
        return asked.choices.get(atom.name, False)
    if not isinstance(atom, Member):
        return _value(atom.slot, asked) is not None
    texts = {"action": folded(asked.action), "resource": asked.resource, "principal": spelled(asked.principal)}
    texts |= {f"={text}": text for text in ("true", "false", NO_ACCOUNT, *PRINCIPAL_TYPES.values())}
    text = _value(atom.variable, asked) if isinstance(atom.variable, Slot) else texts[atom.variable]
    return text is not None and text in _resolved(atom.language, asked)


def _value(slot: Slot, asked: Request) -> str | None:
    values = asked.context.get(slot.key, ())
    return values[slot.index] if slot.index < len(values) else None


def _resolved(language: Language, asked: Request) -> Language:
    values: dict[Letter, str] = {}
    for letter in language.letters:
        stem = letter.of if isinstance(letter, Caseless) else letter
        if isinstance(stem, Variable):
            given = asked.context.get(stem.key)
            if given:
                values[letter] = given[0]
        else:
            assert isinstance(stem, Verbatim | Unknown)
            values[letter] = asked.unknowns.get(stem.name, "")
    return substituted(language, values)


def access_allows(document: Policy, asked: Request) -> bool:
    access = Access([document], with_principals=asked.principal is not None)
    asked = asked._replace(context=context_of(asked))
    return inside(access.allows(document, document.kind), asked)
