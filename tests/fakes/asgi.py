"""Talking to an ASGI application in this process, streams too."""

import asyncio
from typing import Any

from chimney.core.eventsource import EventParser, ServerEvent
from chimney.web.asgi import App, Event

HEADERS = [(b"host", b"table.localhost")]


class OpenStream:
    """One streaming answer being read; `status` and `headers` are known once `opened` returned."""

    def __init__(self, app: App, path: str, headers: dict[str, str]) -> None:
        target, _, query = path.partition("?")
        self._scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": target,
            "raw_path": target.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [*HEADERS, *((name.encode(), value.encode()) for name, value in headers.items())],
            "client": ("127.0.0.1", 5),
            "server": ("table.localhost", 80),
        }
        self._sent: asyncio.Queue[Event] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._parser = EventParser()
        self._events: list[ServerEvent] = []
        self._started = False
        self.status = 0
        self.body = b""
        self.task = asyncio.create_task(self._run(app))

    async def _run(self, app: App) -> None:
        await app(self._scope, self._receive, self._sent.put)

    async def _receive(self) -> Event:
        if not self._started:
            self._started = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _more(self) -> bool:
        """Reads one message; False at the end of the answer."""
        async with asyncio.timeout(5):
            event = await self._sent.get()
        if event["type"] == "http.response.start":
            self.status = event["status"]
            return True
        self.body += event.get("body", b"")
        self._events += self._parser.feed(event.get("body", b""))
        return bool(event.get("more_body"))

    async def opened(self) -> int:
        await self._more()
        return self.status

    async def next(self, name: str | None = None) -> ServerEvent:
        """The next event, or the next of that name."""
        while True:
            while self._events:
                event = self._events.pop(0)
                if name is None or event.event == name:
                    return event
            if not await self._more():
                raise EOFError(f"the stream ended before {name}")

    async def ended(self) -> bytes:
        """Reads to the end; returns the whole body."""
        while await self._more():
            pass
        await self.task
        return self.body

    async def close(self) -> None:
        self._gone.set()
        async with asyncio.timeout(5):
            await self.task
