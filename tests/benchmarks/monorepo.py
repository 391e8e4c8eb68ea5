"""A check in large repositories beside smaller ones: `python tests/benchmarks/monorepo.py`.

40 of 20,000 JSON files are policies, and five of those change: in the working tree, in the index as a hook looks at
it, and in a commit as CI does. The ratio to a repository of five files may be 1.3 at most. With 2,000 templates more,
of which none changes, the ratio to the repository without them may be 1.5. A template without a policy that changes
costs what another file of YAML does.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.benchmarks.turns import in_turn_in, milliseconds, ratio  # noqa: E402
from tests.support.repository import NARROW, WIDE, Scratch  # noqa: E402

RUNS = 7
FILES, POLICIES, CHANGED, TEMPLATES = 20_000, 40, 5, 2_000
IN_CI = ["env", "CI=true", sys.executable, "-m", "policy_guard", "check", "--base", "HEAD~1"]
CHECK = [sys.executable, "-m", "policy_guard", "check", "--base", "HEAD"]
WAYS = (("the working tree", CHECK), ("the index, as in the hook", [*CHECK, "--staged"]), ("a commit, as in CI", IN_CI))
TOPICS = 150


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        small, large, grown, yaml, template = (
            _scratch(Path(folder, name)) for name in ("small", "large", "grown", "yaml", "template")
        )
        _lay_out(small, 0, CHANGED)
        _lay_out(large, FILES, POLICIES)
        _lay_out(grown, FILES, POLICIES, TEMPLATES)
        for scratch, text in ((yaml, _plain), (template, _template)):
            scratch.commit(**{"a.yaml": text("one")})
            scratch.write("a.yaml", text("two"))
            scratch.stage()
        print("| what is checked | this | beside that | ratio | at most |")
        print("| --- | --- | --- | --- | --- |")
        for name, command in WAYS:
            if command is IN_CI:
                for scratch in (small, large, grown, yaml, template):
                    scratch.git("commit", "-q", "-m", "change")
            _row(f"{name}: 20,000 files beside five", command, large, small, 1.3)
            _row(f"{name}: 2,000 templates more", command, grown, large, 1.5)
            _row(f"{name}: a template without a policy beside other YAML", command, template, yaml, 1.1)


def _row(name: str, command: Sequence[str], first: Scratch, second: Scratch, most: float) -> None:
    ours, theirs = in_turn_in((command, str(first.folder)), (command, str(second.folder)), RUNS)
    print(
        f"| {name} | {milliseconds(ours)} | {milliseconds(theirs)} | {ratio(ours, theirs):.2f} | {most} |", flush=True
    )


def _scratch(folder: Path) -> Scratch:
    folder.mkdir()
    return Scratch(folder)


def _lay_out(scratch: Scratch, files: int, policies: int, templates: int = 0) -> None:
    for number in range(files - policies):
        scratch.write(f"apps/{number % 200}/config-{number}.json", {"name": f"app-{number}", "replicas": number % 7})
    for number in range(templates):
        role = {"AssumeRolePolicyDocument": NARROW, "Policies": [{"PolicyName": "p", "PolicyDocument": WIDE}]}
        resources = {"Role": {"Type": "AWS::IAM::Role", "Properties": role}}
        scratch.write(f"apps/{number % 200}/template-{number}.json", {"Description": number, "Resources": resources})
    for number in range(policies):
        scratch.write(f"iam/{number}.json", NARROW)
    scratch.commit()
    for number in range(CHANGED):
        scratch.write(f"iam/{number}.json", WIDE)
    scratch.stage()


def _template(name: str) -> str:
    topics = (
        f"  Topic{number}:\n    Type: AWS::SNS::Topic\n    Properties: {{TopicName: {name}-{number}}}\n"
        for number in range(TOPICS)
    )
    return "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n" + "".join(topics)


def _plain(name: str) -> str:
    topics = (
        f"  topic{number}:\n    kind: a topic of orders\n    settings: {{topicName: {name}-{number}}}\n"
        for number in range(TOPICS)
    )
    return "version: '2010-09-09'\nservices:\n" + "".join(topics)


if __name__ == "__main__":
    main()
