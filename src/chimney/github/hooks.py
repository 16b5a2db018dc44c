"""What GitHub delivered to our webhook, and having it delivered again.

GitHub sends nothing again by itself, and keeps deliveries for three days. Only an administrator's token may ask.
Source: GitHub, handling failed webhook deliveries.
"""

from datetime import datetime
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec

from chimney.core.budget import Need
from chimney.github.client import GitHubClient
from chimney.github.errors import UnexpectedError
from chimney.wire.hooks import Hook, HookDelivery

T = TypeVar("T")
PAGES = 20  # of a hundred: what is more than that is not caught up with
PATH = "/api/webhooks/github"


class NotPermittedError(Exception):
    """The token may not see the repository's webhooks."""


class Hooks:
    """The webhooks of one repository that lead to an origin."""

    def __init__(self, client: GitHubClient, repo: str) -> None:
        self._client = client
        self._base = f"/repos/{repo}/hooks"

    async def ours(self) -> list[int]:
        """The ids of those that are active and lead to an origin's webhook address. Raises NotPermittedError."""
        hooks, _ = await self._get(self._base, "per_page=100", list[Hook])
        return [hook.id for hook in hooks if hook.active and urlsplit(hook.config.url).path.endswith(PATH)]

    async def since(self, hook: int, at: datetime) -> list[HookDelivery]:
        """Every attempt since `at`, the newest first."""
        attempts: list[HookDelivery] = []
        query: str | None = "per_page=100"
        for _ in range(PAGES):
            page, query = await self._get(f"{self._base}/{hook}/deliveries", query or "", list[HookDelivery])
            attempts += [one for one in page if one.delivered_at >= at]
            if query is None or not page or page[-1].delivered_at < at:
                break
        return attempts

    async def again(self, hook: int, attempt: int) -> bool:
        """Asks for one to be delivered again; whether GitHub will."""
        status = (await self._client.post(f"{self._base}/{hook}/deliveries/{attempt}/attempts")).status
        return status == 202

    async def _get(self, path: str, query: str, as_type: type[T]) -> tuple[T, str | None]:
        """The answer, and the query of the next page. Raises NotPermittedError or GitHubError."""
        reply = await self._client.get(path, query, need=Need.URGENT)
        if reply.status in (403, 404):
            raise NotPermittedError
        if reply.status != 200:
            raise UnexpectedError(f"GitHub answered {reply.status}", status=reply.status)
        try:
            return msgspec.json.decode(reply.body, type=as_type), _next(reply.headers.get("link", ""))
        except msgspec.DecodeError as error:
            raise UnexpectedError(
                f"GitHub's webhooks have another shape than documented: {error}", status=200
            ) from None


def _next(links: str) -> str | None:
    """The query of the next page: `cursor` and `per_page`, whatever host and path the link names."""
    for link in links.split(","):
        address, _, rest = link.partition(">")
        if 'rel="next"' in rest:
            cursor = parse_qs(urlsplit(address.strip(" <")).query).get("cursor", [""])[0]
            return f"per_page=100&cursor={cursor}" if cursor.isascii() and cursor.replace("v1_", "").isdigit() else None
    return None
