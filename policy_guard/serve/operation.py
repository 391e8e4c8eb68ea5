"""One operation of the API: where it is asked, what a request must hold, and what answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from policy_guard.records import NamedTuple


class Refused(Exception):
    """Raised for a request that gets an error of the API instead of an answer.

    `type` is the error's name in the model of the service, and `fields` what it has besides `message`.
    """

    def __init__(self, status: int, type_: str, message: str, **fields: Any) -> None:
        super().__init__(status, type_, message, fields)
        self.status = status
        self.type = type_
        self.message = message
        self.fields = fields


class ApiRequest(NamedTuple):
    """A request whose `body` fits the operation's schema; `query` is that of its address.

    With `details` the client asks for our own fields besides those of AWS.
    """

    body: Mapping[str, Any]
    query: Mapping[str, str]
    details: bool


class Operation(NamedTuple):
    """An operation by AWS's name for it, the path to which it is posted, and the JSON Schema of a request's body."""

    name: str
    path: str
    schema: Mapping[str, Any]
    answer: Callable[[ApiRequest], dict[str, Any]]


POLICY = {"type": "string"}


def request_schema(**properties: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a request all of whose members are required; clients may send others, which AWS passes over."""
    return {"type": "object", "required": list(properties), "properties": properties}
