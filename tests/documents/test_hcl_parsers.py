"""Our reader of HCL accepts what HashiCorp's parser accepts, refuses what that refuses, and reads the same values.

The texts are our own: those of the cases, one that is made of everything the language has, and literal values that are
drawn. Mutants of them have something taken out, put in, doubled or moved. Not alike, on purpose, are texts that are
nested too deep or go on too long, which our reader refuses, and names with the few letters that Unicode counts to names
in one of its two definitions alone. HashiCorp's parser in Python gives up, after it parsed them, at the key `null` and
at a block and an argument of one name.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest

from policy_guard.documents.hcl.bodies import read_file
from policy_guard.documents.source import Unreadable
from tests.support.expressions import UNKNOWN, same, values
from tests.support.places import FIXTURES

pygohcl = pytest.importorskip("pygohcl", reason="pygohcl, HashiCorp's parser, is not here for this Python")

BY_DEFAULT, EVERY_NIGHT, PARTS = 2_500, 50_000, 10
NOT_ALIKE = re.compile(r"nested deeper|too long to be read|belongs to no name")
GIVES_UP = re.compile(r"value is null|cannot convert HCL to Go map representation")
EVERYTHING = r"""
locals {
  a = [for k, v in var.m : "${k}-${v.x[0].y}" if v != null && !contains(local.z, k)]
  b = { for k in toset(["a", "b"]) : k => upper(k)... }
  c = var.x ? { "a" : 1, b = 2, (var.k) = 3 } : merge({}, local.d...)
  d = <<-EOT
    %{ for s in var.list ~}
    "${s}": %{ if s == "x" }yes%{ else }no%{ endif },
    %{~ endfor }
  EOT
  e = aws_x.y[*].z.*.id[0].b
  f = -1.5e3 + 2 * (3 - 4) % 5 / 6 >= 7 || a <= b && !c == d
  g = "a\tb\"\u00e9 $${no} %%{no} ${"x${"y"}"}"
  h = provider::aws::f(1, 2)
  i = x.0.y.1[2]["k"] /* x */
}
# comment
resource "a" b { // comment
  x = 1
  dynamic "z" {
    for_each = var.q
    content { v = z.value }
  }
}
"""
PIECES = [
    *("{", "}", "[", "]", "(", ")", '"', "${", "%{", "=", "==", ":", "::", "?", ",", ".", ". ", "*", "...", "=>"),
    *(
        "!",
        "-",
        "+",
        "&&",
        "||",
        "<",
        "<=",
        "/",
        "%",
        "~",
        "~}",
        "%{~",
        "<<E\n",
        "<<-E\n",
        "\nE\n",
        "\n E \n",
        "\n\fEOT\n",
    ),
    *("\n", "\r\n", "\r", "\t", " ", "\f", "\v", "\x85", "\xa0", "\u2028", "\ufeff", "\x7f", "#", "//", "/*", "*/"),
    *("\\", "\\n", "\\u00e9", "\\ud800", "\\U0001F600", "\\x", "$", "$$", "$${", "%%{", "%{ if a }", "%{else}"),
    *("%{ endif }", "%{ for a in b }", "%{ endfor }", "for ", "in ", "if ", "null", "true", "a", "a.b", "a[0]", "a[*]"),
    *("a.*", ".0", ".0.5", "0", "1.5", "1e3", "1.2.3", "0x1", "1.", "é", "a-b", "f(", '"a"', '"b" ', "`", "'", "@"),
    *("^", "|", "&", ";", "a...", ".*.b", "[0]", "x {\n", "x = 1\n"),
]


def texts() -> list[str]:
    files = sorted((FIXTURES / "terraform").rglob("*.tf"))
    return [path.read_text(encoding="utf-8") for path in files] + [EVERYTHING] * (len(files) // 20)


def our_refusal(text: str) -> str:
    """The message with which our reader refuses a text; empty if it accepts it."""
    try:
        read_file(text)
    except Unreadable as error:
        return error.problems[0].message
    return ""


def their_refusal(text: str) -> str:
    """The message of HashiCorp's parser."""
    try:
        pygohcl.loads(text)
    except Exception as error:
        return str(error) or "refused"
    return ""


def is_alike(text: str) -> bool:
    ours, theirs = our_refusal(text), their_refusal(text)
    return bool(ours) == bool(theirs) or bool(NOT_ALIKE.search(ours) or GIVES_UP.search(theirs))


def mutants(seed: int, count: int) -> Iterator[str]:
    originals, draw = texts(), random.Random(seed)
    for _ in range(count):
        text = draw.choice(originals)
        for _ in range(draw.choice((1, 1, 2, 3))):
            text = mutant(draw, text)
        yield text


def mutant(draw: random.Random, text: str) -> str:
    start = draw.randrange(len(text) + 1)
    end = min(len(text), start + draw.choice((1, 1, 3, 10, 40)))
    source = draw.randrange(len(text) + 1)
    moved = text[source : source + draw.choice((1, 3, 10))]
    return draw.choice(
        (
            text[:start] + text[end:],
            text[:start] + draw.choice(PIECES) + text[start:],
            text[:start] + draw.choice(PIECES) + text[start + 1 :],
            text[:end] + text[start:end] + text[end:],
            text[:start] + moved + text[start:],
        )
    )


def test_both_accept_our_own_texts() -> None:
    assert [text for text in texts() if not is_alike(text)] == []


@pytest.mark.parametrize(
    ("part", "count"),
    [(0, BY_DEFAULT), *(pytest.param(n, EVERY_NIGHT // PARTS, marks=pytest.mark.corpus) for n in range(1, PARTS + 1))],
)
def test_both_accept_and_refuse_the_same_mutants(part: int, count: int) -> None:
    assert [text for text in mutants(part, count) if not is_alike(text)] == []


def literal(draw: random.Random, depth: int = 3) -> str:
    """A value that is written without references, in one of the ways in which that is possible."""
    kind = draw.randrange(9 if depth else 6)
    if kind < 3:
        pieces = (
            "a",
            "é",
            " ",
            "\\n",
            "\\t",
            '\\"',
            "\\\\",
            "\\u00e9",
            "\\U0001F600",
            "$",
            "$${x}",
            "%%{",
            "%",
            "#",
            "//",
            "}",
        )
        return '"' + "".join(draw.choice(pieces) for _ in range(draw.randrange(5))) + '"'
    if kind == 3:
        return draw.choice(("0", "1", "12", "0.5", "12.25", "123456789012"))
    if kind == 4:
        return draw.choice(("true", "false", "null"))
    if kind == 5:
        lines = "".join(
            f"{' ' * draw.randrange(4)}{draw.choice(('a', '$${x}', '', 'b  c', chr(92) + 'n'))}\n" for _ in range(3)
        )
        return f"<<{draw.choice(('', '-'))}E\n{lines}  E\n"
    inner = [literal(draw, depth - 1) for _ in range(draw.randrange(4))]
    if kind < 8:
        comma = draw.choice((", ", ",\n", ", # c\n"))
        return "[" + comma.join(inner) + draw.choice(("", "\n")) + "]"
    keys = (draw.choice(('"a b"', "c", "d-e", '"f"')) for _ in inner)
    pairs = dict(zip(keys, inner, strict=True))
    return "{\n" + "\n".join(f"{key} {draw.choice('=:')} {each}" for key, each in pairs.items()) + "\n}"


def test_both_read_the_same_values() -> None:
    draw = random.Random(0)
    compared = 0
    for _ in range(40):
        lines = [f"x{n} = {literal(draw)}" for n in range(20)]
        text = "locals {\n" + "\n".join(lines) + "\n}\n"
        ours, theirs = values(text), pygohcl.loads(text)["locals"]
        assert ours.keys() == theirs.keys()
        for name, each in ours.items():
            if each is not UNKNOWN:
                compared += 1
                assert same(each, theirs[name]), lines[int(name[1:])]
    assert compared > 500


@pytest.mark.parametrize(
    "text",
    [
        *(
            "a = b:: c(1)\n",
            "a = b ::c(1)\n",
            "a = { b ::c(1) = 2 }\n",
            "\ufeffa = 1\n",
            "a = b. 5e3\n",
            "a = [b.*\n.c]\n",
        ),
        *(
            "a = b.1.2\n",
            "a = 1.2.3\n",
            "a = 1e5.3\n",
            "a = b.*.1.2\n",
            "a = f(b..., )\n",
            'a = "\\ud800"\n',
            "a = 1e99999999999\n",
        ),
        *(
            "a = <<E\nx\nE",
            "a = <<E\nx\n\fE\n",
            "a = <<E\nx\nE\u2028\n",
            "a = <<E\nx\n\x85E\n",
            "a = <<E\nx\nE)\n",
            "\ufeff\ufeffa = 1\n",
        ),
    ],
)
def test_both_agree_on_what_they_once_did_not(text: str) -> None:
    assert is_alike(text)
