"""Which finished requests are exported as traces: decided at the end, when the outcome is known. No I/O and no clock.

An exported span costs about 75 µs of processor time, nearly all of it protobuf encoding: at most `MOST_PER_SECOND`
(4 % of a core) leave by whatever rule, so that no flood of errors and no caller who marks everything makes it more.
"""

from enum import StrEnum

import msgspec

MOST_PER_SECOND = 500
SLOW_SECONDS = 1.0
_LOW_HALF = (1 << 64) - 1  # of a trace id: what OpenTelemetry's ratio looks at


class Reason(StrEnum):
    """Why a request is exported; `chimney.export.reason` of its span."""

    ERROR = "error"  # answered 5xx
    MISS = "miss"  # another server was asked for it
    SLOW = "slow"
    CALLER = "caller"  # whose traceparent said: sampled
    SHARE = "share"  # one of so many a second
    SAMPLER = "sampler"  # OTEL_TRACES_SAMPLER chose it


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the rule looks at. `parent` is the caller's sampled flag, None when it sent no traceparent.

    `routine` marks what machines ask all day: probes, scrapes and the table's own questions.
    """

    trace_id: str
    status: int
    seconds: float
    cache: str | None = None
    called: bool = False
    parent: bool | None = None
    routine: bool = False


class Sampler(msgspec.Struct, frozen=True, kw_only=True):
    """One of the samplers that OpenTelemetry's specification names."""

    ratio: float
    parent_based: bool

    def wants(self, trace_id: str, parent: bool | None) -> bool:
        if self.parent_based and parent is not None:
            return parent
        return (int(trace_id, 16) & _LOW_HALF) < round(self.ratio * (1 << 64))


_RATIOS = {"always_on": 1.0, "always_off": 0.0, "traceidratio": None}


def sampler_of(name: str, argument: str) -> Sampler:
    """What OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG say. Raises ValueError, with what they should say."""
    kind = name.strip().lower()
    base = kind.removeprefix("parentbased_")
    if base not in _RATIOS:
        raise ValueError(f"OTEL_TRACES_SAMPLER: {name[:40]!r} is none of {', '.join(sorted(_RATIOS))}, parentbased_…")
    ratio = _RATIOS[base]
    if ratio is None:
        ratio = _ratio(argument)
    return Sampler(ratio=ratio, parent_based=kind != base)


def _ratio(argument: str) -> float:
    try:
        ratio = float(argument or "1")
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        raise ValueError(f"OTEL_TRACES_SAMPLER_ARG: {argument[:40]!r} should be a ratio between 0 and 1")
    return ratio


class Selection:
    """The rule, with what it has let through in the running second."""

    def __init__(
        self, *, per_second: float, slow_seconds: float = SLOW_SECONDS, sampler: Sampler | None = None
    ) -> None:
        self._per_second = per_second
        self._slow_seconds = slow_seconds
        self._sampler = sampler
        self._most = float("inf") if per_second == float("inf") or sampler else MOST_PER_SECOND
        self._second = 0
        self._shared = 0
        self._passed = 0
        self.passed_over = 0

    def reason(self, outcome: Outcome, *, now: float) -> Reason | None:
        """Why it is exported; None when it is not. Counted in `passed_over` when only the flood kept it back."""
        if int(now) != self._second:
            self._second, self._shared, self._passed = int(now), 0, 0
        why = self._why(outcome)
        if why is None:
            return None
        if self._passed >= self._most:
            self.passed_over += 1
            return None
        self._passed += 1
        self._shared += why is Reason.SHARE
        return why

    def spent_below(self, now: float) -> float:
        """A plain hit that took fewer seconds has no chance in this second: told without looking any closer."""
        full = self._shared >= self._per_second and int(now) == self._second
        return self._slow_seconds if full and self._sampler is None else 0.0

    def _why(self, outcome: Outcome) -> Reason | None:
        if self._sampler is not None:
            return Reason.SAMPLER if self._sampler.wants(outcome.trace_id, outcome.parent) else None
        if outcome.status >= 500:
            return Reason.ERROR
        if outcome.called or outcome.cache == "miss":
            return Reason.MISS
        if outcome.seconds >= self._slow_seconds:
            return Reason.SLOW
        if outcome.parent:
            return Reason.CALLER
        if self._shared < self._per_second and (not outcome.routine or self._per_second == float("inf")):
            return Reason.SHARE
        return None

    def goes_on(self, trace_id: str, parent: bool | None) -> bool:
        """What a call to another server is told of its trace while the request runs: asking makes it a miss."""
        return self._sampler.wants(trace_id, parent) if self._sampler is not None else True
