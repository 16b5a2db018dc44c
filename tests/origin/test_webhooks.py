"""What is answered to whoever posts to the webhook address, and what is kept of it."""

import asyncio
import hashlib
import hmac
import json
import random
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeOrigin
from tests.fakes.visitor import Heard, ask
from tests.fakes.waiting import eventually

from chimney.core.delivery import Delivery
from chimney.github.webhook import BODY_LIMIT
from chimney.origin.app import Origin
from chimney.origin.events import Silence
from chimney.origin.patches import Applied
from chimney.origin.webhooks import HELD_BYTES, PATH, Webhooks
from chimney.store.database import Database
from chimney.store.deliveries import DeliveryLog
from chimney.web.asgi import Event
from chimney.web.problem import ProblemError
from chimney.web.record import begin
from chimney.wire.webhook import Outcome

SECRET = "It's a Secret to Everybody"
Headers = list[tuple[bytes, bytes]]


def sign(body: bytes, secret: str = SECRET) -> bytes:
    return b"sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()


def headers_of(
    body: bytes, changed: dict[str, bytes | None] | None = None, *, event: str = "issues", guid: str | None = None
) -> Headers:
    named: dict[str, bytes | None] = {
        "content-type": b"application/json",
        "x-github-event": event.encode(),
        "x-github-delivery": (guid or str(uuid.uuid4())).encode(),
        "x-hub-signature-256": sign(body),
        **(changed or {}),
    }
    return [(name.encode(), value) for name, value in named.items() if value is not None]


async def send(app: Any, body: bytes, headers: Headers, *, path: str = PATH, pieces: int = 1) -> Heard:
    """Posts the body in so many pieces."""
    size = -(-len(body) // pieces) or 1
    events: list[Event] = [
        {"type": "http.request", "body": body[start : start + size], "more_body": start + size < len(body)}
        for start in range(0, max(1, len(body)), size)
    ]
    scope = {
        "type": "http", "method": "POST", "scheme": "http", "path": path, "raw_path": path.encode(), "root_path": "",
        "query_string": b"", "headers": headers, "client": ("192.0.2.7", 4000), "server": ("127.0.0.1", 80),
        "state": {},
    }  # fmt: skip
    sent: list[Event] = []

    async def receive() -> Event:
        return events.pop(0) if events else {"type": "http.disconnect"}

    async def heard(event: Event) -> None:
        sent.append(event)

    await app(scope, receive, heard)
    content = b"".join(event.get("body", b"") for event in sent[1:])
    return Heard(sent[0]["status"], [(name.lower(), value) for name, value in sent[0]["headers"]], content)


def payload(**more: Any) -> bytes:
    issue = {"number": 7, "state": "open", "updated_at": "2026-11-15T09:00:00Z", "title": "t"}
    said = {"action": "opened", "issue": issue, "repository": {"full_name": "acme/rocket", "id": 1}, **more}
    return json.dumps(said).encode()


@pytest.fixture
async def listening(make_origin: MakeOrigin) -> Origin:
    return await make_origin(webhook_secret=SECRET)


async def kept(origin: Origin) -> list[dict[str, Any]]:
    answer = await ask(origin, b"/api/webhooks/deliveries?limit=500")
    assert answer.status == 200, answer.body
    return list(answer.json()["items"])


async def worked_off(origin: Origin) -> list[dict[str, Any]]:
    async def none_pending() -> bool:
        return all(one["result"] != "pending" for one in await kept(origin))

    await eventually(none_pending)
    return await kept(origin)


BODY = payload()
REFUSED: dict[str, tuple[bytes, dict[str, bytes | None]]] = {
    "missing": (BODY, {"x-hub-signature-256": None}),
    "empty": (BODY, {"x-hub-signature-256": b""}),
    "sha1 only": (BODY, {"x-hub-signature-256": None, "x-hub-signature": b"sha1=" + b"a" * 40}),
    "too short": (BODY, {"x-hub-signature-256": sign(BODY)[:-1]}),
    "upper case": (BODY, {"x-hub-signature-256": sign(BODY).upper()}),
    "not ASCII": (BODY, {"x-hub-signature-256": "sha256=ü".encode() * 8}),
    "of re-serialised JSON": (BODY, {"x-hub-signature-256": sign(json.dumps(json.loads(BODY), indent=1).encode())}),
    "of the empty secret": (BODY, {"x-hub-signature-256": sign(BODY, "")}),
    "one byte more": (BODY + b"\n", {"x-hub-signature-256": sign(BODY)}),
    "another charset": (payload(x="ü").decode().encode("utf-16"), {"x-hub-signature-256": sign(payload(x="ü"))}),
    "not even JSON": (b"[" * 100_000, {"x-hub-signature-256": sign(BODY)}),
    "and nothing else said": (b"", {"x-hub-signature-256": sign(BODY), "x-github-event": None, "content-type": None}),
}


@pytest.mark.parametrize(("body", "changed"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_is_not_signed_is_401_and_leaves_no_trace_but_a_count(
    listening: Origin, body: bytes, changed: dict[str, bytes | None]
) -> None:
    heard = await send(listening, body, headers_of(body, changed))
    assert (heard.status, heard.json()["type"]) == (401, "docs/errors.md#bad-signature")
    assert await kept(listening) == []
    health = (await ask(listening, b"/healthz")).json()["webhooks"]
    assert (health["configured"], health["last_at"], health["rejected"]) == (True, None, 1)


@pytest.mark.parametrize(
    ("name", "counted"), [("of the empty secret", 1), ("and nothing else said", 0), ("missing", 0)]
)
async def test_only_what_is_shaped_as_a_delivery_tells_of_a_wrong_secret(
    listening: Origin, name: str, counted: int
) -> None:
    body, changed = REFUSED[name]
    await send(listening, body, headers_of(body, changed))
    health = (await ask(listening, b"/healthz")).json()["webhooks"]
    assert (health["mis_signed"], health["mis_signed_at"] is not None) == (counted, counted == 1)


async def test_two_signatures_are_none(listening: Origin) -> None:
    headers = [*headers_of(BODY), (b"x-hub-signature-256", sign(BODY))]
    assert (await send(listening, BODY, headers)).status == 401


async def test_a_signed_delivery_is_kept_once_answered_202_and_told(listening: Origin) -> None:
    headers = headers_of(BODY, guid="72d3162e-cc78-11e3-81ab-4c9367dc0958")
    first, second = await send(listening, BODY, headers), await send(listening, BODY, headers, pieces=7)
    expected = {"id": "72d3162e-cc78-11e3-81ab-4c9367dc0958", "event": "issues"}
    assert (first.status, first.json()) == (202, {**expected, "duplicate": False})
    assert (second.status, second.json()) == (202, {**expected, "duplicate": True})
    (record,) = await worked_off(listening)
    assert (record["id"], record["action"], record["repo"]) == (expected["id"], "opened", "acme/rocket")
    assert record["result"] == "applied"
    metrics = (await ask(listening, b"/api/metrics")).body.decode()
    assert 'chimney_webhooks_total{event="issues",result="accepted"} 1.0' in metrics
    assert 'chimney_webhooks_total{event="issues",result="duplicate"} 1.0' in metrics
    assert [one.kind for one in listening.events.recent(10)].count("webhook") <= 1
    await eventually(lambda: [one.data["result"] for one in listening.events.recent(10) if one.kind == "webhook"])
    assert (await ask(listening, b"/healthz")).json()["webhooks"]["last_at"]


async def test_unknown_events_are_kept_as_unknown_and_other_repositories_as_unwatched(listening: Origin) -> None:
    await send(listening, BODY, headers_of(BODY, event="brand_new_event"))
    other = payload(repository={"full_name": "acme/rocket-two"})
    await send(listening, other, headers_of(other))
    nameless = payload(repository=None)
    await send(listening, nameless, headers_of(nameless))
    found = await worked_off(listening)
    assert [one["result"] for one in found] == ["unwatched", "unwatched", "unknown"]
    assert all(one["changed"] == [] for one in found)
    metrics = (await ask(listening, b"/api/metrics")).body.decode()
    assert 'chimney_webhooks_total{event="other",result="accepted"} 1.0' in metrics
    assert "brand_new_event" not in metrics


async def test_without_a_secret_nothing_is_taken_and_the_setting_is_named(origin: Origin) -> None:
    for headers in (headers_of(BODY), headers_of(BODY, {"x-hub-signature-256": sign(BODY, "")}), []):
        heard = await send(origin, BODY, headers)
        assert (heard.status, heard.json()["type"]) == (503, "docs/errors.md#not-configured")
        assert "CHIMNEY_WEBHOOK_SECRET" in heard.json()["detail"]
    assert (await ask(origin, b"/healthz")).json()["webhooks"]["configured"] is False


BOMB = b'{"ref":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
MALFORMED: dict[str, tuple[bytes, dict[str, bytes | None], int, str]] = {
    "nested": (BOMB, {}, 400, "$"),
    "a list": (b"[]", {}, 400, "$"),
    "empty": (b"", {}, 400, "$"),
    "no event": (BODY, {"x-github-event": None}, 400, "header.x-github-event"),
    "a hostile event": (BODY, {"x-github-event": b"a b\r\nc"}, 400, "header.x-github-event"),
    "no id": (BODY, {"x-github-delivery": None}, 400, "header.x-github-delivery"),
    "a hostile id": (BODY, {"x-github-delivery": b"'; DROP TABLE x --"}, 400, "header.x-github-delivery"),
    "another type": (BODY, {"content-type": b"text/xml"}, 400, "header.content-type"),
}


@pytest.mark.parametrize(("body", "changed", "status", "fault"), MALFORMED.values(), ids=MALFORMED.keys())
async def test_what_is_signed_and_no_delivery_is_refused_by_name(
    listening: Origin, body: bytes, changed: dict[str, bytes | None], status: int, fault: str
) -> None:
    heard = await send(listening, body, headers_of(body, changed))
    assert (heard.status, heard.json()["errors"][0]["path"]) == (status, fault)
    assert await kept(listening) == []


async def test_a_form_is_taken_as_well(listening: Origin) -> None:
    body = b"payload=" + "".join(f"%{byte:02x}" for byte in BODY).encode()
    heard = await send(listening, body, headers_of(body, {"content-type": b"application/x-www-form-urlencoded"}))
    assert heard.status == 202
    assert (await worked_off(listening))[0]["action"] == "opened"


@pytest.mark.parametrize("said", [True, False])
async def test_a_body_of_more_than_25_mib_is_413_whether_it_says_so_or_not(listening: Origin, said: bool) -> None:
    body = b" " * (BODY_LIMIT + 1)
    length: dict[str, bytes | None] = {"content-length": b"%d" % len(body)} if said else {}
    heard = await send(listening, b"" if said else body, headers_of(b"", length), pieces=200)
    assert (heard.status, heard.json()["type"]) == (413, "docs/errors.md#too-large")


async def test_the_largest_body_is_taken_and_the_loop_goes_on_meanwhile(listening: Origin) -> None:
    body = payload(filler="x")
    body = body.replace(b'"x"', b'"' + b"x" * (BODY_LIMIT - len(body) + 1) + b'"')
    assert len(body) == BODY_LIMIT
    headers, pauses, done = headers_of(body), [], asyncio.Event()

    async def tick() -> None:
        while not done.is_set():
            before = time.monotonic()
            await asyncio.sleep(0.001)
            pauses.append(time.monotonic() - before)

    ticking = asyncio.create_task(tick())
    heard = await send(listening, body, headers, pieces=400)
    done.set()
    await ticking
    assert heard.status == 202
    assert max(pauses) < 0.25


async def test_other_paths_and_methods_are_not_there(listening: Origin) -> None:
    assert (await send(listening, BODY, headers_of(BODY), path=PATH + "x")).status == 404
    assert (await send(listening, BODY, headers_of(BODY), path=PATH + "/")).status == 404
    got = await ask(listening, PATH.encode())
    assert (got.status, got.header("allow")) == (405, "POST")


async def test_the_deliveries_are_paged_and_bad_places_are_named(listening: Origin) -> None:
    for number in range(5):
        await send(listening, BODY, headers_of(BODY, guid=f"00000000-{number}"))
    first = (await ask(listening, b"/api/webhooks/deliveries?limit=3")).json()
    second = (await ask(listening, b"/api/webhooks/deliveries?limit=3&before=" + first["next"].encode())).json()
    assert [one["id"][-1] for one in first["items"] + second["items"]] == ["4", "3", "2", "1", "0"]
    assert second["next"] is None
    bad = await ask(listening, b"/api/webhooks/deliveries?before=x")
    assert (bad.status, bad.json()["errors"][0]["path"]) == (400, "query.before")
    assert (await ask(listening, b"/api/webhooks/deliveries", peer=("192.0.2.1", 5))).status == 401


class Bench:
    """The endpoint over a store of its own, and patches that a test can break."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "state.sqlite"
        self.database = Database(self.file, "state", shared=True)
        self.kept = DeliveryLog(self.database)
        self.broken = False
        self.seen: list[Delivery] = []
        self.gaps = 0
        self.webhooks = Webhooks(self.kept, self, Silence(), secret=SECRET, body_seconds=0.05)
        self.webhooks.on_gap = self._gap

    def _gap(self) -> None:
        self.gaps += 1

    async def apply(self, deliveries: list[Delivery]) -> list[Applied]:
        if self.broken:
            raise RuntimeError("broken")
        self.seen += deliveries
        return [Applied(Outcome.APPLIED, ["/repos/acme/rocket"]) for _ in deliveries]

    async def post(self, body: bytes = BODY, guid: str | None = None) -> Heard:
        return await send(self._app, body, headers_of(body, guid=guid))

    async def _app(self, scope: Any, receive: Any, send_: Any) -> None:
        scope["chimney.record"] = begin(scope)
        await self.webhooks(scope, receive, send_)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    await bench.database.open()
    yield bench
    await bench.database.close()


async def test_a_body_that_does_not_come_is_given_up_and_looked_for_later(bench: Bench) -> None:
    async def receive() -> Event:
        await asyncio.Event().wait()
        raise AssertionError

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "headers": headers_of(BODY),
        "client": None,
    }
    scope["chimney.record"] = begin(scope)
    with pytest.raises(ProblemError) as caught:
        await bench.webhooks(scope, receive, receive)  # type: ignore[arg-type]
    assert (caught.value.status, caught.value.slug, bench.gaps) == (408, "too-slow", 1)


async def test_a_request_that_breaks_off_is_no_delivery_and_holds_no_memory(bench: Bench) -> None:
    pieces: list[Event] = [
        {"type": "http.request", "body": b"x" * 1000, "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Event:
        return pieces.pop(0)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "headers": headers_of(BODY),
        "client": None,
    }
    scope["chimney.record"] = begin(scope)
    with pytest.raises(ProblemError):
        await bench.webhooks(scope, receive, receive)  # type: ignore[arg-type]
    assert bench.webhooks._held == 0


async def test_bodies_that_are_read_at_once_are_bounded_together(bench: Bench) -> None:
    bench.webhooks._held = HELD_BYTES
    with pytest.raises(ProblemError) as caught:
        await bench.post()
    assert (caught.value.status, caught.value.slug, bench.gaps) == (503, "busy", 1)
    assert bench.webhooks._held == HELD_BYTES


async def test_what_failed_is_worked_off_when_it_comes_again(bench: Bench) -> None:
    bench.broken = True
    guid = str(uuid.uuid4())
    assert (await bench.post(guid=guid)).json()["duplicate"] is False
    await bench.webhooks.work()
    await bench.kept.flush()
    assert (await bench.webhooks.page(limit=1, before=None)).items[0].result is Outcome.FAILED
    bench.broken = False
    assert (await bench.post(guid=guid)).json()["duplicate"] is False
    await bench.webhooks.work()
    await bench.kept.flush()
    assert (await bench.webhooks.page(limit=1, before=None)).items[0].result is Outcome.APPLIED
    assert (await bench.post(guid=guid)).json()["duplicate"] is True
    assert len(bench.seen) == 1


async def test_what_a_process_left_is_worked_off_by_the_next(bench: Bench) -> None:
    await bench.post()
    later = Webhooks(bench.kept, bench, Silence(), secret=SECRET)
    await later.work()
    assert [one.payload["issue"]["number"] for one in bench.seen] == [7]
    await later.work()
    assert len(bench.seen) == 1


async def test_a_burst_beyond_the_queue_is_worked_off_from_the_store(bench: Bench) -> None:
    answers = await asyncio.gather(*(bench.post() for _ in range(450)))
    assert {answer.status for answer in answers} == {202}
    await bench.webhooks.work()
    assert len(bench.seen) == 450
    assert (await bench.kept.pending(10))[0] == []


async def test_a_disk_that_refuses_is_503_and_the_delivery_is_not_taken(bench: Bench) -> None:
    await bench.database.run(lambda db: db.execute(f"PRAGMA max_page_count={pages(bench.file)}").fetchone())
    with pytest.raises(ProblemError) as caught:
        await asyncio.gather(*(bench.post(payload(ref=random.randbytes(800).hex())) for _ in range(200)))
    assert (caught.value.status, caught.value.slug) == (503, "storage-full")
    assert bench.gaps


def pages(file: Path) -> int:
    db = sqlite3.connect(file)
    (count,) = db.execute("PRAGMA page_count").fetchone()
    db.close()
    return int(count) + 8
