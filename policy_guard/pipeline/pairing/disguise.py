"""Whether a file that nobody looks at holds a policy: commented, in another syntax, encoded or compressed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Protocol, TypeVar

from policy_guard.regex import regex

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

_Result = TypeVar("_Result")


class _Decompressor(Protocol):
    """What the decompressors of the standard library have in common."""

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Undecodable(Exception):
    """Raised if a library fails at bytes in a way that it does not document, or unpacks more than is looked at."""


LARGEST = 1_000_000
"""Characters that are looked at, of one file or of what one archive holds."""
_MOST = 8 * LARGEST
_LARGEST_ENCODED = 200_000
_STEPS_A_TEXT = 500
_SHORTEST = 20
"""Bytes: no text is shorter that is or becomes one which speaks of a statement and its effect."""
_DEEPEST = 2
_LONG = 40

# Names of a policy's elements in JSON, YAML, TOML, XML, HashiCorp's language or a program.
_KEY = r"(?:Not)?(?:Action|Resource|Principal)s?|Statements?|Effect|Condition|Version|Sid|Id"
_LINE = regex(
    rf"""(?i:\b(?:{_KEY})["'\\\]]*\s*(?:[:=>({{\[]|\Z))|\barn:|(?<![a-z0-9-])[a-z0-9-]{{1,40}}:(?:[A-Z]|\*)"""
)
_BRACKETS = regex(r"""[\s{}\[\](),;"'*]*""")
_STATEMENT = regex(r"""statements?["'\\\]]*\s*[:=({\[>]|\[["']?statement\b""", re.IGNORECASE)
_REST = regex(r"""effect["'\\]*\s*[:=>]|2012-10-17|2008-10-17|\bactions["'\\]*\s*[:=]""", re.IGNORECASE)
# Comments in whichever language: how a line of one begins, and how a longer one begins and ends.
_COMMENT = regex(r"""//|\#|--|;|%|\*|/\*|<!|\(\*|\{-|["'!]\s|rem\b|dnl\b|::\s|=begin|=end""", re.IGNORECASE)
_OPENS = regex(r"/\*|<!--|\(\*|\{-|=begin")
_CLOSES = regex(r"\*/|-->|\*\)|-\}|=end")

_BASE64, _HEXADECIMAL, _BASE32 = (regex(f"[{each}]{{16,}}") for each in ("A-Za-z0-9+/_-", "0-9a-fA-F", "A-Z2-7"))
_BYTES = regex(r"(?:0x|\\x|%|\b)([0-9a-fA-F]{2})\b")
_NUMBERS = regex(r"\b[0-9]{2,3}\b")
_ROT13 = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm"
)
_LETTER = regex(r"\\(?:u00|x|U000000|u\{)([0-9a-fA-F]{2})\}?")
_PRINTABLE = regex(rb"[\t\r\n\x20-\x7e\x80-\xff]*")
_GZIP, _ZLIB, _BZIP2, _XZ, _LZMA, _ZIP = b"\x1f\x8b", b"x", b"BZh", b"\xfd7zXZ\0", b"]\0\0", b"PK\x03\x04"

_ELSEWHERE = (b"version https://git-lfs.github.com/spec/", b"-----BEGIN ", b"$ANSIBLE_VAULT", b"age-encryption.org/")


class Room:
    """How many characters may still be looked at, those of decoded texts included."""

    def __init__(self, characters: int) -> None:
        self.remainder = characters

    def spend(self, size: int) -> bool:
        """Tell whether there is room for so many more, which is then used up."""
        self.remainder -= size
        return self.remainder >= 0


def holds_policy(data: bytes, least_share: float, room: Room | None = None) -> bool:
    """Tell whether the bytes hold a policy, or what reads as one once it is decoded; False once there is no `room`.

    `least_share` is the share of the text that has to be a policy's, comments aside: prose and programs may show one.
    What is encoded shows nothing to anybody, and counts whatever its share is; so does what unpacks to more and more,
    and what a library fails to unpack.
    """
    budget = _MOST
    try:
        for text, size, encoded in _texts(data, 0):
            if room and not room.spend(_STEPS_A_TEXT + min(size, LARGEST)):
                return False
            budget -= size
            if budget < 0 or (_speaks_of_policy(text) and (encoded or _share(text) >= least_share)):
                return True
    except _Undecodable:
        return True
    return False


def shows_policy(data: bytes, least_share: float) -> bool:
    """Tell whether the bytes hold a policy that is to be read as it stands, in a file of any length."""
    text = data.replace(b"\0", b"").decode("utf-8", "replace")
    return _speaks_of_policy(text) and _share(text) >= least_share


def is_opaque(data: bytes) -> bool:
    """Tell whether the bytes are no text, or text that is encrypted or stands for a file elsewhere."""
    if data.startswith(_ELSEWHERE) or b"\0" in data:
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _speaks_of_policy(text: str) -> bool:
    return bool(_STATEMENT.search(text) and _REST.search(text))


def _share(text: str) -> float:
    """Return how much of the text stands in lines that a policy may have, comments and blanks aside."""
    policy_size = other_size = 0
    in_comment = False
    for line in map(str.strip, text.splitlines()):
        if _LINE.search(line) or _BRACKETS.fullmatch(line):
            policy_size += len(line)
        elif not in_comment and not _COMMENT.match(line):
            other_size += len(line)
        in_comment = not _CLOSES.search(line) if in_comment or _OPENS.match(line) else False
    return policy_size / (policy_size + other_size) if policy_size else 0.0


def _texts(data: bytes, depth: int) -> Iterator[tuple[str, int, bool]]:
    """The text with its size, and each text that it is once it is decoded (True).

    NULs are left out, so that UTF-16 and UTF-32 read as well.
    """
    text = data[:LARGEST].replace(b"\0", b"").decode("utf-8", "replace")
    yield text, len(data), depth > 0
    if (plain := _unescape(text)) != text:
        yield plain, len(plain), depth > 0
    for variant in (text[::-1], text.translate(_ROT13)):
        yield variant, len(variant), True
    if depth < _DEEPEST:
        for content in chain(_unpack(data), _decode(text[:_LARGEST_ENCODED])):
            if len(content) < _SHORTEST:
                continue
            if content.startswith((_GZIP, _BZIP2, _XZ, _ZIP)) or _PRINTABLE.fullmatch(content.replace(b"\0", b"")):
                yield from _texts(content, depth + 1)


def _unescape(text: str) -> str:
    """The text without the escapes of JSON, HTML and addresses."""
    from html import unescape
    from urllib.parse import unquote

    text = unescape(unquote(text)) if "%" in text or "&" in text else text
    return _LETTER.sub(lambda m: chr(int(m[1], 16)), text) if "\\" in text else text


def _decode(text: str) -> Iterator[bytes]:
    """The bytes that long words of the text stand for, each by itself and all together."""
    from base64 import a85decode, b32decode, b85decode

    yield from map(_from_base64, _long_words(_BASE64, text))
    for word in _long_words(_HEXADECIMAL, text):
        yield bytes.fromhex(word[: len(word) // 2 * 2])
    for word in _long_words(_BASE32, text):
        yield from _attempt(partial(b32decode, word[: len(word) // 8 * 8]), ValueError)
    yield bytes.fromhex("".join(_BYTES.findall(text)))
    yield bytes(code for code in map(int, _NUMBERS.findall(text)) if code < 256)
    compact_text = "".join(text.split())
    for decode in (b85decode, a85decode):
        yield from _attempt(partial(decode, compact_text), ValueError)


def _from_base64(word: str) -> bytes:
    from base64 import urlsafe_b64decode

    word = word.replace("+", "-").replace("/", "_")[: len(word) - (len(word) % 4 == 1)]
    return urlsafe_b64decode(word + "=" * (-len(word) % 4))


def _long_words(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    words = pattern.findall(text)
    yield from (word for word in words if len(word) >= _LONG) if len(words) > 1 else ()
    yield "".join(words)


def _unpack(data: bytes) -> Iterator[bytes]:
    """Return what a compressed file or an archive holds. Nothing is written anywhere.

    Raises `_Undecodable` behind the last text if there is more than is looked at: the policy may be in the rest.
    """
    if data.startswith((_GZIP, _ZLIB)):
        import zlib

        yield from _streams(data, lambda: zlib.decompressobj(47), zlib.error)
    elif data.startswith(_BZIP2):
        from bz2 import BZ2Decompressor

        yield from _streams(data, BZ2Decompressor, OSError)
    elif data.startswith((_XZ, _LZMA)):
        from lzma import LZMADecompressor, LZMAError

        yield from _streams(data, lambda: LZMADecompressor(memlimit=64 << 20), LZMAError)
    elif data.startswith(_ZIP):
        yield from _members(data)


def _streams(data: bytes, make_decompressor: Callable[[], _Decompressor], wrong: type[Exception]) -> Iterator[bytes]:
    """The texts that were compressed one after the other, as `gzip`, `bzip2` and `xz` read them, and all as one.

    Source: RFC 1952, 2.2: a gzip file is a series of members.
    """
    texts: list[bytes] = []
    room = LARGEST
    while data and room > 0:
        decompressor = make_decompressor()
        (text,) = tuple(_attempt(partial(decompressor.decompress, data, room), wrong)) or (b"",)
        texts.append(text)
        room -= _STEPS_A_TEXT + len(text)
        data = decompressor.unused_data.lstrip(b"\0")
    yield from texts
    if len(texts) > 1:
        yield b"".join(texts)
    if room <= 0:
        raise _Undecodable


def _members(data: bytes) -> Iterator[bytes]:
    import zlib
    from io import BytesIO
    from zipfile import BadZipFile, ZipFile

    wrong = (BadZipFile, RuntimeError, OSError, EOFError, ValueError, zlib.error)
    room = LARGEST
    for archive in _attempt(lambda: ZipFile(BytesIO(data)), *wrong):
        for entry in archive.infolist():
            for member in _attempt(partial(_beginning, archive, entry, room), *wrong):
                room -= _STEPS_A_TEXT + len(member)
                yield member
                if room <= 0:
                    raise _Undecodable


def _beginning(archive: ZipFile, entry: ZipInfo, room: int) -> bytes:
    with archive.open(entry) as member:
        return member.read(max(room, 0))


def _attempt(work: Callable[[], _Result], *wrong: type[Exception]) -> Iterator[_Result]:
    """Return what the work gives, or nothing: bytes that are no such code hold nothing in it.

    Whatever else a library says of bytes that somebody wrote on purpose, nobody knows what they hold.
    """
    try:
        result = work()
    except wrong:
        return
    except Exception as error:
        raise _Undecodable from error
    yield result
