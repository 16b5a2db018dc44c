"""Secrets that are known when they are seen again, in whatever form."""

import base64
import secrets
from urllib.parse import quote


class Canaries:
    """`made` by name. Letters, `+` and `/` where the place allows it, so that escaping them shows."""

    def __init__(self) -> None:
        self.made: dict[str, str] = {}

    def new(self, name: str, *, plain: bool = False) -> str:
        between = "" if plain else "+/"
        self.made[name] = f"cn{secrets.token_hex(9)}{between}{secrets.token_hex(9)}"
        return self.made[name]

    def keep(self, name: str, value: str) -> str:
        """One that the product made."""
        self.made[name] = value
        return value

    def seen(self, outputs: dict[str, bytes]) -> list[str]:
        """`secret as form in output` for each that is found."""
        return [
            f"{name} as {form} in {output}"
            for name, value in self.made.items()
            for form, written in forms(value).items()
            for output, data in outputs.items()
            if written in data
        ]


def forms(value: str) -> dict[str, bytes]:
    raw = value.encode()
    texts = {"itself": value, "urlencoded": quote(value, safe=""), "hex": raw.hex(), "HEX": raw.hex().upper()}
    for offset in range(3):  # in base64 it depends on how many bytes come before
        for alphabet, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            texts[f"{alphabet} at {offset}"] = _middle(encode(bytes(offset) + raw).decode(), offset, len(raw))
    return {form: text.encode() for form, text in texts.items()}


def _middle(encoded: str, offset: int, length: int) -> str:
    """The characters that depend on the secret alone."""
    whole = encoded.rstrip("=")
    whole = whole[:-1] if (offset + length) % 3 else whole
    return whole[(0, 2, 3)[offset] :]
