"""Deployments with real processes: the timeline over restarts and slot changes; the incident, named part by part."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.processes import Running, eventually, fetch
from tests.e2e.slots import EVENTS, Slots, report

STATUS, HISTORY = "/api/deploy/status", "/api/health/history"


@pytest.fixture
def slots(tmp_path: Path) -> Iterator[Slots]:
    running = Slots(tmp_path)
    yield running
    running.close()


def items(origin: Running) -> list[dict[str, Any]]:
    """Without what depends on the moment of asking."""
    kept = fetch(origin.url + EVENTS)["items"]
    return [{name: value for name, value in one.items() if name != "way_back"} for one in kept]


def test_the_timeline_is_whole_over_a_kill_a_restart_and_a_change_of_slots(slots: Slots) -> None:
    newest, older = slots.main()[:2]
    blue, green = slots.start("blue", CHIMNEY_REVISION=older), slots.start("green", CHIMNEY_REVISION=newest)
    assert report(blue, "succeeded", older, slot="blue", duration_seconds=30) == 200
    assert report(blue, "started", newest, slot="green", actor="ada") == 200
    eventually(lambda: slots.statuses() == {newest: ["in_progress"], older: ["in_progress", "success"]}, within=40)
    blue.kill()
    assert fetch(green.url + STATUS)["in_progress"]["revision"] == newest
    assert report(green, "succeeded", newest, slot="green", run_url="https://ci.example/7") == 200
    eventually(lambda: slots.statuses()[newest] == ["in_progress", "success"], within=40)
    assert slots.statuses()[older] == ["in_progress", "success", "inactive"]  # GitHub retires what was before
    blue.again()
    assert blue.url
    told = fetch(blue.url + STATUS)
    assert items(blue) == items(green)
    assert [(one["revision"], one["phase"], one["slot"], one["reports"]) for one in items(blue)] == [
        (newest, "succeeded", "green", 2),
        (older, "succeeded", "blue", 1),
    ]
    assert (told["active_slot"], told["total_deploys"], told["success_rate_pct"]) == ("green", 2, 100)
    assert told["last_deploy"]["compare_url"].endswith(f"/compare/{older}...{newest}")
    runs = {"blue": older, "green": newest}

    def observed() -> dict[str, str]:
        said = fetch(blue.url + STATUS)["slots"]
        return {slot: one["revision"] for slot, one in said.items() if one["healthy"] and one["problem"] is None}

    eventually(lambda: observed() == runs)
    assert green.terminate() == 0
    assert report(blue, "rolled_back", newest, slot="green", actor="grace", reason="errors doubled") == 200
    eventually(lambda: slots.statuses()[newest] == ["in_progress", "success", "inactive"], within=40)
    eventually(lambda: fetch(blue.url + STATUS)["slots"]["green"]["healthy"] is False)
    told = fetch(blue.url + STATUS)
    assert (told["active_slot"], told["slots"]["blue"]["healthy"]) == ("blue", True)
    assert len(slots.statuses()) == 2


class Redirecting(http.server.BaseHTTPRequestHandler):
    """What an origin of the incident answered to its health check."""

    def do_GET(self) -> None:
        self.send_response(308)
        self.send_header("location", "https://localhost/healthz")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_said: Any) -> None:
        """Nothing."""


@pytest.fixture
def redirecting() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_incident_is_named_part_by_part(slots: Slots, redirecting: str) -> None:
    nowhere, revision = "https://app.rocket.invalid", slots.main()[0]
    blue = slots.start(
        "blue",
        CHIMNEY_PROBES=f"{redirecting},{nowhere}",
        CHIMNEY_PROBE_SECONDS="0.2",
        CHIMNEY_DEPLOY_STUCK_SECONDS="1",
    )
    slots.start("green", CHIMNEY_REPO="", CHIMNEY_SLOT="", CHIMNEY_GITHUB_TOKEN="")  # as without its file of settings

    def by_origin() -> dict[str, dict[str, Any]]:
        found = {one["origin"]: one for one in fetch(blue.url + HISTORY)["items"]}
        return found if all(one["results"] for one in found.values()) else {}

    history = eventually(by_origin)
    moved, lost = history[redirecting], history[nowhere]
    assert moved["results"][0].items() >= {"ok": False, "status": 308, "stage": "redirect"}.items()
    assert moved["results"][0]["error"] == "the health check is redirected: 308 to https://localhost/healthz"
    assert lost["results"][0].items() >= {"ok": False, "status": None, "stage": "dns"}.items()
    assert "app.rocket.invalid does not resolve" in lost["results"][0]["error"]
    assert (moved["uptime_pct"]["1h"], lost["streak"]["ok"]) == (0, False)

    def green() -> dict[str, Any]:
        return dict(fetch(blue.url + STATUS)["slots"]["green"])

    eventually(lambda: "started without its configuration" in (green()["problem"] or ""))
    assert green()["healthy"] is False

    assert report(blue, "started", revision, slot="green") == 200  # half of its files are copied, and it dies
    half = eventually(lambda: [one for one in [fetch(blue.url + STATUS)["in_progress"]] if one and one["stuck"]])[0]
    assert (half["revision"], half["ended_at"]) == (revision, None)

    def kinds() -> set[str | None]:
        return {json.loads(line).get("event") for line in blue.errors().splitlines() if line.startswith("{")}

    eventually(lambda: kinds() >= {"health_changed", "deployment_stuck"})
