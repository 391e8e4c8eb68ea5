"""The twins agree on random policies and requests, proofs hold on random requests, and witnesses replay."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_guard import check_no_lost_deny, check_no_new_access
from policy_guard.iam.meaning import concrete
from policy_guard.iam.policy import Request
from tests.support import edges
from tests.support.examples import examples
from tests.support.language import documents, pairs, requests
from tests.support.policies import access_allows, policy


def agree(document: dict[str, Any], asked: list[Request]) -> None:
    read = policy(document)
    for request in asked:
        assert concrete.allows(read, read.kind, request) == access_allows(read, request), request


@given(st.booleans().flatmap(documents), requests(20))
@settings(max_examples=examples(30))
def test_both_twins_give_the_same_decision(document: dict[str, Any], asked: list[Request]) -> None:
    agree(document, asked)


@pytest.mark.corpus
@given(st.booleans().flatmap(documents), requests(20))
@settings(max_examples=examples(1000))
def test_both_twins_give_the_same_decision_on_many_policies(document: dict[str, Any], asked: list[Request]) -> None:
    agree(document, asked)


def is_decided_rightly(pair: tuple[dict[str, Any], dict[str, Any]], asked: list[Request]) -> None:
    """Decides a pair; no request contradicts a proof."""
    new, old = map(policy, pair)
    result = check_no_new_access(*pair)
    assert result.result in ("PASS", "FAIL") or "too hard" in result.message
    if result.result == "PASS":
        assert not any(concrete.allows(new, new.kind, r) and not concrete.allows(old, old.kind, r) for r in asked)
    if check_no_lost_deny(*pair).result == "PASS":
        assert not any(concrete.denied(old, r) and not concrete.denied(new, r) for r in asked)


@given(pairs(), requests(20))
@settings(max_examples=examples(15), deadline=None, derandomize=True)
def test_a_random_pair_is_decided_and_no_request_contradicts_a_proof(
    pair: tuple[dict[str, Any], dict[str, Any]], asked: list[Request]
) -> None:
    """The same pairs every time, because some take long; those of the night are others."""
    is_decided_rightly(pair, asked)


@pytest.mark.corpus
@given(pairs(), requests(20))
@settings(max_examples=examples(300), deadline=None)
def test_many_random_pairs_are_decided_and_no_request_contradicts_a_proof(
    pair: tuple[dict[str, Any], dict[str, Any]], asked: list[Request]
) -> None:
    is_decided_rightly(pair, asked)


@given(st.booleans().flatmap(documents))
@settings(max_examples=examples(30))
def test_every_policy_passes_against_itself(document: dict[str, Any]) -> None:
    assert check_no_new_access(document, document).result == "PASS"
    assert check_no_lost_deny(document, document).result == "PASS"


@st.composite
def _narrowed(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A policy and one that is likely to allow less: a statement gone, a Deny or a condition more."""
    old = draw(st.booleans().flatmap(documents))
    new = copy.deepcopy(old)
    for statement in new["Statement"]:
        if statement["Effect"] == "Allow" and draw(st.booleans()):
            statement.setdefault("Condition", {}).setdefault("StringEquals", {})["custom:two"] = draw(
                st.sampled_from(["a", "${aws:username}", "${h}"])
            )
    if len(new["Statement"]) > 1 and draw(st.booleans()):
        new["Statement"] = [s for s in new["Statement"] if s["Effect"] == "Deny"] + new["Statement"][:1]
    return new, old


@given(_narrowed(), st.integers(0, 1000))
@settings(max_examples=examples(15), deadline=None)
def test_hundreds_of_requests_at_the_edges_contradict_no_proof(
    pair: tuple[dict[str, Any], dict[str, Any]], seed: int
) -> None:
    new, old = map(policy, pair)
    if check_no_new_access(*pair).result == "PASS":
        for asked in edges.requests([new, old], 300, seed):
            assert not concrete.allows(new, new.kind, asked) or concrete.allows(old, old.kind, asked)
