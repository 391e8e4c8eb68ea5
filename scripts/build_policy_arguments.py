"""Builds policy_guard/documents/containers/terraform/arguments.txt from the schemas of Terraform's two AWS providers.

pip download --no-deps cdktn-provider-aws cdktn-provider-awscc
python scripts/build_policy_arguments.py cdktn_provider_aws-*.whl cdktn_provider_awscc-*.whl

These packages name every resource and argument of a provider, and its version. A line is a type of resource, the path
of an argument whose name may be that of a policy, and what it takes: a kind of policies, "attached" for the ARNs of
policies, "boundary", or "none" for what is no policy of IAM. Schemas do not tell the language of a policy, so that
names decide: NOT_OF_IAM lists those that are something else, and all others count as policies. The kinds of awscc are
those of the properties of CloudFormation that it has its schemas from.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

CONTAINERS = Path(__file__).parent.parent / "policy_guard/documents/containers"
ARGUMENTS = CONTAINERS / "terraform/arguments.txt"
PLACES = CONTAINERS / "cloudformation/places.txt"
VERSION = re.compile(r"/providers/hashicorp/(\w+)/([\d.]+)/docs/resources/\S+ (\w+)}")
NAME = re.compile(r"#(\w+) ")
POLICY = re.compile(r"(?:.*_)?(?:polic(?:y|ies)(?:_document|_text|_template|_json|_statement)?|policy_arns?)")
OTHER_NAMES = {
    ("aws_organizations_policy", "content"),
    ("aws_organizations_resource_policy", "content"),
    ("awscc_organizations_policy", "content"),
    ("awscc_organizations_resource_policy", "content"),
}
BOUNDARY = "permissions_boundary"
NOT_OF_IAM = re.compile(
    # The paths of arguments, for all resources.
    r"\S+ (?:.*[._])?(?:(?:security|lifecycle|dns|protocol|ssl|tls|alpn|https|image_pull|padding|sizing|deletion|update"
    r"|termination|protection|snapshot|import|routing|autoscaling|auto_scaling|action_failure|failure_handling"
    r"|delete_propagation|selection|exception|caching|execution|safeguard|content_security|referrer|restart|retry"
    r"|client_routing|archive|delivery|filter|redrive|redrive_allow|replay|notification|user_context|browser"
    r"|permission|scaling|conflict|reputation_entity|default|endpoint|replace)_polic(?:y|ies)"
    r"|(?:scheduling|firewall|resiliency|assist|access)_policy_arns?"
    r"|custom_policy_details\.policy_text|termination_policies|lifecycle_policy_text)"
    # Policies of other languages: Cedar, rules, routes, lifecycles, masks, and settings that have this name.
    r"|aws\w*_(?:verifiedpermissions|verifiedaccess|ec2_verified_access|networkmanager|fms|dlm|opensearchserverless"
    r"|bedrockagentcore_policy|route53|ses_receipt_filter|resiliencehub|networkfirewall_firewall|ssm_parameter"
    r"|ec2_transit_gateway|ivs_channel|scheduling|workspacesweb|networksecuritymanager|quicksight_data_set"
    r"|applicationautoscaling|autoscaling|imagebuilder|emr_cluster|cloudfront|gamelift|elasticloadbalancing"
    r"|bedrock_automated_reasoning|pcaconnectorad|securityhub|greengrassv2|datazone|kendra|elb|lb_|load_balancer)\w* .*"
    r"|aws\w*_(?:cloudwatch_log_(?:account|index|data_protection)_policy|logs_account_policy|sns_topic_data_protection"
    r"_policy|ecr_lifecycle_policy|config_organization_custom_policy_rule|config_\w+_rule|iot_policy_attachment"
    r"|cloudformation_stack|appautoscaling_\w+|ecs_\w+|organizations_organization|iotsitewise_access_policy) .*"
    r"|awscc_bedrock_guardrail .*"
    # `grants.py` tells what they grant.
    r"|aws_ssoadmin_permissions_boundary_attachment .*|aws_eks_access_policy_association .*"
)
IDENTITY = ("aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy", "aws_iot_policy")
CHANNELS = ("microsoft_teams", "slack")
KINDS = {
    "aws_iam_role assume_role_policy": "trust",
    "aws_iam_role inline_policy.policy": "identity",
    "aws_ssoadmin_permission_set_inline_policy inline_policy": "identity",
    "aws_vpc_endpoint policy": "endpoint",
    "aws_vpc_endpoint_policy policy": "endpoint",
    "aws_transfer_user policy": "session",
    "aws_transfer_access policy": "session",
    "aws_eks_pod_identity_association policy": "session",
    "aws_rolesanywhere_profile session_policy": "session",
    "aws_organizations_policy content": "organizations",
    **dict.fromkeys(
        (f"awscc_chatbot_{name}_channel_configuration guardrail_policies" for name in CHANNELS), "attached"
    ),
    "awscc_sso_permission_set managed_policies": "attached",
    **dict.fromkeys((f"{type_} policy" for type_ in IDENTITY), "identity"),
}


class Argument(NamedTuple):
    """An argument of a type of resource; `is_block` if others lie in it, and `takes_text` if texts do."""

    type: str
    path: str
    is_block: bool
    takes_text: bool

    @property
    def text(self) -> str:
        return f"{self.type} {self.path}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path, nargs=2, help="the .whl of cdktn-provider-aws and -awscc")
    heads: list[str] = []
    lines: set[str] = set()
    of_cloudformation = dict(kinds_of_cloudformation())
    for wheel in parser.parse_args().wheels:
        types, day = schemas(wheel)
        heads.append(f"{'/'.join(version(types))} of {day}")
        lines |= {f"{each.text} {kind(each, of_cloudformation)}" for each in arguments(types) if is_like_policy(each)}
    ARGUMENTS.write_text("".join(f"{line}\n" for line in (f"# {', '.join(heads)}", *sorted(lines))), encoding="utf-8")


def schemas(wheel: Path) -> tuple[dict[str, Any], str]:
    """The types that a package declares, and the day on which it was made."""
    with ZipFile(wheel) as package:
        name = next(each for each in package.namelist() if each.endswith(".jsii.tgz"))
        day = "-".join(f"{part:02}" for part in package.getinfo(name).date_time[:3])
        with tarfile.open(fileobj=io.BytesIO(package.read(name))) as inner:
            file = inner.extractfile("package/.jsii")
            assert file is not None
            types: dict[str, Any] = json.load(file)["types"]
            return types, day


def version(types: dict[str, Any]) -> tuple[str, str]:
    """The provider and its version."""
    head = next(match for each in types.values() if (match := VERSION.search(summary(each))))
    return head[1], head[2]


def summary(part: dict[str, Any]) -> str:
    return " ".join(part.get("docs", {}).get(name, "") for name in ("summary", "remarks"))


def arguments(types: dict[str, Any]) -> Iterator[Argument]:
    """All arguments of all resources."""
    for name, each in types.items():
        if each["kind"] == "class" and each.get("base") == "cdktn.TerraformResource" and f"{name}Config" in types:
            match = VERSION.search(summary(each))
            assert match is not None, name
            yield from below(types, match[3], f"{name}Config", "", (f"{name}Config",))


def below(types: dict[str, Any], type_: str, name: str, above: str, outer: tuple[str, ...]) -> Iterator[Argument]:
    for part in types[name].get("properties", ()):
        if not (match := NAME.search(summary(part))):
            continue
        declared = json.dumps(part["type"])
        inner = [each for each in re.findall(r'"fqn": "(@[^"]+)"', declared) if types[each]["kind"] == "interface"]
        yield Argument(type_, f"{above}{match[1]}", is_block=bool(inner), takes_text='"string"' in declared)
        for each in inner:
            if each not in outer:
                yield from below(types, type_, each, f"{above}{match[1]}.", (*outer, each))


def is_like_policy(argument: Argument) -> bool:
    """Tell whether an argument may take a policy, by its name."""
    name = argument.path.rpartition(".")[2]
    is_named_so = bool(POLICY.fullmatch(name)) or name == BOUNDARY
    return not argument.is_block and (is_named_so or (argument.type, argument.path) in OTHER_NAMES)


def kind(argument: Argument, of_cloudformation: dict[str, str]) -> str:
    """Return what an argument takes."""
    name = argument.path.rpartition(".")[2]
    if found := of_cloudformation.get(argument.text.replace("_", "")):
        return found
    if not argument.takes_text or NOT_OF_IAM.fullmatch(argument.text):
        return "none"
    if name.endswith(("policy_arn", "policy_arns")):
        return "attached"
    return "boundary" if name == BOUNDARY else KINDS.get(argument.text, "resource")


def kinds_of_cloudformation() -> Iterator[tuple[str, str]]:
    """The kinds of the properties that awscc has as arguments, by names without underscores."""
    for line in PLACES.read_text(encoding="utf-8").splitlines():
        name, path, kind_, _ = line.split(" ")
        type_ = name.removeprefix("AWS::").replace("::", "")
        yield f"awscc{type_} {path}".replace("[]", "").lower(), kind_


if __name__ == "__main__":
    main()
