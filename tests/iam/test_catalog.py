"""The catalogue: its spelling, its patterns, its key types, and the script that builds it."""

from __future__ import annotations

import importlib.util
import json
import zlib
from pathlib import Path
from types import ModuleType

import pytest

from policy_guard.cli import main
from policy_guard.iam import catalog
from tests.support.places import ROOT

GLOBAL = """
  { key: 'aws:CalledVia', type: 'ArrayOfString' },
  { key: 'aws:RequestTag/tag-key', type: 'String' },
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_catalog", ROOT / "scripts" / "build_catalog.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "DATA", tmp_path)
    return module


def action(name: str, levels: str, *resources: str) -> dict[str, object]:
    return {"name": name, "accessLevel": levels, "resourceTypes": [{"name": kind} for kind in resources]}


def packed(keys: dict[str, dict[str, str]]) -> dict[str, bytes]:
    described = {
        f"data/conditionKeys/{service}.json": json.dumps({k.lower(): {"key": k, "type": t} for k, t in has.items()})
        for service, has in keys.items()
    }
    other = {
        "package.json": '{"version": "1.2.3", "updatedAt": "2026-09-26T04:46:59Z"}',
        "LICENSE.txt": "MIT License",
        "data/actions/x.json": json.dumps({"b": action("B", "Tagging, Write", "Kind"), "a": action("A", "Read")}),
        "data/resourceTypes/x.json": json.dumps(
            {
                "a kind": {"key": "a kind", "arn": "arn:${Partition}:x:::a/${Name}, arn:${Partition}:x:::b/${Name}"},
                "kind": {"key": "Kind", "arn": "arn:${Partition}:x:::${Name}/*"},
            }
        ),
        "dist/esm/globalConditionKeys.js": GLOBAL,
    }
    return {name: text.encode() for name, text in {**described, **other}.items()}


def test_actions_are_spelled_as_aws_spells_them() -> None:
    assert "DeleteBucket" in catalog.actions("s3")
    assert catalog.matching("S3:deletebucket") == ("s3:DeleteBucket",)
    assert catalog.actions("s4") == ()


def test_patterns_cover_whole_actions() -> None:
    gets = catalog.matching("s3:Get*")
    assert gets
    assert all(action.startswith("s3:Get") for action in gets)
    assert len(catalog.matching("*")) == sum(len(catalog.actions(service)) for service in catalog.services())
    assert catalog.matching("s?:GetObjec?") == ("s3:GetObject",)
    assert catalog.matching("s3:Get") == ()


def test_a_hostile_pattern_is_matched_quickly() -> None:
    assert catalog.matching("*:" + "*?" * 20 + "_") == ()


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("aws:SecureTransport", ("Bool", False)),
        ("AWS:principalorgpaths", ("String", True)),
        ("aws:RequestTag/cost centre", ("String", False)),
        ("aws:RequestTag/", None),
        ("dynamodb:LeadingKeys", ("String", True)),
        ("s3:prefix", ("String", False)),
        ("identitystore:UserId", ("String", True)),
        ("cognito-identity.amazonaws.com:amr", ("String", True)),
        ("token.actions.githubusercontent.com:actor", ("String", False)),
        ("my:key", None),
    ],
)
def test_types_of_condition_keys(key: str, expected: tuple[str, bool] | None) -> None:
    assert catalog.key_type(key) == expected


def test_the_terms_ship_with_the_data() -> None:
    terms = (ROOT / "policy_guard" / "iam" / "catalog" / "LICENSE.txt").read_text(encoding="ascii")
    assert "MIT License" in terms
    assert "(MIT)" in catalog.source()


def test_a_key_has_several_values_if_any_service_gives_it_several(script: ModuleType) -> None:
    keys = script._keys(
        packed({"x": {"y:A": "ARN", "y:B": "String", "x:${T}/c": "Bool"}, "y": {"y:A": "ArrayOfARN", "y:B": "Bool"}})
    )
    assert keys == {
        "aws:calledvia": "ArrayOfString",
        "aws:requesttag/*": "String",
        "y:a": "ArrayOfARN",
        "x:*/c": "Bool",
    }


def test_building_twice_writes_the_same_bytes(script: ModuleType, tmp_path: Path) -> None:
    def built(files: dict[str, bytes]) -> dict[str, bytes]:
        script._write(files, {"x": ["A", "B"]})
        return {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    files = packed({"x": {"x:K": "Bool"}})
    assert built(files) == built(dict(reversed(files.items())))
    assert (tmp_path / "actions.txt").read_text() == "x A B\n"


def test_the_cross_check_names_what_one_source_lacks(script: ModuleType) -> None:
    told = list(script._differences({"x": ["A", "B"]}, {"x": {"Actions": {"a": {}, "c": {}}}}))
    assert told == ["only in iam-data x:b", "only in cfn-lint x:c", "1 only in iam-data, 1 only in cfn-lint, 1 in both"]


def test_an_action_is_described_by_its_levels_and_resources() -> None:
    assert catalog.described("iam:PassRole") == catalog.Action("iam:PassRole", ("Write",), ("arn:*:iam::*:role/*",))
    assert catalog.described("s3:ListAllMyBuckets").resources == ()
    assert all(catalog.described(action).levels for action in catalog.matching("*"))


def test_kinds_of_resources_with_blanks_in_their_names_are_one_kind_each() -> None:
    assert catalog.resources("lambda:PublishVersion") == ("arn:*:lambda:*:*:function:*",)
    assert catalog.resources("apigateway:ImportVpcLink") is None
    several = catalog.resources("apigateway:PATCH")
    assert several is not None
    assert "arn:*:apigateway:*::/restapis/*" in several


def test_every_kind_of_resources_is_an_arn() -> None:
    kinds = {arn for action in catalog.matching("*") for arn in catalog.resources(action) or ()}
    assert len(kinds) > 1000
    assert all(arn.startswith("arn:") and " " not in arn and arn.count(":") >= 5 for arn in kinds)


def test_an_action_on_all_resources_has_no_kinds_and_an_unknown_one_is_told_apart() -> None:
    assert catalog.resources("S3:listAllMyBuckets") == ()
    assert catalog.resources("s3:ListAllMyBukets") is None
    assert catalog.resources("s4:ListAllMyBuckets") is None


def test_the_script_keeps_what_each_action_does(script: ModuleType, tmp_path: Path) -> None:
    files = packed({})
    script._write(files, {"x": ["A", "B"]})
    assert (tmp_path / "details.txt").read_text() == "x R TW1\n"
    assert (tmp_path / "resources.txt").read_text() == "x a-kind=arn:*:x:::a/*,arn:*:x:::b/* Kind=arn:*:x:::*/*\n"


def test_all_of_it_takes_less_than_half_a_megabyte_in_the_wheel() -> None:
    folder = ROOT / "policy_guard" / "iam" / "catalog"
    assert sum(len(zlib.compress(file.read_bytes(), 6)) for file in folder.iterdir() if file.is_file()) < 500_000


def test_the_command_lists_what_a_pattern_covers(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", "s3:GetObjectTorr*", "s3:Deletebucket"]) == 0
    assert capfd.readouterr().out == "s3:GetObjectTorrent\ns3:DeleteBucket\n"
    assert main(["catalog", "--long", "iam:PassRole"]) == 0
    assert capfd.readouterr().out == "iam:PassRole  Write  arn:*:iam::*:role/*\n"


def test_a_pattern_that_covers_nothing_is_said_and_fails(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", "s3:GetObjekt"]) == 1
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith('"s3:GetObjekt" covers no action of ')
    assert said.err.endswith("; did you mean s3:GetObject?\n")
