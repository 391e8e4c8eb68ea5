"""How AWS's managed policies relate: python tests/benchmarks/relations.py [--all] [NAME NAME ...]

Each policy is compared with every other of its service family, the service that most of its actions are of: it is the
same, narrower, wider or neither. By default 2,000 of the pairs are drawn; with `--all` none is left out. With names,
the pairs of these policies are told one by one.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from policy_guard.documents.containers.managed import arns, managed, path_of
from policy_guard.iam.meaning.prover import Witness
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Policy
from policy_guard.verify.check import Question
from policy_guard.verify.checks import check
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import unexplained_verdicts
from tests.support.policies import policy

CHECKS = ("no-new-access", "no-lost-deny")
DRAWN = 2_000
SEED = 1
SLOWEST = 5


class Compared(NamedTuple):
    """Two policies of a family, how the second relates to the first, and what time of the processor that took."""

    pair: tuple[str, str]
    relation: str
    seconds: float


def relation(old: Policy, new: Policy) -> str:
    """Return how the new policy relates to the old one, by all that they allow and deny."""
    access = Access([old, new])
    grown, shrunk = allows_more(old, new, access), allows_more(new, old, access)
    if grown is None or shrunk is None:
        return "undecided"
    return {(False, False): "same", (True, False): "wider", (False, True): "narrower", (True, True): "neither"}[
        grown, shrunk
    ]


def allows_more(old: Policy, new: Policy, access: Access) -> bool | None:
    """Tell whether the new policy allows more or denies less; None if that is not decided."""
    question = Question(new.kind, new, old, (), access)
    undecided = False
    for name in CHECKS:
        prover = prover_for(question)
        for verdict in unexplained_verdicts(check(name), question, prover):
            if isinstance(verdict.answer, Witness):
                return True
            undecided = True
    return None if undecided else False


@cache
def read(arn: str) -> Policy:
    """The document of a managed policy."""
    known = managed(arn)
    assert known is not None
    return policy(known.document)


def families() -> Iterator[list[str]]:
    """The ARNs of all managed policies, those of one service together."""
    arns_by_service: dict[str, list[str]] = {}
    for arn in arns():
        known = managed(arn)
        assert known is not None
        services = Counter(action.partition(":")[0].lower() for action in actions(json.loads(known.document)))
        service = max(services.items(), key=lambda item: (item[1], item[0]))[0] if services else ""
        arns_by_service.setdefault(service, []).append(arn)
    yield from arns_by_service.values()


def actions(document: dict[str, Any]) -> Iterator[str]:
    """The actions that a document allows."""
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    for statement in statements:
        if statement["Effect"] == "Allow":
            values = statement.get("Action", statement.get("NotAction"))
            yield from values if isinstance(values, list) else [values]


def compare(pairs: Iterable[tuple[str, str]]) -> Iterator[Compared]:
    """Compare the policies of each pair, which are read already."""
    for pair in pairs:
        old, new = map(read, pair)
        start = time.process_time()
        yield Compared(pair, relation(old, new), time.process_time() - start)


def main(arguments: list[str]) -> None:
    """Print the relations of pairs that are named, or the figures of those of all families."""
    if names := [argument for argument in arguments if argument != "--all"]:
        for compared in compare(combinations([f"arn:aws{path_of(name)}" for name in names], 2)):
            first, second = (arn.rpartition("/")[2] for arn in compared.pair)
            print(f"{second}, compared with {first}: {compared.relation}")
        return
    pairs = [pair for family in families() for pair in combinations(family, 2)]
    drawn = pairs if "--all" in arguments else random.Random(SEED).sample(pairs, DRAWN)
    results = list(compare(drawn))
    seconds = sorted(each.seconds for each in results)
    relations = Counter(each.relation for each in results)
    print(f"{len(results):,} of {len(pairs):,} pairs in {sum(seconds):.1f} s: ", end="")
    print(", ".join(f"{relations[name]:,} {name}" for name in ("same", "narrower", "wider", "neither", "undecided")))
    print(f"median {seconds[len(seconds) // 2] * 1000:.1f} ms, slowest {seconds[-1]:.2f} s")
    for compared in sorted(results, key=lambda each: -each.seconds)[:SLOWEST]:
        print(f"  {compared.seconds:.2f} s  {' '.join(arn.rpartition('/')[2] for arn in compared.pair)}")


if __name__ == "__main__":
    main(sys.argv[1:])
