"""New files whose content decides: one that reads as a policy and cannot be read is no file to pass over."""

from __future__ import annotations

import io
import zipfile

import pytest

from policy_guard.pipeline.pairing.disguise import holds_policy
from policy_guard.pipeline.pairing.file_version import version_of

_JSON = b'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}\n'
_YAML = b'Version: "2012-10-17"\nStatement:\n- Effect: Allow\n  Action: "*"\n  Resource: "*"\n'
_SCRIPT = (
    b"set -e\n"
    + b"echo a long line of the script that says nothing of any policy\n" * 9
    + b"aws x --policy '\n"
    + _JSON
    + b"'\n"
)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("iam/dev", _YAML + "# \u2028\n".encode()),
        ("iam/dev", _YAML.decode().encode("utf-16")),
        ("iam/dev", b"x: &a.b 1\n" + _YAML),
        ("iam/dev", _YAML + b"---\n@x\n"),
        ("iam/dev", _YAML + "# caf\xe9\n".encode("latin-1")),
        ("iam/dev", b"\xef\xbb\xbf\xef\xbb\xbf" + _YAML),
        ("iam/dev", b"#!\n" + _YAML + b"# \x01\n"),
        ("iam/dev", b" " * 1_100_000 + _JSON),
        ("iam/dev", b"# comment\n" * 110_000 + _YAML),
        ("dev.tpl", b"{{- /* x */ -}}\n" + _JSON),
        ("dev.j2", b"{% if true %}\n" + _JSON),
        ("dev.json.jinja2", b"{# admin #}\n" + _JSON),
        ("dev.json.erb", b"<% if true %>\n" + _JSON + b"<% end %>\n"),
        ("dev.policy", b"// admin\n" + _JSON),
        ("dev.tpl", b"{{ if .x }}\n" + _YAML + b"{{ end }}\n"),
    ],
)
def test_what_reads_as_a_policy_is_told(path: str, data: bytes) -> None:
    side = version_of(data, path, "", False, None)
    assert side.problems or side.policies


@pytest.mark.parametrize("path", ["bin/setup", "Makefile", "setup.sh.tpl"])
def test_scripts_with_a_policy_are_none(path: str) -> None:
    for start in (b"", b"#!/bin/sh\n"):
        side = version_of(start + _SCRIPT, path, "", False, None)
        assert not side.problems
        assert not side.policies


def damaged(**changes: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.txt", b"hello" * 1000)
    data = bytearray(packed.getvalue())
    start = data.find(b"a.txt") + 5
    for place, value in changes.items():
        data[start + int(place[1:])] = value
    return bytes(data)


@pytest.mark.parametrize(
    "data", [damaged(_4=0xFF), damaged(_2=1, _3=0), damaged(**{f"_{at}": 0xA5 for at in range(9, 20)})]
)
def test_what_a_library_fails_at_counts_as_hidden(data: bytes) -> None:
    assert holds_policy(data, 0.25)
