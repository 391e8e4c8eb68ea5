"""Has what comes next judged by workers while what came before is told, with the outcome of one process.

Whoever goes through a run names what it will ask for, in that order, and asks for it a little later. All that is told
is told by this process, one policy after the other. A judgement of a worker counts if this process would have come to
the same; where the steps of the run are nearly spent, so that it might not, this process judges again by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from policy_guard.documents.errors import SetupError
from policy_guard.pipeline.executors import Parallel, WorkerLost, Workers, workers
from policy_guard.pipeline.judging import Judge, Judgement, Steps
from policy_guard.records import NamedTuple

if TYPE_CHECKING:
    from concurrent.futures import Future

    from policy_guard.pipeline.tasks import Frame, JudgedFile, Outcome, Task

T = TypeVar("T")
CHUNK = 50_000
"""Characters of policies that are handed over together: less costs more in handing over, more makes others wait."""
_CHUNKS_A_SLOT = 3
_LEAST_VERDICTS = 1_000_000
"""Steps of the run that have to be left, so that no question can have met their end: one may take so many."""
_LEAST_ASIDE = 1_000
_SECONDS_A_LOOK = 10
"""After how long without an answer it is asked whether there is someone left to give it."""
_ALONE = Parallel()


class Expected(NamedTuple):
    """What will be asked for by its key: how to make the task of it, and how many characters there are to judge."""

    key: object
    task: Callable[[], Task]
    weight: int


class _Chunk:
    """Some tasks that are handed over together, and what came of them."""

    def __init__(self, future: Future[bytes], crew: Workers) -> None:
        self._future = future
        self._crew = crew
        self._outcomes: list[Outcome] | None = None

    def outcome(self, number: int) -> Outcome:
        """Waits for what came of a task. Raises `SetupError` if the worker is gone, or is another version."""
        from policy_guard.pipeline.tasks import Refused, marks, unpacked

        if self._outcomes is None:
            try:
                answer = unpacked(self._answer())
            except self._crew.lost as error:
                end = str(error) if isinstance(error, WorkerLost) else "was lost"
                raise SetupError(
                    f"a worker process {end} before it answered, so nothing is proved. If memory ran out, use fewer."
                ) from None
            if isinstance(answer, Refused):
                remedy = "Install one version everywhere."
                raise SetupError(f"a worker has {answer.marks}, and {marks()} is asking. {remedy}")
            self._outcomes = answer
        return self._outcomes[number]

    def _answer(self) -> bytes:
        from concurrent.futures import TimeoutError as NoAnswerYet

        while True:
            try:
                return self._future.result(timeout=_SECONDS_A_LOOK)
            except NoAnswerYet:
                if not self._future.done() and not self._crew.is_alive():
                    raise SetupError("all workers are gone, so nothing is proved. Start them again.") from None


class _Sent(NamedTuple):
    weight: int
    chunk: _Chunk
    number: int


class Ahead:
    """The tasks that a run will ask for. Starts workers when there is enough to do for them, and ends them."""

    def __init__(self, judge: Judge, frame: Callable[[], Frame], parallel: Parallel = _ALONE) -> None:
        """`frame` gives what all policies are judged with; it is asked for once there are workers."""
        self._judge = judge
        self._make_frame = frame
        self._parallel = parallel
        self.is_on = parallel.jobs > 1 or parallel.scheduler is not None
        self._workers: Workers | None = None
        self._frame = b""
        self._unsent: dict[int, Expected] = {}
        self._sent: dict[int, _Sent] = {}
        self._weight = self._unsent_weight = self._load = 0

    def in_advance(self, items: Iterable[T], expected: Callable[[T], Iterable[Expected]]) -> Iterator[T]:
        """The items, later than they come: what is expected of each is under way by then."""
        if not self.is_on:
            yield from items
            return
        waiting: deque[tuple[T, list[object]]] = deque()
        for item in items:
            keys: list[object] = []
            for each in expected(item):
                self._expect(each)
                keys.append(each.key)
            waiting.append((item, keys))
            while waiting and self._is_full():
                yield from self._delivered(*waiting.popleft())
        while waiting:
            yield from self._delivered(*waiting.popleft())

    def _delivered(self, item: T, keys: Iterable[object]) -> Iterator[T]:
        """Yields an item; what nobody asked for by the next one is forgotten."""
        yield item
        for key in keys:
            self._taken(key)

    def judgement(self, key: object) -> Judgement | None:
        """Waits for what came of a policy; None if this process has to judge it."""
        from policy_guard.pipeline.tasks import Judged

        outcome = self._outcome(key) if self.is_on else None
        return outcome.judgement if isinstance(outcome, Judged) else None

    def judged_file(self, key: object) -> JudgedFile | None:
        """Waits for what came of a file; None if this process has to read and judge it."""
        from policy_guard.pipeline.tasks import JudgedFile

        outcome = self._outcome(key) if self.is_on else None
        return outcome if isinstance(outcome, JudgedFile) else None

    def close(self) -> None:
        """Ends the workers, whatever they are doing."""
        if self._workers is not None:
            self._workers.executor.shutdown(cancel_futures=True)
            self._workers = None

    def _outcome(self, key: object) -> Outcome:
        if id(key) in self._unsent and self._has_enough() and self._may_count():
            self._send(everything=True)
        sent = self._taken(key)
        outcome = sent.chunk.outcome(sent.number) if sent and self._may_count() else None
        return outcome if outcome is not None and self._counts(outcome) else None

    def _expect(self, expected: Expected) -> None:
        self._unsent[id(expected.key)] = expected
        self._weight += expected.weight
        self._load += min(expected.weight, CHUNK)
        self._unsent_weight += expected.weight
        if self._unsent_weight >= CHUNK and self._has_enough() and self._may_count():
            self._send()

    def _may_count(self) -> bool:
        """Tell whether enough steps of the run are left for the work of others to count: else it is done twice."""
        return self._judge.steps.verdicts >= _LEAST_VERDICTS

    def _has_enough(self) -> bool:
        return self._workers is not None or self._weight >= self._parallel.least

    def _is_full(self) -> bool:
        """Tell whether all workers have enough to do, so that reading on only takes memory.

        A large policy keeps one of them busy: what comes behind it is read for the others.
        """
        return self._workers is not None and self._load >= CHUNK * _CHUNKS_A_SLOT * self._workers.slots

    def _send(self, everything: bool = False) -> None:
        """Hands over what is not yet, chunk by chunk; the last one, too, if it is `everything`."""
        from policy_guard.pipeline.tasks import packed

        if self._workers is None:
            self._frame = packed(self._make_frame())
            self._workers = workers(self._parallel)
        chunk: list[Expected] = []
        weight = 0
        for expected in tuple(self._unsent.values()):
            chunk.append(expected)
            weight += expected.weight
            if weight >= CHUNK:
                self._submit(self._workers, chunk)
                chunk, weight = [], 0
        if chunk and everything:
            self._submit(self._workers, chunk)

    def _submit(self, crew: Workers, chunk: list[Expected]) -> None:
        from policy_guard.pipeline.tasks import judge_packed, marks, packed

        tasks = packed([expected.task() for expected in chunk])
        sent_chunk = _Chunk(crew.executor.submit(judge_packed, marks(), self._frame, self._judge.steps, tasks), crew)
        for number, expected in enumerate(chunk):
            del self._unsent[id(expected.key)]
            self._unsent_weight -= expected.weight
            self._sent[id(expected.key)] = _Sent(expected.weight, sent_chunk, number)

    def _taken(self, key: object) -> _Sent | None:
        """Forget what is expected by a key; return where its outcome is, if it was handed over."""
        unsent, sent = self._unsent.pop(id(key), None), self._sent.pop(id(key), None)
        weight = unsent.weight if unsent else sent.weight if sent else 0
        self._weight -= weight
        self._load -= min(weight, CHUNK)
        self._unsent_weight -= weight if unsent else 0
        return sent

    def _counts(self, outcome: Outcome) -> bool:
        """Tell whether this process would have come to the same, and take from its steps what that took."""
        from policy_guard.pipeline.tasks import steps_of

        first = steps = self._judge.steps
        for judged in steps_of(outcome):
            start, end = judged.before, judged.after
            after = Steps(steps.verdicts + end.verdicts - start.verdicts, steps.aside + end.aside - start.aside)
            if start != end and not _is_free(steps, after, start, end):
                return False
            steps = after
        if steps != first:
            self._judge.allow(steps)
        return True


def _is_free(steps: Steps, after: Steps, worker_before: Steps, worker_after: Steps) -> bool:
    """Tell whether neither here nor at the worker the end of the run's steps can have been felt."""
    verdicts = min(after.verdicts, worker_after.verdicts) >= _LEAST_VERDICTS
    aside = min(after.aside, worker_after.aside) >= _LEAST_ASIDE
    is_spent = max(steps.aside, worker_before.aside) < 0
    return verdicts and (aside or is_spent)
