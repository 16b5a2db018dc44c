import asyncio

import httpx2

from chimney.standin.visitors import USUAL, Visitors


async def visited(seed: int, count: int) -> list[str]:
    """The first paths that visitors of this seed ask, from an origin that fails every other time."""
    paths: list[str] = []
    enough = asyncio.Event()

    async def origin(request: httpx2.Request) -> httpx2.Response:
        paths.append(request.url.raw_path.decode())
        if len(paths) >= count:
            enough.set()
        if len(paths) % 2:
            raise httpx2.ConnectError("not there")
        return httpx2.Response(503)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(origin)) as client:
        visiting = asyncio.create_task(Visitors(url="http://origin", seed=seed).visit(client))
        async with asyncio.timeout(20):
            await enough.wait()
        visiting.cancel()
    return paths[:count]


async def test_visitors_go_on_whatever_the_origin_answers_and_the_same_seed_asks_the_same() -> None:
    first, again = await asyncio.gather(visited(1, 4), visited(1, 4))
    assert first == again
    assert set(first) <= {path for path, _ in USUAL}


def test_without_an_address_nobody_visits() -> None:
    assert not Visitors(url=None, seed=1).any
