"""How many examples are requests that AWS has: python tests/benchmarks/examples.py [--every N] [--show]

For each example of a finding about the collections of real policies and real changes: whether its action is in the
catalogue and its resource of a kind that the action works on. Of changes, new access is asked for; of policies, the
critical permissions of all packs. Counted apart are findings that are graded as impossible, and those about an action
for which AWS lists no kind of resource: by the catalogue it can be asked for on `*` alone, and the policy names others.
"""

from __future__ import annotations

import argparse
import json
import lzma
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from policy_guard.documents.source import Unreadable
from policy_guard.iam import catalog
from policy_guard.iam.meaning.existing import exists
from policy_guard.iam.meaning.prover import Witness
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.settings.critical import exceptions
from policy_guard.settings.critical.packs import PACKS, pack
from policy_guard.verify.check import Question
from policy_guard.verify.checks import check
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import Verdict, verdicts
from tests.support.policies import policy

GRADES = ("exists", "does not exist", "no kind of resource", "impossible", "future")
CORPUS = Path(__file__).resolve().parent.parent.parent.parent / "shared" / "corpus"


def questions(every: int) -> Iterator[tuple[str, str, Question]]:
    """The name of a check, that of a policy or change, and what is asked about it; one in so `many` of each."""
    critical = tuple(entry for name in PACKS for entry in pack(name))
    for name, row in _rows("changes.jsonl.xz", every):
        try:
            new, old = policy(row["new"]), policy(row["existing"])
        except Unreadable:
            continue
        yield "no-new-access", name, Question(new.kind, new, old, (), Access([new, old]))
    for name, row in _rows("policies.jsonl.xz", every):
        try:
            new = policy(row["policy"])
        except Unreadable:
            continue
        access = Access([new], exceptions(critical), any(entry.principals for entry in critical))
        yield "access-not-granted", name, Question(new.kind, new, None, critical, access)


def _rows(name: str, every: int) -> Iterator[tuple[str, dict[str, dict[str, object]]]]:
    with lzma.open(CORPUS / name, "rt") as lines:
        for line in islice(lines, 0, None, every):
            row = json.loads(line)
            yield row["id"], row


def examples(name: str, question: Question) -> Iterable[Verdict]:
    found = verdicts(check(name), question, prover_for(question))
    return (verdict for verdict in found if isinstance(verdict.answer, Witness))


def _grade(verdict: Verdict, answer: Witness) -> str:
    if verdict.impossible or verdict.future:
        return "impossible" if verdict.impossible else "future"
    if exists(answer.request):
        return "exists"
    return "does not exist" if catalog.resources(answer.request.action) else "no kind of resource"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=20, metavar="N", help="one in so many (1: all); 20 by default")
    parser.add_argument("--show", action="store_true", help="show the examples that AWS does not have")
    given = parser.parse_args()
    counted: Counter[tuple[str, str]] = Counter()
    start = time.process_time()
    for name, label, question in questions(given.every):
        for verdict in examples(name, question):
            assert isinstance(verdict.answer, Witness)
            request, grade = verdict.answer.request, _grade(verdict, verdict.answer)
            counted[name, grade] += 1
            if given.show and grade == "does not exist":
                print(f"{label}: {request.action} on {request.resource}")
    for name in ("no-new-access", "access-not-granted"):
        exist, odd, no_kind, impossible, future = (counted[name, each] for each in GRADES)
        share = 100 * exist / max(1, exist + odd)
        print(f"{name:20}{exist + odd:6} examples, {share:.1f} % exist", end="; ")
        print(f"besides {no_kind} of actions without a kind of resource, {impossible} graded as impossible", end=", ")
        print(f"{future} of actions that AWS does not have")
    print(f"{time.process_time() - start:.1f} s of CPU time")


if __name__ == "__main__":
    main()
