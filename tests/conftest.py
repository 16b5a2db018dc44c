"""What the tests of the origin and of the shared parts stand on."""

import asyncio
import faulthandler
import io
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, settings
from tests.fakes.caddy import Caddy
from tests.fakes.slots import TwoSlots

from chimney.config import OriginSettings
from chimney.instrumentation import LogPipe, install
from chimney.origin.app import Origin
from chimney.standin.app import Standin, StandinSettings
from chimney.web.serve import Role, serve

# the first text that a fresh clone draws builds tables of all characters, which takes a second
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")

REPO = "acme/rocket"
DEADLINE = 15.0
ENDS_WITHIN = 60.0  # what a test leaves to be ended, processes included
Ask = Callable[..., httpx2.AsyncClient]
Serving = Callable[[Role], Any]
_STDERR = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Where the stacks go: fd 2 as it is before tests are captured."""
    config.stash[_STDERR] = os.dup(2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """A task that cannot be cancelled hangs the end of its test, which no limit of the test itself covers."""
    watch = threading.Timer(ENDS_WITHIN, _give_up, (item.nodeid, item.config.stash[_STDERR]))
    watch.daemon = True
    watch.start()
    try:
        return (yield)
    finally:
        watch.cancel()


def _give_up(test: str, stderr: int) -> None:
    os.write(stderr, f"\n{test} was not ended within {ENDS_WITHIN:.0f} s\n".encode())
    faulthandler.dump_traceback(stderr)
    os._exit(1)


async def until(holds: Callable[[], Any], *, within: float = DEADLINE) -> None:
    """Waits until `holds` is true; fails when that takes longer."""
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110 — there is no event to wait for from outside
            await asyncio.sleep(0.005)


@pytest.fixture(scope="session")
def still() -> Standin:
    """A stand-in whose clock stands, for tests that change nothing in it."""
    return Standin(StandinSettings(repo=REPO, speed=0))


@pytest.fixture(scope="session")
def slots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoSlots]:
    """Two real origins in their slots, as processes, for all tests that need such. They know `slots.caddy`."""
    folder = tmp_path_factory.mktemp("slots")
    caddy = Caddy(folder / "caddy", unix=True)
    two = TwoSlots(folder, caddy, CHIMNEY_CADDY_ADMIN=caddy.admin).start()
    yield two
    two.close()


@pytest.fixture
def standin() -> Standin:
    """A stand-in of one's own whose clock stands."""
    return Standin(StandinSettings(repo=REPO, speed=0))


@pytest.fixture
def written() -> io.BytesIO:
    """What the log pipe writes where stderr would be."""
    return io.BytesIO()


@pytest.fixture
def pipe(written: io.BytesIO) -> LogPipe:
    return LogPipe(io.TextIOWrapper(written, encoding="utf-8"))


@pytest.fixture
def installed(pipe: LogPipe) -> Iterator[LogPipe]:
    """The pipe takes every log call of the process, as in a role; afterwards logging is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    install(pipe, "debug")
    yield pipe
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A time of the clock names no case (gzip has one in it too): workers collect the tests each for itself."""
    timed = isinstance(val, int) and abs(val) > 10**12
    return argname if timed or (isinstance(val, bytes) and val.startswith(b"\x1f\x8b")) else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What hostile text a test logged must reach the process that reports: no lone surrogate may go over its wire."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


class MakeOrigin:
    """Starts origins that ask `transport`, the still stand-in when none is given. The first has the test's pipe."""

    def __init__(self, folder: Path, pipe: LogPipe, still: Standin) -> None:
        self._folder = folder
        self._pipes = [pipe]
        self._still = still
        self.running: list[Origin] = []

    async def __call__(self, *, transport: httpx2.AsyncBaseTransport | None = None, **settings: Any) -> Origin:
        said = {"repo": REPO, "github_token": "ghp_tests", "data_dir": self._folder, **settings}
        asked = transport or httpx2.ASGITransport(app=self._still.asgi)
        pipe = self._pipes.pop() if self._pipes else LogPipe(io.TextIOWrapper(io.BytesIO()))
        origin = Origin(OriginSettings(**said), pipe, transport=asked)
        self.running.append(origin)
        await origin.start()
        return origin

    async def end(self, origin: Origin) -> None:
        """As a signal ends it."""
        self.running.remove(origin)
        await origin.drain()
        await origin.stop()


@pytest.fixture
async def make_origin(tmp_path: Path, pipe: LogPipe, still: Standin) -> AsyncIterator[MakeOrigin]:
    make = MakeOrigin(tmp_path / "data", pipe, still)
    yield make
    for origin in list(make.running):
        await make.end(origin)


@pytest.fixture
async def asking() -> AsyncIterator[Ask]:
    """Makes clients of an ASGI application; `peer` is the address that it sees."""
    async with AsyncExitStack() as clients:

        def asking(app: Any, *, peer: str = "127.0.0.1", **headers: str) -> httpx2.AsyncClient:
            transport = httpx2.ASGITransport(app=app, client=(peer, 40000))
            client = httpx2.AsyncClient(transport=transport, base_url="http://origin.localhost", headers=headers)
            clients.push_async_callback(client.aclose)
            return client

        yield asking


@pytest.fixture
async def origin(make_origin: MakeOrigin) -> Origin:
    return await make_origin()


@pytest.fixture
def visitor(origin: Origin, asking: Ask) -> httpx2.AsyncClient:
    return asking(origin)


@pytest.fixture
def serving() -> Serving:
    """`async with serving(role) as address`: the role on a real port, ended by SIGTERM as in production."""

    @asynccontextmanager
    async def serving(role: Role) -> AsyncIterator[str]:
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(serve(role, "127.0.0.1:0", ready=ready.set_result))
        await asyncio.wait((ready, task), return_when=asyncio.FIRST_COMPLETED)
        try:
            yield ready.result() if ready.done() else task.result()  # type: ignore[misc]
        finally:
            if not task.done():
                signal.raise_signal(signal.SIGTERM)
            await task

    return serving
