"""Processes of this machine as an executor, each behind a pipe of its own.

`ProcessPoolExecutor` is not used. By `fork` a child would share the pipes of git and the locks of threads; by `spawn`
and `forkserver` Python starts children, and a tracker of resources, as `python -c "from multiprocessing ..."`, which
imports from the working folder first: a repository with a `multiprocessing.py` would be run instead of being judged.
Its workers also outlive a parent that is killed. These end when their pipe does.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from policy_guard.documents.errors import SetupError
from policy_guard.pipeline.executors import WorkerLost
from policy_guard.pipeline.executors.worker import receive, send

P = ParamSpec("P")
T = TypeVar("T")


class Processes(Executor):
    """So many processes, each started with its first task. Nothing else in this process starts or ends them."""

    def __init__(self, jobs: int) -> None:
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="policy-guard")
        self._local = threading.local()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()
        self._is_closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Has a function of a module called in one of the processes."""
        return self._threads.submit(self._ask, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the processes, even in the middle of a task."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._is_closed = True
            processes = tuple(self._processes)
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
        self._threads.shutdown(wait=wait)
        for pipe in (pipe for process in processes for pipe in (process.stdin, process.stdout) if pipe):
            with suppress(OSError):
                pipe.close()

    def _ask(self, function: Callable[..., T], arguments: tuple[Any, ...], options: dict[str, Any]) -> T:
        process = self._process()
        assert process.stdin and process.stdout
        try:
            send(process.stdin, pickle.dumps((function, arguments, options), 5))
            has_returned, value = pickle.loads(receive(process.stdout))  # noqa: S301
        except (OSError, EOFError):
            raise WorkerLost(_ending(process)) from None
        if not has_returned:
            raise value
        result: T = value
        return result

    def _process(self) -> subprocess.Popen[bytes]:
        """The process of this thread."""
        process: subprocess.Popen[bytes] | None = getattr(self._local, "process", None)
        if process is None:
            with self._lock:
                if self._is_closed:
                    raise WorkerLost("was stopped")
                process = self._local.process = _started()
                self._processes.append(process)
        return process


def _started() -> subprocess.Popen[bytes]:
    """Start a process that imports from where this one does, whatever lies in the working folder.

    It has a session of its own, so that an interrupt from the keyboard is left to this process.
    """
    flags = (("-I", sys.flags.isolated), ("-E", sys.flags.ignore_environment), ("-s", sys.flags.no_user_site))
    command = [sys.executable, *(flag for flag, is_set in flags if is_set), "-c", _code()]
    try:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, bufsize=-1
        )
    except OSError as error:
        raise SetupError(f"no worker process can be started: {error.strerror}. Use --jobs 1.") from None


def _code() -> str:
    return f"import sys; sys.path[:] = {sys.path!r}; from policy_guard.pipeline.executors.worker import main; main()"


def _ending(process: subprocess.Popen[bytes]) -> str:
    code = process.wait()
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
