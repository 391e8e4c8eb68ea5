"""The critical list: an entry that would protect nothing is refused or reported."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_guard.documents.errors import SetupError
from policy_guard.documents.source import Source
from policy_guard.iam import catalog
from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.prover import Answer, Proved, Undecided, Unsupported, Witness
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Policy, Request, by_effect
from policy_guard.settings.critical import (
    CriticalList,
    covered_actions,
    exceptions,
    load_critical,
    unknown_actions,
)
from policy_guard.settings.surely_valid import surely_valid
from policy_guard.solver.formula import TRUE
from policy_guard.verify.check import Claim, Combination, Part, Question
from policy_guard.verify.checks import check
from policy_guard.verify.combinations import decide as is_empty
from policy_guard.verify.combinations import find_grants
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import verdicts
from tests.support.examples import examples
from tests.support.language import documents, requests
from tests.support.policies import inside, policy
from tests.support.repository import Answer as Run
from tests.support.repository import Scratch, allow, deny, document
from tests.support.schemas import RULES, valid


def critical(*entries: str) -> CriticalList:
    lines = "".join(f"  - {{reason: r, {entry}}}\n" for entry in entries)
    return load_critical(Source("c.yaml", f"version: 1\npermissions:\n{lines}"))


@pytest.mark.parametrize(
    ("entry", "place", "words"),
    [
        ("id: a", "3:5", "at least one of actions, resources, all-of"),
        ("id: A, actions: [s3:Get*]", "3:21", "id"),
        ("id: a, actions: []", "3:33", "this may not be empty"),
        ("id: a, actions: [DeleteBucket]", "3:34", "not of the expected form"),
        ('id: a, actions: ["s3:Get*\\n"]', "3:34", "cannot be seen"),
        ('id: a, actions: ["s3:*"], severity: off', "3:53", "error, warning, note"),
        ("id: a, resources: [my-bucket]", "3:36", "covers no ARN"),
        ('id: a, resources: ["arn:aws:s3"]', "3:36", "covers no ARN"),
        ('id: a, resources: ["${x}"]', "3:36", "not of the expected form"),
        ('id: a, resources: ["arn:aws:s3:::%{x}"]', "3:36", "template part"),
        ('id: a, actions: ["s3:*"], files: ["iam/"]', "3:51", "write folder/**"),
        ('id: a, actions: ["s3:*"], unless: {}', "3:51", "this may not be empty"),
        ('id: a, actions: ["s3:*"], unless: []', "3:51", "this may not be empty"),
        ('id: a, actions: ["s3:*"], unless: [{}]', "3:52", "this may not be empty"),
        ('id: a, actions: ["s3:*"], unless: {Bool: {}}', "3:51", "holds for every request"),
        ('id: a, actions: ["s3:*"], unless: mfa', "3:51", "expected a mapping"),
        ('id: a, actions: ["s3:*"], unless: {Bol: {"aws:SecureTransport": "true"}}', "3:52", 'did you mean "Bool"?'),
        ('id: a, actions: ["s3:*"], unless: {Bool: {"aws:SecureTransport": "yes"}}', "3:82", "not a valid truth value"),
        ('id: a, actions: ["s3:*"], unless: {StringLike: {"aws:PrincipalTag/${x}": "b"}}', "3:90", "in the condition"),
        ('id: a, actions: ["s3:*"], unless: {StringLike: {"aws:SourceVpc": "${vpc}"}}', "3:82", "is not filled in"),
        (
            'id: a, actions: ["s3:*"], unless: {StringLike: {"aws:SourceVpc": "${aws:TagKeys}"}}',
            "3:82",
            "several values",
        ),
        ('id: a, actions: ["s3:*"], principals: {}', "3:55", "this may not be empty"),
        ('id: a, actions: ["s3:*"], principals: [x]', "3:55", "expected a text"),
        ('id: a, actions: ["s3:*"], principals: {Aws: "1"}', "3:56", 'did you mean "AWS"?'),
        ('id: a, actions: ["s3:*"], principals: {AWS: bob}', "3:61", "is not a principal"),
        ('id: a, resources: ["arn::s3:::b/*"]', "3:36", "its partition is not an AWS partition"),
        ('id: a, resources: ["arn:s3:::b/*"]', "3:36", "its partition is not an AWS partition"),
        ('id: a, actions: ["s3:*"], principals: {AWS: []}', "3:61", "is an empty list"),
        ('id: a, actions: ["s3:*"], principals: {AWS: "arn:aws:iam::${id}:root"}', "3:61", "is not filled in"),
        ('id: a, actions: ["s3:*"], source: "http://x"', "3:51", "not of the expected form"),
        ('id: a, actions: ["s3:*"], kinds: [idenity]', "3:51", 'not "idenity"; did you mean "identity"?'),
        ('id: a, actions: ["s3:*"], kinds: [Trust]', "3:51", 'did you mean "trust"?'),
        ('id: a, actions: ["s3:*"], kinds: [scp]', "3:51", "expected one of identity, resource, trust, boundary"),
        ('id: a, actions: ["s3:*"], kinds: []', "3:50", "this may not be empty"),
        ('id: a, actions: ["s3:*"], kinds: trust', "3:50", "expected a list"),
        ('id: a, all-of: [{actions: ["s3:*"]}]', "3:32", "expected at least 2"),
        ('id: a, all-of: [{actions: ["s3:*"]}, {}]', "3:54", "at least one of actions, resources"),
        ('id: a, all-of: [{actions: ["s3:*"]}, {actions: [s3]}]', "3:65", "not of the expected form"),
        ('id: a, all-of: [{actions: ["s3:*"]}, {resources: [b]}]', "3:67", "covers no ARN"),
        ('id: a, all-of: [{actions: ["s3:*"]}, {actions: ["a:*"], files: [a]}]', "3:73", 'unknown key "files"'),
        (
            'id: a, all-of: [{actions: ["s3:*"]}, {actions: ["a:*"]}], except: ["s3:*"]',
            "3:83",
            "stands in place of except",
        ),
    ],
)
def test_an_entry_that_cannot_hold_is_refused_at_its_place(entry: str, place: str, words: str) -> None:
    with pytest.raises(SetupError) as caught:
        critical(entry)
    assert str(caught.value).startswith(f"c.yaml:{place}: ")
    assert words in str(caught.value)


def test_a_list_without_entries_is_refused() -> None:
    with pytest.raises(SetupError, match="may not be empty"):
        load_critical(Source("c.yaml", "version: 1\npermissions: []"))


def test_ids_are_unique() -> None:
    with pytest.raises(SetupError, match=r"c\.yaml:4:21: id: \"a\" is written twice"):
        critical("id: a, actions: ['*']", "id: a, actions: ['*']")


@pytest.mark.parametrize("text", ["*", "arn:*", "*:role/Admin", "arn:aws:s3:::audit", "a*", "arn:aws:s3:::?/*"])
def test_resources_are_arns_or_patterns_of_them(text: str) -> None:
    assert critical(f'id: a, resources: ["{text}"]').entries[0].resources[0].text == text


def test_anchors_and_comments_work() -> None:
    text = "version: 1\npermissions:\n- &a {id: a, reason: r, actions: [s3:Get*]} # why\n- {<<: *a, id: b}\n"
    assert [entry.id for entry in load_critical(Source("c.yaml", text)).entries] == ["a", "b"]


def test_actions_that_aws_does_not_have_are_told_with_the_nearest() -> None:
    listed = critical('id: a, actions: ["s3:DeletBucket", "s3:Get*"], except: ["s3:GetObjekt"]')
    assert [(value.text, near) for _, value, near in unknown_actions(listed)] == [
        ("s3:DeletBucket", "s3:DeleteBucket"),
        ("s3:GetObjekt", "s3:GetObject"),
    ]


def test_what_an_entry_covers_today() -> None:
    (entry,) = critical('id: a, actions: ["S3:DELETEBUCKET*"], except: ["s3:DeleteBucketP*"]').entries
    assert "s3:DeleteBucket" in covered_actions(entry)
    assert "s3:DeleteBucketPolicy" not in covered_actions(entry)


def test_of_many_misspelt_actions_only_the_first_are_told_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(catalog, "nearest", lambda text: asked.append(text) or "s3:DeleteBucket")
    listed = critical(*(f'id: a{number}, actions: ["s3:DeletBucket"]' for number in range(50)))
    assert len(list(unknown_actions(listed))) == 50
    assert len(asked) == 5


def test_the_actions_of_all_sets_are_looked_up() -> None:
    listed = critical('id: a, all-of: [{actions: ["s3:*"]}, {actions: ["s3:Zap"], except: ["s3:Zip"]}]')
    assert [value.text for _, value, _ in unknown_actions(listed)] == ["s3:Zap", "s3:Zip"]


PLAIN = 'id: a, actions: ["s3:*"]'
ENTRIES = [
    PLAIN,
    'id: b, actions: ["s3:*"]',
    'id: a, actions: ["s3:Get*"]',
    'id: a, actions: ["s3:*"], resources: ["*"]',
    'id: a, actions: ["s3:*"], except: ["s3:Get*"]',
    'id: a, actions: ["s3:*"], severity: note',
    'id: a, actions: ["s3:*"], files: ["iam/*"]',
    'id: a, actions: ["s3:*"], principals: "*"',
    'id: a, actions: ["s3:*"], principals: {AWS: "111122223333"}',
    'id: a, actions: ["s3:*"], principals: {Service: ec2.amazonaws.com}',
    'id: a, actions: ["s3:*"], unless: {Bool: {"aws:MultiFactorAuthPresent": "true"}}',
    'id: a, actions: ["s3:*"], unless: {Bool: {"aws:MultiFactorAuthPresent": "false"}}',
    'id: a, actions: ["s3:*"], unless: {BoolIfExists: {"aws:MultiFactorAuthPresent": "true"}}',
    'id: a, actions: ["s3:*"], unless: [{StringLike: {"aws:username": a}}, {StringLike: {"aws:userid": a}}]',
    'id: a, actions: ["s3:*"], unless: {StringLike: {"aws:username": a, "aws:userid": a}}',
    'id: a, all-of: [{actions: ["s3:*"]}, {actions: ["ec2:*"]}]',
    'id: a, all-of: [{actions: ["s3:*"]}, {actions: ["ec2:*"], except: ["ec2:Get*"]}]',
    'id: a, all-of: [{actions: ["s3:*"]}, {actions: ["ec2:*"], resources: ["*"]}]',
]


def test_all_that_matters_is_in_the_meaning() -> None:
    meanings = [critical(text).entries[0].meaning() for text in ENTRIES]
    assert len(set(meanings)) == len(ENTRIES)
    assert meanings == [critical(f"{text}, source: 'https://x'").entries[0].meaning() for text in ENTRIES]


WORDS = st.sampled_from(
    ["a", "a-b", "a/b", "A", "", "s3:Get*", "*", "arn:aws:s3:::a", "https://x", "${b}", "error", "\n"]
)
ANY: st.SearchStrategy[Any] = st.recursive(
    WORDS | st.sampled_from([1, True, None]),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(WORDS, below, max_size=2),
    max_leaves=4,
)
FEW = st.lists(WORDS, max_size=2) | ANY
BLOCK = st.dictionaries(WORDS, ANY, max_size=2)
SET = {"actions": FEW, "resources": FEW, "except": FEW}
SETS = st.lists(st.fixed_dictionaries({}, optional=SET), min_size=1, max_size=3)
KINDS = st.lists(st.sampled_from(["identity", "trust", "scp", ""]), max_size=2) | ANY
MORE = {"unless": BLOCK | st.lists(BLOCK, max_size=2) | ANY, "principals": BLOCK | ANY, "all-of": SETS | ANY}
MORE |= {"severity": WORDS, "source": WORDS, "files": FEW, "kinds": KINDS, "other": ANY}
ENTRY = st.fixed_dictionaries({"id": WORDS, "reason": WORDS}, optional={**SET, **MORE})
LISTS = st.fixed_dictionaries(
    {"version": st.sampled_from([1, 1, True, 2])},
    optional={"permissions": st.lists(ENTRY, max_size=2) | ANY, "packs": FEW, "skip": FEW},
)


@given(LISTS)
@settings(max_examples=examples(50))
def test_lists_are_surely_valid_if_they_are_valid(plain: dict[str, Any]) -> None:
    assert surely_valid(plain, RULES["critical.json"]) is valid("critical.json", plain)


@pytest.mark.parametrize("text", ENTRIES)
def test_an_entry_needs_no_library(text: str) -> None:
    import yaml

    plain = yaml.safe_load(f"version: 1\npermissions:\n- {{reason: r, {text}}}\n")
    assert surely_valid(plain, RULES["critical.json"])


# The twins.

FILLED = {"h": "a", "truth": "true", "most": "5", "day": "2026-01-31", "block": "10.0.0.0/9", "secret": "QUJD"}
WHO = [
    None,
    "*",
    {"AWS": "111122223333"},
    {"AWS": "arn:aws:iam::111122223333:role/r"},
    {"Service": "ec2.amazonaws.com"},
]
ACTIONS = st.sampled_from([["s3:*"], ["s3:GetObject", "ec2:*"], ["*"]])
ON = st.sampled_from([None, ["*"], ["arn:aws:s3:::a*"], ["arn:aws:logs:*:1:*"]])


def blocks() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Condition blocks without unknown parts of templates."""

    def filled(made: dict[str, Any]) -> list[dict[str, Any]]:
        text = re.sub(r"\$\{(\w+)\}", lambda hole: FILLED[hole[1]], json.dumps(made["Statement"]))
        return [statement["Condition"] for statement in json.loads(text) if "Condition" in statement]

    return documents(False).filter(lambda made: "${verb}" not in json.dumps(made)).map(filled)


@st.composite
def entries(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {"id": "a", "reason": "r", "actions": draw(ACTIONS)}
    made |= {"resources": on} if (on := draw(ON)) else {}
    made |= {"except": ["s3:GetObject"]} if draw(st.booleans()) else {}
    made |= {"unless": given} if (given := draw(blocks())) else {}
    return made | ({"principals": who} if (who := draw(st.sampled_from(WHO))) else {})


def loaded(*entries: dict[str, Any]) -> CriticalList:
    return load_critical(Source("c.yaml", json.dumps({"version": 1, "permissions": entries})))


def question(new: Policy, listed: CriticalList, old: Policy | None = None) -> Question:
    access = Access([each for each in (new, old) if each], exceptions(listed.entries))
    return Question(new.kind, new, old, listed.entries, access)


def meant(entry: dict[str, Any]) -> Policy:
    """The requests that an entry means, as a policy that allows them."""
    who = {"Principal": entry.get("principals", "*")}
    every: dict[str, Any] = {"Principal": "*", "Action": "*", "Resource": "*"}
    statements = [{"Effect": "Allow", "Action": entry["actions"], "Resource": entry.get("resources", "*"), **who}]
    statements += [{"Effect": "Deny", **every, "Condition": block} for block in entry.get("unless", ())]
    if "except" in entry:
        statements.append({"Effect": "Deny", **every, "Action": entry["except"]})
    return policy(document(*statements), "resource")


@given(st.booleans().flatmap(documents), entries(), requests(20))
@settings(max_examples=examples(20))
def test_both_twins_say_what_a_policy_of_the_same_words_says(
    made: dict[str, Any], entry: dict[str, Any], asked: list[Request]
) -> None:
    read, wanted = policy(made), meant(entry)
    claims = list(check("access-not-granted").claims(question(read, loaded(entry))))
    for claim in claims:
        assert isinstance(claim, Claim) and claim.statement is not None
        excess = claim.excess(claim.statement)
        for request in asked:
            own = concrete.applies(claim.statement, request) and not concrete.denied(read, request)
            expected = own and concrete.allows(wanted, "resource", request)
            assert claim.holds(claim.statement, request) is expected
            assert inside(excess, request) is expected
    claimed = {id(claim.statement) for claim in claims if isinstance(claim, Claim)}
    others = [statement for statement in by_effect(read)[0] if id(statement) not in claimed]
    wide = [request for request in asked if concrete.allows(wanted, "resource", request)]
    assert not any(concrete.applies(statement, request) for statement in others for request in wide)


@given(st.booleans().flatmap(documents), entries(), requests(20))
@settings(max_examples=examples(15))
def test_no_request_contradicts_that_nothing_critical_is_granted(
    made: dict[str, Any], entry: dict[str, Any], asked: list[Request]
) -> None:
    read, wanted = policy(made), meant(entry)
    one = question(read, loaded(entry))
    prover = prover_for(one)
    claims = [claim for claim in check("access-not-granted").claims(one) if isinstance(claim, Claim)]
    if not all(isinstance(is_empty(claim, prover), Proved) for claim in claims):
        return
    granted_ = (r for r in asked if concrete.allows(read, read.kind, r))
    assert not any(concrete.allows(wanted, "resource", each) for each in granted_)


def test_a_condition_on_a_key_with_several_values_gets_as_many() -> None:
    """Fine with one tag of each: the request that is not fine needs two values that are neither."""
    unless = [{"ForAnyValue:StringEquals": {"aws:TagKeys": tag}} for tag in ("a", "b")]
    listed = loaded({"id": "a", "reason": "r", "actions": ["ec2:CreateTags"], "unless": unless})
    both = {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b", "c"]}, "Null": {"aws:TagKeys": "false"}}
    some = question(policy(document(allow("ec2:CreateTags", Condition=both))), listed)
    (verdict,) = verdicts(check("access-not-granted"), some, prover_for(some))
    assert isinstance(verdict.answer, Witness)
    assert verdict.answer.request.context == {"aws:tagkeys": ("c",)}
    fine = question(policy(document(allow("ec2:CreateTags", Condition={**both, **unless[0]}))), listed)
    assert list(verdicts(check("access-not-granted"), fine, prover_for(fine))) == []


def test_who_judges_has_to_know_of_the_conditions() -> None:
    listed = critical('id: a, actions: ["s3:*"], unless: {Bool: {"aws:MultiFactorAuthPresent": "true"}}')
    read = policy(document(allow("s3:*")))
    with pytest.raises((AssertionError, KeyError)):
        list(check("access-not-granted").claims(Question(read.kind, read, None, listed.entries, Access([read]))))


@pytest.mark.parametrize(("kind", "named"), [("identity", True), ("resource", False)])
def test_the_example_says_who_asks_where_that_matters(kind: str, named: bool) -> None:
    who = {"AWS": "arn:aws:iam::111122223333:role/ci"}
    listed = loaded(
        {"id": "a", "reason": "r", "actions": ["s3:GetObject"], "principals": who},
        {"id": "b", "reason": "r", "actions": ["s3:GetObject"]},
    )
    statement = allow("s3:GetObject") | ({"Principal": who} if kind == "resource" else {})
    one = question(policy(document(statement)), listed)
    first, second = verdicts(check("access-not-granted"), one, prover_for(one))
    assert isinstance(first.answer, Witness) and isinstance(second.answer, Witness)
    assert str(first.answer.request.principal).startswith("arn:aws:")
    assert "role/ci" in str(first.answer.request.principal) or "assumed-role/ci" in str(first.answer.request.principal)
    assert (second.answer.request.principal is None) is named


def test_of_an_identity_policy_too_the_example_names_a_caller() -> None:
    listed = critical('id: a, actions: ["s3:*"], principals: "*"')
    one = question(policy(document(allow("s3:GetObject"))), listed)
    (verdict,) = verdicts(check("access-not-granted"), one, prover_for(one))
    assert isinstance(verdict.answer, Witness)
    assert verdict.answer.request.principal is not None


# Sets that are dangerous only together.

SURE = Witness(Request(None, "s3:x", "arn:aws:s3:::x", {}))
ONLY_IF = Witness(SURE.request, (("some reading", True),))
HARD, UNCLEAR = Undecided("too much"), Unsupported(("part",))


class Told:
    """Answers the questions about the parts of a combination as it is told."""

    def __init__(self, *parts: tuple[list[Answer], list[Answer], Answer | None]) -> None:
        """For each part what the statements grant, what of that is new, and what the old version granted."""
        self.answers: dict[str, Answer] = {}
        statements = by_effect(policy(document(*(allow("s3:*") for _ in range(3)))))[0]
        made = []
        for number, (now, fresh, before) in enumerate(parts):
            granting = tuple(self._claim(statements[i], f"{number} now {i}", a) for i, a in enumerate(now))
            new = tuple(self._claim(statements[i], f"{number} fresh {i}", a) for i, a in enumerate(fresh))
            self.answers[f"{number} before"] = Proved() if before is None else before
            asked = partial(self._asked, name=f"{number} before")
            made.append(Part(granting, new, TRUE if before is not None else None, asked))
        self.combination = Combination(tuple(made))

    def _claim(self, statement: Any, name: str, answer: Answer) -> Claim:
        self.answers[name] = answer
        return Claim(statement, lambda part: TRUE, partial(self._holds, name=name))

    def _holds(self, statement: Any, request: Any, name: str) -> bool:
        return bool(request.append(name))

    def _asked(self, request: Any, name: str) -> bool:
        return bool(request.append(name))

    def answer(self, formula: Any, replay: Any) -> Answer:
        names: list[str] = []
        replay(names)
        return self.answers[names[0]]

    def shown(self) -> list[tuple[int, str, bool]]:
        """For each part the statement that it is shown by, the kind of answer, and whether all of it is old."""
        found = find_grants(self.combination, self)  # type: ignore[arg-type]
        return [(g.claim.statement.index, type(g.answer).__name__, g.claim.existing) for g in found]  # type: ignore


NO = Proved()


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ([([SURE], [SURE], None), ([NO], [NO], None)], []),
        ([([SURE], [SURE], None), ([], [], None)], []),
        ([([SURE], [SURE], None), ([SURE], [SURE], None)], [(0, "Witness", False)] * 2),
        ([([SURE], [NO], SURE), ([SURE], [NO], SURE)], [(0, "Witness", True)] * 2),
        ([([SURE], [NO], SURE), ([SURE], [SURE], NO)], [(0, "Witness", False)] * 2),
        ([([SURE], [NO], SURE), ([SURE], [SURE], SURE)], [(0, "Witness", True)] * 2),
        ([([SURE], [NO], SURE), ([SURE], [SURE], HARD)], [(0, "Witness", False)] * 2),
        ([([SURE], [NO], SURE), ([SURE], [SURE], UNCLEAR)], [(0, "Witness", False)] * 2),
        ([([SURE], [NO], SURE), ([SURE], [SURE], ONLY_IF)], [(0, "Witness", False)] * 2),
        ([([ONLY_IF], [NO], ONLY_IF), ([SURE], [NO], SURE)], [(0, "Witness", True)] * 2),
        ([([HARD], [NO], HARD), ([SURE], [NO], SURE)], [(0, "Undecided", True), (0, "Witness", True)]),
        ([([HARD], [HARD], NO), ([SURE], [NO], SURE)], [(0, "Undecided", False), (0, "Witness", False)]),
        (
            [([UNCLEAR], [UNCLEAR], None), ([NO, HARD], [NO, HARD], None)],
            [(0, "Unsupported", False), (1, "Undecided", False)],
        ),
        ([([SURE, SURE], [NO, SURE], NO), ([SURE], [NO], SURE)], [(1, "Witness", False), (0, "Witness", False)]),
        ([([HARD, SURE], [HARD, NO], NO), ([SURE], [NO], SURE)], [(1, "Witness", False), (0, "Witness", False)]),
    ],
)
def test_a_combination_is_granted_only_by_something_of_each_set(parts: Any, shown: list[tuple[int, str, bool]]) -> None:
    assert Told(*parts).shown() == shown


TOGETHER = {
    "version": 1,
    "permissions": [
        {
            "id": "pass-role-to-lambda",
            "all-of": [{"actions": ["iam:PassRole"]}, {"actions": ["lambda:CreateFunction"]}],
            "reason": "code with a role of somebody else",
            "severity": "error",
        }
    ],
}
GROUP = {"version": 1, "critical": "critical.yaml", "groups": [{"name": "app", "files": ["iam/*.json"]}]}
PASS, MAKE = allow("iam:PassRole"), allow("lambda:CreateFunction", "lambda:GetFunction")


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.write(".policy-guard.yaml", {"version": 1, "critical": "critical.yaml"})
    made.write("critical.yaml", TOGETHER)
    made.write("iam/a.json", document(allow("s3:GetObject"), PASS))
    made.write("iam/b.json", document(allow("s3:GetObject")))
    made.commit()
    return made


def critical_of(run: Run) -> list[str]:
    return [line for line in run.out.splitlines() if "[access-not-granted]" in line]


def test_two_files_of_a_group_are_dangerous_together(scratch: Scratch) -> None:
    scratch.write("iam/b.json", document(allow("s3:GetObject"), MAKE))
    assert critical_of(scratch.guard()) == []
    scratch.write("iam/b.json", document(allow("s3:GetObject")))
    scratch.commit(**{".policy-guard.yaml": GROUP})
    scratch.write("iam/b.json", document(allow("s3:GetObject"), MAKE))
    found = scratch.guard()
    message = "error: grants a critical permission, pass-role-to-lambda, together with statement 1 of"
    assert critical_of(found) == [
        f"iam/a.json:14:9: {message} iam/b.json [access-not-granted]",
        f"iam/b.json:14:9: {message} iam/a.json [access-not-granted]",
    ]
    assert "see       iam/b.json:14:9: dangerous together with" in found.out
    scratch.write("iam/c.json", document(deny("lambda:*")))
    assert critical_of(scratch.guard()) == []


def test_what_both_halves_of_which_were_there_is_a_warning(scratch: Scratch) -> None:
    scratch.commit(**{"iam/b.json": document(PASS, MAKE)})
    scratch.write("iam/b.json", document(PASS, MAKE, allow("s3:GetObject")))
    warned = [line for line in critical_of(scratch.guard()) if "iam/b.json" in line]
    assert len(warned) == 1
    assert all("warning: grants a critical permission that the old version granted too" in line for line in warned)
    assert [line for line in critical_of(scratch.guard("check", "--all")) if "error" in line] == []


def test_one_statement_with_both_halves_is_told_once(scratch: Scratch) -> None:
    scratch.write("iam/b.json", document(allow("iam:PassRole", "lambda:CreateFunction")))
    found = scratch.guard()
    (line,) = critical_of(found)
    assert "pass-role-to-lambda [access-not-granted]" in line
    assert "see       iam/b.json:8:9: dangerous together with" in found.out


# Trust: what a pull request does to its base's list.

MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
DELETE = {"id": "delete", "actions": ["s3:DeleteBucket"], "reason": "r"}


@pytest.mark.parametrize(
    "weakened",
    [
        {"permissions": [{**DELETE, "unless": MFA}]},
        {"permissions": [{**DELETE, "principals": {"AWS": "444455556666"}}]},
        {"permissions": [{**DELETE, "except": ["s3:DeleteBucket"]}]},
        {
            "permissions": [
                {"id": "delete", "reason": "r", "all-of": [{"actions": ["s3:DeleteBucket"]}, {"actions": ["ec2:*"]}]}
            ]
        },
        {"packs": ["data-exposure"]},
    ],
)
def test_a_pull_request_cannot_weaken_an_entry_of_the_base(scratch: Scratch, weakened: dict[str, Any]) -> None:
    scratch.commit(**{"critical.yaml": {"version": 1, "permissions": [DELETE]}})
    scratch.git("checkout", "-q", "-b", "feature")
    scratch.commit(**{"critical.yaml": {"version": 1, **weakened}})
    scratch.commit(**{"iam/b.json": document(allow("s3:DeleteBucket", Condition=MFA))})
    run = scratch.guard("check", "--base", "main", CI="true")
    assert run.code == 1
    assert any("grants a critical permission, delete [" in line for line in critical_of(run))


def test_a_pull_request_cannot_skip_what_the_base_takes_in(scratch: Scratch) -> None:
    packs = {"version": 1, "packs": ["data-exposure"]}
    scratch.commit(**{"critical.yaml": packs})
    scratch.git("checkout", "-q", "-b", "feature")
    changed = {"critical.yaml": {**packs, "skip": ["data-exposure/bucket-policy"]}}
    scratch.commit(**changed, **{"iam/b.json": document(allow("s3:PutBucketPolicy"))})
    run = scratch.guard("check", "--base", "main", CI="true")
    assert any("data-exposure/bucket-policy" in line for line in critical_of(run))


def test_entries_of_one_id_in_base_and_head_both_count(scratch: Scratch) -> None:
    """Also where the base's, which comes first, only warns of what was granted before."""
    scratch.commit(**{"critical.yaml": {"version": 1, "permissions": [{**DELETE, "severity": "note"}]}})
    scratch.git("checkout", "-q", "-b", "feature")
    both = {"version": 1, "permissions": [{**DELETE, "severity": "error"}]}
    scratch.commit(**{"critical.yaml": both, "iam/b.json": document(allow("s3:DeleteBucket"))})
    lines = critical_of(scratch.guard("check", "--base", "main", CI="true"))
    assert [line.split(": ")[1] for line in lines] == ["error", "note"]


def test_an_entry_is_asked_of_policies_of_its_kinds_alone(scratch: Scratch) -> None:
    entry = "  - {id: assume, actions: ['sts:AssumeRole'], kinds: [KIND], reason: r}\n"
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "sts:AssumeRole"}
    scratch.write(".policy-guard.yaml", "version: 1\ncritical: critical.yaml\n")
    scratch.write("iam/identity.json", document(allow("sts:AssumeRole")))
    scratch.write("iam/trust.json", document(trust))
    for kind, paths in {"identity": ["iam/identity.json"], "trust": ["iam/trust.json"], "endpoint": []}.items():
        scratch.write("critical.yaml", "version: 1\npermissions:\n" + entry.replace("KIND", kind))
        found = [path for check, _, path in scratch.findings("--all") if check == "access-not-granted"]
        assert found == paths
        assert f"  in policies of kind {kind}\n" in scratch.guard("list", "--critical").out


def test_in_ci_a_change_does_not_limit_an_entry_to_other_kinds(scratch: Scratch) -> None:
    entry = "{id: assume, actions: ['sts:AssumeRole'], reason: r}"
    scratch.write(".policy-guard.yaml", "version: 1\ncritical: critical.yaml\n")
    scratch.write("critical.yaml", f"version: 1\npermissions: [{entry}]\n")
    scratch.commit()
    scratch.write("critical.yaml", f"version: 1\npermissions: [{entry[:-1]}, kinds: [trust]}}]\n")
    scratch.write("iam/a.json", document(allow("sts:AssumeRole")))
    scratch.commit()
    answer = scratch.guard("check", "--base", "HEAD~1", CI="true")
    assert "grants a critical permission, assume" in answer.out


def test_an_entry_is_asked_of_the_policies_whose_addresses_it_names(scratch: Scratch) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}

    def template(name: str, action: str) -> str:
        policy = {"PolicyName": "p", "PolicyDocument": document(allow(action))}
        properties = {"AssumeRolePolicyDocument": document(trust), "Policies": [policy]}
        role = {"Type": "AWS::IAM::Role", "Properties": properties}
        return json.dumps({"Resources": {name: role, "Writer": {"Type": "AWS::SQS::Queue"}}})

    scratch.write(".policy-guard.yaml", "version: 1\ncritical: critical.yaml\n")
    entry = "{id: buckets, reason: r, actions: [s3:DeleteBucket], files: ['a.json#Resources.NAME']}"
    scratch.write("a.json", template("Reader", "s3:DeleteBucket"))
    for name in ("Reader", "Re*", "Nobody", "Writer*"):
        scratch.write("critical.yaml", f"version: 1\npermissions: [{entry.replace('NAME', name)}]\n")
        run = scratch.guard("check", "--all", "--format", "concise")
        assert (run.code, "access-not-granted" in run.out) == (1, name.startswith("Re")), run
    scratch.write("critical.yaml", f"version: 1\npermissions: [{entry.replace('NAME', 'Reader')}]\n")
    scratch.write("a.json", template("Reader", "s3:GetObject"))
    scratch.commit()
    scratch.write("a.json", template("Renamed", "s3:GetObject"))
    assert "a policy of this file that is not there: Resources.Reader" in scratch.guard("check").out
