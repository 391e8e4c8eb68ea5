"""Each type and module that may give access is looked at, if it stands alone in a file and no statement beside it."""

from __future__ import annotations

import pytest

from policy_guard.documents.containers.cloudformation.access_types import BLOCKED, BUS_POLICY
from policy_guard.documents.containers.cloudformation.attachments import ADDITION
from policy_guard.documents.containers.cloudformation.boundaries import BOUNDED
from policy_guard.documents.containers.cloudformation.documents import IDENTITY
from policy_guard.documents.containers.cloudformation.grants import PERMISSION
from policy_guard.documents.containers.cloudformation.places import places
from policy_guard.documents.containers.cloudformation.resource_statements import POD_IDENTITY
from policy_guard.documents.containers.manifests.keys import AWS_MODULE
from policy_guard.documents.containers.other_access import KINDS, cloudformation_types
from policy_guard.documents.format import sniff

BLOCK = "PublicAccessBlockConfiguration: {BlockPublicAcls: true}"
OWNER = "OwnershipControls: {Rules: [{ObjectOwnership: ObjectWriter}]}"
TELLING = {"OwnershipControls": OWNER}
MODULES = (
    *(
        "iam_role",
        "s3_object",
        "s3",
        "sqs_queue",
        "sns",
        "sns_topic",
        "kms_key",
        "lambda",
        "lambda_policy",
        "ecs_service",
    ),
    *("ecs_taskdefinition", "ecr_repository", "efs", "eks_cluster", "ec2_instance", "elasticsearch_domain", "aws_kms"),
    *("opensearch", "secretsmanager_secret", "codeartifact_domain", "glacier_vault", "backup_selection", "glue_job"),
    *(
        "sts_assume_role",
        "autoscaling_launch_config",
        "codebuild_project",
        "stepfunctions_state_machine",
        "ssm_parameter",
    ),
)


def _template(type_: str, properties: str) -> bytes:
    return f"Resources:\n  A:\n    Type: {type_}\n    Properties:\n      {properties}\n".encode()


@pytest.mark.parametrize("type_", sorted(cloudformation_types()))
def test_each_type_of_other_access_is_looked_at(type_: str) -> None:
    _, listed = cloudformation_types()[type_]
    for name in [path.rpartition(".")[2] for path in listed] or ["X"]:
        assert sniff(_template(type_, TELLING.get(name, f"{name}: y"))), name


@pytest.mark.parametrize("type_", sorted({type_ for kind in KINDS for type_ in kind.worked_out if "::" in type_}))
def test_each_type_whose_access_is_worked_out_is_looked_at(type_: str) -> None:
    assert sniff(_template(type_, BLOCK if type_ in BLOCKED else "X: y"))


@pytest.mark.parametrize("type_", sorted(places()))
def test_each_place_of_a_policy_is_looked_at_though_the_policy_comes_from_elsewhere(type_: str) -> None:
    for place in places()[type_]:
        (*_, name) = place.path.replace("[]", "").split(".")
        assert sniff(_template(type_, f"{name}: !ImportValue y")), name
        assert sniff(_template(type_, f'{{"{name}": {{"Fn::ImportValue": "y"}}}}')), name


@pytest.mark.parametrize("type_", [*IDENTITY, *BOUNDED, ADDITION, BUS_POLICY, PERMISSION, POD_IDENTITY])
def test_each_type_of_a_principal_is_looked_at(type_: str) -> None:
    assert sniff(_template(type_, "X: y"))


@pytest.mark.parametrize("module", MODULES)
def test_each_module_of_ansible_is_looked_at(module: str) -> None:
    if module not in ("efs", "opensearch"):
        assert module == "sqs_queue" or AWS_MODULE.fullmatch(module)
        assert sniff(f"- name: x\n  {module}:\n    name: a\n".encode())
    assert sniff(f"- name: x\n  community.aws.{module}:\n    name: a\n".encode())


@pytest.mark.parametrize(
    "type_", ["aws:iam:Role", "aws-native:s3:Bucket", "awsx:ecs:Service", "eks:Cluster", "eks:index:Cluster"]
)
def test_each_package_of_pulumi_is_looked_at(type_: str) -> None:
    assert sniff(f"resources:\n  a:\n    type: {type_}\n    properties: {{a: b}}\n".encode())
