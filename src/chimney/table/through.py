"""Reading an origin's own answers through the table, so that the page needs neither its address nor its token."""

from typing import Annotated, Any

from litestar import MediaType, Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, PathParameter

from chimney.core.through import readable
from chimney.table.access import OPERATOR, VIEWER
from chimney.table.reach import Reach, RefusedError, UnansweredError
from chimney.web.problem import ProblemError
from chimney.wire.check import OriginCheck

SECONDS = 12.0  # an origin gives GitHub ten
MOST_PARAMS = 20
PathBelow = Annotated[str, PathParameter(description="Below the origin's /api, for example `github/actions/runs`.")]


async def _read(reach: Reach, name: str, path: str, params: dict[str, str]) -> bytes:
    asked = readable(path)
    if asked is None or name not in reach.origins:
        raise NotFoundException
    origin = reach.origins[name]
    try:
        return await reach.read(origin, asked, seconds=SECONDS, params=params)
    except RefusedError as refused:
        if refused.status in (401, 403):
            token = f"CHIMNEY_TABLE_ORIGIN_{name.upper().replace('-', '_')}_READ_TOKEN"
            detail = f"{name} does not take the table's read token: {refused.detail} Set {token}."
            raise ProblemError(502, "origin-refused-token", detail) from None
        raise ProblemError(
            refused.status, "origin-refused", f"{name}: {refused.detail}", errors=refused.errors
        ) from None
    except UnansweredError as error:
        raise ProblemError(502, "origin-unreachable", f"{name} gave no answer: {error.detail}.") from None


def routes(reach: Reach) -> list[Any]:
    @get("/api/origins/{origin:str}/{path:path}", opt=VIEWER, summary="An origin's own answer", tags=["origins"])
    async def through(request: Request[Any, Any, Any], origin: FromPath[str], path: PathBelow) -> Response[bytes]:
        """What the origin answers to this GET, asked with the table's read token: GitHub's data, edge, health history,
        deployments, cache, webhook deliveries, log level. 404 for anything else."""
        params = dict(list(request.query_params.items())[:MOST_PARAMS])
        body = await _read(reach, origin, path, params)
        return Response(body, media_type=MediaType.JSON, headers={"cache-control": "no-store"})

    @post(
        "/api/origins/{origin:str}/check",
        opt=OPERATOR,
        status_code=200,
        summary="Why an origin is not connected",
        tags=["origins"],
    )
    async def checked(origin: FromPath[str]) -> OriginCheck:
        """Tries each step of the way there now: name, connection, certificate, health, tokens, stream. Changes nothing;
        takes at most half a minute."""
        if origin not in reach.origins:
            raise NotFoundException
        return await reach.check(reach.origins[origin])

    return [through, checked]
