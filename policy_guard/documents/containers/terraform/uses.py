"""The arguments of AWS resources that take policies, and what they are attached to.

Source: the AWS provider's documentation of each resource.
"""

from __future__ import annotations

from policy_guard.documents.containers import Kind

_RESOURCE: Kind = "resource"
_ARGUMENTS: tuple[str, ...] = (
    *("policy", "assume_role_policy", "access_policies", "access_policy", "resource_policy", "policy_text", "content"),
    *("policy_document", "permissions_policy", "inline_policy", "file_system_policy", "repository_policy"),
    *("bus_policy", "key_policy", "resource_policy_json", "permission_policy", "session_policy"),
)
# Their `policy` or `content` is something else than a policy of IAM.
_OTHERS: tuple[str, ...] = (
    "lifecycle_policy",
    "data_protection_policy",
    "aws_fms_policy",
    "aws_iot_policy",
    "scaling_policy",
    "aws_lb_",
)
_OTHERS += (
    "aws_s3_object",
    "aws_s3_bucket_object",
    "aws_ssm_document",
    "security_policy",
    "encryption_policy",
)
_OTHERS += ("aws_dlm_", "aws_verifiedpermissions", "aws_load_balancer", "aws_route53", "aws_kms_ciphertext")
_IDENTITY = ("aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy")
HOLDERS: tuple[str, ...] = (
    *("role", "user", "group", "roles", "users", "groups", "bucket", "key_id", "queue_url", "arn", "repository"),
    *("resource_arn", "secret_arn", "vault_name", "backup_vault_name", "rest_api_id", "vpc_endpoint_id", "domain_name"),
    *("file_system_id", "function_name", "event_bus_name", "topic_arn", "identity", "instance_arn", "name", "provider"),
    *("permission_set_arn", "repository_name", "target_id", "domain", "table_bucket_arn", "type", "layer_name"),
    *("account_id", "role_name", "user_name", "group_name"),
)


def kind_of(type_: str, argument: str) -> Kind | None:
    """The kind of the policies in an argument of a type of resource."""
    if argument == "assume_role_policy":
        return "trust"
    if type_ in _IDENTITY or type_ == "aws_iam_role" or argument == "inline_policy":
        return "identity"
    if type_ == "aws_vpc_endpoint" or type_ == "aws_vpc_endpoint_policy":
        return "endpoint"
    if type_ == "aws_transfer_user" or type_ == "aws_transfer_access":
        return "session"
    return None if type_ == "aws_organizations_policy" else _RESOURCE


def takes_policy(type_: str, argument: str) -> bool:
    """Tell whether an argument of a type of resource takes a policy."""
    if not type_.startswith("aws_") or any(other in type_ for other in _OTHERS):
        return False
    if argument == "content":
        return type_ == "aws_organizations_policy"
    return argument in _ARGUMENTS
