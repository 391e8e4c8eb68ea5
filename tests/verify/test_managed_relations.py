"""How policies of AWS relate, by all that they allow, beside what AWS says of each."""

from __future__ import annotations

import pytest

from tests.benchmarks.relations import read, relation

_PREFIX = "arn:aws:iam::aws:policy/"
# Source: AWS Managed Policy Reference Guide, the page of each: "full access" and "read only access" of a service; "full
# access to AWS services and resources, but does not allow management of Users and groups"; "write permissions to
# CloudWatch Logs", and of the other role also "create, describe, delete network interfaces"; of images "full access to
# [...] repositories, but does not allow repository deletion or policy changes", between reading and all of it.
PAIRS = {
    ("AdministratorAccess", "PowerUserAccess"): "narrower",
    ("PowerUserAccess", "IAMFullAccess"): "neither",
    ("IAMFullAccess", "IAMReadOnlyAccess"): "narrower",
    ("AmazonS3ReadOnlyAccess", "AmazonS3FullAccess"): "wider",
    ("AmazonEC2FullAccess", "AmazonEC2ReadOnlyAccess"): "narrower",
    ("AmazonSQSFullAccess", "AmazonSQSReadOnlyAccess"): "narrower",
    ("AmazonEC2ContainerRegistryReadOnly", "AmazonEC2ContainerRegistryPowerUser"): "wider",
    ("AmazonEC2ContainerRegistryPowerUser", "AmazonEC2ContainerRegistryFullAccess"): "wider",
    ("service-role/AWSLambdaBasicExecutionRole", "service-role/AWSLambdaVPCAccessExecutionRole"): "wider",
    ("AdministratorAccess", "AdministratorAccess"): "same",
    # By their names the second is a part of the first. It lists what the first does not: AWS says of it that one views
    # resources and basic metadata of all services by it.
    ("ReadOnlyAccess", "job-function/ViewOnlyAccess"): "neither",
}


@pytest.mark.parametrize(("pair", "expected"), PAIRS.items(), ids=[" and ".join(pair) for pair in PAIRS])
def test_policies_of_aws_relate_as_their_descriptions_say(pair: tuple[str, str], expected: str) -> None:
    old, new = (read(f"{_PREFIX}{name}") for name in pair)
    assert relation(old, new) == expected
