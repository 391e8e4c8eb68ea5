"""Placeholders that are spelled with characters which names may have, too: `__BUCKET__`, `$BUCKET`, `@bucket@`.

Where no real name can be spelled so, such a text is an unknown part. Elsewhere it is read as written, with a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from policy_guard.records import NamedTuple
from policy_guard.regex import regex
from policy_guard.solver.strings.pattern import ARN_COLONS, Part, Pattern, Unknown, joined

if TYPE_CHECKING:
    from policy_guard.documents.placeholder_patterns import Placeholders

_ODD = regex(r"[^a-z0-9:/.*?-]")
# Most names are those of actions.
_ORDINARY = regex(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+|\*")
_SIGNS = regex(r"[$%_@!~\#&^|\u00ab]|[A-Z]")
# No name in an ARN has these, but for those in `_AWS_OWN` and in keys of S3 objects.
_NOWHERE = r"\${1,3}(?:env:)?[A-Za-z_]\w*\${0,3}|%[A-Za-z_]\w*%|%(?:[0-9]\$)?[sdv](?!\w)"
_NOWHERE += r"|\u00ab[^\u00ab\u00bb]*\u00bb|\^\w+\^|\|\w+\|"
_SOMEWHERE = r"__[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*__|(?<=[:/.-])_\w*_(?=[:/.-]|\Z)|@[\w.-]+@|!\w+!|~\w+~|\#\w+\#|&\w+&"
# A whole part of an ARN, or a word of several in capital letters: neither accounts nor regions nor buckets are so.
_WORD = r"(?<=:)[A-Za-z][A-Za-z0-9_-]*(?=:)|(?<![\w-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w-])"
_ALL = regex(rf"(?P<nowhere>{_NOWHERE})|(?P<somewhere>{_SOMEWHERE})|(?P<word>{_WORD})", re.DOTALL)
# Names of versions and stages (Lambda, Lex, Systems Manager, API Gateway), and topics of AWS IoT.
_AWS_OWN = regex(r"\$(?:LATEST|DEFAULT|default|aws|share)\Z")
_WITH_OWN = ("lambda", "lex", "ssm", "execute-api", "apigateway", "iot")
# What stands for the account in ARNs of AWS's own policies, users and models.
_OWN_ACCOUNTS = ("aws", "cloudfront", "amazon", "aws-marketplace")
_ODD_IN_HEAD = regex(r"[^A-Za-z0-9-]")
# Amazon S3 User Guide, bucketnamingrules: buckets of before 2018 may have capital letters and underscores.
_ODD_IN_BUCKET = regex(r"[^A-Za-z0-9._-]|\A_")
_CAPITALS = regex(r"[A-Z0-9._-]*[A-Z]{2}[A-Z0-9._-]*(?<=[A-Z0-9])")
_NAMELESS = regex(r"[^\w\"]+|%[sdv]")
_BY_PLACE = regex(r"%|\{\s*(?:[^\w\s\"'{}\\][^{}]*)?\}")
_ACCOUNT_COLONS = 4
_WORD_ACCOUNT = regex(r"arn:(?:[^:]*:){3}[A-Za-z]")


class InName(NamedTuple):
    """A pattern with its placeholders as unknown parts, and the texts that may be placeholders and are read as text."""

    pattern: Pattern
    doubtful: tuple[str, ...]


def with_named(pattern: Pattern, placeholders: Placeholders | None) -> Pattern:
    """The pattern with what is a placeholder by the settings as unknown parts."""
    if not placeholders:
        return pattern
    return Pattern(joined(piece for part in pattern.parts for piece in _split(part, placeholders)))


def _split(part: Part, placeholders: Placeholders) -> Iterator[Part]:
    if not isinstance(part, str):
        yield part
        return
    position = 0
    for start, end in placeholders.spans(part):
        yield part[position:start]
        yield _unknown(part[start:end])
        position = end
    yield part[position:]


def _unknown(text: str) -> Unknown:
    return Unknown(f'"{text}"' if text[:1].isalnum() else text)


def nameless_in(text: str) -> Iterator[int]:
    """Return where a program may fill something in by its place: `{}`, `{:>8}`, `%s`, and every other `%`."""
    return (match.start() for match in _BY_PLACE.finditer(text))


def is_nameless(part: Part) -> bool:
    """Tell whether a part is an unknown one that its place alone tells from others."""
    return isinstance(part, Unknown) and _NAMELESS.fullmatch(part.name) is not None


def numbered(pattern: Pattern, count: int, in_file: int) -> Pattern:
    """The pattern with a number for each placeholder without a name.

    `count` of them stand before the pattern in what was read, and `in_file` texts that may be some: of `{}` and `%s`,
    two are two texts, and the place in the whole file tells which (Python: str.format, printf-style formatting). In
    another version those are the same that have the same place both ways.
    """
    parts = []
    for part in pattern.parts:
        text = part.name if isinstance(part, Unknown) else part if isinstance(part, str) else ""
        if isinstance(part, Unknown) and is_nameless(part):
            count += 1
            elsewhere = "" if in_file == count - 1 else f" (after {in_file} in the file)"
            part = Unknown(f"{part.name} {count}{elsewhere}")
        in_file += sum(1 for _ in nameless_in(text))
        parts.append(part)
    return Pattern(tuple(parts))


def in_name(pattern: Pattern) -> InName:
    """Reads what names a resource, an action or a principal."""
    text = "".join(part if isinstance(part, str) else "*" for part in pattern.parts)
    if _ORDINARY.fullmatch(text) or (
        not _SIGNS.search(text) and not _WORD_ACCOUNT.match(text) and not _ODD.search(text)
    ):
        return InName(pattern, ())
    reader = _InName(text)
    return InName(Pattern(joined(piece for part in pattern.parts for piece in reader.pieces(part))), reader.doubtful())


class _InName:
    """Goes through the parts of a name and keeps in mind in which part of an ARN it is."""

    def __init__(self, text: str) -> None:
        fields = text.split(":", ARN_COLONS)
        self._arn = len(fields) > ARN_COLONS and fields[0] == "arn"
        self._service = fields[2] if self._arn else ""
        self._colons = 0
        self._in_bucket = True
        # A wildcard may stand for colons: after one, nothing tells which part of the ARN comes.
        self._sure = True
        self._doubtful: dict[str, None] = {}

    def doubtful(self) -> tuple[str, ...]:
        return tuple(self._doubtful)

    def pieces(self, part: Part) -> Iterator[Part]:
        if not isinstance(part, str):
            self._sure = False
            yield part
            return
        position = 0
        for match in _ALL.finditer(part):
            yield from self._text(part[position : match.start()])
            yield _unknown(match[0]) if self._is_placeholder(match) else match[0]
            position = match.end()
        yield from self._text(part[position:])

    def _text(self, text: str) -> Iterator[Part]:
        """The text between placeholders, with the pieces of it that no part of an ARN can have."""
        for piece in re.split("([:/])", text) if self._arn and self._in_bucket else [text]:
            yield _unknown(piece) if self._is_odd(piece) else piece
            self._colons += piece.count(":")
            if self._colons >= ARN_COLONS and "/" in piece:
                self._in_bucket = False

    def _is_odd(self, piece: str) -> bool:
        if not self._sure or not self._arn or self._colons == 0 or piece in (":", "/"):
            return False
        if self._colons < ARN_COLONS:
            return _ODD_IN_HEAD.search(piece) is not None
        in_bucket = self._colons == ARN_COLONS and self._service == "s3" and self._in_bucket
        if in_bucket and _CAPITALS.fullmatch(piece):
            self._doubtful[piece] = None
        return in_bucket and _ODD_IN_BUCKET.search(piece) is not None

    def _is_placeholder(self, match: re.Match[str]) -> bool:
        """Tell whether no real name is spelled so; what may be one is doubtful."""
        strict = not self._arn or self._colons < ARN_COLONS or (self._service == "s3" and self._in_bucket)
        if match["word"]:
            return self._arn and self._sure and strict and self._is_placeholder_word(match[0])
        if match["nowhere"]:
            return not (self._service in _WITH_OWN and _AWS_OWN.match(match[0]) and self._colons >= ARN_COLONS)
        if not strict:
            self._doubtful[match[0]] = None
        return strict

    def _is_placeholder_word(self, word: str) -> bool:
        if self._colons == _ACCOUNT_COLONS:
            return word not in _OWN_ACCOUNTS
        return word == word.upper() and self._colons > 1


def in_value(pattern: Pattern) -> tuple[str, ...]:
    """The texts in the value of a condition that may be placeholders."""
    texts = [part for part in pattern.parts if isinstance(part, str) and _SIGNS.search(part)]
    return tuple(dict.fromkeys(match[0] for text in texts for match in _ALL.finditer(text) if not match["word"]))
