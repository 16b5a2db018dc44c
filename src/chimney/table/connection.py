"""What an answer tells beside its content: the clock of who gave it, and its certificate."""

import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from chimney.core.facts import Certificate


def date_of(response: httpx2.Response) -> datetime | None:
    """The Date header, None when there is none that can be read."""
    try:
        at = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def certificate_of(response: httpx2.Response) -> Certificate | None:
    """Of the connection that the answer came by; None when it came without TLS."""
    stream = response.extensions.get("network_stream")
    secured = stream.get_extra_info("ssl_object") if stream else None
    said = secured.getpeercert() if secured else None
    try:
        return Certificate(not_before=_at(said["notBefore"]), not_after=_at(said["notAfter"])) if said else None
    except (KeyError, ValueError, OverflowError):
        return None


def _at(text: object) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(text)), UTC)
