"""Answers one request from its bytes: what a worker process does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from policy_guard.records import NamedTuple
from policy_guard.serve.operation import ApiRequest, Operation, Refused
from policy_guard.serve.operations import operations

_MOST_NAMED = 20


class Answer(NamedTuple):
    """What goes back: a status of HTTP, the name of an error or None, and the body."""

    status: int
    error: str | None
    body: dict[str, Any]


def answer(path: str, body: bytes, query: Mapping[str, str], details: bool) -> Answer:
    """The answer to what was posted to `path`, which is that of an operation."""
    operation = operations()[path]
    try:
        request = ApiRequest(body=_fitting(operation, body), query=query, details=details)
        return Answer(200, None, operation.answer(request))
    except Refused as refused:
        return refusal(refused)
    except Exception as error:  # a bug must not look like an answer, and its text may hold a policy
        return refusal(Refused(500, "InternalServerException", f"a bug of policy-guard ({type(error).__name__})"))


def refusal(refused: Refused) -> Answer:
    """The answer that says why there is none."""
    return Answer(refused.status, refused.type, {"message": refused.message, **refused.fields})


def _fitting(operation: Operation, body: bytes) -> Mapping[str, Any]:
    """The body as an object that fits the schema. Raises `Refused` with what does not fit."""
    from jsonschema import Draft202012Validator

    try:
        read: dict[str, Any] = json.loads(body, object_pairs_hook=_members)
    except (ValueError, RecursionError):
        raise Refused(400, "ValidationException", "the body is not JSON", reason="cannotParse") from None
    errors = list(Draft202012Validator(operation.schema).iter_errors(read))
    if errors:
        fields = list({field["name"]: field for field in _fields(errors)}.values())
        message = "; ".join(f"{field['name']}: {field['message']}" for field in fields)
        raise Refused(400, "ValidationException", message, reason="fieldValidationFailed", fieldList=fields)
    return read


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. Raises `Refused` where a member is written twice, since programs differ in which they take."""
    members = dict(pairs)
    if len(members) < len(pairs):
        message = "a member of the body is written twice; send it once"
        raise Refused(400, "ValidationException", message, reason="cannotParse")
    return members


def _fields(errors: Iterable[Any]) -> Iterable[dict[str, str]]:
    """The members that do not fit, with words that repeat nothing of what was sent."""
    for _, error in zip(range(_MOST_NAMED), errors, strict=False):
        place = ".".join(map(str, error.absolute_path))
        if error.validator == "required":
            for name in error.validator_value:
                if name not in error.instance:
                    yield {"name": ".".join(filter(None, (place, name))), "message": "this member is required"}
        else:
            yield {"name": place or "the body", "message": _WORDS[error.validator].format(error.validator_value)}


_WORDS = {
    "type": "this is to be of the type {}",
    "enum": "this is to be one of {}",
    "maxItems": "this takes at most {}",
    "maxLength": "this takes at most {} characters",
}
