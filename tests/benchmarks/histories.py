"""Checks of real histories, as a pull request would be checked: python tests/benchmarks/histories.py CLONE...

CLONE is a clone of any repository, bare or not; it stays as it is. Of its commits that touch lines about access, at
most `--most` are drawn (`--seed`), each is checked against its parent in a process of its own, and a table tells how
many policies changed and how they were judged. `--findings FILE` writes a line of JSON for each commit, to be read
beside the commit. What such commits do in Terraform is left out unless `--terraform` asks for it. It takes a second or
two a commit.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from policy_guard.cli.listing import readable_policy  # noqa: E402
from policy_guard.documents.containers.terraform.documents import Unit  # noqa: E402
from policy_guard.documents.containers.terraform.elsewhere import statements_of  # noqa: E402
from policy_guard.documents.containers.terraform.units import Sides  # noqa: E402
from policy_guard.documents.containers.terraform.values import is_known  # noqa: E402
from policy_guard.documents.errors import SetupError  # noqa: E402
from policy_guard.documents.source import Object, Unreadable  # noqa: E402
from policy_guard.iam.parse import parse  # noqa: E402
from policy_guard.pipeline import check as pipeline  # noqa: E402
from policy_guard.pipeline.judging import Judge, Judgement  # noqa: E402
from policy_guard.pipeline.pairing import FileResult, Pair, terraform  # noqa: E402
from policy_guard.report.report import place  # noqa: E402
from policy_guard.verify.finding import Finding  # noqa: E402
from tests.support.repository import ENVIRON  # noqa: E402

ACCESS = r"polic(y|ies)|principal|statement|action|effect|allow|deny|permission|_arn|arn:|grant"
TEMPLATES = ("*.yml", "*.yaml", "*.json", "*.template", "*.snap", "*.ambr")
TERRAFORM = ("*.tf", "*.tofu", "*.tfvars", "*.tftpl", "*.tpl")
EXTENTS = ("exactly", "with unknown texts", "with choices")
OUTCOMES = ("unreadable", "undecided", "unsupported", "violated")
COLUMNS = ("commits", "policies", "PASS", "FAIL", *EXTENTS, "undecided", "unreadable", "crashes")
LISTS = ("policies", "findings", "unreadable")
LIMIT = 120
"""Seconds of the processor that the check of one commit may take."""


def main() -> None:
    options = _parser().parse_args()
    if options.commit:
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT + 1))
        print(json.dumps(judged(Path(options.clones[0]), options.commit)))
        return
    times = ("median", "99 %", "slowest")
    print("|", " | ".join(("repository", *COLUMNS, *times)), "|")
    print("|", " | ".join("---" for _ in (1, *COLUMNS, *times)), "|")
    everything: list[dict[str, Any]] = []
    for clone in options.clones:
        records = list(checked(Path(clone), TERRAFORM if options.terraform else TEMPLATES, options))
        everything += records
        print(row(_name(Path(clone)), records), flush=True)
    print(row("all", everything))
    print()
    for line in shares(everything):
        print(line)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clones", nargs="+", metavar="CLONE")
    parser.add_argument("--terraform", action="store_true", help="commits that touch Terraform, instead of templates")
    parser.add_argument("--most", type=int, default=60, help="commits of a repository (60)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--findings", metavar="FILE", help="where each commit and its findings are written")
    parser.add_argument("--commit", help=argparse.SUPPRESS)
    return parser


def _name(clone: Path) -> str:
    return clone.parent.name if clone.name in ("repo", ".git") else clone.name


def checked(clone: Path, patterns: Iterable[str], options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Return what came of each commit that is drawn."""
    with tempfile.TemporaryDirectory() as folder:
        _git(".", "clone", "-q", "--shared", "--no-checkout", str(clone.resolve()), folder)
        for commit in drawn(folder, patterns, options.most, options.seed):
            _check_out(folder, commit)
            record = {"repository": _name(clone), "commit": commit, **_in_a_process(folder, commit)}
            if not options.terraform:
                record |= {name: [*filter(_is_of_template, record[name])] for name in LISTS}
            if options.findings:
                with Path(options.findings).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(record) + "\n")
            yield record


def _is_of_template(item: Mapping[str, Any]) -> bool:
    return not any(fnmatch(item["path"], pattern) for pattern in TERRAFORM)


def _check_out(folder: str, commit: str) -> None:
    """A clone may lack large files; in CI the commit is read and not the working tree."""
    try:
        _git(folder, "checkout", "-q", "--force", "--detach", commit)
    except subprocess.CalledProcessError:
        _git(folder, "update-ref", "--no-deref", "HEAD", commit)


def drawn(folder: str, patterns: Iterable[str], most: int, seed: int) -> list[str]:
    """Commits with one parent that change a line about access in a file of these patterns."""
    about = ("--no-merges", "--min-parents=1", "-i", f"-G{ACCESS}", "--format=%H")
    commits = _git(folder, "log", *about, "--", *patterns).split()
    return random.Random(seed).sample(commits, min(most, len(commits)))


def _git(folder: str, *arguments: str) -> str:
    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "filter.lfs.smudge=", "-c", "filter.lfs.required=false"]
    done = subprocess.run([*command, *arguments], cwd=folder, env=ENVIRON, capture_output=True, check=True)
    return done.stdout.decode(errors="replace")


def _in_a_process(folder: str, commit: str) -> dict[str, Any]:
    command = [sys.executable, __file__, folder, "--commit", commit]
    try:
        done = subprocess.run(command, env=ENVIRON, capture_output=True, check=True)
    except subprocess.CalledProcessError as error:
        if error.returncode == -signal.SIGXCPU:
            return {"crash": f"not done after {LIMIT} s", **dict.fromkeys(LISTS, ()), "seconds": float(LIMIT)}
        crash = error.stderr.decode(errors="replace")[-2000:]
        return {"crash": crash, **dict.fromkeys(LISTS, ()), "seconds": 0.0}
    record: dict[str, Any] = json.loads(done.stdout)
    return record


def judged(folder: Path, commit: str) -> dict[str, Any]:
    """The policies that a commit changes with their verdicts, its findings, and the seconds of the processor."""
    policies: list[dict[str, Any]] = []
    unreadable: dict[tuple[str, str], dict[str, Any]] = {}
    compare_sides = terraform.compare_sides

    def recorded(sides: Sides, findings: list[Finding]) -> FileResult:
        result = compare_sides(sides, findings)
        unreadable.update({(each["path"], each["label"]): each for each in _unread_units(sides, result.findings)})
        return result

    terraform.compare_sides = recorded

    class Recorder(Judge):
        def judge(self, pair: Pair, comparing: bool) -> Judgement:
            start = time.process_time()
            judgement = super().judge(pair, comparing)
            policies.append(_policy(pair, judgement, time.process_time() - start))
            return judgement

    pipeline.Judge = Recorder  # type: ignore[misc]
    parent = _git(str(folder), "rev-parse", f"{commit}^").strip()
    options = pipeline.Options(today=datetime.now(timezone.utc).date(), base=parent)
    try:
        report = pipeline.check(options, folder, {**ENVIRON, "CI": "true"})
    except SetupError as error:
        return {"crash": str(error), **dict.fromkeys(LISTS, ()), "seconds": 0.0}
    return {
        "policies": policies,
        "unreadable": [*unreadable.values(), *_unread_elsewhere(report.findings)],
        "findings": [_finding(finding) for finding in report.findings],
        "skipped": [list(skipped) for skipped in report.skipped],
        "notes": list(report.notes),
        "files": len(_git(str(folder), "ls-files", "--", *TEMPLATES, *TERRAFORM).splitlines()),
        "seconds": sum(os.times()[:4]),
    }


def _policy(pair: Pair, judgement: Judgement, seconds: float) -> dict[str, Any]:
    sides = [policy for policy in (pair.old, pair.new) if policy]
    extents = [readable_policy(pair.path, policy.label, policy, "").read for policy in sides]
    outcomes = [finding.outcome for finding in judgement.findings if finding.severity != "note"]
    return {
        "path": pair.path,
        "label": pair.policy.label,
        "kind": pair.policy.kind,
        "read": max(extents, key=EXTENTS.index),
        "outcome": min(outcomes, key=OUTCOMES.index, default="proved"),
        "sides": f"{'old' if pair.old else ''} {'new' if pair.new else ''}".strip(),
        "seconds": round(seconds, 3),
    }


def _unread_units(sides: Sides, findings: Iterable[Finding]) -> Iterator[dict[str, Any]]:
    """The policies of Terraform that cannot be read, each once, however much is wrong with it."""
    told = {(finding.source.path, finding.message) for finding in findings}
    for unit in (*sides.old, *sides.new):
        problems = [problem.message for problem in unit.problems or _refusals(unit)]
        if any((unit.source.path, message) in told for message in problems):
            read = _extent(unit) if unit.policy else EXTENTS[-1]
            yield {"path": unit.source.path, "label": unit.address, "read": read, "reasons": problems}


def _refusals(unit: Unit) -> tuple[Any, ...]:
    """Return what AWS would refuse in a policy."""
    if unit.policy is not None:
        try:
            parse(unit.policy)
        except Unreadable as error:
            return tuple(error.problems)
    return ()


def _extent(unit: Unit) -> str:
    """How far the text of a policy is known that AWS would refuse."""
    node = unit.policy.node if unit.policy else None
    statements = statements_of(node) if isinstance(node, Object) else ()
    if any(isinstance(each, Object) and each.guards for each in statements):
        return EXTENTS[2]
    return EXTENTS[0] if node is not None and is_known(node) else EXTENTS[1]


def _unread_elsewhere(findings: Iterable[Finding]) -> Iterator[dict[str, Any]]:
    """What cannot be read in files that are not of Terraform, by the finding: nobody knows of how many policies."""
    for finding in findings:
        path = finding.source.path
        if finding.outcome == "unreadable" and not any(fnmatch(path, pattern) for pattern in TERRAFORM[:3]):
            yield {"path": path, "label": "", "read": EXTENTS[-1], "reasons": [finding.message]}


def _finding(finding: Finding) -> dict[str, Any]:
    fields: Mapping[str, Any] = {
        "check": finding.check,
        "outcome": finding.outcome,
        "severity": finding.severity,
        "path": finding.source.path,
        "line": place(finding.source, finding.span)[0].line,
        "message": finding.message,
        "facts": [list(fact) for fact in finding.facts],
        "related": [[related.source.path, related.message] for related in finding.related],
    }
    return dict(fields)


def row(name: str, records: list[dict[str, Any]]) -> str:
    policies = [policy for record in records for policy in record["policies"]]
    outcomes = Counter(policy["outcome"] for policy in policies)
    unreadable = sum(len(record["unreadable"]) for record in records)
    figures = [len(records), len(policies), outcomes["proved"], outcomes["violated"]]
    figures += [sum(policy["read"] == extent for policy in policies) for extent in EXTENTS]
    figures += [outcomes["undecided"] + outcomes["unsupported"], unreadable]
    figures.append(sum("crash" in record for record in records))
    return "| " + " | ".join([name, *map(str, figures), *_times(records)]) + " |"


def shares(records: list[dict[str, Any]]) -> Iterator[str]:
    """How many are definite of those whose structure is known, and of all others, and how many are not."""
    policies = [policy for record in records for policy in record["policies"]]
    unreadable = [policy for record in records for policy in record["unreadable"]]
    for noun, extents in (("structure known", EXTENTS[:2]), ("structure unknown", EXTENTS[2:])):
        definite = [p["outcome"] in ("proved", "violated") for p in policies if p["read"] in extents]
        whole = len(definite) + sum(policy["read"] in extents for policy in unreadable)
        yield f"{noun}: {sum(definite)} of {whole} definite, {_share(sum(definite), whole)}"
    others = len(unreadable) + sum(policy["outcome"] not in ("proved", "violated") for policy in policies)
    whole = len(policies) + len(unreadable)
    yield f"unreadable or undecided: {others} of {whole}, {_share(others, whole)}"


def _share(number: int, whole: int) -> str:
    return f"{100 * number / whole:.1f} %" if whole else "none"


def _times(records: list[dict[str, Any]]) -> Iterator[str]:
    seconds = sorted(record["seconds"] for record in records) or [0.0]
    for value in (statistics.median(seconds), seconds[math.ceil(0.99 * len(seconds)) - 1], seconds[-1]):
        yield f"{value:.2f} s"


if __name__ == "__main__":
    main()
