"""The endpoints of the edge."""

from collections.abc import Callable
from typing import Any

from litestar import get

from chimney.origin.edge_watch import EdgeWatch
from chimney.wire.edge import Edge


def routes(watch: EdgeWatch, *, read_scope: Callable[..., None]) -> list[Any]:
    @get("/api/edge", guards=[read_scope], summary="Caddy, and where it sends visitors", tags=["edge"])
    async def edge() -> Edge:
        """At most a second old. 200 also when Caddy cannot be reached: `reachable`, `trouble` and `detail` say so."""
        await watch.look()
        return watch.told()

    return [edge]
