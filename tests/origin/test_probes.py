"""Health of other addresses, over real sockets: each failure named by its stage, kept, told, and blocking nobody."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.conftest import Ask, MakeOrigin, until
from tests.fakes.health import certificate, free_port, service

from chimney.origin.app import Origin
from chimney.origin.prober import Prober
from chimney.wire.probe import ProbeResult, Stage

HISTORY = "/api/health/history"
PATIENCE = 1.0


async def probed(url: str, *, deadline: float = 10.0, **options: Any) -> ProbeResult:
    prober = Prober(deadline=deadline, **options)
    try:
        return (await prober.ask(url)).result
    finally:
        await prober.close()


async def test_a_service_that_is_well_answers_with_its_latency() -> None:
    async with service() as well:
        found = await probed(f"http://localhost:{well.port}/healthz")
    assert (found.ok, found.status, found.error, found.stage) == (True, 200, None, None)
    assert found.latency_ms is not None
    assert found.latency_ms > 0


async def test_every_probe_has_a_connection_of_its_own() -> None:
    prober = Prober()
    async with service() as well:
        for _ in range(3):
            assert (await prober.ask(f"http://127.0.0.1:{well.port}/")).result.ok
        assert well.connections == 3
    await prober.close()


async def test_a_health_check_that_is_redirected_fails_and_says_where_to() -> None:
    async with service() as moved:
        moved.says("308 Permanent Redirect", location="https://localhost/healthz")
        found = await probed(f"http://127.0.0.1:{moved.port}/healthz")
    assert (found.ok, found.status, found.stage) == (False, 308, Stage.REDIRECT)
    assert found.error == "the health check is redirected: 308 to https://localhost/healthz"
    assert moved.asked == ["/healthz"]


async def test_a_name_that_points_nowhere_fails_at_its_name() -> None:
    found = await probed("https://nothing.invalid/healthz")
    assert (found.ok, found.status, found.stage) == (False, None, Stage.DNS)
    assert "nothing.invalid does not resolve" in (found.error or "")


async def test_a_port_where_nobody_listens_fails_at_connecting() -> None:
    port = free_port()
    found = await probed(f"http://127.0.0.1:{port}/")
    assert (found.stage, found.error) == (Stage.CONNECT, f"no connection to 127.0.0.1 port {port}: Connection refused")


@pytest.mark.parametrize(("scheme", "waited_for"), [("http", "answer"), ("https", "TLS handshake")])
async def test_a_listener_that_hangs_is_given_up_in_time(scheme: str, waited_for: str) -> None:
    async with service() as hangs:
        hangs.answer = b""
        began = time.monotonic()
        found = await probed(f"{scheme}://127.0.0.1:{hangs.port}/", deadline=PATIENCE)
    assert time.monotonic() - began < 3
    assert (found.stage, found.error) == (Stage.TIMEOUT, f"no {waited_for} within {PATIENCE:g} s")


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"])
async def test_what_is_not_http_or_breaks_off_is_no_answer(answer: bytes) -> None:
    async with service() as odd:
        odd.answer = answer
        asking = asyncio.create_task(probed(f"http://127.0.0.1:{odd.port}/"))
        await until(lambda: odd.asked)
        await asyncio.sleep(0)
        odd.cut()
        found = await asking
    assert not found.ok
    assert found.stage in (Stage.PROTOCOL, Stage.TIMEOUT)


async def test_an_answer_of_an_error_is_a_failure_with_its_status() -> None:
    async with service() as ill:
        ill.says("503 Service Unavailable")
        found = await probed(f"http://127.0.0.1:{ill.port}/")
    assert (found.ok, found.status, found.stage, found.error) == (
        False, 503, Stage.STATUS, "answered 503 Service Unavailable",
    )  # fmt: skip


async def test_certificates_are_looked_at_and_their_days_counted(tmp_path: Path) -> None:
    server, trust = certificate(tmp_path, "localhost", days=12)
    async with service(server) as secure:
        good = await probed(f"https://localhost:{secure.port}/", trust=trust)
        own = await probed(f"https://localhost:{secure.port}/")
        wrong = await probed(f"https://127.0.0.1:{secure.port}/", trust=trust)
    assert good.ok, good.error
    assert good.certificate_days_left == pytest.approx(12, abs=0.1)
    assert (own.stage, "self-signed" in (own.error or "")) == (Stage.TLS, True)
    assert (wrong.stage, "not valid for '127.0.0.1'" in (wrong.error or "")) == (Stage.TLS, True)


async def history(visitor: httpx2.AsyncClient, query: str = "") -> list[dict[str, Any]]:
    answer = await visitor.get(HISTORY + query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_without_addresses_there_is_no_history(visitor: httpx2.AsyncClient) -> None:
    assert (await visitor.get(HISTORY)).json() == {"items": [], "next": None}


async def test_the_history_tells_results_uptime_and_streak_and_survives_a_restart(
    make_origin: MakeOrigin, asking: Ask
) -> None:
    async with service() as well:
        address, dead = f"http://127.0.0.1:{well.port}", f"http://127.0.0.1:{free_port()}/up"
        origin = await make_origin(probes=[address, dead], probe_seconds=0.2)
        await until(lambda: len(well.asked) >= 3)
        well.says("308 Permanent Redirect", location="/healthz/")
        await until(lambda: origin.events.counts["health_changed"] == 2)
        visitor = asking(origin)
        first, second = await history(visitor)
        assert (first["origin"], first["url"]) == (address, f"{address}/healthz")
        assert first["results"][0].items() >= {"ok": False, "status": 308, "stage": "redirect"}.items()
        assert first["results"][0]["latency_ms"] > 0
        assert 0 < first["uptime_pct"]["1h"] == first["uptime_pct"]["24h"] == first["uptime_pct"]["7d"] < 100
        assert (first["streak"]["ok"], second["streak"]["ok"], second["uptime_pct"]["1h"]) == (False, False, 0)
        assert await history(visitor, f"?origin={dead}&limit=1") == [
            {**second, "results": [one]} | {"streak": one_streak, "uptime_pct": second["uptime_pct"]}
            for found in await history(visitor, f"?origin={dead}&limit=1")
            for one, one_streak in [(found["results"][0], found["streak"])]
        ]
        await make_origin.end(origin)
        before = len(well.asked)
        again = await make_origin(probes=[address, dead], probe_seconds=3600)
        await until(lambda: len(well.asked) > before)
        [kept, _] = await history(asking(again))
        assert len(kept["results"]) >= before
        assert again.events.counts["health_changed"] == 0  # what was so before is no news


async def test_of_two_slots_one_probes_and_the_other_goes_on_when_it_ends(make_origin: MakeOrigin, asking: Ask) -> None:
    async with service() as well:
        said: dict[str, Any] = {"probes": [f"http://127.0.0.1:{well.port}"], "probe_seconds": 0.2}
        blue = await make_origin(slot="blue", **said)
        await until(lambda: len(well.asked) >= 1)
        green = await make_origin(slot="green", **said)
        await until(lambda: green.deploying.probes._was != {})
        assert sum(green.deploying.probes.made.values()) == 0
        assert (await history(asking(green)))[0]["results"]
        await make_origin.end(blue)
        await until(lambda: green.deploying.probes.made["ok"] > 0)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_probe_that_is_given_up_leaves_no_connection(scheme: str) -> None:
    prober = Prober(deadline=60)
    async with service() as hangs:
        hangs.answer = b""
        asking = asyncio.create_task(prober.ask(f"{scheme}://127.0.0.1:{hangs.port}/"))
        await until(lambda: hangs.connections == 1)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await until(lambda: not hangs._open)
    await prober.close()


@pytest.mark.parametrize(
    ("query", "status"), [("?origin=http://elsewhere", 404), ("?limit=0", 400), ("?limit=501", 400)]
)
async def test_what_cannot_be_asked_is_refused(visitor: httpx2.AsyncClient, query: str, status: int) -> None:
    answer = await visitor.get(HISTORY + query)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_a_disk_that_refuses_keeps_nobody_from_probing(make_origin: MakeOrigin) -> None:
    async with service() as well:
        origin = await make_origin(probes=[f"http://127.0.0.1:{well.port}"], probe_seconds=0.2)
        await until(lambda: origin.deploying.probes.made["ok"] >= 1)
        file = origin._history
        await file.run(lambda db: db.execute("PRAGMA max_page_count=1").fetchone())
        made = sum(origin.deploying.probes.made.values())
        await until(lambda: sum(origin.deploying.probes.made.values()) >= made + 2)
        await file.run(lambda db: db.execute("PRAGMA max_page_count=1000000").fetchone())


async def test_the_loop_is_free_while_names_resolve_and_listeners_hang(origin: Origin) -> None:
    prober = Prober(deadline=PATIENCE)
    async with service() as hangs:
        hangs.answer = b""
        urls = ["http://nothing.invalid/", f"http://localhost:{hangs.port}/", f"https://localhost:{hangs.port}/"]
        waiting = asyncio.gather(*(prober.ask(url) for url in urls * 5))
        turns = 0
        while not waiting.done():
            await asyncio.sleep(0.001)
            turns += 1
    assert turns > 20, "a loop that is blocked until they are given up turns a few times only"
    await prober.close()
