"""The fingerprint of an error: what two occurrences of one fault have in common.

Type, route template and the innermost frames by file and function. Neither messages nor line numbers: a message holds
what was asked, and a line moves with every deployment.
"""

from collections.abc import Sequence
from hashlib import blake2b

TOP = 3


def fingerprint(kind: str, route: str, frames: Sequence[tuple[str, str]] = ()) -> str:
    """16 hexadecimal digits. `frames` are (file, function), outermost first; only the last `TOP` count."""
    top = [f"{_module(file)}:{function}" for file, function in frames[-TOP:]]
    return blake2b("\n".join([kind, route, *top]).encode("utf-8", "replace"), digest_size=8).hexdigest()


def _module(file: str) -> str:
    """The end of a path: where a package is installed differs from host to host."""
    return "/".join(file.replace("\\", "/").split("/")[-2:])
