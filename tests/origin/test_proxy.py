"""The GitHub proxy, as visitors meet it."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.conftest import Ask, MakeOrigin, until
from tests.fakes.github import HOST, GitHub, says, validated
from tests.fakes.hostile import HOSTILE, SENSITIVE
from tests.fakes.visitor import Heard, ask

from chimney.core.grammar import NotAllowedError, below_repository, full_path
from chimney.github.client import GitHubClient
from chimney.origin.app import Origin
from chimney.origin.cache import GitHubCache
from chimney.origin.proxy import BELOW, DROP_IN, Proxy
from chimney.origin.watched import Watched
from chimney.store.memory import MemoryStore
from chimney.web.app import Shell

PAGES = f'<{HOST}/repositories/1/pulls?per_page=2&page=2>; rel="next", <{HOST}/repositories/1/pulls?page=9>; rel="last"'

# most tests go without a token, so that no loop asks beside them; then everything lasts ten times as long
STALE, OLD = 301, 10_000


async def get(origin: Origin, target: str, **headers: str) -> Heard:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return await ask(origin, target.encode(), headers={"host": "origin.localhost", **told})


def age(origin: Origin, seconds: float) -> None:
    """Everything stored grows older."""
    for stored in origin.github.near._held.values():
        stored.validated_at -= seconds


async def test_an_answer_of_github_is_passed_on_byte_for_byte(make_origin: MakeOrigin) -> None:
    origin = await make_origin(transport=GitHub(validated([{"number": 1}], "abc")), repo="acme/rocket")
    heard = await get(origin, "/api/github/pulls?state=open")
    assert (heard.status, heard.body) == (200, json.dumps([{"number": 1}]).encode())
    assert heard.header("content-type") == "application/json; charset=utf-8"
    assert heard.header("etag") == 'W/"abc"'
    assert (heard.header("age"), heard.header("x-cache-age")) == ("0", "0")
    assert heard.header("x-ratelimit-remaining") == "4999"
    assert heard.header("x-request-id")


async def test_how_an_answer_came_is_told_by_cache_status(make_origin: MakeOrigin) -> None:
    github = GitHub(validated({"n": 1}, "abc"))
    origin = await make_origin(transport=github, github_token=None)
    told = []
    for older in (0, 0, STALE, OLD):
        age(origin, older)
        told.append((await get(origin, "/api/github/pulls")).header("cache-status") or "")
        await until(lambda: not origin.github.cache._flights)
    assert told[0] == "chimney; fwd=uri-miss; stored"
    assert told[1] == "chimney; hit"
    assert told[2].startswith("chimney; hit; detail=stale")
    assert told[3] == "chimney; fwd=stale; fwd-status=304"
    assert all(not ("hit" in one and "fwd=" in one) for one in told), "RFC 9211 §2.2: the two exclude each other"


async def test_an_old_answer_says_how_old_it_is_and_why(make_origin: MakeOrigin) -> None:
    github = GitHub(validated({"n": 1}, "abc"))
    origin = await make_origin(transport=github, github_token=None)
    await get(origin, "/api/github/pulls")
    age(origin, OLD)
    github.then(says(status=500))
    heard = await get(origin, "/api/github/pulls")
    assert (heard.status, heard.header("age"), heard.header("x-cache-age")) == (200, str(OLD), str(OLD))
    assert heard.header("x-chimney-stale-reason") == "unexpected: GitHub answered 500"
    assert (heard.header("cache-status") or "").endswith("detail=unexpected")


async def test_the_quota_told_is_the_one_of_now(make_origin: MakeOrigin) -> None:
    github = GitHub(says(x_ratelimit_remaining="4100"), says(x_ratelimit_remaining="4099"))
    origin = await make_origin(transport=github, github_token=None)
    await get(origin, "/api/github/pulls")
    await get(origin, "/api/github/issues")
    assert (await get(origin, "/api/github/pulls")).header("x-ratelimit-remaining") == "4099"


@pytest.mark.parametrize(
    ("tag", "older", "status"),
    [
        ('"abc"', 0, 304),
        ('W/"abc"', 0, 304),
        ("*", 0, 304),
        ('"old"', 0, 200),
        ('"abc"', STALE, 200),
        ('"abc"', OLD, 304),
    ],
)
async def test_a_visitor_is_told_304_only_by_what_is_known_to_be_current(
    make_origin: MakeOrigin, tag: str, older: float, status: int
) -> None:
    origin = await make_origin(transport=GitHub(validated({"n": 1}, "abc")), github_token=None)
    await get(origin, "/api/github/pulls")
    age(origin, older)
    heard = await get(origin, "/api/github/pulls", if_none_match=tag)
    assert heard.status == status
    assert bool(heard.body) is (status == 200)
    assert heard.header("x-request-id")


async def test_a_visitor_who_holds_a_stale_tag_gets_the_new_body(make_origin: MakeOrigin) -> None:
    github = GitHub(validated({"n": 1}, "one"))
    origin = await make_origin(transport=github, github_token=None)
    await get(origin, "/api/github/pulls")
    github.then(validated({"n": 2}, "two"))
    age(origin, OLD)
    heard = await get(origin, "/api/github/pulls", if_none_match='"one"')
    assert (heard.status, heard.json()) == (200, {"n": 2})


async def test_an_absence_is_a_404_whatever_tag_is_held(make_origin: MakeOrigin) -> None:
    origin = await make_origin(transport=GitHub(says({"message": "Not Found"}, status=404, etag='"x"')))
    for _ in range(2):
        assert (await get(origin, "/api/github/pulls/9", if_none_match='"x"')).status == 404


@pytest.mark.parametrize(
    ("target", "base"),
    [
        ("/api/github/pulls?per_page=2", "/api/github/pulls"),
        ("/api/v3/repos/acme/rocket/pulls?per_page=2", "/api/v3/repos/acme/rocket/pulls"),
        ("/api/github/acme/rocket/pulls?per_page=2", "/api/github/acme/rocket/pulls"),
        ("/api/github/actions/runs?workflow=ci.yml&per_page=2", "/api/github/actions/workflows/ci.yml/runs"),
    ],
)
async def test_the_pages_of_a_listing_lead_back_to_us(make_origin: MakeOrigin, target: str, base: str) -> None:
    origin = await make_origin(transport=GitHub(says(link=PAGES)), github_token=None)
    for _ in range(2):
        link = (await get(origin, target)).header("link")
        here = f"http://origin.localhost{base}"
        assert link == f'<{here}?per_page=2&page=2>; rel="next", <{here}?page=9>; rel="last"'
    secure = (await get(origin, target, x_forwarded_proto="https")).header("link") or ""
    assert secure.startswith("<https://origin.localhost/")


@pytest.mark.parametrize(
    "target",
    [
        "/api/github/pulls?per_page=5&state=open",
        "/api/github/pulls?state=open&per_page=5",
        "/api/github/pulls?state=%6fpen&per_page=05",
        "/api/v3/repos/acme/rocket/pulls?state=open&per_page=5",
        "/api/v3/repos/ACME/Rocket/pulls?state=open&per_page=5",
        "/api/github/Acme/rocket/pulls?state=open&per_page=5",
    ],
)
async def test_one_listing_is_one_key_however_it_is_asked_for(make_origin: MakeOrigin, target: str) -> None:
    github = GitHub()
    origin = await make_origin(transport=github, github_token=None)
    await get(origin, "/api/github/pulls?per_page=5&state=open")
    heard = await get(origin, target)
    assert (heard.status, heard.header("cache-status")) == (200, "chimney; hit")
    assert github.paths == ["/repos/acme/rocket/pulls?per_page=5&state=open"]


async def test_head_is_answered_without_a_body(make_origin: MakeOrigin) -> None:
    origin = await make_origin(transport=GitHub(says({"n": 1})))
    heard = await ask(origin, b"/api/github/pulls", method="HEAD")
    assert (heard.status, heard.body, heard.header("content-length")) == (200, b"", "8")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
async def test_nothing_but_reading_is_passed_on(make_origin: MakeOrigin, method: str) -> None:
    github = GitHub()
    origin = await make_origin(transport=github, github_token=None)
    for target in (b"/api/github/pulls", b"/api/v3/repos/acme/rocket/pulls", b"/api/github/hooks"):
        heard = await ask(origin, target, method=method)
        assert (heard.status, heard.header("allow")) == (405, "GET, HEAD")
    assert github.asked == []


@pytest.mark.parametrize("prefix", [b"/api/github/", b"/api/v3/repos/acme/rocket/", b"/api/github/acme/rocket/"])
async def test_hostile_and_sensitive_paths_are_not_there_and_ask_nobody(make_origin: MakeOrigin, prefix: bytes) -> None:
    github = GitHub()
    origin = await make_origin(transport=github, github_token=None, allow_contents=False)
    for below in [*HOSTILE, *(path.encode() for path in SENSITIVE if not path.startswith("branches/"))]:
        heard = await ask(origin, prefix + below)
        assert heard.status == 404, below
        assert heard.header("content-type") == "application/problem+json"
    assert github.asked == []


async def test_a_branch_protection_is_never_asked_for(make_origin: MakeOrigin) -> None:
    github = GitHub(says(status=404))
    origin = await make_origin(transport=github, github_token=None)
    await get(origin, "/api/github/branches/main/protection")
    assert github.paths == ["/repos/acme/rocket/branches/main%2Fprotection"]


@pytest.mark.parametrize(
    "asked", ["runs?workflow=..", "runs?workflow=.", "runs?workflow=a%2Fb", "runs?workflow=a~b",
              "workflows/ci.yml/runs?workflow=x.yml"]
)  # fmt: skip
async def test_a_workflow_that_is_no_file_name_is_not_there(make_origin: MakeOrigin, asked: str) -> None:
    github = GitHub()
    origin = await make_origin(transport=github, github_token=None)
    assert (await get(origin, f"/api/github/actions/{asked}")).status == 404
    assert github.asked == []


async def test_a_bad_query_is_a_400_that_names_the_parameter(make_origin: MakeOrigin) -> None:
    github = GitHub()
    origin = await make_origin(transport=github, github_token=None)
    heard = await get(origin, "/api/github/pulls?per_page=100000")
    assert heard.status == 400
    assert heard.json()["errors"] == [{"path": "query.per_page", "detail": "should be a number from 1 to 100"}]
    assert github.asked == []


async def test_without_a_repository_only_what_is_watched_is_there(make_origin: MakeOrigin) -> None:
    origin = await make_origin(transport=GitHub(), repo=None, repos=["acme/rocket"], github_token=None)
    assert (await get(origin, "/api/github/pulls")).status == 404
    assert (await get(origin, "/api/github/acme/rocket/pulls")).status == 200
    assert (await get(origin, "/api/github/acme/rocket-evil/pulls")).status == 404


async def test_a_hundred_page_loads_cost_one_charged_request_for_each_path(
    make_origin: MakeOrigin, asking: Ask, standin: object
) -> None:
    origin = await make_origin(github_token="t", repos=[])
    visitor = asking(origin)
    paths = ["/api/github/pulls", "/api/github/issues", "/api/github/actions/runs?per_page=10", "/api/github/releases"]
    for _ in range(100):
        for path in paths:
            assert (await visitor.get(path)).status_code == 200
    asked = origin.github.client.results["2xx"]
    assert asked <= len(paths) + 6, "the summary's own six paths are asked for by the loop that keeps them warm"


class Whole:
    """Proxy and all around it, on a loop of its own, over a GitHub that notes what reaches it."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.runner.run(self._build())

    async def _build(self) -> None:
        self.github = GitHub(says())
        client = GitHubClient(HOST, "ghp_secret", transport=self.github)
        proxy = Proxy(GitHubCache(client, MemoryStore()), client, Watched(main="acme/rocket"), allow_contents=True)
        self.shell = Shell(lambda _record: None)
        self.shell.hot = {BELOW: proxy, DROP_IN: proxy}

    def ask(self, target: bytes) -> tuple[Heard, list[str]]:
        self.github.asked.clear()
        return self.runner.run(ask(self.shell, target)), self.github.paths


@pytest.fixture(scope="module")
def whole() -> Iterator[Whole]:
    whole = Whole()
    yield whole
    whole.runner.close()


def in_the_grammar(path: str) -> bool:
    """Asked again from outside: the path that reached GitHub is itself one of the grammar."""
    raw = path.partition("?")[0].replace("%2F", "/").encode()
    try:
        if raw.startswith(b"/repos/acme/rocket"):
            below_repository(
                raw.removeprefix(b"/repos/acme/rocket").removeprefix(b"/"), "acme/rocket", allow_contents=True
            )
        else:
            full_path(raw.removeprefix(b"/"), {"acme/rocket": "acme/rocket"})
    except NotAllowedError:
        return False
    return True


PIECES = [
    *(b"pulls", b"issues", b"commits", b"main", b"..", b".", b"", b"%2e%2e", b"%2f", b"%252e", b"\\", b"1", b"hooks"),
    *(b"evil.com", b"repos", b"acme", b"rocket", b"allowed-evil", b"?", b"#", b"%00", b"actions", b"runs", b"http:"),
    *(b"branches", b"protection", b"api", b"github", b"v3", b"contents", b"README.md", b"rate_limit", b"orgs"),
]
TAILS = st.lists(st.sampled_from(PIECES) | st.binary(max_size=5), max_size=7).map(b"/".join)
QUERIES = st.sampled_from(
    [b"", b"?page=2", b"?workflow=..", b"?workflow=ci.yml", b"?a=b", b"?state=open%26page%3D9%23"]
)
PREFIXES = [
    b"/api/github/",
    b"/api/v3/",
    b"/api/v3/repos/acme/rocket/",
    b"/%61pi/github/",
    b"/api%2fv3/",
    b"//api/github/",
]


@settings(max_examples=1000)
@given(prefix=st.sampled_from(PREFIXES), tail=TAILS, query=QUERIES)
@example(prefix=b"/api/github/", tail=b"branches/main/protection", query=b"")
@example(prefix=b"/api/github/", tail=b"actions/runs", query=b"?workflow=..")
@example(prefix=b"/api/v3/", tail=b"/evil.com/repos/acme/rocket", query=b"")
def test_whatever_is_asked_only_the_grammar_reaches_github_and_the_token_no_other_host(
    whole: Whole, prefix: bytes, tail: bytes, query: bytes
) -> None:
    heard, paths = whole.ask(prefix + tail + query)
    assert heard.status in (200, 400, 404, 503)
    assert len(paths) <= 1
    assert all(in_the_grammar(path) for path in paths), paths
    for request in whole.github.asked:
        assert (request.url.scheme, request.url.host, request.headers["host"]) == (
            "https",
            "api.github.test",
            "api.github.test",
        )
    assert b"ghp_secret" not in heard.body + b"".join(value for _, value in heard.headers)
