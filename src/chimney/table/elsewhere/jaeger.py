"""Jaeger: its API v3, and the older one of servers that have no v3. No result is 404 there, not an empty list."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from chimney.core.elsewhere.traces import legacy_spans, otlp_spans, summaries
from chimney.core.records import rfc3339
from chimney.core.span_filter import SpanFilter
from chimney.table.elsewhere.asking import Source, SourceError
from chimney.wire.telemetry import SpanRow, TraceSummary

MOST_SERVICES = 10  # asked one by one when no service is chosen: Jaeger's stores want one
_SHAPE = (msgspec.ValidationError, AttributeError, KeyError, TypeError, ValueError)


class Jaeger(Source):
    """`legacy` is known after the first question."""

    legacy = False

    async def services(self) -> dict[str, list[str]]:
        """The names of spans by service. Raises SourceError."""
        answer = await self._either("/api/v3/services", "/api/services")
        names = answer.get("services") or answer.get("data") or []
        return {str(name): [] for name in names}

    async def traces(self, wanted: SpanFilter, *, limit: int, from_ms: int, to_ms: int) -> list[TraceSummary]:
        """Newest first. Raises SourceError."""
        services = [wanted.service] if wanted.service else list(await self.services())[:MOST_SERVICES]
        found = await asyncio.gather(*(self._search(name, wanted, limit, from_ms, to_ms) for name in services))
        rows = {(row.trace_id, row.span_id): row for part in found for row in part}
        return summaries(rows.values(), lambda row: wanted.accepts(row, at_ms=row.start_ns // 1_000_000))[:limit]

    async def trace(self, trace_id: str) -> list[SpanRow]:
        """Empty when it is not there. Raises SourceError."""
        return await self._spans(f"/api/v3/traces/{trace_id}", f"/api/traces/{trace_id}")

    async def _search(self, service: str, wanted: SpanFilter, limit: int, from_ms: int, to_ms: int) -> list[SpanRow]:
        least, most = _durations(wanted)
        newer = {
            "query.serviceName": service,
            "query.operationName": wanted.name,
            "query.startTimeMin": rfc3339(from_ms),
            "query.startTimeMax": rfc3339(to_ms),
            "query.durationMin": least,
            "query.durationMax": most,
            "query.searchDepth": str(limit),
        }
        older = {
            "service": service,
            "operation": wanted.name,
            "start": str(from_ms * 1000),
            "end": str(to_ms * 1000),
            "minDuration": least,
            "maxDuration": most,
            "limit": str(limit),
        }
        return await self._spans("/api/v3/traces", "/api/traces", _said(newer), _said(older))

    async def _spans(
        self, path: str, older: str, params: Mapping[str, str] | None = None, old: Mapping[str, str] | None = None
    ) -> list[SpanRow]:
        try:
            answer = await self._either(path, older, params, old)
            if self.legacy:
                return [row for trace in answer.get("data") or () for row in legacy_spans(trace)]
            return otlp_spans(answer.get("result") or {})
        except SourceError as error:
            if error.status == 404:
                return []
            raise
        except _SHAPE as error:
            raise self.unreadable(error) from None

    async def _either(
        self, path: str, older: str, params: Mapping[str, str] | None = None, old: Mapping[str, str] | None = None
    ) -> Any:
        """By API v3, unless the server turned out not to have it."""
        if not self.legacy:
            try:
                return await self.ask(path, params)
            except SourceError as error:
                if error.status not in (404, 405) or await self._has_v3():
                    raise
                self.legacy = True
        return await self.ask(older, old)

    async def _has_v3(self) -> bool:
        """A 404 may mean no such trace, or no such API: the list of services is there whenever the API is."""
        try:
            await self.ask("/api/v3/services")
        except SourceError as error:
            return error.status not in (404, 405)
        return True


def _durations(wanted: SpanFilter) -> tuple[str | None, str | None]:
    """As Go says them."""
    least, most = wanted.least_ns, wanted.most_ns
    return (f"{least}ns" if least else None, f"{most}ns" if most else None)


def _said(params: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in params.items() if value is not None}
