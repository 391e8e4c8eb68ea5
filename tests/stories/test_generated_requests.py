"""A thousand requests made from botocore's model, ten thousand every night: an answer that is right, or a 4xx."""

from __future__ import annotations

import json
import random
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException, HTTPResponse
from typing import Any

import pytest

from tests.support.examples import examples

pytest.importorskip("pebble", reason="serve needs policy-guard[serve]")
pytest.importorskip("botocore")

from tests.benchmarks.serve import memory
from tests.stories.test_serve import Server, started
from tests.support.api_requests import MODEL, ApiRequest, api_request

CLIENTS = 4
DOCUMENTED = {501}
"""Beside 4xx: what HTTP has for a transfer coding that the server does not know."""
MOST_GROWTH = 1.3
_PAUSE = 0.02


@pytest.mark.slow
def test_each_request_gets_a_right_answer_or_an_error_of_its_sender() -> None:
    server = started("--seconds", "10")
    try:
        ask_all(server, range(CLIENTS * 25))
        before = memory(server.process.pid)
        statuses = ask_all(server, range(examples(1000)))
        after = memory(server.process.pid)
        assert server.process.poll() is None
    finally:
        server.process.terminate()
        server.process.wait(30)
    log = server.logged()
    print(f"{dict(statuses)}; {before:.0f} MB, then {after:.0f} MB")
    assert "Traceback" not in log
    assert all(line.startswith('{"time": ') for line in log.splitlines()), log[-2000:]
    assert after < before * MOST_GROWTH


def ask_all(server: Server, numbers: range) -> Counter[int]:
    """Ask, each client its part, and return how often each status came back."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        parts = pool.map(lambda first: _ask_some(server, numbers[first::CLIENTS]), range(CLIENTS))
        return sum(parts, Counter[int]())


def _ask_some(server: Server, seeds: range) -> Counter[int]:
    statuses: Counter[int] = Counter()
    for seed in seeds:
        request = api_request(random.Random(seed))
        replies = list(_replies(server, request))
        assert len(replies) >= request.answers, (seed, request.kind, replies)
        for status, text in replies:
            _check(seed, request, status, text)
            statuses[status] += 1
    return statuses


def _replies(server: Server, request: ApiRequest) -> Iterator[tuple[int, bytes]]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in request.pieces:
                connection.sendall(piece)
                time.sleep(_PAUSE if len(request.pieces) > 1 else 0)
            if request.ends:
                connection.shutdown(socket.SHUT_WR)
        except OSError:  # the server need not read to its end what it refuses
            pass
        method = request.pieces[0].split(b" ", 1)[0].decode("latin-1")
        for _ in range(request.answers or 1):
            response = HTTPResponse(connection, method=method)
            try:
                response.begin()
                yield response.status, response.read()
            except (HTTPException, OSError):
                return


def _check(seed: int, request: ApiRequest, status: int, text: bytes) -> None:
    shown = (seed, request.kind, status, text[:300])
    assert status == 200 or 400 <= status < 500 or status in DOCUMENTED, shown
    assert b"Traceback" not in text, shown
    if not request.operation:
        return
    assert status == 200, shown
    answer: dict[str, Any] = json.loads(text)
    assert set(answer) <= set(MODEL.operation_model(request.operation).output_shape.members), shown
    assert answer["result"] == request.result, shown
