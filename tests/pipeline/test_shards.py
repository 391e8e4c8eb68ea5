"""A run on several machines: the shards together say what one run says, and less than all of them says nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policy_guard.pipeline.shards import Shard
from tests.pipeline.test_ahead import mixed as mixed  # the fixture
from tests.support.examples import nightly
from tests.support.repository import NARROW, Answer, Scratch

CI = {"CI": "true"}


def shards(scratch: Scratch, total: int, form: str, *options: str) -> tuple[list[Path], int]:
    """The reports of all shards, and the largest exit code."""
    paths, codes = [], []
    for number in range(1, total + 1):
        paths.append(scratch.folder.parent / f"{number}-{total}.{form}")
        formats = ("--format", f"{form}={paths[-1]}", "--shard", f"{number}/{total}")
        answer = scratch.guard("check", "--base", "HEAD~1", *options, *formats, **CI)
        assert answer.err == "", answer
        codes.append(answer.code)
    return paths, max(codes)


def merge(scratch: Scratch, *paths: Path) -> Answer:
    return scratch.guard("merge", *map(str, paths))


@pytest.fixture
def committed(mixed: Scratch) -> Scratch:
    mixed.commit()
    return mixed


@pytest.mark.slow
@pytest.mark.parametrize("total", [3, nightly(1)])
@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("json", ()),
        ("sarif", ("--all",)),
        ("json", ("--all", "--verbose")),
        nightly("sarif", ()),
        nightly("json", ("--all",)),
        nightly("sarif", ("--all", "--verbose")),
    ],
)
def test_a_merge_is_the_report_of_one_run(committed: Scratch, form: str, options: tuple[str, ...], total: int) -> None:
    whole = committed.guard("check", "--base", "HEAD~1", "--format", form, *options, **CI)
    paths, code = shards(committed, total, form, *options)
    merged = merge(committed, *reversed(paths))
    assert (merged.code, code, merged.out) == (whole.code, whole.code, whole.out)


def test_every_policy_is_in_one_shard_of_nearly_equal_size() -> None:
    units = [f"iam/{number}.json" for number in range(10_000)]
    sizes = [sum(map(Shard(number, 8).holds, units)) for number in range(1, 9)]
    assert sum(sizes) == len(units)
    assert max(sizes) < 1.1 * min(sizes)


@pytest.fixture
def small(tmp_path: Path) -> Scratch:
    scratch = Scratch(tmp_path / "repository")
    scratch.commit(**{f"iam/{number}.json": NARROW for number in range(4)}, **{"README.md": "a"})
    scratch.commit(**{f"iam/{number}.json": {**NARROW, "Id": "b"} for number in range(4)})
    return scratch


def test_a_missing_shard_is_no_pass(small: Scratch) -> None:
    paths, code = shards(small, 3, "json", "--all")
    assert code == 0
    answer = merge(small, paths[0], paths[2])
    assert (answer.code, answer.out) == (2, "")
    assert "1 shard is missing: 2 of 3. Nothing is proved without them" in answer.err


def test_a_shard_that_is_there_twice_is_no_pass(small: Scratch) -> None:
    paths, _ = shards(small, 2, "json")
    copy = paths[0].with_name("copy.json")
    copy.write_bytes(paths[0].read_bytes())
    answer = merge(small, *paths, copy)
    assert answer.code == 2
    assert "shard 1 is there twice" in answer.err
    assert merge(small, paths[0], paths[0], paths[1]).code == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"README.md": "b"}, "commit"),
        ({".policy-guard.yaml": "version: 1\nfail-on: warning\n"}, "commit"),
    ],
)
def test_shards_of_two_runs_are_no_pass(small: Scratch, change: dict[str, str], field: str) -> None:
    first, _ = shards(small, 2, "json", "--all")
    kept = first[0].read_bytes()
    small.commit(**change)
    second, _ = shards(small, 2, "json", "--all")
    first[0].write_bytes(kept)
    answer = merge(small, first[0], second[1])
    assert answer.code == 2
    assert "are of two runs: they differ in" in answer.err


@pytest.mark.parametrize("options", [("--verbose",), ("--all",), ("--fail-on", "warning"), ("iam/1.json",)])
def test_shards_with_other_options_are_no_pass(small: Scratch, options: tuple[str, ...]) -> None:
    first = shards(small, 2, "sarif")[0][0]
    kept = first.read_bytes()
    second = shards(small, 2, "sarif", *options)[0][1]
    first.write_bytes(kept)
    answer = merge(small, first, second)
    differs = options != ("--fail-on", "warning")  # in CI the settings decide, unless they are less strict
    assert answer.code == 2 or not differs, answer


def test_shards_of_two_versions_are_no_pass(small: Scratch) -> None:
    paths, _ = shards(small, 2, "json")
    report = json.loads(paths[1].read_text())
    report["shard"]["subject"]["versions"] = "policy-guard 0.0.1 with z3-solver 4"
    paths[1].write_text(json.dumps(report))
    answer = merge(small, *paths)
    assert answer.code == 2
    assert "they differ in versions" in answer.err


def test_a_whole_report_a_failed_shard_and_anything_else_are_refused(small: Scratch, tmp_path: Path) -> None:
    whole = small.guard("check", "--base", "HEAD~1", "--format", "json", **CI)
    refused = small.guard("check", "--base", "nothing", "--format", "json", "--shard", "1/1", **CI)
    for name, text in {"whole": whole.out, "refused": refused.out, "other": "{}", "broken": "[", "list": "[]"}.items():
        (tmp_path / name).write_text(text)
        answer = merge(small, tmp_path / name)
        assert (answer.code, answer.out) == (2, ""), (name, answer)


@pytest.mark.parametrize("fields", [{"result": "fail"}, {"shard": {"number": 2}}, {"shard": {"result": "fail"}}])
def test_a_report_that_contradicts_itself_is_refused(small: Scratch, fields: dict[str, Any]) -> None:
    (path,), _ = shards(small, 1, "json")
    report = json.loads(path.read_text())
    path.write_text(json.dumps({**report, **fields, "shard": {**report["shard"], **fields.get("shard", {})}}))
    answer = merge(small, path)
    assert (answer.code, "contradicts itself about its shard" in answer.err) == (2, True), answer


@pytest.mark.parametrize("invocations", [[], [{"executionSuccessful": "false"}], [True, False]])
def test_a_shard_that_does_not_say_it_was_checked_is_refused(small: Scratch, invocations: list[Any]) -> None:
    (path,), _ = shards(small, 1, "sarif")
    report = json.loads(path.read_text())
    entries = [each if isinstance(each, dict) else {"executionSuccessful": each} for each in invocations]
    report["runs"][0]["invocations"] = entries
    path.write_text(json.dumps(report))
    assert merge(small, path).code == 2


@pytest.mark.parametrize("text", ["0/2", "3/2", "2", "1/x", "-1/2", "1/99999"])
def test_a_shard_that_is_none_is_refused(small: Scratch, text: str) -> None:
    assert small.guard("check", f"--shard={text}", "--base", "HEAD~1", **CI).code == 2


def test_a_working_tree_has_no_shards(small: Scratch) -> None:
    answer = small.guard("check", "--shard", "1/2", "--base", "HEAD~1")
    assert answer.code == 2
    assert "the same on every machine" in answer.err


def test_required_policies_may_all_be_in_other_shards(small: Scratch) -> None:
    small.commit(**{".policy-guard.yaml": "version: 1\nrequire-policies: true\n"})
    small.commit(**{"README.md": "c"})
    assert shards(small, 50, "json", "--all")[1] == 0


def test_the_last_line_says_which_part_it_is_about(small: Scratch) -> None:
    answer = small.guard("check", "--base", "HEAD~1", "--shard", "1/2", **CI)
    assert "shard 1 of 2: " in answer.out
