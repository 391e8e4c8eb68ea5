"""The workers of a scheduler of Dask, on as many machines as there are, by Dask's own executor."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from importlib.metadata import version
from typing import Any, ParamSpec, TypeVar

from policy_guard.documents.errors import SetupError
from policy_guard.documents.printable import printable
from policy_guard.pipeline.executors import Workers
from policy_guard.version import VERSION

P = ParamSpec("P")
T = TypeVar("T")
_SECONDS = 10
"""How long a scheduler may take to answer at first."""


class _Connected(Executor):
    """Dask's executor of a client, which is closed with it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._executor = client.get_executor(pure=False)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Has a function of a module called by a worker."""
        future: Future[T] = self._executor.submit(fn, *args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Cancels what was not answered, and leaves the scheduler as it was."""
        self._executor.shutdown(wait=False)
        self._client.close()


def workers(address: str) -> Workers:
    """The workers of the scheduler at an address. Raises `SetupError` if it does not answer, or has none."""
    try:
        from distributed import Client, KilledWorker
        from distributed.comm import CommClosedError
    except ImportError:
        raise SetupError("--scheduler needs more packages. Install policy-guard[dask].") from None
    try:
        client = Client(address, timeout=_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError):
        raise SetupError(
            f"no scheduler of Dask answers at {printable(address)}. Start it, or leave --scheduler out."
        ) from None
    processes = len(client.nthreads())
    try:
        _refuse_other_versions(client, printable(address))
    except SetupError:
        client.close()
        raise

    def is_alive() -> bool:
        return client.status == "running" and bool(client.nthreads())

    return Workers(_Connected(client), processes, (KilledWorker, CommClosedError, CancelledError), is_alive)


def _refuse_other_versions(client: Any, address: str) -> None:
    """Raises `SetupError` unless there are workers, and they and the scheduler have this version of policy-guard.

    A worker without it would end at its first task, and the scheduler would wait for another.
    """
    versions = client.run(version, "policy-guard", on_error="return")
    if not versions:
        raise SetupError(f"the scheduler at {address} has no workers. Start some: dask worker ADDRESS.")
    for worker, installed in versions.items():
        if installed != VERSION:
            words = f"policy-guard {installed}" if isinstance(installed, str) else "no policy-guard"
            remedy = f"Install policy-guard {VERSION} for the scheduler and all workers"
            raise SetupError(f"the worker {printable(str(worker))} has {words}. {remedy}.")
