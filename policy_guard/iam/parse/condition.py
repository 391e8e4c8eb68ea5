"""The Condition block: operators, keys and values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from policy_guard.documents.printable import quoted
from policy_guard.documents.source import Entry, Guard, Node, Object, Span
from policy_guard.iam.parse.functions import is_function
from policy_guard.iam.parse.reader import Reader
from policy_guard.iam.policy import MADE_UP, OPERATORS, Condition, Value
from policy_guard.solver.strings.pattern import Pattern, Wildcard, as_text

_TYPED = ("Bool", "Null", "Numeric", "Date", "Ip", "NotIp", "Binary")
# IAM User Guide, access-analyzer-reference-policy-checks, Empty array condition.
_WITHOUT_VALUES = "no value matches it; write values, or Null to ask whether the key is absent"
_QUANTIFIERS = {"forallvalues": "ForAllValues", "foranyvalue": "ForAnyValue"}


def conditions(reader: Reader, node: Node, variables: bool) -> tuple[Condition, ...]:
    """Every operator on every key, in the order written."""
    if not isinstance(node, Object) or node.tag is not None:
        reader.problem('"Condition" is a mapping of operators', node.span, "DATA_TYPE_MISMATCH")
        return ()
    return tuple(
        condition
        for entry in _distinct_entries(reader, node, "operator")
        for condition in _operator(reader, entry, variables)
    )


def guarding(guard: Guard, span: Span) -> Condition:
    """The condition on a made-up key that holds for as many requests as the guard may."""
    values = tuple(Value(text, Pattern((text,) if text else ()), span) for text in guard.values)
    return Condition(
        quantifier="",
        operator="StringNotEquals" if guard.negated else "StringEquals",
        if_exists=False,
        key=f"{MADE_UP}{guard.key}",
        written_key=guard.words,
        values=values,
        span=span,
    )


def _distinct_entries(reader: Reader, node: Object, noun: str) -> Iterator[Entry]:
    """The entries whose names are not there already: AWS compares these without regard to case."""
    names: set[str] = set()
    for entry in node.entries:
        if entry.key.text.lower() in names:
            words = f"the {noun} {quoted(entry.key.text)} is written twice; keep one"
            reader.problem(words, entry.key.span, "DUPLICATE_KEYS_WITH_DIFFERENT_CASE")
        else:
            names.add(entry.key.text.lower())
            yield entry


def _operator(reader: Reader, entry: Entry, variables: bool) -> Iterator[Condition]:
    reader.refuse_tag(entry.key)
    read = _read_operator(entry.key.text)
    if read is None:
        is_null = entry.key.text.lower().endswith("nullifexists")
        code = "NULL_WITH_IF_EXISTS" if is_null else "INVALID_CONDITION_OPERATOR"
        reader.problem(_no_operator(reader, entry.key.text), entry.key.span, code)
        return
    quantifier, operator, if_exists = read
    if operator == "Null" and quantifier:
        remedy = f"write Null without {quantifier}"
        words = f"{quoted(entry.key.text)} may hold for every request; {remedy}"
        reader.doubt(words, entry.key.span, "NULL_WITH_QUALIFIER")
    if not isinstance(entry.value, Object) or entry.value.tag is not None:
        reader.problem(
            f"{quoted(entry.key.text)} takes a mapping of condition keys", entry.value.span, "DATA_TYPE_MISMATCH"
        )
        return
    empty_code = f"EMPTY_ARRAY_CONDITION{_empty_suffix(quantifier, if_exists)}"
    takes_variables = variables and operator.startswith(("String", "Arn", "Bool"))
    for key, value in _distinct_entries(reader, entry.value, "condition key"):
        if MADE_UP in key.text:
            reader.problem(f"{quoted(key.text)} is not a condition key; leave the control character out", key.span)
        elif is_function(key.text):
            reader.problem(f"{quoted(key.text)} stands for unknown condition keys; write the keys", key.span)
        elif read_key := reader.key(key):
            written_values = reader.values(
                value,
                key.text.lower(),
                takes_variables,
                plain=True,
                if_empty=_WITHOUT_VALUES,
                empty_code=empty_code,
            )
            values = tuple(map(reader.condition_value, written_values))
            for condition_value in values:
                _check_value(reader, operator, condition_value)
            yield Condition(
                quantifier=quantifier,
                operator=operator,
                if_exists=if_exists,
                key=read_key.text,
                written_key=key.text,
                values=values,
                span=value.span,
                unknown_key=read_key.unknown,
            )


def _empty_suffix(quantifier: str, if_exists: bool) -> str:
    """Return the end of the code that AWS has for a condition without values."""
    return f"_{quantifier.upper()}" if quantifier else "_IFEXISTS" if if_exists else ""


def _check_value(reader: Reader, operator: str, value: Value) -> None:
    """A value that is none of its operator's type would match nothing, and is surely meant to match something."""
    parts = value.pattern.parts
    if not all(isinstance(part, str | Wildcard) for part in parts):
        return
    text = "".join(map(as_text, parts))
    for start, right, description, code in _types() if operator.startswith(_TYPED) else ():
        if operator.startswith(start) and not right(text):
            reader.problem(f"{quoted(value.text)} is not a valid {description}", value.span, f"TYPE_MISMATCH_{code}")


@cache
def _types() -> tuple[tuple[tuple[str, ...], Callable[[str], object], str, str], ...]:
    """For the operators that begin so: whether a text is of their type, what to say if it is not, and AWS's code.

    AWS calls a text that is no base64 a mismatch of a string.
    """
    from policy_guard.iam.condition_values import block, moment, number, usual_base64

    return (
        (("Bool", "Null"), _is_truth, 'truth value; write "true" or "false"', "BOOLEAN"),
        (
            ("Numeric",),
            lambda text: number(text) is not None,
            "number; write digits, and a fraction if need be",
            "NUMBER",
        ),
        (("Date",), moment, "date; write 2026-01-31T08:00:00Z, or seconds since 1970", "DATE"),
        (("Ip", "NotIp"), block, "IP address or block; write 203.0.113.0/24 or 2001:db8::/32", "IP_RANGE"),
        (("Binary",), lambda text: usual_base64(text) is not None, "base64", "STRING"),
    )


def _is_truth(text: str) -> bool:
    return text.lower() in ("true", "false")


def _read_operator(text: str) -> tuple[str, str, bool] | None:
    """Quantifier, operator and whether it ends in IfExists; None if that is no operator."""
    head, colon, tail = text.partition(":")
    quantifier = _QUANTIFIERS.get(head.lower(), "") if colon else ""
    name = (tail if colon else head).lower()
    if_exists = name.endswith("ifexists")
    operator = _spelling(name.removesuffix("ifexists"))
    if operator is None or (colon and not quantifier) or (operator == "Null" and if_exists):
        return None
    return quantifier, operator, if_exists


def _spelling(name: str) -> str | None:
    """The operator as AWS spells it; the supported ones are asked last, because their modules are slow to import."""
    if name in OPERATORS:
        return OPERATORS[name]
    from policy_guard.iam.meaning.operators import operators

    return next((spelling for spelling in operators() if spelling.lower() == name), None)


def _no_operator(reader: Reader, text: str) -> str:
    if not reader.may_suggest():
        return f"{quoted(text)} is not a condition operator"
    suggestion = _likely_operator(text.lower())
    return f"{quoted(text)} is not a condition operator" + (f'; did you mean "{suggestion}"?' if suggestion else "")


def _likely_operator(text: str) -> str:
    """The operator that was likely meant, with its quantifier and IfExists; nothing if that is open.

    What stands before a colon is never left out: without it the operator means something else.
    """
    head, colon, tail = text.partition(":")
    if not colon:
        quantifiers = _QUANTIFIERS.values() if text.startswith("for") else ()
        return _closest(
            text, [f"{start}{name}" for start in ("", *(f"{word}:" for word in quantifiers)) for name in _names()]
        )
    quantifier, operator = _closest(head, list(_QUANTIFIERS.values())), _closest(tail, _names())
    return f"{quantifier}:{operator}" if quantifier and operator else ""


def _names() -> list[str]:
    return [f"{name}{end}" for name in OPERATORS.values() for end in ("", "IfExists") if name != "Null" or not end]


def _closest(text: str, names: list[str]) -> str:
    from difflib import get_close_matches

    by_case = {name.lower(): name for name in names}
    close = get_close_matches(text, by_case, 1)
    return by_case[close[0]] if close else ""
