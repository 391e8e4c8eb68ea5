"""What readers of YAML take for different things is refused, whichever of them a deployer uses."""

from __future__ import annotations

import pytest

from policy_guard.documents.containers.plain import policies
from policy_guard.documents.format import sniff
from policy_guard.documents.formats import read
from policy_guard.documents.source import Source, Unreadable
from policy_guard.iam.parse import parse

_POLICY = """Version: "2012-10-17"
Statement:
- {Effect: Allow, Action: "*", Resource: "*", Condition: {StringEquals: {"aws:ResourceTag/env": VALUE}}}
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('a: ["b",\n\ufeff"c"]\n', "byte order mark"),
        ("a: b\n# c\ufeff\n", "byte order mark"),
        ("# admins\r- a\n", "carriage return"),
        ("a: b\rc: d\r", "carriage return"),
        ("{?a: b}", '"?"'),
        ('{a: b, ?"c": d}', '"?"'),
        ("[?a]", '"?"'),
        ("{?&x a: b}", '"?"'),
    ],
)
def test_what_readers_differ_in_is_refused(text: str, words: str) -> None:
    with pytest.raises(Unreadable, match=words.replace("?", r"\?")):
        read(Source("a.yaml", text))


@pytest.mark.parametrize(
    "text", ["? a\n: b\n", "{? a : b}", "[why?]", "{a?: b}", "# why?\na: b\n", "a: b\r\nc: d\r\n", "{a?}", "?a: b\n"]
)
def test_what_they_agree_in_is_read(text: str) -> None:
    assert read(Source("a.yaml", text))


def refused(text: str) -> bool:
    (found,) = policies(Source("a.yaml", text)).policies
    try:
        parse(found)
    except Unreadable:
        return True
    return False


@pytest.mark.parametrize(
    "value",
    [
        "!!binary prod",
        '!!binary "cHJvZA=="',
        "!<tag:yaml.org,2002:binary> prod",
        "!!set prod",
        "!!foo prod",
        "!!python/name:x p",
    ],
)
def test_standard_tags_that_change_a_value(value: str) -> None:
    assert refused(_POLICY.replace("VALUE", value))
    assert not refused(_POLICY.replace("VALUE", "!!str prod"))


@pytest.mark.parametrize("key", ["StringEquals", "Effect", "Resource", "Condition"])
@pytest.mark.parametrize("tag", ["!foo", "!!binary", "!Sub"])
def test_tags_before_the_names_of_elements_and_operators(key: str, tag: str) -> None:
    assert refused(_POLICY.replace("VALUE", "prod").replace(f"{key}:", f"{tag} {key} :"))


@pytest.mark.parametrize("tag", ["!!binary", "!<tag:yaml.org,2002:binary>", "!!%62inary"])
def test_keys_in_base64_make_a_policy(tag: str) -> None:
    text = f"? {tag} U3RhdGVtZW50\n: - Effect: Allow\n    Action: '*'\n    Resource: '*'\n"
    assert sniff(text.replace("Effect", "x").encode())
    assert refused(text)


@pytest.mark.parametrize("key", ["{{ s }}", "<S>", "<S>tatement", "$(S)", "#{S}", "[[S]]", "@S@", "__S__", "%S%"])
def test_beside_a_version_every_key_may_be_filled_in_as_statement(key: str) -> None:
    text = f'{{"Version": "2012-10-17", "{key}": [{{"Effect": "Allow", "Action": "*", "Resource": "*"}}]}}'
    assert sniff(text.encode())
    assert refused(text)


@pytest.mark.parametrize("own", ['{"A": "*", "A": "a"}', '{"A": "a", " A ": "*"}'])
def test_a_name_twice_under_sub(own: str) -> None:
    value = f'"Resource": {{"Fn::Sub": ["arn:aws:s3:::${{A}}", {own}]}}'
    assert refused(f'{{"Statement": [{{"Effect": "Allow", "Action": "s3:*", {value}}}]}}')


@pytest.mark.parametrize("key", ["resource", "Resources", "apiVersion"])
def test_an_empty_key_of_a_template_hides_nothing(key: str) -> None:
    policy = '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    assert policies(Source("a.json", f'{{"{key}": {{}}, "dev": {policy}}}')).policies
