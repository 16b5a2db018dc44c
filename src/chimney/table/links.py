"""Links to the wall: whoever has the address may read the wall, and nothing else, until it expires or is revoked.

Held in memory and written through, so that asking who has one costs no disk. A token is 256 random bits and is kept as
its SHA-256; revoking one ends its streams at once, expiring within two seconds.
"""

import secrets
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath, JSONBody

from chimney.store.links import LinkStore, StoredLink
from chimney.table.access import OPERATOR, AnyRequest, asker_of
from chimney.table.audit import Asked, Audit, asked_of_table
from chimney.table.cookies import hashed
from chimney.web.hub import Subscriber
from chimney.web.problem import ProblemError
from chimney.wire.base import Page, stamp
from chimney.wire.problem import Fault
from chimney.wire.wall import Link, MadeLink, NewLink

MARK = "chimtv_"  # core/redact knows it: a token is masked wherever it is logged
MOST = 100
SWEEP_SECONDS = 2.0
TOUCH_SECONDS = 60.0
LONGEST_TOKEN = 200


class Links:
    """`sweep` is the verb of a loop. Nothing is known before `load`."""

    def __init__(self, store: LinkStore) -> None:
        self._store = store
        self._links: dict[bytes, StoredLink] | None = None
        self._used: dict[bytes, float] = {}
        self._streams: dict[Subscriber, bytes] = {}

    async def load(self) -> None:
        self._links = {one.token: one for one in await self._store.all()}

    @property
    def _known(self) -> dict[bytes, StoredLink]:
        """Raises ProblemError 503 while they are still being read: a screen must not be told that its link is dead."""
        if self._links is None:
            raise ProblemError(503, "starting", "The process is starting.", headers=[(b"retry-after", b"1")])
        return self._links

    def find(self, token: str | None) -> StoredLink | None:
        """None when the token is not one, has expired or was revoked."""
        links = self._known
        if not token or len(token) > LONGEST_TOKEN:
            return None
        link = links.get(hashed(token))
        if link is None or link.expires_at <= stamp(time.time()):
            return None
        self._used[link.token] = time.time()
        return link

    async def make(self, asked: NewLink, *, who: str) -> tuple[StoredLink, str]:
        """The link and its token, which is not known afterwards. Raises ProblemError 409 when there are too many."""
        if len(self._known) >= MOST:
            raise ProblemError(409, "too-many-links", f"There are {MOST} links. Revoke one that is not used any more.")
        token = MARK + secrets.token_urlsafe(32)
        now = stamp(time.time())
        link = StoredLink(
            id=secrets.token_hex(6),
            token=hashed(token),
            name=asked.name,
            prefix=token[: len(MARK) + 4],
            origins=asked.origins,
            created_at=now,
            created_by=who,
            expires_at=now + timedelta(days=asked.expires_in_days),
        )
        await self._store.add(link)
        self._known[link.token] = link
        return link, token

    def get(self, link_id: str) -> StoredLink:
        """Raises ProblemError 404."""
        found = next((one for one in self._known.values() if one.id == link_id), None)
        if found is None:
            raise ProblemError(404, "not-found", f"There is no link {link_id[:40]!r}.")
        return found

    async def revoke(self, link: StoredLink) -> None:
        await self._end([link])

    async def _end(self, links: Sequence[StoredLink]) -> None:
        for link in links:
            self._known.pop(link.token, None)
            self._used.pop(link.token, None)
        for subscriber, token in list(self._streams.items()):
            if token not in self._known:
                subscriber.close()
        await self._store.remove([link.id for link in links])

    def watch(self, link: StoredLink, subscriber: Subscriber) -> None:
        """The stream ends with the link that opened it."""
        self._streams[subscriber] = link.token

    def unwatch(self, subscriber: Subscriber) -> None:
        self._streams.pop(subscriber, None)

    async def sweep(self) -> float:
        """Ends links that have expired, and writes down when the others were last used."""
        now = time.time()
        dead = [link for link in self._known.values() if link.expires_at <= stamp(now)]
        if dead:
            await self._end(dead)
        stale = {
            token: at
            for token, at in self._used.items()
            if (link := self._known.get(token)) and at - (link.last_used_at or 0) > TOUCH_SECONDS
        }
        if stale:
            await self._store.touch({self._known[token].id: at for token, at in stale.items()})
            for token, at in stale.items():
                self._known[token] = msgspec.structs.replace(self._known[token], last_used_at=at)
        return SWEEP_SECONDS

    def listed(self) -> list[Link]:
        """Newest first."""
        watching = Counter(self._streams.values())
        newest = sorted(self._known.values(), key=lambda one: (one.created_at, one.id), reverse=True)
        return [Link(**self._shown(one, watching[one.token])) for one in newest]

    def shown(self, link: StoredLink, token: str) -> MadeLink:
        return MadeLink(**self._shown(link, 0), token=token, path=f"/tv/{token}")

    def _shown(self, link: StoredLink, watching: int) -> dict[str, Any]:
        used = max(self._used.get(link.token, 0.0), link.last_used_at or 0.0)
        return {
            "id": link.id,
            "name": link.name,
            "prefix": link.prefix,
            "origins": link.origins,
            "created_at": link.created_at,
            "created_by": link.created_by,
            "expires_at": link.expires_at,
            "last_used_at": stamp(used) if used else None,
            "watching": watching,
        }


def _check_origins(asked: NewLink, known: Sequence[str]) -> None:
    wrong = [
        Fault(path=f"$.origins[{place}]", detail=f"is not followed: {', '.join(sorted(known)) or 'no origin is'}")
        for place, name in enumerate(asked.origins)
        if name not in known
    ]
    if wrong:
        raise ProblemError(400, "malformed", "; ".join(f"{one.path}: {one.detail}" for one in wrong), errors=wrong)


def routes(links: Links, audit: Audit, origins: Sequence[str]) -> list[Any]:
    def asked(request: AnyRequest, act: str, did: str, body: object) -> Asked:
        who, record = asker_of(request)
        return asked_of_table(who, record, act=act, did=did, body=body)

    @get("/api/links", opt=OPERATOR, summary="Links to the wall", tags=["wall"])
    async def listed() -> Page[Link]:
        """Newest first, without their tokens; `watching` counts the screens that show it now."""
        return Page(items=links.listed())

    @post("/api/links", opt=OPERATOR, summary="Make a link to the wall", tags=["wall"])
    async def make(request: AnyRequest, data: JSONBody[NewLink]) -> MadeLink:
        """Whoever has the address may read the wall, and nothing else. Its token is told this once."""
        _check_origins(data, origins)
        async with audit.doing(asked(request, "link_make", f"make the wall link {data.name}", data)):
            link, token = await links.make(data, who=asker_of(request)[0])
        return links.shown(link, token)

    @delete("/api/links/{link_id:str}", opt=OPERATOR, summary="Revoke a link to the wall", tags=["wall"])
    async def revoke(request: AnyRequest, link_id: FromPath[str]) -> None:
        """Screens that show it go dark at once."""
        link = links.get(link_id)
        async with audit.doing(asked(request, "link_revoke", f"revoke the wall link {link.name}", {"id": link.id})):
            await links.revoke(link)

    return [listed, make, revoke]
