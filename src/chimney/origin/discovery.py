"""The repositories of an organisation: asked for every 15 minutes and whenever a webhook tells of one.

Archived ones and those that the settings exclude are left out. The list goes through the cache, so it costs nothing
while it is the same.
"""

import logging
from collections.abc import Sequence

import msgspec

from chimney.core.grammar import Kind
from chimney.core.pipeline import last_page
from chimney.github.errors import GitHubError
from chimney.origin.answer import Key
from chimney.origin.audience import Admits
from chimney.origin.cache import GitHubCache
from chimney.origin.watched import Watched
from chimney.web.asgi import Receive, Scope, Send, respond
from chimney.web.problem import ProblemError, method_not_allowed, not_found
from chimney.web.record import record_of
from chimney.wire.github import Repository
from chimney.wire.pipeline import OrganisationRepositories, OrganisationRepository

PATH = "/api/github/org/repos"
EVERY_SECONDS, AGAIN_SECONDS = 900.0, 60.0
PAGES = 5  # of a hundred
log = logging.getLogger(__name__)


class Discovery:
    """`org` None: nothing is discovered, and `run` only tells what is named."""

    def __init__(
        self, cache: GitHubCache, watched: Watched, audience: Admits, *, org: str | None, exclude: Sequence[str]
    ) -> None:
        self._cache = cache
        self._watched = watched
        self._audience = audience
        self._org = org
        self._exclude = {name.lower() for name in exclude}
        self._listed: dict[str, Repository] = {}

    async def run(self) -> float:
        """A loop's verb."""
        if self._org is None:
            return EVERY_SECONDS
        try:
            listed = await self._listing(self._org)
        except (GitHubError, msgspec.DecodeError, UnicodeDecodeError) as error:
            log.warning("the repositories of %s could not be listed: %s", self._org, str(error)[:200])
            return AGAIN_SECONDS
        self._listed = {one.full_name.lower(): one for one in listed}
        for one in listed:
            self._watched.learn(one.full_name, private=one.private)
        came, went = self._watched.found([one.full_name for one in listed if self._wanted(one)])
        if came or went:
            log.info("repositories of %s: %d new, %d gone", self._org, len(came), len(went))
        return EVERY_SECONDS

    def _wanted(self, one: Repository) -> bool:
        return not one.archived and not {one.name.lower(), one.full_name.lower()} & self._exclude

    async def _listing(self, org: str) -> list[Repository]:
        """Raises GitHubError, or msgspec.DecodeError for another shape than documented."""
        first = await self._page(org, 1)
        pages = min(last_page(first[1]) or 1, PAGES)
        listed = first[0]
        for page in range(2, pages + 1):
            listed += (await self._page(org, page))[0]
        return listed

    def _key(self, org: str, page: int) -> Key:
        query = "per_page=100" if page == 1 else f"page={page}&per_page=100"
        return self._cache.key(Kind.REPOSITORIES, f"/orgs/{org}/repos", query)

    async def _page(self, org: str, page: int) -> tuple[list[Repository], str | None]:
        response = (await self._cache.look(self._key(org, page))).response
        if response.status != 200:
            raise GitHubError(f"GitHub answered {response.status}")
        return msgspec.json.decode(response.body, type=list[Repository]), response.links

    async def listed(self, scope: Scope) -> OrganisationRepositories:
        """Those that this request may see."""
        org = self._org or (self._watched.main or "").partition("/")[0]
        reads = self._audience.may_read(scope)
        items = []
        for name in list(self._watched.names):
            try:
                if not reads and not await self._audience.admit(name, scope):
                    continue
                items.append(_item(await self._repository(name)))
            except ProblemError:
                continue
        mode = "org" if self._org else "single-repo"
        return OrganisationRepositories(org=org, mode=mode, repos=items)

    async def _repository(self, name: str) -> Repository:
        """Raises ProblemError."""
        found = self._listed.get(name.lower())
        if found is not None:
            return found
        response = (await self._cache.get(self._cache.key(Kind.REPOSITORY, f"/repos/{name}"))).response
        try:
            return msgspec.json.decode(response.body, type=Repository)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ProblemError(502, "github-unexpected", f"GitHub says nothing of use about {name}.") from None

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """`GET /api/github/org/repos`, plain ASGI because it lies below the proxy's prefix."""
        record = record_of(scope)
        if scope["path"] != PATH:
            raise not_found(scope["path"][:200])
        record.route = PATH
        if record.method not in ("GET", "HEAD"):
            raise method_not_allowed(record.method, ["GET", "HEAD"])
        body = msgspec.json.encode(await self.listed(scope))
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await respond(send, 200, body, headers, head_only=record.method == "HEAD")


def _item(one: Repository) -> OrganisationRepository:
    return OrganisationRepository(
        full_name=one.full_name,
        name=one.name,
        description=one.description,
        language=one.language,
        open_issues_count=one.open_issues_count,
        updated_at=one.updated_at,
        html_url=one.html_url,
    )
