"""What only the shared tier holds follows the webhooks too."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.fakes.dragonfly import Dragonfly, dragonfly
from tests.fakes.pair import Pair, pair_of
from tests.fakes.waiting import eventually

from chimney.core.delivery import Delivery
from chimney.origin import afar
from chimney.origin.afar import Afar
from chimney.origin.app import Origin
from chimney.store.far import FarTier
from chimney.store.ports import StoredResponse

BUGS = "issues?labels=type:bug&state=open"
KEY = "/repos/acme/rocket/issues?labels=type%3Abug&state=open"
OTHER = "/repos/acme/rocket/languages"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Dragonfly]:
    async with dragonfly(tmp_path) as running:
        yield running


@pytest.fixture
async def pair(tmp_path: Path, server: Dragonfly) -> AsyncIterator[Pair]:
    async with pair_of(tmp_path, dragonfly_url=server.url) as pair:
        await eventually(lambda: far(pair).connected)
        yield pair


def origin(pair: Pair) -> Origin:
    assert pair.origin
    return pair.origin


def far(pair: Pair) -> FarTier:
    return origin(pair).github.replicas.far


async def told(pair: Pair) -> None:
    await eventually(lambda: not origin(pair).github.replicas.waiting)


async def leave_to_the_far_tier(pair: Pair) -> None:
    """Stored, told, and gone from this process: as an eviction or a restart does."""
    for path in (BUGS, "languages"):
        await pair.see(path)
    await told(pair)
    for key in (KEY, OTHER):
        assert origin(pair).github.near._remove(key)


async def there(pair: Pair, key: str = KEY) -> StoredResponse:
    stored = await far(pair).get(key)
    assert stored
    return stored


async def bugs_there(pair: Pair) -> list[int]:
    return [one["number"] for one in json.loads((await there(pair)).body)]


async def test_a_webhook_reaches_what_only_the_far_tier_holds(pair: Pair) -> None:
    await leave_to_the_far_tier(pair)
    other = await there(pair, OTHER)
    before = await pair.charged()
    number = (await pair.do("open_bug"))["numbers"][0]

    async def patched() -> bool:
        return number in await bugs_there(pair)

    await eventually(patched)
    assert await there(pair, OTHER) == other
    assert origin(pair).github.near.get(KEY) is None
    assert number in [one["number"] for one in await pair.see(BUGS)]
    assert await pair.charged() == before


async def test_what_a_webhook_told_while_it_was_away_is_laid_over_it_when_it_is_back(
    pair: Pair, server: Dragonfly
) -> None:
    await leave_to_the_far_tier(pair)
    server.pause()
    await eventually(lambda: not far(pair).connected, within=10)
    number = (await pair.do("open_bug"))["numbers"][0]
    await eventually(lambda: number in summary_bugs(pair))
    server.resume()
    await eventually(lambda: far(pair).connected, within=10)

    async def patched() -> bool:
        return number in await bugs_there(pair)

    await eventually(patched)


def summary_bugs(pair: Pair) -> list[int]:
    stored = origin(pair).github.near.get("/repos/acme/rocket/issues?labels=type%3Abug&per_page=100&state=open")
    return [one["number"] for one in json.loads(stored.body)] if stored else []


class Judging:
    """Says of each what it was asked about."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, key: str, stored: StoredResponse, deliveries: Any) -> StoredResponse | None:
        self.asked.append((key, len(deliveries)))
        msgspec.json.decode(stored.body)
        return None


def opened(number: int, repo: str = "acme/rocket") -> Delivery:
    return Delivery(event="issues", action="opened", repo=repo, payload={"issue": {"number": number}})


async def test_more_deliveries_than_can_wait_make_what_is_there_be_forgotten(pair: Pair) -> None:
    await leave_to_the_far_tier(pair)
    judge = Judging()
    mending = Afar(origin(pair).github.near, far(pair), judge)
    mending.owe(opened(1, "acme/other") for _ in range(afar.OWED))
    mending.owe([opened(2)])
    assert mending.waiting == afar.OWED + 1
    await mending.run()
    assert (mending.waiting, judge.asked) == (0, [])
    assert await far(pair).get(KEY) is None
    assert origin(pair).github.near.get("/repos/acme/rocket") is not None  # what is held here stays


async def test_what_somebody_else_wrote_there_is_forgotten(pair: Pair) -> None:
    await leave_to_the_far_tier(pair)
    await far(pair).put(KEY, msgspec.structs.replace(await there(pair), body=b"{garbage"))
    mending = Afar(origin(pair).github.near, far(pair), origin(pair).github.hearing.patches.judged)
    mending.owe([opened(1)])
    await mending.run()
    assert mending.waiting == 0
    assert await far(pair).get(KEY) is None


async def test_however_many_deliveries_come_the_keys_are_gone_through_once_a_second(pair: Pair) -> None:
    mending = Afar(origin(pair).github.near, far(pair), Judging())
    mending.owe([opened(1)])
    assert await mending.run() == 60.0
    mending.owe([opened(2)])
    assert 0 < await mending.run() <= afar.PAUSE
    assert mending.waiting == 1
