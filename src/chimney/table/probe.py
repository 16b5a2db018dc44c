"""Asking one origin how it is: its health often, deployments and pipeline less often.

Redirects are not followed: a 3xx is a finding. The last answers are kept while it cannot be reached, with their age.
"""

import asyncio
import random
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import httpx2
import msgspec

from chimney.config import FollowedOrigin
from chimney.core.facts import Certificate, Fault, ProbeFailure, Sighting
from chimney.core.observed import Observed
from chimney.core.redact import safe
from chimney.core.uptime import DAY
from chimney.store.errors import StoreError
from chimney.store.uptime import ProbedMinute, Uptime
from chimney.table.connection import certificate_of, date_of
from chimney.table.turnstile import Turn, at_once
from chimney.wire.base import stamp
from chimney.wire.deployment import Deployment, DeployStatus
from chimney.wire.health import Health
from chimney.wire.pipeline import PipelineSummary

DEADLINE_SECONDS = 10.0
HEALTH_SECONDS = 5.0  # one that takes longer is down for those who ask it
SLOW_MS = 1_000.0  # asked again soon, to know quickly whether it stays so
AGAIN_SECONDS = 1.0  # after a failure, to know quickly whether it is one
DEPLOY_SECONDS = 5.0
DEPLOYS_A_SECOND = 40
PIPELINE_SECONDS = 10.0
REFUSED_SECONDS = 15.0
LARGEST = 4 * 1024**2
LATENCIES = 20
_jitter = random.Random()  # noqa: S311 — spreads probes
T = TypeVar("T")


def deploys_every(origins: int) -> float:
    """Of a thousand origins each is asked every 25 s. A report to one is seen in its log, and asked for at once."""
    return max(DEPLOY_SECONDS, origins / DEPLOYS_A_SECOND)


class FailedError(Exception):
    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.fault = fault
        self.detail = detail


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def classify(error: httpx2.HTTPError) -> FailedError:
    """Which part failed, by what lies beneath httpx2's exception."""
    causes = list(_causes(error))
    detail = safe(next((str(one) for one in reversed(causes) if str(one)), type(error).__name__), longest=200)
    if any(isinstance(one, socket.gaierror) for one in causes):
        return FailedError(Fault.DNS, detail)
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return FailedError(Fault.TLS, detail)
    if isinstance(error, httpx2.TimeoutException):
        step = "connection" if isinstance(error, httpx2.ConnectTimeout) else "answer"
        return FailedError(Fault.TIMEOUT, f"no {step} within the time allowed")
    if isinstance(error, httpx2.ConnectError):
        return FailedError(Fault.CONNECT, detail)
    return FailedError(Fault.PROTOCOL, detail)


class Probe:
    """One origin. `health`, `deploy` and `pipeline` are the last answers, None before the first."""

    def __init__(
        self,
        origin: FollowedOrigin,
        *,
        client: httpx2.AsyncClient,
        uptime: Uptime,
        every: float,
        changed: Callable[[], None] = lambda: None,
        deployed: Callable[[str, Sequence[Deployment]], bool] = lambda _origin, _deployments: False,
        deploy_every: float = DEPLOY_SECONDS,
        turn: Turn = at_once,
    ) -> None:
        self._deploy_every = deploy_every
        self._turn = turn
        self._deployed = deployed
        self.origin = origin
        self._client = client
        self._uptime = uptime
        self._every = every
        self._changed = changed
        self.minutes: dict[int, tuple[int, int]] = {}
        self._unsaved: set[int] = set()
        self.latencies_ms: deque[float] = deque(maxlen=LATENCIES)
        self.probed_at: float | None = None
        self.last_contact_at: float | None = None
        self.well_since: float | None = None
        self.failure: ProbeFailure | None = None
        self.health: Health | None = None
        self.deploy: DeployStatus | None = None
        self.pipeline: PipelineSummary | None = None
        self.dropped: Sighting | None = None
        self.observed = Observed()
        self.certificate: Certificate | None = None
        self._date: datetime | None = None

    def answers(self) -> bool:
        """Whether the last probe went well."""
        return self.health is not None and self.failure is None

    async def load(self) -> None:
        """What earlier runs of the table measured."""
        since = int(time.time() // 60) - DAY
        self.minutes = {one.minute: (one.good, one.made) for one in await self._uptime.since(self.origin.name, since)}

    async def ask_health(self) -> float:
        """One probe of /healthz; returns the wait before the next."""
        await self._turn()
        began, at = time.perf_counter(), time.time()
        try:
            health = await self._get("/healthz", Health, within=HEALTH_SECONDS)
        except FailedError as error:
            self._failed(error, began=at)
        else:
            self.latencies_ms.append((time.perf_counter() - began) * 1000)
            self._succeeded(health, began=at)
        self.probed_at = time.time()
        self._count(good=self.failure is None)
        await self._save()
        self._changed()
        soon = self.failure.count < 3 if self.failure else self.latencies_ms[-1] > SLOW_MS
        return min(self._every, AGAIN_SECONDS if soon else self._every) * _jitter.uniform(0.9, 1.1)

    async def ask_deploy(self) -> float:
        """Asks for the deployments, while the origin answers."""
        if self.health is None or self.failure:
            return min(self._every, AGAIN_SECONDS)
        await self._turn()
        try:
            deploy = await self._get("/api/deploy/status", DeployStatus)
        except FailedError:  # its health says why; the last answer stays
            return REFUSED_SECONDS
        if self.deploy is None or deploy.recent_deploys != self.deploy.recent_deploys:
            self._deployed(self.origin.name, deploy.recent_deploys)
            self._changed()
        self.deploy = deploy
        return max(self._every, self._deploy_every) * _jitter.uniform(0.9, 1.1)

    async def ask_pipeline(self) -> float:
        """Asks for the pipeline, while the origin answers and has a repository."""
        if self.health is None or self.failure:
            return min(self._every, AGAIN_SECONDS)
        if not self.health.repo:
            return self._every
        await self._turn()
        try:
            pipeline = await self._get("/api/pipeline/summary", PipelineSummary)
        except FailedError:
            return REFUSED_SECONDS
        if self.pipeline is None or pipeline.runs != self.pipeline.runs:
            self._changed()
        self.pipeline = pipeline
        waits = PIPELINE_SECONDS if pipeline.fetched_at else AGAIN_SECONDS
        return max(self._every, waits) * _jitter.uniform(0.9, 1.1)

    async def _get(self, path: str, answer: type[T], *, within: float = DEADLINE_SECONDS) -> T:
        try:
            async with (
                asyncio.timeout(within),
                self._client.stream("GET", self.origin.url + path, headers=self._headers(path)) as response,
            ):
                if answer is Health:
                    self._date, self.certificate = date_of(response), certificate_of(response) or self.certificate
                return await _understood(response, answer)
        except TimeoutError:
            raise FailedError(Fault.TIMEOUT, f"no answer within {within:.0f} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise (
                classify(error) if isinstance(error, httpx2.HTTPError) else FailedError(Fault.DNS, str(error))
            ) from None

    def _headers(self, path: str) -> dict[str, str]:
        """With the read token, which a private repository's pipeline and deployments need; health is for everybody."""
        headers = {"accept": "application/json"}
        token = self.origin.read_token or self.origin.operate_token
        if token and path != "/healthz":
            headers["authorization"] = f"Bearer {token.get_secret_value()}"
        return headers

    def _failed(self, error: FailedError, *, began: float) -> None:
        now = stamp(time.time())
        before = self.failure
        self.failure = ProbeFailure(
            fault=error.fault,
            detail=error.detail,
            since=before.since if before and not _comes_back(before, error) else stamp(began),
            at=now,
            count=before.count + 1 if before else 1,
        )

    def _succeeded(self, health: Health, *, began: float) -> None:
        self.last_contact_at = time.time()
        if self.failure or self.well_since is None:
            self.well_since = self.last_contact_at
        self.failure = None
        self.observed.note(health, date=self._date, began=began, ended=self.last_contact_at)
        before = self.health.logs.dropped if self.health and self.health.boot == health.boot else 0
        if self.health and health.logs.dropped > before:
            count = health.logs.dropped - before
            text = "The origin wrote more log records than it could take."
            self.dropped = Sighting(at=stamp(time.time()), text=text, count=count)
        self.health = health

    def _count(self, *, good: bool) -> None:
        minute = int(time.time() // 60)
        earlier, made = self.minutes.get(minute, (0, 0))
        self.minutes[minute] = earlier + good, made + 1
        self._unsaved.add(minute)
        for old in [one for one in self.minutes if one <= minute - DAY]:
            del self.minutes[old]

    async def _save(self, *, also_current: bool = False) -> None:
        """Minutes that have ended are kept on disk, or the current one too when the table ends."""
        current = int(time.time() // 60)
        ended = sorted(minute for minute in self._unsaved if (minute < current or also_current))
        rows = [ProbedMinute(minute, *self.minutes[minute]) for minute in ended if minute in self.minutes]
        if not rows:
            return
        try:
            await self._uptime.keep(self.origin.name, rows, drop_before=current - DAY)
        except StoreError:
            return  # kept in memory, tried again with the next minute
        self._unsaved.difference_update(ended)

    async def save(self) -> None:
        await self._save(also_current=True)


def _comes_back(before: ProbeFailure, error: FailedError) -> bool:
    """What was dead is starting: that is another trouble, if it lasts."""
    return error.fault is Fault.STARTING and before.fault is not Fault.STARTING


def _own_503(response: httpx2.Response, answer: type[T]) -> bool:
    """An origin that is starting or draining says so itself; a proxy's 503 is no health."""
    content_type = response.headers.get("content-type", "")
    return response.status_code == 503 and answer is Health and content_type.startswith("application/json")


def _is_starting(response: httpx2.Response) -> bool:
    """So says an origin's shell before the rest of it is there; whoever stands before it answers with a page."""
    content_type = response.headers.get("content-type", "")
    return response.status_code == 503 and content_type.startswith("application/problem+json")


async def _understood(response: httpx2.Response, answer: type[T]) -> T:
    if response.is_redirect or 300 <= response.status_code < 400:
        where = safe(response.headers.get("location", "nowhere"), longest=200)
        raise FailedError(Fault.REDIRECT, f"{response.status_code} to {where}")
    if _is_starting(response):
        raise FailedError(Fault.STARTING, "503: it is starting")
    if response.status_code != 200 and not _own_503(response, answer):
        raise FailedError(Fault.STATUS, f"{response.status_code} {response.reason_phrase}".strip())
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST:
            raise FailedError(Fault.UNREADABLE, f"the answer is larger than {LARGEST} bytes")
    try:
        return msgspec.json.decode(bytes(body), type=answer)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FailedError(Fault.UNREADABLE, safe(str(error), longest=200)) from None
