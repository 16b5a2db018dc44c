"""GitHub as a script: it answers what a test says and remembers every request as it would have gone over the wire."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from typing import Any

import httpx2

Answer = Callable[[httpx2.Request], httpx2.Response]
HOST = "https://api.github.test"
QUOTA = {
    "x-ratelimit-limit": "5000",
    "x-ratelimit-remaining": "4999",
    "x-ratelimit-reset": "1900000000",
    "x-ratelimit-resource": "core",
}


def says(value: Any = None, *, status: int = 200, **headers: str) -> Answer:
    """JSON, with the quota headers. Underscores of a header's name become hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    content = json.dumps(value if value is not None else {"n": 1}).encode()

    def answer(_request: httpx2.Request) -> httpx2.Response:
        told = {"content-type": "application/json; charset=utf-8", **QUOTA, **named}
        return httpx2.Response(status, headers=told, content=content)

    return answer


def raw(content: bytes, *, status: int = 200, content_type: str = "application/json", **headers: str) -> Answer:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    told = [(name, text.encode("latin-1")) for name, text in {"content-type": content_type, **named}.items()]
    return lambda _request: httpx2.Response(status, headers=told, content=content)  # type: ignore[arg-type]


def validated(value: Any, etag: str) -> Answer:
    """As GitHub does: weak on a 200, the same tag strong on a 304."""
    full, same = says(value, etag=f'W/"{etag}"'), raw(b"", status=304, etag=f'"{etag}"', **QUOTA)
    return lambda request: (same if etag in request.headers.get("if-none-match", "") else full)(request)


def tagged(value: Any) -> Answer:
    """With the tag that GitHub makes of the request's headers and the body, and a 304 to whoever has it already."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        content = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
        said = "".join(f"{request.headers[name]}:" for name in ("accept", "authorization") if name in request.headers)
        tag = hashlib.sha256(said.encode() + content).hexdigest()
        if tag in request.headers.get("if-none-match", ""):
            return httpx2.Response(304, headers={**QUOTA, "etag": f'"{tag}"'})
        told = {**QUOTA, "etag": f'W/"{tag}"', "content-type": "application/json; charset=utf-8"}
        return httpx2.Response(200, headers=told, content=content)

    return answer


def fails(error: Exception) -> Answer:
    def answer(_request: httpx2.Request) -> httpx2.Response:
        raise error

    return answer


class GitHub(httpx2.AsyncBaseTransport):
    """Answers in order; the last answer again and again. While `gate` is closed nobody is answered."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers) or [says()]
        self.asked: list[httpx2.Request] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def then(self, *answers: Answer) -> None:
        """From now on it answers these."""
        self.answers = list(answers)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        await self.gate.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request)

    @property
    def paths(self) -> list[str]:
        """The request targets as bytes on the wire would say them."""
        return [request.url.raw_path.decode() for request in self.asked]
