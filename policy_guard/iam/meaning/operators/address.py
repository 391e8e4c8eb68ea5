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
from policy_guard.iam.meaning.operator import Ambiguity, Operator, Spellings, Way, text_of, typed
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
_IPV6_GLOB: Glob = tuple(step for group in range(8) for step in (*(_COLON if group else ()), *(_NIBBLE,) * 4))


def _ipv4_glob(octets: list[Glob]) -> Glob:
    return tuple(step for at, octet in enumerate(octets) for step in (*(_DOT if at else ()), *octet))


_OCTETS = tuple(
    Language([_IPV6_GLOB, *(_ipv4_glob([octet if at == place else _FREE for at in range(4)]) for octet in _OCTET)])
    for place in range(4)
)
"""Four numbers of which the first, second, third or fourth is at most 255, or an IPv6 address."""


def _address(text: str) -> Address | None:
    network = block(text) if "/" not in text else None
    return network.network_address if network else None


def _holds(pattern: Pattern, value: str) -> bool:
    network, address = block(text_of(pattern)), _address(value)
    return network is not None and address is not None and address in network


def _build(text: str) -> Iterator[Glob]:
    network = block(text)
    if network is None:
        return
    if network.version == 6:
        yield _ipv6_glob(network.network_address.exploded.replace(":", ""), network.prefixlen)
        return
    full_octets, bits = divmod(network.prefixlen, 8)
    octets = [glob_of(octet) for octet in str(network.network_address).split(".")]
    if not bits:
        yield _ipv4_glob(octets[:full_octets] + [_FREE] * (4 - full_octets))
        return
    minimum = int(network.network_address.packed[full_octets])
    for octet in _number_globs(minimum, minimum + 2 ** (8 - bits) - 1):
        yield _ipv4_glob([*octets[:full_octets], octet, *[_FREE] * (3 - full_octets)])


def _number_globs(minimum: int, maximum: int) -> Iterator[Glob]:
    """The numbers from `least` to `most`, joined where only the last digit differs."""
    for tens in range(minimum // 10, maximum // 10 + 1):
        last_digits = [str(n % 10) for n in range(max(minimum, tens * 10), min(maximum, tens * 10 + 9) + 1)]
        yield (*glob_of(str(tens) if tens else ""), Step(frozenset(last_digits)))


def _ipv6_glob(digits: str, length: int) -> Glob:
    full_digits, bits = divmod(length, 4)
    steps = [*glob_of(digits[:full_digits])]
    if bits:
        minimum = int(digits[full_digits], 16)
        steps.append(Step(frozenset(_HEX[minimum : minimum + 2 ** (4 - bits)])))
    steps += [_NIBBLE] * (32 - len(steps))
    return tuple(step for at, nibble in enumerate(steps) for step in (*(_COLON if at and at % 4 == 0 else ()), nibble))


def _towards(value: str) -> str:
    return value if _address(value) else "0.0.0.0/0"


_WAY = Way(_build, towards=_towards)


def _encode(slot: Slot, patterns: tuple[Pattern, ...]) -> Formula:
    fixed = min(0 if holes(pattern) else _limited_octets(block(text_of(pattern))) for pattern in patterns)
    return conjunction([*(member(slot, octet) for octet in _OCTETS[fixed:]), member(slot, typed(patterns, [_WAY]))])


def _limited_octets(network: Block | None) -> int:
    """Return how many of the four numbers the globs of the block limit by themselves."""
    return -(-network.prefixlen // 8) if network and network.version == 4 else 4


def _ipv6_may_match(patterns: tuple[Pattern, ...]) -> bool:
    return any(holes(pattern) or ":" in text_of(pattern) for pattern in patterns)


def _spelled_otherwise(slot: Slot, patterns: tuple[Pattern, ...]) -> Formula:
    if not _ipv6_may_match(patterns):
        return negation(TRUE)
    has_colon = Language([(*EVERYTHING.globs[0], *_COLON, *EVERYTHING.globs[0])])
    return conjunction([member(slot, has_colon), negation(member(slot, Language([_IPV6_GLOB])))])


def _is_spelled_otherwise(patterns: tuple[Pattern, ...], text: str) -> bool:
    usual = re.fullmatch(r"[0-9a-f]{4}(:[0-9a-f]{4}){7}", text)
    return ":" in text and not usual and _ipv6_may_match(patterns)


_SPELLINGS = Spellings(_spelled_otherwise, _is_spelled_otherwise)


def _as_blocks(pattern: Pattern) -> Pattern:
    return Pattern((f"{text_of(pattern)}/32",))


def _operator(name: str, *, negated: bool = False) -> Operator:
    alone = Operator(name=name, holds=_holds, encode=_encode, negated=negated, spellings=_SPELLINGS)
    as_block = Ambiguity(BARE_IPV6_IS_A_BLOCK.name, alone._replace(prepared=_as_blocks), alone)

    def unclear(pattern: Pattern) -> Ambiguity | None:
        bare = not holes(pattern) and ":" in text_of(pattern) and "/" not in text_of(pattern)
        return as_block if bare else None

    return alone._replace(unclear=unclear)


OPERATORS = (_operator("IpAddress"), _operator("NotIpAddress", negated=True))
