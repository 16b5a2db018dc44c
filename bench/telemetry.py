"""Records, spans and stores to measure with: what a web service of a small team would send."""

import random
from collections.abc import Iterator

from chimney.core.records import Record
from chimney.wire.telemetry import SpanRow

ROUTES = ("/api/orders", "/api/orders/{id}", "/api/cart", "/api/login", "/static/{file}", "/api/search")
LEVELS = (20,) * 90 + (10,) * 4 + (30,) * 4 + (40,) * 2
_random = random.Random(7)


def identifier(bytes_: int) -> str:
    return _random.getrandbits(bytes_ * 8).to_bytes(bytes_, "big").hex()


def records(count: int, *, first_ms: int, span_ms: int) -> Iterator[Record]:
    """Evenly over the time; every third begins a new request, and so has ids that nobody else has."""
    request, trace = identifier(8), identifier(16)
    for number in range(count):
        if number % 3 == 0:
            request, trace = identifier(8), identifier(16)
        route = _random.choice(ROUTES)
        yield Record(
            ts_ms=first_ms + number * span_ms // count,
            level=_random.choice(LEVELS),
            message=f"GET {route} took {_random.randrange(2, 400)} ms for customer {_random.randrange(5_000)}",
            logger="shop.http",
            request_id=request,
            trace_id=trace,
            fields={"route": route, "status": 200, "latency_ms": _random.randrange(4_000) / 10, "region": "eu-1"},
            service="shop",
        )


def spans(count: int, *, at_ms: int) -> Iterator[SpanRow]:
    trace = identifier(16)
    for number in range(count):
        if number % 4 == 0:
            trace = identifier(16)
        yield SpanRow(
            trace_id=trace,
            span_id=identifier(8),
            service="shop",
            name=f"GET {_random.choice(ROUTES)}",
            kind="server",
            start_ns=(at_ms + number % 1000) * 1_000_000,
            duration_ns=_random.randrange(10**9),
            attributes={"http.response.status_code": 200, "http.route": "/api/orders"},
            resource={"service.name": "shop", "service.version": "1.2.3"},
        )
