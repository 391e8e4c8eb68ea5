"""Random templates: what is proved over unknown parameters holds for every value that is filled in first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from policy_guard import check_no_new_access
from policy_guard.documents.containers.cloudformation.template import Template, read_template
from policy_guard.documents.formats import read
from policy_guard.documents.source import Object, Source
from policy_guard.iam.meaning.prover import Witness
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import MADE_UP, Request
from policy_guard.pipeline.pairing.templates import compared_policies
from policy_guard.verify.check import Question
from policy_guard.verify.checks.no_new_access import CHECK as NO_NEW_ACCESS
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import unexplained_verdicts
from tests.support.examples import examples
from tests.support.templates import VALUES, Filled, Impossible, Pieces, World, changes, literal, template

WORLDS = 12
"""How many worlds are filled in where a change passes."""


class Verdict(NamedTuple):
    """What is said over all values, with the examples for what fails."""

    result: str
    witnesses: tuple[Request, ...] = ()


def _read(pieces: Pieces) -> Template:
    source = Source("t.json", json.dumps(template(pieces)))
    (document,) = read(source)
    assert isinstance(document, Object)
    return read_template(source, document)


def _verdict(old: Pieces, new: Pieces) -> Verdict:
    comparison = compared_policies(_read(old), _read(new), ())
    if comparison.new:
        return Verdict("UNREADABLE")
    witnesses: list[Request] = []
    for before, after in comparison.pairs:
        if after is None:
            continue
        access = Access([policy for policy in (after, before) if policy])
        question = Question(kind="identity", new=after, old=before, critical=(), access=access)
        for verdict in unexplained_verdicts(NO_NEW_ACCESS, question, prover_for(question)):
            if not isinstance(verdict.answer, Witness):
                return Verdict("UNKNOWN")
            witnesses.append(verdict.answer.request)
    return Verdict("FAIL" if witnesses else "PASS", tuple(witnesses))


def _filled(pieces: Pieces, world: World) -> Any:
    """The policy of the role; raises `Impossible`."""
    return literal(Filled(pieces, world).policy())


def _plain(old: Pieces, new: Pieces, world: World, strict: bool = False) -> str | None:
    """The verdict with the values filled in first; None if there is no stack with them afterwards.

    A value that is given nowhere is the default on both sides. Where the old template did not take a value, one that
    it took has to have granted as much; if one is `strict`, there was nothing then, or whatever it took.
    """
    try:
        after = _filled(new, world)
    except Impossible:
        return None
    if after is None:
        return None
    before: list[Any] = []
    for each in _worlds_before(old, world, strict):
        try:
            before.append(_filled(old, each))
        except Impossible:
            continue
    if strict and not before:
        before = [None]
    results = [check_no_new_access(after, each, "identity").result for each in before]
    order = ["FAIL", "UNKNOWN", "PASS"] if strict else ["PASS", "UNKNOWN", "FAIL"]
    return min(results, key=order.index, default=None)


def _worlds_before(old: Pieces, world: World, strict: bool) -> list[World]:
    """The values that the old template may have had."""
    choices: list[list[str | None]] = []
    for name, value in world.items():
        parameter = old[f"Parameters.{name}"]
        allowed = parameter.get("AllowedValues", [*VALUES[name], value])
        unset = value is None and strict and "Default" not in parameter
        is_open = unset or (value is not None and value not in allowed and not strict)
        choices.append([each for each in allowed if each is not None] if is_open else [value])
    return [dict(zip(world, each, strict=True)) for each in product(*choices)]


def _worlds(old: Pieces, new: Pieces) -> list[World]:
    """All values that the new template takes for the parameters that one speaks of; the others have any."""
    text = json.dumps([{name: piece for name, piece in side.items() if "Param" not in name} for side in (old, new)])
    words = set(re.findall(r"\w+", text))
    choices: list[list[str | None]] = []
    for name, values in VALUES.items():
        parameter = new[f"Parameters.{name}"]
        unset: list[str | None] = [None] if "Default" in parameter else []
        allowed = [*unset, *(value for value in values if value in parameter.get("AllowedValues", values))]
        choices.append(allowed if name in words else allowed[:1])
    return [dict(zip(VALUES, each, strict=True)) for each in product(*choices)]


def _worlds_of(witness: Request, sides: tuple[Pieces, Pieces]) -> Iterator[World]:
    """The values that an example tells of, with any for the other parameters."""
    context = {key.removeprefix(MADE_UP): values for key, values in witness.context.items() if key.startswith(MADE_UP)}
    texts = {**{key: values[0] for key, values in context.items() if values}, **witness.unknowns}
    left = {name for name in VALUES for key in context if key.endswith(f"default {name}") and context[key] == ("true",)}
    for world in _worlds(*sides):
        filled = {name: None if name in left else texts.get(name, value) for name, value in world.items()}
        yield filled


@st.composite
def _pairs(draw: st.DrawFn, linked: bool) -> tuple[Pieces, Pieces, Random]:
    return (*draw(changes(linked)), Random(draw(st.integers(0, 2**32))))


def _fails_somewhere(old: Pieces, new: Pieces, verdict: Verdict, random: Random) -> bool:
    """Tell whether some values give a FAIL: those of an example, or any others."""
    for witness in verdict.witnesses:
        worlds = list(dict.fromkeys(map(_as_key, _worlds_of(witness, (old, new)))))
        for key in random.sample(worlds, min(len(worlds), WORLDS)):
            if _plain(old, new, dict(key), strict=True) == "FAIL":
                return True
    worlds = list(map(_as_key, _worlds(old, new)))
    random.shuffle(worlds)
    return any(_plain(old, new, dict(key), strict=True) == "FAIL" for key in worlds)


def _moves(old: Pieces, new: Pieces) -> bool:
    """Tell whether a parameter has another default and other values: then no value may be one of both sides."""
    return any(
        all(old[name].get(key) != new[name].get(key) for key in ("Default", "AllowedValues"))
        for name in (f"Parameters.{each}" for each in VALUES)
    )


def _as_key(world: World) -> tuple[tuple[str, str | None], ...]:
    return tuple(world.items())


def _passes_everywhere(old: Pieces, new: Pieces, random: Random) -> bool:
    worlds = _worlds(old, new)
    chosen = random.sample(worlds, min(len(worlds), WORLDS))
    return all(_plain(old, new, world) in (None, "PASS") for world in chosen)


@given(_pairs(linked=False))
@settings(max_examples=examples(15), deadline=None, derandomize=True)
def test_the_verdict_over_unknown_values_is_that_for_each_of_them(case: tuple[Pieces, Pieces, Random]) -> None:
    old, new, random = case
    verdict = _verdict(old, new)
    if verdict.result == "PASS":
        assert _passes_everywhere(old, new, random)
    elif verdict.result == "FAIL":
        assert _fails_somewhere(old, new, verdict, random) or _moves(old, new)


@given(_pairs(linked=True))
@settings(max_examples=examples(10), deadline=None, derandomize=True)
def test_what_passes_passes_for_values_that_decide_texts_and_conditions(case: tuple[Pieces, Pieces, Random]) -> None:
    old, new, random = case
    assert _verdict(old, new).result != "PASS" or _passes_everywhere(old, new, random)
