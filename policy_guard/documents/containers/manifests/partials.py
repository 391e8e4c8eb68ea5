"""Templates of Helm that other files include, such as `_helpers.tpl`: what they write is known by its text."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.manifests.branches import Branches
from policy_guard.documents.containers.manifests.grants import by_text
from policy_guard.documents.containers.manifests.keys import IDENTITY, PATCHED
from policy_guard.documents.containers.manifests.marked import masked, unmasked
from policy_guard.documents.containers.opaque import digest
from policy_guard.documents.containers.plain import PolicyDocument, Reading
from policy_guard.documents.containers.recognition import looks_like_policy, looks_like_policy_text, policy_of
from policy_guard.documents.format import may_grant
from policy_guard.documents.formats import read
from policy_guard.documents.marks import refused_marks
from policy_guard.documents.source import Node, Scalar, Source, Span, Unreadable


def is_partial(path: str) -> bool:
    """Tell whether a file only defines templates: Helm makes no manifest of a name that begins with an underscore."""
    name = path.rpartition("/")[2]
    return name.startswith("_") and name.endswith(".tpl")


def policies_in_partial(source: Source) -> Reading:
    """Read what templates that speak of access write: policies as far as they are readable, all else by its text."""
    return Reading(tuple(_documents(source)), 0)


def _documents(source: Source) -> Iterator[PolicyDocument]:
    branches = Branches(source.text)
    labels: set[str] = set()
    for mark, span, text in branches.templates():
        label = mark.inner if mark.inner not in labels else f"{mark.inner}#{len(labels)}"
        speaks = IDENTITY.search(text) or PATCHED.search(text) or may_grant(text.encode("utf-8", "replace"))
        if looks_like_policy_text(text) and (node := _policy_at(source, span)):
            labels.add(label)
            holder = digest(state) if (state := branches.state(mark.span.start)) else ""
            yield PolicyDocument(label, node, source, holder)
        elif speaks or looks_like_policy_text(text):
            labels.add(label)
            words = "\n".join(line.strip() for line in text.split("\n") if line.strip())
            stand_in = Scalar(f"{words}\n{branches.state(mark.span.start)}", mark.span)
            yield PolicyDocument(label, policy_of((by_text(stand_in, label),), mark.span), source, kind="identity")


def _policy_at(source: Source, span: Span) -> Node | None:
    """The policy that a template writes, if it writes nothing else and no marks write parts of it."""
    text = source.text
    before = "".join(character if character == "\n" else " " for character in text[: span.start])
    alone = Source(source.path, f"{before}{text[span.start : span.end]}", source.revision)
    try:
        documents = tuple(map(unmasked, read(masked(alone) or alone)))
    except Unreadable:
        return None
    is_policy = len(documents) == 1 and looks_like_policy(documents[0])
    return documents[0] if is_policy and not refused_marks(alone, documents, documents) else None
