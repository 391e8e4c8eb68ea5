"""From a request of HTTP to a response: who may ask, what is asked, and a line for the access log."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl
from uuid import uuid4

from policy_guard.records import NamedTuple
from policy_guard.serve.caller_identity import caller_identity, is_asked
from policy_guard.serve.judging import Answer, refusal
from policy_guard.serve.operation import Refused
from policy_guard.serve.operations import operations

Environ: TypeAlias = "Mapping[str, Any]"
StartResponse: TypeAlias = "Callable[[str, list[tuple[str, str]]], object]"
Ask: TypeAlias = "Callable[[str, bytes, Mapping[str, str], bool], Answer]"

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_STATUS = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


class Door(NamedTuple):
    """Who may come in: with a token whoever knows it, and else whoever calls the server by one of these names.

    A page of another site that makes its own name lead here (DNS rebinding) calls it by that name.
    """

    names: tuple[str, ...]
    token: str | None


class Response(NamedTuple):
    """What is sent: with `body` as text of the content type; `operation` is AWS's name, for the log."""

    status: int
    error: str | None
    content_type: str
    body: str
    operation: str = "-"


def application(
    door: Door, ask: Ask, log: Callable[[dict[str, Any]], None]
) -> Callable[[Environ, StartResponse], Iterable[bytes]]:
    """The application by PEP 3333. `ask` judges, and `log` takes what is to be remembered of each request."""

    def respond(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        request_id, start = str(uuid4()), time.monotonic()
        response = _response(door, ask, environ, request_id)
        body = response.body.encode()
        headers = [("Content-Type", response.content_type), ("Content-Length", str(len(body)))]
        headers += [("x-amzn-RequestId", request_id), ("Cache-Control", "no-store")]
        headers += [("x-amzn-ErrorType", response.error)] if response.error else []
        log(
            {
                "request": request_id,
                "operation": response.operation,
                "status": response.status,
                "error": response.error,
                "seconds": round(time.monotonic() - start, 3),
                "bytes": int(environ.get("CONTENT_LENGTH") or 0),
                "client": environ.get("REMOTE_ADDR", ""),
            }
        )
        start_response(f"{response.status} {_STATUS[response.status]}", headers)
        return [body]

    return respond


def _response(door: Door, ask: Ask, environ: Environ, request_id: str) -> Response:
    operation = "-"
    try:
        path = _path_within(door, environ)
        method = environ["REQUEST_METHOD"]
        if path == "/healthz":
            _require(method, "GET", "HEAD")
            return _in_json(Answer(200, None, {"status": "ok"}), "healthz")
        body = environ["wsgi.input"].read()
        if path == "/" and method == "POST" and is_asked(body):
            return Response(200, None, "text/xml", caller_identity(request_id), "GetCallerIdentity")
        if path not in operations():
            message = f"this server knows {', '.join(operations())}"
            raise Refused(404, "ValidationException", message, reason="unknownOperation")
        operation = operations()[path].name
        _require(method, "POST")
        query = dict(parse_qsl(environ.get("QUERY_STRING", "")[:2000], max_num_fields=20))
        details = environ.get("HTTP_X_POLICY_GUARD_DETAILS") == "1"
        return _in_json(ask(path, body, query, details), operation)
    except Refused as refused:
        return _in_json(refusal(refused), operation)
    except ValueError:
        message = "the address cannot be read"
        return _in_json(refusal(Refused(400, "ValidationException", message, reason="cannotParse")), operation)


def _path_within(door: Door, environ: Environ) -> str:
    """The path that is asked for, without the token. Raises `Refused` for those who may not come in."""
    path: str = environ.get("PATH_INFO", "") or "/"
    if door.token is None:
        name = environ.get("HTTP_HOST", "").rpartition(":")[0] or environ.get("HTTP_HOST", "")
        name = environ.get("HTTP_HOST", "") if name.startswith("[") and not name.endswith("]") else name
        if name.lower() not in door.names:
            raise Refused(403, "AccessDeniedException", f"call this server by {' or '.join(door.names)}")
        return path
    first, _, rest = path.removeprefix("/").partition("/")
    if _same(first, door.token):
        return f"/{rest}"
    if _same(environ.get("HTTP_AUTHORIZATION", ""), f"Bearer {door.token}"):
        return path
    raise Refused(403, "AccessDeniedException", "the token is missing: http://HOST:PORT/TOKEN, or a bearer token")


def _same(text: str, secret: str) -> bool:
    return hmac.compare_digest(text.encode("utf-8", "replace"), secret.encode())


def _require(method: str, *methods: str) -> None:
    if method not in methods:
        raise Refused(405, "ValidationException", f"use {methods[0]}", reason="unknownOperation")


def _in_json(answer: Answer, operation: str) -> Response:
    return Response(answer.status, answer.error, "application/json", json.dumps(answer.body), operation)
