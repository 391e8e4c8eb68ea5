"""Scalars that common readers of YAML or JSON take for different values, or write down differently.

YAML 1.1 and the core schema of YAML 1.2 differ in numbers, truth values and dates, and libraries differ from both:
https://yaml.org/type/, https://yaml.org/spec/1.2.2/#103-core-schema. What reaches AWS is JSON that some reader wrote.
"""

from __future__ import annotations

import re

from policy_guard.regex import regex

_EXACT = 2**53
"""The largest number up to which readers that keep every number as a double give integers back as written."""
_INTEGER = regex(r"-?[1-9][0-9]*|0")
_FRACTION = regex(r"-?[0-9]{1,17}\.[0-9]{1,17}")
_TRUTH = ("true", "True", "TRUE", "false", "False", "FALSE")
# Commas between digits: Ruby's Psych. Prefixes in upper case: Go's yaml, which hands digits to strconv.ParseInt.
_SOMETIMES_NO_TEXT = regex(
    r"""
    [-+]?0[xX][0-9a-fA-F_,]+ | [-+]?0[bB][01_,]+ | [-+]?0[oO][0-7_]+
    | [-+]?(?:[0-9][0-9_,]*(?:\.[0-9_,]*)?|\.[0-9][0-9_,]*)(?:[eE][-+]?[0-9_]+)?
    | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
    | [-+]?\.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN)
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}
      (?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{1,2}(?::[0-9]{1,2}(?:\.[0-9]*)?)?
      (?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)?
    | y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF
    | = | <<
    """,
    re.VERBOSE,
)
_STARTS = frozenset("+-.0123456789yYnNoO=<")
_NUMBER = "is a number that other readers take for another one or write differently; put it in quotation marks"
_OTHERWISE = "is text for some readers, and a number, a date or a truth value for others; put it in quotation marks"


def disputed_number(text: str) -> str:
    """Return what to say of a number that not every reader gives back as it is written; nothing if all do."""
    if _INTEGER.fullmatch(text):
        agreed = len(text) <= 17 and abs(int(text)) <= _EXACT
    else:
        agreed = bool(_FRACTION.fullmatch(text)) and repr(float(text)) == text and not text.endswith(".0")
    return "" if agreed else _NUMBER


def dispute_of(text: str, type_: str) -> str:
    """Return what to say of a plain scalar that YAML 1.1 takes for `type_`; nothing if readers agree."""
    if type_ in ("int", "float"):
        return disputed_number(text) if (type_ == "float") == ("." in text) else _NUMBER
    if type_ == "null":
        return ""
    if type_ == "bool":
        agreed = text in _TRUTH
    else:
        agreed = type_ == "str" and not (text[:1] in _STARTS and _SOMETIMES_NO_TEXT.fullmatch(text))
    return "" if agreed else _OTHERWISE
