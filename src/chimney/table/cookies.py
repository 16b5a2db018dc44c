"""Our cookies.

Over TLS they are named `__Host-…`, which browsers take only from this very host, over TLS, for all of it: a sibling of
ours can then neither set one nor see it. Over plain HTTP browsers refuse such names, so they are plain.
"""

import hashlib
from http.cookies import CookieError, SimpleCookie
from typing import Literal

from litestar.datastructures import Cookie

from chimney.web.record import RequestRecord

SESSION = "chimney_session"
DEVICE = "chimney_device"
SIGN_IN = "chimney_sign_in"


def hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _named(record: RequestRecord, name: str) -> str:
    return f"__Host-{name}" if record.secure else name


def read_cookie(record: RequestRecord, name: str) -> str | None:
    """Over TLS only the one with the strict name: a plain one may be of a sibling's making."""
    try:
        morsel = SimpleCookie(record.headers.get(b"cookie", b"").decode("latin-1")).get(_named(record, name))
    except CookieError:
        return None
    return morsel.value if morsel and morsel.value else None


def set_cookie(
    record: RequestRecord, name: str, value: str, *, max_age: int, same_site: Literal["lax", "strict"] = "lax"
) -> Cookie:
    """`max_age` 0 takes it away."""
    return Cookie(
        key=_named(record, name),
        value=value,
        max_age=max_age,
        path="/",
        httponly=True,
        samesite=same_site,
        secure=record.secure or None,
    )
