"""Files that serve one principal are judged as one policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import Answer, Scratch, allow, deny, document

GROUPS: dict[str, Any] = {"version": 1, "groups": [{"name": "web", "files": ["iam/web/*.json"]}]}
READ = allow("s3:GetObject")
DELETE = allow("s3:DeleteObject")
NO_DELETE = deny("s3:Delete*")


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    files = {"iam/web/a.json": document(READ, DELETE), "iam/web/b.json": document(allow("s3:ListBucket"))}
    made.commit(**{".policy-guard.yaml": GROUPS, "iam/alone.json": document(READ)}, **files)
    return made


def findings(answer: Answer) -> list[tuple[str, str, str]]:
    assert answer.code in (0, 1), answer
    report = json.loads(answer.out)
    return [(each["check"], each["severity"], each["path"]) for each in report["findings"]]


def judged(scratch: Scratch, *arguments: str) -> list[tuple[str, str, str]]:
    return findings(scratch.guard("check", "--format", "json", *arguments))


def test_a_statement_that_moves_to_another_file_is_no_new_access(scratch: Scratch) -> None:
    scratch.write("iam/web/a.json", document(READ))
    scratch.write("iam/web/b.json", document(allow("s3:ListBucket"), DELETE))
    answer = scratch.guard()
    assert answer.code == 0, answer.out
    assert "1 policy changed since" in answer.out


def test_a_statement_that_moves_out_of_the_group_is_new_access_there(scratch: Scratch) -> None:
    scratch.write("iam/web/a.json", document(READ))
    scratch.write("iam/alone.json", document(READ, DELETE))
    assert judged(scratch) == [("no-new-access", "error", "iam/alone.json")]


def test_new_access_is_told_with_its_file_and_the_group(scratch: Scratch) -> None:
    scratch.write("iam/web/b.json", document(allow("s3:PutObject")))
    answer = scratch.guard()
    assert answer.code == 1
    assert "iam/web/b.json:7:9: error: grants new access [no-new-access]" in answer.out
    assert "web, whose files are judged as one policy" in answer.out


def test_a_deny_in_one_file_limits_what_another_allows(scratch: Scratch) -> None:
    scratch.commit(**{"iam/web/c.json": document(deny("s3:Put*"))})
    scratch.write("iam/web/b.json", document(allow("s3:ListBucket"), allow("s3:PutObject")))
    assert judged(scratch) == []


def test_taking_a_deny_out_of_one_file_is_new_access_of_another(scratch: Scratch) -> None:
    scratch.commit(**{"iam/web/c.json": document(NO_DELETE)})
    (scratch.folder / "iam/web/c.json").unlink()
    assert judged(scratch) == [
        ("no-new-access", "error", "iam/web/a.json"),
        ("no-lost-deny", "warning", "iam/web/c.json"),
    ]


def test_a_new_file_cannot_bring_a_group_along(scratch: Scratch) -> None:
    """Which files belong together says the base: this change would hide new access behind another file's Deny."""
    wide = {"version": 1, "groups": [{"name": "web", "files": ["iam/**"]}]}
    scratch.commit(**{"iam/denies.json": document(deny("*"))})
    scratch.write(".policy-guard.yaml", wide)
    scratch.write("iam/alone.json", document(allow("s3:*")))
    assert judged(scratch) == [("no-new-access", "error", "iam/alone.json")]
    assert "the groups changed here" in scratch.guard().out + scratch.guard().err


def test_a_group_that_is_taken_out_still_holds(scratch: Scratch) -> None:
    scratch.commit(**{"iam/web/c.json": document(NO_DELETE)})
    scratch.write(".policy-guard.yaml", {"version": 1})
    (scratch.folder / "iam/web/c.json").unlink()
    assert ("no-new-access", "error", "iam/web/a.json") in judged(scratch)


def test_a_file_that_leaves_the_group_is_new_where_it_comes(scratch: Scratch) -> None:
    scratch.git("mv", "iam/web/a.json", "iam/a.json")
    assert judged(scratch) == [("no-new-access", "error", "iam/a.json")] * 2


def test_a_renamed_member_stays_one(scratch: Scratch) -> None:
    scratch.git("mv", "iam/web/a.json", "iam/web/z.json")
    assert judged(scratch) == []


def test_a_file_in_two_groups_is_judged_in_each(scratch: Scratch) -> None:
    both = {"version": 1, "groups": [*GROUPS["groups"], {"name": "all", "files": ["iam/**"]}]}
    scratch.commit(**{".policy-guard.yaml": both})
    scratch.write("iam/web/a.json", document(READ, allow("s3:PutObject")))
    assert judged(scratch) == [("no-new-access", "error", "iam/web/a.json")] * 2
    scratch.write("iam/web/a.json", document(READ))
    scratch.write("iam/alone.json", document(READ, DELETE))
    assert judged(scratch) == []


def test_each_file_keeps_its_own_version(scratch: Scratch) -> None:
    """In a policy without Version a variable is plain text, whatever the other files say."""
    own = allow("s3:GetObject", resource="arn:aws:s3:::home/${aws:username}")
    scratch.commit(**{"iam/web/b.json": document(own)})
    scratch.write("iam/web/b.json", document(allow("s3:ListBucket")))
    scratch.write("iam/web/a.json", document(READ, DELETE))
    assert judged(scratch) == [("no-new-access", "error", "iam/web/b.json")]
    scratch.commit(**{"iam/web/a.json": document(allow("s3:ListBucket")), "iam/web/b.json": {"Statement": [own]}})
    scratch.write("iam/web/a.json", document(own))
    scratch.write("iam/web/b.json", {"Statement": [{**own, "Action": "s3:HeadObject"}]})
    assert ("no-new-access", "error", "iam/web/a.json") in judged(scratch)


def test_an_unknown_part_is_another_in_another_file(scratch: Scratch) -> None:
    own = allow("s3:GetObject", resource="arn:aws:s3:::${bucket}/*")
    scratch.commit(**{"iam/web/a.json": document(own, DELETE)})
    scratch.write("iam/web/a.json", document(DELETE))
    scratch.write("iam/web/b.json", document(allow("s3:ListBucket"), own))
    assert judged(scratch) == [("no-new-access", "error", "iam/web/b.json")]


def test_an_unknown_part_is_the_same_where_the_group_says_so(scratch: Scratch) -> None:
    own = allow("s3:GetObject", resource="arn:aws:s3:::${bucket}/*")
    same = {"version": 1, "groups": [{**GROUPS["groups"][0], "same-holes": True}]}
    scratch.commit(**{".policy-guard.yaml": same, "iam/web/a.json": document(own, DELETE)})
    scratch.write("iam/web/a.json", document(DELETE))
    scratch.write("iam/web/b.json", document(allow("s3:ListBucket"), own))
    assert judged(scratch) == []


def test_a_member_that_cannot_be_read_fails_the_group(scratch: Scratch) -> None:
    scratch.commit(**{"iam/web/c.json": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}})
    scratch.write("iam/web/a.json", document(READ))
    assert {each[::2] for each in judged(scratch)} == {("readable", "iam/web/c.json")}


def test_a_member_of_another_kind_fails_the_group(scratch: Scratch) -> None:
    scratch.write("iam/web/c.json", document({**READ, "Principal": "*"}))
    assert judged(scratch) == [("readable", "error", "iam/web/c.json")]


def test_a_critical_permission_that_another_file_denies_is_not_granted(scratch: Scratch) -> None:
    listed = {"version": 1, "permissions": [{"id": "delete", "actions": ["s3:DeleteObject"], "reason": "logs"}]}
    scratch.commit(**{".policy-guard.yaml": {**GROUPS, "critical": "critical.yaml"}, "critical.yaml": listed})
    scratch.write("iam/web/b.json", document(allow("s3:ListAllMyBuckets"), NO_DELETE))
    assert ("access-not-granted", "error", "iam/web/a.json") not in judged(scratch)
    scratch.commit()
    assert judged(scratch, "--all") == []
    scratch.commit(**{"iam/web/b.json": document(allow("s3:ListBucket"))})
    assert ("access-not-granted", "warning", "iam/web/a.json") in judged(scratch, "--all")


def test_an_unknown_principal_is_another_in_another_file(scratch: Scratch) -> None:
    own = {**READ, "Principal": {"AWS": "${who}"}}
    files = {"iam/web/a.json": document(own, {**own, "Action": "s3:List*"}), "iam/web/b.json": document(own)}
    scratch.commit(**files)
    scratch.write("iam/web/a.json", document(own))
    scratch.write("iam/web/b.json", document(own, {**own, "Action": "s3:List*"}))
    new = [each for each in judged(scratch) if each[0] == "no-new-access"]
    assert new == [("no-new-access", "error", "iam/web/b.json")]


def test_settings_behind_a_link_are_those_of_the_base_too(scratch: Scratch) -> None:
    (scratch.folder / ".policy-guard.yaml").unlink()
    (scratch.folder / ".policy-guard.yaml").symlink_to("conf/guard.yaml")
    scratch.commit(**{"conf/guard.yaml": GROUPS, "iam/denies.json": document(deny("*"))})
    scratch.write("conf/guard.yaml", {"version": 1, "groups": [{"name": "web", "files": ["iam/**"]}]})
    scratch.write("iam/alone.json", document(allow("s3:*")))
    assert judged(scratch) == [("no-new-access", "error", "iam/alone.json")]


def test_settings_that_are_deleted_leave_the_groups_of_the_base(scratch: Scratch) -> None:
    scratch.commit(**{"iam/web/c.json": document(NO_DELETE)})
    (scratch.folder / ".policy-guard.yaml").unlink()
    (scratch.folder / "iam/web/c.json").unlink()
    assert ("no-new-access", "error", "iam/web/a.json") in judged(scratch)


@pytest.mark.parametrize("folder", [".", "iam"])
def test_settings_named_on_the_command_line_are_those_of_the_base_too(scratch: Scratch, folder: str) -> None:
    scratch.commit(**{"conf/guard.yaml": GROUPS, "iam/denies.json": document(deny("*"))})
    scratch.write("conf/guard.yaml", {"version": 1, "groups": [{"name": "web", "files": ["iam/**"]}]})
    scratch.write("iam/alone.json", document(allow("s3:*")))
    named = "conf/guard.yaml" if folder == "." else "../conf/guard.yaml"
    answer = scratch.guard("check", "--format", "json", "--config", named, folder=folder)
    assert findings(answer) == [("no-new-access", "error", "iam/alone.json")]


def test_settings_outside_of_the_repository_keep_their_groups(scratch: Scratch, tmp_path: Path) -> None:
    settings = tmp_path / "outside.yaml"
    settings.write_text(json.dumps(GROUPS))
    scratch.write("iam/web/b.json", document(allow("s3:*"), NO_DELETE))
    inside = [each[::2] for each in judged(scratch)]
    answer = scratch.guard("check", "--format", "json", "--config", str(settings))
    assert [each[::2] for each in findings(answer)] == inside
    assert "the settings change" not in answer.out and "the groups changed" not in answer.out


def test_a_line_that_need_not_be_readable_leaves_no_group_unjudged(scratch: Scratch) -> None:
    broken = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}
    line = json.dumps(broken, indent=2).split("\n")[3]
    ignored = {"file": "iam/web/c.json", "line": line, "reason": "legacy", "expires": "2999-01-01"}
    scratch.commit(**{".policy-guard.yaml": {**GROUPS, "ignore-unreadable": [ignored]}, "iam/web/c.json": broken})
    scratch.write("iam/web/b.json", document(allow("*")))
    assert scratch.guard().code == 1


def test_an_old_member_that_cannot_be_read_may_have_been_the_deny(scratch: Scratch) -> None:
    scratch.commit(**{"iam/web/c.json": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*"}]}})
    (scratch.folder / "iam/web/c.json").unlink()
    assert ("readable", "error", "iam/web/c.json") in judged(scratch)


def test_a_member_that_is_a_link_counts_with_what_it_leads_to(scratch: Scratch) -> None:
    (scratch.folder / "iam/web/c.json").symlink_to("../denies.json")
    scratch.commit(**{"iam/denies.json": document(NO_DELETE)})
    scratch.write("iam/denies.json", document(deny("s3:DeleteBucket")))
    assert ("no-new-access", "error", "iam/web/a.json") in judged(scratch)


def of(role: str, *statements: dict[str, Any]) -> dict[str, Any]:
    return {"RoleName": role, "PolicyDocument": document(*statements)}


ADMIN = allow("*")


def test_documents_of_two_holders_that_change_places_are_new_access(scratch: Scratch) -> None:
    scratch.commit(**{"iam/web/a.json": {"Policies": [of("Admin", ADMIN), of("Intern", READ)]}})
    scratch.write("iam/web/a.json", {"Policies": [of("Admin", READ), of("Intern", ADMIN)]})
    answer = scratch.guard()
    assert answer.code == 1 and "iam/web/a.json" in answer.out and "grants new access" in answer.out
    assert "the files of the group web name several holders" in answer.out


def test_a_policy_that_is_given_to_another_holder_is_new_access(scratch: Scratch) -> None:
    scratch.commit(**{"iam/web/a.json": of("Orders", ADMIN)})
    scratch.write("iam/web/a.json", of("Intern", ADMIN))
    assert ("no-new-access", "error", "iam/web/a.json") in judged(scratch)


def test_holders_that_change_places_between_files_are_new_access(scratch: Scratch) -> None:
    scratch.commit(**{"iam/web/a.json": of("Admin", ADMIN), "iam/web/b.json": of("Intern", READ)})
    scratch.write("iam/web/a.json", of("Intern", ADMIN))
    scratch.write("iam/web/b.json", of("Admin", READ))
    assert ("no-new-access", "error", "iam/web/a.json") in judged(scratch)


def test_a_deny_of_another_holder_limits_nothing(scratch: Scratch) -> None:
    scratch.commit(**{"iam/web/a.json": of("Orders", READ), "iam/web/b.json": of("Intern", deny("*"))})
    scratch.write("iam/web/a.json", of("Orders", ADMIN))
    assert ("no-new-access", "error", "iam/web/a.json") in judged(scratch)


def test_a_deny_of_nobody_in_particular_is_no_company_once_a_holder_goes(scratch: Scratch) -> None:
    files = {"a": of("Orders", READ), "b": of("Intern", READ), "c": document(deny("*"))}
    scratch.commit(**{f"iam/web/{name}.json": content for name, content in files.items()})
    scratch.write("iam/web/a.json", of("Orders", ADMIN))
    (scratch.folder / "iam/web/b.json").unlink()
    assert ("no-new-access", "error", "iam/web/a.json") in judged(scratch)


def test_files_of_one_holder_are_one_policy_with_those_of_nobody_in_particular(scratch: Scratch) -> None:
    scratch.commit(**{"iam/web/a.json": of("Orders", READ, DELETE), "iam/web/c.json": document(deny("s3:Put*"))})
    scratch.write("iam/web/a.json", of("Orders", READ, allow("s3:PutObject")))
    scratch.write("iam/web/b.json", document(allow("s3:ListBucket"), DELETE))
    assert judged(scratch) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"exclude": ["iam/web/legacy-*"]}, {}),
        ({}, {"policies": [{"files": ["iam/web/*.txt"]}]}),
    ],
    ids=["an exclude goes", "a rule comes"],
)
def test_what_a_change_wants_looked_at_is_no_company(
    scratch: Scratch, before: dict[str, Any], after: dict[str, Any]
) -> None:
    groups = {"version": 1, "groups": [{"name": "web", "files": ["iam/web/*"]}]}
    aside = {"iam/web/legacy-d.json": document(deny("*"))} if before else {"iam/web/d.txt": document(deny("*"))}
    base = scratch.commit(**{".policy-guard.yaml": {**groups, **before}, **aside})
    scratch.commit(**{".policy-guard.yaml": {**groups, **after}, "iam/web/b.json": document(ADMIN)})
    answer = scratch.guard("check", "--base", base, "--format", "json", CI="true")
    assert ("no-new-access", "error", "iam/web/b.json") in findings(answer)


def test_a_file_that_is_no_longer_excluded_is_judged_alone(scratch: Scratch) -> None:
    excluding = {**GROUPS, "exclude": ["iam/web/late.json"]}
    base = scratch.commit(**{".policy-guard.yaml": excluding, "iam/web/late.json": document(READ)})
    scratch.commit(**{".policy-guard.yaml": GROUPS, "iam/web/late.json": document(READ, DELETE)})
    answer = scratch.guard("check", "--base", base, "--format", "json", CI="true")
    assert set(findings(answer)) == {("no-new-access", "error", "iam/web/late.json")}


USER = """\
Resources:
  Clerk:
    Type: AWS::IAM::User
    Properties:
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/{attached}']
"""


def test_what_a_template_of_a_group_attaches_is_judged(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "other")
    settings = {"version": 1, "groups": [{"name": "stack", "files": ["stack.yaml"]}]}
    scratch.commit(**{".policy-guard.yaml": settings, "stack.yaml": USER.format(attached="AmazonS3ReadOnlyAccess")})
    scratch.write("stack.yaml", USER.format(attached="AdministratorAccess"))
    assert judged(scratch) == [("no-new-access", "error", "stack.yaml")]


def test_what_a_template_attaches_is_asked_for_critical_permissions_though_nothing_changed(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "other")
    settings = {"version": 1, "critical": "critical.yaml"}
    scratch.commit(
        **{
            ".policy-guard.yaml": settings,
            "critical.yaml": {
                "version": 1,
                "permissions": [{"id": "keys", "reason": "theirs", "actions": ["iam:CreateAccessKey"]}],
            },
            "stack.yaml": USER.format(attached="IAMFullAccess"),
        }
    )
    assert judged(scratch, "--all") == [("access-not-granted", "warning", "stack.yaml")]


def managed(name: str, *actions: str) -> str:
    return f"""\
  {name}:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: '2012-10-17'
        Statement: {{Effect: Allow, Action: {json.dumps(actions)}, Resource: '*'}}
"""


def of_policies(folder: Path, *patterns: str) -> Scratch:
    scratch = Scratch(folder / "other")
    settings = {"version": 1, "groups": [{"name": "service", "files": list(patterns)}]}
    template = "Resources:\n" + managed("A", "s3:Get*") + managed("B", "sqs:*") + managed("C", "sns:*")
    scratch.commit(**{".policy-guard.yaml": settings, "stack.yaml": template})
    return scratch


def test_policies_of_a_template_are_grouped_by_their_addresses(tmp_path: Path) -> None:
    scratch = of_policies(tmp_path, "stack.yaml#Resources.A.PolicyDocument", "stack.yaml#Resources.B.PolicyDocument")
    template = "Resources:\n" + managed("A", "sqs:*") + managed("B", "s3:Get*") + managed("C", "sns:*")
    scratch.write("stack.yaml", template)
    answer = scratch.guard()
    assert answer.code == 0, answer
    scratch.write("stack.yaml", template.replace("sns", "s3").replace("sqs", "sns"))
    answer = scratch.guard()
    assert answer.out.count("grants new access [no-new-access]") == 2, answer.out
    assert answer.out.count("service, whose files are judged as one policy") == 1


def test_an_address_of_a_group_that_names_nothing_fails(tmp_path: Path) -> None:
    scratch = of_policies(tmp_path, "stack.yaml#Resources.A.*", "stack.yaml#Resources.D.*")
    scratch.write("stack.yaml", "Resources:\n" + managed("A", "s3:GetObject") + managed("C", "sns:*"))
    assert judged(scratch) == [("readable", "error", "stack.yaml")]
    assert "that is not there: Resources.D.*" in scratch.guard().out


def test_members_by_address_are_judged_once_though_nothing_changed(tmp_path: Path) -> None:
    scratch = of_policies(tmp_path, "stack.yaml#Resources.A.PolicyDocument", "stack.yaml#Resources.B.PolicyDocument")
    answer = scratch.guard("check", "--all")
    assert (answer.code, answer.out.split()[0]) == (0, "2"), answer


@pytest.mark.parametrize(("principal", "code"), [("alice", 0), ("bob", 1)])
def test_a_policy_at_an_address_of_a_group_that_is_given_to_another_is_new_access(
    tmp_path: Path, principal: str, code: int
) -> None:
    def template(holder: str) -> str:
        policy = managed("A", "s3:Get*").replace("ManagedPolicy", "Policy")
        return f"Resources:\n{policy}      PolicyName: a\n      Users: [{holder}]\n" + managed("B", "sqs:*")

    scratch = Scratch(tmp_path / "other")
    files = ["stack.yaml#Resources.A.PolicyDocument", "stack.yaml#Resources.B.PolicyDocument"]
    settings = {"version": 1, "groups": [{"name": "service", "files": files}]}
    scratch.commit(**{".policy-guard.yaml": settings, "stack.yaml": template("alice")})
    scratch.write("stack.yaml", template(principal) + "  # \n")
    answer = scratch.guard()
    assert answer.code == code, answer
