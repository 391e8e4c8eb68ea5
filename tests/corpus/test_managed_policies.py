"""AWS's managed policies against themselves, without one of their statements, and with that statement added back.

One policy in sixteen is checked by default; all of them with `pytest -m corpus`, as CI does every night.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from policy_guard import check_no_lost_deny, check_no_new_access
from policy_guard.documents.source import Source
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.settings.critical import exceptions, load_critical
from policy_guard.verify.check import Question
from policy_guard.verify.checks import check
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import verdicts
from tests.support.policies import policy

POLICIES: dict[str, Any] = {name: entry["Document"] for name, entry in json.loads(aws_managed_policies_data).items()}
PARTS = 16
BY_DEFAULT = 0


ADMINISTRATORS = {
    "AIDevOpsAgentActionsPolicy": {"all-services"},
    "AWSSSOMasterAccountAdministrator": {"assign-permission-sets"},
    "AWSSSOMemberAccountAdministrator": {"assign-permission-sets"},
    "AdministratorAccess": {"attach-any-policy", "write-any-policy", "all-services", "assign-permission-sets"},
    "AdministratorAccess-Amplify": {"attach-any-policy", "write-any-policy"},
    "IAMFullAccess": {"attach-any-policy", "write-any-policy"},
    "PowerUserAccess": {"all-services", "assign-permission-sets"},
}
"""Those that the pack `administrators` names, with its entries."""


def parts() -> list[object]:
    return [pytest.param(n, marks=() if n == BY_DEFAULT else pytest.mark.corpus) for n in range(PARTS)]


def part(number: int) -> list[str]:
    return sorted(POLICIES)[number::PARTS]


@pytest.mark.parametrize("number", parts())
def test_each_passes_against_itself(number: int) -> None:
    for name in part(number):
        assert check_no_new_access(POLICIES[name], POLICIES[name]).result == "PASS", name
        assert check_no_lost_deny(POLICIES[name], POLICIES[name]).result == "PASS", name


@pytest.mark.parametrize("number", parts())
def test_a_statement_less_passes_and_the_same_one_more_fails_there(number: int) -> None:
    rng = random.Random(number)
    for name in part(number)[::2]:
        written = POLICIES[name]["Statement"]
        statements = written if isinstance(written, list) else [written]
        allowing = [index for index, statement in enumerate(statements) if statement["Effect"] == "Allow"]
        if len(statements) < 2 or not allowing:
            continue
        index = rng.choice(allowing)
        fewer = {**POLICIES[name], "Statement": statements[:index] + statements[index + 1 :]}
        assert check_no_new_access(fewer, POLICIES[name]).result == "PASS", name
        added = check_no_new_access(POLICIES[name], fewer)
        assert {reason.statement_index for reason in added.reasons} <= {index}, name
        assert added.result in ("FAIL", "UNKNOWN") or _covered(statements[index], fewer), name


def _covered(statement: dict[str, Any], rest: dict[str, Any]) -> bool:
    """Whether the statement grants nothing that the rest does not, asked of it alone."""
    return check_no_new_access({"Version": rest["Version"], "Statement": [statement]}, rest).result == "PASS"


@pytest.mark.parametrize("number", parts())
def test_administrators_are_known_by_what_they_can_do(number: int) -> None:
    entries = load_critical(Source("c.yaml", "version: 1\npacks: [administrators]\n")).entries
    for name in sorted({*part(number), *(ADMINISTRATORS if number == 0 else ())}):
        read = policy(POLICIES[name])
        question = Question(read.kind, read, None, entries, Access([read], exceptions(entries)))
        answers = list(verdicts(check("access-not-granted"), question, prover_for(question)))
        entry_ids = {str(each.claim.entry.id).partition("/")[2] for each in answers if each.claim.entry}
        assert entry_ids == ADMINISTRATORS.get(name, set()), name
