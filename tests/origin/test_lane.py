"""Stored answers that are ready, given on the spot: the same as the ordinary way gives, and only while it would."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.conftest import MakeOrigin, until
from tests.fakes.github import GitHub, validated
from tests.fakes.visitor import ask

from chimney.origin.app import Origin
from chimney.store.ports import StoredResponse
from chimney.web.asgi import Event

TARGET = b"/api/github/pulls"
log = logging.getLogger("tests.lane")


def on_the_spot(origin: Origin, target: bytes = TARGET, *, method: str = "GET", **headers: str) -> list[Event] | None:
    """The two events of an answer; None when the request is left to the event loop."""
    path, _, query = target.partition(b"?")
    named = {"host": "origin.localhost"} | {name.replace("_", "-"): value for name, value in headers.items()}
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path.decode(),
        "raw_path": path,
        "query_string": query,
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        "client": ("127.0.0.1", 40000),
    }
    told: list[Event] = []
    return told if origin.at_once(scope, told.append) else None


async def stored(origin: Origin) -> StoredResponse:
    """Asked twice: fetched, and made ready."""
    for _ in range(2):
        await ask(origin, TARGET, headers={"host": "origin.localhost"})
    (held,) = origin.github.near._held.values()
    return held


@pytest.fixture
async def origin(make_origin: MakeOrigin) -> Origin:
    return await make_origin(transport=GitHub(validated([{"number": 1}], "abc")), github_token=None)


async def test_it_is_the_answer_of_the_ordinary_way(origin: Origin) -> None:
    held = await stored(origin)
    told = on_the_spot(origin)
    assert told is not None
    (start, body), ordinary = told, []

    async def send(event: Event) -> None:
        ordinary.append(event)

    held.ready = None
    scope = {"type": "http", "method": "GET", "raw_path": TARGET, "query_string": b"", "path": TARGET.decode()}
    await origin({**scope, "headers": [(b"host", b"origin.localhost")], "client": ("127.0.0.1", 1)}, None, send)  # type: ignore[arg-type]
    own = (b"x-request-id", b"x-trace-id")
    expected, found = (
        {name: value for name, value in one["headers"] if name not in own} for one in (ordinary[0], start)
    )
    assert found == expected
    assert {name for name, _ in start["headers"]} >= {*own, b"age", b"etag", b"cache-status", b"content-length"}
    assert body["body"] == ordinary[1]["body"]


async def test_a_client_that_has_it_gets_304(origin: Origin) -> None:
    await stored(origin)
    told = on_the_spot(origin, if_none_match='"abc"')
    assert told is not None
    assert (told[0]["status"], told[1]["body"]) == (304, b"")
    assert b"content-length" not in dict(told[0]["headers"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("validated_at", 0.0),
        ("etag", '"new"'),
        ("patched_since", 1.0),
        ("expired", True),
        ("status", 404),
        ("ready", None),
    ],
)
async def test_what_was_changed_is_left_to_the_event_loop(origin: Origin, field: str, value: object) -> None:
    held = await stored(origin)
    assert on_the_spot(origin)
    setattr(held, field, value)
    assert on_the_spot(origin) is None


async def test_what_is_not_stored_not_a_get_or_of_another_host_is_left_to_the_event_loop(origin: Origin) -> None:
    await stored(origin)
    asked = [
        on_the_spot(origin, b"/api/github/issues"),
        on_the_spot(origin, method="HEAD"),
        on_the_spot(origin, host="b"),
    ]
    assert asked == [None, None, None]
    origin.github.near.clear()
    assert on_the_spot(origin) is None


async def test_it_is_counted_and_logged_as_every_request(origin: Origin) -> None:
    held = await stored(origin)
    hits, all_hits = held.hits, origin.github.cache.hits
    told = on_the_spot(origin, x_request_id="mine")
    assert told is not None
    assert (held.hits, origin.github.cache.hits) == (hits + 1, all_hits + 1)
    await until(lambda: any(b'"request_id":"mine"' in entry.data for entry in origin.ring._held))
    (entry,) = (entry for entry in origin.ring._held if b'"request_id":"mine"' in entry.data)
    assert b'"cache":"hit","tier":"memory"' in entry.data


async def test_another_thread_answers_while_the_loop_changes_what_is_stored_and_logs(origin: Origin) -> None:
    """Each answer is whole and counted once, whatever the loop does meanwhile."""
    held = await stored(origin)
    await origin._pipe.send_pending()
    counted = sum(origin.telemetry.requests.cache_results().values())
    near, ready = origin.github.near, held.ready
    assert ready is not None

    def many() -> int:
        answers = [on_the_spot(origin) for _ in range(3_000)]
        given = [told for told in answers if told]
        assert {told[1]["body"] for told in given} == {held.body}
        return len(given)

    with ThreadPoolExecutor(1) as server:
        answering = asyncio.get_running_loop().run_in_executor(server, many)
        rounds = 0
        while not answering.done():
            rounds += 1
            near.put(f"other {rounds % 50}", held)
            near.remove_prefix(f"other {(rounds + 9) % 50}")
            held.ready = None if rounds % 2 else ready
            log.info("round %d", rounds)
            await asyncio.sleep(0)
        given = await answering
    await until(lambda: sum(origin.telemetry.requests.cache_results().values()) == counted + given)
