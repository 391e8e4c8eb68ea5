"""How many findings stand where a pull request shows them: python tests/benchmarks/blame.py [COUNT]

Real changes that grant more, both versions printed one value a line; a finding counts if its line lies within a hunk
of the difference with three lines around. Needs the collection of real changes beside the checkout.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from policy_guard.documents.containers.plain import policies
from policy_guard.documents.source import Source, Unreadable
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.parse import parse
from policy_guard.iam.policy import Policy
from policy_guard.verify.check import Question
from policy_guard.verify.checks import check
from policy_guard.verify.finding import Finding
from policy_guard.verify.messages import finding
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import verdicts
from tests.benchmarks.engine import changes

AROUND = 3
CHECKS = ("no-new-access", "no-lost-deny")


def printed(document: dict[str, Any], revision: str) -> Policy:
    source = Source("policy.json", json.dumps(document, indent=2, ensure_ascii=False), revision)
    return parse(policies(source).policies[0], None)


def shown(old: Policy, new: Policy) -> set[int]:
    """The lines of the new version that a pull request shows."""
    matcher = SequenceMatcher(None, *(side.source.text.splitlines() for side in (old, new)), autojunk=False)
    lines: set[int] = set()
    for _, _, _, start, end in (each for each in matcher.get_opcodes() if each[0] != "equal"):
        lines |= set(range(start - AROUND + 1, max(end, start) + AROUND + 1))
    return lines


def findings(old: Policy, new: Policy) -> Iterator[Finding]:
    question = Question(new.kind, new, old, (), Access([new, old]))
    for name in CHECKS:
        asked = check(name)
        for verdict in verdicts(asked, question, prover_for(question)):
            yield finding(asked, verdict, question, "error")


def main() -> None:
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    every = list(changes())
    counts: Counter[str] = Counter()
    for asked in every[:: max(1, len(every) // (2 * most))]:
        try:
            old, new = printed(asked.old, "base"), printed(asked.new, "working tree")
        except Unreadable:
            continue
        lines = shown(old, new)
        told = list(findings(old, new))
        counts["changes"] += bool(told)
        for each in told:
            within = each.source.position(each.span.start).line in lines
            counts["shown" if within else "beside"] += 1
            if not within and "-v" in sys.argv:
                print(each.check, each.source.at(each.span.start), each.message, sorted(lines)[:6], asked.name)
        if counts["changes"] == most:
            break
    total = counts["shown"] + counts["beside"]
    print(f"{counts['changes']} changes, {total} findings, {counts['shown'] / total:.1%} of them in the difference")


if __name__ == "__main__":
    main()
