"""GitHub's answer to one request."""

from typing import NamedTuple

import httpx2
import msgspec


class Reply(NamedTuple):
    """GitHub's answer to one request. `body` is empty for a 304; `links` and `vary` are the raw header lines."""

    status: int
    headers: httpx2.Headers
    body: bytes

    @property
    def etag(self) -> str | None:
        return self.headers.get("etag")


def is_json(reply: Reply) -> bool:
    """Whether the body is whole JSON: a page of a proxy or a truncated body must never replace a good response."""
    if "json" not in reply.headers.get("content-type", ""):
        return False
    try:
        reply.body.decode()
        msgspec.json.decode(reply.body, type=msgspec.Raw)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return False
    return True
