"""Health of other addresses, as this origin's probes find it."""

from enum import StrEnum

from chimney.wire.base import Message, Timestamp


class Stage(StrEnum):
    """How far a probe that failed had come."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    REDIRECT = "redirect"
    STATUS = "status"
    PROTOCOL = "protocol"


class ProbeResult(Message, frozen=True, kw_only=True):
    """One probe. `stage` and `error` are None when it succeeded; `status` is None when there was no answer.

    `latency_ms` is the time until the answer, connecting included; None when there was none.
    """

    at: Timestamp
    ok: bool
    status: int | None
    latency_ms: float | None
    error: str | None
    stage: Stage | None = None
    certificate_days_left: float | None = None


class Streak(Message, frozen=True, kw_only=True):
    """The present run of probes with the same outcome, as far back as results are kept."""

    ok: bool
    count: int
    since: Timestamp


class ProbedOrigin(Message, frozen=True, kw_only=True):
    """`results` are the last ones, newest first. `uptime_pct` has `1h`, `24h`, `7d`, None where nothing was probed."""

    origin: str
    url: str
    results: list[ProbeResult]
    uptime_pct: dict[str, float | None]
    streak: Streak | None


class ProbedMinute(Message, frozen=True, kw_only=True):
    """`minute` counts from the Unix epoch; `good` of `made` probes succeeded in it."""

    minute: int
    good: int
    made: int
