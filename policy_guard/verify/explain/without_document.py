"""Access that no document tells, in words: the containers stand for it with actions that AWS does not have."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.other_access import detail_of, kind_of
from policy_guard.iam.policy import Policy, Statement
from policy_guard.records import NamedTuple
from policy_guard.regex import regex
from policy_guard.solver.strings.pattern import HIDDEN

_ARN = "arn:aws:iam::aws:policy/"
# What nobody knows of an attached policy or a grant of Terraform: `${the actions of aws_iam_policy.p.arn}`.
_ACTIONS_OF = "the actions of "
_GROUP = "arn:aws:iam::*:group/"
_ENDPOINT = "arn:aws:execute-api:*:*:"


_DENYING = regex(
    r"(?i)den(?:y|ies|ied)|forbid|prohibit|restrict(?!ed)|quarantine|guardrail|prevent|boundary|lockdown|enforce|require(?!d|m)"
    r"|mfa"
)


_PRINCIPALS = ("role", "user", "group")


class Words(NamedTuple):
    """What a finding says of such access: its headline, and what is new. `{}` is what is named in the file."""

    headline: str
    access: str


_ATTACHED = Words("attaches a policy whose document is not known here", "whatever {} allows")
_BY_TEXT = Words("gives access that is known by its text alone", "{}")
_BOUNDARY = "boundary:LeavesAllowed"
_BOUNDARY_LABEL = regex(r"\.(?:PermissionsBoundary|permissions_boundary)(?:\[[^\[\]]*\])?$")
_GONE = "has no permissions boundary any more"
BOUNDARY_ADVICE = "put the boundary back, or have what it kept out reviewed"
DOCUMENT = "attached:Document"
"""What a document allows whose path in the repository is the resource."""
DETACHED = "attached:Denied"
"""What a policy denied that nobody knows here, if it is detached; the resource is its ARN."""
_BY_ACTION = {
    "attached:ManagedPolicy": _ATTACHED,
    "attached:Group": Words("adds a user to a group", "what the group {} may do"),
    DOCUMENT: Words("attaches a document that is not in this repository", "whatever {} allows"),
    "attached:Access": _BY_TEXT,
    "serverless:Access": _BY_TEXT,
    DETACHED: Words("detaches a policy whose document is not known here", "what the policy {} denies"),
    _BOUNDARY: Words("changes a permissions boundary whose document is not known here", "what the boundary {} leaves"),
}


def is_boundary(policy: Policy) -> bool:
    """Tell whether a policy stands for what a permissions boundary leaves to its principal."""
    return bool(_BOUNDARY_LABEL.search(policy.label))


def boundary_headline(policy: Policy, is_gone: bool) -> str:
    """Return what a finding says of a boundary that caps less than before, or `is_gone`."""
    if is_gone:
        return _GONE
    if any(map(_allows_all, policy.statements)):
        return "leaves all open that a permissions boundary capped"
    return "caps less by a permissions boundary than before"


def _allows_all(statement: Statement) -> bool:
    elements = statement.action, statement.resource
    texts = [e.values[0].text if e and not e.negated and len(e.values) == 1 else "" for e in elements]
    return statement.effect == "Allow" and texts == ["*", "*"] and not statement.conditions


def is_made_up(action: str) -> bool:
    """Tell whether an action stands for access that no document tells."""
    return _words(action) is not None


def may_guard(statement: Statement | None) -> bool:
    """Tell whether a statement stands for the Deny of a detached policy whose name speaks of denying."""
    if statement is None or statement.resource is None or statement.action.plain != {DETACHED}:
        return False
    return speaks_of_denying(statement.resource.values[0].text)


def principal_in_words(policy: Policy) -> str:
    """Return the role, user or group that a policy is of; empty for others."""
    noun, _, name = policy.holder.partition(HIDDEN)[0].partition(" ")
    return f"{noun.lower()} {name}" if policy.kind == "identity" and noun.lower() in _PRINCIPALS else ""


def speaks_of_denying(name: str) -> bool:
    """Tell whether the name of a policy speaks of denying."""
    return bool(_DENYING.search(name))


def headline(action: str, resource: str) -> str | None:
    """Return what a finding about such access says; None for an action of AWS."""
    if action == _BOUNDARY and resource == "*":
        return _GONE
    words = _words(action)
    return words.headline if words else None


def is_other_access(statement: Statement) -> bool:
    """Tell whether a statement stands for access that no policy can express."""
    actions = statement.action
    return not actions.negated and bool(actions.values) and all(kind_of(value.text) for value in actions.values)


def kind_name(statement: Statement) -> str:
    """Return the name of the kind of such access; nothing for any other."""
    kind = kind_of(statement.action.values[0].text) if is_other_access(statement) else None
    return kind.name if kind else ""


def page(statement: Statement) -> str:
    """Return AWS's page about such access; nothing for any other."""
    kind = kind_of(statement.action.values[0].text) if is_other_access(statement) else None
    return kind.page if kind else ""


def advice_without_document(action: str) -> str:
    """Return what to do about such access."""
    if action == _BOUNDARY:
        return BOUNDARY_ADVICE
    if action == DETACHED:
        return "attach it again, have its loss reviewed, or name its document under policies-by-arn in the settings"
    if action == "attached:ManagedPolicy" or _words(action) is _ATTACHED:
        return "look at what it allows, and have it reviewed; policies-by-arn in the settings names its document"
    kind = kind_of(action)
    return kind.advised if kind else "look at what it allows, and have it reviewed"


def access(action: str, resource: str) -> str | None:
    """Return such access as one says it; None for an action of AWS."""
    if action == _BOUNDARY and resource == "*":
        return "everything that a permissions boundary would not leave"
    words = _words(action)
    if words is None:
        return None
    named = _inner(action).removeprefix(_ACTIONS_OF) or _inner(resource) or resource.removeprefix(_GROUP)
    if named.startswith(_ENDPOINT):
        return _calls(named)
    if (kind := kind_of(action)) and not _inner(resource):
        return f"what {detail_of(action)} blocks" if detail_of(action) else kind.opened
    return words.access.format(named)


def _calls(endpoint: str) -> str:
    """An endpoint with its callers as one says it."""
    called, by, caller = endpoint.removeprefix(_ENDPOINT).rpartition(" by ")
    return f"calls of {'every endpoint' if called == '*' else called}{by}{'everybody' if caller == '*' else caller}"


def attached_policy(statement: Statement) -> str:
    """Return the ARN of the managed policy that a statement stands for, unknown parts in `${}`; empty for others."""
    values = statement.resource.values if statement.resource else ()
    if statement.effect != "Allow" or len(statement.action.values) != 1 or len(values) != 1:
        return ""
    action = statement.action.values[0].text
    if action == "attached:ManagedPolicy":
        return _inner(values[0].text) or values[0].text
    return _inner(action).removeprefix(_ACTIONS_OF) if _words(action) is _ATTACHED else ""


def attached_document(statement: Statement) -> str:
    """Return the path of the document that a statement stands for; empty for others."""
    if not statement.resource or not any(value.text == DOCUMENT for value in statement.action.values):
        return ""
    return _inner(statement.resource.values[0].text)


def unknown_policies(statement: Statement) -> Iterator[str]:
    """Return the ARNs in the name of AWS that a statement stands for, and that are none of a policy of AWS."""
    values = statement.resource.values if statement.resource else ()
    for action in statement.action.values:
        texts = (
            [_inner(value.text) or value.text for value in values] if action.text == "attached:ManagedPolicy" else []
        )
        if _words(action.text) is _BY_TEXT:
            texts = [statement.source.text[slice(*value.span)].strip("\"'") for value in values]
        texts.append(_inner(action.text).removeprefix(_ACTIONS_OF))
        yield from (text for text in texts if text.startswith(_ARN))


def _words(action: str) -> Words | None:
    inner = _inner(action)
    if inner.startswith(_ACTIONS_OF):
        return _of_unknown_actions(inner.removeprefix(_ACTIONS_OF))
    kind = kind_of(action)
    return Words(kind.does, "{}") if kind else _BY_ACTION.get(action)


def _of_unknown_actions(named: str) -> Words:
    if named.startswith("what "):
        return Words("lets in public access that was blocked", "{}")
    if ":policy/" in named or named.endswith(".arn"):
        return _ATTACHED
    return Words(_BY_TEXT.headline, "what {} allows")


def _inner(text: str) -> str:
    """The name of what nobody knows, if a text is nothing else; other unknown parts may stand in the name."""
    if not (text.startswith("${") and text.endswith("}")):
        return ""
    depth = 0
    for at, symbol in enumerate(text[:-1]):
        depth += (symbol == "$" and text[at + 1] == "{") - (symbol == "}")
        if not depth:
            return ""
    return text[2:-1]
