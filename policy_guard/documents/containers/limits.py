"""What keeps access out in a file without a policy, and lets it in by going."""

from __future__ import annotations

from collections.abc import Mapping

from policy_guard.documents.source import Object, Span
from policy_guard.records import NamedTuple

SWITCH = ".switch"
"""What the label of a policy ends with that stands for what a switch gives, whatever keeps its resource in bounds."""


class Limit(NamedTuple):
    """A limit: under which label, in which resource or item of a list, its text, and where it stands.

    `kind` is `boundary`, `block`, `off`, `cap` or `patches`, or of APIs a kind of access that no policy can express;
    of patches the text is their number.
    """

    label: str
    holder: str
    kind: str
    text: str
    span: Span


class Limits(NamedTuple):
    """The limits of a file by label, and where its resources and the items in them stand."""

    by_label: Mapping[str, Limit]
    places: Mapping[str, Span]


class Lost(NamedTuple):
    """A limit that is gone or another one, and the statement that stands for what it kept out.

    Policies below `holder` tell it, too.
    """

    label: str
    holder: str
    statement: Object
