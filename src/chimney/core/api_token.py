"""API tokens as text: `chimney_`, 40 random characters (238 bits), and a checksum of 6, all of base 62.

The mark and the checksum let a scanner of secrets know one from other text without asking anybody.
"""

import zlib

MARK = "chimney_"
RANDOM = 40
_CHECKSUM = 6
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def token_of(random: bytes) -> str:
    """The token of 40 random bytes or more. A byte past 247 (4 times 62) would favour some letters: give many more."""
    letters = [_LETTERS[byte % 62] for byte in random if byte < 248][:RANDOM]
    if len(letters) < RANDOM:
        raise ValueError("too few random bytes")
    body = "".join(letters)
    return f"{MARK}{body}{_sum_of(body)}"


def shown(token: str) -> str:
    """How it begins: enough to know it again, far too little to guess the rest (214 bits)."""
    return token[: len(MARK) + 4]


def is_whole(token: str) -> bool:
    """Whether it is a token at all, and no character of it was lost on the way."""
    body = token.removeprefix(MARK)
    return (
        token.startswith(MARK)
        and len(body) == RANDOM + _CHECKSUM
        and body.isascii()
        and _sum_of(body[:RANDOM]) == body[RANDOM:]
    )


def _sum_of(body: str) -> str:
    left, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM):
        left, digit = divmod(left, 62)
        digits = _LETTERS[digit] + digits
    return digits
