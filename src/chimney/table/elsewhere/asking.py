"""One question to a source: bounded in time and size, redirects are not followed, failures are one sentence."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import httpx2
import msgspec

from chimney.core.facts import Sighting
from chimney.core.redact import safe
from chimney.table.probe import classify
from chimney.wire.base import stamp

DEADLINE_SECONDS = 5.0
LARGEST = 16 * 1024**2


class SourceError(Exception):
    """The source did not answer, or not in a way that can be understood. `status` is 0 when it did not answer."""

    def __init__(self, name: str, detail: str, *, status: int = 0) -> None:
        super().__init__(f"{name}: {detail}")
        self.detail = detail
        self.status = status


class Source:
    """A source by its name and URL. `failure` is the present one, None while it answers."""

    def __init__(self, name: str, url: str, client: httpx2.AsyncClient) -> None:
        self.name = name
        self.url = url
        self._client = client
        self.failure: Sighting | None = None
        self.asked_at: float | None = None

    async def ask(
        self, path: str, params: Mapping[str, Any] | None = None, *, form: Mapping[str, str] | None = None
    ) -> Any:
        """The JSON of a 200. Raises SourceError, also for any other status; 404 counts as an answer."""
        method = "GET" if form is None else "POST"
        try:
            async with (
                asyncio.timeout(DEADLINE_SECONDS),
                self._client.stream(
                    method, self.url + path, params=params, data=form, headers={"accept": "application/json"}
                ) as response,
            ):
                answer = await self._read(response)
        except TimeoutError:
            raise self._failed(f"no answer within {DEADLINE_SECONDS:.0f} s") from None
        except httpx2.HTTPError as error:
            fault = classify(error)
            raise self._failed(f"{fault.fault}: {fault.detail}") from None
        self.failure, self.asked_at = None, time.time()
        return answer

    async def _read(self, response: httpx2.Response) -> Any:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > LARGEST:
                raise self._failed(f"the answer is larger than {LARGEST:,} bytes")
        status = response.status_code
        if status != 200:
            said = safe(bytes(body[:300]).decode("utf-8", "replace"), longest=200)
            detail = f"{status} {response.reason_phrase}: {said}".strip(": ")
            if status in (400, 404, 405, 422):  # it works, only this question was none for it
                self.failure = None
                raise SourceError(self.name, detail, status=status)
            raise self._failed(detail, status=status)
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._failed(f"the answer is not JSON: {safe(str(error), longest=200)}", status=status) from None

    def _failed(self, detail: str, *, status: int = 0) -> SourceError:
        since = self.failure.at if self.failure else stamp(time.time())
        self.failure = Sighting(at=since, text=detail)
        return SourceError(self.name, detail, status=status)

    def unreadable(self, error: Exception) -> SourceError:
        """An answer that is JSON, but not what is documented."""
        return self._failed(f"the answer is not understood: {safe(str(error), longest=200)}", status=200)
