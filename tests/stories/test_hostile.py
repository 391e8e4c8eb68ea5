"""A hostile pull request, trick by trick: none of them passes, and what the reader sees is told here.

Settings that are weakened or deleted are in `test_trusted`, modules that lie in the checkout and a widening hidden
behind a harmless commit in `test_action`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from policy_guard.pipeline.check import Options, check
from policy_guard.solver import budget
from tests.support.examples import nightly
from tests.support.repository import ENVIRON, NARROW, WIDE, Answer, Scratch, allow, document

TODAY = date(2026, 1, 1)

GITHUB = {"CI": "true", "GITHUB_ACTIONS": ""}


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.write("iam/a.json", NARROW)
    made.write("iam/reader.json", NARROW)
    made.write("store/a.txt", NARROW)
    made.commit()
    made.git("checkout", "-q", "-b", "feature")
    return made


def judged(scratch: Scratch, **files: Any) -> Answer:
    scratch.commit(**files)
    return scratch.guard("check", "--base", "main", "--format", "github", **GITHUB)


def widened(**changes: Any) -> dict[str, Any]:
    return document({**WIDE["Statement"][0], **changes})


def seen(answer: Answer, *words: str) -> None:
    """It fails, says the words, and no line is a command but our own annotations."""
    assert answer.code == 1, answer.out + answer.err
    for word in words:
        assert word in answer.out, answer.out
    assert "##[" not in answer.out
    assert "\x1b" not in answer.out
    commands = [line for line in answer.out.splitlines() if line.lstrip().startswith("::")]
    assert all(line.startswith(("::error file=", "::warning file=", "::notice ")) for line in commands), commands


def test_a_sid_that_is_a_command(scratch: Scratch) -> None:
    answer = judged(scratch, **{"iam/a.json": widened(Sid="x ##[stop-commands]t")})
    seen(answer, '"Sid" is "x ##\\[stop-commands]t"')


def test_a_file_name_that_is_a_command(scratch: Scratch) -> None:
    seen(judged(scratch, **{"iam/x\n::error::fine.json": WIDE}), "iam/x\\n::error::fine.json:", "grants new access")


def test_colors_and_cursors_in_an_arn(scratch: Scratch) -> None:
    arn = "arn:aws:s3:::a\x1b[2K\x1b[1Aiam/a.json: proved"
    seen(judged(scratch, **{"iam/a.json": widened(Resource=arn)}), "\\x1b[2K\\x1b[1Aiam/a.json: proved")


def test_a_policy_deleted_and_its_text_under_a_role_with_less(scratch: Scratch) -> None:
    (scratch.folder / "iam/a.json").unlink()
    seen(judged(scratch, **{"iam/reader.json": WIDE}), "iam/reader.json:8:9: error: grants new access")


def test_a_policy_renamed_to_a_template(scratch: Scratch) -> None:
    scratch.git("mv", "iam/a.json", "iam/a.tpl")
    seen(judged(scratch, **{"iam/a.tpl": WIDE}), "iam/a.tpl:8:9: error: grants new access")


def test_a_policy_renamed_to_another_suffix(scratch: Scratch) -> None:
    scratch.git("mv", "iam/a.json", "iam/a.txt")
    seen(
        judged(scratch, **{"iam/a.txt": WIDE}),
        "iam/a.txt:1:1: error: was a policy at the base and is no longer checked as one",
    )


def test_a_key_spelled_with_escapes(scratch: Scratch) -> None:
    text = json.dumps(WIDE).replace("Statement", "\\u0053tatement").replace("Effect", "\\u0045ffect")
    seen(judged(scratch, **{"iam/b.json": text}), "iam/b.json:1:", "grants new access")


def test_another_encoding(scratch: Scratch) -> None:
    answer = judged(scratch, **{"iam/a.json": json.dumps(WIDE).encode("utf-16")})
    seen(answer, "the file is in UTF-16; save it as UTF-8")


@pytest.mark.parametrize("hops", [1, 2])
def test_a_link_whose_target_changes(scratch: Scratch, hops: int) -> None:
    scratch.git("checkout", "-q", "main")
    target = "../store/a.txt"
    for hop in range(hops):
        (scratch.folder / f"iam/link{hop}.json").symlink_to(target)
        target = f"link{hop}.json"
    scratch.commit()
    scratch.git("checkout", "-q", "-b", "other")
    seen(judged(scratch, **{"store/a.txt": WIDE}), f"iam/link{hops - 1}.json:8:9: error: grants new access")


def test_a_policy_that_becomes_a_link_to_more(scratch: Scratch) -> None:
    scratch.write("store/wide.txt", WIDE)
    os.remove(scratch.folder / "iam/a.json")
    (scratch.folder / "iam/a.json").symlink_to("../store/wide.txt")
    seen(judged(scratch), "iam/a.json:8:9: error: grants new access")


def test_attributes_and_filters(scratch: Scratch) -> None:
    scratch.git("config", "filter.hide.clean", "true")
    attributes = "*.json -diff -text filter=hide diff=hide linguist-generated export-ignore\n"
    scratch.write(".gitattributes", attributes)
    scratch.git("add", ".gitattributes")
    scratch.git("config", "--unset", "filter.hide.clean")
    seen(judged(scratch, **{"iam/a.json": WIDE}), "iam/a.json:8:9: error: grants new access")


def test_a_submodule_where_a_configured_policy_was(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.commit(**{".policy-guard.yaml": "version: 1\npolicies: [{files: ['iam/*']}]\n"})
    scratch.git("checkout", "-q", "-b", "other")
    scratch.git("rm", "-q", "--cached", "iam/a.json")
    os.remove(scratch.folder / "iam/a.json")
    head = scratch.git("rev-parse", "HEAD")
    scratch.git("update-index", "--add", "--cacheinfo", f"160000,{head},iam/a.json")
    scratch.git("commit", "-q", "-m", "x")
    answer = scratch.guard("check", "--base", "main", "--format", "github", **GITHUB)
    seen(answer, "a submodule is where a policy is configured")


def test_a_version_that_makes_text_a_variable(scratch: Scratch) -> None:
    home = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::home/${aws:username}/*"}
    old, new = ({"Version": version, "Statement": [home]} for version in ("2008-10-17", "2012-10-17"))
    scratch.git("checkout", "-q", "main")
    scratch.commit(**{"iam/home.json": old})
    scratch.git("checkout", "-q", "-b", "other")
    seen(judged(scratch, **{"iam/home.json": new}), "iam/home.json:", "grants new access")


@pytest.mark.parametrize("path", ["../list.yaml", "/etc/passwd", "a/../../list.yaml"])
def test_settings_that_point_outside_of_the_repository(scratch: Scratch, path: str) -> None:
    answer = judged(scratch, **{".policy-guard.yaml": f"version: 1\ncritical: {path}\n"})
    assert answer.code == 2
    assert "no policy was checked: .policy-guard.yaml:2:11: critical: " in answer.err


def test_an_acceptance_for_itself(scratch: Scratch) -> None:
    files = {
        ".policy-guard.yaml": "version: 1\naccepted: accepted.yaml\naccepted-from: head\n",
        "accepted.yaml": "version: 1\naccepted: [{file: iam/a.json, actions: ['s3:*'], reason: me}]\n",
    }
    seen(judged(scratch, **files, **{"iam/a.json": WIDE}), "iam/a.json:8:9: error: grants new access")


def test_policies_made_to_exhaust_the_budget_of_a_run(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch.commit(**{f"iam/{number}.json": WIDE for number in range(12)})
    monkeypatch.setattr(budget, "STEPS_IN_A_RUN", 1000)
    monkeypatch.setattr(budget, "STEPS_A_CHARACTER", 0)
    report = check(Options(today=TODAY, base="main"), scratch.folder, {**ENVIRON, "CI": "true"})
    assert report.fails
    assert (report.policies, report.refused) == (12, 12)
    assert {finding.outcome for finding in report.findings} == {"violated", "undecided"}


def based(scratch: Scratch, **files: Any) -> None:
    """Adds files to the base."""
    scratch.git("checkout", "-q", "main")
    scratch.commit(**files)
    scratch.git("checkout", "-q", "-b", "attack")


TRUST = document({"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"})


def named(name: str, policy: Any) -> dict[str, Any]:
    return {"PolicyName": name, "PolicyDocument": policy}


def test_a_default_branch_of_its_own_choice(scratch: Scratch, tmp_path: Path) -> None:
    scratch.git("update-ref", "refs/remotes/origin/main", "main")
    scratch.commit(**{"iam/a.json": WIDE})
    scratch.commit(**{".policy-guard.yaml": "version: 1\ndefault-branch: HEAD~1\n"})
    seen(scratch.guard("check", "--format", "github", **GITHUB), "iam/a.json:8:9: error: grants new access")


@pytest.mark.parametrize(("size", "before"), [(5, True), (9, False), nightly(5, False), nightly(9, True)])
def test_a_policy_in_a_very_large_file(scratch: Scratch, size: int, before: bool) -> None:
    blanks = " " * (size * 1024 * 1024)
    text = blanks + json.dumps(WIDE) if before else json.dumps(WIDE) + blanks
    seen(judged(scratch, **{"iam/new.json": text}), "iam/new.json:1:1: error: the file is larger than 5 MB")


def test_two_names_beside_one_policy(scratch: Scratch) -> None:
    based(scratch, **{"iam/list.json": [named("admin", WIDE), named("dev", NARROW)]})
    text = json.dumps([named("admin", WIDE)]).replace('"PolicyName"', '"PolicyName": "admin", "PolicyName"', 1)
    seen(judged(scratch, **{"iam/list.json": text.replace('"admin"}', '"dev"}')}), '"PolicyName" is written twice')


GROUP = "version: 1\ngroups: [{name: g, files: ['iam/o/*.json']}]\n"


def test_an_old_policy_that_the_change_makes_one(scratch: Scratch) -> None:
    excluded = GROUP + "exclude: ['iam/o/example-*.json']\n"
    based(scratch, **{".policy-guard.yaml": excluded, "iam/o/example-admin.json": WIDE, "iam/o/app.json": NARROW})
    seen(judged(scratch, **{".policy-guard.yaml": GROUP, "iam/o/app.json": WIDE}), "grants new access")


def test_an_old_text_that_the_change_makes_a_policy(scratch: Scratch) -> None:
    based(scratch, **{"docs/admin.txt": WIDE})
    scratch.git("mv", "docs/admin.txt", "iam/x.json")
    settings = "version: 1\npolicies: [{files: ['docs/admin.txt', 'iam/x.json']}]\n"
    seen(judged(scratch, **{".policy-guard.yaml": settings}), "iam/x.json:7:9: error: grants new access")


def test_settings_behind_a_link_that_is_moved(scratch: Scratch) -> None:
    settings = "version: 1\npolicies: [{files: ['iam/*.policy']}]\n"
    based(scratch, **{"ci/guard.yaml": settings, "iam/app.policy": NARROW})
    scratch.write("ci/guard2.yaml", "version: 1\n")
    os.remove(scratch.folder / "ci/guard.yaml")
    (scratch.folder / "ci/guard.yaml").symlink_to("guard2.yaml")
    scratch.commit(**{"iam/app.policy": WIDE})
    arguments = ("check", "--base", "main", "--config", "ci/guard.yaml", "--format", "github")
    seen(scratch.guard(*arguments, **GITHUB), "iam/app.policy:8:9: error: grants new access")


def test_a_critical_entry_of_the_same_name(scratch: Scratch) -> None:
    settings = "version: 1\ncritical: c.yaml\n"
    entries = "version: 1\npermissions: [{id: x, actions: ['*'], reason: r, files: ['prod/**']}]\n"
    based(scratch, **{".policy-guard.yaml": settings, "c.yaml": entries, "dev/adm.json": WIDE})
    scratch.git("mv", "dev/adm.json", "prod.json")
    (scratch.folder / "prod").mkdir()
    scratch.git("mv", "prod.json", "prod/adm.json")
    answer = judged(scratch, **{"c.yaml": entries.replace("prod/**", "dev/**")})
    seen(answer, "grants a critical permission, x")


@pytest.mark.parametrize("target", ["{root}/docs/w.txt", "../../d/w.txt", "/nowhere", "new.json"])
def test_a_link_that_cannot_be_followed(scratch: Scratch, target: str) -> None:
    scratch.write("docs/w.txt", WIDE)
    (scratch.folder / "d").symlink_to("docs")
    (scratch.folder / "iam/new.json").symlink_to(target.format(root=scratch.folder))
    seen(judged(scratch), "iam/new.json:1:1: error: the link leads")


def test_a_folder_that_becomes_a_link(scratch: Scratch) -> None:
    settings = "version: 1\nexclude: ['vendor/**']\npolicies: [{files: ['iam/**/*.json']}]\n"
    based(scratch, **{".policy-guard.yaml": settings, "iam/app.json": NARROW})
    scratch.git("rm", "-q", "-r", "iam")
    scratch.write("vendor/iam/app.json", WIDE)
    (scratch.folder / "iam").symlink_to("vendor/iam")
    seen(judged(scratch), "iam/app.json:8:9: error: grants new access")


EXCLUDED = "version: 1\nexclude: ['vendor/**']\npolicies: [{files: ['iam/**/*.json']}]\n"
PADDED = {**WIDE, "Id": "x" * 3000}


def test_a_folder_that_becomes_a_link_to_a_link(scratch: Scratch) -> None:
    based(scratch, **{".policy-guard.yaml": EXCLUDED, "iam/app.json": NARROW})
    scratch.git("rm", "-q", "-r", "iam")
    scratch.write("vendor/iam/app.json", PADDED)
    (scratch.folder / "vendor/l").symlink_to("iam")
    (scratch.folder / "iam").symlink_to("vendor/l")
    seen(judged(scratch), "iam/app.json:8:9: error: grants new access")


def test_what_changes_behind_a_link_to_a_folder_that_does_not(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    (scratch.folder / "iam/current").symlink_to("../vendor/v1")
    based(scratch, **{".policy-guard.yaml": EXCLUDED, "vendor/v1/app.json": NARROW})
    seen(judged(scratch, **{"vendor/v1/app.json": WIDE}), "iam/current/app.json:8:9: error: grants new access")


def test_a_link_to_a_folder_gives_a_file_to_a_group(scratch: Scratch) -> None:
    settings = "version: 1\npolicies: [{files: ['roles/o/*']}]\ngroups: [{name: o, files: ['roles/o/*']}]\n"
    based(scratch, **{".policy-guard.yaml": settings, "roles/o/app.policy": NARROW})
    scratch.git("rm", "-q", "-r", "roles")
    (scratch.folder / "roles").mkdir()
    (scratch.folder / "roles/o").symlink_to("../docs/o")
    seen(judged(scratch, **{"docs/o/app.policy": PADDED}), "file=roles/o/app.policy", "New access")


@pytest.mark.parametrize("target", ["/tmp/elsewhere", "../elsewhere", "iam", "lib/iam"])
def test_a_folder_that_becomes_a_link_out_of_sight(scratch: Scratch, target: str) -> None:
    head = scratch.git("rev-parse", "HEAD")
    scratch.git("rm", "-q", "-r", "iam")
    (scratch.folder / "iam").symlink_to(target)
    scratch.git("add", "iam")
    scratch.git("update-index", "--add", "--cacheinfo", f"160000,{head},lib")
    scratch.git("commit", "-q", "-m", "x")
    answer = scratch.guard("check", "--base", "main", "--format", "github", **GITHUB)
    seen(answer, "what replaces them is not checked")


def test_a_link_in_the_middle_that_is_moved(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    (scratch.folder / "x").mkdir()
    (scratch.folder / "iam/l.json").symlink_to("../x/b")
    (scratch.folder / "x/b").symlink_to("../d/p.policy")
    based(scratch, **{"d/p.policy": NARROW, "d/q.policy": WIDE})
    (scratch.folder / "x/b").unlink()
    (scratch.folder / "x/b").symlink_to("../d/q.policy")
    seen(judged(scratch), "file=iam/l.json", "grants new access")


def test_a_link_over_a_folder_that_changes(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    (scratch.folder / "cur").symlink_to("rel/v1")
    (scratch.folder / "iam/l.json").symlink_to("../cur/adm.policy")
    based(scratch, **{"rel/v1/adm.policy": NARROW})
    seen(judged(scratch, **{"rel/v1/adm.policy": WIDE}), "file=iam/l.json", "grants new access")


def test_a_step_up_behind_a_link_goes_where_the_system_goes(scratch: Scratch) -> None:
    based(scratch, **{"rel/v1/x": "x", "x.policy": NARROW, "rel/x.policy": WIDE})
    (scratch.folder / "cur").symlink_to("rel/v1")
    (scratch.folder / "iam/reader.json").unlink()
    (scratch.folder / "iam/reader.json").symlink_to("../cur/../x.policy")
    seen(judged(scratch), "file=iam/reader.json", "grants new access")


def test_a_file_behind_a_link_that_git_writes_in_another_encoding(scratch: Scratch) -> None:
    (scratch.folder / "iam/l.json").symlink_to("../d/p.policy")
    answer = judged(
        scratch, **{"d/p.policy": NARROW, "d/.gitattributes": "*.policy working-tree-encoding=ASCII//TRANSLIT\n"}
    )
    seen(answer, "file=d/p.policy", "git rewrites this file for working-tree-encoding")


def test_aliases_beside_a_policy_end(scratch: Scratch) -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 9))
    text = f"l0: &l0 [x]\n{levels}Policy: {json.dumps(WIDE)}\n"
    seen(judged(scratch, **{"iam/new.yaml": text}), "iam/new.yaml")


def _account(attached: list[Any], groups: list[str]) -> dict[str, Any]:
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": WIDE}
    return {
        "RoleDetailList": [{"RoleName": "r", "AttachedManagedPolicies": attached}],
        "UserDetailList": [{"UserName": "u", "GroupList": groups}],
        "GroupDetailList": [{"GroupName": "admins", "GroupPolicyList": [named("g", WIDE)]}],
        "Policies": [{"PolicyName": "w", "Arn": "arn:aws:iam::1:policy/w", "PolicyVersionList": [version]}],
    }


HOLDERS = {
    "a role": (
        {"p/1.json": {"RoleName": "admin", "PolicyName": "p", "PolicyDocument": WIDE}},
        {"p/1.json": {"RoleName": "dev", "PolicyName": "p", "PolicyDocument": WIDE}},
    ),
    "two buckets of a list": (
        {"p/1.json": [{"Bucket": "public", "Policy": WIDE}, {"Bucket": "secret", "Policy": NARROW}]},
        {"p/1.json": [{"Bucket": "secret", "Policy": WIDE}, {"Bucket": "public", "Policy": NARROW}]},
    ),
    "one more role": (
        {"p/1.json": {"Roles": ["admin"], "PolicyDocument": WIDE}},
        {"p/1.json": {"Roles": ["admin", "dev"], "PolicyDocument": WIDE}},
    ),
    "an endpoint": (
        {"p/1.json": [{"Endpoint": "a", "Policy": WIDE}, {"Endpoint": "b", "Policy": NARROW}]},
        {"p/1.json": [{"Endpoint": "b", "Policy": WIDE}, {"Endpoint": "a", "Policy": NARROW}]},
    ),
    "an account": (
        {"p/1.json": [{"Account": "a", "PolicyDocument": WIDE}, {"Account": "b", "PolicyDocument": NARROW}]},
        {"p/1.json": [{"Account": "b", "PolicyDocument": WIDE}, {"Account": "a", "PolicyDocument": NARROW}]},
    ),
    "a role with its trust policy": (
        {"p/1.json": {"Role": {"RoleName": "a", "AssumeRolePolicyDocument": TRUST}, "PolicyDocument": WIDE}},
        {"p/1.json": {"Role": {"RoleName": "b", "AssumeRolePolicyDocument": TRUST}, "PolicyDocument": WIDE}},
    ),
    "a role beside a policy deeper inside": (
        {"p/1.json": {"Role": [{"RoleName": "a", "Of": {"x": TRUST}}], "PolicyDocument": WIDE}},
        {"p/1.json": {"Role": [{"RoleName": "b", "Of": {"x": TRUST}}], "PolicyDocument": WIDE}},
    ),
    "its roles": (
        {"p/1.json": {"PolicyRoles": [{"RoleName": "a"}], "PolicyDocument": WIDE}},
        {"p/1.json": {"PolicyRoles": [{"RoleName": "b"}], "PolicyDocument": WIDE}},
    ),
    "a name that looks like two": (
        {"p/1.json": [{"PolicyName": "p", "RoleName": "admin", "PolicyDocument": WIDE}]},
        {"p/1.json": [{"PolicyName": "p,RoleName=admin", "Roles": ["dev"], "PolicyDocument": WIDE}]},
    ),
    "the policy that a command of Organizations overwrites": (
        {"p/1.json": {"PolicyId": "p-loose", "Content": json.dumps(WIDE)}},
        {"p/1.json": {"PolicyId": "p-guard", "Content": json.dumps(WIDE)}},
    ),
    "a policy of AWS IoT, which is attached by name": (
        {"p/1.json": {"policyName": "a", "policyDocument": json.dumps(WIDE)}},
        {"p/1.json": {"policyName": "b", "policyDocument": json.dumps(WIDE)}},
    ),
    "the version that counts": (
        {"p/1.json": {"PolicyVersion": {"VersionId": "v2", "IsDefaultVersion": False, "Document": WIDE}}},
        {"p/1.json": {"PolicyVersion": {"VersionId": "v2", "IsDefaultVersion": True, "Document": WIDE}}},
    ),
}


ACCOUNTS = {
    "the role that has a policy of the same file": (
        {"p/1.json": _account([], ["dev"])},
        {"p/1.json": _account([{"PolicyName": "w", "PolicyArn": "arn:aws:iam::1:policy/w"}], ["dev"])},
    ),
    "the user of a group of the same file": (
        {"p/1.json": _account([], ["dev"])},
        {"p/1.json": _account([], ["admins"])},
    ),
}


@pytest.mark.parametrize("whose", HOLDERS)
def test_a_policy_that_gets_another_holder(scratch: Scratch, whose: str) -> None:
    before, after = HOLDERS[whose]
    based(scratch, **before)
    seen(judged(scratch, **after), "grants new access", "now belongs to a different principal")


@pytest.mark.parametrize("whose", ACCOUNTS)
def test_a_policy_of_an_account_that_another_principal_gets(scratch: Scratch, whose: str) -> None:
    before, after = ACCOUNTS[whose]
    based(scratch, **before)
    seen(judged(scratch, **after), "grants new access")


def test_a_version_that_counts_no_more_gives_nothing(scratch: Scratch) -> None:
    before, after = HOLDERS["the version that counts"]
    based(scratch, **after)
    assert judged(scratch, **before).code == 0


def test_what_else_stands_beside_a_policy_may_change(scratch: Scratch) -> None:
    def beside(number: int) -> dict[str, Any]:
        inline = [named("inline", document(allow("s3:Get*" if number == 1 else "s3:GetObject")))]
        counted = {"AttachmentCount": number, "UpdateDate": str(number), "Description": str(number), "Tags": [number]}
        counted |= {"RevisionId": str(number), "UpdatedAt": number, "ManagedPolicyArns": [number]}
        return {"RoleName": "r", **counted, "RolePolicyList": inline, "AssumeRolePolicyDocument": TRUST}

    based(scratch, **{"p/1.json": beside(1)})
    assert judged(scratch, **{"p/1.json": beside(2)}).code == 0


def test_a_policy_that_gets_another_name_alone(scratch: Scratch) -> None:
    based(scratch, **{"p/1.json": {"RoleName": "r", **named("one", WIDE)}})
    answer = judged(scratch, **{"p/1.json": {"RoleName": "r", **named("two", WIDE)}})
    assert answer.code == 0, answer


FRESH = {
    "in a list": [WIDE],
    "in a wrapper": {"Policy": WIDE},
    "of another kind": widened(Principal="*"),
}


@pytest.mark.parametrize("how", FRESH)
def test_a_file_that_is_not_new_is_no_new_file(scratch: Scratch, how: str) -> None:
    based(scratch, **{".policy-guard.yaml": "version: 1\nnew-files: 'off'\n"})
    seen(judged(scratch, **{"iam/a.json": FRESH[how]}), "grants new access")


def test_a_policy_that_moves_and_grows_beyond_recognition(scratch: Scratch) -> None:
    scratch.git("rm", "-q", "iam/a.json")
    seen(judged(scratch, **{"iam/a.txt": PADDED}), "file=iam/a.txt", "files with this name are not checked")


MOVED = {
    "with blanks behind": json.dumps(WIDE) + " " * 1_000_001,
    "as YAML in braces": "{Version: '2012-10-17', Statement: [{Effect: Allow, Action: '*', Resource: '*'}]}",
    "with a name twice": json.dumps(WIDE).replace('"Statement"', '"Statement": [], "Statement"'),
}


@pytest.mark.parametrize("how", MOVED)
def test_a_policy_that_moves_out_of_sight_in_another_shape(scratch: Scratch, how: str) -> None:
    scratch.git("rm", "-q", "iam/a.json")
    seen(judged(scratch, **{"iam/wide.txt": MOVED[how]}), "file=iam/wide.txt", "files with this name are not checked")


@pytest.mark.parametrize("path", ["docs/policies.md", "tools/main.py"])
def test_prose_and_programs_that_show_a_policy_are_none(scratch: Scratch, path: str) -> None:
    scratch.git("rm", "-q", "iam/a.json")
    prose = "Some words about what this is for.\n" * 50
    text = f"# An example\n\n{prose}```json\n{json.dumps(WIDE, indent=2)}\n```\n"
    assert judged(scratch, **{path: text}).code == 0


def test_a_file_that_git_writes_in_another_encoding(scratch: Scratch) -> None:
    answer = judged(scratch, **{"iam/.gitattributes": "*.json working-tree-encoding=ASCII//TRANSLIT\n"})
    seen(answer, "file=iam/a.json", "git rewrites this file for working-tree-encoding=ASCII//TRANSLIT")
    scratch.git("reset", "-q", "--hard", "main")
    assert judged(scratch, **{".gitattributes": "*.ps1 working-tree-encoding=UTF-16\n"}).code == 0


def test_an_lfs_pointer_is_told(scratch: Scratch) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    answer = judged(scratch, **{"iam/new.json": pointer})
    assert "not checked: iam/new.json: is an LFS pointer; the file behind it is not in git" in answer.out


def test_a_critical_list_outside_of_the_repository_is_not_shown(scratch: Scratch) -> None:
    (scratch.folder / "c.yaml").symlink_to("/etc/passwd")
    answer = judged(scratch, **{".policy-guard.yaml": "version: 1\ncritical: c.yaml\n"})
    assert answer.code == 2
    assert "c.yaml is a link that leads out of the repository" in answer.err
    assert "root" not in answer.out


def test_history_that_a_shallow_clone_lacks(scratch: Scratch, tmp_path: Path) -> None:
    scratch.git("checkout", "-q", "main")
    wide = scratch.commit(**{"iam/a.json": WIDE})
    scratch.commit(**{"iam/a.json": NARROW})
    scratch.commit(elsewhere="x")
    scratch.git("checkout", "-q", "-B", "feature")
    scratch.commit(**{"iam/a.json": WIDE})
    for number in range(12):
        scratch.commit(elsewhere=str(number))
    tree = scratch.git("rev-parse", "HEAD^{tree}")
    scratch.git("reset", "-q", "--hard", scratch.git("commit-tree", tree, "-p", "HEAD", "-p", wide, "-m", "x"))
    clone = Scratch.clone(scratch, tmp_path / "clone", "--depth=5", "--no-single-branch", "--branch", "feature")
    clone.git("update-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    answer = clone.guard("check", **GITHUB)
    assert answer.code == 2
    assert "this clone is cut off before it is sure where the branch left origin/HEAD" in answer.err


def test_links_that_lead_in_circles_end(scratch: Scratch) -> None:
    for number in range(300):
        (scratch.folder / f"iam/{number}.json").symlink_to(f"{number + 1}.json")
    (scratch.folder / "iam/up").symlink_to("..")
    (scratch.folder / "iam/down").symlink_to("up/iam")
    seen(judged(scratch), "the link leads in a circle, or over more than 32 others")


def test_a_folder_that_becomes_a_submodule(scratch: Scratch) -> None:
    head = scratch.git("rev-parse", "HEAD")
    scratch.git("rm", "-q", "-r", "iam")
    scratch.git("update-index", "--add", "--cacheinfo", f"160000,{head},iam")
    scratch.git("commit", "-q", "-m", "x")
    answer = scratch.guard("check", "--base", "main", "--format", "github", **GITHUB)
    seen(answer, "what replaces them is not checked")


def test_the_target_of_a_link_that_goes(scratch: Scratch) -> None:
    settings = "version: 1\npolicies: [{files: ['scp/*.json'], kind: scp}]\n"
    denied = document({"Effect": "Deny", "Action": "s3:*", "Resource": "*"})
    scratch.git("checkout", "-q", "main")
    (scratch.folder / "scp").mkdir()
    (scratch.folder / "scp/deny.json").symlink_to("../data/deny.txt")
    based(scratch, **{".policy-guard.yaml": settings, "data/deny.txt": denied})
    os.remove(scratch.folder / "data/deny.txt")
    seen(judged(scratch), "scp/deny.json:1:1: error: the link leads to no file")


def test_several_points_in_common_with_the_base(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.commit(**{"iam/a.json": WIDE})
    scratch.git("checkout", "-q", "-b", "pr1")
    scratch.commit(**{"iam/a.json": NARROW})
    scratch.git("checkout", "-q", "main")
    scratch.commit(elsewhere="x")
    scratch.git("checkout", "-q", "-b", "criss")
    scratch.git("merge", "-q", "--no-edit", "pr1")
    scratch.commit(**{"iam/a.json": WIDE})
    scratch.git("checkout", "-q", "main")
    scratch.git("merge", "-q", "--no-edit", "pr1")
    scratch.git("update-ref", "refs/remotes/origin/main", "main")
    scratch.git("checkout", "-q", "criss")
    answer = scratch.guard("check", **GITHUB)
    assert answer.code == 2
    assert "several points in common" in answer.err


HIDING = {
    "a.json.tftpl": '{{"Statement": [{0}, {{"Effect": "Deny", "Action": "a:b", "Sid": "%{{ endif }}"}}]}}',
    "a.json.j2": '{{"Statement": [{0}], "Id": "{{# x #}}"}}',
    "a.json.tmpl": '{{"Statement": [{0}], "Id": "{{{{/* x */}}}}"}}',
    "b.json.tftpl": '{{"Version": "2012-10-17", "State${{""}}ment": [{0}]}}',
    "b.json.j2": '{{"Version": "2012-10-17", "State{{##}}ment": [{0}]}}',
    "c.json": '{{"Statement": {{"Fn::If": ["c", {0}, {0}]}}}}',
    "tag.yaml": "Statement:\n- {{Effect: !Ref Deny, Action: '*', Resource: '*'}}\n",
    "tags.yaml": "Statement: !Reverse\n- {{Effect: Deny, Action: '*', Resource: '*'}}\n",
    "not.yaml": "Statement:\n- !Not {{Effect: Deny, Action: '*', Resource: '*'}}\n",
    "drop.yaml": "Statement:\n- {{Effect: Deny, Action: '*', Resource: '*', Condition: !Drop {{}}}}",
    "break.yaml": "Statement:\n- {0} # all\u2028- {{Effect: Deny, NotAction: 's3:GetObject', Resource: '*'}}\n",
}


@pytest.mark.parametrize("name", HIDING)
def test_what_a_template_or_another_reader_would_see(scratch: Scratch, name: str) -> None:
    wide = '{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}'
    based(scratch, **{".policy-guard.yaml": "version: 1\nnew-files: 'off'\n"})
    seen(judged(scratch, **{f"iam/{name}": HIDING[name].format(wide)}), f"iam/{name}:", "readable, unreadable")


def test_a_reference_for_a_policy_that_only_moved_inside_its_file(scratch: Scratch) -> None:
    settings = "version: 1\npolicies: [{files: ['iam/*.json'], reference: baseline.json}]\n"
    based(scratch, **{".policy-guard.yaml": settings, "baseline.json": WIDE})
    seen(judged(scratch, **{"iam/a.json": {"PolicyDocument": WIDE}}), "iam/a.json:", "grants new access")


def test_a_policy_that_moves_deeper_where_another_goes(scratch: Scratch) -> None:
    deeper = {"Resource": {"Properties": {"PolicyDocument": NARROW}}}
    based(scratch, **{"iam/list.json": [named("a", NARROW), named("b", NARROW), deeper]})
    moved = {"Name": "b", "Resource": {"Properties": {"PolicyDocument": WIDE}}}
    seen(
        judged(scratch, **{"iam/list.json": [named("a", NARROW), moved]}),
        "was a policy at the base and is no longer checked as one",
    )


REPLACED = {
    "of a map by name": ({"a": NARROW, "b": NARROW}, "{a: NARROW, b: !Include b.json}"),
    "of a map by name by a mapping": ({"a": NARROW, "b": NARROW}, "{a: NARROW, b: {Fn::Transform: {Name: x}}}"),
    "of a map by name by a text": ({"a": NARROW, "b": NARROW}, "{a: NARROW, b: '${file(b.json)}'}"),
    "under its key": ({"Policy": NARROW, "Document": NARROW}, "{Policy: NARROW, Document: !Join ['', [a, b]]}"),
    "of a list": ([named("a", NARROW), named("b", NARROW)], "[{Name: a, Policy: NARROW}, !Include b.json]"),
    "of a list by a text": ([named("a", NARROW), named("b", NARROW)], "[{Name: a, Policy: NARROW}, '{{ b }}']"),
    "of a list in an answer": (
        {"Policy": NARROW, "Policies": [{"Name": "b", "Document": NARROW}]},
        "{Policy: NARROW, Policies: [{Ref: b}]}",
    ),
    "with its list": (
        {"Policy": NARROW, "Policies": [{"Name": "b", "Document": NARROW}]},
        "{Policy: NARROW, Policies: !If [a]}",
    ),
}


@pytest.mark.parametrize("which", REPLACED)
def test_one_of_several_policies_that_gives_way_to_what_a_deployer_fills_in(scratch: Scratch, which: str) -> None:
    before, after = REPLACED[which]
    based(scratch, **{"p/1.yaml": json.dumps(before)})
    text = after.replace("NARROW", json.dumps(NARROW))
    seen(judged(scratch, **{"p/1.yaml": text}), "error: ", "[readable, unreadable]")


def test_one_of_several_policies_may_go(scratch: Scratch) -> None:
    more = [named("c", NARROW), "arn:aws:iam::aws:policy/ReadOnlyAccess"]
    based(scratch, **{"p/1.yaml": json.dumps({"a": NARROW, "b": NARROW, "Policies": [*more, named("d", NARROW)]})})
    gone = {"a": NARROW, "b": None, "Policies": more}
    assert judged(scratch, **{"p/1.yaml": json.dumps(gone)}).code == 0


def test_the_file_of_its_own_name_is_the_old_version(scratch: Scratch) -> None:
    based(scratch, **{"iam/admin.json": WIDE, "iam/dev.json": NARROW})
    scratch.git("rm", "-q", "iam/admin.json", "iam/dev.json")
    seen(judged(scratch, **{"iam/dev.yaml": json.dumps(WIDE, indent=2) + "\n"}), "iam/dev.yaml:8:9: error: grants")


def test_a_rename_to_where_no_policy_is_looked_for(scratch: Scratch) -> None:
    based(scratch, **{".policy-guard.yaml": "version: 1\npolicies: [{files: ['iam/**/*.json']}]\n"})
    scratch.git("mv", "iam/a.json", "iam/a.txt")
    seen(judged(scratch, **{"iam/a.txt": WIDE}), "iam/a.txt:1:1: error: was a policy at the base")


def test_modules_in_the_folder_at_hand(scratch: Scratch) -> None:
    for name in ("argparse", "json", "os", "pathlib", "re", "subprocess", "typing", "yaml", "z3"):
        scratch.write(f"{name}.py", "raise SystemExit(0)\n")
    scratch.commit(**{"iam/a.json": WIDE})
    command = [sys.executable, "-m", "policy_guard", "check", "--base", "main"]
    done = subprocess.run(command, cwd=scratch.folder, env={**ENVIRON, "CI": "true"}, capture_output=True)
    assert done.returncode == 1
    assert b"grants new access" in done.stdout
