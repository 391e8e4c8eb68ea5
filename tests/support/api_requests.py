"""Requests as bytes, made from botocore's model of Access Analyzer: right ones, and spoilt ones of every sort.

Our own generator and not schemathesis: that one makes bodies and headers from a description, and what a server is
broken by stands below them too: chunks, lengths that lie, requests in one another's wake, bytes that come one by one.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import botocore.session

from tests.support.repository import allow, document

MODEL = botocore.session.get_session().get_service_model("accessanalyzer")
ANSWERED = ("CheckNoNewAccess", "CheckAccessNotGranted", "CheckNoPublicAccess", "ValidatePolicy")
_NARROW = document({"Sid": "Read", **allow("s3:GetObject", resource="arn:aws:s3:::a/*")})
_WIDE = document(allow("s3:*"))
_PUBLIC = document({**allow("s3:GetObject", resource="arn:aws:s3:::a/*"), "Principal": "*"})
_POLICIES = [json.dumps(policy) for policy in (_NARROW, _WIDE, _PUBLIC)]
_NO_POLICIES = ["", "{", "{}", "[]", "null", '"x"', "\x00", '{"Statement": {}}', "[" * 5000, "\ud800", "Version: x"]


class ApiRequest(NamedTuple):
    """What is sent, in pieces with a pause between them. `kind` names how it was spoilt, `answers` how many are due.

    `operation` is set where a right request was made, whose answer has the shape of the model and, where `result` is
    set, this result. With `ends` the sender closes its side after the last piece.
    """

    kind: str
    pieces: tuple[bytes, ...]
    operation: str = ""
    result: str = ""
    answers: int = 1
    ends: bool = False


def api_request(randomness: random.Random) -> ApiRequest:
    """The next request."""
    return randomness.choice(_KINDS)(randomness)


def http(
    path: str,
    body: bytes,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    host: str = "127.0.0.1",
    length: int | None = None,
) -> bytes:
    """A request of HTTP/1.1."""
    fields = {"Host": host, "Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
    if length is not None:
        fields["Content-Length"] = str(length)
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value != "none")]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _path(operation: str) -> str:
    return str(MODEL.operation_model(operation).http["requestUri"])


def _body(randomness: random.Random, operation: str) -> dict[str, Any]:
    """Every member of the operation's body, each with a right value."""
    members = MODEL.operation_model(operation).input_shape.members
    shapes = {name: shape for name, shape in members.items() if not shape.serialization.get("location")}
    return {name: _value(randomness, name, shape) for name, shape in shapes.items()}


def _value(randomness: random.Random, name: str, shape: Any) -> Any:
    if getattr(shape, "enum", None):
        return randomness.choice(shape.enum)
    if shape.type_name == "list":
        return [_value(randomness, name, shape.member)]
    if shape.type_name == "structure":
        return {key: _value(randomness, key, member) for key, member in shape.members.items()}
    if name.lower().endswith("policydocument"):
        return randomness.choice(_POLICIES)
    return randomness.choice({"actions": ["s3:GetObject", "s3:Put*", "*"], "resources": ["*", "arn:aws:s3:::a"]}[name])


def _right(randomness: random.Random) -> ApiRequest:
    operation = randomness.choice(ANSWERED)
    body, result = _body(randomness, operation), ""
    if operation == "CheckNoNewAccess":
        new, old = randomness.sample((_NARROW, _WIDE), 2)
        texts = {"newPolicyDocument": json.dumps(new), "existingPolicyDocument": json.dumps(old)}
        body, result = {**body, **texts, "policyType": "IDENTITY_POLICY"}, "FAIL" if new is _WIDE else "PASS"
    if operation == "CheckNoPublicAccess":
        body, result = {"policyDocument": json.dumps(_PUBLIC), "resourceType": "AWS::S3::Bucket"}, "FAIL"
    return ApiRequest(
        "right", (http(_path(operation), json.dumps(body).encode()),), operation if result else "", result
    )


def _spoilt_member(randomness: random.Random) -> ApiRequest:
    operation = randomness.choice(ANSWERED)
    body = _body(randomness, operation)
    name = randomness.choice(list(body))
    way = randomness.choice(list(_SPOILT))
    if way == "missing":
        del body[name]
    else:
        body[name] = _SPOILT[way](randomness)
    data = json.dumps(body).encode()
    return ApiRequest(f"member, {way}", (http(_path(operation), data),))


_SPOILT: dict[str, Callable[[random.Random], Any]] = {
    "missing": lambda _: None,
    "of a wrong type": lambda r: r.choice([None, 1, -1.5e300, [], {}, True, [[]], [None], [{"actions": 1}]]),
    "out of range": lambda r: r.choice(["", "identity_policy", "IDENTITY_POLICY ", "\u202e", "AWS::S3::Nothing"]),
    "too large": lambda r: r.choice(["x" * 300_000, ["x"] * 5000, [{"actions": ["s3:*"] * 5000}]]),
    "deep": lambda _: json.loads("[" * 800 + "]" * 800),
    "no policy": lambda r: r.choice(_NO_POLICIES),
    "a policy with another letter": lambda r: _mutated(r, r.choice(_POLICIES)),
    "a policy that is deep": lambda r: '{"Statement":' * r.choice([90, 5000]),
    "a policy with names twice": lambda _: _POLICIES[0].replace('"Effect"', '"Effect": "Deny", "Effect"'),
}


def _mutated(randomness: random.Random, text: str) -> str:
    for _ in range(randomness.randint(1, 3)):
        at = randomness.randrange(len(text))
        letters = ["", "*", '"', "{", "}", "[", "\\u0000", "\\", "${aws:username}", "é", "\U0001f600", "\\ud800", ","]
        text = text[:at] + randomness.choice(letters) + text[at + 1 :]
    return text


def _spoilt_body(randomness: random.Random) -> ApiRequest:
    operation = randomness.choice(ANSWERED)
    text = json.dumps(_body(randomness, operation))
    bodies = {
        "empty": b"",
        "not UTF-8": text.encode().replace(b"Statement", b"\xff\xfe\xc0ment"),
        "in UTF-16": text.encode("utf-16"),
        "with a mark in front": b"\xef\xbb\xbf" + text.encode(),
        "cut off": text.encode()[: randomness.randrange(len(text))],
        "no number": b"NaN",
        "a long number": b'{"policyType": ' + b"9" * 20_000 + b"}",
        "deep": b"[" * 100_000,
        "deep in members": b'{"a":' * 50_000,
        "with names twice": (text[:-1] + ', "policyType": "x"}').encode(),
        "with other members": (text[:-1] + ', "\\u0000": [{}]}').encode(),
        "a form": b"Action=GetCallerIdentity&Version=2011-06-15",
        "too large": b" " * 1_100_000,
    }
    kind = randomness.choice(list(bodies))
    return ApiRequest(f"body, {kind}", (http(_path(operation), bodies[kind]),))


def _spoilt_head(randomness: random.Random) -> ApiRequest:
    operation = randomness.choice(ANSWERED)
    path, body = _path(operation), json.dumps(_body(randomness, operation)).encode()
    heads = {
        "method": lambda: http(path, body, method=randomness.choice(["GET", "HEAD", "PUT", "OPTIONS", "DELETE", "X"])),
        "method in small letters": lambda: http(path, body, method="post"),
        "content type": lambda: http(
            path, body, headers={"Content-Type": randomness.choice(["text/html", "", "\xff"])}
        ),
        "encoding": lambda: http(path, body, headers={"Content-Encoding": "gzip"}),
        "host": lambda: http(
            path, body, host=randomness.choice(["evil.example", "", "localhost@evil", "[::1", "[::1]x"])
        ),
        "no host": lambda: http(path, body, host="none"),
        "two hosts": lambda: http(path, body, headers={"host": "evil.example"}),
        "no length": lambda: http(path, b"", headers={"Content-Length": "none"}),
        "negative length": lambda: http(path, body, length=-5),
        "length in words": lambda: http(path, body, headers={"Content-Length": "0x10"}),
        "path": lambda: http(randomness.choice(["/%00", "//", "/..%2f..", "*", "/policy", "/%ff", path + "/"]), body),
        "query": lambda: http(path + "?" + randomness.choice(["a&" * 900, "maxResults=x", "nextToken=-1", "%"]), body),
        "long header": lambda: http(path, body, headers={"X-Long": "x" * 20_000}),
        "many headers": lambda: http(path, body, headers={f"X-{n}": "x" for n in range(1500)}),
        "line": lambda: randomness.choice(
            [b"POST\r\n\r\n", b"\r\n\r\n\x16\x03\x01\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
        ),
    }
    kind = randomness.choice(list(heads))
    return ApiRequest(f"head, {kind}", (heads[kind](),), ends=True)


def _of_another_operation(randomness: random.Random) -> ApiRequest:
    """An operation of the service that is not answered here."""
    names = [name for name in MODEL.operation_names if name not in ANSWERED]
    operation = MODEL.operation_model(randomness.choice(names))
    data = http(operation.http["requestUri"], b"{}", method=operation.http["method"])
    return ApiRequest("another operation", (data,))


def _sent_in_pieces(randomness: random.Random) -> ApiRequest:
    """A right request whose bytes come in chunks, byte by byte, or two in one."""
    request = _right(randomness)
    while not request.operation:
        request = _right(randomness)
    (data,) = request.pieces
    head, _, body = data.partition(b"\r\n\r\n")
    path = _path(request.operation)
    half = len(body) // 2
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:]) if part)
    as_chunks = {"Content-Length": "none", "Transfer-Encoding": "chunked"}
    kinds = {
        "chunked": request._replace(pieces=(http(path, chunks + b"0\r\n\r\n", headers=as_chunks),)),
        "slow": request._replace(pieces=(data[:20], data[20:-3], data[-3:-1], data[-1:])),
        "two at once": request._replace(pieces=(data + data,), answers=2),
        "expecting to go on": request._replace(
            pieces=(head + b"\r\nExpect: 100-continue\r\n\r\n", body),
        ),
        "chunked wrongly": ApiRequest("", (http(path, b"zz\r\n" + body, headers=as_chunks),)),
        "chunked, cut off": ApiRequest("", (http(path, chunks[:-3], headers=as_chunks),), ends=True, answers=0),
        "chunked with a length": ApiRequest(
            "", (http(path, chunks + b"0\r\n\r\n", headers={**as_chunks, "Content-Length": "5"}),), answers=0, ends=True
        ),
        "of an unknown coding": ApiRequest("", (http(path, body, headers={"Transfer-Encoding": "gzip"}),), ends=True),
        "shorter than it says": ApiRequest("", (http(path, body, length=len(body) + 9),), ends=True, answers=0),
        "longer than it says": ApiRequest("", (http(path, body, length=len(body) - 9),), ends=True),
    }
    kind = randomness.choice(list(kinds))
    return kinds[kind]._replace(kind=f"sent {kind}")


_KINDS = (_right, _right, _spoilt_member, _spoilt_member, _spoilt_member, _spoilt_body, _spoilt_head, _sent_in_pieces)
_KINDS = (*_KINDS, _of_another_operation)
