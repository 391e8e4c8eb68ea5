"""What gives access in a manifest without a document of its own, as the statements that stand for it."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.holes import Parts, hole, spelling
from policy_guard.documents.containers.managed import statements as managed_statements
from policy_guard.documents.containers.other_access import action_of
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Scalar, Span

BY_RESOURCE = action_of("manifest")
"""What stands for access that a resource gives by being there, or by a key that speaks of access."""
_UNREAD, _ATTACHED = "attached:Access", "attached:ManagedPolicy"
_POLICY = ":policy/"
# With "BucketOwnerEnforced" no list of access counts. Source: Amazon S3 User Guide, "Controlling ownership of objects".
_OFF = ("false", "no", "off", "none", "", "bucketownerenforced")


def granted_statements(node: Node, words: str) -> Iterator[Object]:
    """The statements that stand for what is given: one for each item, so that one that goes takes nothing with it."""
    if isinstance(node, Scalar):
        yield from _by_name(node, words)
    elif isinstance(node, Array):
        for item in node.items:
            yield from (
                granted_statements(item, words) if isinstance(item, Scalar) else (by_text(item, words, BY_RESOURCE),)
            )
    else:
        for key, value in node.entries:
            if not (_is_off(value) or _disables(key, value)):
                yield by_text(value, f"{words}.{key.text}", BY_RESOURCE)


def by_text(node: Node, words: str, action: str = _UNREAD, effect: str = "Allow") -> Object:
    """The statement for access that is known by its text: another text is new access, or with Deny a lost one."""
    resource = hole(
        f"what {words} gives access to" if effect == "Allow" else f"what {words} keeps out", words, canonical(node)
    )
    return _statement(effect, action, (resource,), node.span)


def opened(action: str, what: Hole | None, span: Span) -> Object:
    """The statement for what is open where a limit went; everything without `what`."""
    return _statement("Allow", action, (what,) if what else ("*",), span)


def _statement(effect: str, action: str, resource: Parts, span: Span) -> Object:
    elements = {
        "Effect": Scalar(effect, span, parts=(effect,)),
        "Action": Scalar(action, span, parts=(action,)),
        "Resource": Scalar(spelling(resource), span, parts=resource),
    }
    return Object(tuple(Entry(Scalar(key, span), value) for key, value in elements.items()), span)


def _by_name(scalar: Scalar, words: str) -> Iterator[Object]:
    """The statements of a managed policy of AWS, or one that says that something is given."""
    if _is_off(scalar):
        return
    aws_statements = managed_statements((scalar.text,), scalar.span)
    if aws_statements:
        yield from aws_statements
    elif _POLICY in scalar.text:
        resource = hole(scalar.text, words, canonical(scalar))
        yield _statement("Allow", _ATTACHED, (resource,), scalar.span)
    else:
        yield by_text(scalar, words, BY_RESOURCE)


def _disables(key: Scalar, value: Node) -> bool:
    return key.text in ("disable", "disabled") and isinstance(value, Scalar) and value.text.lower() == "true"


def _is_off(node: Node) -> bool:
    return isinstance(node, Scalar) and (node.kind == "null" or node.text.lower() in _OFF)
