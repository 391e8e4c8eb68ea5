"""What git prints: nothing in the repository changes it, and it is taken apart as whole entries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from policy_guard.documents.errors import SetupError
from policy_guard.pipeline.repository import SUBMODULE, File, Repository
from policy_guard.pipeline.repository.changes import compare_revisions, old_paths
from policy_guard.pipeline.repository.isolation import FIXED
from policy_guard.pipeline.repository.objects import LARGEST, OVERSIZED, Objects
from policy_guard.pipeline.repository.revisions import choose
from tests.support.examples import nightly
from tests.support.repository import ENVIRON, NARROW, WIDE, Answer, Scratch, allow, deny, document

TODAY = date(2026, 1, 1)

CI = {"CI": "true"}


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.commit(**{"iam/a.json": NARROW, "docs/é b.txt": "x", "docs/c.txt": "y"})
    made.git("checkout", "-q", "-b", "feature")
    return made


def repository(scratch: Scratch, folder: str = ".", **environ: str) -> Repository:
    return Repository(scratch.folder / folder, {**ENVIRON, **environ})


def judged(scratch: Scratch, *arguments: str) -> Answer:
    return scratch.guard("check", "--base", "main", *arguments, **CI)


def printed(scratch: Scratch, **environ: str) -> list[object]:
    """Everything that git is asked for, from the root and from a folder."""
    every: list[object] = []
    for folder in (".", "docs"):
        asked = repository(scratch, folder, **environ)
        head, base = asked.commit("HEAD"), asked.commit("main")
        assert head and base
        every += [asked.differences(base, head, False), asked.differences(base, None, True)]
        every += [asked.differences(base, None, False), asked.untracked(), asked.files(None), asked.files(head)]
        every += [asked.parents(head), asked.ancestors(head, base), asked.file(head, "docs/é b.txt")]
        asked.close()
    return every


SETTINGS = [
    "attr.tree=HEAD",
    *("color.ui=always", "color.diff=always", "core.abbrev=4", "core.attributesFile=x", "core.pager=false"),
    *("core.quotePath=true", "core.sparseCheckout=true", "diff.external=false", "diff.ignoreSubmodules=all"),
    *("diff.mnemonicPrefix=true", "diff.noprefix=true", "diff.orderFile=order", "diff.relative=true"),
    *("diff.renameLimit=1", "diff.renames=false", "diff.renames=copies", "diff.submodule=log", "index.sparse=true"),
    *("diff.hide.textconv=false", "diff.hide.command=false", "log.showSignature=true", "log.follow=true"),
    *("pager.diff-tree=true", "status.relativePaths=false", "status.renames=false", "status.showUntrackedFiles=no"),
    *("status.submoduleSummary=true", "submodule.recurse=true", "submodule.sub.ignore=all", "core.untrackedCache=true"),
    *("core.fsmonitor=false", "core.splitIndex=true", "core.preloadIndex=false", "core.commentChar=:"),
]


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """A branch with a change of every sort: renamed twice over, a submodule that comes, files of other folders."""
    made = Scratch(tmp_path_factory.mktemp("settings") / "repository")
    head = made.commit(**{"iam/a.json": NARROW, "docs/é b.txt": "x", "docs/c.txt": "y", ".gitattributes": ""})
    made.commit(**{f"moved/{name}": f"{name}\n" * 40 for name in "abc"})
    made.git("checkout", "-q", "-b", "feature")
    made.git("mv", "moved", "docs/moved")
    made.write("order", "iam/*\n")
    made.write(".gitmodules", '[submodule "sub"]\n\tpath = sub\n\turl = ./x\n\tignore = all\n')
    made.git("update-index", "--add", "--cacheinfo", f"160000,{head},sub")
    for name in "abc":
        made.write(f"docs/moved/{name}", f"{name}\n" * 40 + "z\n")
    made.commit(**{"iam/a.json": WIDE, ".gitattributes": "*.json diff=hide -text merge=union\n"})
    made.git("update-index", "--add", "--cacheinfo", f"160000,{head},sub")
    made.git("commit", "-q", "--allow-empty", "-m", "x")
    made.write("docs/new.txt", "x")
    return made


@pytest.fixture(scope="module")
def plain(changed: Scratch) -> list[object]:
    return printed(changed)


class TestSettings:
    def test_all_of_it_is_seen(self, plain: list[object]) -> None:
        changes = plain[0]
        assert isinstance(changes, list)
        statuses = {(each.status, (each.new or each.old).path) for each in changes}
        assert {("M", "iam/a.json"), ("A", "sub"), ("R", "docs/moved/a"), ("R", "docs/moved/c")} <= statuses

    @pytest.mark.parametrize("setting", SETTINGS)
    def test_none_changes_what_is_seen(self, changed: Scratch, plain: list[object], setting: str) -> None:
        name, _, value = setting.partition("=")
        changed.git("config", name, value)
        try:
            assert printed(changed) == plain
        finally:
            changed.git("config", "--unset-all", name)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("GIT_EXTERNAL_DIFF", "false"),
            ("GIT_DIFF_OPTS", "-u0"),
            ("GIT_LITERAL_PATHSPECS", "1"),
            ("GIT_GLOB_PATHSPECS", "1"),
            ("GIT_NOGLOB_PATHSPECS", "1"),
            ("GIT_ICASE_PATHSPECS", "1"),
            ("GIT_ATTR_SOURCE", "HEAD"),
            ("GIT_GRAFT_FILE", "order"),
            ("GIT_PAGER", "false"),
        ],
    )
    def test_no_variable_changes_what_is_seen(
        self, changed: Scratch, plain: list[object], name: str, value: str
    ) -> None:
        assert printed(changed, **{name: value}) == plain

    def test_every_setting_named_here_is_tried(self) -> None:
        assert {each.partition("=")[0] for each in FIXED} <= {each.partition("=")[0] for each in SETTINGS}

    def test_a_program_that_says_which_files_changed_is_not_asked(self, scratch: Scratch) -> None:
        scratch.git("config", "core.fsmonitor", "touch asked; false")
        scratch.write("iam/a.json", WIDE)
        assert scratch.guard("check").code == 1
        assert not (scratch.folder / "asked").exists()


def test_a_submodule_that_says_it_is_to_be_ignored(scratch: Scratch) -> None:
    head = scratch.git("rev-parse", "HEAD")
    scratch.git("rm", "-q", "-r", "iam")
    scratch.git("update-index", "--add", "--cacheinfo", f"160000,{head},iam")
    scratch.write(".gitmodules", '[submodule "iam"]\n\tpath = iam\n\turl = https://example.com/x\n\tignore = all\n')
    scratch.git("add", ".gitmodules")
    (scratch.folder / "iam").mkdir()
    for arguments in (("--staged",), ()):
        answer = scratch.guard("check", "--base", "main", *arguments)
        assert answer.code == 1
        assert "what replaces it is not checked" in answer.out
    scratch.git("commit", "-q", "-m", "x")
    assert "what replaces it is not checked" in judged(scratch).out


def test_grafts_and_replaced_objects_do_not_count(scratch: Scratch) -> None:
    base = scratch.git("rev-parse", "main")
    narrow = scratch.git("rev-parse", "main:iam/a.json")
    head = scratch.commit(**{"iam/a.json": WIDE})
    other = scratch.commit(**{"docs/c.txt": "other"})
    scratch.git("replace", scratch.git("rev-parse", "HEAD:iam/a.json"), narrow)
    scratch.write(".git/info/grafts", f"{other}\n")
    asked = repository(scratch)
    assert asked.parents(other) == [head]
    assert asked.ancestors(other, base) == [base]
    asked.close()
    assert judged(scratch).code == 1


class TestFlagsOfTheIndex:
    @pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
    def test_a_file_that_git_is_told_to_take_for_unchanged(self, scratch: Scratch, flag: str) -> None:
        scratch.git("config", "sparse.expectFilesOutsideOfPatterns", "true")
        scratch.git("update-index", flag, "iam/a.json")
        assert scratch.guard("check").code == 0
        scratch.write("iam/a.json", WIDE)
        assert scratch.findings() == [("no-new-access", "violated", "iam/a.json")]
        scratch.write("iam/a.json", document(deny("s3:*")))
        scratch.git("update-index", f"--no-{flag[2:]}", "iam/a.json")
        scratch.commit()
        scratch.git("branch", "-f", "main")
        scratch.git("update-index", "--assume-unchanged", "iam/a.json")
        os.remove(scratch.folder / "iam/a.json")
        assert scratch.findings("--base", "main") == [("no-lost-deny", "violated", "iam/a.json")]

    def test_a_file_that_a_program_once_vouched_for(self, scratch: Scratch) -> None:
        scratch.write(".git/hooks/says", "#!/bin/sh\nprintf 'token\\0'\n")
        (scratch.folder / ".git/hooks/says").chmod(0o755)
        scratch.git("config", "core.fsmonitor", ".git/hooks/says")
        scratch.git("update-index", "--fsmonitor")
        scratch.git("update-index", "--fsmonitor-valid", "iam/a.json")
        scratch.write("iam/a.json", WIDE)
        assert scratch.git("diff", "--name-only") == ""
        assert scratch.findings() == [("no-new-access", "violated", "iam/a.json")]

    def test_a_sparse_checkout_leaves_nothing_unread(self, scratch: Scratch) -> None:
        scratch.commit(**{"iam/a.json": NARROW, "iam/broken.json": '{"Statement": [{"Effect": "Allow"}]}'})
        scratch.git("sparse-checkout", "init", "--cone", "--sparse-index")
        scratch.git("sparse-checkout", "set", "docs")
        assert not (scratch.folder / "iam").exists()
        assert scratch.guard("check").code == 0
        everything = scratch.guard("check", "--all")
        assert "iam/broken.json" in everything.out
        assert everything.code == 1

    @pytest.mark.parametrize("arguments", [("--staged",), ()])
    def test_a_change_outside_of_a_sparse_checkout(self, scratch: Scratch, arguments: tuple[str, ...]) -> None:
        scratch.commit(**{"iam/a.json": WIDE})
        scratch.git("sparse-checkout", "init", "--cone", "--sparse-index")
        scratch.git("sparse-checkout", "set", "docs")
        assert scratch.findings("--base", "main", *arguments) == [("no-new-access", "violated", "iam/a.json")]


def test_a_link_to_a_folder_is_no_policy_that_cannot_be_read(scratch: Scratch) -> None:
    (scratch.folder / "latest").symlink_to("docs")
    (scratch.folder / "gone").symlink_to("nowhere")
    scratch.commit()
    assert judged(scratch).code == 0


class TestWholeEntries:
    @pytest.mark.parametrize("name", ["!\t.policy-guard.yaml", "x\t.policy-guard.yaml", "\t.policy-guard.yaml"])
    def test_a_name_with_a_tab_is_another_name(self, scratch: Scratch, name: str) -> None:
        head = scratch.commit(**{name: "version: 1\nseverity: {no-new-access: 'off'}\n"})
        asked = repository(scratch)
        assert asked.file(head, ".policy-guard.yaml") is None
        assert asked.file(head, name) == asked.files(head)[-1 if name[0] == "x" else 0]
        asked.close()
        scratch.git("branch", "-f", "main")
        scratch.commit(**{"iam/a.json": WIDE})
        assert judged(scratch).code == 1

    def test_the_file_itself_is_found_beside_one_that_looks_like_it(self, scratch: Scratch) -> None:
        head = scratch.commit(**{"!\tx.yaml": "1", "x.yaml": "2", "a\nx.yaml": "3", "dir/x.yaml": "4"})
        asked = repository(scratch)
        for path, text in (("x.yaml", b"2"), ("a\nx.yaml", b"3"), ("dir/x.yaml", b"4"), ("!\tx.yaml", b"1")):
            file = asked.file(head, path)
            assert file is not None
            assert asked.read(file) == text
        assert asked.file(head, "dir") is None
        assert {file.path for file in asked.files_called(head, "x.yaml")} == {"x.yaml", "dir/x.yaml"}
        asked.close()

    def test_names_that_look_like_entries(self, scratch: Scratch) -> None:
        zeros = "0" * 40
        odd = f":100644 100644 {zeros} {zeros} M"
        head = scratch.commit(
            **{odd: "1", "120000 blob x\ty": "2", "S 100644 x\tz": "3", "? q": "4", "iam/a.json": WIDE}
        )
        asked = repository(scratch)
        assert not asked.has_links(head)
        assert not asked.has_links(None)
        assert asked.left_out() == set()
        paths = {(each.new or each.old).path for each in asked.differences("main", head, False)}
        assert paths == {odd, "120000 blob x\ty", "S 100644 x\tz", "? q", "iam/a.json"}
        assert {file.path for file in asked.files(None)} == {file.path for file in asked.files(head)}
        asked.close()
        scratch.write("h h", "x")
        asked = repository(scratch)
        assert [file.path for file in asked.untracked()] == ["h h"]
        asked.close()

    def test_a_parent_in_the_name_of_an_author(self, scratch: Scratch) -> None:
        tree, parent = scratch.git("rev-parse", "HEAD^{tree}"), scratch.git("rev-parse", "HEAD")
        text = f"tree {tree}\nparent {parent}\nauthor a\rparent {tree} <a@x> 1 +0000\ncommitter a <a@x> 1 +0000\n\nx\n"
        made = scratch.folder.parent / "commit"
        made.write_bytes(text.encode())
        commit = scratch.git("hash-object", "-t", "commit", "-w", "--literally", str(made))
        asked = repository(scratch)
        assert asked.parents(commit) == [parent]
        asked.close()


class TestWhatIsNotHere:
    def test_a_changed_policy_that_is_not_in_the_clone(self, scratch: Scratch) -> None:
        scratch.commit(**{"iam/a.json": WIDE})
        oid = scratch.git("rev-parse", "HEAD:iam/a.json")
        (scratch.folder / ".git/objects" / oid[:2] / oid[2:]).unlink()
        answer = judged(scratch)
        assert answer.code == 2
        assert f"iam/a.json (blob {oid[:12]}) is not in this clone" in answer.err

    def test_an_old_policy_that_is_not_in_the_clone(self, scratch: Scratch) -> None:
        oid = scratch.git("rev-parse", "HEAD:iam/a.json")
        scratch.commit(**{"iam/a.json": document(allow("s3:Get*"))})
        (scratch.folder / ".git/objects" / oid[:2] / oid[2:]).unlink()
        assert judged(scratch).code == 2

    def test_attributes_that_are_not_in_the_clone(self, scratch: Scratch) -> None:
        scratch.commit(
            **{"iam/a.json": document(allow("s3:GetObject"), deny("s3:*")), ".gitattributes": "*.json ident\n"}
        )
        oid = scratch.git("rev-parse", "HEAD:.gitattributes")
        (scratch.folder / ".git/objects" / oid[:2] / oid[2:]).unlink()
        assert judged(scratch).code == 2

    def test_a_policy_that_is_damaged(self, scratch: Scratch) -> None:
        scratch.commit(**{"iam/a.json": WIDE})
        oid = scratch.git("rev-parse", "HEAD:iam/a.json")
        place = scratch.folder / ".git/objects" / oid[:2] / oid[2:]
        place.chmod(0o644)
        place.write_bytes(place.read_bytes()[:40])
        assert judged(scratch).code == 2

    @pytest.mark.parametrize("kept", [True, False])
    def test_a_partial_clone_without_its_remote(self, scratch: Scratch, tmp_path: Path, kept: bool) -> None:
        scratch.git("config", "uploadpack.allowFilter", "true")
        scratch.commit(**{"iam/a.json": WIDE})
        clone = Scratch.clone(scratch, tmp_path / "clone", "--filter=blob:none", "--no-checkout", "--branch", "feature")
        scratch.folder.rename(tmp_path / "gone")
        if not kept:
            clone.git("update-ref", "refs/heads/main", "refs/remotes/origin/main")
            clone.git("remote", "remove", "origin")
        answer = clone.guard("check", "--base", "origin/main" if kept else "main", **CI)
        assert answer.code == 2
        assert "clone" in answer.err

    def test_a_file_on_disk_that_may_not_be_read(self, scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(path: Path) -> bytes:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_bytes", refuse)
        with pytest.raises(SetupError, match=r"iam/a\.json cannot be read: Permission denied"):
            repository(scratch).read(File("iam/a.json", 0o100644, None))
        assert repository(scratch).read(File("iam/none.json", 0o100644, None)) is None

    def test_what_is_no_file_and_what_is_empty(self, scratch: Scratch) -> None:
        asked = repository(scratch)
        assert asked.read(File("sub", SUBMODULE, "1" * 40)) is None
        scratch.write("iam/new.json", "")
        scratch.git("add", "-N", "iam/new.json")
        empty = next(file for file in asked.files(None) if file.path == "iam/new.json")
        assert asked.read(empty) == b""
        asked.close()
        assert scratch.guard("check", "--staged").code == 0
        scratch.write("iam/new.json", WIDE)
        assert scratch.guard("check").code == 1


class TestLargeFiles:
    """Nine million bytes, because the limit of reading was once eight."""

    @pytest.mark.parametrize("arguments", [("--staged",), nightly(())])
    def test_data_that_is_no_policy(self, scratch: Scratch, arguments: tuple[str, ...]) -> None:
        scratch.write("data.json", json.dumps({"a": ["x" * 50] * 170_000, "note": "Statement of account"}))
        scratch.stage()
        assert scratch.guard("check", *arguments).code == 0

    @pytest.mark.parametrize(
        ("front", "arguments"),
        [(True, ()), (False, ("--staged",)), nightly(True, ("--staged",)), nightly(False, ())],
    )
    def test_a_policy_padded_beyond_the_limit_is_shown_as_it_is(
        self, scratch: Scratch, front: bool, arguments: tuple[str, ...]
    ) -> None:
        padding = {"a": ["x" * 50] * 170_000}
        scratch.write("iam/b.json", {**padding, **WIDE} if front else {**WIDE, **padding})
        scratch.stage()
        answer = scratch.guard("check", *arguments)
        assert answer.code == 1
        assert "iam/b.json:1:1: error: the file is larger than 5 MB" in answer.out
        assert '1 | {"Statement": {"Effect"' not in answer.out

    def test_what_is_too_large_to_read_never_passes(self, scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
        import policy_guard.pipeline.repository as module
        from policy_guard.pipeline.check import Options, check
        from policy_guard.pipeline.repository import objects

        large = "x" * (3 * 1024 * 1024)
        scratch.commit(**{"data.json": large, "other.bin": large, "tool": large})
        monkeypatch.setattr(module, "LARGEST", 1_000_000)
        monkeypatch.setattr(objects, "LARGEST", 1_000_000)
        asked = repository(scratch)
        files = {file.path: file for file in asked.files("HEAD")}
        assert asked.read(files["data.json"]) is OVERSIZED
        assert asked.read(files["docs/c.txt"]) == b"y"
        asked.close()
        for text in (large, large.replace("x", "y", 1)):
            scratch.write("data.json", text)
            report = check(Options(today=TODAY, base="main"), scratch.folder, ENVIRON)
            assert [(found.source.path, found.outcome) for found in report.findings] == [("data.json", "unreadable")]
            assert ("tool", "is larger than 100 MB") in report.skipped
        assert LARGEST == 100 * 1024 * 1024


def test_an_attribute_asked_for_from_below(scratch: Scratch) -> None:
    scratch.write(".gitattributes", "/iam/*.json filter=x\n")
    values = [repository(scratch, folder).attributes(["filter"], ["iam/a.json"]) for folder in (".", "docs", "iam")]
    assert values == [[("iam/a.json", "filter", "x")]] * 3


def test_git_that_was_killed_is_told() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.wait()
    objects = Objects(lambda: process, "a folder")
    with pytest.raises(SetupError, match="git can read"):
        objects.get("HEAD")
    objects.close()


def test_the_old_paths_of_what_is_staged_are_those_of_the_tree(scratch: Scratch) -> None:
    scratch.commit(**{"kept.json": NARROW, "gone.json": "1", "old/moved.json": WIDE, "changed.json": "[]"})
    scratch.git("mv", "old/moved.json", "moved.json")
    scratch.git("rm", "-q", "gone.json")
    scratch.write("changed.json", "[1]")
    scratch.write("new.json", "2")
    scratch.git("add", "-A")
    asked = repository(scratch)
    old, new = choose(asked, ENVIRON, "HEAD", True, None)
    comparison = compare_revisions(asked, old, new)
    assert len(comparison.changes) == 4
    assert sorted(old_paths(asked, comparison)) == sorted(asked.paths(old.tree))
    asked.close()
