"""The checks as functions, with the questions and the words of Access Analyzer's own API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain
from typing import Any, TypeAlias

from policy_guard.documents.containers.plain import PolicyDocument, policies
from policy_guard.documents.containers.recognition import misspelt_statement
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Source, Span, Unreadable
from policy_guard.iam.meaning.prover import Witness
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.parse import parse
from policy_guard.iam.parse.statement import NO_PARTITION
from policy_guard.iam.policy import KINDS, Kind, Policy, Statement, Value, of_one_kind
from policy_guard.records import NamedTuple
from policy_guard.report.reporters.json import witness
from policy_guard.settings.critical import CriticalEntry
from policy_guard.solver.strings.pattern import plain_pattern
from policy_guard.verify.check import Check, Question
from policy_guard.verify.checks.access_not_granted import CHECK as ACCESS_NOT_GRANTED
from policy_guard.verify.checks.no_lost_deny import CHECK as NO_LOST_DENY
from policy_guard.verify.checks.no_new_access import CHECK as NO_NEW_ACCESS
from policy_guard.verify.checks.no_public_access import CHECK as NO_PUBLIC_ACCESS
from policy_guard.verify.finding import Finding
from policy_guard.verify.messages import finding
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import Explanations, Verdict, unexplained_verdicts

Document: TypeAlias = "Mapping[str, Any] | str"
_AWS_TYPES: dict[str, Kind | None] = {
    "IDENTITY_POLICY": "identity",
    "RESOURCE_POLICY": None,
    "SERVICE_CONTROL_POLICY": "scp",
    "RESOURCE_CONTROL_POLICY": "rcp",
}
_TRUST = "AWS::IAM::AssumeRolePolicyDocument"
_NOWHERE = "arn:aws:nowhere:::"
RESOURCE_TYPES = (
    *("AWS::DynamoDB::Table", "AWS::DynamoDB::Stream", "AWS::EFS::FileSystem", "AWS::OpenSearchService::Domain"),
    *("AWS::Kinesis::Stream", "AWS::Kinesis::StreamConsumer", "AWS::KMS::Key", "AWS::Lambda::Function"),
    *("AWS::S3::Bucket", "AWS::S3::AccessPoint", "AWS::S3Express::DirectoryBucket", "AWS::S3::Glacier"),
    *("AWS::S3Outposts::Bucket", "AWS::S3Outposts::AccessPoint", "AWS::SecretsManager::Secret", "AWS::SNS::Topic"),
    *("AWS::SQS::Queue", _TRUST, "AWS::S3Tables::TableBucket", "AWS::ApiGateway::RestApi"),
    *("AWS::CodeArtifact::Domain", "AWS::Backup::BackupVault", "AWS::CloudTrail::Dashboard"),
    *("AWS::CloudTrail::EventDataStore", "AWS::S3Tables::Table", "AWS::S3Express::AccessPoint"),
)
"""What AWS's CheckNoPublicAccess takes (IAM Access Analyzer API Reference, API_CheckNoPublicAccess)."""


class PolicyError(ValueError):
    """A document cannot be read as a policy; the text says where and why."""


class Reason(NamedTuple):
    """Why a check failed. `statement_index` counts from 0, `line` from 1; `witness` is as in the JSON report.

    The line is that of the text; of a mapping, it is that of its JSON, indented by two.
    """

    description: str
    statement_index: int | None
    statement_id: str | None
    witness: dict[str, Any] | None
    line: int = 0


class Result:
    """`result` is `PASS`, `FAIL`, or `UNKNOWN` where nothing could be proved; treat `UNKNOWN` as a failure.

    The `message` and the `reasons` take longer than the verdict, and are worked out when they are first asked for.
    """

    def __init__(self, check: Check, question: Question) -> None:
        self._check = check
        self._question = question
        self._prover = prover_for(question)
        verdicts = iter(unexplained_verdicts(check, question, self._prover))
        decisive = list(_up_to_witness(verdicts))
        sure = bool(decisive) and isinstance(decisive[-1].answer, Witness)
        self.result = "FAIL" if sure else "UNKNOWN" if decisive else "PASS"
        self._verdicts_in_turn = chain(decisive, verdicts)

    @property
    def message(self) -> str:
        """The headline of the first reason, or that there is none."""
        return self.reasons[0].description if self.reasons else f"proved over all requests: {self._check.id}"

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """Return why the check failed, a reason for each statement and access."""
        explained = Explanations(self._check, self._question, self._prover.aside())
        findings = (finding(self._check, explained(each), self._question, "error") for each in self._verdicts)
        return tuple(map(_reason, findings))

    @cached_property
    def statements(self) -> tuple[tuple[int, str | None] | None, ...]:
        """The index and the Sid of the statement of each verdict, None for several together, without explanations."""
        statements = (verdict.claim.statement for verdict in self._verdicts)
        return tuple((statement.index, statement.sid) if statement else None for statement in statements)

    @cached_property
    def _verdicts(self) -> tuple[Verdict, ...]:
        return tuple(self._verdicts_in_turn)

    def __repr__(self) -> str:
        return f"Result(result={self.result!r})"


def _up_to_witness(verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
    """The verdicts up to the first with a request that shows it: that one decides."""
    for verdict in verdicts:
        yield verdict
        if isinstance(verdict.answer, Witness):
            return


def check_no_new_access(new: Document, existing: Document | None, policy_type: str | None = None) -> Result:
    """Tell whether the new document allows nothing that the existing one does not; `None` is no policy.

    Documents are mappings or texts (JSON or YAML). `policy_type` is a kind ("identity", "resource", "trust", "scp",
    "rcp", "boundary", "session", "endpoint") or AWS's name for it ("IDENTITY_POLICY"); from the shape where it is
    left out, and for "RESOURCE_POLICY", which is AWS's name for trust policies too. Where the shapes of the two
    differ, everything that the new one allows is new. Raises `PolicyError`. Asks what AWS's CheckNoNewAccess asks.
    """
    return _compare(NO_NEW_ACCESS, new, existing, policy_type)


def check_no_lost_deny(new: Document, existing: Document | None, policy_type: str | None = None) -> Result:
    """Tell whether the new document denies all that the existing one denies. Parameters as in `check_no_new_access`."""
    return _compare(NO_LOST_DENY, new, existing, policy_type)


def check_access_not_granted(
    policy: Document, access: Iterable[Mapping[str, Any]], policy_type: str | None = None
) -> Result:
    """Tell whether the document allows none of the accesses, each with `actions`, `resources` or both.

    Raises `PolicyError`. Asks what AWS's CheckAccessNotGranted asks.
    """
    read = _policy(policy, _kind(policy_type), "policy")
    entries = tuple(_entry(number, request_set) for number, request_set in enumerate(access))
    return Result(
        ACCESS_NOT_GRANTED,
        Question(kind=read.kind, new=read, old=None, critical=entries, access=Access([read])),
    )


def check_no_public_access(policy: Document, resource_type: str) -> Result:
    """Tell whether the document lets in no stranger; `policy-guard explain no-public-access` says who is one.

    `resource_type` is one of the `RESOURCE_TYPES` that AWS lists, "AWS::S3::Bucket" or another; else `ValueError`. It
    tells trust policies (`AWS::IAM::AssumeRolePolicyDocument`) from resource policies. A statement of a resource
    policy without Resource speaks of every resource, as AWS reads it here. Raises `PolicyError`. Asks what AWS's
    CheckNoPublicAccess asks.
    """
    if resource_type not in RESOURCE_TYPES:
        raise ValueError(f"resource_type is one of {', '.join(RESOURCE_TYPES)}, not {resource_type!r}")
    trust = resource_type == _TRUST
    read = _policy(policy, "trust", "policy") if trust else _policy(policy, "resource", "policy", _with_every_resource)
    read = read._replace(statements=tuple(s for s in read.statements if not _is_about_nothing(s)))
    access = Access([read], NO_PUBLIC_ACCESS.extra_statements(read))
    return Result(NO_PUBLIC_ACCESS, Question(kind=read.kind, new=read, old=None, critical=(), access=access))


def _compare(check: Check, new: Document, existing: Document | None, policy_type: str | None) -> Result:
    kind = _kind(policy_type)
    new_policy = _policy(new, kind, "new policy")
    old_policy = _policy(existing, kind, "existing policy") if existing is not None else None
    if old_policy is not None and not of_one_kind(old_policy, new_policy) and not check.of_old:
        old_policy = None
    pair = [policy for policy in (new_policy, old_policy) if policy]
    return Result(
        check, Question(kind=new_policy.kind, new=new_policy, old=old_policy, critical=(), access=Access(pair))
    )


def _reason(finding: Finding) -> Reason:
    index, sid = finding.statement or (None, None)
    example = witness(finding.witness) if finding.witness else None
    return Reason(finding.message, index, sid, example, finding.source.position(finding.span.start).line)


def _kind(policy_type: str | None) -> Kind | None:
    if policy_type is None:
        return None
    kinds: dict[str, Kind | None] = {**{kind: kind for kind in KINDS}, **_AWS_TYPES}
    if policy_type not in kinds:
        raise ValueError(f"policy_type is one of {', '.join(kinds)}, not {policy_type!r}")
    return kinds[policy_type]


def _policy(
    document: Document,
    kind: Kind | None,
    name: str,
    completed: Callable[[PolicyDocument], PolicyDocument] = lambda document: document,
) -> Policy:
    text = document if isinstance(document, str) else json.dumps(document, indent=2)
    source = Source(name, text)
    try:
        documents = policies(source).policies
        if len(documents) != 1:
            problem = misspelt_statement(source) if not documents else None
            words = problem.message if problem else f"{len(documents)} policies in the document; give one"
            raise PolicyError(f"{source.at(problem.span.start if problem else 0)}: {words}")
        return parse(completed(documents[0]), kind)
    except Unreadable as error:
        raise PolicyError(
            "; ".join(f"{source.at(problem.span.start)}: {problem.message}" for problem in error.problems)
        ) from None


def _with_every_resource(document: PolicyDocument) -> PolicyDocument:
    """The document with `"Resource": "*"` where a statement names none, and `_NOWHERE` for ARNs without a partition."""
    node = document.node
    if not isinstance(node, Object):
        return document
    entries = (e._replace(value=_with_resource(e.value)) if e.key.text == "Statement" else e for e in node.entries)
    return document._replace(node=node._replace(entries=tuple(entries)))


def _with_resource(node: Node) -> Node:
    if isinstance(node, Array):
        return node._replace(items=tuple(map(_with_resource, node.items)))
    if not isinstance(node, Object) or node.get("NotResource"):
        return node
    if node.get("Resource") is None:
        span = Span(node.span.start, node.span.start + 1)
        return node._replace(entries=(*node.entries, Entry(Scalar("Resource", span), Scalar("*", span))))
    effect = node.get("Effect")
    if not isinstance(effect, Scalar) or effect.text != "Allow":
        return node
    entries = (e._replace(value=_without_bad_arns(e.value)) if e.key.text == "Resource" else e for e in node.entries)
    return node._replace(entries=tuple(entries))


def _without_bad_arns(node: Node) -> Node:
    """The resources with `_NOWHERE` for each ARN that names no partition: AWS's check takes it, and no resource has it.

    terraform-iam-policy-validator, test/public_access, recorded from the service: "arn::lambda:::function:...".
    """
    if isinstance(node, Array):
        return node._replace(items=tuple(map(_without_bad_arns, node.items)))
    if isinstance(node, Scalar) and node.kind == "string" and node.tag is None and NO_PARTITION.match(node.text):
        return node._replace(text=_NOWHERE)
    return node


def _is_about_nothing(statement: Statement) -> bool:
    resource = statement.resource
    return resource is not None and not resource.negated and all(value.text == _NOWHERE for value in resource.values)


def _entry(number: int, access: Mapping[str, Any]) -> CriticalEntry:
    actions, resources = (tuple(map(_value, access.get(name) or ())) for name in ("actions", "resources"))
    if (not actions and not resources) or set(access) - {"actions", "resources"}:
        raise ValueError("each access is a mapping with actions, resources or both, and nothing else")
    return CriticalEntry(id=f"access-{number}", actions=actions, resources=resources, reason="given to the check")


def _value(text: str) -> Value:
    return Value(text, plain_pattern(text), Span(0, 0))
