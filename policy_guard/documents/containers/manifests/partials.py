"""Templates of Helm that other files include, such as `_helpers.tpl`: what they write is known by its text."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.manifests.branches import Branches
from policy_guard.documents.containers.manifests.grants import by_text
from policy_guard.documents.containers.manifests.keys import IDENTITY, PATCHED
from policy_guard.documents.containers.plain import PolicyDocument, Reading
from policy_guard.documents.containers.recognition import looks_like_policy_text, policy_of
from policy_guard.documents.format import may_grant
from policy_guard.documents.source import Scalar, Source


def is_partial(path: str) -> bool:
    """Tell whether a file only defines templates: Helm makes no manifest of a name that begins with an underscore."""
    name = path.rpartition("/")[2]
    return name.startswith("_") and name.endswith(".tpl")


def policies_in_partial(source: Source) -> Reading | None:
    """What templates that speak of access write; None where one of them holds a policy, which has to be read."""
    if looks_like_policy_text(source.text):
        return None
    return Reading(tuple(_documents(source)), 0)


def _documents(source: Source) -> Iterator[PolicyDocument]:
    branches = Branches(source.text)
    labels: set[str] = set()
    for mark, text in branches.templates():
        if IDENTITY.search(text) or PATCHED.search(text) or may_grant(text.encode("utf-8", "replace")):
            label = mark.inner if mark.inner not in labels else f"{mark.inner}#{len(labels)}"
            labels.add(label)
            words = "\n".join(line.strip() for line in text.split("\n") if line.strip())
            node = Scalar(f"{words}\n{branches.state(mark.span.start)}", mark.span)
            yield PolicyDocument(label, policy_of((by_text(node, label),), mark.span), source, kind="identity")
