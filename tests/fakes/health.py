"""Addresses that are asked for their health: well, redirecting, hanging, refusing, with a certificate of any kind."""

import asyncio
import json
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


class Service:
    """`answer` is what every request gets, whole; empty: nothing, and the connection stays open. `at` is by path."""

    def __init__(self, answer: bytes = b"") -> None:
        self.answer = answer
        self.at: dict[str, bytes] = {}
        self.connections = 0
        self.asked: list[str] = []
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None] | None] = set()

    def says(self, status: str, body: str = "{}", *, path: str | None = None, **headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *(f"{k}: {v}" for k, v in headers.items())]
        answer = ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
        if path:
            self.at[path] = answer
        else:
            self.answer = answer

    def runs(self, revision: str | None, *, slot: str = "green") -> None:
        """As an origin says it."""
        said = {"chimney_version": "1", "repo": "acme/rocket", "release": None, "revision": revision, "slot": slot}
        self.says("200 OK", json.dumps(said), path="/api/version")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        self._tasks.add(asyncio.current_task())
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.decode().split(" ")[1]
                self.asked.append(path)
                writer.write(self.at.get(path, self.answer))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()
            self._tasks.discard(asyncio.current_task())

    async def ended(self) -> None:
        """Every connection is closed."""
        self.cut()
        await asyncio.gather(*(task for task in self._tasks if task), return_exceptions=True)

    def cut(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()


@asynccontextmanager
async def service(tls: ssl.SSLContext | None = None) -> AsyncIterator[Service]:
    running = Service()
    running.says("200 OK")
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0, ssl=tls)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        await running.ended()
        await server.wait_closed()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def certificate(folder: Path, name: str, *, days: int = 30) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """For a server with a certificate that it signed itself for `name`, and for a client that trusts it."""
    key, file = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", key, "-out", file, "-days", str(days), "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=DNS:{name}"],
        check=True, capture_output=True,
    )  # fmt: skip
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file, key)
    return server, ssl.create_default_context(cafile=str(file))
