import hashlib
import hmac
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx2
from tests.standin.receiver import REPO, SECRET, Make, Receiver, Wall, until

from chimney.standin.app import Standin, StandinSettings
from chimney.standin.webhooks import HOOK, QUEUED

Do = Callable[..., Any]


def test_the_signature_is_githubs() -> None:
    """The test vector of "Validating webhook deliveries"."""
    digest = hmac.new(SECRET.encode(), b"Hello, World!", hashlib.sha256).hexdigest()
    assert digest == "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


async def test_the_first_delivery_is_a_ping(standin: Standin, receiver: Receiver) -> None:
    await standin.start()
    await receiver.until(lambda: receiver.posted)
    await standin.stop()
    [ping] = receiver.posted
    assert ping.event == "ping"
    assert ping.is_signed
    assert ping.body["hook_id"] == HOOK
    expected = {
        "user-agent": "GitHub-Hookshot/51a4c9d",
        "content-type": "application/json",
        "x-github-hook-id": str(HOOK),
        "x-github-hook-installation-target-type": "repository",
        "x-github-hook-installation-target-id": str(ping.body["repository"]["id"]),
    }
    assert {name: ping.headers[name] for name in expected} == expected


def all_arrived(standin: Standin) -> bool:
    return all(delivery.status == "OK" for delivery in standin.hook.deliveries)


async def test_delivery_ids_are_guids_of_the_seed(
    make: Make, receiver: Receiver, asking: Callable[..., httpx2.AsyncClient]
) -> None:
    lives = [make(webhook="http://origin/hook") for _ in range(2)]
    for standin in lives:
        await asking(standin).post("/_standin/do", json={"do": "open_bug"})
        await standin.start()
        await until(partial(all_arrived, standin))
        await standin.stop()
    guids = [one.headers["x-github-delivery"] for one in receiver.posted]
    assert guids[:3] == guids[3:]
    assert len(set(guids)) == 3
    assert len(guids[0]) == 36


async def test_without_a_secret_nothing_is_signed(make: Make, receiver: Receiver) -> None:
    standin = make(webhook="http://origin/hook")
    await standin.start()
    await receiver.until(lambda: receiver.posted)
    await standin.stop()
    assert not {"x-hub-signature", "x-hub-signature-256"} & receiver.posted[0].headers.keys()


async def test_payloads_name_the_address_that_the_api_was_asked_under(
    started: Standin, receiver: Receiver, github: httpx2.AsyncClient, do: Do
) -> None:
    await github.get(REPO)
    await do("open_bug")
    await receiver.until(lambda: receiver.of("issues opened"))
    body = receiver.of("issues opened")[0].body
    assert body["issue"] == (await github.get(f"{REPO}/issues/{body['issue']['number']}")).json()


async def test_a_failed_delivery_is_not_sent_again_but_can_be(
    started: Standin, receiver: Receiver, github: httpx2.AsyncClient, do: Do
) -> None:
    receiver.answers = [500]
    await do("open_bug")
    await receiver.until(lambda: len(receiver.posted) == 2)
    await until(lambda: started.hook.deliveries[-1].status == "OK")
    [failed] = (await github.get(f"{REPO}/hooks/{HOOK}/deliveries?status=failure")).json()
    assert (failed["status_code"], failed["event"], failed["redelivery"]) == (500, "issues", False)
    again = await github.post(f"{REPO}/hooks/{HOOK}/deliveries/{failed['id']}/attempts")
    assert again.status_code == 202
    await receiver.until(lambda: len(receiver.posted) == 3)
    first, _, third = receiver.posted
    assert third.raw == first.raw
    assert third.headers["x-github-delivery"] == first.headers["x-github-delivery"] == failed["guid"]
    [newest, *_] = (await github.get(f"{REPO}/hooks/{HOOK}/deliveries")).json()
    assert newest["redelivery"] is True
    assert newest["id"] > failed["id"]


async def test_deliveries_are_paged_with_a_cursor(started: Standin, github: httpx2.AsyncClient, do: Do) -> None:
    await do("open_bug", count=10)
    seen: list[int] = []
    url: str | None = f"{REPO}/hooks/{HOOK}/deliveries?per_page=8"
    while url:
        answer = await github.get(url)
        seen += [one["id"] for one in answer.json()]
        url = answer.links.get("next", {}).get("url")
    assert len(seen) == 21
    assert seen == sorted(seen, reverse=True)


async def test_one_delivery_is_told_whole(
    started: Standin, receiver: Receiver, github: httpx2.AsyncClient, do: Do
) -> None:
    await do("open_bug")
    await receiver.until(lambda: len(receiver.posted) == 2)
    [newest, *_] = (await github.get(f"{REPO}/hooks/{HOOK}/deliveries")).json()
    whole = (await github.get(f"{REPO}/hooks/{HOOK}/deliveries/{newest['id']}")).json()
    assert whole["request"]["payload"] == receiver.posted[-1].body
    assert whole["request"]["headers"]["X-GitHub-Delivery"] == newest["guid"]


async def test_a_receiver_that_is_not_there_is_recorded(wall: Wall) -> None:
    with socket.socket() as held:  # bound but not listening: nobody answers there, and nobody else can take it
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/hook"
        standin = Standin(StandinSettings(speed=0, history_days=1, webhook=url), real=wall)
        await standin.start()
        [delivery] = standin.hook.deliveries
        await until(lambda: delivery.status != "pending")
        await standin.stop()
    assert (delivery.status, delivery.status_code) == ("failed to connect to host", 0)


async def test_without_a_webhook_there_is_none(make: Make, asking: Callable[..., httpx2.AsyncClient]) -> None:
    standin = make()
    github = asking(standin)
    await github.post("/_standin/do", json={"do": "open_bug"})
    assert (await github.get(f"{REPO}/hooks")).json() == []
    assert (await github.get(f"{REPO}/hooks/{HOOK}/deliveries")).status_code == 404
    assert len(standin.hook.deliveries) == 0


async def test_hooks_are_not_for_everybody(standin: Standin, asking: Callable[..., httpx2.AsyncClient]) -> None:
    assert (await asking(standin, token=None).get(f"{REPO}/hooks")).status_code == 404
    [hook] = (await asking(standin).get(f"{REPO}/hooks")).json()
    assert hook["config"]["url"] == "http://origin/hook"
    assert hook["config"]["secret"] == "********"


async def test_what_does_not_fit_the_queue_is_recorded_as_throttled(standin: Standin, do: Do) -> None:
    await do("open_bug", count=QUEUED // 2 + 1)
    assert standin.hook.deliveries[-1].status == "throttled"


async def test_asking_for_a_ping(started: Standin, receiver: Receiver, github: httpx2.AsyncClient) -> None:
    assert (await github.post(f"{REPO}/hooks/{HOOK}/pings")).status_code == 204
    await receiver.until(lambda: receiver.of("ping"))
