"""What a file format is, and how the bytes of a file become the text that formats read."""

from __future__ import annotations

import re
from collections.abc import Callable

from policy_guard.documents.encoded import may_be_encoded
from policy_guard.documents.source import Node, Problem, Source, Span, Unreadable
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

MAX_BYTES = 5 * 1024 * 1024
MAX_DEPTH = 100
MOST_BY_CONTENT = 1_000_000
"""Bytes of a file without suffix that are read as YAML."""
MAX_VALUES = 200_000
# UTF-32 first: its little-endian mark begins like that of UTF-16.
_MARKS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
# The only escapes that can spell a letter of "Statement", or join two halves of it over a line break.
# https://yaml.org/spec/1.1/#id872840 (YAML 1.1 also breaks lines at U+0085, U+2028 and U+2029), RFC 8259 section 7.
_SPELLING_ESCAPE = regex(rb"\\(?:[uUx\r\n]|\xc2\x85|\xe2\x80[\xa8\xa9])")
_ALIAS_AS_KEY = regex(rb"\*[\w-]+\s*:|\?\s+\*")

_JSON_START = regex(rb"""\{\s*["'}\w]|\[\s*[{\["]""")
# A template in a key may be what is left of "Statement": "State${""}ment".
# The hole is looked for first: a text of nothing but "S" would be gone through nine times.
_HOLE_IN_WORD = regex(
    rb"[$%{<](?:(?<=[$%])\{|(?<=\{)[{#%]|(?<=<)%)(?<=\w..)(?:"
    + b"|".join(rb"(?<=[Ss]" + rb"\w" * more + rb"..)" for more in range(9))
    + b")",
    re.DOTALL,
)
# Under this tag, however it is shortened, a key is written in base64.
_BINARY = regex(rb"[!:]binary|%TAG\s|!\S{0,80}%")
# Resources that grant access without a document, and what may stand for any resource.
_GRANTING = regex(
    rb"AWS::(?:IAM|SSO|Serverless|Include|IdentityStore|LakeFormation|QuickSight|RAM|RolesAnywhere|SecurityLake"
    rb"|ServiceCatalog|Cognito|CloudFormation::(?:Stack|CustomResource)|Lambda::(?:(?:LayerVersion)?Permission|Url)"
    rb"|OpenSearchServerless|S3::AccessGrant|EKS::\w+|Transfer::User|Redshift::EndpointAuthorization|IoT::[ACPR]\w"
    rb"|Chatbot|Config::AggregationAuth|ECR::Replication|Detective|GuardDuty::Master|SecurityHub::DelegatedAdmin|AppSync|Oam::Link|Grafana|DataZone|EMR::Studio"
    rb"|Lightsail::Bucket|ApiGateway(?:V2)?::(?:Authorizer|Integration|Method|Route)|EC2::(?:VPCEndpointService|SnapshotBlock))"
    rb"|DLM::Lifecycle|ImageBuilder::Distribution|Visibility\b"
    rb"|Fn::(?:Transform|ForEach)|PublicAccessBlock|EventBusPolicy|AccessControl\b|ObjectOwnership|Organizations::\w{0,20}Policy|S3::AccessPoint|EntityResolution|Signer|RestApi|EFS::|KMS::Key"
    rb"|::MODULE|Custom::|\baws[^\n]{1,99}?\biam\b"
)
# A type of a registry that is not AWS's, alone in its template: what it makes is written elsewhere.
_OF_OTHERS = regex(rb"\bType[\"']?\s{0,9}:\s{0,9}[\"']?(?!AWS::)\w{1,99}::\w{1,99}::\w")
# The roles that resources of templates act by, and the properties that hold policies, which may come from elsewhere.
_ACTING = regex(
    rb"Role(?:A(?:rn|RN)|Name)?[\"']?\s{0,9}:|IamInstanceProfile"
    rb"|(?:\b|Access|Destination|Group|Key|Model|Resource|Repository)Polic(?:y|ies)(?:Text)?[\"']?\s{0,9}:"
)
# Manifests of Kubernetes, Pulumi and Ansible, and what gives access in them without a document.
_MANIFEST = regex(rb"apiVersion|role-arn|\bpatches|replacements:|\b(?:aws(?:-native)?|awsx|eks):\w|providers:aws\b")
# Of Ansible's modules of AWS every argument is looked at.
_MODULE = regex(
    rb"(?:amazon|community)\.aws\.|amazon\.cloud\."
    rb"|\b(?:aws|iam|s3|sqs|sns|kms|lambda|ecs|ecr|efs|eks|ec2|elasticsearch|opensearch|secretsmanager|codeartifact|glacier"
    rb"|backup|glue|sts|autoscaling|cloudtrail|codebuild|codepipeline|dynamodb|kinesis|rds|redshift|ssm|stepfunctions)_\w+"
    rb"[\"']?\s{0,9}:|^[ \t-]*[\"']?(?:lambda|s3|sns)[\"']?\s{0,9}:",
    re.MULTILINE,
)
_GIVING = regex(
    rb"(?i)polic(?:y|ies)[ _-]?(?:arn|ref|selector|document|json|attach)|\bpatches|karpenter|role_?name"
    rb"|amazonaws\.com/(?:role|v)|role-(?:account|team)-map|role_arn"
    rb"|(?:managed|external|additional|known|addon|inline)_?polic|(?:extra|trust)statements|role-?arn|instancerole|profilearn"
    rb"|(?:assume_?role|attach|trust|resource|key|access|bucket|queue|topic|repository|permission|endpoint|auth)_?policy"
    rb"|(?:account|iam|irsa|aws|node|instance|task|execution|assumed?)[_-]?roles?[\W_n]"
    rb"|instance_?profile|map(?:roles|users|accounts)|accessentr|identitymapping|attachment\b|membership\b|association\b"
    rb"|resource_?share|delegated_?admin|allowed_?principal|allowassumerole|allowcontainerregistry|readonly\b|public_?access"
    rb"|permissions?\W|grants?\W|function_?url|acl\b|assignment\b|services\.k8s\.aws|iam\.aws|\baws:iam|\biam_\w+:|\bpolicy\W"
)
_OF_AWS = regex(
    rb"\.aws\.|\.k8s\.aws/|eksctl\.io/|kops\.k8s\.io/|infrastructure\.cluster\.x-k8s|controlplane\.cluster\.x-k8s"
    rb"|\baws:iam|(?:amazon|community)\.aws\.|amazon\.cloud\.|eks\.amazonaws\.com/role-arn|\biam_\w+:"
)
# A resource of AWS by its `apiVersion`, an ARN of a principal or a policy, a patch of a resource, and a role's name.
_RESOURCE_OF_AWS = regex(
    rb"\baws\.|\.aws\.|\.k8s\.aws/|eksctl\.io/|kops[./]|\.cluster\.x-k8s\.io/|:iam::|:sts::|k8s\.aws/|role_?arn|ROLE_?ARN"
    rb"|role-arn|map(?:Roles|Users|Accounts)|amazonaws\.com/|\b(?:aws(?:-native)?:\w+[:/]|awsx:|eks:(?:index:)?[A-Z])\w|providers:aws\b"
)
_PATCH = regex(rb"\bop[\"']?\s{0,9}:\s{0,9}[\"']?(?:add|replace|copy|move|remove)\b")
# Alone in a file, it describes resources and makes none; such files are long. What has other keys at its top, or marks
# of a template, may be anything.
_DEFINITION = regex(rb"^kind: *CustomResourceDefinition *$", re.MULTILINE)
_NO_DEFINITION = regex(
    rb"^(?!apiVersion: *apiextensions\.k8s\.io/\w+ *$|kind: *CustomResourceDefinition *$"
    rb"|(?:metadata|spec|status): *$|[ #\r\n])."
    rb"|\{\{|\{%|<%",
    re.MULTILINE,
)
ATTACHMENTS_KEY = "policy-attachments"
"""The key under which a file says which principals have which policies."""
# Keys of Amazon API Gateway in descriptions of APIs, by which they give access without a policy.
_OF_GATEWAY = b"x-amazon-apigateway-"
_CLOSING_API = regex(rb"x-amazon-apigateway-(?:auth|policy)|\bsecurity[\"']?\s{0,9}:|\bcredentials[\"']?\s{0,9}:")
# By these, tasks of Ansible give values to variables that policies in other files may use.
_FACTS = b"set_fact"
_IDENTITY_KEY = regex(
    r"""(?i)(?:role|polic)[\w .-]{0,50}["']?\s{0,9}:|ParameterKey"""
    r"""|name["']?\s{0,9}:\s{0,9}["']?[\w.-]{0,50}(?:role|polic)"""
)
# Attachments of policies in a file of their own: the format of policy-guard, and what AWS's commands answer.
_ATTACHING = regex(rb"policy-attachments|Attached(?:Managed)?Policies|Policy(?:Roles|Users|Groups)\b|DetailList\b")
_LONG = 1_000_000
_SNIFFED: dict[bytes, bool] = {}
_HOLES = (b"${", b"%{", b"{{", b"{#", b"{%", b"<%")


class Format(NamedTuple):
    """Registered as the constant `FORMAT` of a module in `formats/`.

    `read` gives the documents in a source, usually one, and raises `Unreadable`.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Source], tuple[Node, ...]]


def sniff(data: bytes) -> bool:
    """Tell whether a file may hold a policy; False only where it surely holds none. Remembered for long texts."""
    if len(data) <= _LONG:
        return _may_hold_policy(data)
    from hashlib import sha256

    key = sha256(data).digest()
    if key not in _SNIFFED:
        _SNIFFED[key] = _may_hold_policy(data)
    return _SNIFFED[key]


def _may_hold_policy(data: bytes) -> bool:
    if b"Statement" in data or b"\0" in data or b"statement" in data.lower() or _mark(data):
        return True
    if b"%7B" in data or b"%7b" in data or b"PolicyDocument" in data:
        return True
    if (
        b"Effect" in data
        or (any(part in data for part in (b"binary", b"%")) and _BINARY.search(data))
        or (_names_types(data) and (_GRANTING.search(data) or _ACTING.search(data)))
        or (b"Resources" in data and _OF_OTHERS.search(data))
    ):
        return True
    if (
        _may_be_manifest(data)
        or may_attach(data)
        or _OF_GATEWAY in data
        or names_identity(data.decode("latin-1"))
        or _FACTS in data
    ):
        return True
    escaped = b"\\" in data and _SPELLING_ESCAPE.search(data)
    return bool(escaped or (b"*" in data and _ALIAS_AS_KEY.search(data)) or hole_in_key(data) or may_be_encoded(data))


def _names_types(data: bytes) -> bool:
    """Tell whether types of CloudFormation are named: those of AWS, of others, or modules."""
    return any(part in data for part in (b"AWS::", b"Custom::", b"::MODULE"))


def _may_be_manifest(data: bytes) -> bool:
    """Tell whether a file may be a manifest that gives access, or changes one."""
    if _MODULE.search(data):
        return True
    if _MANIFEST.search(data):
        gives_access = _GIVING.search(data) or _RESOURCE_OF_AWS.search(data)
    else:
        gives_access = _PATCH.search(data)
    return bool(gives_access and (not _DEFINITION.search(data) or _NO_DEFINITION.search(data.removeprefix(b"---\n"))))


def names_identity(text: str) -> bool:
    """Tell whether a text may name a role or a managed policy by its ARN."""
    return ":iam::" in text and _IDENTITY_KEY.search(text) is not None


def hole_in_key(data: bytes) -> bool:
    """Tell whether a template stands in what may be a key and begins as "Statement" does.

    What is too long to be read is gone through once only.
    """
    if len(data) > MAX_BYTES:
        return any(hole in data for hole in _HOLES)
    if not (any(hole in data for hole in _HOLES) and _HOLE_IN_WORD.search(data)):
        return False
    before_colons = (text for line in data.split(b"\n") for text in line.split(b":")[:-1])
    return any(map(_HOLE_IN_WORD.search, before_colons))


def may_grant(data: bytes) -> bool:
    """Tell whether a file that cannot be read speaks of resources of AWS that grant access without a document."""
    marked = any(mark in data for mark in (b"{{", b"{%", b"<%")) and _GRANTING.search(data)
    is_template = b"Resources" in data
    template = is_template and ((_names_types(data) and _GRANTING.search(data)) or _OF_OTHERS.search(data))
    api = _OF_GATEWAY in data and _CLOSING_API.search(data)
    return bool(marked or template or api or (_OF_AWS.search(data) and _GIVING.search(data)))


def may_attach(data: bytes) -> bool:
    """Tell whether a file may say which policies principals have."""
    return any(part in data for part in (b"olic", b"DetailList")) and bool(_ATTACHING.search(data))


def in_json(data: bytes) -> bool:
    """Tell whether a file of any name begins as JSON does, in any encoding, and not as a template does."""
    start = data.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1_000].replace(b"\0", b"")
    return bool(_JSON_START.match(start))


def in_utf_8(data: bytes) -> bool:
    """Tell whether no byte order mark says that the bytes are in another encoding."""
    return _mark(data) is None


def is_short_text(data: bytes) -> bool:
    """Tell whether a file of any name may be YAML that somebody wrote."""
    return len(data) <= MOST_BY_CONTENT and b"\0" not in data


def decode(path: str, data: bytes, revision: str) -> Source:
    """The text of a file, its line endings kept; raises Unreadable where it is no UTF-8 text of a sane size.

    The spans of the problems are places in the text that `salvage` gives.
    """
    if len(data) > MAX_BYTES:
        raise _problem(f"the file is larger than {MAX_BYTES >> 20} MB; no policy is, so split or exclude it", 0)
    if mark := _mark(data):
        raise _problem(f"the file is in {mark}; save it as UTF-8", 0)
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = len(data[: error.start].decode("utf-8").replace("\0", ""))
        raise _problem(f"the byte 0x{data[error.start]:02X} is not UTF-8; save the file as UTF-8", at) from None
    _refuse_invisible(text)
    return Source(path, text, revision)


def salvage(path: str, data: bytes, revision: str) -> Source:
    """Return a text to show for bytes that `decode` refuses, up to the size limit, odd characters replaced."""
    encoding = (_mark(data) or "UTF-8").lower()
    text = data[:MAX_BYTES].decode(encoding, errors="replace")
    return Source(path, text.removeprefix("\ufeff").replace("\0", ""), revision)


def salvage_all(path: str, data: bytes, revision: str) -> Source:
    """All that `salvage` would give without a limit of size."""
    encoding = (_mark(data) or "UTF-8").lower()
    return Source(path, data.decode(encoding, errors="replace").replace("\0", ""), revision)


def _mark(data: bytes) -> str | None:
    return next((name for mark, name in _MARKS if data.startswith(mark)), None)


def _refuse_invisible(text: str) -> None:
    if (at := text.find("\0")) >= 0:
        raise _problem("the file contains a NUL character, so it is not a text file; save it as UTF-8", at)
    if text.startswith("\ufeff"):
        raise _problem("the file begins with two byte order marks; remove them", 0)


def _problem(message: str, at: int) -> Unreadable:
    return Unreadable(Problem(message, Span(at, at + 1)))
