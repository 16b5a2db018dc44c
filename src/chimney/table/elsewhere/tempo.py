"""Tempo. Times are whole seconds there, and without a range only recent data is searched."""

import json

import msgspec

from chimney.core.elsewhere.traces import otlp_spans, tempo_summary
from chimney.core.span_filter import SpanFilter
from chimney.table.elsewhere.asking import Source, SourceError
from chimney.wire.telemetry import SpanRow, TraceSummary

_SHAPE = (msgspec.ValidationError, AttributeError, KeyError, TypeError, ValueError)


def traceql(wanted: SpanFilter) -> str:
    """What is wanted, in Tempo's language; values are quoted as JSON, which it reads."""
    parts = [
        f"resource.service.name = {json.dumps(wanted.service)}" if wanted.service else "",
        f"name = {json.dumps(wanted.name)}" if wanted.name else "",
        f"status = {wanted.status}" if wanted.status else "",
        f"duration >= {wanted.least_ns}ns" if wanted.least_ns else "",
        f"duration <= {wanted.most_ns}ns" if wanted.most_ns else "",
    ]
    return "{ " + " && ".join(filter(None, parts)) + " }"


class Tempo(Source):
    async def services(self) -> dict[str, list[str]]:
        """The names of services. Raises SourceError."""
        answer = await self.ask("/api/v2/search/tag/resource.service.name/values")
        try:
            return {str(one["value"]): [] for one in answer.get("tagValues") or ()}
        except _SHAPE as error:
            raise self.unreadable(error) from None

    async def traces(self, wanted: SpanFilter, *, limit: int, from_ms: int, to_ms: int) -> list[TraceSummary]:
        """Newest first; some of those that match, says Tempo. Raises SourceError."""
        params = {
            "q": traceql(wanted),
            "limit": str(limit),
            "start": str(from_ms // 1000),
            "end": str(-(-to_ms // 1000)),
        }
        answer = await self.ask("/api/search", params)
        try:
            failed = wanted.status == "error"
            found = [tempo_summary(one, failed=failed) for one in answer.get("traces") or ()]
        except _SHAPE as error:
            raise self.unreadable(error) from None
        return sorted(found, key=lambda one: one.started_at, reverse=True)[:limit]

    async def trace(self, trace_id: str) -> list[SpanRow]:
        """Empty when it is not there. Raises SourceError."""
        try:
            answer = await self._by_id(trace_id)
            return otlp_spans(answer.get("trace") or answer)
        except SourceError as error:
            if error.status == 404:
                return []
            raise
        except _SHAPE as error:
            raise self.unreadable(error) from None

    async def _by_id(self, trace_id: str) -> dict[str, object]:
        """By its second API; by the first where that is all there is."""
        try:
            answer = await self.ask(f"/api/v2/traces/{trace_id}")
        except SourceError as error:
            if error.status not in (404, 405):
                raise
            answer = await self.ask(f"/api/traces/{trace_id}")
        return dict(answer)
