"""How others render the policies of a template: cfn-policy-validator, aws-sam-translator and moto.

They are no dependencies of this project, and are imported where they are used.
"""

from __future__ import annotations

import copy
import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from policy_guard.documents.containers.cloudformation.places import places
from tests.benchmarks.rendered import OPEN, Document, Policy, plain

REGION, ACCOUNT, STACK = "eu-west-1", "123456789012", "StackName"
STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/00000000-0000-0000-0000-000000000000"
_LOCAL = ("CodeUri", "ContentUri", "DefinitionUri", "SchemaUri", "ImageUri")
_APPLICATION = "AWS::Serverless::Application"


def prepare() -> None:
    """Names a region, which libraries ask for before they do anything, and silences what they log."""
    os.environ["AWS_DEFAULT_REGION"] = REGION
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")


def parsed(text: str) -> dict[str, Any]:
    """The template in a text, with functions in their long form."""
    from samtranslator.yaml_helper import yaml_parse

    tree: dict[str, Any] = yaml_parse(text)
    return json.loads(json.dumps(tree, default=str))  # type: ignore[no-any-return]


def translated(template: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The template that AWS SAM makes of one; its code is said to be packaged, and nested applications are left out."""
    from samtranslator.translator.transform import transform

    template = copy.deepcopy(template)
    for name, resource in list(template["Resources"].items()):
        if resource.get("Type") == _APPLICATION:
            del template["Resources"][name]
            continue
        for key in _LOCAL:
            if isinstance((resource.get("Properties") or {}).get(key), str):
                resource["Properties"][key] = "s3://bucket/key"
    return transform(template, dict(values), _ManagedPolicies())  # type: ignore[no-any-return, arg-type]


class _ManagedPolicies:
    """The managed policies of AWS by name."""

    def load(self) -> dict[str, str]:
        from moto.iam.aws_managed_policies import aws_managed_policies_data

        return {name: data["Arn"] for name, data in json.loads(aws_managed_policies_data).items()}


def validator_policies(text: str, values: Mapping[str, Any]) -> list[Policy]:
    """The documents that cfn-policy-validator finds."""
    from cfn_policy_validator import client, parse

    client.build = lambda *_: _Account()
    output = parse(text, REGION, ACCOUNT, "aws", dict(values), True)
    return list(_of_validator(output))


class _Name(str):
    """The name of an export, which is whatever it is asked to be."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True


class _Account:
    """An account in which everything exists, and nobody knows what it says."""

    def get_policy(self, PolicyArn: str) -> dict[str, Any]:  # noqa: N803
        return {"Policy": {"PolicyName": PolicyArn, "DefaultVersionId": "v1", "Path": "/"}}

    def get_policy_version(self, **_: str) -> dict[str, Any]:
        return {"PolicyVersion": {"Document": None}}

    def get_parameter(self, **_: str) -> dict[str, Any]:
        return {"Parameter": {"Value": OPEN}}

    def list_buckets(self) -> dict[str, Any]:
        return {"Owner": {"ID": OPEN}}

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"Exports": [{"Name": _Name(), "Value": OPEN}]}]

    def values(self) -> list[Any]:
        return [_Export()]


class _Export:
    name, value = _Name(), OPEN


def _of_validator(output: dict[str, Any]) -> Iterator[Policy]:
    for kind in ("Roles", "Users", "Groups", "PermissionSets"):
        for principal in output[kind]:
            name = principal.get("RoleName") or principal.get("UserName") or principal.get("GroupName") or ""
            if principal.get("TrustPolicy"):
                yield _policy("", f"trust of {name}", principal["TrustPolicy"])
            yield from (
                _policy("", f"{policy['Name']} of {name}", policy["Policy"])
                for policy in principal["Policies"]
                if policy["Policy"] is not None
            )
    for policy in output["OrphanedPolicies"]:
        yield _policy("", policy["Name"], policy["Policy"])
    for resource in output["Resources"]:
        # The permissions of a function are statements of one policy there, and policies of their own here.
        document = resource["Policy"]["Policy"]
        is_function = resource["ResourceType"].startswith("AWS::Lambda::")
        statements = document["Statement"] if is_function else [document["Statement"]]
        for statement in statements:
            place = f"{resource['ResourceType']} {resource['ResourceName']}"
            yield _policy("", place, {**document, "Statement": statement})


def _policy(resource: str, place: str, document: Any) -> Policy:
    (value,) = plain(_as_mapping(document))
    assert isinstance(value, Document)
    return Policy(resource, place, value)


def _as_mapping(document: Any) -> Any:
    return json.loads(document) if isinstance(document, str) else document


def moto_policies(template: dict[str, Any], values: Mapping[str, Any]) -> list[Policy]:
    """The documents in the properties of resources, at the places that hold one, as moto evaluates them."""
    from moto.cloudformation.parsing import ResourceMap, clean_json

    resources = ResourceMap(STACK_ID, STACK, dict(values), {}, REGION, ACCOUNT, copy.deepcopy(template), _Account())
    resources.parse_ssm_parameter = lambda *_: OPEN
    resources.load_mapping()
    resources.load_parameters()
    resources.load_conditions()
    policies: list[Policy] = []
    for name, resource in template["Resources"].items():
        condition = resource.get("Condition")
        if resource.get("Type") not in places() or (condition and not resources.lazy_condition_map[condition]):
            continue
        try:
            properties = clean_json(copy.deepcopy(resource.get("Properties") or {}), _Names(resources))
            policies += _in_properties(name, resource["Type"], properties)
        except Exception as error:  # whatever moto cannot do is counted
            policies.append(Policy(name, "", None, f"{type(error).__name__}: {error}"[:80]))
    return policies


class _Names:
    """The resources of moto; those that it cannot make have names that nobody knows."""

    def __init__(self, resources: Any) -> None:
        self._resources = resources
        self.lazy_condition_map = resources.lazy_condition_map
        self.cross_stack_resources = resources.cross_stack_resources

    def __getitem__(self, name: str) -> Any:
        try:
            resource = self._resources[name]
        except Exception:
            resource = None
        return _Unknown() if resource is None and name != "AWS::NoValue" else resource

    def get(self, name: str) -> Any:
        return _WithUnknown(self[name])


class _Unknown:
    physical_resource_id = OPEN


class _WithUnknown:
    def __init__(self, resource: Any) -> None:
        self._resource = resource

    def get_cfn_attribute(self, name: str) -> Any:
        try:
            return self._resource.get_cfn_attribute(name)
        except Exception:
            return OPEN


def _in_properties(name: str, type_: str, properties: Any) -> Iterator[Policy]:
    for place in places()[type_]:
        for document in _at(properties, place.path):
            if place.path == "Statement":
                document = {"Version": "2012-10-17", "Statement": document}
            yield _policy(name, place.path, document)
    attached = properties.get("ManagedPolicyArns")
    if attached and attached != OPEN and plain(attached):
        yield _policy(name, "ManagedPolicyArns", {"ManagedPolicyArns": attached})


def _at(value: Any, path: str) -> Iterator[Any]:
    """The values at a path below another one."""
    step, _, remaining_path = path.partition(".")
    child = value.get(step.removesuffix("[]")) if isinstance(value, Mapping) else None
    items = child if step.endswith("[]") and isinstance(child, list) else [child]
    for item in items:
        if item is not None:
            yield from _at(item, remaining_path) if remaining_path else (item,)
