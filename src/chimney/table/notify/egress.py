"""HTTP to an address that somebody set: resolved once, checked, and connected to where it was checked.

Redirects are not followed. The environment's proxies are not used.
"""

import asyncio
import socket
from collections.abc import Mapping, Sequence

import httpx2

from chimney.core.egress import network, refusal
from chimney.core.redact import safe
from chimney.table.probe import classify

SECONDS = 10.0
LONGEST_SAID = 200


class EgressError(Exception):
    """It was not taken; the message says why, without the address."""


class Egress:
    def __init__(self, client: httpx2.AsyncClient, networks: Sequence[str]) -> None:
        self._client = client
        self._allowed = [network(one) for one in networks]

    async def send(
        self, method: str, url: str, *, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """Raises EgressError unless the answer is 2xx."""
        try:
            async with asyncio.timeout(SECONDS):
                await self._send(method, httpx2.URL(url), content, dict(headers or {}))
        except TimeoutError:
            raise EgressError(f"no answer within {SECONDS:.0f} s") from None
        except httpx2.HTTPError as error:
            raise EgressError(classify(error).detail) from None
        except (OSError, httpx2.InvalidURL, UnicodeError) as error:
            raise EgressError(safe(str(error), longest=LONGEST_SAID)) from None

    async def _send(self, method: str, url: httpx2.URL, content: bytes | None, headers: dict[str, str]) -> None:
        found = await self._addresses(url)
        why = refusal(url.host, found, self._allowed)
        if why:
            raise EgressError(why)
        request = self._client.build_request(
            method,
            url.copy_with(host=found[0]),
            content=content,
            headers={**headers, "host": url.netloc.decode("ascii").rpartition("@")[2]},
            extensions={"sni_hostname": url.host},
        )
        response = await self._client.send(request, stream=True, follow_redirects=False)
        await response.aclose()
        if not response.is_success:
            raise EgressError(f"it answered {response.status_code}")

    async def _addresses(self, url: httpx2.URL) -> list[str]:
        port = url.port or (443 if url.scheme == "https" else 80)
        rows = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(row[4][0]) for row in rows))
