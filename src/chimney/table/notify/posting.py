"""The table's findings as alerts of Alertmanager, which groups, routes and silences them there."""

import asyncio
import time
from collections.abc import Callable, Sequence

import httpx2
import msgspec

from chimney.core.elsewhere.posting import alerts_of, sendable
from chimney.table.notify.outgoing import Outgoing
from chimney.table.probe import classify
from chimney.wire.base import stamp
from chimney.wire.finding import Finding

EVERY_SECONDS = 1.0
AGAIN_SECONDS = 60.0  # what is current is sent again, or it would end
RETRY_SECONDS = 10.0
DEADLINE_SECONDS = 5.0


class Posting:
    """`post` is the verb of a loop: at once when something changed, else every minute."""

    def __init__(
        self,
        url: str,
        client: httpx2.AsyncClient,
        *,
        findings: Callable[[], Sequence[Finding]],
        public_url: str | None,
    ) -> None:
        self._url = url + "/api/v2/alerts"
        self._client = client
        self._findings = findings
        self._public_url = public_url
        self._posted: dict[str, Finding] = {}
        self._posted_at = 0.0
        self.outgoing = Outgoing("Alertmanager")

    async def post(self) -> float:
        current = sendable(self._findings())
        fresh = time.monotonic() - self._posted_at < AGAIN_SECONDS
        if fresh and _alike(current, self._posted):
            return EVERY_SECONDS
        alerts = alerts_of(current, self._posted, url=self._public_url, now=stamp(time.time()))
        why = await self._send(msgspec.json.encode(alerts)) if alerts else None
        if why:
            self.outgoing.ill(why)
            return RETRY_SECONDS
        self.outgoing.well()
        self._posted, self._posted_at = current, time.monotonic()
        return EVERY_SECONDS

    async def _send(self, body: bytes) -> str | None:
        """Why it was not taken; None when it was."""
        headers = {"content-type": "application/json"}
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                answer = await self._client.post(self._url, content=body, headers=headers)
        except TimeoutError:
            return f"no answer within {DEADLINE_SECONDS:.0f} s"
        except httpx2.HTTPError as error:
            return classify(error).detail
        return None if answer.is_success else f"it answered {answer.status_code}"


def _alike(one: dict[str, Finding], other: dict[str, Finding]) -> bool:
    return {known: finding.severity for known, finding in one.items()} == {
        known: finding.severity for known, finding in other.items()
    }
