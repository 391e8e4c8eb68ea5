"""Resources that grant access by other properties than documents: what they grant is known by these properties' text.

Sources: AWS CloudFormation Template Reference, each resource's page; the guides of AWS Lake Formation, Amazon EKS, AWS
RAM, IAM Identity Center, Amazon Cognito and IAM Roles Anywhere, on what each of them gives to whom.
"""

from __future__ import annotations

import re

from policy_guard.documents.source import Object

# Every property but those that only name or describe.
_ALL: tuple[str, ...] = ()
_DESCRIBING = ("Description", "DisplayName", "Name", "StatementId", "Tags")
_BY_TYPE: dict[str, tuple[str, ...]] = {
    "AWS::CloudFormation::Stack": ("TemplateURL",),
    "AWS::CloudFormation::StackSet": ("TemplateBody", "TemplateURL"),
    "AWS::Cognito::IdentityPool": (
        *("AllowUnauthenticatedIdentities", "CognitoIdentityProviders", "DeveloperProviderName"),
        *("OpenIdConnectProviderARNs", "SamlProviderARNs", "SupportedLoginProviders"),
    ),
    "AWS::Cognito::IdentityPoolRoleAttachment": _ALL,
    "AWS::Cognito::UserPoolGroup": ("RoleArn",),
    "AWS::EC2::VPCEndpointServicePermissions": _ALL,
    "AWS::EKS::AccessEntry": _ALL,
    "AWS::EKS::IdentityProviderConfig": _ALL,
    "AWS::EKS::PodIdentityAssociation": _ALL,
    "AWS::Events::EventBusPolicy": ("Action", "Principal", "Condition", "EventBusName"),
    "AWS::IAM::AccessKey": _ALL,
    "AWS::IAM::InstanceProfile": ("Roles",),
    "AWS::IAM::OIDCProvider": ("Url", "ClientIdList"),
    "AWS::IAM::SAMLProvider": _ALL,
    "AWS::IAM::User": ("LoginProfile",),
    "AWS::IdentityStore::GroupMembership": _ALL,
    "AWS::LakeFormation::DataLakeSettings": _ALL,
    "AWS::LakeFormation::Permissions": _ALL,
    "AWS::LakeFormation::PrincipalPermissions": _ALL,
    "AWS::LakeFormation::TagAssociation": _ALL,
    "AWS::OpenSearchServerless::AccessPolicy": ("Policy", "Type"),
    "AWS::OpenSearchServerless::SecurityPolicy": ("Policy", "Type"),
    "AWS::RAM::Permission": _ALL,
    "AWS::RAM::ResourceShare": _ALL,
    "AWS::Redshift::EndpointAuthorization": _ALL,
    "AWS::RolesAnywhere::Profile": _ALL,
    "AWS::RolesAnywhere::TrustAnchor": ("Source", "Enabled"),
    "AWS::EntityResolution::PolicyStatement": _ALL,
    "AWS::S3::AccessGrant": _ALL,
    "AWS::S3::AccessGrantsInstance": _ALL,
    "AWS::S3::AccessGrantsLocation": _ALL,
    "AWS::S3::Bucket": ("AccessControl",),
    "AWS::SSO::Assignment": _ALL,
    "AWS::SSO::PermissionSet": ("CustomerManagedPolicyReferences",),
    "AWS::Signer::ProfilePermission": _ALL,
    "AWS::SecurityLake::Subscriber": _ALL,
    "AWS::Serverless::Application": ("Location",),
    "AWS::ServiceCatalog::LaunchRoleConstraint": _ALL,
    "AWS::ServiceCatalog::PortfolioPrincipalAssociation": _ALL,
    "AWS::ServiceCatalog::PortfolioShare": _ALL,
    "AWS::Transfer::User": (
        *("Role", "ServerId", "UserName", "HomeDirectory", "HomeDirectoryMappings", "HomeDirectoryType"),
    ),
}
# Types with a block of public access.
BUCKET = "AWS::S3::Bucket"
BLOCKED = (BUCKET, "AWS::S3::AccessPoint", "AWS::S3::MultiRegionAccessPoint")
# Amazon QuickSight grants by a list beside each kind of thing.
_QUICKSIGHT = "AWS::QuickSight::"
# What these make is written elsewhere: modules, and resources of others that speak of access.
_MODULE = "::MODULE"
_CUSTOM = "AWS::CloudFormation::CustomResource"
_OF_ACCESS = re.compile(r"iam|polic|role|permission|princip|grant|admin|trust", re.IGNORECASE)
# Templates of their own: of the values given to one, those that may decide a policy there.
_NESTED = ("AWS::CloudFormation::Stack", "AWS::CloudFormation::StackSet", "AWS::Serverless::Application")
_DECIDING_VALUE = re.compile(
    r"role|polic|princip|action|arn|account|trust|user|group|permission|boundary|condition|allow|deny|access|admin",
    re.IGNORECASE,
)
# What everybody has anyway, by property. Source: Amazon S3 User Guide, "Access control list (ACL) overview".
_HARMLESS = {"AccessControl": ("Private", "BucketOwnerRead", "BucketOwnerFullControl", "LogDeliveryWrite")}


def deciding_properties(type_: str, properties: Object) -> tuple[str, ...]:
    """Return which of the properties of a resource grant access by their text; nothing for most types."""
    keys = tuple(entry.key.text for entry in properties.entries)
    if type_.endswith(_MODULE):
        return keys
    if type_ == _CUSTOM or not type_.startswith("AWS::"):
        return keys if speaks_of_access(type_) else tuple(filter(speaks_of_access, keys))
    listed = ("Permissions", "LinkEntities") if type_.startswith(_QUICKSIGHT) else _BY_TYPE.get(type_)
    if listed is None:
        return ()
    return tuple(key for key in keys if (key in listed if listed else key not in _DESCRIBING))


def tells_all(type_: str) -> bool:
    """Tell whether the deciding properties of a type say all of what is granted to whom."""
    return type_.endswith(_MODULE) or _BY_TYPE.get(type_) == _ALL


def speaks_of_access(name: str) -> bool:
    """Tell whether the name of a property or type says that it is about access."""
    return bool(_OF_ACCESS.search(name))


def is_deciding_value(type_: str, name: str) -> bool:
    """Tell whether a parameter of a template of its own may decide a policy there, by its name."""
    return type_ in _NESTED and bool(_DECIDING_VALUE.search(name))


def is_harmless(property_name: str, text: str) -> bool:
    """Tell whether a property grants nothing with this text."""
    return text in _HARMLESS.get(property_name, ())
