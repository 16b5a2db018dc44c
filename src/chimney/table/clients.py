"""HTTP clients of the table: one pool of connections for each origin.

In a pool that all origins share, every request looks at every connection of all of them: with a thousand origins that
is seconds of work for each second.
"""

import asyncio
from pathlib import Path

import httpx2

from chimney import __version__
from chimney.table.probe import DEADLINE_SECONDS
from chimney.table.turnstile import Turnstile

KEPT = 2  # idle connections to one origin: each is looked at with every request to it


class Clients:
    """They share what is costly, the TLS settings. A proxy meant for the outside must not hide that an origin is down,
    so the environment is not looked at; `ca_file` is trusted besides the system's authorities. `turn` is waited for
    before a question to an origin."""

    def __init__(self, *, ca_file: Path | None = None) -> None:
        self._tls = httpx2.create_ssl_context(trust_env=False)
        if ca_file:
            self._tls.load_verify_locations(ca_file)
        self._made: list[httpx2.AsyncClient] = []
        self.turn = Turnstile().turn

    def new(self) -> httpx2.AsyncClient:
        client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(DEADLINE_SECONDS, connect=5.0),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=KEPT, keepalive_expiry=30.0),
            headers={"user-agent": f"chimney-table/{__version__}"},
            verify=self._tls,
            trust_env=False,
        )
        self._made.append(client)
        return client

    def outside(self) -> httpx2.AsyncClient:
        """For those who sign people in, who may be beyond a proxy, or have a certificate of a private authority."""
        client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(DEADLINE_SECONDS, connect=5.0),
            headers={"user-agent": f"chimney-table/{__version__}"},
        )
        self._made.append(client)
        return client

    async def close(self) -> None:
        await asyncio.gather(*(client.aclose() for client in self._made))
