"""Resources of CloudFormation that stand for statements of the policy of something else.

Amazon S3 User Guide, acl-overview: "Canned ACL" and "Mapping of ACL permissions and access policy permissions"; Amazon
EventBridge User Guide, eb-event-bus-perms; Amazon EKS User Guide, pod-identities.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policy_guard.documents.containers.choices import Truths, outcomes
from policy_guard.documents.containers.cloudformation.documents import Unit
from policy_guard.documents.containers.cloudformation.grant_statements import allow_statement, resource_holders, unit_of
from policy_guard.documents.containers.cloudformation.parts import NoValue, name_of, parts_of, text_of
from policy_guard.documents.containers.cloudformation.reading import Reading
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Span

POD_IDENTITY = "AWS::EKS::PodIdentityAssociation"
_BUS, _DEFAULT_BUS = "arn:aws:events:*:*:event-bus/", "default"
_POD_SERVICE = "pods.eks.amazonaws.com"
_POD_ACTIONS = ("sts:AssumeRole", "sts:TagSession")
_POD_TAGS = {
    "ClusterName": "aws:RequestTag/eks-cluster-name",
    "Namespace": "aws:RequestTag/kubernetes-namespace",
    "ServiceAccount": "aws:RequestTag/kubernetes-service-account",
    "DisableSessionTags": "eks:DisableSessionTags",
}
_POD_ROLES = ("RoleArn", "TargetRoleArn")
_ACL = "AccessControl"
_LIST = ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads")
CANNED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "PublicRead": (_LIST, ()),
    "PublicReadWrite": (_LIST, ("s3:PutObject",)),
    "AuthenticatedRead": (_LIST, ()),
}
"""What canned lists let everybody do with the bucket, and with what is in it."""
_AUTHENTICATED = "AuthenticatedRead"


def bus_units(reading: Reading, name: str) -> Iterator[Unit]:
    """The statement of a bus that stands in properties of their own, in place of `Statement`."""
    properties = reading.properties(name)
    if properties.get("Action") is None and properties.get("Principal") is None:
        return
    span = reading.template.resources[name].span
    statements: dict[str, list[Object]] = {}
    for truths in reading.existing(name):
        for outcome in outcomes(lambda case: _bus_elements(reading, properties, span, case), truths, properties.span):
            if outcome.value is not None:
                bus = outcome.value["Resource"]
                assert isinstance(bus, Scalar)
                statement = allow_statement(reading, span, outcome.truths, **outcome.value)
                statements.setdefault(name_of(parts_of(bus)), []).append(statement)
    for bus_name, bus_statements in statements.items():
        yield from unit_of(reading, f"Resources.{name}", f"bus {bus_name}", "resource", bus_statements)


def _bus_elements(reading: Reading, properties: Object, span: Span, truths: Truths) -> dict[str, Node]:
    action = _text(reading, properties.get("Action"), truths)
    principal = _text(reading, properties.get("Principal"), truths)
    if action is None or principal is None:
        raise Opaque('the permission has no "Action" or no "Principal"', span)
    bus = _text(reading, properties.get("EventBusName"), truths) or text_of((_DEFAULT_BUS,), span)
    parts = parts_of(bus)
    is_arn = bool(parts) and isinstance(parts[0], str) and parts[0].startswith("arn:")
    elements: dict[str, Node] = {
        "Principal": principal if parts_of(principal) == ("*",) else _mapping({"AWS": principal}, span),
        "Action": action,
        "Resource": bus if is_arn else text_of((_BUS, *parts), bus.span),
    }
    condition = properties.get("Condition")
    value = reading.evaluator(truths).value(condition) if condition is not None else None
    if value is not None and not isinstance(value, NoValue):
        operator, key, text = (value.get(each) if isinstance(value, Object) else None for each in _CONDITION)
        if not isinstance(operator, Scalar) or not isinstance(key, Scalar) or text is None:
            raise Opaque('write "Type", "Key" and "Value" of the condition as plain texts', span)
        elements["Condition"] = _mapping({operator.text: _mapping({key.text: text}, span)}, span)
    return elements


_CONDITION = ("Type", "Key", "Value")


def pod_units(reading: Reading, name: str) -> Iterator[Unit]:
    """The statements by which pods of a service account take a role, and by way of it another one."""
    properties = reading.properties(name)
    span = reading.template.resources[name].span
    statements: list[Object] = []
    for truths in reading.existing(name):
        for outcome in outcomes(lambda case: _pod_texts(reading, properties, case), truths, properties.span):
            texts = outcome.value or {}
            tags = {key: texts[each] for each, key in _POD_TAGS.items() if each in texts}
            tags.setdefault(_POD_TAGS["DisableSessionTags"], text_of(("false",), span))
            for role in (texts[each] for each in _POD_ROLES if each in texts):
                elements: dict[str, Node] = {
                    "Principal": _mapping({"Service": text_of((_POD_SERVICE,), span)}, span),
                    "Action": Array(tuple(text_of((action,), span) for action in _POD_ACTIONS), span),
                    "Resource": role,
                    "Condition": _mapping({"StringEquals": _mapping(tags, span)}, span),
                }
                statements.append(allow_statement(reading, span, outcome.truths, **elements))
    yield from unit_of(reading, f"Resources.{name}", f"every {POD_IDENTITY}", "resource", statements)


def _pod_texts(reading: Reading, properties: Object, truths: Truths) -> dict[str, Scalar]:
    texts = {key: _text(reading, properties.get(key), truths) for key in (*_POD_TAGS, *_POD_ROLES)}
    return {key: text for key, text in texts.items() if text is not None}


def acl_units(reading: Reading, name: str) -> Iterator[Unit]:
    """The statements of a bucket's policy that a canned list of access stands for; nothing for what else it says."""
    node = reading.properties(name).get(_ACL)
    for holder, truths in resource_holders(reading, name) if node is not None else ():
        statements: list[Object] = []
        for outcome in outcomes(lambda case: _text(reading, node, case), truths, node.span):  # type: ignore[union-attr]
            text = outcome.value
            if text is not None and text.text in CANNED:
                statements += _of_acl(reading, name, text, outcome.truths)
        yield from unit_of(reading, f"Resources.{name}.{_ACL}", f"{_ACL} of {holder}", "resource", statements)


def _of_acl(reading: Reading, name: str, text: Scalar, truths: Truths) -> Iterator[Object]:
    """Everybody is let in, or everybody who is known to AWS."""
    everybody, span = text_of(("*",), text.span), text.span
    condition = _mapping({"aws:PrincipalType": text_of(("Anonymous",), span)}, span)
    known = {"Condition": _mapping({"StringNotEquals": condition}, span)} if text.text == _AUTHENTICATED else {}
    bucket = reading.evaluator(truths).attribute(name, "Arn", span)
    for actions, resource in zip(CANNED[text.text], (bucket, (*bucket, "/*")), strict=True):
        if actions:
            action_texts = Array(tuple(text_of((action,), span) for action in actions), span)
            elements: dict[str, Node] = {"Principal": everybody, "Action": action_texts}
            yield allow_statement(reading, span, truths, **elements, Resource=text_of(resource, span), **known)


def _text(reading: Reading, node: Node | None, truths: Truths) -> Scalar | None:
    value = reading.evaluator(truths).value(node) if node is not None else None
    if value is None or isinstance(value, NoValue):
        return None
    if not isinstance(value, Scalar):
        raise Opaque("one text is expected here", value.span)
    return value


def _mapping(values: Mapping[str, Node], span: Span) -> Object:
    return Object(tuple(Entry(Scalar(key, span), value) for key, value in values.items()), span)
