"""Text from outside, made safe to keep and to show: secrets masked, control characters visible, length bounded."""

import re
from functools import lru_cache

LONGEST = 8_192
LONGEST_SECRET = 512  # a secret that the cut would halve is masked first
MASKED = "…masked"
_NAME = r"[a-z0-9_.-]{0,40}(?:token|secret|passw(?:or)?d|api[-_]?key|signature|credential)[a-z0-9_.-]{0,40}"
_IN_QUERY = rf"(?:{_NAME}|[a-z0-9_.-]{{0,40}}[_-]key|key|code|sig|auth|pwd)"  # `code` is OAuth's; not status_code
# each begins with a character of its own, or is looked for only where its word is: what holds no secret costs a scan
_SHAPES = re.compile(
    r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|A[KS]IA[0-9A-Z]{16}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}"
    r"|glpat-[A-Za-z0-9_-]{16,}"
    r"|chimtv_[A-Za-z0-9_-]{16,}|chimney_[A-Za-z0-9]{46}"
)
_BEARER = re.compile(r"bearer\s+[A-Za-z0-9._~+/=-]{12,}", re.IGNORECASE)
_PRIVATE_KEY = re.compile(r"(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)[^-]{1,8192}")
_QUERY = re.compile(rf"([?&;](?i:{_IN_QUERY})=)[^&;\s]+")
_USER = re.compile(r"(://[^/\s:@]{0,100}:)[^/\s@]{1,200}(?=@)")
_SCHEME = r"(?:basic|bearer|digest|token|aws4-[a-z0-9-]{1,20})\s{1,4}"
_HEADER = re.compile(rf"(authorization['\"]?\s{{0,4}}[:=]\s{{0,4}}['\"]?(?:{_SCHEME})?)[^\s'\"]+", re.IGNORECASE)
_SECRET_NAME = re.compile(rf"(?:{_NAME}|authorization|(?:set-)?cookie)", re.IGNORECASE)
# C0 but tab and line feed, DEL, C1, bidirectional controls, zero-width characters, lone surrogates
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")

# in lower case: without one of these, JSON of ASCII holds no text that `safe` changes but for its length
_TELLING = (
    *(b"=", b"\\", b"\x7f", b"://", b"-----begin", b"authorization", b"bearer"),
    *(b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_", b"akia", b"asia", b"eyj", b"glpat-"),
    *(b"chimtv_", b"chimney_"),  # ours: a link to the wall, an API token
)


def is_plain(data: bytes) -> bool:
    """Whether no text in this JSON needs to be made `safe`, unless it is too long: a look at all of them at once."""
    lower = data.lower()
    return data.isascii() and not any(map(lower.__contains__, _TELLING))


def _mask(match: re.Match[str]) -> str:
    return match.group()[:4] + MASKED


def _show(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"


@lru_cache(1024)
def names_a_secret(name: str) -> bool:
    """Whether a text of that name is not to be shown, whatever it looks like."""
    return _SECRET_NAME.fullmatch(name, 0, 200) is not None


def _masked(text: str) -> str:
    if "=" in text:
        text = _QUERY.sub(rf"\1{MASKED}", text)
    if "://" in text:
        text = _USER.sub(rf"\1{MASKED}", text)
    if "-----BEGIN" in text:
        text = _PRIVATE_KEY.sub(rf"\1{MASKED}", text)
    lower = text.lower()
    if "authorization" in lower:
        text = _HEADER.sub(rf"\1{MASKED}", text)
    if "bearer" in lower:
        text = _BEARER.sub(_mask, text)
    return _SHAPES.sub(_mask, text)


def safe(text: str, *, longest: int = LONGEST) -> str:
    """`text` with secrets masked and invisible characters spelled out; cut with its length named past `longest`."""
    whole = len(text)
    shown = _masked(text[: longest + LONGEST_SECRET])
    if whole > longest:
        shown = f"{shown[:longest]}… ({whole} characters)"
    return _UNSEEN.sub(_show, shown)
