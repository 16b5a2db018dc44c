"""GitHub's manners: validators, limits, headers, errors."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.standin.receiver import REPO, Body, Make, Wall

from chimney.standin.app import Standin

Asking = Callable[..., httpx2.AsyncClient]
Do = Callable[..., Any]


def opaque(etag: str) -> str:
    return etag.removeprefix("W/").strip('"')


async def test_the_validator_is_the_hash_of_accept_authorization_and_body(github: httpx2.AsyncClient) -> None:
    answer = await github.get(f"{REPO}/labels")
    expected = hashlib.sha256(b"application/vnd.github+json:Bearer secret-token:" + answer.content).hexdigest()
    assert answer.headers["etag"] == f'W/"{expected}"'


@pytest.mark.parametrize("other", [{"authorization": "Bearer other"}, {"accept": "*/*"}, {"cookie": "a=b"}])
async def test_the_validator_is_bound_to_who_asks_and_how(github: httpx2.AsyncClient, other: dict[str, str]) -> None:
    mine, theirs = await github.get(REPO), await github.get(REPO, headers=other)
    assert mine.content == theirs.content
    assert opaque(mine.headers["etag"]) != opaque(theirs.headers["etag"])


async def test_the_validator_is_weak_with_gzip_and_strong_without_and_on_304(github: httpx2.AsyncClient) -> None:
    zipped = await github.get(REPO)
    plain = await github.get(REPO, headers={"accept-encoding": "identity"})
    unchanged = await github.get(REPO, headers={"if-none-match": zipped.headers["etag"]})
    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert unchanged.status_code == 304
    assert unchanged.content == b""
    strong = f'"{opaque(zipped.headers["etag"])}"'
    assert (zipped.headers["etag"], plain.headers["etag"], unchanged.headers["etag"]) == (f"W/{strong}", strong, strong)


@pytest.mark.parametrize("form", ['W/"{}"', '"{}"', '"x", W/"{}"', "*"])
async def test_validators_compare_weakly(github: httpx2.AsyncClient, form: str) -> None:
    etag = opaque((await github.get(REPO)).headers["etag"])
    answer = await github.get(REPO, headers={"if-none-match": form.format(etag)})
    assert answer.status_code == 304


async def test_a_change_changes_the_validator(github: httpx2.AsyncClient, do: Do) -> None:
    before = await github.get(f"{REPO}/issues")
    await do("open_bug")
    after = await github.get(f"{REPO}/issues", headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"]


async def test_an_authenticated_304_is_free(github: httpx2.AsyncClient) -> None:
    first = await github.get(REPO)
    second = await github.get(REPO, headers={"if-none-match": first.headers["etag"]})
    assert (first.headers["x-ratelimit-used"], second.headers["x-ratelimit-used"]) == ("1", "1")
    stats = (await github.get("/_standin/stats")).json()
    assert stats == {"requests": 2, "charged": 1, "not_modified": 1, "by_path": {REPO: 2}}


async def test_an_anonymous_304_is_charged(standin: Standin, asking: Asking) -> None:
    anonymous = asking(standin, token=None)
    first = await anonymous.get(REPO)
    second = await anonymous.get(REPO, headers={"if-none-match": first.headers["etag"]})
    assert second.status_code == 304
    assert (first.headers["x-ratelimit-limit"], second.headers["x-ratelimit-used"]) == ("60", "2")
    assert first.headers["cache-control"] == "public, max-age=60, s-maxage=60"


async def test_headers_are_those_of_github(github: httpx2.AsyncClient, wall: Wall) -> None:
    answer = await github.get(REPO)
    assert answer.headers.get_list("vary") == [
        "Accept, Authorization, Cookie, X-GitHub-OTP",
        "Accept-Encoding, Accept, X-Requested-With",
    ]
    expected = {
        "cache-control": "private, max-age=60, s-maxage=60",
        "content-type": "application/json; charset=utf-8",
        "date": "Sun, 15 Nov 2026 09:46:40 GMT",
        "x-ratelimit-limit": "5000",
        "x-ratelimit-remaining": "4999",
        "x-ratelimit-reset": str(int(wall.now) + 3600),
        "x-ratelimit-resource": "core",
        "x-github-api-version-selected": "2022-11-28",
        "access-control-allow-origin": "*",
    }
    assert {name: answer.headers[name] for name in expected} == expected
    for name in ("ETag", "Link", "Retry-After", "X-RateLimit-Remaining", "X-Poll-Interval", "Deprecation", "Sunset"):
        assert name in answer.headers["access-control-expose-headers"].split(", ")


async def test_every_answer_has_a_request_id_of_its_own(github: httpx2.AsyncClient) -> None:
    ids = {(await github.get(REPO)).headers["x-github-request-id"] for _ in range(3)}
    assert len(ids) == 3


async def test_each_token_has_its_own_quota_however_it_is_shown(standin: Standin, asking: Asking) -> None:
    one = asking(standin, token="one")
    await one.get(REPO)
    as_token = await one.get(REPO, headers={"authorization": "token one"})
    other = await asking(standin, token="two").get(REPO)
    assert (as_token.headers["x-ratelimit-used"], other.headers["x-ratelimit-used"]) == ("2", "1")


async def test_the_quota_ends_and_comes_back(make: Make, asking: Asking, wall: Wall) -> None:
    github = asking(make(rate_limit=2))
    answers = [await github.get(REPO) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 403]
    assert answers[2].headers["x-ratelimit-remaining"] == "0"
    assert "retry-after" not in answers[2].headers
    assert "rate limit exceeded" in answers[2].json()["message"]
    wall.move(3600)
    assert (await github.get(REPO)).headers["x-ratelimit-remaining"] == "1"


async def test_asking_for_the_limits_is_free(github: httpx2.AsyncClient) -> None:
    await github.get(REPO)
    answer = await github.get("/rate_limit")
    assert "etag" not in answer.headers
    assert answer.json()["resources"]["core"] | {"reset": 0} == {
        "limit": 5000, "used": 1, "remaining": 4999, "reset": 0, "resource": "core",
    }  # fmt: skip
    assert answer.json()["rate"]["used"] == 1
    newer = await github.get("/rate_limit", headers={"x-github-api-version": "2026-03-10"})
    assert "rate" not in newer.json()


@pytest.mark.parametrize(
    "path",
    [f"{REPO}/", f"{REPO}/pulls/", f"{REPO}/pulls/99999", f"{REPO}/pulls/x", f"{REPO}/nothing", "/repos/a/b", "/x",
     "/repositories/1", f"{REPO}/pulls/99999999999999999999999", f"{REPO}/actions/runs/²", f"{REPO}/contents/x"],
)  # fmt: skip
async def test_what_is_not_there_is_githubs_404(github: httpx2.AsyncClient, path: str) -> None:
    answer = await github.get(path)
    assert answer.status_code == 404
    assert answer.json() == {
        "message": "Not Found",
        "documentation_url": "https://docs.github.com/rest",
        "status": "404",
    }


async def test_a_missing_user_agent_is_refused(standin: Standin) -> None:
    transport = httpx2.ASGITransport(app=standin.asgi)
    async with httpx2.AsyncClient(transport=transport, base_url="http://github.test") as client:
        del client.headers["user-agent"]
        answer = await client.get(REPO)
    assert answer.status_code == 403
    assert "User-Agent" in answer.json()["message"]


@pytest.mark.parametrize(("version", "status"), [("2026-03-10", 200), ("2021-01-01", 410), ("tomorrow", 400)])
async def test_versions(github: httpx2.AsyncClient, version: str, status: int) -> None:
    answer = await github.get(REPO, headers={"x-github-api-version": version})
    assert answer.status_code == status
    assert answer.headers["x-github-api-version-selected"] == version


async def test_a_wrong_token_is_refused(make: Make, asking: Asking) -> None:
    standin = make(token="right")
    answers = [await asking(standin, token=token).get(REPO) for token in ("right", "wrong", None)]
    assert [one.status_code for one in answers] == [200, 401, 200]
    assert answers[1].json()["message"] == "Bad credentials"


async def test_writing_needs_a_token(standin: Standin, asking: Asking) -> None:
    answer = await asking(standin, token=None).post(f"{REPO}/deployments", json={"ref": "main"})
    assert answer.status_code == 401


async def test_bodies_for_browsers_are_spread_out_under_the_same_validator(github: httpx2.AsyncClient) -> None:
    compact = await github.get(REPO)
    pretty = await github.get(REPO, headers={"user-agent": "curl/8.5.0"})
    assert pretty.headers["etag"] == compact.headers["etag"]
    assert pretty.content != compact.content
    assert pretty.json() == compact.json()
    assert pretty.text.startswith('{\n  "id"')


async def test_head_is_get_without_a_body(github: httpx2.AsyncClient) -> None:
    got, head = await github.get(REPO), await github.head(REPO)
    assert head.content == b""
    assert head.headers["etag"] == got.headers["etag"]
    assert head.headers["content-length"] == got.headers["content-length"]


async def test_preflight_is_answered(github: httpx2.AsyncClient) -> None:
    answer = await github.options(REPO)
    assert answer.status_code == 204
    assert "If-None-Match" in answer.headers["access-control-allow-headers"]


async def test_a_renamed_repository_is_found_by_its_id(github: httpx2.AsyncClient, do: Do) -> None:
    renamed = await do("rename", name="tidetables")
    assert renamed["repository"]["full_name"] == "saltmarsh/tidetables"
    moved = await github.get(f"{REPO}/issues?state=all&per_page=5")
    assert moved.status_code == 301
    by_id = f"http://github.test/repositories/{renamed['repository']['id']}/issues?state=all&per_page=5"
    assert moved.headers["location"] == moved.json()["url"] == by_id
    followed = await github.get(moved.headers["location"])
    assert len(followed.json()) == 5
    assert (await github.get("/repos/saltmarsh/tidetables")).status_code == 200


@pytest.mark.parametrize("name", [REPO.upper().replace("/REPOS", "/repos"), REPO])
async def test_names_do_not_mind_their_case(github: httpx2.AsyncClient, name: str) -> None:
    assert (await github.get(name)).json()["full_name"] == "saltmarsh/ferrytimes"


async def walk(client: httpx2.AsyncClient, path: str) -> tuple[list[Body], int]:
    items: list[Body] = []
    pages = 0
    url: str | None = path
    while url:
        answer = await client.get(url)
        assert answer.status_code == 200
        items += answer.json()
        pages += 1
        url = answer.links.get("next", {}).get("url")
    return items, pages


@pytest.mark.parametrize(("per_page", "pages"), [(100, 3), (30, 9), (7, 36), (1000, 3)])
async def test_links_lead_through_every_issue_once(
    github: httpx2.AsyncClient, do: Do, per_page: int, pages: int
) -> None:
    await do("open_bug", count=250, labels=["priority:high"])
    items, walked = await walk(github, f"{REPO}/issues?labels=type:bug,priority:high&per_page={per_page}")
    assert walked == pages
    numbers = [item["number"] for item in items]
    assert len(numbers) == len(set(numbers)) >= 250
    assert numbers == sorted(numbers, reverse=True)


async def test_links_are_absolute_and_by_id(github: httpx2.AsyncClient, do: Do) -> None:
    await do("open_bug", count=70)
    first = await github.get(f"{REPO}/issues?labels=type:bug")
    middle = await github.get(first.links["next"]["url"])
    last = await github.get(first.links["last"]["url"])
    assert list(first.links) == ["next", "last"]
    assert list(middle.links) == ["prev", "next", "last", "first"]
    assert list(last.links) == ["prev", "first"]
    repository = (await github.get(REPO)).json()["id"]
    assert first.links["next"]["url"] == (
        f"http://github.test/repositories/{repository}/issues?labels=type%3Abug&page=2"
    )
    assert "link" not in (await github.get(f"{REPO}/labels")).headers


async def test_bodies_name_the_host_that_was_asked(github: httpx2.AsyncClient) -> None:
    body = (await github.get(REPO, headers={"host": "127.0.0.1:8790"})).json()
    assert body["url"] == "http://127.0.0.1:8790/repos/saltmarsh/ferrytimes"
    assert body["html_url"] == "https://github.com/saltmarsh/ferrytimes"


async def test_search_pages_like_nonsense_are_the_default(github: httpx2.AsyncClient) -> None:
    for query in ("per_page=-1", "per_page=0", "per_page=x", "page=0", "page=99999999999999999999", "per_page=²"):
        answer = await github.get(f"{REPO}/actions/runs?{query}")
        assert answer.status_code == 200, query
        assert len(json.loads(answer.content)["workflow_runs"]) == 30, query
