"""Attributes by which git writes other bytes than it keeps: policies under such attributes do not pass."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from policy_guard.documents.containers.plain import policies
from policy_guard.documents.source import Source
from policy_guard.iam.parse import parse
from tests.support.repository import NARROW, Answer, Scratch, allow, deny, document

TODAY = date(2026, 1, 1)

CI = {"CI": "true"}
MARKED = document(
    allow("s3:GetObject", resource=["*", "arn:aws:s3:::$Id:"]),
    deny("s3:*", resource=["arn:aws:s3:::x", "arn:aws:s3:::$"]),
)
FORMAT = document(allow("s3:GetObject"), deny("s3:*", resource="arn:aws:s3:::$Format:%H$"))
HARMLESS = document(allow("s3:GetObject"), deny("s3:*"))


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.commit(**{"iam/a.json": NARROW, "iam/deep/b.json": HARMLESS, "docs/x": "x", "tools/package.json": {"a": "b"}})
    made.git("checkout", "-q", "-b", "feature")
    return made


def judged(scratch: Scratch, folder: str = ".", **files: Any) -> Answer:
    scratch.commit(**files)
    return scratch.guard("check", "--base", "main", folder=folder, **CI)


def said(answer: Answer, *words: str) -> None:
    assert answer.code == 1, answer
    for word in words:
        assert word in answer.out, answer


BAD = {
    "ident": ("*.json ident", MARKED, "git rewrites this file for ident, since it holds $Id"),
    "filter": ("*.json filter=vault", HARMLESS, "git rewrites this file for filter=vault"),
    "encoding": ("*.json working-tree-encoding=ASCII//TRANSLIT", HARMLESS, "working-tree-encoding=ASCII//TRANSLIT"),
    "export-subst": ("*.json export-subst", FORMAT, "git archive rewrites this file for export-subst"),
    "export-ignore": ("*.json export-ignore", HARMLESS, "git archive leaves this policy out for export-ignore"),
    "a folder that archives leave out": ("iam export-ignore", HARMLESS, "git archive leaves this policy out"),
    "a folder with a stroke": ("iam/ export-ignore", HARMLESS, "git archive leaves this policy out"),
    "a macro": ("[attr]odd ident\n*.json odd", MARKED, "for ident"),
    "a macro of macros": ("[attr]odd filter=x\n[attr]odder odd\niam/** odder", HARMLESS, "for filter=x"),
    "a quoted pattern": ('"\\151am/*.json" filter=x', HARMLESS, "for filter=x"),
    "another case": ("IAM/*.JSON filter=x", HARMLESS, "for filter=x"),
    "taken back in another case": ("*.json filter=x\n*.JSON -filter", HARMLESS, "for filter=x"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_policy_that_git_writes_otherwise(scratch: Scratch, case: str) -> None:
    line, policy, words = BAD[case]
    said(judged(scratch, **{".gitattributes": f"{line}\n", "iam/a.json": policy}), "iam/a.json:1:1: error: ", words)


@pytest.mark.parametrize("case", BAD)
def test_an_attribute_that_comes_after_the_policy(scratch: Scratch, case: str) -> None:
    line, policy, words = BAD[case]
    scratch.commit(**{"iam/a.json": policy})
    scratch.git("branch", "-f", "main")
    said(judged(scratch, **{".gitattributes": f"{line}\n"}), "iam/a.json:1:1: error: ", words)


GOOD = {
    "ident without a mark": ("*.json ident", HARMLESS),
    "ends of lines": ("* text=auto eol=crlf\n*.json text crlf", HARMLESS),
    "an encoding of the same characters": (
        "iam/a.json working-tree-encoding=UTF-16",
        json.dumps(HARMLESS).encode("utf-16"),
    ),
    "what is about other files": ("*.zip filter=lfs\n*.md ident\ndocs export-ignore", MARKED),
    "what is taken back": ("*.json filter=x ident\n*.json -filter !ident", MARKED),
    "a filter without a name": ("*.json filter", HARMLESS),
    "how differences are shown": ("*.json diff=x -merge linguist-generated binary", MARKED),
    "export-subst without a format": ("* export-subst", HARMLESS),
}


@pytest.mark.parametrize("case", GOOD)
def test_attributes_that_change_nothing(scratch: Scratch, case: str) -> None:
    line, policy = GOOD[case]
    answer = judged(scratch, **{".gitattributes": f"{line}\n", "iam/a.json": policy})
    assert answer.code == 0, answer


@pytest.mark.parametrize("place", ["iam/.gitattributes", "iam/deep/.gitattributes", ".git/info/attributes"])
def test_attributes_of_every_place(scratch: Scratch, place: str) -> None:
    scratch.write(place, "b.json filter=x\n" if "deep" in place else "*.json filter=x\n")
    path = "iam/deep/b.json" if "deep" in place else "iam/a.json"
    said(judged(scratch, **{path: document(allow("s3:GetObject"), deny("s3:*"), deny("ec2:*"))}), path, "for filter=x")


def test_attributes_of_the_machine(scratch: Scratch, tmp_path: Path) -> None:
    (tmp_path / "attributes").write_text("*.json filter=x\n")
    scratch.git("config", "core.attributesFile", str(tmp_path / "attributes"))
    said(judged(scratch, **{"iam/a.json": HARMLESS}), "for filter=x")


@pytest.mark.parametrize("folder", ["tools", "docs/..", "iam/deep"])
def test_asked_from_a_folder(scratch: Scratch, folder: str) -> None:
    line = "/iam/*.json working-tree-encoding=ASCII//TRANSLIT\n"
    said(judged(scratch, folder, **{".gitattributes": line, "iam/a.json": HARMLESS}), "working-tree-encoding")


@pytest.mark.parametrize("named", [True, False])
def test_in_a_work_tree_beside_the_repository(scratch: Scratch, tmp_path: Path, named: bool) -> None:
    scratch.commit(**{".gitattributes": "*.json ident\n", "iam/a.json": MARKED})
    scratch.git("worktree", "add", "-q", "--detach", str(tmp_path / "beside"))
    beside = Scratch.__new__(Scratch)
    beside.folder = tmp_path / "beside"
    environ = {"GIT_DIR": ".git", "GIT_WORK_TREE": "."} if named else {}
    said(beside.guard("check", "--base", "main", **CI, **environ), "for ident")


def test_attributes_that_are_a_link(scratch: Scratch) -> None:
    (scratch.folder / ".gitattributes").symlink_to("*.json ident")
    said(judged(scratch, **{"iam/a.json": MARKED}), "for ident")


def test_attributes_under_a_name_of_another_case(scratch: Scratch) -> None:
    said(judged(scratch, **{".GitAttributes": "*.json ident\n", "iam/a.json": MARKED}), "for ident")
    scratch.write(".gitattributes", "*.json ident\n")
    said(judged(scratch, **{".GitAttributes": "*.json -ident\n"}), "for ident")


def test_the_commit_counts_and_not_what_is_checked_out(scratch: Scratch) -> None:
    scratch.commit(**{".gitattributes": "*.json ident\n", "iam/a.json": MARKED})
    scratch.git("rm", "-q", "--cached", ".gitattributes")
    (scratch.folder / ".gitattributes").unlink()
    said(judged_as_it_is(scratch), "for ident")


def judged_as_it_is(scratch: Scratch) -> Answer:
    return scratch.guard("check", "--base", "main", **CI)


def test_an_attribute_that_is_no_longer_taken_back(scratch: Scratch) -> None:
    scratch.commit(
        **{".gitattributes": "*.json ident\n", "iam/.gitattributes": "*.json -ident\n", "iam/a.json": MARKED}
    )
    scratch.git("branch", "-f", "main")
    scratch.git("rm", "-q", "iam/.gitattributes")
    said(judged(scratch), "iam/a.json:1:1: error: ", "for ident")


def test_what_was_so_before_is_told_with_everything_only(scratch: Scratch) -> None:
    scratch.commit(**{".gitattributes": "*.json filter=x\n"})
    scratch.git("branch", "-f", "main")
    assert judged(scratch, **{".gitattributes": "*.json filter=x\n*.zip binary\n", "docs/x": "y"}).code == 0
    said(scratch.guard("check", "--all", "--base", "main", **CI), "iam/a.json", "iam/deep/b.json", "for filter=x")


def test_what_archives_left_out_before_may_stay_out(scratch: Scratch) -> None:
    scratch.commit(**{".gitattributes": "/iam export-ignore\n", "org/scp.json": document(deny("s3:*"))})
    scratch.git("branch", "-f", "main")
    assert judged(scratch, **{"iam/a.json": HARMLESS}).code == 0
    scratch.git("mv", "org/scp.json", "iam/scp.json")
    said(judged(scratch), "iam/scp.json:1:1: error: git archive leaves this policy out")


@pytest.mark.parametrize("case", ["ident", "filter", "encoding", "export-subst", "export-ignore"])
def test_a_policy_that_git_no_longer_writes_otherwise(scratch: Scratch, case: str) -> None:
    line, policy, _ = BAD[case]
    policy = NARROW if policy is HARMLESS else policy
    scratch.commit(**{".gitattributes": f"*.json {line.partition(' ')[2]}\n", "iam/a.json": policy})
    scratch.git("branch", "-f", "main")
    answer = judged(scratch, **{".gitattributes": "tools/*.json ident\n"})
    said(answer, "iam/a.json:", "grants new access", "iam/a.json was another file before: git ")
    assert "tools/package.json" not in answer.out


def test_a_policy_that_moves_to_where_git_writes_it_as_it_is(scratch: Scratch) -> None:
    scratch.commit(**{".gitattributes": "/iam/*.json filter=x\n"})
    scratch.git("branch", "-f", "main")
    scratch.git("mv", "iam/a.json", "tools/a.json")
    said(judged(scratch), "tools/a.json was another file before", "grants new access")


@pytest.mark.parametrize("how", ["index", "working tree", "hook"])
def test_before_it_is_committed(scratch: Scratch, how: str) -> None:
    scratch.write(".gitattributes", "*.json ident\n")
    scratch.write("iam/a.json", MARKED)
    scratch.stage()
    if how == "hook":
        (scratch.folder / ".gitattributes").unlink()
    arguments = ("--staged",) if how == "index" else ()
    environ = {"PRE_COMMIT": "1"} if how == "hook" else {}
    said(scratch.guard("check", *arguments, **environ), "iam/a.json:1:1: error: ", "for ident")


def test_a_file_behind_a_link(scratch: Scratch) -> None:
    (scratch.folder / "iam/l.json").symlink_to("../store/p.txt")
    answer = judged(scratch, **{"store/p.txt": MARKED, "store/.gitattributes": "*.txt ident\n"})
    said(answer, "store/p.txt:1:1: error: git rewrites this file for ident")


def test_a_format_that_goes_over_ends_of_lines(scratch: Scratch) -> None:
    policy = document(allow("s3:GetObject", resource=["arn:aws:s3:::orders/$Format:%s", "arn:aws:s3:::orders/x$"]))
    answer = judged(scratch, **{".gitattributes": "*.json export-subst\n", "iam/a.json": policy})
    said(answer, "iam/a.json:1:1: error: git archive rewrites this file for export-subst")
    text = {"hash": ["$Format:%H", "%s$"]}
    said(judged(scratch, **{"iam/a.json": NARROW, "v.json": json.dumps(text, indent=1)}), "v.json:1:1: error: ")


@pytest.mark.parametrize("attributes", ["IAM/.gitattributes", "Iam/.GitAttributes", "iam/.gitattribute\u017f"])
@pytest.mark.parametrize("policy", [NARROW, HARMLESS])
def test_attributes_of_a_folder_in_another_spelling(scratch: Scratch, attributes: str, policy: Any) -> None:
    answer = judged(scratch, **{"iam/a.json": policy, attributes: "a.json working-tree-encoding=UTF-7\n"})
    said(answer, "iam/a.json:1:1: error: git rewrites this file for working-tree-encoding=UTF-7")


SCPS = "version: 1\npolicies: [{files: ['org/*.json'], kind: scp}]\n"


@pytest.fixture
def linked(scratch: Scratch) -> Scratch:
    """A policy behind a link to a link, and one in a folder behind a link."""
    (scratch.folder / "org").mkdir()
    (scratch.folder / "org/g.json").symlink_to("../hop")
    (scratch.folder / "hop").symlink_to("p/g.json")
    (scratch.folder / "live").symlink_to("store")
    settings = f"{SCPS}exclude: ['store/**', 'p/**']\n"
    scratch.commit(**{".policy-guard.yaml": settings, "p/g.json": document(deny("iam:*")), "store/a.json": NARROW})
    scratch.git("branch", "-f", "main")
    return scratch


@pytest.mark.parametrize("line", ["org/g.json", "hop", "/org", "/p", "p/g.json"])
def test_a_link_that_archives_leave_out(linked: Scratch, line: str) -> None:
    said(judged(linked, **{".gitattributes": f"{line} export-ignore\n"}), "git archive leaves this policy out")


def test_a_link_to_a_folder_that_archives_leave_out(linked: Scratch) -> None:
    said(judged(linked, **{".gitattributes": "live export-ignore\n"}), "live:1:1: error: git archive leaves this")


@pytest.mark.parametrize("line", ["live", "store"])
def test_a_link_that_archives_no_longer_leave_out(linked: Scratch, line: str) -> None:
    linked.commit(**{".gitattributes": f"{line} export-ignore\n"})
    linked.git("branch", "-f", "main")
    said(judged(linked, **{".gitattributes": ""}), "live/a.json was another file before", "grants new access")


GROUP = "version: 1\ngroups: [{name: app, files: ['iam/**']}]\n"


class TestGroupsOfWhichArchivesHoldAPart:
    @pytest.mark.parametrize("line", ["iam/d.json", "iam/deep", "*.json export-ignore\niam/a.json !export-ignore\n#"])
    def test_a_deny_that_is_left_out(self, scratch: Scratch, line: str) -> None:
        scratch.commit(**{".policy-guard.yaml": GROUP})
        scratch.git("branch", "-f", "main")
        files = {"iam/a.json": document(allow("*")), "iam/d.json": document(deny("*"))}
        answer = judged(scratch, **files, **{".gitattributes": f"{line} export-ignore\n"})
        said(answer, "of the group app out for export-ignore, and holds others")

    @pytest.mark.parametrize("gone", [True, False])
    def test_a_file_that_was_left_out_before(self, scratch: Scratch, gone: bool) -> None:
        settings = {".policy-guard.yaml": GROUP, ".gitattributes": "iam/x.json export-ignore\n"}
        scratch.commit(**settings, **{"iam/x.json": document(allow("*"))})
        scratch.git("branch", "-f", "main")
        if gone:
            (scratch.folder / "iam/x.json").unlink()
        said(judged(scratch, **{"iam/a.json": document(allow("*"))}), "of the group app out for export-ignore")

    def test_all_of_it_or_what_is_no_policy(self, scratch: Scratch) -> None:
        settings = {".policy-guard.yaml": GROUP, ".gitattributes": "/iam export-ignore\n"}
        scratch.commit(**settings, **{"iam/package.json": {"a": "b"}})
        scratch.git("branch", "-f", "main")
        assert judged(scratch, **{"iam/a.json": HARMLESS}).code == 0
        scratch.commit(**{".gitattributes": "iam/*.md export-ignore\niam/package.json export-ignore\n"})
        scratch.git("branch", "-f", "main")
        assert judged(scratch, **{"iam/a.json": document(deny("s3:*"), deny("ec2:*")), "iam/x.md": "x"}).code == 0


def test_files_of_which_nobody_knows_what_a_filter_makes(scratch: Scratch) -> None:
    answer = judged(scratch, **{".gitattributes": "*.json filter=vault\n", "tools/package.json": {"a": "c"}})
    said(answer, "iam/a.json", "filter=vault")
    assert "a filter in .gitattributes rewrites tools/package.json; the result is not checked" in answer.out


def test_words_of_the_author_in_an_archive(scratch: Scratch) -> None:
    attributes = {".gitattributes": "*.json export-subst\n"}
    assert judged(scratch, **attributes, **{"v.json": {"hash": "$Format:%H %cI %d$"}}).code == 0
    assert (
        judged(scratch, **{".gitattributes": "* export-subst\n", "VERSION": "$Format:%(describe:tags=true)$"}).code == 0
    )
    said(judged(scratch, **{"v.json": "$Format:%B$\n"}), "v.json:1:1: error: git archive rewrites this file")


def test_nothing_is_asked_where_no_policy_changed(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    from policy_guard.pipeline.check import Options, check
    from policy_guard.pipeline.repository import Repository
    from tests.support.repository import ENVIRON

    asked: list[str] = []
    run = Repository._command

    def counted(repository: Repository, *arguments: str) -> list[str]:
        asked.append(arguments[0])
        return run(repository, *arguments)

    monkeypatch.setattr(Repository, "_command", counted)
    scratch.write("tools/package.json", {"a": "c"})
    scratch.stage()
    check(Options(today=TODAY, staged=True), scratch.folder, ENVIRON)
    assert asked == [
        "cat-file",
        "diff-index",
        "ls-files",
    ]  # the last: whether there is Terraform that may read the file


def test_a_pointer_is_small_and_holds_no_statement(scratch: Scratch) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\n"
    answer = judged(scratch, **{"iam/new.yaml": f"{pointer}---\n{json.dumps(NARROW)}\n"})
    said(answer, "iam/new.yaml:3:", "grants new access")
    older = "\nversion https://hawser.github.com/spec/v1\noid sha256:0\nsize 1\n"
    assert "iam/old.json: is an LFS pointer" in judged(scratch, **{"iam/old.json": older}).out


_YAML = """\
Version: "2012-10-17"
# A comment
Statement:
- Effect: Allow
  Action: >-
    s3:Get*
  Resource:
    "arn:aws:s3:::a\\
    b"
- Sid:
    a
  Effect: Deny
  Action: |-
    s3:*
  Resource: '*'
"""
TEXTS = {
    "json": json.dumps(HARMLESS, indent=2),
    "yaml": _YAML,
    "json in yaml": "PolicyName: x\nPolicyDocument: |\n  "
    + json.dumps(HARMLESS, indent=1).replace("\n", "\n  ")
    + "\n",
}


@pytest.mark.parametrize("form", TEXTS)
def test_ends_of_lines_mean_the_same(form: str) -> None:
    """What `text`, `eol` and `crlf` change does not matter."""
    text, name = TEXTS[form], f"a.{form[-4:]}"

    def meant(given: str) -> list[object]:
        found = [parse(each, None) for each in policies(Source(name, given)).policies]
        assert found
        return [
            (s.effect, [v.text for v in s.action.values], [v.text for v in s.resource.values] if s.resource else None)
            for policy in found
            for s in policy.statements
        ]

    assert meant(text) == meant(text.replace("\n", "\r\n"))
