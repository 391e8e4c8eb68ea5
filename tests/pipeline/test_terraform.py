"""Two versions of a folder of Terraform: what passes, and what fails at which line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.places import FIXTURES
from tests.support.repository import Answer, Scratch

USE = """
resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = data.aws_iam_policy_document.d.json
}
"""
DOCUMENT = """
data "aws_iam_policy_document" "d" {
  statement {
    actions   = [%s]
    resources = [%s]
  }
}
"""
BUCKET = '"arn:aws:s3:::a/*"'


def document(actions: str = '"s3:GetObject"', resources: str = BUCKET) -> str:
    return DOCUMENT % (actions, resources) + USE


def compared(place: Path, old: dict[str, str], new: dict[str, str]) -> Answer:
    scratch = Scratch(place)
    scratch.commit(**old)
    for name, text in new.items():
        scratch.write(name, text)
    return scratch.guard("check")


LOCALS = "locals {\n  r = %s\n}\n"
VARIABLE = 'variable "r" {\n  default = %s\n}\n'
CALL = 'module "m" {\n  source = "./m"\n  r      = %s\n}\n'
TEXT = 'resource "aws_iam_policy" "p" {\n  policy = <<EOF\n{"Version": "2012-10-17", "Statement": [\n%s\n]}\nEOF\n}\n'
ALLOW = '{"Effect": "Allow", "Action": "%s", "Resource": "arn:aws:s3:::${var.b}/*"}'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"m.tf": document(resources='"*"')}, {"m.tf": document()}),
        ({"m.tf": document(), "l.tf": LOCALS % 1}, {"l.tf": LOCALS % 2}),
        ({"m.tf": document(resources="var.r"), "v.tf": VARIABLE % '"*"'}, {"v.tf": VARIABLE % BUCKET}),
        ({"m.tf": document(resources="local.r"), "l.tf": LOCALS % BUCKET}, {"m.tf": document()}),
        ({"m.tf": CALL % '"*"', "m/m.tf": document(resources="var.r")}, {"m.tf": CALL % BUCKET}),
        ({"m.tf": TEXT % (ALLOW % "s3:*")}, {"m.tf": TEXT % (ALLOW % "s3:GetObject")}),
        ({"m.tf": document(actions="f(var.x)"), "n.tf": ""}, {"n.tf": 'resource "aws_instance" "i" {}\n'}),
        ({"m.tf": document(actions="var.x ? 1 : [")}, {"n.md": "text"}),
    ],
)
def test_what_grants_nothing_new_passes(old: dict[str, str], new: dict[str, str], tmp_path: Path) -> None:
    answer = compared(tmp_path, old, new)
    assert answer.code == 0, answer


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ({"m.tf": document()}, {"m.tf": document(resources='"*"')}, "m.tf:5:"),
        ({"m.tf": document(resources="local.r"), "l.tf": LOCALS % BUCKET}, {"l.tf": LOCALS % '"*"'}, "m.tf:5:"),
        ({"m.tf": CALL % BUCKET, "m/m.tf": document(resources="var.r")}, {"m.tf": CALL % '"*"'}, "m/m.tf:5:"),
        ({"m.tf": TEXT % (ALLOW % "s3:Get*")}, {"m.tf": TEXT % (ALLOW % "s3:*")}, "m.tf:4:"),
        ({"m.tf": "a = 1\n"}, {"m.tf": "a = [\n"}, "m.tf:"),
        ({"m.tf": document()}, {"m_override.tf": document(resources='"*"')}, "m_override.tf:5:"),
        ({"m.tf": document()}, {"x.tf.json": "{,}"}, "x.tf.json:1:"),
        ({"m.tf": document()}, {"m.tf": document().replace("actions ", "acton ")}, "m.tf:4:"),
        ({"m.tf": document()}, {"m.tf": document(resources="local.q")}, "m.tf:"),
    ],
)
def test_what_grants_more_or_cannot_be_read_fails(
    old: dict[str, str], new: dict[str, str], place: str, tmp_path: Path
) -> None:
    answer = compared(tmp_path, old, new)
    assert (answer.code, place in answer.out) == (1, True), answer


def test_a_template_file_that_changes_alone_is_judged(tmp_path: Path) -> None:
    use = 'resource "aws_iam_policy" "p" {\n  policy = templatefile("${path.module}/p.tpl", { b = var.b })\n}\n'
    text = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "%s", "Resource": "${b}"}]}'
    assert compared(tmp_path, {"m.tf": use, "p.tpl": text % "s3:Get*"}, {"p.tpl": text % "s3:*"}).code == 1


def test_a_template_with_parts_of_its_own_is_judged_where_terraform_reads_it(tmp_path: Path) -> None:
    case = FIXTURES / "terraform/passes/a template with a list that a resource reads gets a blank/old"
    scratch = Scratch(tmp_path)
    scratch.commit(**{path.name: path.read_text() for path in case.iterdir()})
    assert scratch.guard("check", "--all", "--base", "HEAD").code == 0
    assert scratch.guard("check", "--all", "--base", "HEAD", "p.json.tftpl").code == 1
    scratch.commit(**{"j.tf": ""})
    assert scratch.guard("check", "--all", "--base", "HEAD").code == 1


def test_circles_end(tmp_path: Path) -> None:
    new = {"m.tf": document(resources="local.a"), "l.tf": "locals {\n  a = local.b\n  b = local.a\n}\n"}
    answer = compared(tmp_path, {"m.tf": document()}, new)
    assert answer.code == 1 and "depends on itself" in answer.out


def chain(value: str, length: int) -> dict[str, str]:
    """Folders that call each other in a row, and give a value on to the policy of the last one."""
    call = 'module "m" {\n  source = "../m%d"\n  r      = %s\n}\n'
    given = 'variable "r" {}\n'
    between = {f"m{number}/m.tf": given + call % (number + 1, "var.r") for number in range(1, length)}
    return {"m0/m.tf": call % (1, value), **between, f"m{length}/m.tf": given + document(resources="var.r")}


@pytest.mark.parametrize("length", [3, 16])
def test_modules_that_give_a_value_on_are_followed_or_fail(length: int, tmp_path: Path) -> None:
    old, new = chain(BUCKET, length), chain('"*"', length)
    assert compared(tmp_path, old, {"m0/m.tf": new["m0/m.tf"]}).code == 1


@pytest.mark.parametrize("how", ["documents", "modules"])
def test_what_doubles_at_each_step_is_bounded(how: str, tmp_path: Path) -> None:
    one = "data.aws_iam_policy_document.d%d.json"
    merged = 'data "aws_iam_policy_document" "d%d" {\n  source_policy_documents = [%s, %s]\n}\n'
    calls = 'module "a" {\n  source = "../m%d"\n}\nmodule "b" {\n  source = "../m%d"\n}\n'
    if how == "documents":
        text = "".join(merged % (n, one % (n - 1), one % (n - 1)) for n in range(1, 40))
        files = {"m.tf": (document() + text).replace('"d"', '"d0"').replace(".d.json", ".d39.json")}
    else:
        files = {f"m{n}/m.tf": calls % (n + 1, n + 1) for n in range(9)}
        files["m9/m.tf"] = document()
    assert compared(tmp_path, {"a.md": "text"}, files).code == 1


def test_links_are_followed_to_what_they_lead_to(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"m/m.tf": document(resources="local.r"), "shared.tf": LOCALS % BUCKET})
    (tmp_path / "m" / "shared.tf").symlink_to("../shared.tf")
    scratch.stage()
    scratch.git("commit", "-q", "-m", "link")
    scratch.write("m/n.tf", 'resource "aws_instance" "i" {}\n')
    assert scratch.guard("check").code == 0
    scratch.write("shared.tf", LOCALS % '"*"')
    assert scratch.guard("check").code == 1


@pytest.mark.parametrize("source", ["./link", "./link/inner"])
def test_a_link_to_the_folder_of_a_module_that_leads_elsewhere_fails(source: str, tmp_path: Path) -> None:
    scratch, inner = Scratch(tmp_path), "inner/" if source.endswith("inner") else ""
    wide = document(resources='"*"')
    scratch.commit(**{"main.tf": f'module "m" {{\n  source = "{source}"\n}}\n', f"a/{inner}m.tf": document()})
    scratch.commit(**{f"b/{inner}m.tf": wide})
    (tmp_path / "link").symlink_to("a")
    scratch.stage()
    scratch.git("commit", "-q", "-m", "link")
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("b")
    scratch.stage()
    assert scratch.guard("check").code == 1


def test_a_link_out_of_the_repository_fails(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"m/m.tf": document()})
    (tmp_path / "m" / "shared.tf").symlink_to("../../shared.tf")
    scratch.stage()
    assert scratch.guard("check").code == 1


REMOTE = 'module "r" {\n  source = "example/policy/aws"\n  policy = %s\n}\n'


@pytest.mark.parametrize(
    ("text", "path", "code"),
    [
        (REMOTE % 'file("${path.module}/${var.x}")', "m/p.txt", 1),
        (REMOTE % 'file("${path.module}/p/${var.x}.txt")', "m/p/a.txt", 1),
        (REMOTE % 'file("${path.module}/p/${var.x}.txt")', "docs/notes.md", 0),
        (REMOTE % "file(var.x)", "docs/notes.txt", 1),
        (REMOTE % "file(var.x)", "docs/notes.md", 0),
        (REMOTE % "data.external.e.result.policy" + 'data "external" "e" {\n  program = ["./a"]\n}\n', "m/b", 1),
        (REMOTE % "data.external.e.result.policy" + 'data "external" "e" {\n  program = ["./a"]\n}\n', "b", 0),
    ],
)
def test_other_files_count_where_they_may_be_read(text: str, path: str, code: int, tmp_path: Path) -> None:
    answer = compared(tmp_path, {"m/m.tf": text, path: "one"}, {path: "two"})
    assert answer.code == code


def test_what_takes_too_much_to_follow_fails_where_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policy_guard.documents.containers.terraform.scope._LOOKS", 3)
    chain_of_locals = "locals {\n  a = local.b\n  b = local.c\n}\n"
    use = 'resource "aws_x" "y" {\n  config = local.a\n}\nmodule "r" {\n  source = "a/b/c"\n  arn    = local.a\n}\n'
    files = {"m.tf": chain_of_locals + use, "n.tf": 'locals {\n  c = "x"\n}\n'}
    assert compared(tmp_path, files, {"n.tf": 'locals {\n  c = "y"\n}\n'}).code == 1


def test_a_module_deeper_than_is_looked_fails_where_it_may_have_changed(tmp_path: Path) -> None:
    files = {f"m{depth}/m.tf": f'module "x" {{\n  source = "../m{depth + 1}"\n}}\n' for depth in range(16)}
    answer = compared(tmp_path, {**files, "m16/m.tf": document()}, {"m16/m.tf": document(actions='"*"')})
    assert (answer.code, "m13/m.tf:1:1: error: policies may be given on here" in answer.out) == (1, True), answer
