"""A process that does what its standard input says, and ends with it."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from queue import SimpleQueue
from struct import Struct
from threading import Thread
from typing import IO, Any

_LENGTH = Struct(">Q")


def send(pipe: IO[bytes], data: bytes) -> None:
    """Writes bytes behind their length."""
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes:
    """Reads what `send` wrote. Raises `EOFError` when the other side is gone."""
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    return _exactly(pipe, length)


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return data


def main() -> None:
    """Answers until the standard input ends; what is printed meanwhile goes to the standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    questions: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(questions,), daemon=True).start()
    while True:
        send(answers, _answer(questions.get()))


def _listen(questions: SimpleQueue[bytes]) -> None:
    """Takes questions in, and ends the process with the one that asks, even in the middle of an answer."""
    try:
        while True:
            questions.put(receive(sys.stdin.buffer))
    except (EOFError, OSError):
        os._exit(0)


def _answer(question: bytes) -> bytes:
    function: Callable[..., Any]
    try:
        function, arguments, options = pickle.loads(question)  # noqa: S301
        return pickle.dumps((True, function(*arguments, **options)), 5)
    except Exception as error:
        return pickle.dumps((False, error), 5)
