"""What webhooks tell, laid over what is stored: at once over what is here, for a while over what GitHub answers.

GitHub's API may be behind its webhooks for seconds, and an answer that was on its way when a delivery came is older
than that. So every answer has the recent deliveries laid over it before it is stored. What is surely older than they
are, and cannot be patched, is asked for again after 1, 3 and 10 seconds.
"""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from chimney.core.delivery import EVENTS, Delivery, Version, moment, subject_of
from chimney.core.grammar import Kind, NotAllowedError, below_repository
from chimney.core.patch.laying import Laid, lay, rules_of
from chimney.core.patch.rules import forgets_all
from chimney.origin.answer import Key
from chimney.origin.cache import GitHubCache
from chimney.origin.looks import DELAYS, Looks
from chimney.origin.replicas import doubt
from chimney.store.deliveries import Known
from chimney.store.ports import ResponseStore, StoredResponse
from chimney.wire.webhook import Outcome

RECENT_SECONDS = 15.0  # a little more than the last look
RECENT = 300
SUBJECTS = 20_000  # ~200 B each ≈ 4 MB
log = logging.getLogger(__name__)


class Applied(NamedTuple):
    """What became of one delivery; `changed` are keys of stored responses."""

    result: Outcome
    changed: list[str]


class Recent(NamedTuple):
    """A delivery that answers of GitHub may not know of. `until` is monotonic, `received_at` Unix seconds."""

    delivery: Delivery
    received_at: float
    until: float


class Job(NamedTuple):
    """A stored response and the places of the deliveries that touch it."""

    key: str
    stored: StoredResponse
    places: list[int]


class Patches:
    """`forget` is called with each repository of which something changed."""

    def __init__(
        self,
        cache: GitHubCache,
        store: ResponseStore,
        *,
        repos: Mapping[str, str],
        forget: Callable[[str], None],
        recent_seconds: float = RECENT_SECONDS,
        delays: Sequence[float] = DELAYS,
    ) -> None:
        self._cache = cache
        self._store = store
        self._repos = repos
        self._forget = forget
        self._recent_seconds = recent_seconds
        self._recent: OrderedDict[str, Recent] = OrderedDict()
        self._mark = 0
        self._known: OrderedDict[tuple[str, str], Version] = OrderedDict()
        self._latest: dict[str, str] = {}
        self.on_delivery: Callable[[Delivery], None] = lambda _delivery: None
        self.on_applied: Callable[[Sequence[Delivery]], None] = lambda _deliveries: None
        self.looks = Looks(cache, store, delays=delays)

    def remember(self, versions: Sequence[Known]) -> None:
        """What was delivered before this process began."""
        for known in versions:
            self._is_newest(known.repo, (known.subject, known.version))

    async def apply(self, deliveries: Sequence[Delivery]) -> list[Applied]:
        """Lays them over what is stored; one answer for each."""
        for delivery in deliveries:
            self.on_delivery(delivery)
        told = [self._take(delivery) for delivery in deliveries]
        live = [(place, delivery) for place, delivery in enumerate(told) if isinstance(delivery, Delivery)]
        changed: dict[int, list[str]] = {place: [] for place, _ in live}
        for place, delivery in live:
            if forgets_all(delivery):
                changed[place].append(await self._drop(delivery))
        laid = await asyncio.to_thread(_lay_all, [one for _, one in live], self._jobs([one for _, one in live]))
        for job, body, result in laid:
            if result.touched and self._put(job, body, result):
                for place in result.touched:
                    changed[live[job.places[place]][0]].append(job.key)
        self.on_applied([one for _, one in live])
        for repo in {(one.repo or "").lower() for _, one in live}:
            self._forget(self._repos.get(repo, repo))
            self._told_of(repo)
        return [
            Applied(Outcome.APPLIED, changed[place]) if isinstance(one, Delivery) else Applied(one, [])
            for place, one in enumerate(told)
        ]

    def _take(self, delivery: Delivery) -> Delivery | Outcome:
        """The delivery as it counts now, or why it does not."""
        repo = (delivery.repo or "").lower()
        if repo not in self._repos:
            return Outcome.UNWATCHED
        if delivery.event not in EVENTS:
            return Outcome.UNKNOWN
        subject = subject_of(delivery)
        if subject and not self._is_newest(repo, subject):
            return Outcome.OUTDATED
        at = moment(delivery)
        if at and at < self._latest.get(repo, ""):
            delivery = msgspec.structs.replace(delivery, is_latest=False)
        self._latest[repo] = max(at, self._latest.get(repo, ""))
        self._mark += 1
        name = f"{repo} {subject[0] if subject else self._mark}"
        self._recent.pop(name, None)
        self._recent[name] = Recent(delivery, time.time(), time.monotonic() + self._recent_seconds)
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)
        return delivery

    def _is_newest(self, repo: str, subject: tuple[str, Version]) -> bool:
        name, version = (repo, subject[0]), subject[1]
        if version < self._known.get(name, version):
            return False
        self._known[name] = version
        self._known.move_to_end(name)
        if len(self._known) > SUBJECTS:
            self._known.popitem(last=False)
        return True

    async def _drop(self, delivery: Delivery) -> str:
        path = f"/repos/{self._repos[(delivery.repo or '').lower()]}"
        await self._cache.invalidate(path)
        return path

    def _jobs(self, deliveries: Sequence[Delivery]) -> list[Job]:
        jobs = []
        for key, stored in self._store.entries():
            path = key.partition("?")[0]
            places = [place for place, one in enumerate(deliveries) if rules_of(one, path)]
            if places:
                jobs.append(Job(key, stored, places))
        return jobs

    def _put(self, job: Job, body: bytes | None, laid: Laid) -> bool:
        """False when a newer answer came meanwhile: the deliveries were laid over that one already."""
        new = self._renewed(job.stored, body, laid)
        key = self._key(job.key)
        if not self._cache.replace(key, job.stored, new):
            return False
        if laid.look:
            self.looks.now(key)
        return True

    async def judged(self, key: str, stored: StoredResponse, deliveries: Sequence[Delivery]) -> StoredResponse | None:
        """What the deliveries make of a response that is not held here; None when they do not touch it."""
        body, laid = await asyncio.to_thread(_lay_one, deliveries, key, stored)
        if not laid.touched:
            return None
        new = self._renewed(stored, body, laid)
        return expired(new) if laid.look and not new.expired else new

    def _renewed(self, stored: StoredResponse, body: bytes | None, laid: Laid) -> StoredResponse:
        new = stored if body is None else self._patched(stored, body, laid)
        return expired(new) if laid.old or laid.unsure else new

    def _patched(self, stored: StoredResponse, body: bytes, laid: Laid) -> StoredResponse:
        tag = self._cache.tag_of(body) or f'W/"chimney-{hashlib.sha256(body).hexdigest()[:32]}"'
        return patched(stored, body, laid, tag=tag, now=time.time())

    def _told_of(self, repo: str) -> None:
        """Webhooks reach us: what they patched before is known to be so up to now."""
        now = time.time()
        for key, stored in self._store.entries():
            if stored.patched_since is not None and key.lower().startswith(f"/repos/{repo}"):
                stored.validated_at = max(stored.validated_at, now)

    def doubt_all(self) -> None:
        """Whatever is stored is asked for again, the next time that somebody wants it."""
        now = time.time()
        for _, stored in self._store.entries():
            doubt(stored, now=now)

    async def overlay(self, key: Key, fetched: StoredResponse, asked_at: float) -> StoredResponse:
        """GitHub's answer with the recent deliveries over it. There is no wait between the return and the storing."""
        while recent := self._recent_of(key.path):
            mark = self._mark
            deliveries = [one.delivery for one in recent]
            body, laid = await asyncio.to_thread(_lay_one, deliveries, key.text, fetched)
            if mark == self._mark:
                return self._laid_over(key, fetched, body, laid, asked_before=asked_at < recent[-1].received_at)
        self.looks.settled(key)
        return fetched

    def _laid_over(
        self, key: Key, fetched: StoredResponse, body: bytes | None, laid: Laid, *, asked_before: bool
    ) -> StoredResponse:
        new = fetched if body is None else self._patched(fetched, body, laid)
        if laid.old:
            self.looks.again(key)
            return new if body is not None else msgspec.structs.replace(new, etag=None)
        if laid.look:
            self.looks.again(key)
        else:
            self.looks.settled(key)
        return expired(new) if laid.unsure and asked_before else new

    def _recent_of(self, path: str) -> list[Recent]:
        now = time.monotonic()
        while self._recent and next(iter(self._recent.values())).until < now:
            self._recent.popitem(last=False)
        return [one for one in self._recent.values() if rules_of(one.delivery, path)]

    def _key(self, text: str) -> Key:
        path, _, query = text.partition("?")
        owner_name = "/".join(path.split("/")[2:4])
        try:
            kind = below_repository(path.partition(owner_name + "/")[2].encode(), owner_name).kind
        except NotAllowedError:
            kind = Kind.LISTING
        return self._cache.key(kind, path, query)


def patched(stored: StoredResponse, body: bytes, laid: Laid, *, tag: str, now: float) -> StoredResponse:
    """With another body. `tag` is for the clients: GitHub did not give it."""
    return msgspec.structs.replace(
        stored,
        body=body,
        etag=tag,
        last_modified=None,
        validated_at=max(now, stored.validated_at),
        patched_since=stored.patched_since or now,
        as_of=laid.as_of,
        prepared=None,
        rewritten=None,
    )


def expired(stored: StoredResponse) -> StoredResponse:
    """Only for when GitHub gives no answer. Later by a millisecond, so that other replicas take it over."""
    etag = stored.etag if stored.patched_since is not None else None
    return msgspec.structs.replace(
        stored, expired=True, etag=etag, validated_at=stored.validated_at + 0.001, prepared=None, rewritten=None
    )


def _lay_one(deliveries: Sequence[Delivery], key: str, stored: StoredResponse) -> tuple[bytes | None, Laid]:
    """In a thread: a page of a hundred runs takes milliseconds. The body is None when it stays as it is."""
    if stored.status != 200:  # what was not there may be there now
        return None, Laid(unsure=True, touched=tuple(range(len(deliveries))))
    more = 'rel="next"' in (stored.links or "")
    laid = lay(deliveries, key, msgspec.json.decode(stored.body), more=more, as_of=stored.as_of)
    return (None if laid.body is None else msgspec.json.encode(laid.body)), laid


def _lay_all(deliveries: Sequence[Delivery], jobs: Sequence[Job]) -> list[tuple[Job, bytes | None, Laid]]:
    return [(job, *_lay_one([deliveries[place] for place in job.places], job.key, job.stored)) for job in jobs]
