"""Where somebody lands after signing in elsewhere: a path of our own page, whatever the address said."""

import re
from urllib.parse import unquote

HOME = "/"
_PLAIN = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@/?%#\[\]-]{0,1500}")


def landing(wanted: str | None) -> str:
    """`wanted` when it is a path of the page, else `/`.

    A browser reads `//host`, `/\\host` and, past dot segments or after dropping tabs, other forms too as another
    host. So only plain characters, no empty and no dot segment, also not percent-encoded, once or twice.
    """
    if not wanted or not _PLAIN.fullmatch(wanted):
        return HOME
    path = re.split(r"[?#]", wanted, maxsplit=1)[0]
    for seen in (path, unquote(path), unquote(unquote(path))):
        segments = seen[1:].split("/")
        strange = not (seen.isascii() and seen.isprintable()) or "\\" in seen
        if strange or any(one in ("", ".", "..") for one in segments[:-1]) or ".." in segments[-1:]:
            return HOME
    return HOME if path == "/api" or path.startswith(("/api/", "/v1/", "/tv/")) else wanted
