"""Each origin's cache, asked for when somebody looks."""

import asyncio
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import QueryParameter

from chimney.config import FollowedOrigin
from chimney.table.access import VIEWER
from chimney.table.reach import Reach, RefusedError, UnansweredError
from chimney.wire.base import Page
from chimney.wire.cache import CacheStats, OriginCache

SECONDS = 5.0
OriginQuery = Annotated[str | None, QueryParameter(max_length=100, description="One origin only.")]
LimitQuery = Annotated[int, QueryParameter(ge=1, le=500, description="Keys of each origin, at most.")]
BeforeQuery = Annotated[
    str | None, QueryParameter(max_length=2_000, description="`stats.next` of the page before; needs `origin`.")
]


async def _cache(reach: Reach, origin: FollowedOrigin, params: dict[str, str]) -> OriginCache:
    try:
        answer = await reach.read(origin, "/api/cache/stats", seconds=SECONDS, params=params)
        stats = msgspec.json.decode(answer, type=CacheStats)
    except UnansweredError as error:
        return OriginCache(origin=origin.name, stats=None, reason=error.detail)
    except RefusedError as error:
        said = f"it wants a read token: {error.detail}" if error.status in (401, 403) else error.detail
        return OriginCache(origin=origin.name, stats=None, reason=said)
    except (msgspec.DecodeError, RecursionError) as error:
        return OriginCache(origin=origin.name, stats=None, reason=f"its answer has another shape than ours: {error}")
    return OriginCache(origin=origin.name, stats=stats, reason=None)


def routes(reach: Reach) -> list[Any]:
    @get("/api/cache", opt=VIEWER, summary="Each origin's cache", tags=["cache"])
    async def caches(
        origin: OriginQuery = None, limit: LimitQuery = 100, before: BeforeQuery = None
    ) -> Page[OriginCache]:
        """As the origins tell it now. `next` is None: page the keys of one origin with `stats.next`."""
        wanted = [reach.find(origin, "query.origin")] if origin or before else list(reach.origins.values())
        params = {"limit": str(limit), **({"before": before} if before else {})}
        return Page(items=await asyncio.gather(*(_cache(reach, one, params) for one in wanted)))

    return [caches]
