"""What the checks of the Python API say becomes what Access Analyzer says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from policy_guard.api import PolicyError, Reason, Result
from policy_guard.documents.formats.json import scan
from policy_guard.documents.source import Source, Unreadable
from policy_guard.serve.operation import Refused


def answered(ask: Callable[[], Result], passed: str, failed: str, described: str, details: bool) -> dict[str, Any]:
    """The answer to a check, in AWS's words: `passed` or `failed`, and `described` with each statement to blame.

    Raises `Refused` for a policy that cannot be read, and for a question that the solver leaves open, since the API
    has no third result.
    """
    try:
        result = ask()
    except PolicyError as error:
        raise Refused(400, "InvalidParameterException", str(error)) from None
    if result.result == "UNKNOWN":
        raise Refused(422, "UnprocessableEntityException", f"nothing could be proved: {result.message}")
    if result.result == "PASS":
        return {"result": "PASS", "message": passed}
    reasons = [_reason(reason, described, details) for reason in _one_a_statement(result.reasons)]
    return {"result": "FAIL", "message": failed, "reasons": reasons}


def policy_text(text: str, name: str) -> str:
    """The text of a policy, which the API takes in JSON alone. Raises `Refused`."""
    source = Source(name, text)
    try:
        scan(text)
    except Unreadable as error:
        problem = error.problems[0]
        words = f"{source.at(problem.span.start)}: this is not JSON: {problem.message}"
        raise Refused(400, "InvalidParameterException", words) from None
    return text


def _one_a_statement(reasons: tuple[Reason, ...]) -> Iterator[Reason]:
    indexes: set[int | None] = set()
    for reason in reasons:
        if reason.statement_index not in indexes:
            indexes.add(reason.statement_index)
            yield reason


def _reason(reason: Reason, described: str, details: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {"description": f"{described} several statements together."}
    if reason.statement_index is not None:
        sid = reason.statement_id
        place = f"sid: {sid}" if sid else f"index: {reason.statement_index}"
        fields = {"description": f"{described} statement with {place}.", "statementIndex": reason.statement_index}
        fields |= {"statementId": sid} if sid else {}
    if details:
        fields |= {"line": reason.line, "example": reason.witness, "explanation": reason.description}
    return fields
