import asyncio
from collections.abc import Callable

import httpx2
import msgspec
import pytest
from tests.standin.receiver import REPO, Wall

from chimney.standin.app import Standin

FAULTS = "/_standin/faults"


async def broken(github: httpx2.AsyncClient, **fault: object) -> None:
    answer = await github.post(FAULTS, json=fault)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("status", [404, 500, 502, 503])
async def test_a_status_is_answered_until_it_is_mended(github: httpx2.AsyncClient, status: int) -> None:
    await broken(github, status=status)
    assert [(await github.get(REPO)).status_code for _ in range(3)] == [status] * 3
    await github.delete(FAULTS)
    assert (await github.get(REPO)).status_code == 200


async def test_faulted_requests_are_counted_but_not_charged(github: httpx2.AsyncClient) -> None:
    await broken(github, status=500)
    await github.get(REPO)
    stats = (await github.get("/_standin/stats")).json()
    assert (stats["requests"], stats["charged"]) == (1, 0)


async def test_a_fault_for_some_requests(github: httpx2.AsyncClient) -> None:
    await broken(github, status=500, for_requests=2)
    assert [(await github.get(REPO)).status_code for _ in range(4)] == [500, 500, 200, 200]


async def test_a_fault_for_some_seconds(github: httpx2.AsyncClient, wall: Wall) -> None:
    await broken(github, status=500, for_seconds=30)
    wall.move(29)
    assert (await github.get(REPO)).status_code == 500
    wall.move(1)
    assert (await github.get(REPO)).status_code == 200
    assert (await github.get(FAULTS)).json() == {"faults": []}


async def test_a_fault_of_a_path(github: httpx2.AsyncClient) -> None:
    await broken(github, status=500, path=f"{REPO}/issues")
    answers = [await github.get(path) for path in (f"{REPO}/issues", f"{REPO}/issues/1", REPO)]
    assert [one.status_code for one in answers] == [500, 500, 200]


async def test_the_newest_matching_fault_hits(github: httpx2.AsyncClient) -> None:
    await broken(github, status=500)
    await broken(github, status=503, for_requests=1)
    assert [(await github.get(REPO)).status_code for _ in range(2)] == [503, 500]


async def test_the_primary_limit(github: httpx2.AsyncClient) -> None:
    await broken(github, rate_limited=True, for_requests=1)
    answer = await github.get(REPO)
    assert answer.status_code == 403
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(("seconds", "header"), [(60, "60"), (1.0, "1"), (None, None)])
async def test_the_secondary_limit(
    github: httpx2.AsyncClient, status: int, seconds: float | None, header: str | None
) -> None:
    await broken(github, rate_limited="secondary", status=status, retry_after_seconds=seconds)
    answer = await github.get(REPO)
    assert answer.status_code == status
    assert answer.headers.get("retry-after") == header
    assert answer.headers["x-ratelimit-remaining"] != "0"
    assert "secondary rate limit" in answer.json()["message"]


async def test_a_revoked_token(github: httpx2.AsyncClient) -> None:
    await broken(github, unauthorized=True)
    answer = await github.get(REPO)
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


async def test_a_delay_comes_before_the_answer(github: httpx2.AsyncClient) -> None:
    await broken(github, delay_seconds=0.05)
    began = asyncio.get_running_loop().time()
    assert (await github.get(REPO)).status_code == 200
    assert asyncio.get_running_loop().time() - began >= 0.05


async def test_truncated_is_half_of_what_was_promised(github: httpx2.AsyncClient) -> None:
    await broken(github, truncate=True, for_requests=1)
    answer = await github.get(REPO, headers={"accept-encoding": "identity"})
    assert len(answer.content) == int(answer.headers["content-length"]) // 2
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(answer.content)


async def test_hanging_ends_when_the_faults_are_deleted(github: httpx2.AsyncClient) -> None:
    await broken(github, hang=True)
    asked = asyncio.create_task(github.get(REPO))
    done, _ = await asyncio.wait({asked}, timeout=0.05)
    assert not done
    await github.delete(FAULTS)
    assert (await asked).status_code == 200


async def test_hanging_harms_nobody_when_the_client_leaves(github: httpx2.AsyncClient) -> None:
    await broken(github, hang=True, for_requests=1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await github.get(REPO)
    assert (await github.get(REPO)).status_code == 200


async def test_hanging_for_some_seconds(github: httpx2.AsyncClient) -> None:
    await broken(github, hang=True, for_seconds=0.05)
    assert (await github.get(REPO)).status_code == 200


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"stats": 500}', "unknown field `stats`"),
        (b'{"status": "500"}', "$.status"),
        (b'{"status": 200}', "$.status"),
        (b'{"delay_seconds": -1}', "$.delay_seconds"),
        (b'{"rate_limited": "tertiary"}', "$.rate_limited"),
        (b'{"status": 500, "for_requests": 0}', "$.for_requests"),
        (b'{"status": 500, "for_requests": 1, "for_seconds": 1}', "exclude each other"),
        (b"{}", "no fault"),
        (b"[]", "Expected `object`"),
        (b"{", "truncated"),
        (b"", "truncated"),
    ],
)
async def test_a_bad_order_is_told_what_is_wrong(github: httpx2.AsyncClient, body: bytes, says: str) -> None:
    answer = await github.post(FAULTS, content=body)
    assert answer.status_code == 400
    assert says in answer.json()["message"]


async def test_the_control_itself_is_never_hit_nor_counted(
    standin: Standin, asking: Callable[..., httpx2.AsyncClient]
) -> None:
    github = asking(standin)
    await broken(github, status=500)
    for path in ("/_standin/stats", FAULTS):
        assert (await github.get(path)).status_code == 200
    assert (await github.get("/_standin/stats")).json()["requests"] == 0
    assert (await github.get("/_standin/what")).status_code == 404
    assert (await github.get("/_standin/do")).status_code == 405
    assert (await github.post("/_standin/reset")).json()["requests"] == 0
