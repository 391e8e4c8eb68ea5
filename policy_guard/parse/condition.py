"""The Condition block: operators, keys and values."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from policy_guard.parse.reader import Reader, quoted
from policy_guard.policy import OPERATORS, Condition
from policy_guard.source import Entry, Node, Object

_QUANTIFIERS = {"forallvalues": "ForAllValues", "foranyvalue": "ForAnyValue"}


def conditions(reader: Reader, node: Node, variables: bool) -> tuple[Condition, ...]:
    """Every operator on every key, in the order written."""
    if not isinstance(node, Object):
        reader.problem('"Condition" is a mapping of operators', node.span)
        return ()
    return tuple(each for entry in _once(reader, node, "operator") for each in _operator(reader, entry, variables))


def _once(reader: Reader, node: Object, what: str) -> Iterator[Entry]:
    """The entries whose names are not there already: AWS compares these without regard to case."""
    seen: set[str] = set()
    for entry in node.entries:
        if entry.key.text.lower() in seen:
            reader.problem(f"the {what} {quoted(entry.key.text)} is written twice; keep one", entry.key.span)
        else:
            seen.add(entry.key.text.lower())
            yield entry


def _operator(reader: Reader, entry: Entry, variables: bool) -> Iterator[Condition]:
    read = _named(entry.key.text)
    if read is None:
        reader.problem(_no_operator(entry.key.text), entry.key.span)
        return
    quantifier, operator, if_exists = read
    if not isinstance(entry.value, Object):
        reader.problem(f"{quoted(entry.key.text)} takes a mapping of condition keys", entry.value.span)
        return
    takes_variables = variables and operator.startswith(("String", "Arn"))
    for key, value in _once(reader, entry.value, "condition key"):
        values = reader.values(value, key.text, takes_variables, plain=True)
        yield Condition(quantifier, operator, if_exists, key.text.lower(), key.text, values, value.span)


def _named(text: str) -> tuple[str, str, bool] | None:
    """Quantifier, operator and whether it ends in IfExists; None if that is no operator."""
    head, colon, tail = text.partition(":")
    quantifier = _QUANTIFIERS.get(head.lower(), "") if colon else ""
    name = (tail if colon else head).lower()
    if_exists = name.endswith("ifexists")
    operator = OPERATORS.get(name.removesuffix("ifexists"))
    if operator is None or (colon and not quantifier) or (operator == "Null" and (if_exists or quantifier)):
        return None
    return quantifier, operator, if_exists


def _no_operator(text: str) -> str:
    name = text.rpartition(":")[2].lower().removesuffix("ifexists")
    close = get_close_matches(name, OPERATORS, 1)
    return f"{quoted(text)} is no condition operator" + (f'; did you mean "{OPERATORS[close[0]]}"?' if close else "")
