"""From a deployment that hurts to the message in somebody's hands, with real processes; and what commands say of it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.e2e.processes import Stack, eventually, fetch
from tests.fakes.hook import Hook, listening

SECRET = "hook-s3cret-7d1c"
SOON = 60.0
MEASURE = "chimney_visitor_request_duration_seconds"


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    async with listening() as hook:
        yield hook


def environ(hook: Hook) -> dict[str, str]:
    return {
        "CHIMNEY_TABLE_NOTIFY": f"json://127.0.0.1:{hook.port}/{SECRET}",
        "CHIMNEY_TABLE_NOTIFY_NETWORKS": "127.0.0.1",
        "CHIMNEY_TABLE_NOTIFY_WAIT_SECONDS": "0",
        "CHIMNEY_TABLE_NOTIFY_INTERVAL_SECONDS": "0",
        "CHIMNEY_TABLE_HEARTBEAT_URL": f"http://127.0.0.1:{hook.port}/beat/{SECRET}",
        "CHIMNEY_TABLE_PUBLIC_URL": "https://table.example.org",
        "CHIMNEY_TABLE_VERDICT_SECONDS": "12",
        "CHIMNEY_TABLE_SCRAPE_SECONDS": "1",
    }


def deploy(stack: Stack, revision: str, phase: str = "succeeded") -> str:
    report = {"phase": phase, "revision": revision * 40, "environment": "production", "actor": "ann"}
    return str(fetch(f"{stack.origin.url}/api/deploy/events", body=report)["id"])


async def visit(stack: Stack, paths: list[str]) -> list[int]:
    async with httpx2.AsyncClient(base_url=stack.origin.url, timeout=30) as visitor:
        return [(await visitor.get(path)).status_code for path in paths]


async def soon(question: Callable[[], object]) -> None:
    """Asked in a thread: this loop serves the hook."""
    await asyncio.to_thread(eventually, question, within=SOON, every=0.2)


def placed(stack: Stack, revision: str) -> list[dict[str, Any]]:
    return [one for one in stack.ask_table("/api/deployments")["items"] if one["revision"] == revision * 40]


def scraped(stack: Stack) -> bool:
    return MEASURE in [one["name"] for one in stack.ask_table("/api/series/names")["items"]]


def counted(stack: Stack, status_class: str) -> float:
    """Visitors' requests that the table has read of the origin."""
    labels = f"origin=hel1,status_class={status_class}"
    query = f"name={MEASURE}&fn=rate&by=&labels={labels}"
    found = stack.ask_table(f"/api/series?{query}")["series"]
    return sum(point["value"] or 0 for one in found for point in one["points"])


async def test_a_deployment_that_hurts_is_judged_and_told_and_no_secret_is_seen(tmp_path: Path, hook: Hook) -> None:
    stack = Stack(tmp_path, speed=0, table_environ=environ(hook))
    try:
        await _hurt(stack)
        await soon(lambda: any("is harmful" in title for title in hook.titles))
        (told,) = [one.json for one in hook.got if one.body and "is harmful" in one.json["title"]]
        (first,), (second,) = placed(stack, "a"), placed(stack, "b")
        verdict = second["verdict"]
        assert (verdict["state"], verdict["previous"], verdict["after"]["measured_at"]) == (
            "harmful",
            first["id"],
            "origin",
        )
        assert verdict["after"]["errors"] >= 25
        assert told["title"] == "Deployment bbbbbbb of hel1 is harmful"
        assert f"Go back: https://table.example.org/deployments/hel1/{first['id']}" in told["message"]
        assert [one.path for one in hook.got if not one.body][:1] == [f"/beat/{SECRET}"]
        deploy(stack, "c", "failed")
        await soon(lambda: _codes(stack))
        _same_findings(stack)
        seen = "".join(str(stack.ask_table(path)) for path in ("/api/notifications", "/api/logs?limit=500", "/healthz"))
        assert SECRET not in seen + stack.table.errors()
    finally:
        stack.close()


async def _hurt(stack: Stack) -> None:
    deploy(stack, "a")
    await soon(lambda: scraped(stack))  # what was counted before the first look is not known to have grown
    assert set(await visit(stack, ["/api/github/pulls"] * 30)) == {200}
    await soon(lambda: counted(stack, "2xx") > 0)
    fetch(f"{stack.standin.url}/_standin/faults", body={"status": 500, "for_seconds": 600})
    deploy(stack, "b")
    await soon(lambda: placed(stack, "b"))
    assert min(await visit(stack, [f"/api/github/issues/{number}" for number in range(9000, 9030)])) >= 500


def _same_findings(stack: Stack) -> None:
    """`chimney status` and /api/findings say the same; a finding may come or go between the two."""
    for _ in range(5):
        before = _codes(stack)
        said = subprocess.run(
            [sys.executable, "-m", "chimney", "status"],
            cwd=stack.folder,
            env={**os.environ, "CHIMNEY_TABLE_URL": stack.table.url},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        after = _codes(stack)
        if before == after:
            break
    assert before == after
    assert [code for code, _ in after if f"· {code} ·" not in said.stdout] == []
    assert said.stdout.count("    to do: ") == len(after) > 0
    assert said.returncode == int(any(severity == "critical" for _, severity in after))


def _codes(stack: Stack) -> list[Any]:
    return [(one["code"], one["severity"]) for one in stack.ask_table("/api/findings")["items"]]
