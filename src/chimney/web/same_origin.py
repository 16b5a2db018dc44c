"""The fence against other sites: an unsafe request must come from our own page, or from no page at all.

Browsers say where a request comes from (`Sec-Fetch-Site`, else `Origin`); programs say neither and bring a token.
"""

import re
from urllib.parse import urlsplit

from chimney.web.asgi import App, Receive, Scope, Send
from chimney.web.problem import ProblemError
from chimney.web.record import RequestRecord, record_of

_ADDRESS = re.compile(r"\[[0-9a-f:.]+\]|[0-9]{1,3}(\.[0-9]{1,3}){3}")
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))


def foreign(record: RequestRecord) -> str | None:
    """Where the request comes from when that is another site; None when it is ours or says nothing."""
    site = record.headers.get(b"sec-fetch-site")
    if site is not None:
        return None if site in (b"same-origin", b"none") else f"a page of another site ({site.decode('latin-1')[:20]})"
    origin = record.headers.get(b"origin")
    if origin is None:
        return None
    try:
        scheme, host, *_ = urlsplit(origin.decode("latin-1"))
    except ValueError:
        scheme = host = ""
    same = host and host.lower() == record.headers.get(b"host", b"").decode("latin-1").lower()
    if scheme != "https" and record.secure:
        same = False  # the same name, as somebody on the way may answer for it
    return None if same else f"a page of {origin.decode('latin-1')[:100]!r}"


def rebound(record: RequestRecord) -> bool:
    """Whether the Host is a name that somebody on the internet may have let point at this machine (DNS rebinding).

    A page under such a name counts as our own to its browser. It matters where a request is trusted for coming from
    this machine: such a one must name an address, `localhost`, or a name without a dot, which the internet has not.
    """
    name = record.host.decode("latin-1").rpartition("@")[2].lower()
    name = name if name.startswith("[") else name.partition(":")[0].rstrip(".")
    return "." in name and not name.endswith(".localhost") and not _ADDRESS.fullmatch(name)


def same_origin(app: App) -> App:
    """ASGI: refuses unsafe methods from other sites with 403, before anything else looks at them."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        record = record_of(scope)
        if record.method not in _SAFE and (where := foreign(record)):
            raise ProblemError(403, "cross-site", f"This request was sent by {where}; only the table's own page may.")
        await app(scope, receive, send)

    return guarded
