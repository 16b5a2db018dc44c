"""The text of one job's log: GitHub sends us to its storage, where we go without the token."""

import asyncio
from typing import NamedTuple

import httpx2

from chimney.core.log_host import may_fetch
from chimney.github.client import GitHubClient
from chimney.github.errors import UnexpectedError, UnreachableError

LARGEST = 2 * 1024 * 1024  # its end is what says why a job failed; logs of 100 MB exist
READ_AT_MOST = 64 * 1024 * 1024
DEADLINE_SECONDS = 20.0


class JobLog(NamedTuple):
    """`text` is the end of it; `cut` says that there is more before."""

    text: str
    cut: bool


class JobLogs:
    def __init__(self, client: GitHubClient) -> None:
        self._client = client
        self._elsewhere = httpx2.AsyncClient(
            verify=client.tls,
            timeout=httpx2.Timeout(DEADLINE_SECONDS, connect=5.0),
            follow_redirects=False,
            transport=client.transport,
            limits=httpx2.Limits(max_connections=4),
        )

    async def fetch(self, repo: str, job: int) -> JobLog | None:
        """None when GitHub has none: the job has not ended, or its log has expired. Raises GitHubError."""
        location = await self._client.sent_elsewhere(f"/repos/{repo}/actions/jobs/{job}/logs")
        if location is None:
            return None
        if not may_fetch(location, api_url=self._client.base):
            raise UnexpectedError("GitHub keeps the log on a host that is not known to be its own", status=302)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await self._read(location)
        except (httpx2.HTTPError, TimeoutError) as error:
            raise UnreachableError(f"the log could not be fetched: {type(error).__name__}") from error

    async def _read(self, location: str) -> JobLog | None:
        kept = bytearray()
        total = 0
        async with self._elsewhere.stream("GET", location) as response:
            if response.status_code in (404, 410):
                return None
            if response.status_code != 200:
                raise UnexpectedError("GitHub's storage refused the log", status=response.status_code)
            async for chunk in response.aiter_bytes():
                kept += chunk
                total += len(chunk)
                if len(kept) > 2 * LARGEST:
                    del kept[:-LARGEST]
                if total > READ_AT_MOST:
                    break
        cut = total > LARGEST
        text = bytes(kept[-LARGEST:]).decode("utf-8", "replace")
        return JobLog(text.partition("\n")[2] if cut else text, cut)

    async def close(self) -> None:
        await self._elsewhere.aclose()
