"""`Fn::Sub`: what the text under it becomes (CloudFormation Template Reference, intrinsic-function-reference-sub)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from policy_guard.iam.parse.functions import substituted
from policy_guard.regex import regex
from policy_guard.solver.strings.pattern import Part, Pattern, Unknown, joined, read_pattern

_PLACE = regex(r"\$\{([^{}]*)\}")
_POLICY_VARIABLE = regex(r"[^{}]*:[^{}]*|[*?$]")


def read_substitution(
    text: str, variables: bool, is_known_key: Callable[[str], bool], mapping: Mapping[str, Pattern]
) -> Pattern:
    """The pattern of a text under `Fn::Sub`; `mapping` gives values to names.

    `${Name}` is an unknown part, `${!x}` the text `${x}`, which AWS then reads as it reads any text. Raises
    `ValueError` with a sentence.
    """
    return Pattern(joined(_parts(text, variables, is_known_key, mapping)))


def _parts(
    text: str, variables: bool, is_known_key: Callable[[str], bool], mapping: Mapping[str, Pattern]
) -> Iterator[Part]:
    for number, piece in enumerate(_PLACE.split(text)):
        name = piece.strip()
        if number % 2 == 0:
            yield from read_pattern(piece, variables, is_known_key).parts
        elif name.startswith("!"):
            yield from _literal(name[1:], variables)
        elif name == "AWS::NoValue":
            raise ValueError("AWS::NoValue is not a string; leave it out of !Sub")
        elif name in mapping:
            yield from mapping[name].parts
        else:
            yield Unknown(substituted(name))


def _literal(inner: str, variables: bool) -> tuple[Part, ...]:
    """Return what AWS reads in `${inner}`: a policy variable, or nothing but that text."""
    if _POLICY_VARIABLE.fullmatch(inner):
        return read_pattern(f"${{{inner}}}", variables).parts
    return (f"${{{inner}}}",)
