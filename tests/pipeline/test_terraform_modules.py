"""Random modules of Terraform: what is proved over unknown variables holds for every value that is given first."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_guard.documents.containers.terraform.folder import Folder
from policy_guard.documents.containers.terraform.units import changed_variables, differing_units, root
from policy_guard.documents.source import Source
from policy_guard.iam.meaning.prover import Witness
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.pipeline.pairing.terraform_pairs import compare_sides
from policy_guard.verify.check import Question
from policy_guard.verify.checks.no_new_access import CHECK as NO_NEW_ACCESS
from policy_guard.verify.finding import Finding
from policy_guard.verify.proving import prover_for
from policy_guard.verify.readable import unreadable_findings
from policy_guard.verify.verdicts import unexplained_verdicts
from tests.support.console import TERRAFORM, asked
from tests.support.examples import examples
from tests.support.expressions import values
from tests.support.modules import Pieces, changed, filled, module, text, texts_alone, worlds

WORLDS = 10
"""How many worlds are tried."""


def verdict(old: str, new: str) -> str:
    """What is said of two versions of a folder."""
    folders = [Folder("", {"main.tf": Source("main.tf", each)}) for each in (old, new)]
    assert not any(folder.wrong for folder in folders), (old, new)
    names = changed_variables(*folders)
    sides = differing_units(*(root(folder, lambda path: None, names) for folder in folders), files_differ=False)
    findings: list[Finding] = [each for unit in sides.new for each in unreadable_findings(unit.source, unit.problems)]
    result = compare_sides(sides, findings)
    if result.findings:
        return "UNREADABLE"
    fails = False
    for pair in result.pairs:
        if pair.new is None:
            continue
        access = Access([policy for policy in (pair.new, pair.old) if policy])
        question = Question(kind="identity", new=pair.new, old=pair.old, critical=(), access=access)
        for each in unexplained_verdicts(NO_NEW_ACCESS, question, prover_for(question)):
            if not isinstance(each.answer, Witness):
                return "UNKNOWN"
            fails = True
    return "FAIL" if fails else "PASS"


def verdicts_of_worlds(draw: Random, old: Pieces, new: Pieces, count: int) -> list[str]:
    """The verdicts with values given first, where both sides have all of them."""
    pairs = [(filled(old, world), filled(new, world)) for world in worlds(draw, count)]
    return [verdict(before, after) for before, after in pairs if before is not None and after is not None]


@given(st.integers(0, 2**32))
@settings(max_examples=examples(40), deadline=None, derandomize=True)
def test_what_passes_over_unknown_variables_passes_for_each_value(seed: int) -> None:
    draw = Random(seed)
    old = module(draw)
    new = changed(draw, old)
    if verdict(text(old), text(new)) == "PASS":
        assert set(verdicts_of_worlds(draw, old, new, WORLDS)) <= {"PASS"}, (old, new)


@pytest.mark.skipif(TERRAFORM is None, reason="there is no terraform here")
@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(n, marks=pytest.mark.corpus) for n in range(3, 60))])
def test_the_policies_of_modules_are_those_that_terraform_makes(seed: int) -> None:
    draw = Random(seed)
    made = (texts_alone(module(draw), worlds(draw, 1)[0]) for _ in range(100))
    alone = next(each for each in made if each is not None)
    assert json.loads(values(alone)["policy"]) == json.loads(asked(alone, "local.policy"))
