"""Files in HCL are read as Terraform reads them, with the place of every value."""

from __future__ import annotations

import time

import pytest

from policy_guard.documents.hcl.bodies import read_expression, read_file, read_template
from policy_guard.documents.hcl.syntax import Block, Conditional, For, Index, List, Operation, Splat, Template, Text
from policy_guard.documents.source import Unreadable


def _text(written: str) -> str:
    found = read_expression(written)
    assert isinstance(found, Template)
    return "".join(part.value for part in found.parts if isinstance(part, Text))


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('"a\\tb\\u0041\\""', 'a\tbA"'),
        ('"$${x} %%{y} $x $$ %"', "${x} %{y} $x $$ %"),
        ("<<E\n a\n  b\nE\n", " a\n  b\n"),
        ("<<-E\n  a\n    b\n  E\n", "a\n  b\n"),
        ("<<E\r\na\r\nE\n", "a\r\n"),
        ("<<E\nE x\n E\n", "E x\n"),
    ],
)
def test_texts_have_their_escapes_decoded_and_their_indentation_removed(written: str, text: str) -> None:
    assert _text(written) == text


def test_operators_bind_as_in_terraform() -> None:
    found = read_expression("a ? b : c ? d : e")
    assert isinstance(found, Conditional) and isinstance(found.if_false, Conditional)
    summed = read_expression("1 + 2 * 3 == 7 && true")
    assert isinstance(summed, Operation) and summed.operator == "&&"


def test_references_lists_and_loops_are_told_apart() -> None:
    assert isinstance(read_expression("a.b[*].c"), Splat)
    assert isinstance(read_expression("a.b.0"), Index)
    assert isinstance(read_expression("[for k, v in x : v if v]"), For)
    assert isinstance(read_expression("[\n  a,\n  b,\n]"), List)


def test_tildes_take_blanks_away() -> None:
    found = read_template("a \n${~ x ~}\n  b")
    assert [part.value for part in found.parts if isinstance(part, Text)] == ["a", "  b"]
    assert _text('"a\\n  ${~ x ~} \\n\\n b"') == "ab"


def test_every_node_has_the_span_of_its_text() -> None:
    text = 'resource "a" "b" {\n  c = [1, "x"] # why\n  d { e = f.g }\n}\n'
    (block,) = read_file(text).blocks
    assert isinstance(block, Block) and block.labels == ("a", "b")
    value = block.body.value("c")
    assert value is not None and text[slice(*value.span)] == '[1, "x"]'
    inner = block.body.of_type("d")[0].body.value("e")
    assert inner is not None and text[slice(*inner.span)] == "f.g"


@pytest.mark.parametrize(
    "text",
    [
        "a = ",
        "a = 1 b = 2",
        "a = 1\na = 2",
        'a = "x\n"',
        'a = "\\q"',
        "a {",
        "a { b = 1, c = 2 }",
        "a = <<E\nx\n",
        "a = [1 2]",
        "a = {b = 1 c = 2}",
        "/* a",
        "a = %{",
        "\ufeff\ufeffa = 1",
        "a = <<E\nx\nE",
        'a "${b}" {}',
        'a = "%{ if b }"',
        'a = "%{ endif }"',
        'a = "${ b ~ }"',
        'a = "%{ if b }%{ else~ }%{ endif }"',
        "a = b.",
        "}",
    ],
)
def test_what_terraform_refuses_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        read_file(text)


@pytest.mark.parametrize(
    "piece", ["[", "(", "{a=", "-", "!", '"${', "a ? ", "f(", "%{", "a.", "a[", "1+", "/*", "<<E\n"]
)
def test_hostile_texts_are_refused_in_time(piece: str) -> None:
    started = time.process_time()
    with pytest.raises(Unreadable):
        read_file(f"a = {piece * 20_000}")
    assert time.process_time() - started < 3


@pytest.mark.parametrize("chain", ["1" + "+1" * 5_000, "a" + ".b" * 5_000, "a" + "[*]" * 5_000, "a" + "[0]" * 5_000])
def test_long_chains_are_refused(chain: str) -> None:
    with pytest.raises(Unreadable):
        read_expression(chain)


@pytest.mark.parametrize("written", ["e\u0301 = 1", "x·y = a.x·y", "x { e\u0301 = 1 }", "x = provider::a::b(1)"])
def test_names_have_the_letters_and_marks_of_unicode(written: str) -> None:
    read_file(f"{written}\n")


@pytest.mark.parametrize("written", ["x² = 1", "x = a²", "x = ²a", 'x = "${a.b²}"', "x = a::b", "x = \u00a0 1"])
def test_what_no_name_has_is_refused(written: str) -> None:
    with pytest.raises(Unreadable):
        read_file(f"{written}\n")
