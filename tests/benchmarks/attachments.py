"""Changes of what is attached, and of no document, in real histories: python tests/benchmarks/attachments.py CLONE...

Of the commits of a clone that attach policies, set boundaries, give permissions of functions or add members, and that
touch no line of a document, at most `--most` are drawn (`--seed`) and checked against their parents, each in a process
of its own. A table tells in how many of them nothing had to be judged, and how the others ended. `--findings FILE`
writes a line of JSON for each commit, to be read beside it.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.benchmarks import histories

ATTACHING = (
    r"ManagedPolicy(Arns|Name)?|managed_polic(y|ies)|managedPolicies|policy_arns?\b|policy_attachment|PermissionsBoundary"
    r"|permissions_?boundary|rolePermissionsBoundary|aws_lambda_permission|Lambda::Permission|group_membership"
    r"|UserToGroupAddition|instance_profile|InstanceProfile|arn:aws[a-z-]*:iam::aws:policy/"
)
DOCUMENT = re.compile(
    r"""\b(?:Statement|Effect|(?:Not)?Action|(?:Not)?Principal|Condition|Resource|statement|effect|(?:not_)?actions"""
    r"""|principals|condition|resources|identifiers)\b["']?\s*[:={]|policy_document|PolicyDocument"""
)
COLUMNS = ("commits", "nothing to judge", "PASS", "FAIL", "no-new-access", "other-access", "other checks", "crashes")


def main() -> None:
    parser = histories._parser()
    parser.description = __doc__
    options = parser.parse_args()
    print("|", " | ".join(("repository", *COLUMNS)), "|")
    print("|", " | ".join("---" for _ in (1, *COLUMNS)), "|")
    everything: list[dict[str, Any]] = []
    for clone in map(Path, options.clones):
        records = list(_checked(clone, options.most, options.seed))
        everything += records
        if options.findings:
            with Path(options.findings).open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(record) + "\n" for record in records)
        print(_row(histories._name(clone), records), flush=True)
    print(_row("all", everything))


def _checked(clone: Path, most: int, seed: int) -> Iterator[dict[str, Any]]:
    """Return what came of each commit that is drawn."""
    with tempfile.TemporaryDirectory() as folder:
        histories._git(".", "clone", "-q", "--shared", "--no-checkout", str(clone.resolve()), folder)
        for commit in _drawn(folder, most, seed):
            histories._check_out(folder, commit)
            result = histories._in_a_process(folder, commit)
            yield {"repository": histories._name(clone), "commit": commit, **result}


def _drawn(folder: str, most: int, seed: int) -> list[str]:
    """Commits with one parent that change lines about attachments, and none of a document."""
    patterns = (*histories.TEMPLATES, *histories.TERRAFORM)
    about = ("--no-merges", "--min-parents=1", "-E", f"-G{ATTACHING}", "--format=%H")
    commits = histories._git(folder, "log", *about, "--", *patterns).split()
    random.Random(seed).shuffle(commits)
    drawn: list[str] = []
    for commit in commits:
        if len(drawn) < most and _is_of_attachments(folder, commit, patterns):
            drawn.append(commit)
    return drawn


def _is_of_attachments(folder: str, commit: str, patterns: tuple[str, ...]) -> bool:
    try:
        text = histories._git(folder, "show", "--format=", "-U0", "--no-renames", commit, "--", *patterns)
    except subprocess.CalledProcessError:
        return False
    lines = [line[1:] for line in text.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return not any(map(DOCUMENT.search, lines)) and any(re.search(ATTACHING, line) for line in lines)


def _row(name: str, records: list[dict[str, Any]]) -> str:
    failing = [[f for f in record["findings"] if f["severity"] == "error"] for record in records]
    checks = Counter(check for findings in failing for check in {f["check"] for f in findings})
    idle = sum(not record["policies"] and not findings for record, findings in zip(records, failing, strict=True))
    failed, crashed = sum(map(bool, failing)), sum("crash" in record for record in records)
    others = sum(number for check, number in checks.items() if check not in ("no-new-access", "other-access"))
    figures = (len(records), idle - crashed, len(records) - idle - failed, failed)
    figures += (checks["no-new-access"], checks["other-access"], others, crashed)
    return f"| {' | '.join([name, *map(str, figures)])} |"


if __name__ == "__main__":
    main()
