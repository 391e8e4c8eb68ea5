"""Judges policies one by one, and keeps what comes of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from policy_guard.documents.errors import SetupError
from policy_guard.pipeline.ahead import Ahead, Expected
from policy_guard.pipeline.attached import Attached
from policy_guard.pipeline.judging import Judge, Judgement
from policy_guard.pipeline.moved_statements import MovedStatements
from policy_guard.pipeline.pairing import Pair
from policy_guard.pipeline.pairing.file_version import FileVersion
from policy_guard.pipeline.principals import judgement_of_principal
from policy_guard.pipeline.results import Results
from policy_guard.records import NamedTuple
from policy_guard.verify.readable import doubt_findings, unreadable_findings

if TYPE_CHECKING:
    from policy_guard.iam.policy import Policy
    from policy_guard.pipeline.pairing.groups import GroupResult
    from policy_guard.pipeline.tasks import JudgedFile, Task
    from policy_guard.verify.finding import Finding

Watch: TypeAlias = Callable[[str, Pair, Judgement], None]
"""Hears of each policy that was judged: by its name, both versions, and what came of it."""
T = TypeVar("T")


def unwatched(name: str, pair: Pair, judgement: Judgement) -> None:
    """Hears of no policy."""


class Session(NamedTuple):
    """A judge, the results of what was judged, the statements that moved, and the documents of what is attached.

    `ahead` has policies judged before they are asked for. `watch` hears of each policy.
    """

    judge: Judge
    results: Results
    moved: MovedStatements
    attached: Attached
    ahead: Ahead
    watch: Watch = unwatched

    def in_advance(
        self, items: Iterable[T], pairs: Callable[[T], Iterable[Pair]], comparing: bool = True
    ) -> Iterator[T]:
        """The items, of which the pairs will be judged in this order, and are judged already where that pays."""

        def expected(item: T) -> Iterator[Expected]:
            for pair in pairs(item):
                if not pair.follows:
                    yield Expected(pair, partial(self._task, pair, comparing), _length(pair))

        yield from self.ahead.in_advance(items, expected)

    def pairs(self, pairs: Iterable[Pair]) -> None:
        """Judges policies, old and new."""
        for pair in self.in_advance(pairs, lambda pair: (pair,)):
            self.pair(pair)

    def _task(self, pair: Pair, comparing: bool) -> Task:
        from policy_guard.pipeline.tasks import PairTask

        return PairTask(self.attached.pair(pair), comparing)

    def pair(self, pair: Pair, comparing: bool = True) -> None:
        """Judges a policy, old and new; without `comparing` the new version alone."""
        if pair.follows:
            self.principal(pair)
        else:
            self._judge(_name(pair.path, pair.new or pair.old), pair, comparing)

    def version(self, version: FileVersion, as_judged: Callable[[Pair], Pair | None] = lambda pair: pair) -> None:
        """Judges a version by itself: that it can be read, and that it grants nothing critical.

        `as_judged` gives a pair what bounds it, and nothing for one that is judged elsewhere.
        """
        for _, problems in version.problems_by_policy:
            self.results.add_unreadable(tuple(unreadable_findings(version.source, problems)))
        for policy in version.policies.values():
            if pair := as_judged(Pair(path=version.source.path, old=policy, new=policy)):
                self.pair(pair, comparing=False)

    def judged_file(self, path: str, file: JudgedFile) -> None:
        """Keeps what came of a version that was read and judged by itself elsewhere."""
        for findings in file.unreadable:
            self.results.add_unreadable(findings)
        policies = file.policies or (None,) * len(file.labels)
        for label, judged, policy in zip(file.labels, file.judged, policies, strict=True):
            name = f"{path} {label}".rstrip()
            self.results.add_judgement(name, judged.judgement)
            if policy is not None:
                self.watch(name, Pair(path=path, old=policy, new=policy), judged.judgement)

    def plan(self, name: str, path: Path, by_principal: bool) -> None:
        """Judge the policies before and after a plan of Terraform. Raises `SetupError` if it is none.

        With `by_principal` those of one principal are one question.
        """
        from policy_guard.documents.containers.terraform.plan import read_plan
        from policy_guard.pipeline.pairing.terraform_pairs import of_plan

        try:
            data = path.read_bytes()
        except OSError as error:
            raise SetupError(f"{name}: {error.strerror}") from None
        outcome = of_plan(read_plan(name, data), by_principal)
        judged = self.results.judged
        self.results.outcome(name, outcome)
        self.pairs(outcome.pairs)
        self.results.planned(name, self.results.judged - judged)

    def group(self, joined: GroupResult, comparing: bool) -> None:
        """Judges the files of a group as one policy for each holder."""
        for sentence in joined.notes:
            self.results.note(sentence)
        if joined.findings:
            self.results.add_judgement(joined.name, Judgement(joined.findings))
        if comparing and not joined.pairs:
            self.results.count_compared()
        doubts = tuple(finding for policy in joined.members for finding in doubt_findings(policy))
        for pair in joined.pairs:
            self._judge(joined.name, pair, comparing, doubts)
            doubts = ()

    def pass_by(self, pair: Pair) -> None:
        """Sees which statements a policy loses and gains that is judged elsewhere."""
        if not pair.follows:
            self.moved.see(self.attached.pair(pair))

    def principal(self, pair: Pair) -> None:
        """Judges a principal that has a document that changed, where the document alone tells too little."""
        if judgement := judgement_of_principal(self.judge, self.attached, pair):
            self.results.add_judgement(_name(pair.path, pair.new or pair.old), judgement)

    def _judge(self, name: str, pair: Pair, comparing: bool, doubts: tuple[Finding, ...] = ()) -> None:
        judgement = self.ahead.judgement(pair)
        pair = self.attached.pair(pair)
        judgement = judgement or self.judge.judge(pair, comparing)
        judgement = judgement._replace(findings=(*doubts, *judgement.findings))
        self.results.add_judgement(name, judgement)
        self.watch(name, pair, judgement)
        if comparing:
            self.moved.see(pair)
            self.results.count_compared(pair.differs)
            for sentence in self.judge.unused_remarks(pair, self.results.used_paths):
                self.results.note(sentence)


def _length(pair: Pair) -> int:
    """Return how many characters a judge has to read."""
    return sum(side.span.end - side.span.start for side in (pair.old, pair.new) if side)


def _name(path: str, policy: Policy | None) -> str:
    return f"{path} {policy.label}".rstrip() if policy else path
