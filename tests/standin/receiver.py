"""What the stand-in's tests stand on: a clock that is moved by hand, and a program that takes what is posted."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from chimney.standin.app import Standin

SECRET = "It's a Secret to Everybody"
REPO = "/repos/saltmarsh/ferrytimes"
Body = dict[str, Any]


async def until(condition: Callable[[], object], *, seconds: float = 15) -> None:
    """For what nobody announces. Raises TimeoutError when it has not come true by then."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


@dataclass
class Wall:
    """The clock on the wall. Sun 15 Nov 2026, 09:46:40 UTC."""

    now: float = 1_794_736_000.0

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Posted:
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Body:
        return dict(json.loads(self.raw))

    @property
    def event(self) -> str:
        return self.headers["x-github-event"]

    @property
    def name(self) -> str:
        """`pull_request opened`; only the event, when there is no action."""
        return " ".join(filter(None, (self.event, self.body.get("action"))))

    @property
    def is_signed(self) -> bool:
        expected = "sha256=" + hmac.new(SECRET.encode(), self.raw, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, self.headers.get("x-hub-signature-256", ""))


@dataclass
class Receiver:
    """An ASGI app that answers 202, or what stands first in `answers`."""

    posted: list[Posted] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        raw, more = b"", True
        while more:
            event = await receive()
            raw, more = raw + event.get("body", b""), event.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.posted.append(Posted(scope["path"], headers, raw))
        self.arrived.set()
        status = self.answers.pop(0) if self.answers else 202
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"taken"})

    async def until(self, enough: Callable[[], object], *, seconds: float = 15) -> None:
        """Raises TimeoutError when it is not enough by then."""
        async with asyncio.timeout(seconds):
            while not enough():
                self.arrived.clear()
                await self.arrived.wait()

    def of(self, name: str) -> list[Posted]:
        return [one for one in self.posted if one.name == name]


Make = Callable[..., Standin]
