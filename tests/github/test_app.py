"""Signing in as a GitHub App, against the stand-in, which verifies who signed and whose tokens end."""

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from chimney.core.grammar import Kind
from chimney.github.app import RENEW_SECONDS, Installation
from chimney.github.client import GitHubClient
from chimney.github.errors import UnauthorizedError
from chimney.origin.answer import Result
from chimney.origin.cache import GitHubCache
from chimney.standin.app import Standin, StandinSettings
from chimney.store.memory import MemoryStore

URL = "http://github.test"
REPO = "/repos/acme/rocket"


def pair() -> tuple[str, str]:
    """A private key and its public one."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


PRIVATE, PUBLIC = pair()


class Bench:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, key: str = PRIVATE, app_id: str = "7") -> None:
        self.now = time.time()
        monkeypatch.setattr(time, "time", lambda: self.now)
        settings = StandinSettings(repo="acme/rocket", speed=0, history_days=2, app_id="7", app_key=PUBLIC)
        self.standin = Standin(settings, real=lambda: self.now)
        self.app = Installation(URL, app_id=app_id, key=key, installation=99)
        self.client = GitHubClient(URL, None, transport=httpx2.ASGITransport(self.standin.asgi), app=self.app)
        self.cache = GitHubCache(self.client, MemoryStore())
        self.key = self.cache.key(Kind.REPOSITORY, REPO)

    async def fault(self, **order: Any) -> None:
        transport = httpx2.ASGITransport(self.standin.asgi)
        async with httpx2.AsyncClient(transport=transport, base_url=URL) as operator:
            await operator.post("/_standin/faults", json=order)

    def charged(self) -> int:
        return self.standin.stats.charged


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    bench = Bench(monkeypatch)
    yield bench
    await bench.cache.close()
    await bench.client.close()


async def test_a_token_is_asked_for_once_and_used_until_shortly_before_its_end(bench: Bench) -> None:
    assert bench.client.authenticated
    for _ in range(3):
        assert (await bench.client.get(REPO)).status == 200
    assert bench.standin.apps.issued == 1
    bench.now += 3600 - RENEW_SECONDS + 1
    assert (await bench.client.get(REPO)).status == 200
    assert bench.standin.apps.issued == 2
    assert "not renewed" not in (bench.client.health().app or "")


async def test_what_is_stored_survives_the_renewal_at_no_cost(bench: Bench) -> None:
    await bench.cache.get(bench.key)
    before, identity = bench.charged(), bench.client.identity
    bench.now += 3600
    assert (await bench.cache.get(bench.key)).result is Result.REVALIDATED
    assert bench.client.identity != identity
    assert bench.charged() == before
    bench.now += 3600
    assert (await bench.cache.get(bench.key)).result is Result.REVALIDATED
    assert bench.charged() == before


async def test_where_tags_cannot_be_computed_it_is_fetched_anew(bench: Bench) -> None:
    await bench.fault(opaque_etags=True)
    await bench.cache.get(bench.key)
    before = bench.charged()
    bench.now += 3600
    assert (await bench.cache.get(bench.key)).result is Result.MISS
    assert bench.charged() == before + 1


async def test_while_the_renewal_fails_the_old_token_is_used_and_health_says_so(bench: Bench) -> None:
    await bench.client.get(REPO)
    await bench.fault(status=500, path="/app/")
    bench.now += 3600 - RENEW_SECONDS + 1
    assert (await bench.client.get(REPO)).status == 200
    assert "not renewed: GitHub answered 500" in (bench.client.health().app or "")
    asked = bench.standin.stats.by_path["/app/installations/99/access_tokens"]
    await bench.client.get(REPO)
    assert bench.standin.stats.by_path["/app/installations/99/access_tokens"] == asked


async def test_a_token_that_was_taken_back_is_replaced(bench: Bench) -> None:
    await bench.client.get(REPO)
    await bench.fault(unauthorized=True, path=REPO, for_requests=1)
    with pytest.raises(UnauthorizedError):
        await bench.client.get(REPO)
    bench.now += 61
    assert (await bench.client.get(REPO)).status == 200
    assert bench.standin.apps.issued == 2


@pytest.mark.parametrize(("key", "app_id"), [(pair()[0], "7"), (PRIVATE, "8"), ("no key at all", "7")])
async def test_an_app_that_github_does_not_know_is_said_to_be_wrong(
    monkeypatch: pytest.MonkeyPatch, key: str, app_id: str
) -> None:
    bench = Bench(monkeypatch, key=key, app_id=app_id)
    with pytest.raises(UnauthorizedError):
        await bench.client.get(REPO)
    assert (bench.client.health().problem or "").startswith("unauthorized")
    assert "PRIVATE" not in repr(bench.client.health())
    await bench.client.close()


async def test_the_audience_of_the_shared_cache_outlasts_a_token(bench: Bench) -> None:
    before = bench.client.audience
    await bench.client.get(REPO)
    assert bench.client.audience == before
