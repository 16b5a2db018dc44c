"""Why an origin is not connected: each step of the way, tried now."""

from enum import StrEnum

from chimney.wire.base import Message, Timestamp


class StepName(StrEnum):
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    HEALTH = "health"
    READ_TOKEN = "read_token"  # noqa: S105
    STREAM = "stream"
    OPERATE_TOKEN = "operate_token"  # noqa: S105


class Step(Message, frozen=True, kw_only=True):
    """`ok` is None for a step that was not tried, because one before it failed or there is nothing to try; `detail`
    says what was seen, `remedy` what to do when it is not ok."""

    step: StepName
    ok: bool | None
    detail: str
    remedy: str | None = None
    ms: float | None = None


class OriginCheck(Message, frozen=True, kw_only=True):
    """`ok` when no step failed."""

    origin: str
    url: str
    at: Timestamp
    ok: bool
    steps: list[Step]
