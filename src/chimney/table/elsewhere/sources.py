"""All sources that are read where they are: what each says, and what could not be had."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import httpx2

from chimney.config import TableSettings
from chimney.core.elsewhere.alerts import Alert
from chimney.core.facts import SourceFacts
from chimney.table.elsewhere.asking import Source, SourceError
from chimney.table.elsewhere.jaeger import Jaeger
from chimney.table.elsewhere.prometheus import Alertmanager, Prometheus
from chimney.table.elsewhere.tempo import Tempo

EVERY_SECONDS = 15.0
T = TypeVar("T")
S = TypeVar("S", bound=Source)


class Elsewhere:
    """Empty when none is configured. `check` is the verb of a loop: whether each answers, and its alerts."""

    def __init__(self, settings: TableSettings, client: httpx2.AsyncClient) -> None:
        url = settings.jaeger_url
        self.jaeger = Jaeger("jaeger", url, client) if url else None
        url = settings.tempo_url
        self.tempo = Tempo("tempo", url, client) if url else None
        url = settings.prometheus_url
        self.prometheus = Prometheus("prometheus", url, client) if url else None
        url = settings.alertmanager_url
        self.alertmanager = Alertmanager("alertmanager", url, client) if url else None
        self.alerts: list[Alert] = []

    @property
    def traces(self) -> list[Jaeger | Tempo]:
        return [one for one in (self.jaeger, self.tempo) if one]

    @property
    def all(self) -> Sequence[Source]:
        return [one for one in (self.jaeger, self.tempo, self.prometheus, self.alertmanager) if one]

    def facts(self) -> tuple[SourceFacts, ...]:
        return tuple(
            SourceFacts(name=one.name, url=one.url, failure=one.failure, asked=one.asked_at is not None)
            for one in self.all
        )

    async def check(self) -> float:
        if not self.all:
            return EVERY_SECONDS * 4
        asks = [asyncio.create_task(_quiet(one.services())) for one in self.traces]
        fired = await _quiet(self.prometheus.alerts()) if self.prometheus else None
        active = await _quiet(self.alertmanager.alerts()) if self.alertmanager else None
        self.alerts = (fired or []) if active is None else active  # Alertmanager knows what is silenced
        await asyncio.gather(*asks)
        return EVERY_SECONDS

    async def gather(
        self, sources: Sequence[S], ask: Callable[[S], Awaitable[T]]
    ) -> tuple[list[tuple[str, T]], list[str]]:
        """What each says, by its name, and what could not be had: `jaeger: timeout: …`."""

        async def one(source: S) -> tuple[str, T] | str:
            try:
                return source.name, await ask(source)
            except SourceError as error:
                return str(error)

        answers = await asyncio.gather(*(one(source) for source in sources))
        had = [answer for answer in answers if not isinstance(answer, str)]
        return had, [answer for answer in answers if isinstance(answer, str)]


async def _quiet(asked: Awaitable[T]) -> T | None:
    """None after a failure: the source remembers it."""
    try:
        return await asked
    except SourceError:
        return None
