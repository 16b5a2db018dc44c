"""What a job wrote, from the stand-in and from a GitHub that sends us astray."""

from typing import Any

import httpx2
import pytest
from tests.conftest import Ask, MakeOrigin
from tests.fakes.github import GitHub, says

from chimney.github.job_log import LARGEST
from chimney.origin.app import Origin


async def a_failed_job(visitor: httpx2.AsyncClient) -> dict[str, Any]:
    runs = (await visitor.get("/api/github/actions/runs?per_page=100")).json()["workflow_runs"]
    failed = next(run for run in runs if run["conclusion"] == "failure")
    jobs = (await visitor.get(f"/api/github/actions/runs/{failed['id']}/jobs")).json()["jobs"]
    job: dict[str, Any] = next(job for job in jobs if job["conclusion"] == "failure")
    return job


async def test_the_log_says_why_the_job_failed_without_colours(visitor: httpx2.AsyncClient) -> None:
    job = await a_failed_job(visitor)
    answer = await visitor.get(f"/api/pipeline/jobs/{job['id']}/log")
    assert answer.status_code == 200, answer.text
    log = answer.json()
    assert (log["job"], log["cut"]) == (job["id"], False)
    assert log["lines"][-1].endswith("##[error]Process completed with exit code 1.")
    assert not any("\x1b" in line or "\\u001b" in line for line in log["lines"])


def elsewhere(location: str, text: bytes, asked: list[httpx2.Request]) -> GitHub:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/logs"):
            return httpx2.Response(302, headers={"location": location})
        if "/storage/" in request.url.path:
            asked.append(request)
            return httpx2.Response(200, content=text)
        return says({"message": "Not Found"}, status=404)(request)

    return GitHub(answer)


STORAGE = "https://a.blob.core.windows.net/storage/log"


async def test_the_storage_is_asked_without_the_token(make_origin: MakeOrigin, asking: Ask) -> None:
    asked: list[httpx2.Request] = []
    visitor = asking(await make_origin(transport=elsewhere(STORAGE, b"ghp_abcdefghijklmnopqrstuv done\n", asked)))
    answer = await visitor.get("/api/pipeline/jobs/7/log")
    assert answer.json()["lines"] == ["ghp_…masked done"]
    assert "authorization" not in asked[0].headers


@pytest.mark.parametrize("location", ["https://169.254.169.254/storage/x", "http://127.0.0.1:2019/storage/config"])
async def test_a_redirect_into_the_private_network_is_not_followed(
    make_origin: MakeOrigin, asking: Ask, location: str
) -> None:
    """faults.md C: SSRF by redirect and DNS."""
    asked: list[httpx2.Request] = []
    visitor = asking(await make_origin(transport=elsewhere(location, b"secret", asked)))
    assert (await visitor.get("/api/pipeline/jobs/7/log")).status_code == 502
    assert asked == []


async def test_of_a_long_log_the_end_is_kept_in_whole_lines(make_origin: MakeOrigin, asking: Ask) -> None:
    line = b"x" * 99 + b"\n"
    text = line * (6 * LARGEST // 100) + b"the end\n"
    visitor = asking(await make_origin(transport=elsewhere(STORAGE, text, [])))
    log = (await visitor.get("/api/pipeline/jobs/7/log")).json()
    assert (log["cut"], log["lines"][-1], set(log["lines"][:-1])) == (True, "the end", {"x" * 99})
    assert 0.9 * LARGEST < 100 * len(log["lines"]) < LARGEST + 100


async def test_what_has_no_log_is_not_found(visitor: httpx2.AsyncClient) -> None:
    assert (await visitor.get("/api/pipeline/jobs/999999999/log")).status_code == 404
    assert (await visitor.get("/api/pipeline/jobs/7/log?repo=evil/repo")).json()["errors"][0]["path"] == "query.repo"


async def test_logs_are_for_readers(origin: Origin, asking: Ask) -> None:
    assert (await asking(origin, peer="192.0.2.7").get("/api/pipeline/jobs/7/log")).status_code == 401
