"""A table in this process."""

import io
from typing import Any

import httpx2
from tests.fakes.asgi import OpenStream

from chimney.store.telemetry import Batch, Incoming
from chimney.table.app import Table

PASSWORD = "correct horse"


def quiet_stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8")


class Running:
    """`client` is anonymous; `signed_in` makes one with a session."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._clients: list[httpx2.AsyncClient] = []
        self.client = self.new_client()
        self._streams: list[OpenStream] = []
        self._stopped = False

    def new_client(self, **more: Any) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app=self.table)
        client = httpx2.AsyncClient(transport=transport, base_url="http://table.localhost", **more)
        self._clients.append(client)
        return client

    async def signed_in(self) -> httpx2.AsyncClient:
        client = self.new_client()
        answer = await client.post("/api/session", json={"password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return client

    async def stream(self, path: str, client: httpx2.AsyncClient, **headers: str) -> OpenStream:
        """An open stream with the client's session."""
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        stream = OpenStream(self.table, path, {"cookie": cookie, **more})
        self._streams.append(stream)
        await stream.opened()
        return stream

    async def store(self, *records: bytes, source: str = "hel1", first: int = 1) -> None:
        """Records as a follower would hand them in."""
        await self.table.ingest.store(
            Batch(source, [Incoming(data, number) for number, data in enumerate(records, start=first)])
        )

    async def stop(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        await self.table.drain()
        for stream in self._streams:
            await stream.close()
        for client in self._clients:
            await client.aclose()
        await self.table.stop()
