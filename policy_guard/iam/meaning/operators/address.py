"""IpAddress and NotIpAddress: an address, or all of a block, of IPv4 or IPv6.

Source: IAM User Guide, reference_policies_elements_condition_operators, Conditions_IPAddress; RFC 4632, RFC 4291. A
request is taken to spell an IPv6 address in full, in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from policy_guard.iam.condition_values import block
from policy_guard.iam.meaning.interpretations import BARE_IPV6_IS_A_BLOCK
from policy_guard.iam.meaning.operator import Ambiguity, Operator, Spellings, Way, spelled, typed
from policy_guard.solver.formula import TRUE, Formula, conjunction, member, negation
from policy_guard.solver.strings.automaton import Glob, Step, glob_of
from policy_guard.solver.strings.language import EVERYTHING, Language, Slot
from policy_guard.solver.strings.number_ranges import DIGIT
from policy_guard.solver.strings.pattern import Pattern, holes

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from policy_guard.iam.condition_values import Block

    Address: TypeAlias = "IPv4Address | IPv6Address"

_HEX = "0123456789abcdef"
_NIBBLE = Step(frozenset(_HEX))
_DOT = glob_of(".")
_COLON = glob_of(":")
_FREE: Glob = (DIGIT, DIGIT._replace(loop=True))
_OCTET: tuple[Glob, ...] = (
    (DIGIT,),
    (Step(frozenset("123456789")), DIGIT),
    (*glob_of("1"), DIGIT, DIGIT),
    (*glob_of("2"), Step(frozenset("01234")), DIGIT),
    (*glob_of("25"), Step(frozenset("012345"))),
)
_SIX: Glob = tuple(step for group in range(8) for step in (*(_COLON if group else ()), *(_NIBBLE,) * 4))


def _quad(octets: list[Glob]) -> Glob:
    return tuple(step for at, octet in enumerate(octets) for step in (*(_DOT if at else ()), *octet))


_OCTETS = tuple(
    Language([_SIX, *(_quad([octet if at == place else _FREE for at in range(4)]) for octet in _OCTET)])
    for place in range(4)
)
"""Four numbers of which the first, second, third or fourth is at most 255, or an IPv6 address."""


def _address(text: str) -> Address | None:
    found = block(text) if "/" not in text else None
    return found.network_address if found else None


def _holds(given: Pattern, value: str) -> bool:
    found, address = block(spelled(given)), _address(value)
    return found is not None and address is not None and address in found


def _build(text: str) -> Iterator[Glob]:
    found = block(text)
    if found is None:
        return
    if found.version == 6:
        yield _six(found.network_address.exploded.replace(":", ""), found.prefixlen)
        return
    whole, bits = divmod(found.prefixlen, 8)
    octets = [glob_of(octet) for octet in str(found.network_address).split(".")]
    if not bits:
        yield _quad(octets[:whole] + [_FREE] * (4 - whole))
        return
    least = int(found.network_address.packed[whole])
    for octet in _between(least, least + 2 ** (8 - bits) - 1):
        yield _quad([*octets[:whole], octet, *[_FREE] * (3 - whole)])


def _between(least: int, most: int) -> Iterator[Glob]:
    """The numbers from `least` to `most`, joined where only the last digit differs."""
    for tens in range(least // 10, most // 10 + 1):
        ones = [str(n % 10) for n in range(max(least, tens * 10), min(most, tens * 10 + 9) + 1)]
        yield (*glob_of(str(tens) if tens else ""), Step(frozenset(ones)))


def _six(digits: str, length: int) -> Glob:
    whole, bits = divmod(length, 4)
    steps = [*glob_of(digits[:whole])]
    if bits:
        least = int(digits[whole], 16)
        steps.append(Step(frozenset(_HEX[least : least + 2 ** (4 - bits)])))
    steps += [_NIBBLE] * (32 - len(steps))
    return tuple(step for at, each in enumerate(steps) for step in (*(_COLON if at and at % 4 == 0 else ()), each))


def _towards(value: str) -> str:
    return value if _address(value) else "0.0.0.0/0"


_WAY = Way(_build, towards=_towards)


def _encode(slot: Slot, given: tuple[Pattern, ...]) -> Formula:
    fixed = min(0 if holes(pattern) else _fixed(block(spelled(pattern))) for pattern in given)
    return conjunction([*(member(slot, octet) for octet in _OCTETS[fixed:]), member(slot, typed(given, [_WAY]))])


def _fixed(given: Block | None) -> int:
    """Return how many of the four numbers the globs of the block limit by themselves."""
    return -(-given.prefixlen // 8) if given and given.version == 4 else 4


def _six_may_match(given: tuple[Pattern, ...]) -> bool:
    return any(holes(pattern) or ":" in spelled(pattern) for pattern in given)


def _spelled_otherwise(slot: Slot, given: tuple[Pattern, ...]) -> Formula:
    if not _six_may_match(given):
        return negation(TRUE)
    has_colon = Language([(*EVERYTHING.globs[0], *_COLON, *EVERYTHING.globs[0])])
    return conjunction([member(slot, has_colon), negation(member(slot, Language([_SIX])))])


def _is_spelled_otherwise(given: tuple[Pattern, ...], text: str) -> bool:
    usual = re.fullmatch(r"[0-9a-f]{4}(:[0-9a-f]{4}){7}", text)
    return ":" in text and not usual and _six_may_match(given)


_SPELLINGS = Spellings(_spelled_otherwise, _is_spelled_otherwise)


def _as_blocks(pattern: Pattern) -> Pattern:
    return Pattern((f"{spelled(pattern)}/32",))


def _operator(name: str, *, negated: bool = False) -> Operator:
    alone = Operator(name=name, holds=_holds, encode=_encode, negated=negated, spellings=_SPELLINGS)
    as_block = Ambiguity(BARE_IPV6_IS_A_BLOCK.name, alone._replace(prepared=_as_blocks), alone)

    def unclear(pattern: Pattern) -> Ambiguity | None:
        bare = not holes(pattern) and ":" in spelled(pattern) and "/" not in spelled(pattern)
        return as_block if bare else None

    return alone._replace(unclear=unclear)


OPERATORS = (_operator("IpAddress"), _operator("NotIpAddress", negated=True))
