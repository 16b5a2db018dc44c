"""What a request shows of itself beside the session's cookie."""

import base64
import binascii
from urllib.parse import parse_qs

import msgspec

from chimney.web.record import RequestRecord


def bearer(record: RequestRecord) -> str | None:
    return _after(record, "bearer ")


def basic(record: RequestRecord) -> str | None:
    """The password: wallboards that know no bearer tokens send one there. The user's name does not matter."""
    packed = _after(record, "basic ")
    try:
        return base64.b64decode(packed, validate=True).decode("latin-1").partition(":")[2] if packed else None
    except (binascii.Error, ValueError):
        return None


def in_address(record: RequestRecord) -> str | None:
    """`link` of the query. For links only, which live in addresses anyway; never for API tokens."""
    return next(iter(parse_qs(record.query.decode("latin-1"), max_num_fields=20).get("link", ())), None)


def as_bearer(record: RequestRecord, token: str) -> RequestRecord:
    """The same request, had it sent this as a bearer token."""
    return msgspec.structs.replace(record, headers={b"authorization": b"Bearer " + token.encode("latin-1", "replace")})


def _after(record: RequestRecord, scheme: str) -> str | None:
    header = record.headers.get(b"authorization", b"").decode("latin-1")
    return header[len(scheme) :].strip() if header[: len(scheme)].lower() == scheme else None
