"""How fast policies are decided: python tests/benchmarks/engine.py [--markdown] [--adversarial]

Classes of questions, each with its count, verdicts, undecided ones, and the time of one question, in seconds of the
processor; then the same 60 questions to the engine and to the straightforward encoding; then what a question costs with
the number of statements. With `--adversarial` the questions made to be hard alone.
"""

from __future__ import annotations

import copy
import json
import lzma
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from policy_guard.documents.source import Unreadable
from policy_guard.iam.meaning.prover import Witness
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Policy
from policy_guard.verify.check import Question
from policy_guard.verify.checks import check
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import verdicts
from tests.benchmarks import naive
from tests.support.policies import policy

CHANGES = Path(__file__).resolve().parent.parent.parent.parent / "shared" / "corpus" / "changes.jsonl.xz"
SAMPLE = 60
SEED = 1


class Asked(NamedTuple):
    """One question: the name of its class, and both documents."""

    name: str
    new: dict[str, Any]
    old: dict[str, Any]


class Answered(NamedTuple):
    verdict: str
    seconds: float


def no_new_access(new: Policy, old: Policy) -> str:
    """PASS, FAIL or UNKNOWN, with every finding told as the command tells it."""
    question = Question(new.kind, new, old, (), Access([new, old]))
    found = list(verdicts(check("no-new-access"), question, prover_for(question)))
    if not found:
        return "PASS"
    return "FAIL" if any(isinstance(each.answer, Witness) for each in found) else "UNKNOWN"


def timed(decide: Callable[[Policy, Policy], str], asked: Asked) -> Answered | None:
    """The answer, and the seconds it took from policies already read; None for documents that AWS would reject."""
    try:
        new, old = policy(asked.new), policy(asked.old)
    except Unreadable:
        return None
    start = time.process_time()
    return Answered(decide(new, old), time.process_time() - start)


def managed() -> Iterator[Asked]:
    """Every managed policy: the same again, one statement less, one more, one wildcard wider."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    rng = random.Random(SEED)
    for _, each in sorted(json.loads(aws_managed_policies_data).items()):
        document = each["Document"]
        statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
        whole = {**document, "Statement": statements}
        yield Asked("managed, the same", whole, whole)
        if len(statements) > 1:
            gone = rng.randrange(len(statements))
            fewer = {**whole, "Statement": statements[:gone] + statements[gone + 1 :]}
            yield Asked("managed, a statement removed", fewer, whole)
            yield Asked("managed, a statement added", whole, fewer)
        yield Asked("managed, a wildcard widened", _widened(whole, rng), whole)


def _widened(document: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    made = copy.deepcopy(document)
    statement = rng.choice(made["Statement"])
    name = "Action" if "Action" in statement else "NotAction"
    values = statement[name] if isinstance(statement[name], list) else [statement[name]]
    at = rng.randrange(len(values))
    values[at] = values[at][: max(values[at].find(":") + 2, len(values[at]) - 4)] + "*"
    statement[name] = values
    return made


def changes() -> Iterator[Asked]:
    """Real changes, where that collection lies beside the checkout."""
    if CHANGES.is_file():
        with lzma.open(CHANGES, "rt") as lines:
            for line in lines:
                row = json.loads(line)
                yield Asked("real changes", row["new"], row["existing"])


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **elements}


def adversarial() -> Iterator[Asked]:
    """Policies made to be hard."""
    rng = random.Random(SEED)

    def word(length: int) -> str:
        return "".join(rng.choice("abc") for _ in range(length))

    def overlapping(count: int) -> list[str]:
        return [f"arn:aws:s3:::*{word(3)}*{word(3)}*{word(2)}*" for _ in range(count)]

    def blocks(count: int) -> dict[str, Any]:
        texts = [f"10.{rng.randrange(256)}.{rng.randrange(256)}.0/{rng.randrange(18, 25)}" for _ in range(count)]
        return {"IpAddress": {"aws:SourceIp": texts}}

    def keyed(count: int) -> list[dict[str, Any]]:
        keys = [f"aws:PrincipalTag/k{number}" for number in range(10)]
        return [
            _allow(Action=f"s3:A{at % 7}*", Condition={"StringLike": {key: word(3) + "*" for key in keys}})
            for at in range(count)
        ]

    def one_by_one(patterns: Iterable[str]) -> dict[str, Any]:
        return _document(*(_allow(Resource=pattern) for pattern in patterns))

    def windows(prefix: str, key: str, bounds: Iterable[tuple[str, str]]) -> dict[str, Any]:
        conditions = (
            {f"{prefix}GreaterThanEquals": {key: start}, f"{prefix}LessThan": {key: end}} for start, end in bounds
        )
        return _document(*(_allow(Condition=condition) for condition in conditions))

    def of_time(*days: int) -> dict[str, Any]:
        spelled = [f"{date(2020, 1, 1) + timedelta(days=day)}T00:00:00Z" for day in days]
        return windows("Date", "aws:CurrentTime", pairwise(spelled))

    def of_numbers(step: int, length: int, count: int, gap: int = -1) -> dict[str, Any]:
        starts = (step * at for at in range(count) if at != gap)
        return windows("Numeric", "s3:max-keys", ((str(start), str(start + length)) for start in starts))

    everyone = {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"}
    deny = {**everyone, "Effect": "Deny"}
    pairs = {
        "20 KB of overlapping *a*b*": (
            _document(everyone, {**deny, "Resource": overlapping(600)}),
            _document(everyone, {**deny, "Resource": overlapping(600)}),
        ),
        "overlapping Allows": (one_by_one(overlapping(60)), one_by_one(overlapping(60))),
        "400 statements, 10 keys each": (_document(*(many := keyed(400))), _document(*many[:-1])),
        "400 other statements, 10 keys each": (_document(*keyed(400)), _document(*many)),
        "? against *": (one_by_one(["*a" + "?" * 25 + "*b"]), one_by_one("*" + word(1) + "?" * n for n in range(60))),
        "? against ?": (one_by_one(["a*a" + "?" * 12]), one_by_one(["?" * n + "*" for n in range(1, 14)])),
        "a run of ? inside": (one_by_one(["*a" + "?" * 25 + "*b*"]), one_by_one(f"*a{'?' * n}b*" for n in range(25))),
        "two adjacent windows of time": (of_time(0, 60), of_time(0, 30, 60)),
        "100 adjacent windows of time": (of_time(0, 1000), of_time(*range(0, 1001, 10))),
        "300 windows of numbers, a gap": (of_numbers(1, 3000, 1), of_numbers(10, 10, 300, gap=177)),
        "100 windows over 80 others": (of_numbers(7, 30, 100), of_numbers(10, 25, 80)),
        "10,000 actions": (
            _document(_allow(Action=[f"s3:Get{n}" for n in range(10_000)])),
            _document(_allow(Action=[f"s3:Get{n}*" for n in range(1, 10_000)])),
        ),
        "200 blocks allowed and denied": (
            _document(_allow(Condition=blocks(200)), {**_allow(Condition=blocks(200)), "Effect": "Deny"}),
            _document(_allow(Condition=blocks(200)), {**_allow(Condition=blocks(200)), "Effect": "Deny"}),
        ),
        "200 blocks, the same": (_document(_allow(Condition=(same := blocks(200)))),) * 2,
        "a Deny on one value of a variable": (
            _document(_allow(Resource="arn:aws:s3:::home/${aws:username}/*")),
            _document(
                _allow(Resource="arn:aws:s3:::home/*"),
                {**_allow(Resource="arn:aws:s3:::home/alice/*"), "Effect": "Deny"},
            ),
        ),
    }
    del same
    for name, (new, old) in pairs.items():
        yield Asked(f"adversarial: {name}", new, old)


def of_size(count: int) -> Asked:
    """So many statements as people write them, the last one new."""
    names = ("s3", "ec2", "sqs", "sns", "lambda", "dynamodb", "logs", "iam", "kms", "ecs")
    statements = [
        _allow(
            Action=[f"{names[n % 10]}:Get*", f"{names[n % 10]}:List{n}*"],
            Resource=f"arn:aws:{names[n % 10]}:*:*:team-{n}/*",
            Condition={"StringEquals": {"aws:PrincipalOrgID": f"o-{n % 3}"}},
        )
        for n in range(count)
    ]
    return Asked("", _document(*statements), _document(*statements[:-1], _allow(Action="s3:Put*")))


Row = tuple[str, ...]


def table(questions: Iterable[Asked]) -> Iterator[Row]:
    """A row for each class."""
    classes: dict[str, list[Answered]] = {}
    for asked in questions:
        answered = timed(no_new_access, asked)
        if answered:
            classes.setdefault(asked.name, []).append(answered)
    whole = [answered for name in classes if name.startswith("managed") for answered in classes[name]]
    classes = {"managed, all": whole, **classes} if whole else classes
    for name, answers in classes.items():
        verdicts_ = Counter(each.verdict for each in answers)
        seconds = sorted(each.seconds for each in answers)
        yield (
            name,
            str(len(answers)),
            str(verdicts_["PASS"]),
            str(verdicts_["FAIL"]),
            str(verdicts_["UNKNOWN"]),
            _time(seconds[len(seconds) // 2]),
            _time(seconds[int(len(seconds) * 0.99)]),
            _time(seconds[-1]),
            _time(sum(seconds)),
        )


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.2g} ms" if seconds < 0.0995 else f"{seconds:.2f} s"


def side_by_side() -> Iterator[Row]:
    """The same questions to both: one in so many of those about managed policies."""
    every = [asked for asked in managed() if asked.name != "managed, the same"]
    sample = random.Random(SEED).sample(every, SAMPLE)
    for name, decide in (("this engine", no_new_access), ("one question over Z3's strings", naive.no_new_access)):
        answers = [answered for asked in sample if (answered := timed(decide, asked))]
        seconds = [each.seconds for each in answers]
        unknown = sum(each.verdict == "UNKNOWN" for each in answers)
        yield name, str(len(answers)), str(unknown), _time(sorted(seconds)[len(seconds) // 2]), _time(max(seconds))
        yield "total", f"{sum(seconds):.4f}"


def main() -> None:
    markdown = "--markdown" in sys.argv
    head = ("questions", "count", "PASS", "FAIL", "undecided", "median", "99 %", "slowest", "all")
    if "--adversarial" in sys.argv:
        _print([head, *table(adversarial())], markdown)
        return
    _print([head, *table(chain(managed(), changes(), adversarial()))], markdown)
    print(f"\nMost memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB\n")
    rows = list(side_by_side())
    ours, theirs = float(rows[1][1]), float(rows[3][1])
    both = [("the same questions to", "count", "cut off at 20 s", "median", "slowest"), rows[0], rows[2]]
    _print(both, markdown)
    print(f"\nAltogether the engine is {theirs / ours:.0f} times as fast.\n")
    sizes = [("statements", "time")]
    for count in (10, 100, 1000):
        best = min(answered.seconds for _ in range(3) if (answered := timed(no_new_access, of_size(count))))
        sizes.append((str(count), _time(best)))
    _print(sizes, markdown)


def _print(rows: list[Row] | list[tuple[str, str]], markdown: bool) -> None:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [
            text.ljust(width) if at == 0 else text.rjust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("| " + " | ".join(cells) + " |" if markdown else "  ".join(cells))
        if markdown and number == 0:
            print("|" + "|".join(" --- " if at == 0 else " ---: " for at in range(len(row))) + "|")


if __name__ == "__main__":
    main()
