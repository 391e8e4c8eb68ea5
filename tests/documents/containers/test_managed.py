"""Managed policies of AWS are read by their ARN, one at a time, and parsed like any other."""

from __future__ import annotations

import json

import pytest

from policy_guard.documents.containers.holes import hole
from policy_guard.documents.containers.managed import arns, managed, statements
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.source import Array, Entry, Object, Scalar, Source, Span
from policy_guard.iam.parse import parse

PREFIX = "arn:aws:iam::aws:policy/"
HERE = Span(0, 1)


def test_a_policy_has_its_path_version_and_day() -> None:
    found = managed(f"{PREFIX}service-role/AWSLambdaBasicExecutionRole")
    assert found is not None
    assert found.version.startswith("v")
    assert len(found.day) == len("2026-01-31")
    assert json.loads(found.document)["Statement"]


@pytest.mark.parametrize(
    "arn",
    [
        f"{PREFIX}AWSLambdaBasicExecutionRole",
        f"{PREFIX}Administrator",
        f"{PREFIX}administratoraccess",
        f"{PREFIX}AdministratorAccess v1",
        f"{PREFIX}AdministratorAccess\n",
        "arn:aws-cn:iam::aws:policy/AdministratorAccess",
        "arn:aws:iam::123456789012:policy/AdministratorAccess",
        "arn:aws:iam::aws:policy",
        "AdministratorAccess",
        "",
    ],
)
def test_another_arn_is_none_of_them(arn: str) -> None:
    assert managed(arn) is None


def test_the_partition_may_be_unknown_and_nothing_else() -> None:
    partition, name = hole("partition"), hole("name")
    assert statements(("arn:", partition, ":iam::aws:policy/AdministratorAccess"), HERE)
    assert not statements(("arn:", partition, ":iam::123456789012:policy/AdministratorAccess"), HERE)
    assert not statements((PREFIX, name), HERE)
    assert not statements((name,), HERE)


@pytest.mark.parametrize("arn", arns()[::60])
def test_every_policy_is_read_as_a_policy(arn: str) -> None:
    entries = (("Version", Scalar("2012-10-17", HERE)), ("Statement", Array(statements((arn,), HERE), HERE)))
    node = Object(tuple(Entry(Scalar(key, HERE), value) for key, value in entries), HERE)
    policy = parse(PolicyDocument("", node, Source("a", "x"), "", kind="identity"))
    found = managed(arn)
    assert found is not None
    written = json.loads(found.document)["Statement"]
    assert len(policy.statements) == (len(written) if isinstance(written, list) else 1)
