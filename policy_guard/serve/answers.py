"""What the checks of the Python API say becomes what Access Analyzer says."""

from __future__ import annotations

from collections.abc import Callable
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
    reasons = {statement: _reason(statement, described) for statement in result.statements}
    for reason in reversed(result.reasons) if details else ():
        fields = {"line": reason.line, "example": reason.witness, "explanation": reason.description}
        reasons[_statement(reason)].update(fields)
    return {"result": "FAIL", "message": failed, "reasons": [*reasons.values()]}


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


def _statement(reason: Reason) -> tuple[int, str | None] | None:
    return None if reason.statement_index is None else (reason.statement_index, reason.statement_id)


def _reason(statement: tuple[int, str | None] | None, described: str) -> dict[str, Any]:
    if statement is None:
        return {"description": f"{described} several statements together."}
    index, sid = statement
    place = f"sid: {sid}" if sid else f"index: {index}"
    fields = {"description": f"{described} statement with {place}.", "statementIndex": index}
    return {**fields, "statementId": sid} if sid else fields
