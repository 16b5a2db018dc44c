from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from tests.fakes.origin import FakeOrigin, fake_origin
from tests.table.running import PASSWORD, Running, quiet_stream

from chimney.config import FollowedOrigin, TableSettings
from chimney.instrumentation import LogPipe
from chimney.table.app import Table


@pytest.fixture
async def origin() -> AsyncIterator[FakeOrigin]:
    async with fake_origin() as origin:
        yield origin


Make = Callable[..., Awaitable[Running]]


@asynccontextmanager
async def making(folder: Path) -> AsyncIterator[Make]:
    """Starts tables on `folder`; stops all of them in the end."""
    async with AsyncExitStack() as stack:

        async def make(*origins: FakeOrigin | FollowedOrigin, page: Path = folder / "none", **more: Any) -> Running:
            followed = [
                one if isinstance(one, FollowedOrigin) else FollowedOrigin(name="hel1", url=one.url) for one in origins
            ]
            usual = {"data_dir": folder / "data", "origins": followed, "password": PASSWORD, "probe_seconds": 0.2}
            settings = TableSettings(**{**usual, **more})
            running = Running(Table(settings, pipe=LogPipe(quiet_stream()), page_folder=page))
            stack.push_async_callback(running.stop)
            await running.table.start()
            return running

        yield make


@pytest.fixture
async def make_table(tmp_path: Path) -> AsyncIterator[Make]:
    async with making(tmp_path) as make:
        yield make


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A table for tests that leave it as it was; they run in the module's loop."""
    async with making(tmp_path_factory.mktemp("shared")) as make:
        yield await make()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_operator(shared: Running) -> httpx2.AsyncClient:
    return await shared.signed_in()


@pytest.fixture
async def running(make_table: Make) -> Running:
    """A table that follows nothing."""
    return await make_table()


@pytest.fixture
async def operator(running: Running) -> httpx2.AsyncClient:
    return await running.signed_in()
