"""What outputs of modules come to, and what override files make of the files beside them, as `terraform plan` shows it.

The answers are those of Terraform 1.11.4, for these files.
"""

from __future__ import annotations

from typing import Any

import pytest

from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.folder import Folder
from policy_guard.documents.containers.terraform.units import root
from policy_guard.documents.containers.terraform.values import label_of
from policy_guard.documents.hcl.bodies import read_expression
from policy_guard.documents.source import Array, Node, Object, Source

MODULE = """
variable "v" {}
variable "n" { default = "d" }
output "o" { value = "out-${var.v}" }
output "p" { value = { a = var.n } }
"""
MAIN = """
module "c" {
  source = "./m"
  count  = 2
  v      = "c${count.index}"
}
module "f" {
  source   = "./m"
  for_each = { b = "1", a = "2" }
  v        = each.value
  n        = each.key
}
module "s" {
  source   = "./m"
  for_each = toset(["y", "x"])
  v        = each.key
}
module "one" {
  source = "./m"
  v      = "one"
}
module "none" {
  source = "./m"
  count  = 0
  v      = "n"
}
locals {
  kept     = "kept"
  replaced = "base"
}
"""
FOLDERS = {
    "": {
        "main.tf": MAIN,
        "z_override.tf": 'module "c" {\n  count = 3\n}\nlocals {\n  replaced = "earlier"\n}\n',
        "zz_override.tf.json": '{"//": "c", "locals": {"//": "c", "replaced": "${upper(\\"l\\")}ater $${x}"}}',
        "more.tf.json": '[{"locals": [{"json": {"k${upper(\\"q\\")}": ["a", "$${x}"], "//": "kept"}}]}]',
    },
    "m": {"m.tf": MODULE},
}


def folder(path: str) -> Folder | None:
    files = FOLDERS.get(path)
    return Folder(path, {name: Source(name, text) for name, text in files.items()}) if files else None


def plain(node: Node) -> Any:
    if isinstance(node, Array):
        return list(map(plain, node.items))
    return (
        {entry.key.text: plain(entry.value) for entry in node.entries} if isinstance(node, Object) else label_of(node)
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("module.c[*].o", ["out-c0", "out-c1", "out-c2"]),
        ("module.c[1].o", "out-c1"),
        ("[for m in module.c : m.p.a]", ["d", "d", "d"]),
        ("values(module.f)[*].o", ["out-2", "out-1"]),
        ('module.f["b"].p.a', "b"),
        ("{ for k, m in module.f : k => m.o }", {"a": "out-2", "b": "out-1"}),
        ("keys(module.f)", ["a", "b"]),
        ("[for m in module.s : m.o]", ["out-x", "out-y"]),
        ("module.one[*].o", ["out-one"]),
        ("module.one.o", "out-one"),
        ("length(module.none)", "0"),
        ("module.none[*].o", []),
        ('[for k in ["a", "b"] : module.f[k].o]', ["out-2", "out-1"]),
        ("concat(module.c[*].o, module.none[*].o)", ["out-c0", "out-c1", "out-c2"]),
        ("local.kept", "kept"),
        ("local.replaced", "Later ${x}"),
        ("local.json", {"kQ": ["a", "${x}"], "//": "kept"}),
    ],
)
def test_references_come_to_what_terraform_says(expression: str, value: object) -> None:
    top = folder("")
    assert top is not None
    assert not top.wrong
    scope = root(top, folder, frozenset())
    assert plain(Evaluator(scope, Source("", ""), {}).value(read_expression(expression))) == value
