"""The slots as they answer, not as they were reported."""

import asyncio
import time
from typing import Any

import httpx2
import pytest
from tests.conftest import Ask, MakeOrigin, until
from tests.fakes.health import Service, free_port, service

from chimney.origin.deploying import SLOT_SECONDS

A, B = "a" * 40, "b" * 40


async def report(visitor: httpx2.AsyncClient, **fields: Any) -> None:
    answer = await visitor.post("/api/deploy/events", json={"phase": "succeeded", "revision": A, **fields})
    assert answer.status_code == 201, answer.text


async def status(visitor: httpx2.AsyncClient) -> dict[str, Any]:
    return dict((await visitor.get("/api/deploy/status")).json())


async def test_a_slot_says_itself_what_it_runs_and_whether_it_is_ready(make_origin: MakeOrigin, asking: Ask) -> None:
    async with service() as green:
        green.runs(B)
        addresses = {"green": f"127.0.0.1:{green.port}", "blue": f"127.0.0.1:{free_port()}"}
        visitor = asking(await make_origin(slot="blue", slots=addresses))
        await report(visitor, slot="green")
        told = (await status(visitor))["slots"]
    assert (told["green"]["revision"], told["green"]["deployed"], told["green"]["healthy"]) == (B, A, True)
    assert (told["green"]["problem"], told["green"]["observed_at"] is not None) == (None, True)
    assert (told["blue"]["revision"], told["blue"]["healthy"]) == (None, False)
    assert told["blue"]["problem"].startswith("/readyz: no connection to 127.0.0.1")


async def test_a_slot_that_runs_what_was_deployed_has_it_since_then(make_origin: MakeOrigin, asking: Ask) -> None:
    async with service() as green:
        green.runs(A)
        visitor = asking(await make_origin(slots={"green": f"127.0.0.1:{green.port}"}))
        await report(visitor, slot="green", at="2026-01-01T00:00:00Z")
        told = (await status(visitor))["slots"]
    assert told["green"].items() >= {"revision": A, "healthy": True, "since": "2026-01-01T00:00:00Z"}.items()
    assert told["blue"] == dict.fromkeys(told["blue"])


def redirects(slot: Service) -> None:
    slot.says("308 Permanent Redirect", location="https://localhost/readyz")


def starts(slot: Service) -> None:
    slot.says("503 Service Unavailable", path="/readyz")


def has_no_configuration(slot: Service) -> None:
    slot.says("200 OK", '{"chimney_version": "1", "repo": null, "slot": null, "revision": null}', path="/api/version")


def is_something_else(slot: Service) -> None:
    slot.says("200 OK", "[" * 5000, path="/api/version")


@pytest.mark.parametrize(
    ("spoil", "healthy", "problem"),
    [
        (redirects, False, "/readyz: the health check is redirected: 308 to https://localhost/readyz"),
        (
            has_no_configuration,
            False,
            "it was started without its configuration: it names no repository (CHIMNEY_REPO)",
        ),
        (starts, False, "/readyz: answered 503 Service Unavailable"),
        (is_something_else, False, "its /api/version is not that of a chimney origin"),
    ],
    ids=["redirects", "has no configuration", "starts", "is something else"],
)
async def test_what_is_wrong_with_a_slot_is_said(
    make_origin: MakeOrigin, asking: Ask, spoil: Any, healthy: bool, problem: str
) -> None:
    async with service() as green:
        green.runs(B)
        spoil(green)
        visitor = asking(await make_origin(slots={"green": f"127.0.0.1:{green.port}"}))
        told = (await status(visitor))["slots"]["green"]
    assert (told["healthy"], told["problem"]) == (healthy, problem)


async def test_many_askers_cost_a_slot_one_question(make_origin: MakeOrigin, asking: Ask) -> None:
    async with service() as green:
        green.runs(B)
        visitor = asking(await make_origin(slots={"green": f"127.0.0.1:{green.port}"}))
        await asyncio.gather(*(status(visitor) for _ in range(50)))
        assert green.asked.count("/readyz") <= 2


async def test_a_slot_that_hangs_holds_the_status_up_for_a_moment_only(make_origin: MakeOrigin, asking: Ask) -> None:
    async with service() as green:
        green.answer = b""
        origin = await make_origin(slots={"green": f"127.0.0.1:{green.port}"})
        began = time.monotonic()
        assert (await status(asking(origin)))["slots"]["green"]["healthy"] is None
        assert time.monotonic() - began < SLOT_SECONDS
        await until(lambda: origin.deploying.slots.seen)
        told = (await status(asking(origin)))["slots"]["green"]
    assert (told["healthy"], told["problem"]) == (False, f"/readyz: no answer within {SLOT_SECONDS:g} s")
