"""Links and submodules lead where the system leads, and where nobody looks nothing passes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from policy_guard.documents.globs import names_all_below, reaches_below
from policy_guard.pipeline.repository.folded import folded
from tests.support.repository import ENVIRON, NARROW, WIDE, Answer, Scratch, allow, deny, document

CI = {"CI": "true"}
ADMIN = document(allow("*"))
ASIDE = "version: 1\nexclude: ['old/**']\n"
CONFIGURED = "version: 1\npolicies: [{files: ['iam/**/*.json']}]\n"
SCPS = "version: 1\npolicies: [{files: ['org/*'], kind: scp}]\n"
DEEP = "version: 1\npolicies: [{files: ['org/**/*.json'], kind: scp}]\n"
GROUP = "version: 1\ngroups: [{name: orders, files: ['iam/orders/*.json']}]\n"
GUARD = document(deny("iam:*"))


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "repository")


def link(scratch: Scratch, path: str, text: bytes | str) -> None:
    """Commits a link with any text, as no working tree may hold it."""
    data = text if isinstance(text, bytes) else text.encode()
    hashed = ["git", "hash-object", "-w", "--stdin"]
    done = subprocess.run(hashed, cwd=scratch.folder, env=ENVIRON, input=data, capture_output=True, check=True)
    entry(scratch, path, "120000", done.stdout.decode().strip())


def entry(scratch: Scratch, path: str, mode: str, oid: str) -> None:
    scratch.git("update-index", "--add", "--replace", "--cacheinfo", f"{mode},{oid},{path}")
    scratch.git("commit", "-q", "-m", "change")


def based(scratch: Scratch, links: dict[str, str] | None = None, **files: Any) -> None:
    scratch.commit(**files)
    for path, text in (links or {}).items():
        (scratch.folder / path).parent.mkdir(exist_ok=True)
        (scratch.folder / path).symlink_to(text)
    scratch.commit()
    scratch.git("checkout", "-q", "-b", "feature")


def judged(scratch: Scratch) -> Answer:
    return scratch.guard("check", "--base", "main", **CI)


def refused(scratch: Scratch, *words: str) -> None:
    answer = judged(scratch)
    assert answer.code == 1, answer
    for word in words:
        assert word in answer.out, answer


CUT = {
    "a NUL at the end": (b"../old\0", "holds a NUL"),
    "a NUL in the middle": (b"../old\0/x/..", "holds a NUL"),
    "nothing": (b"", "is empty"),
    "more than systems take": (b"./" * 510 + b"../old", "is longer than systems take"),
    "a name that is too long": (b"../" + b"x" * 256 + b"/../old", "is longer than systems take"),
}


@pytest.mark.parametrize("case", CUT)
@pytest.mark.parametrize("path", ["iam/extra", "iam/extra.d", "iam"])
def test_a_link_whose_text_the_system_cuts_or_refuses(scratch: Scratch, case: str, path: str) -> None:
    based(scratch, **{".policy-guard.yaml": ASIDE, "iam/a.json": NARROW, "old/a.json": ADMIN})
    text, words = CUT[case]
    link(scratch, path, text)
    refused(scratch, f"{path}:1:1: error: ", words)


NOWHERE = {
    "up from what is not there": "nope/../../p/g.json",
    "up from a file": "../p/g.json/../g.json",
    "a stroke after a file": "../p/g.json/",
    "a dot after a file": "../p/g.json/.",
    "over a file": "../p/g.json/x/../../g.json",
    "in another case": "../P/g.json",
}


@pytest.mark.parametrize("case", NOWHERE)
def test_a_link_that_the_system_does_not_follow(scratch: Scratch, case: str) -> None:
    based(scratch, {"org/g.json": "../p/g.json"}, **{".policy-guard.yaml": SCPS, "p/g.json": GUARD})
    link(scratch, "org/g.json", NOWHERE[case])
    refused(scratch, "org/g.json:1:1: error: the link leads to no file of the repository")


def test_a_link_that_gives_a_group_a_file_that_is_not_there(scratch: Scratch) -> None:
    files = {"iam/orders/a.json": NARROW, "x/d.json": document(deny("*"))}
    based(scratch, **{".policy-guard.yaml": GROUP, **files})
    scratch.commit(**{"iam/orders/a.json": ADMIN})
    link(scratch, "iam/orders/d.json", "nope/../../../x/d.json")
    refused(scratch, "the group orders cannot be judged")


def test_a_folder_on_the_way_that_goes(scratch: Scratch) -> None:
    files = {".policy-guard.yaml": SCPS, "p/g.json": GUARD, "org/v1/keep": "x"}
    based(scratch, {"org/g.json": "v1/../../p/g.json"}, **files)
    scratch.git("rm", "-q", "org/v1/keep")
    scratch.git("commit", "-q", "-m", "x")
    refused(scratch, "org/g.json:1:1: error: the link leads to no file of the repository")


def test_a_link_to_a_folder_that_leads_nowhere_any_more(scratch: Scratch) -> None:
    settings = f"{DEEP}exclude: ['p/**']\n"
    based(scratch, {"org/scp": "../p"}, **{".policy-guard.yaml": settings, "p/g.json": GUARD})
    link(scratch, "org/scp", "nope/../../p")
    refused(scratch, "org/scp/g.json", "[no-lost-deny")


def test_names_behind_more_links_than_the_system_follows(scratch: Scratch) -> None:
    chain = {f"{folder}/{n}": str(n + 1) for folder in ("c", "d") for n in range(25)}
    ends = {"c/25": "../d", "d/25": "../p", "org/deep": "../c/25"}
    based(scratch, {**chain, **ends}, **{".policy-guard.yaml": DEEP, "p/g.json": GUARD})
    link(scratch, "org/deep", "../c/0")
    refused(scratch, "org/deep/0/g.json", "[no-lost-deny")


@pytest.mark.parametrize(
    "text", ["../OLD", "../Old/", "../old.", "../old ", "..\\old", "../old:x", "../\u017fold/../OLD", "../ol\u200cd"]
)
def test_a_link_to_a_policy_under_almost_its_name(scratch: Scratch, text: str) -> None:
    files = {".policy-guard.yaml": ASIDE, "iam/a.json": NARROW, "old/a.json": ADMIN, "\u017fold/x": "x"}
    based(scratch, **files)
    link(scratch, "iam/extra", text)
    refused(scratch, "iam/extra:1:1: error: the link leads to nothing here, but almost to old")


@pytest.mark.parametrize("path", ["iam/admin", "iam/admin.json", "iam/admin.policy"])
def test_a_link_whose_text_is_a_policy(scratch: Scratch, path: str) -> None:
    based(scratch, **{"iam/a.json": NARROW})
    link(scratch, path, json.dumps(ADMIN))
    refused(scratch, f"{path}:1:1: error: the text of the link is a policy")


@pytest.mark.parametrize(
    "text",
    [
        "../../repository/old",
        "../../x/repository/old",
        "/proc/self/cwd/old",
        "/srv/elsewhere/OLD",
        "../..",
        "/",
        "{up}",
    ],
)
def test_a_link_that_leaves_the_repository_and_comes_back(scratch: Scratch, text: str) -> None:
    based(scratch, **{".policy-guard.yaml": ASIDE, "iam/a.json": NARROW, "old/a.json": ADMIN})
    link(scratch, "iam/extra", text.format(up=scratch.folder.parent))
    refused(scratch, "iam/extra:1:1: error: the link leads out of the repository and may come back to a policy")


HARMLESS = {
    "nothing there": "../build/out",
    "out of the repository": "/usr/share/zoneinfo",
    "beside it": "../../beside",
    "a folder without policies": "../docs",
    "a folder in another case": "../DOCS",
    "a folder with a stroke": "../docs/",
    "up and down again": "../docs/../docs/./",
}


@pytest.mark.parametrize("case", HARMLESS)
def test_a_link_that_hides_no_policy(scratch: Scratch, case: str) -> None:
    based(scratch, **{"iam/a.json": NARROW, "docs/x.json": {"a": "b"}})
    link(scratch, "tools/latest", HARMLESS[case])
    answer = judged(scratch)
    assert answer.code == 0, answer


class TestWhatIsConfiguredInside:
    @pytest.mark.parametrize("settings", [CONFIGURED, GROUP.replace("orders/*.json", "extra/*")])
    @pytest.mark.parametrize("text", ["/srv/policies", "../../elsewhere", "../lib/x", "../.git"])
    def test_a_link_to_where_nobody_looks(self, scratch: Scratch, settings: str, text: str) -> None:
        based(scratch, **{".policy-guard.yaml": settings, "iam/a.json": NARROW})
        entry(scratch, "lib", "160000", scratch.git("rev-parse", "HEAD"))
        link(scratch, "iam/extra", text)
        refused(scratch, "iam/extra:1:1: error: is a link ", "name iam/extra/** under exclude")

    def test_a_submodule_that_comes_and_one_that_moves(self, scratch: Scratch) -> None:
        scratch.commit(**{".policy-guard.yaml": CONFIGURED, "iam/a.json": NARROW})
        based(scratch)
        entry(scratch, "iam/extra", "160000", scratch.git("rev-parse", "HEAD"))
        refused(scratch, "iam/extra:1:1: error: is a submodule, which is not checked, and the settings name files")
        scratch.git("branch", "-f", "main")
        entry(scratch, "iam/extra", "160000", scratch.git("rev-parse", "HEAD"))
        refused(scratch, "iam/extra:1:1: error: is a submodule")

    def test_what_is_excluded_may_be_anywhere(self, scratch: Scratch) -> None:
        settings = f"{CONFIGURED}exclude: ['iam/extra/**']\n"
        based(scratch, **{".policy-guard.yaml": settings, "iam/a.json": NARROW})
        entry(scratch, "iam/extra/lib", "160000", scratch.git("rev-parse", "HEAD"))
        link(scratch, "iam/extra/out", "/srv/policies")
        assert judged(scratch).code == 0

    def test_elsewhere_it_is_told(self, scratch: Scratch) -> None:
        based(scratch, **{".policy-guard.yaml": CONFIGURED, "iam/a.json": NARROW})
        entry(scratch, "lib", "160000", scratch.git("rev-parse", "HEAD"))
        answer = judged(scratch)
        assert answer.code == 0, answer
        assert "not checked: lib: is a submodule\n" in answer.out and "; 1 file not checked" in answer.out


def test_many_crooked_links_end(scratch: Scratch) -> None:
    deep = "/".join("abcdefghij")
    text = f"{deep}/" + "../j/" * 190
    based(scratch, **{"iam/a.json": NARROW, f"{deep}/x.json": WIDE})
    for number in range(40):
        scratch.folder.joinpath(f"l{number}").symlink_to(text)
    scratch.commit()
    assert judged(scratch).code == 1


def test_many_links_out_of_the_repository_end(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policy_guard.pipeline.pairing.beyond.MOST_MATCHED", 9)
    based(scratch, **{".policy-guard.yaml": CONFIGURED, "iam/a.json": NARROW})
    for number in range(10):
        scratch.folder.joinpath(f"l{number}").symlink_to("/srv/x")
    scratch.commit()
    answer = judged(scratch)
    assert answer.code == 2
    assert "too many links and submodules lead out of the repository" in answer.err


def test_a_file_below_too_many_folders(scratch: Scratch) -> None:
    based(scratch, **{"iam/a.json": NARROW})
    scratch.commit(**{f"{'x/' * 201}a.json": NARROW})
    answer = judged(scratch)
    assert answer.code == 2
    assert "lies below more than 200 folders" in answer.err


def test_patterns_that_reach_below_a_folder() -> None:
    reaching = {"**", "**/*.json", "iam/**", "iam/**/*.json", "iam/*/*.json", "*/extra/*", "iam/extra/a/b"}
    others = {"iam/*", "iam/*.json", "org/**", "iam/extra", "iam/extr/*", "*"}
    assert {pattern for pattern in reaching | others if reaches_below(pattern, "iam/extra")} == reaching
    assert {pattern for pattern in reaching if names_all_below(pattern, "iam/extra")} == {"**", "iam/**"}


@pytest.mark.parametrize("path", ["IAM/A.JSON", "iam/a.j\u017fon", "iam/a.json.", "iam /a.json", "iam/a.json:x"])
def test_names_that_some_systems_take_for_one(path: str) -> None:
    assert folded(path) == "iam/a.json"


def test_names_in_other_normal_forms() -> None:
    assert folded("\u00c4.json") == folded("A\u0308.json") == folded("a\u0308\u200c.json")
    assert folded("../.git/./x") == "../.git/./x"


def test_what_is_wrong_behind_a_link_says_that_it_is_one(scratch: Scratch) -> None:
    scratch.commit(**{"iam/b.yaml": "Version: '2012-10-17'\nStatement: []\n"})
    (scratch.folder / "iam/linked.json").symlink_to("b.yaml")
    answer = scratch.guard("check")
    assert answer.code == 1
    assert "; this name is a link to iam/b.yaml, and decides how that is read [readable" in answer.out
