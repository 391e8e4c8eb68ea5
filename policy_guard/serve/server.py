"""Listens, hands requests to worker processes that a budget of time ends, and stops without breaking an answer off."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from types import FrameType
from typing import Any

from policy_guard.documents.errors import SetupError
from policy_guard.records import NamedTuple
from policy_guard.serve.application import LOOPBACK, Door, application
from policy_guard.serve.judging import Answer, answer, refusal
from policy_guard.serve.operation import Refused

THREADS_A_WORKER = 8
"""How many requests may wait for each worker, or be sent and received, at once."""
TASKS_A_WORKER = 2000
"""After how many requests a worker makes way for a new one, so that its memory does not grow."""
_SHORTEST_TOKEN = 16
_HIGHEST_PORT = 65_535


class ServeOptions(NamedTuple):
    """Where to listen, who may ask (`token_file`), with how many workers, how long and how large a request may be.

    `seconds` is for one request, `megabytes` for its body.
    """

    host: str
    port: int
    token_file: Path | None
    workers: int
    seconds: float
    megabytes: int


def serve(options: ServeOptions, say: Callable[[str], None]) -> None:
    """Serves until it is interrupted or told to end. Raises `SetupError`; `say` gets one line for people."""
    door = _door(options)
    if not 0 <= options.port <= _HIGHEST_PORT:
        raise SetupError(f"--port is at most {_HIGHEST_PORT}, not {options.port}.")
    if options.seconds <= 0:
        raise SetupError(f"--seconds is above zero, not {options.seconds:g}.")
    try:
        import pebble
        import waitress
    except ImportError:
        raise SetupError("serve needs more packages. Install policy-guard[serve].") from None
    # Workers look for modules in the folder that they are started in, which may be a checkout of somebody else's.
    os.chdir(os.path.abspath(os.sep))
    context = multiprocessing.get_context(
        "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    )
    with pebble.ProcessPool(
        max_workers=options.workers, max_tasks=TASKS_A_WORKER, context=context, initializer=_begin
    ) as pool:
        try:
            server = waitress.create_server(
                application(door, _asker(pool, options.seconds), _log),
                host=options.host,
                port=options.port,
                threads=options.workers * THREADS_A_WORKER,
                max_request_body_size=options.megabytes * 2**20,
                max_request_header_size=16 * 2**10,
                channel_timeout=60,
                connection_limit=500,
                ident="policy-guard",
                clear_untrusted_proxy_headers=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no address of this machine"
            raise SetupError(f"{options.host}:{options.port} cannot be listened on: {reason}.") from None
        signal.signal(signal.SIGTERM, _end)
        say(f"listening on http://{options.host}:{server.effective_port}")
        server.run()


def _door(options: ServeOptions) -> Door:
    is_local = options.host in (*LOOPBACK, "::1")
    if options.token_file is None:
        if not is_local:
            raise SetupError(f"{options.host} can be reached from elsewhere. Give a secret with --token-file.")
        return Door(LOOPBACK, None)
    try:
        token = options.token_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise SetupError(f"{options.token_file} cannot be read.") from None
    if len(token) < _SHORTEST_TOKEN or not all(c.isalnum() or c in "-_" for c in token) or not token.isascii():
        raise SetupError(
            f"a token is {_SHORTEST_TOKEN} letters, digits, - and _ or more; {options.token_file} has others."
        )
    return Door((), token)


def _asker(pool: Any, seconds: float) -> Callable[[str, bytes, Mapping[str, str], bool], Answer]:
    from concurrent.futures import TimeoutError as TimeIsUp

    import pebble

    def ask(path: str, body: bytes, query: Mapping[str, str], details: bool) -> Answer:
        future = pool.schedule(answer, args=(path, body, query, details), timeout=seconds)
        try:
            result: Answer = future.result()
        except TimeIsUp:
            message = f"nothing could be proved in {seconds:g} seconds"
            return refusal(Refused(422, "UnprocessableEntityException", message))
        except (pebble.ProcessExpired, RuntimeError):
            return refusal(Refused(500, "InternalServerException", "a worker process ended before it answered"))
        return result

    return ask


def _begin() -> None:
    """Leave it to the server to end this worker, even where a person interrupts all processes; import what is slow."""
    from policy_guard.serve.operations import operations

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    operations()


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _log(fields: dict[str, Any]) -> None:
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    sys.stderr.write(json.dumps({"time": now, **fields}) + "\n")
    sys.stderr.flush()


def usual_workers() -> int:
    """One for each core."""
    return os.cpu_count() or 1
