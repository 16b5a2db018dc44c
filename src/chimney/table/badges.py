"""For READMEs and wallboards: badges, and CCTray XML.

A badge that may not be seen looks like one of an origin that there is not.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from litestar import Response, get
from litestar.params import FromPath

from chimney.core import badge, cctray
from chimney.store.links import StoredLink
from chimney.table.access import PUBLIC, WALLBOARD, AnyRequest, link_of
from chimney.table.overview import Board
from chimney.table.pipelines import Pipelines
from chimney.web.asgi import Scope
from chimney.web.caching import matches
from chimney.web.problem import ProblemError
from chimney.web.record import RequestRecord, record_of
from chimney.wire.origin import OriginState, PlacedRun

CCTRAY_SECONDS = 10.0  # wallboards ask often, and each time all of GitHub's runs would be read
AGE_SECONDS = 60
MOST_DEPLOYMENTS = 1_000
_DRAWN = {"uptime.svg": badge.uptime, "deploy.svg": badge.deploy, "pipeline.svg": badge.pipeline}
_SVG = {"content-security-policy": "default-src 'none'", "x-content-type-options": "nosniff"}
Admit = Callable[[RequestRecord], StoredLink | None]


class Runs(NamedTuple):
    runs: list[PlacedRun]
    branches: dict[str, str]


class Wallboards:
    """`admit` gives the link that a request shows, None when somebody signed in; it raises ProblemError 401. `shown` is
    CHIMNEY_TABLE_BADGES."""

    def __init__(self, board: Board, pipelines: Pipelines, *, admit: Admit, shown: str) -> None:
        self._board = board
        self._pipelines = pipelines
        self._admit = admit
        self._shown = shown
        self._lock = asyncio.Lock()
        self._read = (0.0, Runs([], {}))

    def badge(self, name: str, drawn: str, record: RequestRecord) -> tuple[badge.Badge, bool]:
        """And whether everybody may see it. Raises LookupError when there is none for this request."""
        origin = next((one for one in self._board.origins() if one.name == name), None)
        if origin is None or drawn not in _DRAWN:
            raise LookupError
        public = self._shown == "public" or (self._shown == "auto" and _is_told_to_all(origin, drawn))
        if not public and not self._may_see(name, record):
            raise LookupError
        return _DRAWN[drawn](origin), public

    def _may_see(self, name: str, record: RequestRecord) -> bool:
        try:
            link = self._admit(record)
        except ProblemError:
            return False
        return link is None or not link.origins or name in link.origins

    async def cctray(self, link: StoredLink | None) -> str:
        async with self._lock:
            if time.monotonic() - self._read[0] > CCTRAY_SECONDS or not self._read[0]:
                runs, branches = await asyncio.gather(
                    self._pipelines.runs(origin=None, page=1), self._pipelines.branches()
                )
                self._read = (time.monotonic(), Runs(runs.items, branches))
        only = frozenset(link.origins) if link else frozenset[str]()
        runs_read, branches_read = self._read[1]
        projects = cctray.of_runs([one for one in runs_read if not only or one.origin in only], branches_read)
        held = [one for one in self._board.deployments() if not only or one.origin in only]
        return cctray.xml([*projects, *cctray.of_deployments(held[:MOST_DEPLOYMENTS])])


def _is_told_to_all(origin: OriginState, drawn: str) -> bool:
    """As the origin does it: its health always, what comes of the repository while that is public."""
    return drawn == "uptime.svg" or (origin.health is not None and origin.health.repo_public is True)


def routes(wallboards: Wallboards) -> list[Any]:
    @get(
        "/badge/{origin:str}/{drawn:str}",
        opt=PUBLIC,
        summary="A badge for a README",
        tags=["wall"],
        media_type="image/svg+xml",
    )
    async def drawn_badge(request: AnyRequest, origin: FromPath[str], drawn: FromPath[str]) -> Response[bytes]:
        """`uptime.svg`, `deploy.svg` or `pipeline.svg`. Grey and 404 when there is no such origin, or it is not for
        everybody and the request shows neither session nor link (`?link=`, or as CCTray's)."""
        record = record_of(cast("Scope", request.scope))
        try:
            found, public = wallboards.badge(origin, drawn, record)
        except LookupError:
            return _svg(badge.svg(badge.UNKNOWN).encode(), status=404, kept="no-store")
        body = badge.svg(found).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
        kept = f"public, max-age={AGE_SECONDS}" if public else "private, no-cache"
        same = matches(request.headers.get("if-none-match", ""), etag)
        return _svg(b"" if same else body, status=304 if same else 200, kept=kept, etag=etag)

    @get("/api/cctray.xml", opt=WALLBOARD, summary="CCTray XML", tags=["wall"], media_type="application/xml")
    async def cctray_xml(request: AnyRequest) -> Response[str]:
        """One project for each workflow on a default branch, and for each environment that is deployed to. For
        wallboards: a link or API token as bearer token or as password of Basic, or a link as `link` in the address."""
        text = await wallboards.cctray(link_of(cast("Scope", request.scope)))
        return Response(
            text, media_type="application/xml; charset=utf-8", headers={"cache-control": "private, no-cache"}
        )

    return [drawn_badge, cctray_xml]


def _svg(body: bytes, *, status: int, kept: str, etag: str | None = None) -> Response[bytes]:
    headers = {**_SVG, "cache-control": kept, **({"etag": etag} if etag else {})}
    return Response(body, status_code=status, media_type="image/svg+xml; charset=utf-8", headers=headers)
