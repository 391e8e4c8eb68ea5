"""Builds policy_guard/documents/containers/cloudformation/places.txt from the schemas in the Python package cfn-lint.

pip download --no-deps cfn-lint
python scripts/build_policy_places.py cfn_lint-*.whl

A line is a resource type, the path of a property that holds an IAM policy, the kind of that policy, and the properties
that say whose it is: "-" for the resource itself, "account" for all of the account. The schemas (MIT-0) tell neither
kind nor language of a policy, so that names of properties decide, and NOT_OF_IAM lists those of other languages.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

PLACES = Path(__file__).parent.parent / "policy_guard/documents/containers/cloudformation/places.txt"
SCHEMAS = re.compile(r"cfnlint/data/schemas/resources/[^/]+\.json")
NAMES = re.compile(
    r".*PolicyDocument|Policy|PolicyText|.*ResourcePolicy|KeyPolicy|(?:S3)?AccessPolicy|AccessPolicies|FileSystemPolicy"
    r"|RepositoryPolicy(?:Text)?|(?:Delivery)?DestinationPolicy|SessionPolicy|InlinePolicy|ModelPolicy"
    r"|ModelPackageGroupPolicy|InvestigationGroupPolicy"
)
OTHERS = {"AWS::Organizations::Policy": "Content", "AWS::Organizations::ResourcePolicy": "Content"}
OTHERS |= {"AWS::Events::EventBusPolicy": "Statement"}
NOT_OF_IAM = re.compile(
    r"AWS::(?:OpenSearchServerless|VerifiedPermissions|NetworkManager|Config|FMS|SES|Route53|SSM::Parameter"
    r"|EC2::VerifiedAccess.*|EC2::ClientVpnEndpoint|Logs::AccountPolicy|BedrockAgentCore::Policy.*|WorkSpacesWeb)\b.*"
)
KINDS = {
    "AWS::EC2::VPCEndpoint": "endpoint",
    "AWS::Organizations::Policy": "organizations",
    "AWS::IoT::Policy": "identity",
    "AWS::SSO::PermissionSet": "identity",
    "AWS::EKS::PodIdentityAssociation": "session",
    "AWS::Transfer::User": "session",
    "AWS::RolesAnywhere::Profile": "session",
}
HOLDERS = {
    "AWS::S3::AccessPoint": "Bucket",
    "AWS::S3Express::AccessPoint": "Bucket",
    "AWS::S3Outposts::AccessPoint": "Bucket",
    "AWS::IAM::Policy": "Roles,Users,Groups",
    "AWS::IAM::ManagedPolicy": "Roles,Users,Groups",
    "AWS::Organizations::Policy": "TargetIds",
    "AWS::Events::EventBusPolicy": "EventBusName",
    "AWS::S3Vectors::VectorBucketPolicy": "VectorBucketArn,VectorBucketName",
    "AWS::IoT::Policy": "-",
}
DEPTH = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="the .whl of cfn-lint")
    with ZipFile(parser.parse_args().wheel) as wheel:
        schemas = [json.loads(wheel.read(name)) for name in wheel.namelist() if SCHEMAS.fullmatch(name)]
    lines = {line for schema in schemas for line in places(schema)}
    PLACES.write_text("".join(f"{line}\n" for line in sorted(lines)), encoding="utf-8")


def places(schema: dict[str, Any]) -> Iterator[str]:
    name = schema["typeName"]
    if not NOT_OF_IAM.fullmatch(name):
        for path in paths(schema, schema.get("properties", {}), "", DEPTH, OTHERS.get(name)):
            yield f"{name} {path} {kind(name, path)} {holder(schema, path)}"


def paths(
    schema: dict[str, Any], properties: dict[str, Any], above: str, depth: int, other: str | None
) -> Iterator[str]:
    """The paths of all properties that hold a policy; "[]" stands for every item of a list."""
    for name, given in properties.items() if depth else ():
        part = resolved(schema, given)
        path = f"{above}{name}"
        types = part.get("type", ["string"])
        is_value = not part.get("properties") and "enum" not in part
        is_policy = name == other or NAMES.fullmatch(name)
        if is_value and is_policy and set(types if isinstance(types, list) else [types]) & {"object", "string"}:
            yield path
        yield from paths(schema, part.get("properties", {}), f"{path}.", depth - 1, other)
        items = resolved(schema, part.get("items", {}))
        yield from paths(schema, items.get("properties", {}), f"{path}[].", depth - 1, other)


def resolved(schema: dict[str, Any], part: Any) -> dict[str, Any]:
    for _ in range(DEPTH):
        if not isinstance(part, dict) or "$ref" not in part:
            break
        found: Any = schema
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part if isinstance(part, dict) else {}


def kind(name: str, path: str) -> str:
    if path.endswith("AssumeRolePolicyDocument"):
        return "trust"
    return "identity" if name.startswith("AWS::IAM::") else KINDS.get(name, "resource")


def holder(schema: dict[str, Any], path: str) -> str:
    name = schema["typeName"]
    if name in HOLDERS:
        return HOLDERS[name]
    if not name.endswith("Policy"):
        return "-"
    own = path.partition(".")[0]
    said = [each for each in schema.get("required", []) if each != own and not each.endswith("PolicyName")]
    return ",".join(each for each in said if "Policy" not in each) or "account"


if __name__ == "__main__":
    main()
