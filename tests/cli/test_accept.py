"""What `accept` writes holds what was found and nothing else: looked at with the evaluator, apart from the proof."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from policy_guard.cli.accept import AcceptOptions, files_for
from policy_guard.documents.source import Source
from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.prover import Proved
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Policy, Request
from policy_guard.pipeline.check import Options
from policy_guard.settings.acceptance import Accepted, interpret_acceptance, load_acceptance
from policy_guard.settings.critical import CriticalList, exceptions, load_critical
from policy_guard.solver.formula import TRUE
from policy_guard.solver.strings.pattern import Pattern, read_pattern
from policy_guard.verify.check import Question
from policy_guard.verify.checks import check as named
from policy_guard.verify.critical import Critical
from policy_guard.verify.explain.overlap import _common_tokens, _pattern, _tokens
from policy_guard.verify.messages import finding
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import verdicts
from tests.support import edges
from tests.support.examples import examples
from tests.support.policies import policy
from tests.support.repository import Scratch, allow, deny, document

TODAY = datetime.now(timezone.utc).date()
FOLDER = ".policy-guard/accepted"
APP = "arn:aws:s3:::app/*"
ACCOUNT = {"AWS": "111122223333"}
ROLE = {"AWS": "arn:aws:iam::111122223333:role/ci"}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def when(condition: dict[str, Any], statement: dict[str, Any]) -> dict[str, Any]:
    return {**statement, "Condition": condition}


def asking(document_: Any, kind: str | None) -> Policy | None:
    return policy(document_, kind) if document_ else None


class Change:
    """One change, and what `accept` writes for it."""

    def __init__(
        self, before: Any, after: Any, check: str = "no-new-access", kind: str | None = None, critical: str = ""
    ) -> None:
        self.old, self.new = asking(before, kind), asking(after, kind)
        listed = load_critical(Source("c.yaml", critical)) if critical else CriticalList(())
        either = self.new or self.old
        assert either
        self.kind = either.kind
        policies = [each for each in (self.new, self.old) if each]
        access = Access(policies, exceptions(listed.entries))
        self.question = Question(self.kind, self.new, self.old, listed.entries, access)
        found = [
            finding(named(check), verdict, self.question, "error")
            for verdict in verdicts(named(check), self.question, prover_for(self.question))
            if not isinstance(verdict.answer, Proved)
        ]
        assert found
        wishes = AcceptOptions(Options(today=TODAY), "a reason", None, None)
        self.files, self.unfit = files_for(found, wishes, TODAY.isoformat(), FOLDER)
        self.read: list[Accepted] = [
            interpret_acceptance(load_acceptance(Source(each.path, each.text), TODAY), self.kind) for each in self.files
        ]

    def takes(self, request: Request) -> bool:
        """Whether one of the files accepts the request."""
        return any(
            any(concrete.applies(each, request) for each in one.statements)
            and not any(concrete.applies(each, request) for each in one.without)
            for one in self.read
        )

    def is_found(self, request: Request, check: str) -> bool:
        if check == "no-lost-deny":
            return concrete.denied(self.old, request) and not concrete.denied(self.new, request)
        fresh = check == "no-new-access" and concrete.allows(self.old, self.kind, request)
        return concrete.allows(self.new, self.kind, request) and not fresh

    def asked(self, count: int) -> list[Request]:
        policies = [each for each in (self.new, self.old) if each]
        words = tuple(s for one in self.read for s in (*one.statements, *one.without))
        every = edges.requests([*policies, policies[0]._replace(statements=words)], count, seed=1)
        return [request for request in every if all(len(values) == 1 for values in request.context.values())]


LOST = deny("s3:Delete*")
SHAPES: dict[str, tuple[Any, ...]] = {
    "a Deny of all resources goes": (document(allow("*", resource=APP), LOST), document(allow("*", resource=APP))),
    "a Deny of all but some actions goes": (
        document(allow("s3:*"), {"Effect": "Deny", "NotAction": "s3:Get*", "Resource": "*"}),
        document(allow("s3:*")),
    ),
    "a Deny of all but some resources goes": (
        document(allow("s3:*"), {"Effect": "Deny", "Action": "*", "NotResource": APP}),
        document(allow("s3:*")),
    ),
    "NotAction meets a Deny that goes": (
        document({"Effect": "Allow", "NotAction": ["iam:*", "s3:Get*"], "Resource": APP}, deny("s3:*Object")),
        document({"Effect": "Allow", "NotAction": ["iam:*", "s3:Get*"], "Resource": APP}),
    ),
    "patterns that overlap": (
        document(allow("s3:*Object", resource="arn:aws:s3:::*/secret"), deny("s3:Get*", resource="arn:aws:s3:::app*")),
        document(allow("s3:*Object", resource="arn:aws:s3:::*/secret")),
    ),
    "a Deny under a condition goes": (
        document(allow("s3:*", resource=APP), when({"Bool": {"aws:SecureTransport": "false"}}, LOST)),
        document(allow("s3:*", resource=APP)),
    ),
    "two conditions on one key": (
        document(
            when({"StringLike": {"s3:prefix": ["a*", "b"]}}, allow("s3:*")),
            when({"StringLike": {"s3:prefix": "*x"}}, LOST),
        ),
        document(when({"StringLike": {"s3:prefix": ["a*", "b"]}}, allow("s3:*"))),
    ),
    "a condition of a Deny gets another value": (
        document(allow("s3:*"), when({"StringNotEquals": {"aws:PrincipalTag/t": "a"}}, deny("s3:*"))),
        document(allow("s3:*"), when({"StringNotEquals": {"aws:PrincipalTag/t": ["a", "b"]}}, deny("s3:*"))),
    ),
    "only some of it was allowed": (
        document(allow("s3:Get*", resource=APP)),
        document(allow("s3:*", resource=APP)),
    ),
    "a condition goes": (document(when(MFA, allow("s3:*"))), document(allow("s3:*"))),
    "new actions and a Deny that goes": (
        document(allow("s3:Get*", resource=APP), deny("s3:GetBucket*")),
        document(allow("s3:*", resource=APP)),
    ),
    "a Deny for some callers goes": (
        document(allow("s3:*", resource=APP, Principal="*"), {**LOST, "Principal": ROLE}),
        document(allow("s3:*", resource=APP, Principal="*")),
    ),
    "a Deny for all but some callers goes": (
        document(allow("s3:*", resource=APP, Principal=ACCOUNT), {**LOST, "NotPrincipal": {"AWS": "444455556666"}}),
        document(allow("s3:*", resource=APP, Principal=ACCOUNT)),
    ),
    "the same with everyone": (
        document(allow("s3:*", resource=APP, Principal="*"), {**LOST, "NotPrincipal": {"AWS": "444455556666"}}),
        document(allow("s3:*", resource=APP, Principal="*")),
    ),
    "an unknown part": (
        document(allow("s3:*", resource="arn:aws:s3:::${bucket}/*"), deny("s3:Delete*", resource="arn:aws:s3:::*")),
        document(allow("s3:*", resource="arn:aws:s3:::${bucket}/*")),
    ),
    "an old Version": (
        {**document(allow("s3:*", resource=APP), LOST), "Version": "2008-10-17"},
        document(allow("s3:*", resource=APP)),
    ),
    "a Deny of a cap gets narrower": (
        document(deny("s3:*")),
        document(deny("s3:Delete*", resource=APP)),
        "no-new-access",
        "scp",
    ),
    "a cap goes": (document(allow("s3:*"), deny("s3:Delete*")), None, "no-new-access", "boundary"),
    "a lost Deny": (
        document(allow("ec2:*"), deny("s3:*", "iam:*")),
        document(allow("ec2:*"), deny("s3:Get*")),
        "no-lost-deny",
    ),
    "a lost Deny of a policy that goes": (document(deny("s3:*", resource=APP)), None, "no-lost-deny"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_written_is_what_was_found(shape: str) -> None:
    change = Change(*SHAPES[shape])
    check = SHAPES[shape][2] if len(SHAPES[shape]) > 2 else "no-new-access"
    assert change.files and not change.unfit, change.unfit
    for request in change.asked(examples(500)):
        assert change.takes(request) == change.is_found(request, check), (request, change.files)


ENTRY = "version: 1\npermissions: [{id: x, reason: r, %s}]\n"
CRITICAL: dict[str, tuple[Any, str]] = {
    "an entry of actions": (allow("s3:*", resource=APP), "actions: ['s3:Delete*', 'ec2:RunInstances']"),
    "an entry of resources": (allow("s3:*"), "resources: ['arn:aws:s3:::app/*']"),
    "an entry with exceptions": (allow("s3:*"), "actions: ['s3:Delete*'], except: ['s3:DeleteObject*']"),
    "an entry with a condition": (
        allow("s3:*"),
        "actions: ['s3:Delete*'], unless: {Bool: {'aws:MultiFactorAuthPresent': 'true'}}",
    ),
    "sets that are dangerous together": (
        allow("iam:*", "lambda:*", resource="arn:aws:lambda:*:*:function:a*"),
        "all-of: [{actions: ['iam:PassRole']}, {actions: ['lambda:Create*']}]",
    ),
}


@pytest.mark.parametrize("how", CRITICAL)
def test_of_a_critical_entry_only_that_is_written_which_the_entry_means(how: str) -> None:
    statement, entry = CRITICAL[how]
    change = Change(None, document(statement), "access-not-granted", critical=ENTRY % entry)
    assert change.files and not change.unfit, change.unfit
    taken = [request for request in change.asked(examples(500)) if change.takes(request)]
    assert taken
    (given,) = change.question.critical
    for request in taken:
        assert concrete.allows(change.new, "identity", request), request
        assert any(_is_meant(given, each, request) for each in given.sets), (request, change.files)


def _is_meant(entry: Any, given: Any, request: Request) -> bool:
    return Critical(entry, given, TRUE).holds(request)


def test_nothing_is_written_if_there_are_no_words_for_it() -> None:
    home = deny("s3:Delete*", resource=["arn:aws:s3:::app", "arn:aws:s3:::home/${aws:username}/*"])
    grant = allow("s3:*", resource="arn:aws:s3:::app")
    change = Change(document(grant, home), document(grant))
    assert change.files == ()
    (said,) = change.unfit
    assert said.startswith("policy.json: nothing is written: no words were found that are proved")


def test_an_acceptance_for_one_bucket_is_none_for_another(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    app = allow("*", resource=APP)
    scratch.commit(**{"iam/app.json": document(app, deny("s3:Delete*"))})
    scratch.write("iam/app.json", document(app))
    made = scratch.guard("accept", "--reason", "the app cleans up")
    assert made.code == 0, made
    (file,) = (scratch.folder / FOLDER).iterdir()
    assert yaml.safe_load(file.read_text())["access"] == [{"Action": "s3:Delete*", "Resource": APP}]
    scratch.git("checkout", "-q", "iam")
    scratch.commit()
    scratch.write("iam/app.json", document(app))
    assert scratch.guard("check").code == 0
    payroll = allow("s3:Delete*", resource=["arn:aws:s3:::payroll", "arn:aws:s3:::payroll/*"])
    scratch.write("iam/app.json", document(app, payroll))
    answer = scratch.guard("check")
    assert answer.code == 1
    assert "iam/app.json" in answer.out and "grants new access" in answer.out


PATTERNS = ["*", "a*", "*a", "a*b", "*a*", "?a", "ab", "*b?", "a*a*", "??", "", "*ab*ba"]


@pytest.mark.parametrize("one", PATTERNS)
def test_patterns_for_what_two_patterns_match_match_that(one: str) -> None:
    words = ["".join(each) for size in range(6) for each in product("ab", repeat=size)]
    for two in PATTERNS:
        both = [
            _pattern(each)
            for each in _common_tokens(*(_tokens(read_pattern(text, True)) for text in (one, two)), False)
        ]
        for word in words:
            matching = all(_matches(read_pattern(text, True), word) for text in (one, two))
            assert matching == any(_matches(each, word) for each in both), (one, two, word)


def _matches(pattern: Pattern, text: str) -> bool:
    from policy_guard.iam.meaning.matching import matches

    return matches(pattern, text)


def test_what_is_found_about_one_policy_of_a_file_is_accepted_by_its_address(tmp_path: Path) -> None:
    def template(action: str) -> dict[str, object]:
        policy = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document(allow(action))}}
        return {"Resources": {"Reader": policy, "Writer": policy}}

    scratch = Scratch(tmp_path)
    scratch.write("a.json", template("s3:GetObject"))
    scratch.commit()
    scratch.write("a.json", template("s3:*"))
    answer = scratch.guard("accept", "a.json#Resources.Nobody", "--reason", "r")
    assert (answer.code, "no finding is about a policy with such an address" in answer.err) == (2, True), answer
    assert scratch.guard("accept", "a.json#Resources.Reader.*", "--reason", "r").code == 0
    (written,) = (tmp_path / ".policy-guard" / "accepted").iterdir()
    assert "label: Resources.Reader.PolicyDocument" in written.read_text()
    assert scratch.guard("accept", "a.json", "--reason", "r").code == 0
    assert len(list((tmp_path / ".policy-guard" / "accepted").iterdir())) == 2


def test_of_an_unknown_action_that_is_critical_nothing_is_written_and_it_is_said(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    entry = {"version": 1, "permissions": [{"id": "erase", "actions": ["s3:DeleteObject"], "reason": "r"}]}
    scratch.write(".policy-guard.yaml", {"version": 1, "critical": "critical.yaml"})
    scratch.write("critical.yaml", entry)
    scratch.commit(**{"app.json": document(allow("s3:GetObject"))})
    scratch.write("app.json", document(allow("${acts}")))
    answer = scratch.guard("accept", "app.json", "--reason", "r")
    assert (answer.code, answer.err) == (1, ""), answer
    assert "app.json: nothing is written: no words hold what was found and nothing else" in answer.out


ROOT = """
variable "bucket" {}
resource "aws_iam_role_policy" "app" {
  role   = "app"
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::${var.bucket}/*" }] })
}
"""


@pytest.mark.parametrize("named", ["infra/main.tf", "infra/terraform.tfvars", "infra"])
def test_a_policy_that_changes_by_another_file_is_accepted_by_either(tmp_path: Path, named: str) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("infra/main.tf", ROOT)
    scratch.write("infra/terraform.tfvars", 'bucket = "orders"\n')
    scratch.write("readme.json", document(allow("s3:GetObject")))
    scratch.commit()
    scratch.write("infra/terraform.tfvars", 'bucket = "*"\n')
    assert "policy-guard accept infra/main.tf --reason" in scratch.guard("check").out
    elsewhere = scratch.guard("accept", "readme.json", "--reason", "r")
    assert elsewhere.code == 2 and "no finding is about readme.json; 1 finding is about other files" in elsewhere.err
    assert scratch.guard("accept", named, "--reason", "r").code == 0
    scratch.git("checkout", "-q", "infra")
    scratch.commit()
    scratch.write("infra/terraform.tfvars", 'bucket = "*"\n')
    assert scratch.guard("check").code == 0


def test_a_day_that_lies_too_far_ahead_is_told_with_both_limits(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"app.json": document(allow("s3:GetObject"))})
    answer = scratch.guard("accept", "--reason", "r", "--expires", "2999-01-01")
    assert answer.code == 2
    words = " ".join(answer.err.split())
    assert "among the next 30 days; only access-not-granted and no-public-access may be accepted for 366 days" in words
