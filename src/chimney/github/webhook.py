"""A webhook delivery as GitHub sends it: its signature, its headers, its body.

The signature is the HMAC of the raw bytes, so nothing is parsed before it was found right. Source: GitHub, validating
webhook deliveries.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from chimney.core.delivery import Delivery

BODY_LIMIT = 25 * 1024 * 1024  # GitHub's own cap: what is larger is never sent
_SIGNATURE = re.compile(rb"sha256=[0-9a-f]{64}")
_EVENT = re.compile(r"[a-z][a-z_]{0,63}")
_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
# What the rules read of a payload; the rest of it (up to 2,048 commits of a push) is never decoded
_READ = frozenset((
    "action", "number", "ref", "ref_type", "before", "after", "created", "deleted", "forced", "sha", "changes",
    "repository", "workflow_run", "workflow_job", "check_run", "check_suite", "pull_request", "issue", "label",
    "release", "deployment", "deployment_status", "milestone", "hook_id",
))  # fmt: skip
_decode_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class RefusedError(Exception):
    """The delivery cannot be taken. `fault` is the path of what is wrong, the message says what."""

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(message)
        self.fault = fault


class BadSignatureError(Exception):
    """Not signed with our secret. The message does not say in which way."""


class Head(NamedTuple):
    """What the headers say, all of it within bounds."""

    event: str
    id: str
    form: bool


class Signature:
    """The signature of a body that comes in pieces."""

    def __init__(self, secret: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Raises BadSignatureError when there is not exactly one well-formed `X-Hub-Signature-256`."""
        said = [value for name, value in headers if name.lower() == b"x-hub-signature-256"]
        if not secret or len(said) != 1 or not _SIGNATURE.fullmatch(said[0]):
            raise BadSignatureError
        self._said = said[0]
        self._mac = hmac.new(secret.encode(), digestmod=hashlib.sha256)

    def update(self, piece: bytes) -> None:
        self._mac.update(piece)

    def check(self) -> None:
        """Raises BadSignatureError unless the whole body was signed with the secret."""
        expected = b"sha256=" + self._mac.hexdigest().encode()
        if not hmac.compare_digest(expected, self._said):
            raise BadSignatureError


def is_shaped(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request has all the headers of a delivery of GitHub's, its signature right or wrong."""
    pairs = list(headers)
    try:
        Signature("any", pairs)
        read_head(pairs)
    except (BadSignatureError, RefusedError):
        return False
    return True


def read_head(headers: Iterable[tuple[bytes, bytes]]) -> Head:
    """Raises RefusedError naming the header that is missing, doubled or out of bounds."""
    pairs = [(name.lower(), value) for name, value in headers]
    content_type = _one(pairs, "content-type", re.compile(r"[\t\x20-\x7e]{1,200}")).partition(";")[0].strip().lower()
    if content_type not in ("application/json", "application/x-www-form-urlencoded"):
        raise RefusedError("header.content-type", "should be application/json or application/x-www-form-urlencoded")
    return Head(
        event=_one(pairs, "x-github-event", _EVENT),
        id=_one(pairs, "x-github-delivery", _ID),
        form=content_type != "application/json",
    )


def _one(pairs: list[tuple[bytes, bytes]], name: str, pattern: re.Pattern[str]) -> str:
    values = [value.decode("latin-1") for key, value in pairs if key == name.encode()]
    if len(values) != 1 or not pattern.fullmatch(values[0]):
        raise RefusedError(f"header.{name}", "is missing, given twice, or not what GitHub sends")
    return values[0]


def read_delivery(head: Head, body: bytes | bytearray) -> Delivery:
    """The delivery. Raises RefusedError when the body is not the JSON object that it should be."""
    raw = _form_field(body) if head.form else body
    try:
        parts = _decode_parts(raw)
        payload: dict[str, Any] = {name: msgspec.json.decode(parts[name]) for name in parts.keys() & _READ}
    except RecursionError:
        raise RefusedError("$", "is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError("$", f"is not a JSON object: {error}"[:300]) from None
    action, repository = payload.get("action"), payload.get("repository")
    name = repository.get("full_name") if isinstance(repository, dict) else None
    return Delivery(
        event=head.event,
        payload=payload,
        action=action[:64] if isinstance(action, str) else None,
        repo=name if isinstance(name, str) and len(name) <= 140 else None,
    )


def _form_field(body: bytes | bytearray) -> bytes:
    """GitHub's other content type: the JSON in the field `payload`."""
    try:
        fields = parse_qsl(body.decode("ascii"), strict_parsing=True, max_num_fields=4, errors="strict")
    except ValueError:
        fields = []
    payload = [value for name, value in fields if name == "payload"]
    if len(payload) != 1:
        raise RefusedError("payload", "is missing: a form delivery has its JSON in this field")
    return payload[0].encode()
