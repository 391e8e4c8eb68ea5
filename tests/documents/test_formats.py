"""From bytes to trees: what is refused, in which words and where, and what a value is taken to be."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policy_guard.documents.format import MAX_BYTES, MAX_DEPTH, decode, salvage, sniff
from policy_guard.documents.formats import formats, read
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Source, Unreadable


def tree(text: str, name: str = "a.yaml") -> Node:
    (node,) = read(Source(name, text))
    return node


def refusal(text: str, name: str) -> tuple[str, int, int]:
    source = Source(name, text)
    with pytest.raises(Unreadable) as caught:
        read(source)
    (problem,) = caught.value.problems
    return problem.message, *source.position(problem.span.start)


def written(text: str, node: Node | None) -> str:
    assert node is not None
    return text[slice(*node.span)]


def shape(node: Node) -> Any:
    """The tree without places."""
    match node:
        case Scalar():
            return (node.kind, node.text, *([node.tag] if node.tag else []))
        case Array():
            return [shape(item) for item in node.items]
        case Object():
            return {entry.key.text: shape(entry.value) for entry in node.entries}


def test_the_formats_there_are() -> None:
    assert [(form.name, form.suffixes[0]) for form in formats()] == [
        ("json", ".json"),
        ("snapshots", ".snap"),
        ("yaml", ".yaml"),
    ]


def test_reading_json_does_not_import_a_yaml_library() -> None:
    program = (
        "import sys\n"
        "from policy_guard.documents.containers.plain import policies\n"
        "from policy_guard.documents.source import Source\n"
        "policies(Source('a.json', '{}')); sys.exit('yaml' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("policy.json.tftpl", "{}", Object),
        ("POLICY.YML", "[a: 1]", Array),
        ("policy", '\n {"a": 1}', Object),
        ("policy.txt", "a: 1", Object),
        ("policy.txt", "a", Scalar),
    ],
)
def test_the_format_is_that_of_the_name_or_else_of_the_content(name: str, text: str, kind: type) -> None:
    assert isinstance(tree(text, name), kind)


JSON_REFUSALS = [
    ('{"a": 1', "the text ends too early: a comma or } is expected here", 1, 8),
    ('{"a"', "the text ends too early: a colon is expected here", 1, 5),
    ("", "the text ends too early: a value is expected here", 1, 1),
    ('{\n  "a": [1,]}', "JSON takes no comma before ]", 2, 10),
    ('{"a": 1,}', "JSON takes no comma before }", 1, 8),
    ('{"a": 1} x', "more text follows after the end", 1, 10),
    ('{"a": NaN}', "NaN is not a JSON value", 1, 7),
    ('{"a": -Infinity}', "-Infinity is not a JSON value", 1, 7),
    ("[01]", "01 is not a JSON value", 1, 2),
    ("[1.]", "1. is not a JSON value", 1, 2),
    ("[+1]", "+1 is not a JSON value", 1, 2),
    ("[True]", "True is not a JSON value", 1, 2),
    ("[\u0661]", "\u0661 is not a JSON value", 1, 2),
    ("[1] 2", "more text follows after the end", 1, 5),
    ('{"a": "\t"}', "control character", 1, 8),
    ("// c\n{}", "comments are not allowed in JSON", 1, 1),
    ('{"a": 1 /* c */}', "comments are not allowed in JSON", 1, 9),
    ("{'a': 1}", "straight double quotation marks", 1, 2),
    ("{\u201ca\u201d: 1}", "a typographic one", 1, 2),
    ("{a: 1}", "a key in double quotation marks is expected here", 1, 2),
    ('{"a": ${b}}', "a template part stands outside quotation marks", 1, 7),
    ('{"a": [%{ for x in y }]}', "a template part stands outside quotation marks", 1, 8),
    ('{"a": "b', "no closing quotation mark", 1, 7),
    ('{"a": "b\n"}', "control character", 1, 9),
    ('{"a": "\x7f\x01"}', "control character", 1, 9),
    ('{"a": "\\x41"}', "no such escape", 1, 8),
    ('{"a": "\\u00g0"}', "four hexadecimal digits", 1, 9),
    ('{"a": "\\ud800"}', "half of a character", 1, 7),
    ('{"a" 1}', "a colon is expected here", 1, 6),
    ('{"a": 1 "b": 2}', "a comma or } is expected here", 1, 9),
    ("\xa0{}", "a no-break space stands here", 1, 1),
    ('{\u200b"a": 1}', "an invisible character stands here", 1, 2),
    ("%7B%22a%22%3A1%7D", "the text is percent-encoded", 1, 1),
    ('{"a": [{% for b in c %}1]}', "a template part stands outside quotation marks", 1, 8),
    ('{"a": {{ b }}}', "a template part stands outside quotation marks", 1, 7),
    ("[" * 100_000, "nested more than 100 levels deep", 1, MAX_DEPTH + 1),
    ('{"a":' * 100_000, "nested more than 100 levels deep", 1, 5 * MAX_DEPTH + 1),
]


@pytest.mark.parametrize(
    ("text", "message", "line", "column"), JSON_REFUSALS, ids=[ascii(c[0])[:40] for c in JSON_REFUSALS]
)
def test_json_refused(text: str, message: str, line: int, column: int) -> None:
    said, *place = refusal(text, "a.json")
    assert message in said
    assert place == [line, column]


YAML_REFUSALS = [
    ("a: &a [*a]", "repeats a value that contains it", 1, 8),
    ("a: &a {b: {c: *a}}", "repeats a value that contains it", 1, 15),
    ("a: *b", "an anchor that is not defined before it", 1, 4),
    ("a: &b 1\n---\na: *b", "an anchor that is not defined before it", 3, 4),
    ("<<: 1", "the merge key << takes a mapping", 1, 5),
    ("<<: [{a: 1}, 2]", "the merge key << takes a mapping", 1, 14),
    ("<<: !Include {a: b}", "the merge key << takes a mapping", 1, 5),
    ("<<: {a: 1}\n<<: {b: 1}", "stands twice", 2, 1),
    ("? [a]\n: 1", "stands here as a key", 1, 3),
    ("a:\n\tb: 1", "a tab stands here, and YAML indents with spaces only", 2, 1),
    ("a: {{ b }", "put template parts in quotation marks", 1, 10),
    ("a: *", 'write "*" in quotation marks', 1, 4),
    ("a:\n  - *\n", 'write "*" in quotation marks', 2, 5),
    ("a: [s3:*, *]", 'write "*" in quotation marks', 1, 11),
    ("a:\n\t- b", "a tab stands here", 2, 1),
    ("%{ if x }\na: 1", '"%{ if x }" decides what stands here once the template is filled in', 1, 1),
    ("a: {{ b }}\n\tc: d", "a tab stands here, and YAML indents with spaces only", 2, 1),
    *(
        (f"a: {{{{ b }}}}\n{line}\n", "decides what stands here once the template is filled in", 2, column)
        for line, column in [
            ("{{- range .Values.buckets }}", 1),
            ("{{- if .Values.x }}", 1),
            ("{{ end }}", 1),
            ('{{ include "x" . }}', 1),
            ("  {{ .Values.whole }}", 3),
            ("c: {{ .Values.x | toYaml }}", 4),
            ('c: {{ include "x" . | nindent 4 }}', 4),
            ("c: {{- .Values.x }}", 4),
            ("c: {{ .Values.x -}}", 4),
            ("c: {{ $x := .Values.x }}", 4),
            ("c: {{ x | to_json }}", 4),
            ("c: d # {{ if .Values.x }}", 8),
            ("{% for x in y %}", 1),
            ("c: {% if x %}d{% endif %}", 4),
            ("c: {# d #}", 4),
            ("<% if x %>", 1),
            ("c: <%= x -%>", 4),
        ]
    ),
    ("a: \x01", "invisible character", 1, 4),
    ("é: \ufffe", "invisible character", 1, 4),
    ("- " * 100_000, "nested more than 100 levels deep", 1, 2 * MAX_DEPTH + 1),
    ("[" * 100_000, "nested more than 100 levels deep", 1, MAX_DEPTH + 1),
    ("{" * 1_100, "nested more than 100 levels deep", 1, MAX_DEPTH + 1),
    ("a:\n- '['\n- &b " + "[" * 1_100, "nested more than 100 levels deep", 3, MAX_DEPTH + 4),
    ('x: [\'[[\', "]\\"]", ' + "[" * 1_100, "nested more than 100 levels deep", 1, MAX_DEPTH + 17),
    ("a: [1", "this is not valid YAML", 1, 6),
    ("'a", "this is not valid YAML", 1, 3),
]


@pytest.mark.parametrize(
    ("text", "message", "line", "column"), YAML_REFUSALS, ids=[ascii(c[0])[:40] for c in YAML_REFUSALS]
)
def test_yaml_refused(text: str, message: str, line: int, column: int) -> None:
    said, *place = refusal(text, "a.yaml")
    assert message in said
    assert place == [line, column]


def test_template_parts_in_values_are_read_as_they_are_written() -> None:
    text = """
a: {{ .Values.a }}
b: [x, "{{ b }}", arn:aws:s3:::{{ c }}/*, {{ d }}-{{ d }}]
e: <%= f ? "g" : h %>
'{{ i }}': |
  {{j}}: k
"""
    text = text.replace("  {{j}}", "  x {{j}}")
    node = tree(text)
    assert shape(node) == {
        "a": ("string", "{{ .Values.a }}"),
        "b": [("string", each) for each in ("x", "{{ b }}", "arn:aws:s3:::{{ c }}/*", "{{ d }}-{{ d }}")],
        "e": ("string", '<%= f ? "g" : h %>'),
        "{{ i }}": ("string", "x {{j}}: k\n"),
    }
    assert isinstance(node, Object)
    assert written(text, node.get("a")) == "{{ .Values.a }}"
    assert written(text, node.get("e")) == '<%= f ? "g" : h %>'


def test_a_template_with_characters_for_private_use_is_no_yaml() -> None:
    assert "as a key" in refusal("a: {{ b }}\nc: \ue000", "a.yaml")[0]


def test_templates_are_read_in_time_that_grows_with_them() -> None:
    for part in ("{{ a }} ", "{{", "{{ a | toAAAA", "- {{ b }}\n", "<%= ", "c: {{ x = "):
        text = "a: {{ b }}\n" + part * (400_000 // len(part))
        began = time.process_time()
        try:
            read(Source("a.yaml", text))
        except Unreadable as error:
            assert error.problems
        assert time.process_time() - began < 20


def test_aliases_are_bounded_in_number_and_in_depth() -> None:
    wide = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    assert "once its aliases are followed" in refusal(wide, "a.yaml")[0]
    deep = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 200))
    assert "nested more than" in refusal(deep, "a.yaml")[0]
    merged = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40))
    assert "once its aliases are followed" in refusal(merged, "a.yaml")[0]


@pytest.mark.parametrize("anchored", ["{text}", "[{text}]", "{{a: {text}}}", "{{{text}: a}}"])
def test_aliases_are_bounded_in_characters(anchored: str) -> None:
    text = f"a: &a {anchored.format(text='x' * 1000)}\nb: "
    assert tree(text + f"[{', '.join(['*a'] * 900)}]\n", "a.yaml")
    assert "1,000,000 characters" in refusal(text + f"[{', '.join(['*a'] * 1001)}]\n", "a.yaml")[0]
    nested = text + f"&b [{', '.join(['*a'] * 400)}]\nc: [*b, *b]\n"
    assert "1,000,000 characters" in refusal(nested, "a.yaml")[0]


@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
def test_the_depth_is_bounded_exactly(name: str) -> None:
    assert tree("[" * MAX_DEPTH + "]" * MAX_DEPTH, name)
    assert "nested" in refusal("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), name)[0]


def test_the_number_of_values_is_bounded_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policy_guard.documents.formats.json.MAX_VALUES", 2_000)
    assert tree("[" + "0," * 1_998 + "0]", "a.json")
    assert "more than 2,000 values" in refusal("[" + "0," * 1_999 + "0]", "a.json")[0]


KINDS = [
    ("2012-10-17", ("string", "2012-10-17")),
    ("'2012-10-17'", ("string", "2012-10-17")),
    ("No", ("boolean", "No")),
    ("'No'", ("string", "No")),
    ("y", ("string", "y")),
    ("~", ("null", "~")),
    ("", ("null", "")),
    ("123456789012", ("number", "123456789012")),
    ("0x1F", ("number", "0x1F")),
    (".5", ("number", ".5")),
    ("*", None),
    ("s3:*", ("string", "s3:*")),
    ("!!str 12", ("string", "12")),
    ("!!int '12'", ("number", "12")),
    ("!Sub 'a${B}'", ("string", "a${B}", "!Sub")),
    ("!GetAtt A.Arn", ("string", "A.Arn", "!GetAtt")),
    ("!!binary YQ==", ("string", "a", "!!binary")),
    ("<<", ("string", "<<")),
    ("=", ("string", "=")),
    ("| # c\n    a\n    b\n", ("string", "a\nb\n")),
    (">-\n    a\n    b\n", ("string", "a b")),
]


@pytest.mark.parametrize(("text", "expected"), KINDS)
def test_what_a_yaml_scalar_is(text: str, expected: tuple[str, ...] | None) -> None:
    if expected is None:
        refusal(f"a: {text}", "a.yaml")
    else:
        assert shape(tree(f"a: {text}")) == {"a": expected}


AGREED = """
    0 12 -12 111122223333 9007199254740992 1.5 -0.25 true True FALSE null ~ tRue nO yess 1.2.3 10.0.0.0 10.0.0.0/8
    203.0.113.0/24 2001:db8::/32 2012-10-17T 1:60 e5 0xZ 0o8 12a -- . a=b s3:Get* arn:aws:s3:::a/* '012' "y" !!str<1e3
    !!int<12 !Sub<y |<y
"""
DISPUTED = """
    012 089912345678 011122223333 08 00 -0 +12 0x1F 0X1f 0b11 0o17 -0o17 1_000 1,000 12:30:45 1:30 -1:20 190:20:30.15
    1e11 1E5 1e+3 1.5e3 .5 5. +.5 1.0 1.50 0.00001 9007199254740993 99999999999999999999 .inf -.Inf .nan
    y n Y yes No on OFF 2012-10-17 2001-1-2 2001-12-14t21:59:43.10-05:00 2024-01-01T00:00:00Z = <<
    !!int<0o17 !!float<1 !!bool<yes !!timestamp<2012-10-17 !<y
"""


@pytest.mark.parametrize("key", [False, True])
@pytest.mark.parametrize(("texts", "expected"), [(AGREED, False), (DISPUTED, True)])
def test_scalars_that_readers_take_for_different_values_say_so(texts: str, expected: bool, key: bool) -> None:
    for text in texts.split():
        spelled = text.replace("<", " ", 1) if text[0] in "!|" else text
        if key and (spelled[0] == "|" or spelled == "<<"):
            continue
        node = tree(f"{spelled}: a" if key else f"a: {spelled}".replace("|", "|\n "))
        assert isinstance(node, Object)
        scalar = node.entries[0].key if key else node.entries[0].value
        assert isinstance(scalar, Scalar)
        assert bool(scalar.disputed) is expected, text


def test_numbers_that_readers_of_json_spell_otherwise_say_so() -> None:
    node = tree("[12, 111122223333, 1.5, true, null, 9007199254740993, 1e3, 1.0, -0]", "a.json")
    assert isinstance(node, Array)
    assert [bool(item.disputed) for item in node.items if isinstance(item, Scalar)] == [False] * 5 + [True] * 4


def test_a_key_above_the_merge_that_has_it_too_is_disputed() -> None:
    node = tree("x: &x {a: 1, b: 2}\ny: {a: 3, c: 4, <<: *x, b: 5}")
    assert isinstance(node, Object)
    merged = node.get("y")
    assert isinstance(merged, Object)
    assert [entry.key.text for entry in merged.entries if entry.key.disputed] == ["a"]


def test_a_tag_on_a_list_or_mapping_is_kept() -> None:
    node = tree("!If [a, !Sub {b: c}, !!map {d: e}, !!set {f}]")
    assert isinstance(node, Array)
    assert [node.tag, *(item.tag for item in node.items)] == ["!If", None, "!Sub", None, "!!set"]


def test_merge_keys_give_what_the_library_gives() -> None:
    text = """
base: &base {a: 1, b: 2}
more: &more {<<: *base, b: 3, c: 4}
all: {b: 5, <<: [*more, *base]}
quoted: {"<<": x}
"""
    plain = yaml.safe_load(text)
    assert shape(tree(text)) == {
        key: {name: ("string" if value == "x" else "number", str(value)) for name, value in entries.items()}
        for key, entries in plain.items()
    }


@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
def test_a_key_written_twice_is_there_twice(name: str) -> None:
    node = tree('{"a": 1, "\\u0061": 2}', name)
    assert isinstance(node, Object)
    assert [(entry.key.text, shape(entry.value)[1]) for entry in node.entries] == [("a", "1"), ("a", "2")]


def test_a_key_written_twice_in_what_is_merged_is_there_twice() -> None:
    node = tree("x: &x {a: 1, a: 2, b: 3}\ny: {<<: *x, b: 4}")
    assert isinstance(node, Object)
    merged = node.get("y")
    assert isinstance(merged, Object)
    assert [entry.key.text for entry in merged.entries] == ["b", "a", "a"]


def test_an_anchor_may_be_given_again() -> None:
    assert shape(tree("[&a 1, *a, &a 2, *a]")) == [("number", text) for text in "1122"]


def test_places_in_yaml() -> None:
    text = (
        "# é😀\r\n"
        "a: &x\r\n"
        "  - b  # comment\r\n"
        "  - 'c''d'\r\n"
        "\r\n"
        "  # trailing comment\r\n"
        "e: |\r\n"
        "  f\r\n"
        "\r\n"
        "# another\r\n"
        "g: {h: [*x , i] } # more\r\n"
        "j: !Sub k\r\n"
        "l:\r\n"
    )
    node = tree(text)
    assert isinstance(node, Object)
    values = {entry.key.text: written(text, entry.value) for entry in node.entries}
    assert values == {
        "a": "&x\r\n  - b  # comment\r\n  - 'c''d'",
        "e": "|\r\n  f",
        "g": "{h: [*x , i] }",
        "j": "!Sub k",
        "l": "",
    }
    assert written(text, node).endswith("\nl:")


def places(text: str, node: Node) -> list[tuple[Node, str]]:
    below = node.items if isinstance(node, Array) else ()
    parts = [part for entry in node.entries for part in entry] if isinstance(node, Object) else []
    return [(node, written(text, node)), *(place for part in (*below, *parts) for place in places(text, part))]


PLAIN = st.recursive(
    st.text("ab: -#'\"\n{}[],é😀", max_size=6) | st.integers() | st.booleans() | st.none(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text("ab #:", max_size=4), below, max_size=3),
    max_leaves=10,
)


@given(PLAIN, st.sampled_from([True, False, None]), st.sampled_from(["\n", "\r\n"]))
def test_every_value_of_yaml_stands_where_its_span_says(value: Any, flow: bool | None, ending: str) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True, line_break=ending)
    for node, own in places(text, tree(text)):
        if isinstance(node, Scalar) and "\n" not in own:
            assert shape(tree(f"- {own}")) == [shape(node)]
        if isinstance(node, Array | Object) and own[0] in "[{":
            assert shape(tree(own)) == shape(node)


def test_without_its_c_library_yaml_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [
        "a: &x [1, 'b', *x]",
        "a: &x {b: |\n  c\n}",
        "# é\na:\n- b # c\n\nd: !Sub e",
        "a: \x01",
        "[" * 100_000,
        "- " * 9_000,
        "a: [b, " + "{" * 1_100,
        "[" * 1_100 + "{{ b }}",
    ]
    with_c = [outcome(text) for text in texts]
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert [outcome(text) for text in texts] == with_c


def outcome(text: str) -> object:
    try:
        return read(Source("a.yaml", text))
    except Unreadable as error:
        return [problem.span.start for problem in error.problems]


def test_other_encodings_are_refused_in_words_that_help_and_shown_as_far_as_can_be() -> None:
    text = '{"Statement": "é"}'
    cases = {
        text.encode("latin-1"): "the byte 0xE9 is not UTF-8",
        text.encode("utf-16"): "the file is in UTF-16",
        b"\xff\xfe\0\0" + text.encode("utf-32-le"): "the file is in UTF-32",
        text.encode("utf-16-le"): "not UTF-8",
        b"\0\0\xfe\xff{}": "the file is in UTF-32",
        text.encode() + b"\0": "NUL",
        b"\xef\xbb\xbf\xef\xbb\xbf{}": "two byte order marks",
        b" " * (MAX_BYTES + 1): "larger than 5 MB",
    }
    for data, message in cases.items():
        with pytest.raises(Unreadable, match=message) as caught:
            decode("a.json", data, "")
        shown = salvage("a.json", data, "")
        assert caught.value.problems[0].span.start <= len(shown.text)
        assert "Statement" in shown.text or b"Statement" not in data.replace(b"\0", b"")
    with pytest.raises(Unreadable) as caught:
        decode("a.json", "é{é}".encode() + b"\xe9", "")
    assert caught.value.problems[0].span == (4, 5)


def test_a_byte_order_mark_is_taken_off() -> None:
    assert decode("a", b"\xef\xbb\xbfa\r\nb", "index") == Source("a", "a\r\nb", "index")


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b'{"a": "C:\\\\temp\\n\\"x\\""}',
        b"a: [*b, '*']\ncron: '* * * * *'\nc: *d\n",
        b"on: {push: {paths: ['**.py']}}",
        '{"a": "ſtatement"}'.encode(),
    ],
)
def test_the_sniff_says_no(data: bytes) -> None:
    assert not sniff(data)


@pytest.mark.parametrize(
    "data",
    [
        b"xStatementx",
        b"STATEMENT",
        b"\\u0053",
        b"\\U00000053",
        b"\\x53",
        b"St\\\natement",
        b"St\\\r\nx",
        b"\0",
        b"\xfe\xff{}",
        b"\xff\xfe{}",
        b"\0\0\xfe\xff{}",
    ]
    + [b"*a : 1", b"*a:", b"? *a"]
    + [f"St\\{end}atement".encode() for end in "\x85\u2028\u2029"],
)
def test_the_sniff_does_not_say_no(data: bytes) -> None:
    assert sniff(data)


def test_entries_are_found_by_key() -> None:
    node = tree('{"a": 1, "a": 2}', "a.json")
    assert isinstance(node, Object)
    assert node.entries[0] == Entry(Scalar("a", (1, 4)), Scalar("1", (6, 7), "number"))  # type: ignore[arg-type]
    assert node.get("a") == node.entries[0].value
    assert node.get("b") is None


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)


VALUES: st.SearchStrategy[Any] = st.recursive(
    TEXTS | st.booleans() | st.integers(-99, 99) | st.none(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXTS, below, max_size=3),
    max_leaves=12,
)


PLAIN_TEXTS = st.text("abc XYZ:-#'\"\n\t{}[],&*!|>%@`é", max_size=8)


ENTRIES: st.SearchStrategy[Any] = st.recursive(
    PLAIN_TEXTS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(PLAIN_TEXTS, below, max_size=3),
    max_leaves=10,
)


def plain(node: Node) -> Any:
    if isinstance(node, Object):
        return {entry.key.text: plain(entry.value) for entry in node.entries}
    if isinstance(node, Array):
        return [plain(item) for item in node.items]
    spelled = {"number": json.loads, "boolean": lambda text: text.lower() == "true", "null": lambda _: None}
    return spelled.get(node.kind, str)(node.text)


def scalars(node: Node) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    below = node.items if isinstance(node, Array) else [part for entry in node.entries for part in entry]
    return [scalar for part in below for scalar in scalars(part)]


@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_json_is_read_as_the_library_reads_it(value: Any, indent: Any, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    (node,) = read(Source("a.json", text))
    assert plain(node) == value
    for scalar in scalars(node):
        assert plain(scalar) == json.loads(text[slice(*scalar.span)])


@given(ENTRIES, st.booleans())
def test_yaml_is_read_as_the_library_reads_it(value: Any, flow: bool) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True)
    (node,) = read(Source("a.yaml", text))
    assert plain(node) == yaml.safe_load(text)


@given(st.text(max_size=60) | st.text('{}[]",:\\ tru0.e-', max_size=30))
def test_no_text_is_more_than_unreadable(text: str) -> None:
    for name in ("a.json", "a.yaml"):
        try:
            assert all(
                0 <= s.span.start <= s.span.end <= len(text) for node in read(Source(name, text)) for s in scalars(node)
            )
        except Unreadable as error:
            assert all(problem.span.start <= len(text) for problem in error.problems)
