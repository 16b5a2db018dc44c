"""Which spans a reader asked for."""

import msgspec

from chimney.wire.telemetry import SpanRow, SpanStatus


class SpanFilter(msgspec.Struct, frozen=True, kw_only=True):
    """None filters nothing. `from_ms` is included, `to_ms` is not; both are Unix milliseconds of the span's start, or
    of its arrival when the start is not believed."""

    service: str | None = None
    name: str | None = None
    status: SpanStatus | None = None
    least_ns: int | None = None
    most_ns: int | None = None
    from_ms: int | None = None
    to_ms: int | None = None

    def accepts(self, span: SpanRow, *, at_ms: int) -> bool:
        return (
            (self.service is None or span.service == self.service)
            and (self.name is None or span.name == self.name)
            and (self.status is None or span.status == self.status)
            and (self.least_ns is None or span.duration_ns >= self.least_ns)
            and (self.most_ns is None or span.duration_ns <= self.most_ns)
            and (self.from_ms is None or at_ms >= self.from_ms)
            and (self.to_ms is None or at_ms < self.to_ms)
        )
