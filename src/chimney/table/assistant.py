"""/mcp: the table for assistants, over the Model Context Protocol's streamable HTTP.

Who asks shows an API token of the table. A tool is one request to the table's own API with that token, so it may do
what the token may, and acts are audited as all others are. There are no sessions: each request stands alone.

The SDK takes 45 MB and two seconds to load: it is loaded, in a thread, by the first request with a good token.
"""

import asyncio
import contextlib
from typing import TYPE_CHECKING

import httpx2

from chimney.table.access import unauthorized
from chimney.table.sessions import Sessions
from chimney.web.asgi import App, Receive, Scope, Send
from chimney.web.problem import ProblemError
from chimney.web.record import record_of

if TYPE_CHECKING:
    from chimney.table.tool_server import ToolServer

PATH = "/mcp"
LOAD_SECONDS = 30.0


class Assistant:
    """ASGI. `table` is the whole table, which answers what tools ask."""

    def __init__(self, table: App, sessions: Sessions) -> None:
        transport = httpx2.ASGITransport(app=table)
        self._client = httpx2.AsyncClient(transport=transport, base_url="http://table", trust_env=False)
        self._sessions = sessions
        self._server: ToolServer | None = None
        self._loading = asyncio.Lock()
        self._running: asyncio.Task[None] | None = None

    @property
    def loaded(self) -> bool:
        return self._server is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        record = record_of(scope)
        record.route = PATH
        if scope["path"] != PATH:
            raise ProblemError(404, "not-found", f"There is no {record.path}.")
        if record.method != "POST":
            raise ProblemError(
                405, "method-not-allowed", f"{record.method} is not allowed here.", headers=[(b"allow", b"POST")]
            )
        identity = self._sessions.identify(record)
        if identity is None or identity.token is None:  # a cookie would go along with a request of another site
            raise unauthorized()
        scope["chimney.identity"] = identity
        server = self._server or await self._load()
        await server.handle(scope, receive, send)

    async def _load(self) -> "ToolServer":
        async with self._loading:
            if self._server is None:
                server = await asyncio.to_thread(_made, self._client)
                started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._running = asyncio.create_task(server.run(started), name="mcp")
                async with asyncio.timeout(LOAD_SECONDS):
                    await started
                self._server = server
            return self._server

    async def close(self) -> None:
        if self._running:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
        await self._client.aclose()


def _made(client: httpx2.AsyncClient) -> "ToolServer":
    from chimney.table.tool_server import ToolServer  # noqa: PLC0415

    return ToolServer(client)
