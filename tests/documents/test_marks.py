"""Templates: a placeholder that is a name is an unknown text, and whatever else an engine would run is refused."""

from __future__ import annotations

import json

import pytest

from policy_guard.documents.containers.plain import policies
from policy_guard.documents.source import Source

_YAML = """Version: "2012-10-17"
Statement:
- Sid: {sid}
  Effect: Allow
  Action: s3:GetObject
  Resource: {resource}
{more}"""


def problems(name: str, text: str) -> list[str]:
    (found,) = policies(Source(name, text)).policies
    return [problem.message for problem in found.problems]


def in_yaml(sid: str = "A", resource: str = '"*"', more: str = "") -> list[str]:
    return problems("a.yaml", _YAML.format(sid=sid, resource=resource, more=more))


def in_json(value: str, spelled: str = "") -> list[str]:
    text = json.dumps({"Statement": [{"Sid": "A", "Effect": "Allow", "Action": "s3:*", "Resource": "VALUE"}]})
    return problems("a.json", text.replace('"VALUE"', spelled or json.dumps(value)))


ORDINARY = (
    *("arn:aws:s3:::{{ .Values.bucket }}/*", "arn:aws:s3:::{{bucket}}", "{{{ arn }}}", "{{ $.Values.a_b }}-x"),
    *("{{ bucket | lower }}", "arn:{{- p -}}:s3", "${bucket}", "${var.bucket}-logs", "${aws_s3_bucket.b[0].arn}/*"),
    *("${data.aws_partition.this.partition}", "${{ github.ref }}", "${B:-logs}", "<%= bucket %>", "<%= @bucket -%>/*"),
    *("arn:aws:s3:::${aws:username}/${aws:PrincipalTag/a-b}", "${aws:username, 'guest'}", "${*}", "${$}", "$${a}"),
    *(
        "%{Destination.Arn}",
        "#{Octopus.Environment.Name}",
        "#{Token[TOKEN.5]}",
        "[[ bucket ]]",
        "$(BUCKET)",
        "<BUCKET>",
    ),
    *("${self:custom.b}", "${opt:stage, 'x'}", "USER#*", "{proxy+}", "{0}", "__B__", "@b@", "a@example.com", "${a b}"),
    *("${AWS::Partition}", "${!Payroll}", "*:*@example.com", "${cognito-identity.amazonaws.com:sub}", "<your bucket>"),
)
PROGRAMS = (
    *('{{ \'","Effect":"Allow\' }}', "{{ set .Values `b` `*` }}", "{{ v.update(b='*') }}", "<%= @b = '*'; '' %>"),
    *(
        "${b:=*}",
        "{#-{x}",
        "{{ '{x}",
        "{{!{x}",
        "{{# a }}b{{/ a }}",
        "{{=<? ?>=}}",
        "<#--",
        "<#if false>",
        "#if(false)",
    ),
    *("<?php if(0){?>", "{{{{raw}}}}", "{if 0}x{/if}", "@if(false){<text>", "<!--#if expr='x' -->", "{!! $x = 1 !!}"),
    *("${jsonencode(all)}", "{{ a | default('*') }}", "{{ a | quote }}b", "<%= _erbout.clear %>", "<% if x %>"),
    *(
        "{% raw %}",
        "%{ if x }",
        "{{ end }}",
        "{{ else }}",
        "[[ if x ]]",
        "$(printf '*')",
        "{* x *}",
        "{{ a -}} b",
        "#* x *#",
    ),
    *('${x ? "a" : "*"}', "#{x = 1}", "{{ 'a' }}", "{{ a", "${a", "<%= a", '{{ include "x" . }}', "{{ x | to_json }}"),
)


@pytest.mark.parametrize("value", ORDINARY)
def test_a_name_stays_an_unknown_text(value: str) -> None:
    assert in_json(value) == []
    assert in_yaml(resource=f"'{value}'" if "'" not in value else f'"{value}"') == []


@pytest.mark.parametrize("value", PROGRAMS)
def test_what_an_engine_runs_is_refused(value: str) -> None:
    assert any("write a name alone" in problem for problem in in_json(value))


@pytest.mark.parametrize("value", ["{{ .Values.arn }}", "{{ .Values.arn | quote }}", "arn:aws:s3:::{{ b }}/*"])
def test_a_name_in_yaml_without_quotation_marks(value: str) -> None:
    assert in_yaml(resource=value) == []


@pytest.mark.parametrize(
    "given",
    [
        {"sid": "A{{ \"\\n  Effect: Allow\\n  Action: '*'\\n- Sid: B\" }}"},
        {"resource": "arn:aws:s3:::{{ `x` }}"},
        {"sid": "A{{ x -}}"},
        {"resource": '"{{ .Values.arn | quote }}"'},
        {"more": "# {{ \"\\n- {Effect: Allow, Action: '*', Resource: '*'}\" }}\n"},
        {"more": '# {{ $_ := set .Values "bucket" "*" }}\n'},
        {"more": "#set($bucket='*')\n"},
        {"more": "#jinja2: variable_start_string: '[%'\n"},
        {"more": "#define bucket *\n"},
        {"more": '# <%= "\\n" %>\n'},
    ],
)
def test_programs_in_yaml_and_its_comments_are_refused(given: dict[str, str]) -> None:
    assert any("write a name alone" in problem for problem in in_yaml(**given))


@pytest.mark.parametrize("mark", ["{{ .Values.text }}", "${text}", "<%= text %>"])
def test_a_name_in_a_comment_may_end_it(mark: str) -> None:
    assert in_yaml(more=f"# see {mark}\n") == [
        f'"{mark}" is filled in outside of values, too, and may end the comment; remove it'
    ]


def test_policy_variables_in_comments_are_no_marks_of_an_engine() -> None:
    assert in_yaml(more="# one folder each, by ${aws:username}\n") == []


@pytest.mark.parametrize("spelled", [r'"\u007b{ bucket }}"', r'"$\u007bbucket}"'])
def test_a_placeholder_that_only_escapes_spell(spelled: str) -> None:
    assert any("without escapes" in problem for problem in in_json("", spelled))


def test_variables_of_policies_may_be_spelled_with_escapes() -> None:
    assert in_json("", r'"arn:aws:s3:::b/\u0024{aws:username}"') == []
    assert in_json("", r'"\u003cBUCKET\u003e"') == []


def test_a_text_with_a_policy_is_looked_through() -> None:
    inner = json.dumps({"Statement": [{"Sid": r"\u007b{ a }}", "Effect": "Allow", "Action": "*", "Resource": "*"}]})
    assert problems("a.json", json.dumps({"Policy": inner.replace("\\\\", "\\")}))
    assert not problems("a.json", json.dumps({"Policy": inner.replace(r"\\u007b", "{")}))
