"""Notifications to a real receiver: Apprise in its own process, a small HTTP server that takes what it sends."""

import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.core.origins import deployment
from tests.fakes.hook import Hook, listening
from tests.fakes.origin import FakeOrigin
from tests.fakes.waiting import eventually
from tests.table.conftest import Make
from tests.table.running import Running

from chimney.wire.finding import Finding, Findings, Severity

SOON = 60.0
HERE = {"notify_networks": ["127.0.0.0/8"], "notify_wait_seconds": 0.0, "notify_interval_seconds": 0.0}
SECRET = "s3cret-path-of-the-hook"


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    async with listening() as hook:
        yield hook


def apprise_to(hook: Hook) -> str:
    return f"json://127.0.0.1:{hook.port}/{SECRET}"


def hook_to(hook: Hook) -> str:
    return f"webhook+http://127.0.0.1:{hook.port}/{SECRET}"


def finding(name: str = "origin_slow", **more: Any) -> Finding:
    usual: dict[str, Any] = {
        "id": f"{name}:origin:hel1",
        "code": name,
        "severity": Severity.WARNING,
        "component": "origin",
        "origin": "hel1",
        "since": datetime.now(UTC) - timedelta(minutes=1),
        "title": f"{name} at hel1",
        "detail": "It takes 3 s.",
        "evidence": [],
        "remedy": "Look at its traces.",
    }
    return Finding(**{**usual, **more})


class Drawn:
    """Findings as a test has them drawn, in place of the rules."""

    def __init__(self, running: Running) -> None:
        self.items: list[Finding] = []
        running.table.telling.causes._findings = lambda: Findings(items=self.items, good_since=None).items
        running.table.telling.causes._settled_at = 0.0


async def told(client: httpx2.AsyncClient) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get("/api/notifications")).json()
    return answer


async def test_a_finding_reaches_a_real_receiver_once_and_so_does_its_end(make_table: Make, hook: Hook) -> None:
    running = await make_table(notify=[{"url": apprise_to(hook)}], public_url="https://t.example/", **HERE)
    drawn = Drawn(running)
    drawn.items = [finding()]
    await eventually(lambda: hook.got, within=SOON)
    sent = hook.got[0].json
    assert hook.got[0].path == f"/{SECRET}"
    assert (sent["title"], sent["type"]) == ("[warning] origin_slow at hel1", "warning")
    assert sent["message"].splitlines() == ["It takes 3 s.", "What to do: Look at its traces.", "https://t.example/"]
    drawn.items = []
    await eventually(lambda: len(hook.got) == 2, within=SOON)
    assert hook.titles[1] == "[resolved] origin_slow at hel1"
    client = await running.signed_in()
    await eventually(lambda: _delivered(client, 2), within=SOON)
    answer = await told(client)
    (target,) = answer["targets"]
    assert {name: target[name] for name in ("service", "failures", "queued", "sent", "last_error")} == {
        "service": "json",
        "failures": 0,
        "queued": 0,
        "sent": 2,
        "last_error": None,
    }
    assert [(one["title"], one["ok"], one["target"]) for one in answer["sent"]] == [
        (title, True, target["id"]) for title in reversed(hook.titles)
    ]
    assert SECRET not in (await client.get("/api/notifications")).text


async def test_many_at_once_are_one_message(make_table: Make, hook: Hook) -> None:
    running = await make_table(notify=hook_to(hook), **HERE)
    drawn = Drawn(running)
    drawn.items = [finding(f"code_{number}", id=str(number)) for number in range(40)]
    await eventually(lambda: hook.got, within=SOON)
    drawn.items = [*drawn.items[:39], finding("code_x", id="x", severity=Severity.CRITICAL)]
    await eventually(lambda: len(hook.got) == 2, within=SOON)
    assert hook.titles == ["chimney: 40 warning", "chimney: 1 critical, 1 resolved"]
    first = hook.got[0].json
    assert (len(first["firing"]), first["body"].count("code_")) == (40, 15)
    assert "… and 25 more" in first["body"]


async def test_what_cannot_be_delivered_is_tried_again_and_told_as_it_is_then(
    make_table: Make, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chimney.table.notify.receiver.FIRST_RETRY_SECONDS", 0.1)
    running = await make_table(notify=hook_to(hook), **HERE)
    client = await running.signed_in()
    drawn = Drawn(running)
    hook.status = 500
    drawn.items = [finding("one"), finding("two")]
    await eventually(lambda: len(hook.got) >= 2, within=SOON)
    (target,) = (await told(client))["targets"]
    assert (target["failures"] >= 1, target["last_error"], target["queued"]) == (True, "it answered 500", 2)
    drawn.items = [finding("two")]
    hook.status = 200
    await eventually(lambda: _delivered(client), within=SOON)
    last = hook.got[-1].json
    assert ([one["id"] for one in last["firing"]], [one["id"] for one in last["missed"]]) == (
        ["two:origin:hel1"],
        ["one:origin:hel1"],
    )
    metrics = (await client.get("/api/metrics")).text
    assert 'chimney_table_notifications_total{result="delivered"} 1.0' in metrics


async def _delivered(client: httpx2.AsyncClient, messages: int = 1) -> bool:
    (target,) = (await told(client))["targets"]
    return bool(target["sent"] == messages)


async def test_what_was_told_is_known_after_a_restart(make_table: Make, hook: Hook) -> None:
    first = await make_table(notify=hook_to(hook), **HERE)
    drawn = Drawn(first)
    drawn.items = [finding()]
    client = await first.signed_in()
    await eventually(lambda: _delivered(client), within=SOON)
    await first.stop()
    second = await make_table(notify=hook_to(hook), **HERE)
    again = Drawn(second)
    again.items = [finding(), finding("new")]
    await eventually(lambda: len(hook.got) == 2, within=SOON)
    assert hook.titles[1] == "[warning] new at hel1"
    assert [one["title"] for one in (await told(await second.signed_in()))["sent"]][-1] == hook.titles[0]


async def test_a_table_that_ends_takes_a_message_that_hangs_with_it(make_table: Make, hook: Hook) -> None:
    hook.hangs = True
    running = await make_table(notify=apprise_to(hook), **HERE)
    Drawn(running).items = [finding()]
    await eventually(lambda: hook.got, within=SOON)
    assert _deliverers()
    await running.stop()
    assert _deliverers() == []


def _deliverers() -> list[str]:
    """The processes of this one that deliver a message."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    found = [child for file in children for child in file.read_text().split()]
    return [one for one in found if b"chimney.table.notify.deliver" in Path(f"/proc/{one}/cmdline").read_bytes()]


async def test_a_receiver_that_is_not_reached_is_a_finding_for_the_others(
    make_table: Make, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chimney.table.notify.receiver.FIRST_RETRY_SECONDS", 0.1)
    dead = {"url": "webhook+http://127.0.0.1:1/x", "name": "pager", "severities": ["info"]}  # no origin is followed
    await make_table(notify=[dead, hook_to(hook)], **HERE)
    expected = "[warning] Nobody is told through pager (webhook+http)"
    await eventually(lambda: expected in "".join(_said(hook)), within=SOON)


def _said(hook: Hook) -> list[str]:
    return [f"{one.json['title']} {one.json['body']}" for one in hook.got]


async def test_a_webhook_is_signed(make_table: Make, hook: Hook) -> None:
    running = await make_table(notify=[{"url": hook_to(hook), "secret": "k"}], **HERE)
    Drawn(running).items = [finding()]
    await eventually(lambda: hook.got, within=SOON)
    got = hook.got[0]
    expected = hmac.new(b"k", got.body, hashlib.sha256).hexdigest()
    assert got.headers["x-chimney-signature-256"] == f"sha256={expected}"
    assert (got.json["version"], got.json["event"], got.json["firing"][0]["code"]) == (1, "digest", "origin_slow")


@pytest.mark.parametrize("make_url", [apprise_to, hook_to])
async def test_nothing_is_sent_into_a_private_network_that_was_not_named(
    make_table: Make, hook: Hook, make_url: Any
) -> None:
    running = await make_table(notify=make_url(hook))
    client = await running.signed_in()
    (target,) = (await told(client))["targets"]
    tested = (await client.post(f"/api/notifications/{target['id']}/test", json={})).json()
    assert tested["ok"] is False
    assert "is in a private network" in tested["error"]
    assert hook.got == []


async def test_a_redirect_does_not_lead_into_a_network_that_was_not_named(make_table: Make, hook: Hook) -> None:
    """Faults C, "SSRF by redirect and DNS": the receiver itself is allowed, where it points is not."""
    hook.status, hook.location = 307, f"http://127.0.0.2:{hook.port}/inside"
    running = await make_table(notify=[apprise_to(hook), hook_to(hook)], notify_networks=["127.0.0.1"])
    client = await running.signed_in()
    for target in (await told(client))["targets"]:
        tested = (await client.post(f"/api/notifications/{target['id']}/test", json={})).json()
        assert tested["ok"] is False
    assert {one.path for one in hook.got} == {f"/{SECRET}"}


async def test_a_test_is_for_operators_and_audited_and_says_what_went_wrong_without_the_address(
    make_table: Make, hook: Hook
) -> None:
    bad = f"json://user:hunter22@127.0.0.1:1/{SECRET}"
    running = await make_table(notify=[apprise_to(hook), {"url": bad, "name": "broken"}], **HERE)
    client = await running.signed_in()
    good, broken = (await told(client))["targets"]
    assert (await running.client.post(f"/api/notifications/{good['id']}/test", json={})).status_code == 401
    assert (await client.post("/api/notifications/none/test", json={})).status_code == 404
    assert (await client.post(f"/api/notifications/{good['id']}/test", json={})).json() == {"ok": True, "error": None}
    assert hook.titles == ["chimney: a test"]
    failed = (await client.post(f"/api/notifications/{broken['id']}/test", json={})).json()
    assert failed["ok"] is False
    said = failed["error"] + (await client.get("/api/notifications")).text + (await client.get("/api/audit")).text
    assert not [secret for secret in (SECRET, "hunter22") if secret in said]
    rows = [one for one in (await client.get("/api/audit")).json()["items"] if one["act"] == "notify_test"]
    assert [(one["did"], one["result"]) for one in rows] == [
        ("send a test to broken (json)", "failed"),
        ("send a test to json", "done"),
    ]


async def test_an_address_that_no_service_has_is_said_to_be_one(make_table: Make) -> None:
    running = await make_table(notify="nosuchservice://token/abcdefgh")
    client = await running.signed_in()
    (target,) = (await told(client))["targets"]
    tested = (await client.post(f"/api/notifications/{target['id']}/test", json={})).json()
    assert tested["error"].startswith("the address is not one that Apprise understands")


async def test_a_silenced_finding_is_not_told(make_table: Make, hook: Hook, origin: FakeOrigin) -> None:
    """Through the real rules, silence and life of findings: the origin does not answer."""
    gone = origin.url
    await origin.stop()
    running = await make_table(origin, notify=hook_to(hook), **{**HERE, "notify_wait_seconds": 3.0})
    assert gone
    client = await running.signed_in()
    await eventually(lambda: running.table.watching.watch.current.items, within=SOON)
    for one in running.table.watching.watch.current.items:
        await client.post(f"/api/findings/{one.id}/silence", json={"for_seconds": 600})
    await eventually(lambda: running.table.telling.causes.now.silent, within=SOON)
    await eventually(lambda: not running.table.telling.causes.now.causes, within=SOON)
    assert hook.got == []


async def test_a_heartbeat_is_sent_while_the_table_works(make_table: Make, hook: Hook) -> None:
    running = await make_table(heartbeat_url=f"http://127.0.0.1:{hook.port}/ping/{SECRET}", **HERE)
    await eventually(lambda: hook.got, within=SOON)
    assert (hook.got[0].method, hook.got[0].path) == ("GET", f"/ping/{SECRET}")
    client = await running.signed_in()
    await eventually(lambda: _beat(client), within=SOON)
    assert running.table.telling.heartbeat
    hook.status = 500
    await running.table.telling.heartbeat.beat()
    beat = (await told(client))["heartbeat"]
    assert (beat["failures"], beat["last_error"]) == (1, "it answered 500")
    asked = len(hook.got)
    running.table.ingest.full_since = 1.0
    await running.table.telling.heartbeat.beat()
    beat = (await told(client))["heartbeat"]
    assert (beat["last_error"], len(hook.got)) == ("not sent, because nothing can be stored", asked)


async def _beat(client: httpx2.AsyncClient) -> bool:
    return bool((await told(client))["heartbeat"]["last_success_at"])


async def test_a_verdict_is_told_with_the_deployment_and_the_way_back(make_table: Make, hook: Hook) -> None:
    running = await make_table(
        notify=hook_to(hook), public_url="https://t.example", verdict_seconds=[1.0], scrape_seconds=1.0, **HERE
    )
    Drawn(running)
    await eventually(lambda: running.table.loops.health()["causes"].last_success_at, within=SOON)
    running.table.telemetry.deployments.hear(
        "hel1", [deployment(started_at=datetime.now(UTC), ended_at=datetime.now(UTC))]
    )
    await eventually(lambda: hook.got, within=SOON)
    sent = hook.got[0].json
    assert sent["title"].startswith("Deployment aaaaaaa of hel1 had too little traffic")
    assert "https://t.example/deployments/hel1/" in sent["body"]
