"""The critical lists that are shipped: well-formed, sourced, compared with the catalogue, and taken in by name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from policy_guard import check_access_not_granted
from policy_guard.documents.errors import SetupError
from policy_guard.documents.source import Source
from policy_guard.iam import catalog
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.settings import validation
from policy_guard.settings.critical import CriticalEntry, covered_actions, exceptions, load_critical, packs
from policy_guard.settings.critical.packs import FOLDER, PACKS, pack
from policy_guard.settings.surely_valid import surely_valid
from policy_guard.verify.check import Question
from policy_guard.verify.checks import check
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import verdicts
from tests.support.policies import policy
from tests.support.repository import ENVIRON, NARROW, Scratch, allow, document
from tests.support.schemas import RULES, valid

ENTRIES = [entry for name in PACKS for entry in pack(name)]


def listed(text: str) -> tuple[CriticalEntry, ...]:
    return load_critical(Source("c.yaml", f"version: 1\n{text}\n")).entries


def test_the_packs_are_the_files() -> None:
    assert sorted(PACKS) == sorted(path.stem for path in Path(FOLDER).iterdir())


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_fits_the_schema_and_needs_no_look_at_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = yaml.safe_load((Path(FOLDER) / f"{name}.yaml").read_text(encoding="utf-8"))
    assert valid("critical.json", plain)
    assert surely_valid(plain, RULES["critical.json"])
    monkeypatch.delattr(validation, "_validate")
    assert packs.pack.__wrapped__(name) == pack(name)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_every_entry_is_explained_and_known_to_the_catalogue(entry: CriticalEntry) -> None:
    assert entry.id.partition("/")[0] in PACKS
    assert len(entry.reason) > 10
    assert re.fullmatch(r"https://[a-z.-]+/\S+", entry.page)
    actions = [value.text for each in entry.sets for value in (*each.actions, *each.excepted)]
    assert actions
    assert len(set(actions)) == len(actions)
    assert [action for action in actions if not catalog.exists(action)] == []
    assert all(catalog.key_type(c.key) for statement in entry.unless for c in statement.conditions)


def test_no_two_entries_say_the_same() -> None:
    assert len({entry.id for entry in ENTRIES}) == len(ENTRIES)
    assert len({(entry.sets[0].meaning(), entry.all_of and entry.meaning()[1]) for entry in ENTRIES}) == len(ENTRIES)


def test_an_action_is_in_one_entry_of_a_pack_only() -> None:
    for name in PACKS:
        alone = [action for entry in pack(name) if not entry.all_of for action in covered_actions(entry)]
        assert sorted(set(alone)) == sorted(alone)


@pytest.mark.parametrize(
    ("action", "id_"),
    [
        ("iam:CreatePolicyVersion", "privilege-escalation/create-policy-version"),
        ("iam:AttachRolePolicy", "privilege-escalation/attach-policy"),
        ("iam:UpdateAssumeRolePolicy", "privilege-escalation/update-assume-role-policy"),
        ("lambda:UpdateFunctionCode", "privilege-escalation/update-function-code"),
        ("apprunner:UpdateService", "privilege-escalation/update-app-runner"),
        ("codebuild:StartBuildBatch", "privilege-escalation/start-build"),
        ("s3:PutBucketPolicy", "data-exposure/bucket-policy"),
        ("kms:CreateGrant", "data-exposure/key-grant"),
        ("ec2:ModifySnapshotAttribute", "data-exposure/snapshot-attribute"),
        ("cloudtrail:StopLogging", "defence-evasion/stop-trail"),
        ("guardduty:DeleteDetector", "defence-evasion/guardduty-off"),
        ("organizations:LeaveOrganization", "defence-evasion/leave-organization"),
    ],
)
def test_what_is_known_to_be_dangerous_is_in_a_pack(action: str, id_: str) -> None:
    entries = [entry for entry in ENTRIES if not entry.id.startswith("administrators/")]
    assert [entry.id for entry in entries if action in covered_actions(entry) and not entry.all_of] == [id_]


COMBINED = {
    "lambda": ("lambda:CreateFunction", "lambda:InvokeFunction"),
    "ec2": ("ec2:RunInstances",),
    "glue-endpoint": ("glue:CreateDevEndpoint",),
    "cloudformation": ("cloudformation:CreateStack",),
    "data-pipeline": ("datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"),
    "sagemaker-notebook": ("sagemaker:CreateNotebookInstance",),
    "codebuild": ("codebuild:CreateProject", "codebuild:StartBuild"),
    "ecs": ("ecs:RegisterTaskDefinition", "ecs:RunTask"),
    "step-functions": ("states:CreateStateMachine", "states:StartExecution"),
    "batch": ("batch:RegisterJobDefinition", "batch:SubmitJob"),
    "braket": ("braket:CreateJob",),
    "emr-serverless": ("emr-serverless:StartJobRun",),
    "gamelift": ("gamelift:CreateBuild", "gamelift:CreateFleet"),
    "image-builder": ("imagebuilder:CreateInfrastructureConfiguration", "imagebuilder:CreateImage"),
    "flink": ("kinesisanalytics:CreateApplication", "kinesisanalytics:StartApplication"),
    "health-omics": ("omics:CreateWorkflow", "omics:StartRun"),
    "automation": ("ssm:StartAutomationExecution",),
}


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.write(".policy-guard.yaml", "version: 1\ncritical: c.yaml\n")
    made.write("c.yaml", "version: 1\npacks: [privilege-escalation]\n")
    made.write("iam/a.json", NARROW)
    made.commit()
    return made


def test_passing_a_role_is_told_with_what_makes_it_dangerous(scratch: Scratch) -> None:
    for number, actions in enumerate(COMBINED.values()):
        scratch.write(f"iam/{number}.json", document(allow("iam:PassRole"), allow(*actions)))
        scratch.write(f"iam/{number}-half.json", document(allow("iam:PassRole")))
    out = scratch.guard().out
    for number, name in enumerate(COMBINED):
        assert re.search(rf"iam/{number}\.json:\d+:\d+: .*/pass-role-to-{name}, together with statement 1", out), name
        assert not re.search(rf"iam/{number}-half\.json:.*access-not-granted", out)


def test_a_role_that_only_another_service_can_take_is_not_dangerous(scratch: Scratch) -> None:
    for service, found in (("ec2.amazonaws.com", False), ("lambda.amazonaws.com", True)):
        passing = allow("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": service}})
        scratch.write("iam/a.json", document(passing, allow("lambda:CreateFunction", "lambda:InvokeFunction")))
        assert ("pass-role-to-lambda" in scratch.guard().out) is found


def test_assuming_any_role_is_told_of_identity_policies_alone(scratch: Scratch) -> None:
    def assume(resource: str) -> dict[str, Any]:
        return document(allow("sts:AssumeRole", resource=resource))

    scratch.write("iam/any.json", assume("*"))
    scratch.write("iam/every.json", assume("arn:aws-cn:iam::*:role/*"))
    scratch.write("iam/account.json", assume("arn:aws:iam::111122223333:role/*"))
    scratch.write("iam/some.json", assume("arn:aws:iam::*:role/deploy-*"))
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    scratch.write("iam/trust.json", document(trust))
    found = [path for check, _, path in scratch.findings() if check == "access-not-granted"]
    assert found == ["iam/any.json", "iam/every.json"]


def test_packs_and_own_entries_make_one_list() -> None:
    own = "permissions: [{id: a, actions: ['s3:*'], reason: r}]"
    entries = listed(f"packs: [data-exposure, defence-evasion]\nskip: [data-exposure/acl]\n{own}")
    assert len(entries) == len(pack("data-exposure")) + len(pack("defence-evasion"))
    assert "data-exposure/acl" not in {entry.id for entry in entries}
    assert [entry.is_own for entry in entries if entry.is_own or entry.id == "data-exposure/bucket-policy"] == [
        False,
        True,
    ]


def test_an_entry_may_take_the_place_of_one_that_is_skipped() -> None:
    own = "permissions: [{id: data-exposure/acl, actions: ['s3:PutBucketAcl'], reason: r, files: ['iam/*']}]"
    with pytest.raises(SetupError, match=r'c\.yaml:3:20: id: "data-exposure/acl" is written twice'):
        listed(f"packs: [data-exposure]\n{own}")
    (entry,) = (e for e in listed(f"packs: [data-exposure]\nskip: [data-exposure/acl]\n{own}") if e.is_own)
    assert entry.files == ("iam/*",)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (
            "packs: [data-exposur]",
            "2:9",
            "there are privilege-escalation, data-exposure, defence-evasion, administrators",
        ),
        ("packs: ['../schema/critical']", "2:9", "there is no"),
        ("packs: []", "2:8", "may not be empty"),
        ("packs: data-exposure", "2:8", "expected a list"),
        ("packs: [data-exposure, data-exposure]", "2:24", "written twice"),
        ("packs: [data-exposure]\nskip: [data-exposure/acls]", "3:8", 'did you mean "data-exposure/acl"?'),
        ("packs: [data-exposure]\nskip: [defence-evasion/alarms]", "3:8", "is in no pack that is named"),
        ("skip: [a]\npermissions: [{id: a, actions: ['s3:*'], reason: r}]", "2:8", "none is named"),
        ("skip: [a]", "1:1", "at least one of permissions, packs"),
    ],
)
def test_a_pack_or_entry_that_is_not_there_is_an_error_at_its_place(text: str, place: str, words: str) -> None:
    with pytest.raises(SetupError) as caught:
        listed(text)
    assert str(caught.value).startswith(f"c.yaml:{place}: ")
    assert words in str(caught.value)


def test_packs_are_not_read_where_none_is_named() -> None:
    code = (
        "import sys\n"
        "from policy_guard.settings.critical import load_critical\n"
        "from policy_guard.documents.source import Source\n"
        "load_critical(Source('c', 'version: 1\\npermissions: [{id: a, actions: [\"s3:*\"], reason: r}]'))\n"
        "print('policy_guard.settings.critical.packs' in sys.modules, 'jsonschema' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRON, capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_the_list_shows_all_of_an_entry(scratch: Scratch) -> None:
    own = {
        "id": "delete",
        "actions": ["s3:DeleteBucket"],
        "resources": ["arn:aws:s3:::a"],
        "unless": [{"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {"StringEquals": {"aws:SourceVpc": ["v", "w"]}}],
        "principals": {"AWS": ["111122223333"], "Service": "s3.amazonaws.com"},
        "reason": "r",
        "source": "https://example.com/why",
    }
    scratch.write("c.yaml", {"version": 1, "packs": ["privilege-escalation"], "permissions": [own]})
    out = scratch.guard("list", "--critical").out
    shown = """\
delete: 1 action on arn:aws:s3:::a
  unless Bool aws:MultiFactorAuthPresent true
  unless StringEquals aws:SourceVpc v, w
  for AWS 111122223333, Service s3.amazonaws.com
  reason r
  source https://example.com/why
  s3:DeleteBucket
"""
    assert shown in out
    assert "pass-role-to-codebuild: 3 sets, dangerous together\n" in out
    assert "  set 2: 2 actions\n    codebuild:CreateProject\n    codebuild:UpdateProject\n" in out


def test_a_finding_names_its_source(scratch: Scratch) -> None:
    scratch.write("iam/a.json", document(allow("iam:CreateAccessKey")))
    out = scratch.guard().out
    assert "grants a critical permission, privilege-escalation/create-access-key [access-not-granted]" in out
    assert "source    https://rhinosecuritylabs.com/" in out


@pytest.mark.parametrize("name", PACKS)
def test_a_policy_that_only_reads_grants_nothing_of_a_pack(name: str) -> None:
    reads: dict[str, Any] = document(allow("s3:Get*", "s3:List*", "ec2:Describe*", "iam:Get*", "sqs:ReceiveMessage"))
    access = [
        {"actions": [value.text for value in each.actions]}
        for entry in pack(name)
        for each in entry.sets
        if each.actions
    ]
    assert check_access_not_granted(reads, access).result == "PASS"


ASSUME = "privilege-escalation/assume-any-role"


@pytest.mark.parametrize(
    ("severity", "code"), [("", 0), ("access-not-granted: warning", 0), ("access-not-granted: error", 1)]
)
def test_an_entry_of_a_pack_that_warns_fails_where_the_settings_say_so(
    scratch: Scratch, severity: str, code: int
) -> None:
    scratch.write("c.yaml", {"version": 1, "packs": ["privilege-escalation"]})
    settings = f"version: 1\ncritical: c.yaml\nnew-files: note\nseverity: {{{severity}}}\n"
    scratch.commit(**{".policy-guard.yaml": settings})
    scratch.write("iam/b.json", document(allow("sts:AssumeRole")))
    answer = scratch.guard("check")
    assert answer.code == code and ASSUME.partition("/")[2] in answer.out, answer
    level = "error" if code else "warning"
    (entry,) = (
        entry
        for entry in json.loads(scratch.guard("list", "--critical", "--format", "json").out)["entries"]
        if entry["id"] == ASSUME
    )
    assert (entry["severity"], entry["shipped"], entry["sets"][0]["covers"]) == (level, True, ["sts:AssumeRole"])
    out = scratch.guard("list", "--critical").out
    assert (f"{ASSUME}: 1 action" in out, "\n  severity warning\n" in out) == (True, not code)
    assert ("are no errors; policy-guard list" in scratch.guard("check", "--show-settings").out) == (not code)


def test_an_own_entry_is_as_severe_as_it_says(scratch: Scratch) -> None:
    own = {"id": "a", "actions": ["sts:AssumeRole"], "severity": "warning", "reason": "r"}
    scratch.write("c.yaml", {"version": 1, "permissions": [own]})
    settings = "version: 1\ncritical: c.yaml\nnew-files: note\nseverity: {access-not-granted: error}\n"
    scratch.commit(**{".policy-guard.yaml": settings})
    scratch.write("iam/b.json", document(allow("sts:AssumeRole")))
    assert scratch.guard("check").code == 0
    assert "  severity warning\n" in scratch.guard("list", "--critical").out


ADMINISTRATORS = {
    "*": {"attach-any-policy", "write-any-policy", "all-services", "assign-permission-sets"},
    "iam:*": {"attach-any-policy", "write-any-policy"},
    "iam:Put*": {"write-any-policy"},
    "sso:*": {"assign-permission-sets"},
    "s3:*": set(),
}


def administrating(*statements: dict[str, Any]) -> set[str]:
    read = policy({"Version": "2012-10-17", "Statement": list(statements)})
    entries = pack("administrators")
    question = Question(read.kind, read, None, entries, Access([read], exceptions(entries)))
    answers = verdicts(check("access-not-granted"), question, prover_for(question))
    entry_ids = {str(each.claim.entry.id) for each in answers if each.claim.entry}
    return {entry_id.partition("/")[2] for entry_id in entry_ids}


@pytest.mark.parametrize(("action", "ids"), ADMINISTRATORS.items())
def test_an_administrator_is_told_by_what_he_can_do(action: str, ids: set[str]) -> None:
    assert administrating(allow(action)) == ids


def test_all_but_some_services_makes_an_administrator_of_the_others() -> None:
    power = {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "sso:*", "s3:*"], "Resource": "*"}
    assert administrating(power) == {"all-services"}
    parts = [allow(f"{service}:*") for service in ("dynamodb", "lambda", "secretsmanager", "logs", "cloudfront")]
    assert administrating(*parts) == {"all-services"}
    assert administrating(*parts[1:]) == set()


@pytest.mark.parametrize(
    ("more", "ids"),
    [
        ({"Resource": "arn:aws:iam::111122223333:role/worker-*"}, set()),
        ({"Condition": {"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}}}, set()),
        ({"Condition": {"ArnNotEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}}}, {"attach"}),
        ({"Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}, {"attach"}),
        ({"Condition": {"Bool": {"aws:IsMcpServiceAction": "true"}}}, set()),
    ],
)
def test_attaching_counts_unless_what_or_whom_is_limited(more: dict[str, Any], ids: set[str]) -> None:
    statement = {"Effect": "Allow", "Action": "iam:Attach*", "Resource": "*", **more}
    assert {each.partition("-")[0] for each in administrating(statement)} == ids
