"""Text from outside, made safe to keep and to show: secrets masked, control characters visible, length bounded."""

import re

LONGEST = 8_192
LONGEST_SECRET = 512  # a secret that the cut would halve is masked first
_SECRETS = re.compile(
    r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|AKIA[0-9A-Z]{16}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}"
    r"|(?i:bearer\s+)[A-Za-z0-9._~+/=-]{12,}"
    r"|(?P<name>(?i:(?<=[?&])[a-z_-]{0,40}(?:token|secret|password|api_?key|signature)[a-z_-]{0,40}=))[^&\s]+"
)
# C0 but tab and line feed, DEL, C1, bidirectional controls, zero-width characters, lone surrogates
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def _mask(match: re.Match[str]) -> str:
    return (match["name"] or match.group()[:4]) + "…masked"


def _show(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"


def _harmless(text: str) -> bool:
    """Quick, for the many short texts: printable ASCII without anything that a secret has."""
    return (
        text.isascii()
        and text.isprintable()
        and not ("_" in text and ("gh" in text or "github_pat" in text))
        and not ("=" in text and ("?" in text or "&" in text))
        and "AKIA" not in text
        and "eyJ" not in text
        and (" " not in text or "bearer" not in text.lower())
    )


def safe(text: str, *, longest: int = LONGEST) -> str:
    """`text` with secrets masked and invisible characters spelled out; cut with its length named past `longest`."""
    whole = len(text)
    if whole <= longest and _harmless(text):
        return text
    shown = _SECRETS.sub(_mask, text[: longest + LONGEST_SECRET])
    if whole > longest:
        shown = f"{shown[:longest]}… ({whole} characters)"
    return _UNSEEN.sub(_show, shown)
