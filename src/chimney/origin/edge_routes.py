"""The endpoints of the edge."""

from collections.abc import Callable
from typing import Annotated, Any, cast

from litestar import Request, get, post
from litestar.params import Body

from chimney.origin.edge_watch import EdgeWatch
from chimney.origin.switch import Switcher
from chimney.web.asgi import Scope
from chimney.web.record import record_of
from chimney.wire.edge import Edge, Switched, SwitchRequest


def routes(
    watch: EdgeWatch, switcher: Switcher, *, read_scope: Callable[..., None], operate_scope: Callable[..., None]
) -> list[Any]:
    @get("/api/edge", guards=[read_scope], summary="Caddy, and where it sends visitors", tags=["edge"])
    async def edge() -> Edge:
        """At most a second old. 200 also when Caddy cannot be reached: `reachable`, `trouble` and `detail` say so."""
        await watch.look()
        return watch.told()

    @post(
        "/api/edge/switch",
        guards=[operate_scope],
        summary="Send visitors to the other slot",
        tags=["edge"],
        status_code=200,
    )
    async def switch(data: Annotated[SwitchRequest, Body()], request: Request[Any, Any, Any]) -> Switched:
        """Checks the slot first; answers with what Caddy says afterwards. 409 when it is not well, or when somebody
        else changed the configuration; 503 when Caddy cannot be reached."""
        return await switcher.switch(data, record_of(cast("Scope", request.scope)))

    return [edge, switch]
