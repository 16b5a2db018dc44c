import io
import zipfile
from collections.abc import Callable

import httpx2
import pytest
from tests.standin.receiver import REPO, Body, Wall

from chimney.standin.app import Standin


@pytest.fixture
async def failed(github: httpx2.AsyncClient) -> Body:
    """A job that failed."""
    await github.post("/_standin/do", json={"do": "push"})
    run = (await github.post("/_standin/do", json={"do": "fail_run"})).json()["run"]["id"]
    jobs = (await github.get(f"{REPO}/actions/runs/{run}/jobs")).json()["jobs"]
    return next(job for job in jobs if job["conclusion"] == "failure")


async def test_logs_are_elsewhere(github: httpx2.AsyncClient, failed: Body) -> None:
    sent = await github.get(f"{REPO}/actions/jobs/{failed['id']}/logs")
    assert (sent.status_code, sent.content) == (302, b"")
    assert "etag" not in sent.headers
    text = await github.get(sent.headers["location"])
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.text.splitlines()[0].startswith("2026-11-15T09:46:40.")
    assert "##[error]Process completed with exit code 1." in text.text
    assert "\x1b[31;1m" in text.text


async def test_the_address_of_a_log_is_good_for_a_minute(github: httpx2.AsyncClient, failed: Body, wall: Wall) -> None:
    location = (await github.get(f"{REPO}/actions/jobs/{failed['id']}/logs")).headers["location"]
    wall.move(59)
    assert (await github.get(location)).status_code == 200
    wall.move(1)
    expired = await github.get(location)
    assert expired.status_code == 403
    assert b"AuthenticationFailed" in expired.content
    fresh = (await github.get(f"{REPO}/actions/jobs/{failed['id']}/logs")).headers["location"]
    assert fresh != location


async def test_the_address_cannot_be_prolonged(github: httpx2.AsyncClient, failed: Body, wall: Wall) -> None:
    location = (await github.get(f"{REPO}/actions/jobs/{failed['id']}/logs")).headers["location"]
    later = location.replace(f"se={int(wall.now) + 60}", f"se={int(wall.now) + 9999}")
    assert later != location
    assert (await github.get(later)).status_code == 403


async def test_reading_a_log_elsewhere_is_not_counted(github: httpx2.AsyncClient, failed: Body) -> None:
    location = (await github.get(f"{REPO}/actions/jobs/{failed['id']}/logs")).headers["location"]
    await github.post("/_standin/reset")
    await github.get(location)
    assert (await github.get("/_standin/stats")).json()["requests"] == 0


async def test_the_logs_of_a_run_are_an_archive(github: httpx2.AsyncClient, failed: Body) -> None:
    sent = await github.get(f"{REPO}/actions/runs/{failed['run_id']}/logs")
    answer = await github.get(sent.headers["location"])
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["0_lint.txt", "1_test.txt", "2_browser.txt", "3_build.txt"]


async def test_logs_are_not_for_everybody(
    standin: Standin, failed: Body, asking: Callable[..., httpx2.AsyncClient]
) -> None:
    answer = await asking(standin, token=None).get(f"{REPO}/actions/jobs/{failed['id']}/logs")
    assert answer.status_code == 403
