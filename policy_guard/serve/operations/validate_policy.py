"""ValidatePolicy: what AWS would reject in a policy, or what likely means something else than it seems to.

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ValidatePolicy.html. Issue codes and types are those
of the IAM User Guide, access-analyzer-reference-policy-checks; OUR_CODE stands where AWS has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.formats.json import scan
from policy_guard.documents.source import Node, Problem, Source, Unreadable
from policy_guard.iam.parse import parse
from policy_guard.iam.policy import Kind
from policy_guard.serve.issue_codes import FindingType, finding_type
from policy_guard.serve.locations import location
from policy_guard.serve.operation import POLICY, ApiRequest, Operation, Refused, request_schema
from policy_guard.serve.remarks import remarks, remarks_of_tree

OUR_CODE = "POLICY_GUARD_READABLE"
_KINDS: dict[str, Kind | None] = {
    "IDENTITY_POLICY": "identity",
    "RESOURCE_POLICY": None,
    "SERVICE_CONTROL_POLICY": "scp",
    "RESOURCE_CONTROL_POLICY": "rcp",
}
_TRUST = "AWS::IAM::AssumeRolePolicyDocument"
_RESOURCE_TYPES = (
    *("AWS::S3::Bucket", "AWS::S3::AccessPoint", "AWS::S3::MultiRegionAccessPoint", "AWS::S3ObjectLambda::AccessPoint"),
    *(_TRUST, "AWS::DynamoDB::Table"),
)
_PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"
_ANCHORS = {"WARNING": "general-warning", "SECURITY_WARNING": "security-warning"}
_MOST = 1000


def _answer(request: ApiRequest) -> dict[str, Any]:
    text = request.body["policyDocument"]
    kind = "trust" if request.body.get("validatePolicyResourceType") == _TRUST else _KINDS[request.body["policyType"]]
    return _page(list(_findings(Source("policyDocument", text), kind)), request.query)


def _page(findings: list[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """The part of the findings that a query asks for by `maxResults` and `nextToken`."""
    first = _whole(query.get("nextToken"), "nextToken", 0)
    number = _whole(query.get("maxResults"), "maxResults", _MOST)
    answer: dict[str, Any] = {"findings": findings[first : first + number]}
    return answer | ({"nextToken": str(first + number)} if first + number < len(findings) else {})


def _whole(text: str | None, name: str, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 7) or (name == "maxResults" and int(text) == 0):
        message = f"{name} is not one"
        fields = [{"name": name, "message": message}]
        raise Refused(400, "ValidationException", message, reason="fieldValidationFailed", fieldList=fields)
    return int(text)


def _findings(source: Source, kind: Kind | None) -> Iterator[dict[str, Any]]:
    try:
        root = scan(source.text)
    except Unreadable as error:
        yield from (_finding(source, None, p._replace(code="JSON_SYNTAX_ERROR"), "ERROR") for p in error.problems)
        return
    yield from (_finding(source, root, remark, "WARNING") for remark in remarks_of_tree(root))
    try:
        policy = parse(PolicyDocument(label="", node=root, source=source), kind)
    except Unreadable as error:
        yield from (_finding(source, root, problem, "ERROR") for problem in error.problems)
        return
    yield from (_finding(source, root, remark, "WARNING") for remark in (*policy.doubts, *remarks(policy)))


def _finding(source: Source, root: Node | None, problem: Problem, ours: FindingType) -> dict[str, Any]:
    """A finding of the type that AWS gives its code; `ours` where AWS has no code."""
    code = problem.code or OUR_CODE
    type_ = finding_type(problem.code) if problem.code else ours
    anchor = f"{_ANCHORS.get(type_, type_.lower())}-{code.lower().replace('_', '-')}"
    return {
        "findingDetails": problem.message,
        "findingType": type_,
        "issueCode": code,
        "learnMoreLink": f"{_PAGE}#access-analyzer-reference-policy-checks-{anchor}" if problem.code else _PAGE,
        "locations": [location(source, root, problem.span)],
    }


OPERATION = Operation(
    name="ValidatePolicy",
    path="/policy/validation",
    schema={
        **request_schema(policyDocument=POLICY, policyType={"enum": list(_KINDS)}),
        "properties": {
            "policyDocument": POLICY,
            "policyType": {"enum": list(_KINDS)},
            "locale": {"enum": ["DE", "EN", "ES", "FR", "IT", "JA", "KO", "PT_BR", "ZH_CN", "ZH_TW"]},
            "validatePolicyResourceType": {"enum": list(_RESOURCE_TYPES)},
        },
    },
    answer=_answer,
)
