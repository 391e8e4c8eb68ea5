"""The policies of templates as this package reads them beside how others render them.

`python tests/benchmarks/rendering.py FOLDER`, with every template in the folder, in an environment that has
`cfn-policy-validator`, `aws-sam-translator` and `moto[cloudformation]` beside this package. Parameters have their
default, their first allowed value or one that is made up, the same for all. Differences without an explanation, and why
others refuse a template, are written to standard error.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from policy_guard.documents.containers.cloudformation.places import places  # noqa: E402
from policy_guard.documents.containers.cloudformation.template import Template, is_template, read_template, type_of  # noqa: E402
from policy_guard.documents.formats import read  # noqa: E402
from policy_guard.documents.source import Array, Object, Scalar, Source, Unreadable  # noqa: E402
from tests.benchmarks.foreign import (  # noqa: E402
    ACCOUNT,
    REGION,
    STACK,
    STACK_ID,
    moto_policies,
    parsed,
    prepare,
    translated,
    validator_policies,
)
from tests.benchmarks.rendered import (  # noqa: E402
    OPEN,
    Document,
    Policy,
    attached_policies,
    is_known,
    is_same,
    mapped,
    plain,
    read_policies,
)

_PSEUDO = {
    "!Ref AWS::Region": REGION,
    "!Ref AWS::AccountId": ACCOUNT,
    "!Ref AWS::StackName": STACK,
    "!Ref AWS::StackId": STACK_ID,
    "!Ref AWS::Partition": "aws",
    "!Ref AWS::URLSuffix": "amazonaws.com",
}
_BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
_SERVICES = ("lambda", "states", "scheduler", "events", "apigateway", "appsync", "codedeploy")
_TRUSTS = [
    value
    for service in _SERVICES
    for value in plain(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Action": "sts:AssumeRole",
                "Effect": "Allow",
                "Principal": {"Service": f"{service}.amazonaws.com"},
            },
        }
    )
]
SAME, SAME_WITH_UNKNOWN, DIFFERENT = "the same", "the same but for what is unknown", "different"
UNREAD, ONLY_HERE = "not read here", "only read here"


class Comparison(NamedTuple):
    """A document of another beside the one that is like it here, if there is one."""

    path: str
    theirs: Policy
    ours: Policy | None
    outcome: str


def main() -> None:
    prepare()
    folder = Path(sys.argv[1])
    comparisons: dict[str, list[Comparison]] = {}
    failures: dict[str, Counter[str]] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        template = _template(path)
        if template is None:
            continue
        values = _parameter_values(template)
        for name, render in _RENDERINGS.items():
            try:
                theirs = render(path, template, values)
            except Exception as error:
                failures.setdefault(name, Counter())[f"{type(error).__name__}: {error}"[:100]] += 1
                continue
            if theirs is not None:
                comparisons.setdefault(name, []).extend(
                    _compare(str(path.relative_to(folder)), template, theirs, values)
                )
    _show(comparisons, failures)


def _template(path: Path) -> Template | None:
    name = str(path) if path.suffix in (".json", ".yaml", ".yml", ".template") else f"{path}.template"
    try:
        source = Source(name, path.read_text())
        documents = read(source)
    except (Unreadable, UnicodeDecodeError):
        return None
    is_one = len(documents) == 1 and is_template(documents[0])
    return read_template(source, documents[0]) if is_one else None  # type: ignore[arg-type]


def _parameter_values(template: Template) -> dict[str, str]:
    return {name: _value_of(name, parameter) for name, parameter in template.parameters.items()}


def _value_of(name: str, parameter: Object) -> str:
    default, allowed, type_ = parameter.get("Default"), parameter.get("AllowedValues"), parameter.get("Type")
    if isinstance(default, Scalar):
        return default.text
    if isinstance(allowed, Array) and allowed.items and isinstance(allowed.items[0], Scalar):
        return allowed.items[0].text
    text = type_.text if isinstance(type_, Scalar) else ""
    if "List" in text:
        return f"{name.lower()}-1,{name.lower()}-2"
    return "1" if text == "Number" else f"{name.lower()}-value"


def _typed(template: Template, values: Mapping[str, str]) -> dict[str, Any]:
    """The values of parameters with those of lists as lists."""
    types = {name: node.get("Type") for name, node in template.parameters.items()}
    return {
        name: [item.strip() for item in text.split(",")] if "List" in getattr(types[name], "text", "") else text
        for name, text in values.items()
    }


def _by_validator(path: Path, template: Template, values: Mapping[str, str]) -> list[Policy] | None:
    return validator_policies(path.read_text(), _typed(template, values)) if not _is_serverless(template) else None


def _by_moto(path: Path, template: Template, values: Mapping[str, str]) -> list[Policy] | None:
    return moto_policies(parsed(path.read_text()), values) if not _is_serverless(template) else None


def _by_translator(path: Path, template: Template, values: Mapping[str, str]) -> list[Policy] | None:
    if not _is_serverless(template):
        return None
    return moto_policies(translated(parsed(path.read_text()), values), values)


def _is_serverless(template: Template) -> bool:
    return any(type_of(resource).startswith("AWS::Serverless::") for resource in template.resources.values())


_RENDERINGS: dict[str, Callable[[Path, Template, Mapping[str, str]], list[Policy] | None]] = {
    "cfn-policy-validator": _by_validator,
    "moto": _by_moto,
    "aws-sam-translator, then moto": _by_translator,
}


def _compare(path: str, template: Template, theirs: list[Policy], values: Mapping[str, str]) -> Iterator[Comparison]:
    """Each document of another beside the one of ours that is like it, of the same resource if it says which."""
    known_values = {**_PSEUDO, **values}
    attached = attached_policies(template, known_values)
    ours = [*read_policies(template, known_values), *attached]
    in_any_case = [*read_policies(template, known_values, all_choices=True), *attached]
    for policy in theirs:
        if policy.document is None:
            continue
        candidates = [each for each in ours if policy.resource in ("", each.resource)]
        alike = _alike(policy, candidates)
        known = [each for each in alike if each.document is not None and is_known(each.document)]
        unread = [each for each in candidates if each.document is None]
        if alike:
            yield Comparison(path, policy, (known or alike)[0], SAME if known else SAME_WITH_UNKNOWN)
        elif (why := _explanation(policy, candidates, in_any_case, template)) is not None:
            yield Comparison(path, policy, None, f"{DIFFERENT}: {why}")
        else:
            yield Comparison(path, policy, next(iter(unread or candidates), None), UNREAD if unread else DIFFERENT)
    yield from _only_here(path, template, theirs, ours)


def _alike(policy: Policy, candidates: list[Policy]) -> list[Policy]:
    assert policy.document is not None
    return [each for each in candidates if each.document is not None and is_same(each.document, policy.document)]


def _only_here(path: str, template: Template, theirs: list[Policy], ours: list[Policy]) -> Iterator[Comparison]:
    """The documents that another does not have, of resources that it rendered."""
    failed = {policy.resource for policy in theirs if policy.document is None}
    if not any(policy.resource for policy in theirs):
        return
    for policy in ours:
        like = [each for each in theirs if each.document is not None and each.resource == policy.resource]
        optional = policy.document is not None and _is_optional(policy.document)
        if (
            policy.document is None
            or policy.resource in failed
            or optional
            or policy.place == "ManagedPolicyArns"
            or type_of(template.resources.get(policy.resource)) not in places()
        ):
            continue
        if not like:
            yield Comparison(path, policy, None, ONLY_HERE)


def _is_optional(document: Document) -> bool:
    statements = [item for key, values in document.entries if key == "Statement" for item in values]
    return all(isinstance(item, Document) and item.optional for item in statements) and bool(statements)


def _explanation(policy: Policy, candidates: list[Policy], in_any_case: list[Policy], template: Template) -> str | None:
    """Why the document of another differs, if it is one of what is known of them."""
    assert policy.document is not None
    anywhere = [each for each in in_any_case if policy.resource in ("", each.resource)]
    if _alike(policy, anywhere):
        return "the condition of a resource is not asked"
    statements = dict(policy.document.entries).get("Statement", ())
    if statements and all(any(is_same(item, each) for each in _statements(candidates)) for item in statements):
        return "its statements are several policies here"
    written = template.root.get("Resources")
    is_made = bool(policy.resource) and isinstance(written, Object) and written.get(policy.resource) is None
    if is_made and (why := _of_sam(policy, candidates, template)) is not None:
        return why
    names = sorted(template.resources, key=len, reverse=True)
    log_group, function = re.compile(r"(:log-group:[^:]+)(:\*)+$"), f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
    by_id = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, names))})(?![A-Za-z0-9])")
    changes: dict[str, Callable[[str], str]] = {
        "the ARN of a log group ends in :*": lambda text: log_group.sub(r"\1", text),
        "a name or an ARN is made of the logical id": lambda text: by_id.sub(OPEN, text),
        "a function named by a parameter may be named by its ARN": lambda text: text.removeprefix(function),
    }
    changes["several of these"] = lambda text: log_group.sub(r"\1", by_id.sub(OPEN, text)).removeprefix(function)
    for why, change in changes.items():
        others = anywhere if why == "several of these" else candidates
        if _alike(_changed(policy, change), [_changed(each, change) for each in others]):
            return why
    return None


def _of_sam(policy: Policy, candidates: list[Policy], template: Template) -> str | None:
    """Why a document of a resource that AWS SAM makes is none here."""
    assert policy.document is not None
    if any(is_same(policy.document, trust) for trust in _TRUSTS):
        return "AWS SAM writes the same trust policy for each role that it makes"
    if policy.resource not in template.resources:
        return "AWS SAM makes it of an event or a connector, which is known by its text here"
    if policy.place == "ManagedPolicyArns":
        arns = tuple(arn for _, values in policy.document.entries for arn in values if arn != _BASIC)
        rest = policy._replace(document=Document(((policy.place, arns),)))
        if not arns or _alike(rest, candidates):
            return "AWS SAM attaches AWSLambdaBasicExecutionRole to the role of each function"
    return None


def _statements(policies: list[Policy]) -> list[str | Document]:
    return [
        item
        for policy in policies
        if policy.document is not None
        for key, values in policy.document.entries
        if key == "Statement"
        for item in values
    ]


def _changed(policy: Policy, change: Callable[[str], str]) -> Policy:
    document = policy.document and mapped(policy.document, change)
    assert document is None or isinstance(document, Document)
    return policy._replace(document=document)


def _show(comparisons: Mapping[str, list[Comparison]], failures: Mapping[str, Counter[str]]) -> None:
    outcomes = [SAME, SAME_WITH_UNKNOWN]
    counts = {name: Counter(item.outcome for item in items) for name, items in comparisons.items()}
    outcomes += sorted({outcome for each in counts.values() for outcome in each} - set(outcomes))
    print(f"| | {' | '.join(counts)} |")
    print(f"| --- | {' | '.join('---:' for _ in counts)} |")
    rows = {
        "templates": {name: len({item.path for item in items}) for name, items in comparisons.items()},
        "templates that it refuses": {name: failures.get(name, Counter()).total() for name in counts},
        "documents": {name: each.total() for name, each in counts.items()},
        **{outcome: {name: each[outcome] for name, each in counts.items()} for outcome in outcomes},
    }
    for row, numbers in rows.items():
        print(f"| {row} | {' | '.join(str(numbers[name]) for name in counts)} |")
    for name, items in comparisons.items():
        for item in items:
            if item.outcome in (DIFFERENT, UNREAD, ONLY_HERE):
                print(
                    f"{name}: {item.path} {item.theirs.resource} {item.theirs.place}: {item.outcome}", file=sys.stderr
                )
        for why, number in failures.get(name, Counter()).most_common():
            print(f"{name}: refuses {number}: {why}", file=sys.stderr)


if __name__ == "__main__":
    main()
