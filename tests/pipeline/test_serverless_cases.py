"""Files of the Serverless Framework in two versions, each named by what differs, and where the others fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cases import cases, fails_at_its_line, passes
from tests.support.repository import Scratch


@pytest.mark.parametrize("case", cases("serverless", "passes"), ids=lambda case: case.name)
def test_what_grants_nothing_new_passes(case: Path, tmp_path: Path) -> None:
    passes(case, tmp_path)


@pytest.mark.parametrize("case", cases("serverless", "fails"), ids=lambda case: case.name)
def test_what_may_grant_more_fails_at_its_line(case: Path, tmp_path: Path) -> None:
    fails_at_its_line(case, tmp_path)


def test_a_variable_with_another_in_its_name_is_told_as_it_is_written(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    text = "service: s\nprovider:\n  name: aws\n  iam:\n    role:\n      statements:\n        - Effect: Allow\n"
    text += (
        "          Action: s3:ListBucket\n          Resource: arn:aws:s3:::orders\nfunctions:\n  f: {handler: a.b}\n"
    )
    scratch.commit(**{"serverless.yml": text})
    scratch.write("serverless.yml", text.replace("s3:ListBucket", "${self:custom.${opt:stage}}"))
    assert "new ${self:custom.${opt:stage}} on" in " ".join(scratch.guard("check").out.split())
