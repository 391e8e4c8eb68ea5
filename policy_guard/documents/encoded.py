"""Texts in base64 (RFC 4648): whether one may hold a policy, and what it says."""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64

from policy_guard.regex import regex

# What a policy, the ARN of a principal or a profile with a role has, and escapes that may spell letters of these.
_WORDS = (
    *(b"Statement", b"statement", b"Effect", b"2012-10-17", b":iam::", b"role_arn"),
    *(b"\\u004", b"\\u005", b"\\u006", b"\\u007"),
)
# What may stand between the letters: line breaks, quotation marks and escapes of the text around.
_BETWEEN = b" \t\r\n\"'\\"
_ENCODED = regex(r"[A-Za-z0-9+/]{16,}={0,2}")


def _sign(word: bytes, offset: int) -> bytes:
    """The letters that a word gives if it begins `offset` bytes behind the begin of a group of three."""
    first, last = -(-8 * offset // 6), 8 * (offset + len(word)) // 6
    return b2a_base64(b"\0" * offset + word)[first:last]


_SIGNS = tuple(_sign(word, offset) for word in _WORDS for offset in range(3))


def may_be_encoded(data: bytes) -> bool:
    """Tell whether something in base64 may hold a policy or the ARN of a principal."""
    joined = data.replace(b"\\n", b"").translate(None, _BETWEEN)
    return any(sign in joined for sign in _SIGNS)


def decoded(text: str) -> str | None:
    """The text that stands in base64; None if it is none, or not all of it is."""
    letters = "".join(text.split()).replace("-", "+").replace("_", "/")
    if not _ENCODED.fullmatch(letters):
        return None
    try:
        return a2b_base64(letters.rstrip("=") + "=" * (-len(letters.rstrip("=")) % 4)).decode("utf-8")
    except (Error, UnicodeDecodeError):
        return None
