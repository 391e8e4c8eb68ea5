"""Old versions that cannot be read: what they denied nobody can tell, and the change may lose it.

That everything in the new version counts as new is enough for what it grants, and says nothing of what it denies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy_guard.documents.source import Problem, Source, Span
from policy_guard.iam.policy import CAPS, Kind, Policy, by_effect, statement_meaning
from policy_guard.regex import regex
from policy_guard.settings.severity import CheckId, Severity
from policy_guard.verify.finding import Finding, Related

LOST = CheckId("no-lost-deny")
# What says nothing of a Deny: a policy variable or a pseudo parameter, which stands inside of a text.
_VARIABLE = regex(r"\$\{[A-Za-z0-9-]+::?[^{}\"'\n]*\}")
_EFFECT = regex(r"effect(\W*\w*)", re.IGNORECASE)
_ALLOW = regex(r"""["']?\s*:\s*["']?Allow""")
# What may stand for a Deny, or for statements: escapes, odd characters, tags, functions and places to fill in.
_UNSURE = regex(
    r"""deny|[\\\0\ufffd]|[$%#@][{(]|\{[{%#]|<%|\[\[|%[0-9a-f]{2}|fn::|\bref\b|__|(?:^|[\s,:\[])![a-z]""",
    re.IGNORECASE | re.MULTILINE,
)


def denied_nothing(text: str) -> bool:
    """Tell whether an unreadable policy surely denied nothing: each Effect is Allow, and nothing is filled in."""
    plain = _VARIABLE.sub("", text)
    effects = _EFFECT.findall(plain)
    return bool(effects) and all(map(_ALLOW.fullmatch, effects)) and not _UNSURE.search(plain)


def keeps_every_deny(old_policies: Iterator[Policy], new_policies: Iterator[Policy]) -> bool:
    """Tell whether each Deny of the old versions stands in the new ones word for word."""
    denying = [
        {statement_meaning(s) for policy in side for s in by_effect(policy)[1]} for side in (old_policies, new_policies)
    ]
    return denying[0] <= denying[1]


def may_have_lost(
    source: Source,
    problem: Problem,
    texts: tuple[str, ...],
    kind: Kind | None,
    severity: Severity | None,
    new: Source | None,
) -> Iterator[Finding]:
    """A finding if the old version may have denied something. `texts` are what of it could not be read."""
    if severity == "off" or (kind not in CAPS and texts and all(map(denied_nothing, texts))):
        return
    state = "is gone" if new is None else "is another"
    yield Finding(
        LOST,
        "unreadable",
        severity or "error",
        f"may no longer deny what was denied: the old version cannot be read, and {state} now",
        new or source,
        Span(0, min(1, len((new or source).text))) if new else problem.span,
        facts=(
            ("before", problem.message),
            ("next", "have the change reviewed: exclude the file in a change of its own, and take it in again later"),
        ),
        related=(Related(source, problem.span, "what cannot be read"),) if new else (),
    )
