"""A policy that goes and comes back where nobody looks, in whatever form; and what only shows one."""

from __future__ import annotations

import base64
import bz2
import codecs
import gzip
import io
import json
import lzma
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from urllib.parse import quote

import pytest

from policy_guard.documents.source import Source
from policy_guard.pipeline.check import Options, check
from policy_guard.pipeline.pairing import evasion
from policy_guard.pipeline.pairing.disguise import holds_policy
from tests.support.repository import ENVIRON, NARROW, WIDE, Answer, Scratch, document

TODAY = date(2026, 1, 1)

TEXT = json.dumps(WIDE, indent=2)
LINE = json.dumps(WIDE)
LICENSE = "Licensed under the terms that come with it, which say what may be done and what may not.\n"


def archive(text: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as into:
        into.writestr("readme", "x")
        into.writestr("policy", text)
    return made.getvalue()


def commented(begin: str, end: str = "") -> bytes:
    return f"{begin} the policy of app {end}\n{TEXT}\n".encode()


COMMENTS = ["//", "#", "--", ";", "%", "REM", "'", '"', "!", "dnl", "::", "*", "The policy of app:"]
LONGER = [("/*", "*/"), ("<!--", "-->"), ("(*", "*)"), ("{-", "-}"), ("=begin\n", "\n=end")]

HIDDEN: dict[str, bytes] = {
    **{f"behind {begin}": commented(begin) for begin in COMMENTS},
    **{f"behind {begin} {end}": commented(begin, end) for begin, end in LONGER},
    "behind a long license": b"/*\n" + LICENSE.encode() * 40 + b"*/\n" + TEXT.encode(),
    "behind a license in lines": b"// " + b"// ".join([LICENSE.encode()] * 40) + TEXT.encode(),
    "with a comment inside": TEXT.replace('"Statement"', '// all\n  "Statement"').encode(),
    "with a comma too many": TEXT.replace("}\n  ]", "},\n  ]").encode(),
    "with names not quoted": TEXT.replace('"Statement"', "Statement").replace('"Effect"', "Effect").encode(),
    "in single quotes": TEXT.replace('"', "'").encode(),
    "as a value of a program": f"export const policy = {TEXT};\n".encode(),
    "as TOML": b'Version = "2012-10-17"\n[[Statement]]\nEffect = "Allow"\nAction = "*"\nResource = "*"\n',
    "as XML": b"<Policy>\n<Statement>\n<Effect>Allow</Effect>\n<Action>*</Action>\n</Statement>\n</Policy>\n",
    "as Terraform": b'policy = jsonencode({\n  Statement = [{\n    Effect = "Allow"\n    Action = "*"\n  }]\n})\n',
    "as a data source": b'data "aws_iam_policy_document" "a" {\n'
    b'\n statement {\n  actions = ["*"]\n  resources = ["*"]\n }\n}\n',
    "with a byte order mark": b"\xef\xbb\xbf// x\n" + TEXT.encode(),
    "in UTF-16": TEXT.encode("utf-16"),
    "in UTF-16 without a mark, big-endian": TEXT.encode("utf-16-be"),
    "in UTF-32 without a mark": ("// x\n" + TEXT).encode("utf-32-le"),
    "with letters as escapes": ("// x\n" + LINE.replace("Statement", "\\u0053tatement")).encode(),
    "in a text": json.dumps({"text": LINE}).encode(),
    "percent-encoded": quote(LINE).encode(),
    "in an address": b"data:application/json," + quote(LINE).encode(),
    "with entities": LINE.replace('"', "&quot;").encode(),
    "in base64": base64.b64encode(TEXT.encode()),
    "in base64 of addresses": base64.urlsafe_b64encode(("?>?>" + LINE).encode()).rstrip(b"="),
    "in base64 in lines": base64.encodebytes(TEXT.encode()),
    "in base64 as a value": b"policy=" + base64.b64encode(LINE.encode()) + b"\n# ok\n",
    "in base64 as YAML": b"policy: !!binary |\n  " + base64.encodebytes(TEXT.encode()).replace(b"\n", b"\n  "),
    "in base64 behind prose": LICENSE.encode() * 50 + base64.b64encode(LINE.encode()),
    "in base64 twice": base64.b64encode(base64.b64encode(LINE.encode())),
    "in base32": base64.b32encode(LINE.encode()),
    "in base85": base64.b85encode(LINE.encode()),
    "in Ascii85": base64.a85encode(LINE.encode()),
    "in hexadecimal": LINE.encode().hex().encode(),
    "in bytes": ", ".join(f"0x{byte:02x}" for byte in LINE.encode()).encode(),
    "in decimal bytes": str(list(LINE.encode())).encode(),
    "backwards": LINE[::-1].encode(),
    "with other letters": codecs.encode(LINE, "rot13").encode(),
    "compressed by gzip": gzip.compress(TEXT.encode()),
    "compressed by zlib": zlib.compress(TEXT.encode()),
    "compressed by bzip2": bz2.compress(TEXT.encode()),
    "compressed by xz": lzma.compress(TEXT.encode()),
    "compressed by LZMA": lzma.compress(TEXT.encode(), lzma.FORMAT_ALONE),
    "compressed and in base64": base64.b64encode(gzip.compress(TEXT.encode())),
    "in an archive": archive(TEXT),
}


@pytest.mark.parametrize("how", HIDDEN)
def test_a_policy_in_disguise(how: str) -> None:
    assert holds_policy(HIDDEN[how], 0.25)


PROSE = LICENSE * 20
SHOWING: dict[str, str] = {
    "prose with an example": f"# Policies\n\n{PROSE}```json\n{TEXT}\n```\n{PROSE}",
    "prose with an example and entities": f"# Policies &amp; more\n\n{PROSE}{TEXT}\n{PROSE}",
    "a program with one": "def work(value: int) -> int:\n    return value * 2\n\n" * 60 + f"POLICY = {LINE}\n",
    "prose about statements": "Statement: what has an Effect: is said in the\n" + PROSE,
    "a workflow": "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n",
    "a manifest": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  key: value\n",
    "a lock file": '{"version": "1.0.0", "integrity": "sha512-' + base64.b64encode(bytes(range(64))).decode() + '"}',
    "nothing": "",
}


@pytest.mark.parametrize("how", SHOWING)
def test_what_only_shows_a_policy(how: str) -> None:
    assert not holds_policy(SHOWING[how].encode(), 0.25)


@pytest.mark.parametrize(
    "repeated",
    [
        "a-a-",
        "Action ",
        "Statement ",
        "<!--",
        "/*\n",
        "QUJD",
        "0x41, ",
        "\\x41",
        "%41",
        "&lt;",
        '"',
        " ",
        "x:",
        "2012-10-",
    ],
)
def test_looking_takes_time_that_grows_with_the_text_alone(repeated: str) -> None:
    def seconds(size: int) -> float:
        data = (repeated * (size // len(repeated))).encode()
        start = time.process_time()
        holds_policy(data, 0.25)
        return time.process_time() - start

    assert seconds(200_000) < 8 * max(seconds(50_000), 0.05)


def test_what_unpacks_to_more_than_is_looked_at_may_hold_a_policy() -> None:
    start = time.process_time()
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        assert holds_policy(pack(bytes(5_000_000) + TEXT.encode()), 0.25)
        assert holds_policy(pack(bytes(5_000_000)), 0.25)
        assert not holds_policy(pack(b"x" * 900_000), 0.25)
    assert holds_policy(archive("x" * 5_000_000), 0.25)
    assert not holds_policy(archive("x" * 900_000), 0.25)
    assert time.process_time() - start < 10


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_policy_behind_another_compressed_text_is_found(pack: Callable[[bytes], bytes]) -> None:
    half = len(TEXT) // 2
    assert holds_policy(pack(b"a note") + pack(TEXT.encode()), 0.25)
    assert holds_policy(pack(b"") * 3 + pack(TEXT.encode()), 0.25)
    assert holds_policy(pack(TEXT[:half].encode()) + pack(TEXT[half:].encode()), 0.25)
    assert not holds_policy(pack(b"a note") + pack(b"another note"), 0.25)


def test_a_policy_behind_many_members_of_an_archive_is_found() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as into:
        for number in range(60):
            into.writestr(f"{number}.txt", "a note of some words")
        into.writestr("policy", TEXT)
    assert holds_policy(made.getvalue(), 0.25)


def test_each_of_two_members_of_one_name_is_looked_at() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as into, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        into.writestr("policy", TEXT)
        into.writestr("policy", "a note of some words")
    assert holds_policy(made.getvalue(), 0.25)


def test_what_unpacks_again_and_again_ends(tmp_path: Path) -> None:
    words = b"\n".join([base64.b64encode(gzip.compress(bytes(1_000_000)))] * 100)
    start = time.process_time()
    assert holds_policy(words, 0.25)
    assert time.process_time() - start < 10


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.commit(**{"iam/app.json": NARROW, "iam/notes.txt": "x", "iam/list.json": [named("a"), named("b")]})
    made.git("checkout", "-q", "-b", "feature")
    return made


def named(name: str) -> dict[str, object]:
    return {"PolicyName": name, "PolicyDocument": NARROW}


def judged(scratch: Scratch) -> Answer:
    scratch.commit()
    return scratch.guard("check", "--base", "main", CI="true")


def gone(scratch: Scratch) -> None:
    scratch.git("rm", "-q", "iam/app.json")


def renamed(scratch: Scratch) -> None:
    scratch.git("mv", "iam/app.json", "iam/decoy.json")


def shorter(scratch: Scratch) -> None:
    scratch.write("iam/list.json", [named("a")])


@pytest.mark.parametrize("how", [gone, renamed, shorter])
@pytest.mark.parametrize("path", ["iam/app.conf", "deploy/all.conf", "iam/notes.txt"])
def test_a_policy_that_goes_and_comes_back_elsewhere(
    scratch: Scratch, how: Callable[[Scratch], None], path: str
) -> None:
    how(scratch)
    scratch.write(path, commented("// x"))
    answer = judged(scratch)
    assert answer.code == 1
    assert f"{path}:1:1: error: was a policy at the base and is no longer checked as one: " in answer.out


def test_a_policy_that_comes_back_in_parts(scratch: Scratch) -> None:
    gone(scratch)
    middle = LINE.index("Statement") + 4
    scratch.write("deploy/a.part", LINE[:middle] + "\n")
    scratch.write("deploy/b.part", LINE[middle:] + "\n")
    answer = judged(scratch)
    assert answer.code == 1
    assert "deploy/a.part:1:1: error: was a policy at the base" in answer.out


def test_a_policy_that_comes_back_in_a_data_file(scratch: Scratch) -> None:
    encoded = {"policy": base64.b64encode(LINE.encode()).decode()}
    gone(scratch)
    scratch.write("deploy/values.yaml", encoded)
    assert judged(scratch).code == 1
    scratch.git("checkout", "-q", "main")
    scratch.commit(**{"deploy/values.yaml": {"policy": "none"}})
    scratch.git("checkout", "-q", "-B", "feature")
    gone(scratch)
    scratch.write("deploy/values.yaml", encoded)
    assert judged(scratch).code == 1


def test_the_nearer_the_less_is_enough(scratch: Scratch) -> None:
    gone(scratch)
    scratch.write("docs/policies.md", SHOWING["prose with an example"])
    assert judged(scratch).code == 0
    scratch.write("iam/app.md", SHOWING["prose with an example"])
    assert judged(scratch).code == 1


OPAQUE = {
    "compressed in a way that is not read": b"\x28\xb5\x2f\xfd\x04\x58\x00\x01",
    "kept elsewhere": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "encrypted": b"$ANSIBLE_VAULT;1.1;AES256\n3035\n",
    "encrypted and armoured": b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n",
}


@pytest.mark.parametrize("how", OPAQUE)
def test_what_nobody_can_look_into_in_the_place_of_a_policy(scratch: Scratch, how: str) -> None:
    gone(scratch)
    scratch.write("iam/app.json.bin", OPAQUE[how])
    assert judged(scratch).code == 1
    scratch.git("mv", "iam/app.json.bin", "iam/picture.bin")
    assert judged(scratch).code == 0


def test_a_file_that_showed_a_policy_before_may_be_corrected(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.commit(**{"docs/example.txt": commented("# x")})
    scratch.git("checkout", "-q", "-B", "feature")
    gone(scratch)
    scratch.write("docs/example.txt", commented("# y"))
    assert judged(scratch).code == 0


def test_one_policy_less_alone_is_nothing(scratch: Scratch) -> None:
    gone(scratch)
    scratch.write("iam/list.json", [named("a")])
    scratch.write("src/main.py", "print('x')\n" * 100)
    scratch.write("iam/new.json", document({**NARROW["Statement"][0], "Resource": "arn:aws:s3:::a/*"}))
    assert "readable" not in judged(scratch).out


NOISE = ("lorem ipsum dolor sit amet\n" * 50_000).encode()
TERRAFORM = 'data "aws_iam_policy_document" "a" {\n  statement {\n    effect = "Allow"\n    actions = ["*"]\n  }\n}\n'


CONTENTS = [TERRAFORM, base64.b64encode(TEXT.encode()), TEXT.encode("utf-16")]
PLACES = ["iam/app.tf", "iam/zz.tf", "zz/all.tf"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        pytest.param(path, content, marks=[] if number == place else pytest.mark.corpus)
        for place, path in enumerate(PLACES)
        for number, content in enumerate(CONTENTS)
    ],
)
def test_a_policy_that_comes_back_beside_much_noise(scratch: Scratch, path: str, content: bytes | str) -> None:
    gone(scratch)
    for name in ("a.txt", "iam/a.txt", "z.txt"):
        scratch.write(name, NOISE)
    for number in range(60):
        scratch.write(f"more/{number}.txt", NOISE[:20_000])
    scratch.write(path, content)
    answer = judged(scratch)
    assert answer.code == 1
    assert f"{path}:1:1: error: was a policy at the base" in answer.out


@pytest.mark.parametrize("content", [TERRAFORM.encode(), base64.b64encode(TEXT.encode())])
def test_a_policy_that_comes_back_in_its_place_behind_much_noise(scratch: Scratch, content: bytes) -> None:
    gone(scratch)
    scratch.write("iam/app.tf", NOISE + content)
    assert judged(scratch).code == 1


def test_more_than_can_be_looked_through_is_no_pass(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    gone(scratch)
    for number in range(9):
        scratch.write(f"src/{number}.txt", NOISE[:50_000])
    scratch.write("src/policy.txt", base64.b64encode(TEXT.encode()))
    scratch.commit()

    def messages() -> list[str]:
        options = Options(today=TODAY, base="main")
        return [each.message for each in check(options, scratch.folder, {**ENVIRON, "CI": "true"}).findings]

    assert messages() == [
        "was a policy at the base and is no longer checked as one: files with this name are not checked"
    ]
    monkeypatch.setattr(evasion, "MOST_LOOKED_AT", 1_000_000)
    assert "more changes than can be looked through" in messages()[-1]


def test_a_policy_that_goes_is_missed_whatever_words_the_others_take_on(scratch: Scratch) -> None:
    narrow = {"Sid": "StatementStatement", **NARROW["Statement"][0]}
    scratch.write("iam/list.json", [{"PolicyName": "a", "PolicyDocument": document(narrow)}])
    scratch.write("iam/list.txt", TEXT)
    assert judged(scratch).code == 1


@pytest.mark.parametrize("link", ["iam/app.json", "iam"])
def test_the_file_that_a_link_made_a_policy_is_its_place(scratch: Scratch, link: str) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.git("rm", "-qr", "iam")
    target = "../p/app.txt" if link != "iam" else "p"
    kept = "p/app.txt" if link != "iam" else "p/app.json"
    scratch.write(kept, TEXT.replace("s3:DeleteObject", "s3:ListBucket"))
    (scratch.folder / link).parent.mkdir(exist_ok=True)
    (scratch.folder / link).symlink_to(target)
    scratch.commit()
    scratch.git("checkout", "-q", "-B", "feature")
    (scratch.folder / link).unlink()
    scratch.write(kept, TEXT)
    assert judged(scratch).code == 1


def test_many_policies_that_go_while_many_files_come_are_looked_at_soon() -> None:
    paths = [f"iam/{number}/p{number}.json" for number in range(20_000)]
    start = time.process_time()
    lost = evasion._LostPlaces.of(Source(paths[0], ""), paths)
    assert [lost.least_share(f"data/{number}.txt") for number in range(20_000)] == [0.25] * 20_000
    assert lost.least_share("iam/7/x.txt") == lost.least_share("data/p7.txt") == 0.1
    assert lost.least_share("iam/7/P7.txt") == 0.0
    assert time.process_time() - start < 2
