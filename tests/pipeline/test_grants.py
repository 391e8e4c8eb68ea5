"""Each kind of access that no policy can express, in each form: new it fails, described otherwise it passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policy_guard.documents.containers.cloudformation.access_types import BUS_POLICY
from policy_guard.documents.containers.cloudformation.grants import PERMISSION
from policy_guard.documents.containers.cloudformation.resource_statements import POD_IDENTITY
from policy_guard.documents.containers.other_access import KINDS, cloudformation_types, details_of, terraform_types
from policy_guard.documents.containers.terraform.grants import OF_RESOURCES
from tests.support.places import FIXTURES, ROOT
from tests.support.repository import Scratch

CASES = FIXTURES / "grants"
PAGE = ROOT / "docs/grants.md"
BEGIN, END = "<!-- the kinds -->\n", "<!-- end of the kinds -->\n"
FORMS = ("cloudformation", "sam", "serverless", "terraform", "manifest")
# This is judged, and has its cases among those of the Serverless Framework.
ELSEWHERE = {"account"}
WARNINGS = {kind.name for kind in KINDS if kind.severity == "warning"}
# What becomes a statement, or a document that is judged, and the forms that it has.
STATEMENTS = {
    "attached-policy": ("cloudformation", "sam", "serverless", "terraform"),
    "boundary": ("cloudformation", "sam", "serverless", "terraform"),
    "membership": ("cloudformation",),
    "function-permission": ("cloudformation", "sam", "serverless", "terraform"),
    "layer-permission": ("cloudformation", "serverless", "terraform"),
    "bus-permission": ("cloudformation", "terraform"),
    "key-grant": ("terraform",),
    "pod-association": ("cloudformation", "terraform"),
    "canned-acl": ("cloudformation",),
    "resource-policy": ("cloudformation", "terraform"),
}
CASES_BEGIN, CASES_END = "<!-- the cases -->\n", "<!-- end of the cases -->\n"
COLUMNS = ("AWS CloudFormation", "AWS SAM", "Serverless Framework", "Terraform", "manifests")


def _folders() -> list[Path]:
    return sorted(folder for folder in CASES.glob("*/*") if folder.is_dir())


def _compared(folder: Path, old: str, new: str, place: Path) -> tuple[int, list[dict[str, Any]]]:
    scratch = Scratch(place)
    (suffix,) = {path.suffix for path in folder.iterdir()}
    name = f"serverless{suffix}" if folder.name == "serverless" else f"main{suffix}"
    scratch.write(name, (folder / f"{old}{suffix}").read_text())
    scratch.commit()
    scratch.write(name, (folder / f"{new}{suffix}").read_text())
    answer = scratch.guard("check", "--format", "json")
    return answer.code, json.loads(answer.out)["findings"]


@pytest.mark.parametrize("folder", _folders(), ids=lambda folder: f"{folder.parent.name} {folder.name}")
def test_a_grant_that_is_new_fails_and_one_that_is_described_otherwise_passes(folder: Path, tmp_path: Path) -> None:
    code, findings = _compared(folder, "without", "with", tmp_path / "new")
    kinds = {str(each).partition(":")[2].partition("_")[0] for finding in findings for each in finding["actions"]}
    assert code == (0 if folder.parent.name in WARNINGS else 1)
    assert folder.parent.name in {*kinds, *STATEMENTS}, findings
    code, findings = _compared(folder, "with", "tagged", tmp_path / "tagged")
    assert (code, [finding for finding in findings if finding["severity"] == "error"]) == (0, [])


def test_every_kind_has_its_cases() -> None:
    cases = {folder.parent.name for folder in _folders()}
    assert cases | ELSEWHERE == {*STATEMENTS, *(kind.name for kind in KINDS)}
    for name, forms in STATEMENTS.items():
        assert {folder.name for folder in _folders() if folder.parent.name == name} == {*forms}
    for folder in _folders():
        assert sorted(path.stem for path in folder.iterdir()) == ["tagged", "with", "without"], folder
    for kind in KINDS:
        forms = {folder.name for folder in _folders() if folder.parent.name == kind.name}
        assert forms <= set(FORMS)
        assert "cloudformation" in forms or not kind.cloudformation, kind.name
        assert "terraform" in forms or not kind.terraform, kind.name


def _table() -> str:
    lines = ["| kind | what it is | CloudFormation, AWS SAM, Serverless Framework | Terraform |", "|---|---|---|---|"]
    for kind in KINDS:
        types = [*kind.cloudformation, *kind.terraform, *kind.worked_out]
        names = [f"`{each}`" for each in types if not each.startswith("aws_")]
        templates = ", ".join([*names, *([kind.forms] if kind.forms else [])])
        terraform = ", ".join(f"`{each}`" for each in types if each.startswith("aws_"))
        words = f"{kind.does} ([AWS]({kind.page}))"
        lines.append(f"| `{kind.name}` | {words} | {templates or '-'} | {terraform or '-'} |")
    return "\n".join(lines) + "\n"


def _table_of_cases() -> str:
    """Which forms of each grant have a failing and a passing case."""
    lines = [f"| grant | {' | '.join(COLUMNS)} |", f"|{'---|' * (len(COLUMNS) + 1)}"]
    folders = {(folder.parent.name, folder.name) for folder in _folders()}
    for name in (*STATEMENTS, *(kind.name for kind in KINDS if kind.name not in ELSEWHERE)):
        new = "warns" if name in WARNINGS else "fails"
        cells = (f"{new}, passes" if (name, form) in folders else "-" for form in FORMS)
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("begin", "end", "table"), [(BEGIN, END, _table), (CASES_BEGIN, CASES_END, _table_of_cases)], ids=["kinds", "cases"]
)
def test_the_page_has_its_tables(
    begin: str, end: str, table: Callable[[], str], request: pytest.FixtureRequest
) -> None:
    text = PAGE.read_text()
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    page = f"{head}{begin}\n{table()}\n{end}{tail}"
    if request.config.getoption("--refresh"):
        PAGE.write_text(page)
    assert text == page or request.config.getoption("--refresh")


def test_the_page_names_what_becomes_a_statement() -> None:
    types = (*OF_RESOURCES, PERMISSION, BUS_POLICY, POD_IDENTITY)
    assert [type_ for type_ in types if f"`{type_}`" not in PAGE.read_text()] == []


def _block_of(path: str) -> str:
    """The text of Terraform by which an argument lies at a path through blocks."""
    name, _, rest = path.partition(".")
    return f"{name} {{\n{_block_of(rest)}}}\n" if rest else f'{name} = "orders"\n'


def test_each_type_of_the_table_fails_in_terraform_where_it_is_new(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    paths = {type_: (*details_of(type_).needed, *names, "orders")[0] for type_, (_, names) in terraform_types().items()}
    scratch.commit(**{"main.tf": ""})
    text = "".join(f'resource "{type_}" "orders" {{\n{_block_of(path)}}}\n' for type_, path in paths.items())
    scratch.write("main.tf", text)
    lines = {number for number, line in enumerate(text.splitlines(), 1) if line.startswith("resource")}
    findings = json.loads(scratch.guard("check", "--format", "json").out)["findings"]
    told = {max(line for line in lines if line <= finding["line"]) for finding in findings}
    assert [text.splitlines()[line - 1] for line in sorted(lines - told)] == []


def test_each_type_of_the_table_fails_in_templates_where_it_is_new(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    resources: dict[str, Any] = {}
    for number, (type_, (_, names)) in enumerate(cloudformation_types().items()):
        value: Any = "orders"
        first, *steps = (*details_of(type_).needed, *names, "Orders")[0].split(".")
        for step in reversed(steps):
            value = [{step: value}]
        resources[f"R{number}"] = {"Type": type_, "Properties": {first: value}}
    scratch.commit(**{"main.json": json.dumps({"Resources": {}})})
    scratch.write("main.json", json.dumps({"Resources": resources}, indent=1))
    lines = (scratch.folder / "main.json").read_text().splitlines()
    findings = json.loads(scratch.guard("check", "--format", "json").out)["findings"]
    heads = [number for number, line in enumerate(lines, 1) if line.startswith('  "R')]
    told = {max(head for head in heads if head <= finding["line"]) for finding in findings if finding["line"] > 2}
    assert [lines[head] for head in heads if head not in told] == []
