"""Access that no policy can express: its kinds, and which resources of CloudFormation and Terraform give it.

What such a resource grants is known by the text of its properties or arguments: other ones are new access. Each kind
has the page of AWS that says what it gives to whom. What a policy can express is no kind of this table: it becomes a
statement (`grants.py` of each container).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

PREFIX = "other-access:"
"""What the actions begin with that stand for such access; the name of the kind follows."""
EVERY: tuple[str, ...] = ()
"""All properties of a resource decide, but for those that only name or describe."""
_DETAIL = "_"
_MOST_NAMED = 3
_LONGEST = 160
# What would end the name of an unknown part.
_UNTOLD = frozenset("${}")
_DOCS = "https://docs.aws.amazon.com/"


class OtherAccess(NamedTuple):
    """A kind of access: its `name` in the settings, what a resource `does`, what is `advised`, and AWS's page.

    `cloudformation` and `terraform` are its types of resources, each with the properties that decide. `receivers` are
    the properties among them that say to whom. `worked_out` are types whose access more than its text tells.
    `opened` says what is new where nothing else does. `forms` are those that are no type of a resource.
    """

    name: str
    does: str
    advised: str
    page: str
    receivers: tuple[str, ...] = ()
    cloudformation: Mapping[str, tuple[str, ...]] = {}
    terraform: Mapping[str, tuple[str, ...]] = {}
    worked_out: tuple[str, ...] = ()
    opened: str = ""
    forms: str = ""


def action_of(kind: str, detail: str = "") -> str:
    """Return the action that stands for access of a kind, or for a part of it."""
    return f"{PREFIX}{kind}{_DETAIL if detail else ''}{detail}"


def kind_of(action: str) -> OtherAccess | None:
    """Return the kind of access that an action stands for; None for any other action."""
    return _by_name().get(action.removeprefix(PREFIX).partition(_DETAIL)[0]) if action.startswith(PREFIX) else None


def detail_of(action: str) -> str:
    """Return the part of its kind that an action stands for; nothing for all of it."""
    return action.partition(_DETAIL)[2]


def access_words(what: str, receivers: Iterable[str]) -> str:
    """Say what such access is: for whom, as far as that can be told in a line."""
    names = [each for each in receivers if each and each.isprintable() and not _UNTOLD.intersection(each)]
    line = ", ".join(names[:_MOST_NAMED]) + (" and others" if len(names) > _MOST_NAMED else "")
    return f"access for {line}" if line and len(line) <= _LONGEST else f"what {what} gives access to"


@cache
def _by_name() -> dict[str, OtherAccess]:
    return {kind.name: kind for kind in KINDS}


@cache
def cloudformation_types() -> Mapping[str, tuple[OtherAccess, tuple[str, ...]]]:
    """The types of CloudFormation, each with its kind and the properties that decide."""
    return {type_: (kind, names) for kind in KINDS for type_, names in kind.cloudformation.items()}


@cache
def terraform_types() -> Mapping[str, tuple[OtherAccess, tuple[str, ...]]]:
    """The types of Terraform, each with its kind and the arguments that decide."""
    return {type_: (kind, names) for kind in KINDS for type_, names in kind.terraform.items()}


_SNAPSHOT = (
    *("shared_accounts", "db_snapshot_identifier", "db_instance_identifier", "db_cluster_identifier"),
    *("db_cluster_snapshot_identifier", "source_db_snapshot_identifier", "target_db_snapshot_identifier"),
)
_ADMINISTERED = ("detective", "guardduty", "macie2", "securityhub", "vpc_ipam")
_STACK = ("template_url", "template_body", "parameters")
_REVIEW = "look at what it gives to whom, and have it reviewed"
_NARROW = "name those who need it and no others, and have it reviewed"

KINDS = (
    OtherAccess(
        name="access-key",
        does="makes an access key of a user",
        advised="let people and programs take roles instead, or have the key reviewed",
        page=f"{_DOCS}IAM/latest/UserGuide/id_credentials_access-keys.html",
        receivers=("UserName", "user"),
        cloudformation={"AWS::IAM::AccessKey": EVERY},
        terraform={"aws_iam_access_key": EVERY},
    ),
    OtherAccess(
        name="login",
        does="lets a user sign in with a password",
        advised="let people sign in through an identity provider instead, or have the password reviewed",
        page=f"{_DOCS}IAM/latest/UserGuide/id_credentials_passwords_admin-change-user.html",
        receivers=("user",),
        cloudformation={"AWS::IAM::User": ("LoginProfile",)},
        terraform={"aws_iam_user_login_profile": EVERY},
    ),
    OtherAccess(
        name="credential",
        does="gives a user another way to sign in",
        advised="let people and programs take roles instead, or have the credential reviewed",
        page=f"{_DOCS}IAM/latest/UserGuide/id_credentials_mixed.html",
        receivers=("user_name", "username"),
        terraform={
            "aws_iam_service_specific_credential": EVERY,
            "aws_iam_user_ssh_key": EVERY,
            "aws_iam_signing_certificate": EVERY,
        },
    ),
    OtherAccess(
        name="identity-provider",
        does="lets an account trust an identity provider",
        advised="make sure who runs the provider and which roles trust it, and have it reviewed",
        page=f"{_DOCS}IAM/latest/UserGuide/id_roles_providers.html",
        receivers=("Url", "url", "Name", "name"),
        cloudformation={"AWS::IAM::OIDCProvider": ("Url", "ClientIdList"), "AWS::IAM::SAMLProvider": EVERY},
        terraform={"aws_iam_openid_connect_provider": ("url", "client_id_list"), "aws_iam_saml_provider": EVERY},
    ),
    OtherAccess(
        name="instance-profile",
        does="gives instances a role",
        advised="look at what the role may do, and have it reviewed",
        page=f"{_DOCS}IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html",
        receivers=("Roles", "role"),
        cloudformation={"AWS::IAM::InstanceProfile": ("Roles",)},
        terraform={"aws_iam_instance_profile": EVERY},
    ),
    OtherAccess(
        name="group-membership",
        does="adds somebody to a group",
        advised="look at what the group may do, and have it reviewed",
        page=f"{_DOCS}singlesignon/latest/userguide/addgroups.html",
        receivers=("MemberId", "member_id", "user", "users"),
        cloudformation={"AWS::IdentityStore::GroupMembership": EVERY},
        terraform={
            "aws_identitystore_group_membership": EVERY,
            "aws_iam_user_group_membership": EVERY,
            "aws_iam_group_membership": EVERY,
        },
    ),
    OtherAccess(
        name="sso-assignment",
        does="assigns a permission set of IAM Identity Center in an account",
        advised="look at what the permission set allows, and have it reviewed",
        page=f"{_DOCS}singlesignon/latest/userguide/useraccess.html",
        receivers=("PrincipalId", "principal_id"),
        cloudformation={"AWS::SSO::Assignment": EVERY},
        terraform={"aws_ssoadmin_account_assignment": EVERY},
    ),
    OtherAccess(
        name="sso-policy",
        does="gives a permission set a policy of the accounts in which it is assigned",
        advised="look at what the policy of this name allows in each account, and have it reviewed",
        page=f"{_DOCS}singlesignon/latest/userguide/permissionsetcustom.html",
        cloudformation={"AWS::SSO::PermissionSet": ("CustomerManagedPolicyReferences",)},
        terraform={"aws_ssoadmin_customer_managed_policy_attachment": EVERY},
    ),
    OtherAccess(
        name="roles-anywhere",
        does="lets machines outside of AWS take roles by IAM Roles Anywhere",
        advised="make sure who has the certificates, and have it reviewed",
        page=f"{_DOCS}rolesanywhere/latest/userguide/introduction.html",
        receivers=("RoleArns", "role_arns"),
        cloudformation={"AWS::RolesAnywhere::Profile": EVERY, "AWS::RolesAnywhere::TrustAnchor": ("Source", "Enabled")},
        terraform={"aws_rolesanywhere_profile": EVERY, "aws_rolesanywhere_trust_anchor": ("source", "enabled")},
    ),
    OtherAccess(
        name="identity-pool",
        does="decides who gets credentials of an identity pool of Amazon Cognito",
        advised="make sure that only those you know may have them, and have it reviewed",
        page=f"{_DOCS}cognito/latest/developerguide/identity-pools.html",
        cloudformation={
            "AWS::Cognito::IdentityPool": (
                *("AllowUnauthenticatedIdentities", "CognitoIdentityProviders", "DeveloperProviderName"),
                *("OpenIdConnectProviderARNs", "SamlProviderARNs", "SupportedLoginProviders"),
            ),
            "AWS::Cognito::IdentityPoolRoleAttachment": EVERY,
        },
        terraform={
            "aws_cognito_identity_pool": (
                *("allow_unauthenticated_identities", "cognito_identity_providers", "developer_provider_name"),
                *("openid_connect_provider_arns", "saml_provider_arns", "supported_login_providers"),
            ),
            "aws_cognito_identity_pool_roles_attachment": EVERY,
        },
    ),
    OtherAccess(
        name="user-pool-group",
        does="gives a group of a user pool of Amazon Cognito a role",
        advised="look at what the role may do, and have it reviewed",
        page=f"{_DOCS}cognito/latest/developerguide/cognito-user-pools-user-groups.html",
        receivers=("RoleArn", "role_arn"),
        cloudformation={"AWS::Cognito::UserPoolGroup": ("RoleArn",)},
        terraform={"aws_cognito_user_group": ("role_arn",), "aws_cognito_user_in_group": EVERY},
    ),
    OtherAccess(
        name="cluster-access",
        does="lets somebody into a cluster of Amazon EKS",
        advised="look at the groups and access policies that it names, and have it reviewed",
        page=f"{_DOCS}eks/latest/userguide/access-entries.html",
        receivers=("PrincipalArn", "principal_arn", "RoleArn", "role_arn"),
        cloudformation={
            "AWS::EKS::AccessEntry": EVERY,
            "AWS::EKS::IdentityProviderConfig": EVERY,
        },
        terraform={
            "aws_eks_access_entry": EVERY,
            "aws_eks_access_policy_association": EVERY,
            "aws_eks_identity_provider_config": EVERY,
        },
    ),
    OtherAccess(
        name="lake-formation",
        does="gives permissions of AWS Lake Formation",
        advised=_NARROW,
        page=f"{_DOCS}lake-formation/latest/dg/lake-formation-permissions-reference.html",
        receivers=("DataLakePrincipal", "Principal", "principal", "Admins", "admins"),
        cloudformation={
            "AWS::LakeFormation::DataLakeSettings": EVERY,
            "AWS::LakeFormation::Permissions": EVERY,
            "AWS::LakeFormation::PrincipalPermissions": EVERY,
            "AWS::LakeFormation::TagAssociation": EVERY,
        },
        terraform={
            "aws_lakeformation_data_lake_settings": EVERY,
            "aws_lakeformation_permissions": EVERY,
            "aws_lakeformation_resource_lf_tag": EVERY,
            "aws_lakeformation_resource_lf_tags": EVERY,
            "aws_lakeformation_opt_in": EVERY,
            "aws_lakeformation_resource": EVERY,
        },
    ),
    OtherAccess(
        name="ram-share",
        does="shares resources through AWS RAM",
        advised=_NARROW,
        page=f"{_DOCS}ram/latest/userguide/what-is.html",
        receivers=("Principals", "principal"),
        cloudformation={"AWS::RAM::Permission": EVERY, "AWS::RAM::ResourceShare": EVERY},
        terraform={
            "aws_ram_resource_share": ("allow_external_principals", "permission_arns"),
            "aws_ram_principal_association": EVERY,
            "aws_ram_resource_association": EVERY,
        },
    ),
    OtherAccess(
        name="snapshot",
        does="shares a snapshot or an image",
        advised="share it with the accounts that need it, never with all, and have it reviewed",
        page=f"{_DOCS}AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html",
        receivers=("shared_accounts", "account_id", "group", "organization_arn", "organizational_unit_arn"),
        terraform={
            "aws_db_snapshot": _SNAPSHOT,
            "aws_db_snapshot_copy": _SNAPSHOT,
            "aws_db_cluster_snapshot": _SNAPSHOT,
            "aws_ami_launch_permission": EVERY,
            "aws_snapshot_create_volume_permission": EVERY,
            "aws_ebs_snapshot_block_public_access": ("state",),
            "aws_ec2_image_block_public_access": ("state",),
        },
    ),
    OtherAccess(
        name="endpoint-service",
        does="lets others connect to an endpoint service",
        advised=_NARROW,
        page=f"{_DOCS}vpc/latest/privatelink/configure-endpoint-service.html",
        receivers=("AllowedPrincipals", "allowed_principals", "principal_arn"),
        cloudformation={"AWS::EC2::VPCEndpointServicePermissions": EVERY},
        terraform={
            "aws_vpc_endpoint_service": ("allowed_principals",),
            "aws_vpc_endpoint_service_allowed_principal": EVERY,
        },
    ),
    OtherAccess(
        name="search-access",
        does="lets somebody into Amazon OpenSearch",
        advised=_NARROW,
        page=f"{_DOCS}opensearch-service/latest/developerguide/serverless-data-access.html",
        receivers=("account",),
        cloudformation={
            "AWS::OpenSearchServerless::AccessPolicy": ("Policy", "Type"),
            "AWS::OpenSearchServerless::SecurityPolicy": ("Policy", "Type"),
        },
        terraform={
            "aws_opensearchserverless_access_policy": EVERY,
            "aws_opensearchserverless_security_policy": EVERY,
            "aws_opensearch_authorize_vpc_endpoint_access": EVERY,
        },
    ),
    OtherAccess(
        name="warehouse-share",
        does="lets others into Amazon Redshift",
        advised=_NARROW,
        page=f"{_DOCS}redshift/latest/mgmt/managing-cluster-cross-vpc.html",
        receivers=("Account", "account", "consumer_identifier"),
        cloudformation={"AWS::Redshift::EndpointAuthorization": EVERY},
        terraform={"aws_redshift_endpoint_authorization": EVERY, "aws_redshift_data_share_authorization": EVERY},
    ),
    OtherAccess(
        name="access-grant",
        does="gives an access grant of Amazon S3",
        advised=_NARROW,
        page=f"{_DOCS}AmazonS3/latest/userguide/access-grants.html",
        receivers=("Grantee", "grantee", "IAMRoleArn", "iam_role_arn"),
        cloudformation={
            "AWS::S3::AccessGrant": EVERY,
            "AWS::S3::AccessGrantsInstance": EVERY,
            "AWS::S3::AccessGrantsLocation": EVERY,
        },
        terraform={"aws_s3control_access_grant": EVERY, "aws_s3control_access_grants_location": EVERY},
    ),
    OtherAccess(
        name="bucket-acl",
        does="opens a bucket by its access control list",
        advised="use a bucket policy that names who may do what, or have it reviewed",
        page=f"{_DOCS}AmazonS3/latest/userguide/acl-overview.html",
        receivers=("AccessControl", "acl"),
        cloudformation={"AWS::S3::Bucket": ("AccessControl",)},
        terraform={
            **dict.fromkeys(("aws_s3_bucket", "aws_s3_object", "aws_s3_bucket_object"), ("acl", "grant")),
            "aws_s3_object_copy": ("acl", "grant"),
            "aws_s3_bucket_acl": EVERY,
        },
    ),
    OtherAccess(
        name="public-access-block",
        does="lets in public access that was blocked",
        advised="block public access again, or have it reviewed",
        page=f"{_DOCS}AmazonS3/latest/userguide/access-control-block-public-access.html",
        terraform={
            "aws_s3_access_point": ("public_access_block_configuration", "bucket", "bucket_account_id"),
            "aws_s3control_multi_region_access_point": ("details",),
        },
        worked_out=(
            *("AWS::S3::Bucket", "AWS::S3::AccessPoint", "AWS::S3::MultiRegionAccessPoint"),
            *("aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block"),
        ),
        opened="what a block of public access keeps out",
    ),
    OtherAccess(
        name="function-url",
        does="opens the URL of a function",
        advised="ask callers for AWS_IAM, or have who may call it reviewed",
        page=f"{_DOCS}lambda/latest/dg/urls-auth.html",
        forms="`FunctionUrlConfig` of AWS SAM, `url` of a function of the Serverless Framework",
        terraform={"aws_lambda_function_url": EVERY},
        worked_out=("AWS::Lambda::Url",),
        opened="calls of the URL of the function",
    ),
    OtherAccess(
        name="open-api",
        does="opens an API by its resource policy, or by having none any more",
        advised="put the resource policy back, or have who may call the API reviewed",
        page=f"{_DOCS}apigateway/latest/developerguide/apigateway-resource-policies.html",
        forms="`Auth.ResourcePolicy` of AWS SAM",
        opened="calls that the resource policy kept out",
    ),
    OtherAccess(
        name="endpoint",
        does="lets more callers call an endpoint",
        advised="put the authorizer back, or have who may call it reviewed",
        page=f"{_DOCS}apigateway/latest/developerguide/apigateway-control-access-to-api.html",
        forms="who may call an API by the events of the Serverless Framework",
    ),
    OtherAccess(
        name="acting-role",
        does="acts by another role",
        advised="look at what the role may do, and have it reviewed",
        page=f"{_DOCS}IAM/latest/UserGuide/id_roles_use_passrole.html",
        forms="the role that a function, an instance or a task acts by",
    ),
    OtherAccess(
        name="signing-profile",
        does="lets others use a signing profile",
        advised=_NARROW,
        page=f"{_DOCS}signer/latest/developerguide/signing-profile-cross-account.html",
        receivers=("Principal", "principal"),
        cloudformation={"AWS::Signer::ProfilePermission": EVERY},
        terraform={"aws_signer_signing_profile_permission": EVERY},
    ),
    OtherAccess(
        name="entity-resolution",
        does="lets somebody use what AWS Entity Resolution has",
        advised=_NARROW,
        page=f"{_DOCS}entityresolution/latest/apireference/API_AddPolicyStatement.html",
        receivers=("Principal",),
        cloudformation={"AWS::EntityResolution::PolicyStatement": EVERY},
    ),
    OtherAccess(
        name="security-lake",
        does="lets a subscriber read from Amazon Security Lake",
        advised=_NARROW,
        page=f"{_DOCS}security-lake/latest/userguide/subscriber-management.html",
        receivers=("SubscriberIdentity", "subscriber_identity"),
        cloudformation={"AWS::SecurityLake::Subscriber": EVERY},
        terraform={"aws_securitylake_subscriber": EVERY},
    ),
    OtherAccess(
        name="service-catalog",
        does="gives access by a portfolio of AWS Service Catalog",
        advised=_REVIEW,
        page=f"{_DOCS}servicecatalog/latest/adminguide/catalogs_portfolios_users.html",
        receivers=("PrincipalARN", "principal_arn", "AccountId", "principal_id", "RoleArn"),
        cloudformation={
            "AWS::ServiceCatalog::LaunchRoleConstraint": EVERY,
            "AWS::ServiceCatalog::PortfolioPrincipalAssociation": EVERY,
            "AWS::ServiceCatalog::PortfolioShare": EVERY,
        },
        terraform={
            "aws_servicecatalog_principal_portfolio_association": EVERY,
            "aws_servicecatalog_portfolio_share": EVERY,
        },
    ),
    OtherAccess(
        name="transfer-user",
        does="lets a user into a server of AWS Transfer Family",
        advised="look at what the role of the user may do, and have it reviewed",
        page=f"{_DOCS}transfer/latest/userguide/service-managed-users.html",
        receivers=("UserName", "user_name"),
        cloudformation={
            "AWS::Transfer::User": (
                *("Role", "ServerId", "UserName", "HomeDirectory", "HomeDirectoryMappings", "HomeDirectoryType"),
            )
        },
        terraform={"aws_transfer_user": EVERY, "aws_transfer_ssh_key": EVERY},
    ),
    OtherAccess(
        name="quicksight",
        does="shares something of Amazon QuickSight",
        advised=_NARROW,
        page=f"{_DOCS}quicksuite/latest/userguide/share-a-data-set.html",
        forms="`AWS::QuickSight::*`",
        terraform={
            "aws_quicksight_data_set": ("permissions",),
            "aws_quicksight_data_source": ("permission",),
            "aws_quicksight_dashboard": ("permissions",),
            "aws_quicksight_analysis": ("permissions",),
            "aws_quicksight_folder": ("permissions",),
            "aws_quicksight_iam_policy_assignment": EVERY,
        },
    ),
    OtherAccess(
        name="organization",
        does="gives an account or a service power over the accounts of an organization",
        advised="make sure that it needs that, and have it reviewed",
        page=f"{_DOCS}organizations/latest/userguide/orgs_integrate_services.html",
        receivers=("account_id", "service_principal", "aws_service_access_principals"),
        terraform={
            "aws_organizations_delegated_administrator": EVERY,
            "aws_organizations_organization": ("aws_service_access_principals",),
            "aws_iam_organizations_features": ("enabled_features",),
            **dict.fromkeys((f"aws_{service}_organization_admin_account" for service in _ADMINISTERED), EVERY),
            "aws_auditmanager_organization_admin_account_registration": EVERY,
            "aws_cloudtrail_organization_delegated_admin_account": EVERY,
            "aws_fms_admin_account": EVERY,
            "aws_inspector2_delegated_admin_account": EVERY,
        },
    ),
    OtherAccess(
        name="shared-document",
        does="shares a document of Systems Manager",
        advised=_NARROW,
        page=f"{_DOCS}systems-manager/latest/userguide/documents-ssm-sharing.html",
        terraform={"aws_ssm_document": ("permissions",)},
    ),
    OtherAccess(
        name="nested-template",
        does="makes what another template says",
        advised="read that template, and have it reviewed",
        page=f"{_DOCS}AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html",
        receivers=("TemplateURL", "Location", "template_url"),
        cloudformation={
            "AWS::CloudFormation::Stack": ("TemplateURL",),
            "AWS::CloudFormation::StackSet": ("TemplateBody", "TemplateURL"),
            "AWS::Serverless::Application": ("Location",),
        },
        terraform={"aws_cloudformation_stack": _STACK, "aws_cloudformation_stack_set": _STACK},
    ),
    OtherAccess(
        name="elsewhere",
        does="makes something elsewhere that may give access",
        advised=_REVIEW,
        page=f"{_DOCS}AWSCloudFormation/latest/UserGuide/template-custom-resources.html",
        forms="custom resources and modules that speak of access",
    ),
    OtherAccess(
        name="account",
        does="is made in another account",
        advised="make sure which account it is, and have it reviewed",
        page=f"{_DOCS}IAM/latest/UserGuide/console-account-alias.html",
        forms="the account of a stack of the Serverless Framework",
    ),
    OtherAccess(
        name="serverless",
        does="gives access by what AWS SAM makes of a connector or an event",
        advised=_REVIEW,
        page=f"{_DOCS}serverless-application-model/latest/developerguide/sam-permissions.html",
        forms="connectors and events of AWS SAM",
    ),
    OtherAccess(
        name="manifest",
        does="gives access that is known by its text alone",
        advised=_REVIEW,
        page=f"{_DOCS}eks/latest/userguide/security-iam.html",
        forms="what gives access in manifests of Kubernetes, Ansible and Pulumi",
    ),
)
