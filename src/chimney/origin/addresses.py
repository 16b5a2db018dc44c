"""Our own address in what GitHub answered: clients follow `Link` and the URLs in bodies as they stand, and would leave.

`Link` is rewritten always. Bodies are rewritten for the drop-in base URL only, where the client takes us for GitHub:
PyGithub asks for the URL that a repository names, and refuses one that lies outside of its base.
"""

import re
from functools import lru_cache

from chimney.store.ports import StoredResponse
from chimney.web.asgi import Scope
from chimney.web.record import record_of

_LINK = re.compile(r'<[^>?]*\?([^>]*)>; rel="(next|prev|first|last)"')


def own_address(scope: Scope) -> str:
    """Scheme and host by which the client reached us."""
    record = record_of(scope)
    host = (record.host or b"localhost").decode("latin-1")
    secure = record.headers.get(b"x-forwarded-proto", b"") == b"https" or scope.get("scheme") == "https"
    return f"{'https' if secure else 'http'}://{host}"


@lru_cache(1024)
def links(address: str, stored: str) -> bytes:
    """The stored `Link` header with `address` before the query of each page."""
    pages = _LINK.findall(stored)
    return ", ".join(f'<{address}?{query}>; rel="{rel}"' for query, rel in pages).encode("latin-1", "replace")


_PLAIN_HOST = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+")


def body_for(response: StoredResponse, *, github: str, base: str) -> bytes:
    """The body with every URL below `github` below `base` instead; remembered for the base that asked last.

    A Host header that is no host (it would be put into JSON) leaves the body as it is.
    """
    held = response.rewritten
    if held is None or held[0] != base or held[1] is not response.body:
        if not _PLAIN_HOST.match(base) or '"' in base or "\\" in base:
            return response.body
        body = response.body.replace(f'"{github}/'.encode(), f'"{base}/'.encode())
        held = response.rewritten = (base, response.body, body)
    return held[2]
