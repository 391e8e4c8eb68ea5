"""Ceilings: a new file is compared with its reference, and with `bound: always` every version is."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest

from policy_guard.verify.checks import manual
from tests.support.repository import Answer, Scratch, allow, deny, document

CEILING = document(allow("s3:*", "sqs:*"))
WITHIN = document(allow("s3:Get*", "sqs:SendMessage"))
BEYOND = document(allow("s3:Get*", "iam:PassRole"))
SETTINGS = "version: 1\npolicies:\n- {files: ['teams/*.json'], reference: ceilings/team.json}\n"
BOUND = SETTINGS.replace("team.json}", "team.json, bound: always}")


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.commit(**{".policy-guard.yaml": BOUND, "ceilings/team.json": CEILING, "teams/a.json": BEYOND})
    made.git("checkout", "-q", "-b", "feature")
    return made


def judged(scratch: Scratch, *arguments: str) -> Answer:
    scratch.commit()
    return scratch.guard("check", "--base", "main", *arguments, CI="true")


@pytest.mark.parametrize("settings", [SETTINGS, BOUND])
def test_a_new_file_within_its_reference_passes(scratch: Scratch, settings: str) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.commit(**{".policy-guard.yaml": settings})
    scratch.git("checkout", "-q", "-b", "other")
    scratch.write("teams/new.json", WITHIN)
    answer = judged(scratch)
    assert answer.code == 0, answer
    assert "teams/new.json has no old version and is compared with ceilings/team.json" in answer.out


def test_a_new_file_without_a_reference_is_told_how_to_have_one(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "other")
    scratch.commit(**{"teams/old.json": WITHIN})
    scratch.write("teams/new.json", document(allow("s3:*")))
    said = " ".join(scratch.guard("check").out.split())
    assert "have the new policy reviewed; or merge a group or a reference for it into the settings first" in said
    assert "what was allowed before" not in said


def test_a_new_file_is_told_what_its_reference_says_and_where(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "other")
    ceiling = document(allow("s3:*"), deny("s3:DeleteBucket"))
    scratch.commit(**{".policy-guard.yaml": SETTINGS, "ceilings/team.json": ceiling})
    scratch.write("teams/new.json", document(allow("s3:*")))
    answer = scratch.guard("check")
    assert answer.code == 1
    assert "error: grants access that its reference does not allow [no-new-access]" in answer.out
    assert "does not deny what its reference denies [no-lost-deny]" in answer.out
    assert "put the Deny back" not in answer.out
    seen = [line for line in answer.out.splitlines() if line.strip().startswith("see ")]
    assert seen and all("ceilings/team.json:" in line for line in seen)


def test_every_version_is_held_against_a_bound(scratch: Scratch) -> None:
    scratch.write("teams/a.json", document(allow("s3:GetObject", "iam:PassRole")))
    answer = judged(scratch)
    assert answer.code == 1
    assert "grants access beyond its reference [within-reference]" in answer.out
    assert "beyond   iam:PassRole on *" in answer.out
    assert "grants new access" not in answer.out
    assert "policy-guard accept" not in answer.out


def test_within_a_bound_new_access_is_still_new(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.commit(**{"teams/a.json": document(allow("s3:GetObject"))})
    scratch.git("checkout", "-q", "-b", "other")
    scratch.write("teams/a.json", WITHIN)
    answer = judged(scratch)
    assert answer.code == 1
    assert "within-reference" not in answer.out
    assert "grants new access" in answer.out


def test_what_does_not_change_is_held_against_its_bound_when_all_is_checked(scratch: Scratch) -> None:
    assert "teams/a.json:8:9: error: grants access beyond its reference" in judged(scratch, "--all").out


def test_the_reference_of_the_base_counts(scratch: Scratch) -> None:
    scratch.write("ceilings/team.json", document(allow("*")))
    scratch.write("teams/b.json", BEYOND)
    found = {(f["check"], f["path"]) for f in json.loads(judged(scratch, "--format", "json").out)["findings"]}
    assert ("within-reference", "teams/b.json") in found


@pytest.mark.parametrize("ceiling", [None, "{", document(allow("s3:*", Principal="*"))])
def test_a_bound_that_is_no_such_policy_fails(scratch: Scratch, ceiling: object) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.git("rm", "-q", "ceilings/team.json")
    if ceiling is not None:
        scratch.write("ceilings/team.json", ceiling)
    scratch.commit()
    scratch.git("checkout", "-q", "-b", "other")
    scratch.write("teams/a.json", document(allow("s3:GetObject")))
    answer = judged(scratch)
    assert answer.code == 1
    why = "is not there in the base" if ceiling is None else "is not a single identity policy in the base"
    assert f"ceilings/team.json bounds this policy, and {why}" in answer.out
    assert "next     let the settings name one policy that is in the base" in answer.out


def test_a_group_is_held_against_the_bound_of_its_files(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    groups = BOUND + "groups: [{name: team, files: ['teams/*.json']}]\n"
    scratch.commit(**{".policy-guard.yaml": groups})
    scratch.git("checkout", "-q", "-b", "other")
    scratch.write("teams/a.json", document(allow("iam:PassRole")))
    answer = judged(scratch)
    assert answer.code == 1
    assert "grants access beyond its reference [within-reference]" in answer.out


def test_a_placeholder_of_the_reference_is_another_one_than_that_of_the_file(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.commit(**{"ceilings/team.json": document(allow("s3:*", resource="arn:aws:s3:::${bucket}/*"))})
    scratch.git("checkout", "-q", "-b", "other")
    scratch.write("teams/new.json", document(allow("s3:GetObject", resource="arn:aws:s3:::${bucket}/*")))
    assert judged(scratch).code == 1


def test_the_page_shows_what_is_really_said(scratch: Scratch) -> None:
    page = manual("within-reference")
    bad, good = re.findall(r"^    \{.*?\}\}$", page, re.DOTALL | re.MULTILINE)
    scratch.git("checkout", "-q", "main")
    settings = BOUND.replace("teams/*.json", "policy.json")
    scratch.commit(**{".policy-guard.yaml": settings, "ceilings/team.json": document(allow("s3:*"))})
    scratch.git("checkout", "-q", "-b", "other")
    scratch.write("policy.json", textwrap.dedent(bad))
    ((place, headline),) = re.findall(r"^    (policy\.json:.*): error: (.*) \[", page, re.MULTILINE)
    told = judged(scratch).out
    assert f"{place}: error: " in told
    assert f"; {headline} [no-new-access, within-reference]" in told
    assert "policy-guard accept" not in told
    scratch.write("policy.json", textwrap.dedent(good))
    assert judged(scratch).code == 0


def test_a_bound_needs_a_reference(scratch: Scratch) -> None:
    scratch.write(".policy-guard.yaml", "version: 1\npolicies: [{files: [a.json], bound: always}]\n")
    answer = scratch.guard("list")
    assert answer.code == 2
    assert ".policy-guard.yaml:2:37: bound: name the policy that bounds these files" in answer.err


TRUST = """\
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}
"""


def role(name: str, action: str) -> str:
    return f"""\
  {name}:
    Type: AWS::IAM::Role
    Properties:
{TRUST}      Policies:
        - PolicyName: orders
          PolicyDocument:
            Version: '2012-10-17'
            Statement: {{Effect: Allow, Action: '{action}', Resource: '*'}}
"""


def template(**actions: str) -> str:
    return "Resources:\n" + "".join(role(name, action) for name, action in actions.items())


def with_settings(folder: Path, settings: str, **files: str) -> Scratch:
    scratch = Scratch(folder / "other")
    scratch.commit(**{".policy-guard.yaml": f"version: 1\n{settings}", **files})
    return scratch


def checks_of(scratch: Scratch, *arguments: str) -> list[str]:
    return [check for check, _, _ in scratch.findings(*arguments)]


@pytest.mark.parametrize("reference", ["c.yaml", "c.yaml#Resources.Reader", "c.json"])
@pytest.mark.parametrize(("action", "expected"), [("s3:Get*", []), ("iam:PassRole", ["within-reference"])])
def test_a_template_is_held_against_the_policy_of_its_kind(
    tmp_path: Path, reference: str, action: str, expected: list[str]
) -> None:
    scratch = with_settings(
        tmp_path,
        f"policies: [{{files: ['teams/*.yaml'], reference: '{reference}', bound: always}}]\n",
        **{"c.yaml": template(Reader="s3:*"), "c.json": CEILING, "teams/a.yaml": template(Reader="*")},
    )
    scratch.write("teams/a.yaml", template(Reader=action))
    assert checks_of(scratch) == expected
    assert checks_of(scratch, "--all") == expected


def test_a_policy_of_another_kind_in_a_plain_file_does_not_escape_its_bound(tmp_path: Path) -> None:
    settings = "policies: [{files: ['teams/*.json'], reference: c.json, bound: always}]\n"
    shared = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "s3:*", "Resource": "*"}
    before = json.dumps({"Resources.Reader": document(shared)})
    scratch = with_settings(tmp_path, settings, **{"c.json": CEILING, "teams/a.json": before})
    scratch.write("teams/a.json", before.replace("s3:*", "s3:Get*"))
    answer = scratch.guard()
    assert answer.code == 1
    assert "c.json bounds this policy, and is not a single resource policy in the base" in " ".join(answer.out.split())


def test_a_new_policy_of_another_kind_in_a_template_is_asked_by_some_check(tmp_path: Path) -> None:
    settings = "policies: [{files: ['teams/*.yaml'], reference: c.json, bound: always}]\nnew-files: 'off'\n"
    scratch = with_settings(tmp_path, settings, **{"c.json": CEILING})
    scratch.write("teams/a.yaml", template(Reader="s3:Get*"))
    answer = scratch.guard()
    assert answer.code == 1
    assert "c.json bounds this policy, and is not a single trust policy in the base" in " ".join(answer.out.split())


@pytest.mark.parametrize("address", ["Resources.Reader", "Resources.Reader.Policies?0?.*", "Resources.Read*"])
def test_one_policy_of_a_template_is_bound_by_its_address(tmp_path: Path, address: str) -> None:
    scratch = with_settings(
        tmp_path,
        f"policies: [{{files: ['a.yaml#{address}'], reference: c.json, bound: always}}]\n",
        **{"c.json": CEILING, "a.yaml": template(Reader="*", Other="*")},
    )
    scratch.write("a.yaml", template(Reader="iam:PassRole", Other="iam:PassRole"))
    answer = scratch.guard("check", "--format", "concise")
    assert answer.code == 1
    assert answer.out.count("within-reference") == 1
    assert "a.yaml:12:" in answer.out


@pytest.mark.parametrize("change", ["Other", "Writer"])
def test_a_new_policy_that_no_address_names_fails_beside_others(tmp_path: Path, change: str) -> None:
    """A policy whose address changes is no longer bound by it."""
    scratch = with_settings(
        tmp_path,
        "policies: [{files: ['a.yaml#Resources.Reader*'], reference: c.json, bound: always}]\n"
        "severity: {no-new-access: 'off'}\n",
        **{"c.json": CEILING, "a.yaml": template(Reader="s3:Get*")},
    )
    policies = {"Reader": "s3:Get*"} if change == "Other" else {}
    scratch.write("a.yaml", template(**policies, **{change: "iam:PassRole"}))
    answer = scratch.guard()
    said = " ".join(answer.out.split())
    assert answer.code == 1
    assert f"none of them is the address of this one: Resources.{change}" in said


def test_a_policy_that_no_address_names_and_that_was_there_before_is_compared(tmp_path: Path) -> None:
    scratch = with_settings(
        tmp_path,
        "policies: [{files: ['a.yaml#Resources.Reader*'], reference: c.json, bound: always}]\n",
        **{"c.json": CEILING, "a.yaml": template(Reader="s3:Get*", Other="*")},
    )
    scratch.write("a.yaml", template(Reader="s3:Get*", Other="iam:*"))
    assert checks_of(scratch) == []


def test_an_address_that_names_nothing_fails_where_its_file_changes(tmp_path: Path) -> None:
    scratch = with_settings(
        tmp_path,
        "policies: [{files: ['a.yaml#Resources.Gone'], reference: c.json, bound: always}]\n",
        **{"c.json": CEILING, "a.yaml": template(Reader="s3:Get*"), "b.json": WITHIN},
    )
    scratch.write("b.json", document(allow("s3:GetObject")))
    assert checks_of(scratch) == []
    assert checks_of(scratch, "--all") == ["readable"]
    scratch.write("a.yaml", template(Reader="s3:GetObject"))
    answer = scratch.guard()
    assert answer.code == 1
    said = " ".join(answer.out.split())
    assert "the settings name a policy of this file that is not there: Resources.Gone" in said


def test_an_address_that_names_no_policy_bounds_nothing_and_fails(tmp_path: Path) -> None:
    scratch = with_settings(
        tmp_path,
        "policies: [{files: ['teams/*.yaml'], reference: 'c.yaml#Resources.Gone', bound: always}]\n",
        **{"c.yaml": template(Reader="s3:*"), "teams/a.yaml": template(Reader="s3:*")},
    )
    scratch.write("teams/a.yaml", template(Reader="s3:Get*"))
    answer = scratch.guard()
    assert answer.code == 1
    said = " ".join(answer.out.split())
    assert "c.yaml#Resources.Gone bounds this policy, and is no identity policy in the base" in said


def test_a_policy_that_the_settings_name_as_another_kind_fails(tmp_path: Path) -> None:
    scratch = with_settings(
        tmp_path,
        "policies: [{files: ['a.yaml#Resources.Reader'], kind: boundary}]\n",
        **{"a.yaml": template(Reader="s3:*")},
    )
    scratch.write("a.yaml", template(Reader="s3:Get*"))
    answer = scratch.guard()
    assert answer.code == 1
    said = " ".join(answer.out.split())
    assert "the settings say that this policy is of the kind boundary, and where it stands it is identity" in said


def in_terraform(action: str, name: str = "p") -> str:
    return (
        'resource "aws_iam_role" "r" {\n'
        '  assume_role_policy = jsonencode({Version = "2012-10-17", Statement = [{Effect = "Allow", '
        'Principal = {Service = "ec2.amazonaws.com"}, Action = "sts:AssumeRole"}]})\n}\n'
        f'resource "aws_iam_role_policy" "{name}" {{\n  role = aws_iam_role.r.name\n'
        '  policy = jsonencode({Version = "2012-10-17", Statement = [{Effect = "Allow", '
        f'Action = "{action}", Resource = "*"}}]}})\n}}\n'
    )


@pytest.mark.parametrize("files", ["infra/main.tf#aws_iam_role_policy.p.policy", "infra/*.tf"])
@pytest.mark.parametrize("reference", ["c.json", "ceilings/main.tf#aws_iam_role_policy.p.policy"])
@pytest.mark.parametrize(("action", "expected"), [("s3:Get*", []), ("iam:PassRole", ["within-reference"])])
def test_terraform_is_held_against_a_reference(
    tmp_path: Path, files: str, reference: str, action: str, expected: list[str]
) -> None:
    scratch = with_settings(
        tmp_path,
        f"policies: [{{files: ['{files}'], reference: '{reference}', bound: always}}]\n",
        **{"c.json": CEILING, "infra/main.tf": in_terraform("*"), "ceilings/main.tf": in_terraform("s3:*")},
    )
    scratch.write("infra/main.tf", in_terraform(action))
    assert checks_of(scratch) == expected
    scratch.commit()
    assert checks_of(scratch, "--all") == expected


def test_an_address_of_terraform_that_names_nothing_fails(tmp_path: Path) -> None:
    scratch = with_settings(
        tmp_path,
        "policies: [{files: ['infra/main.tf#aws_iam_role_policy.q.policy'], reference: c.json, bound: always}]\n",
        **{"c.json": CEILING, "infra/main.tf": in_terraform("*")},
    )
    scratch.write("infra/main.tf", in_terraform("iam:*"))
    answer = scratch.guard()
    assert answer.code == 1
    said = " ".join(answer.out.split())
    assert "the settings name a policy of this file that is not there: aws_iam_role_policy.q.policy" in said


def test_a_new_policy_at_an_address_is_compared_with_its_reference(tmp_path: Path) -> None:
    scratch = with_settings(
        tmp_path,
        "policies: [{files: ['a.yaml#Resources.*'], reference: 'c.yaml'}]\n",
        **{"c.yaml": template(Reader="s3:*"), "a.yaml": template(Reader="s3:*")},
    )
    scratch.write("a.yaml", template(Reader="s3:*", Writer="s3:Put*"))
    answer = scratch.guard()
    assert answer.code == 0, answer
    assert "a.yaml Resources.Writer has no old version and is compared with c.yaml" in " ".join(answer.out.split())
    scratch.write("a.yaml", template(Reader="s3:*", Writer="sqs:*"))
    assert checks_of(scratch) == ["no-new-access"]


def test_access_beyond_a_reference_that_nobody_touched_is_told_where_it_is(tmp_path: Path) -> None:
    other = in_terraform("sqs:*", "q").partition('resource "aws_iam_role_policy"')
    policies = in_terraform("s3:*") + "".join(other[1:])
    scratch = with_settings(
        tmp_path,
        "policies: [{files: ['infra/*.tf'], kind: identity, reference: c.json, bound: always}]\n",
        **{"c.json": document(allow("s3:*")), "infra/main.tf": policies},
    )
    scratch.write("infra/main.tf", policies.replace("s3:*", "s3:Get*"))
    answer = scratch.guard("check", "--format", "concise")
    assert answer.code == 1
    assert "infra/main.tf:10:" in answer.out and "infra/main.tf:6:" not in answer.out, answer
