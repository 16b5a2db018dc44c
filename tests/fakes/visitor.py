"""A visitor who sends exact bytes: what an HTTP client library would have mended first."""

from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import msgspec

from chimney.web.asgi import App, Event, Scope
from chimney.web.at_once import AtOnce


class Heard(NamedTuple):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first of that name; None when there is none."""
        return next((value.decode("latin-1") for key, value in self.headers if key == name.encode()), None)

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


async def ask(
    app: App,
    target: bytes,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    peer: tuple[str, int] | None = ("127.0.0.1", 40000),
) -> Heard:
    """One request with this target, byte by byte, as the server hands it on: `path` decoded, `raw_path` not; first to
    be answered on the spot by a role that can."""
    raw_path, _, query = target.partition(b"?")
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote_to_bytes(raw_path).decode("utf-8", "replace"),
        "raw_path": raw_path,
        "root_path": "",
        "query_string": query,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
        "client": peer,
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    sent: list[Event] = []
    events: list[Event] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Event:
        return events.pop() if events else {"type": "http.disconnect"}

    async def send(event: Event) -> None:
        sent.append(event)

    at_once: AtOnce | None = getattr(app, "at_once", None)
    if not (at_once and at_once(scope, sent.append)):
        await app(scope, receive, send)
    start = sent[0]
    content = b"".join(event.get("body", b"") for event in sent[1:])
    return Heard(start["status"], [(name.lower(), value) for name, value in start["headers"]], content)
