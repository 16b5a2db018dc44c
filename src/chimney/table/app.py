"""Role 2, composed: the stores, the loops and every route. Read this first.

/livez /readyz                        web/app    liveness and readiness, from the first millisecond
/healthz /api/version /api/metrics    health     what this process says of itself
/api/overview /api/findings …         watching   who is followed, what is known of them, what is wrong
/api/session /api/acts …              operating  who may use the table, and what they have origins do
/api/notifications …                  telling    who is notified of what is wrong
/mcp                                  assistant  the same for assistants, as tools
/api/logs /api/logs/histogram …       queries    everything that is kept; download: as a file
/tv/{token} /badge/… /api/links …     showing    the wall, badges, CCTray: what is seen without signing in
/api/logs/stream /api/stream          streams    the log as it is stored; the overview as it changes
/v1/{signal}                          telemetry  OTLP, and what is read of it: traces, series, Jaeger and the like
/api/schema/openapi.json              web/framework
/                                     web/static the page

Loops: ingest retention seal verify, and those of watching, operating, telling, showing and telemetry.
"""

import asyncio
import contextlib
import logging
import secrets
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chimney import __version__
from chimney.config import TableSettings
from chimney.instrumentation import LogPipe
from chimney.store.database import Database
from chimney.store.folder import DataFolder
from chimney.store.local import LocalStore
from chimney.table import assistant
from chimney.table.assistant import Assistant
from chimney.table.clients import Clients
from chimney.table.ingest import Ingest
from chimney.table.memory import return_large_blocks
from chimney.table.operating import Operating
from chimney.table.page import page
from chimney.table.showing import Showing
from chimney.table.storage import Storage, bounds
from chimney.table.streams import LogStreams, PageStreams
from chimney.table.telemetry import Telemetry
from chimney.table.telling import Telling
from chimney.table.watching import Watching
from chimney.web.app import Phase, Shell
from chimney.web.asgi import Receive, Scope, Send
from chimney.web.capacity import capacity
from chimney.web.hub import Hub, Room
from chimney.web.loops import Supervisor
from chimney.web.metrics import RequestMetrics
from chimney.web.same_origin import same_origin

if TYPE_CHECKING:
    from chimney.table.health import Vitals

SAVE_SECONDS = 1.5  # of a thousand origins some lose the last minute of their uptime: the process is to end in time
APART_SECONDS = 0.01  # origins are begun with one after the other: of a thousand, the last after 10 s
PAGE = Path(__file__).parent / "static"
log = logging.getLogger(__name__)


class Table:
    """A Role. Nothing is opened before `start`, which raises StoreError when the data folder cannot be used."""

    def __init__(self, settings: TableSettings, *, pipe: LogPipe, page_folder: Path = PAGE) -> None:
        self._settings = settings
        self._pipe = pipe
        self._folder: DataFolder | None = None
        self.boot = secrets.token_hex(4)
        self.storage = Storage(LocalStore(settings.data_dir, **bounds(settings)), settings)
        self.store = self.storage.store
        self.database = Database(settings.data_dir / "table.sqlite", "table")
        self.requests = RequestMetrics()
        self.shell = Shell(pipe.request)
        self.loops = Supervisor(self.shell.panics)
        room = Room(capacity().streams)
        self.log_hub = Hub(room=room)
        self.ingest = Ingest(self.store, self.log_hub)
        self.pages = PageStreams(self.boot, room)
        self._clients = Clients(ca_file=settings.ca_file)
        self._client = self._clients.new()
        self.telemetry = Telemetry(
            settings, store=self.store, database=self.database, ingest=self.ingest, client=self._client
        )
        self.watching = Watching(
            settings,
            storage=self.storage,
            database=self.database,
            ingest=self.ingest,
            telemetry=self.telemetry,
            pages=self.pages,
            clients=self._clients,
        )
        self.ingest.reported = self.watching.reported
        self.operating = Operating(settings, database=self.database, client=self._client, outside=self._clients.outside)
        self.assistant = Assistant(self, self.operating.sessions)
        self.shell.hot = {**self.telemetry.hot, assistant.PATH: same_origin(self.assistant)}
        self.showing = Showing(
            settings,
            database=self.database,
            store=self.store,
            watching=self.watching,
            operating=self.operating,
            boot=self.boot,
            room=room,
        )
        self.shell.own += ("/badge/",)
        self.shell.fallback = self.showing.page(page(page_folder))  # who comes early gets the page, which asks again
        self.telling = self._telling()

    def _telling(self) -> Telling:
        return Telling(
            self._settings,
            database=self.database,
            watching=self.watching,
            telemetry=self.telemetry,
            ingest=self.ingest,
            client=self._client,
        )

    @property
    def sign_in(self) -> str | None:
        """The password made up for the first operator, None when one was configured or made up before."""
        return self.operating.sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.shell(scope, receive, send)

    async def start(self) -> None:
        settings = self._settings
        return_large_blocks()
        self.shell.panics.watch()
        self._folder = await asyncio.to_thread(DataFolder, settings.data_dir)
        await asyncio.gather(self.storage.open(), self.database.open(), asyncio.to_thread(self.build))
        self._pipe.start(self.ingest.take_own, batches=[self.requests.take])
        await asyncio.gather(self.operating.load(), self.showing.load(), self.ingest.recall())
        await self.operating.tell_token(self._folder)
        await self.telemetry.load()
        await self.watching.load()
        await self.telling.load()
        self._add_loops()
        self.loops.start()
        self.shell.phase = Phase.READY
        log.info(
            "table started: %d origins, SQLite %s, data in %s",
            len(settings.origins),
            sqlite3.sqlite_version,
            settings.data_dir,
            extra={"boot": self.boot, "version": __version__, "origins": [one.name for one in settings.origins]},
        )

    def _add_loops(self) -> None:
        self.loops.add("ingest", self.ingest.write)
        self.watching.add_loops(self.loops, apart=APART_SECONDS)
        self.telemetry.add_loops(self.loops, apart=APART_SECONDS)
        self.operating.add_loops(self.loops)
        self.telling.add_loops(self.loops)
        self.showing.add_loops(self.loops)
        self.storage.start(self.loops)

    def build(self) -> None:
        """Everything that needs the framework, imported here so that /livez need not wait for it."""
        from litestar import Router  # noqa: PLC0415

        from chimney.table import access, documented  # noqa: PLC0415
        from chimney.web.framework import build  # noqa: PLC0415

        handlers = self._handlers()
        access.check_declared(handlers)
        self.schema_app = build(
            [Router("/", route_handlers=handlers, guards=[access.guard(self.operating.sessions, self.showing.links)])],
            title="chimney table",
            version=__version__,
            recover=self.shell.recover,
            extra_paths=documented.paths(),
        )
        self.shell.framework = same_origin(self.schema_app)  # type: ignore[arg-type]

    def _handlers(self) -> list[Any]:
        """Every route, with who may use it."""
        from chimney.table import download, health, queries, streams  # noqa: PLC0415

        within = self.telemetry.deployments.narrow
        logs = LogStreams(hub=self.log_hub, store=self.store, ingest=self.ingest, boot=self.boot, within=within)
        return [
            *health.routes(self._vitals(), self.requests),
            *self.watching.routes(self.operating.reach),
            *self.operating.routes(),
            *self.telling.routes(),
            *self.showing.routes(self.operating.audit),
            *queries.routes(self.store, within),
            *self.storage.routes(),
            *download.routes(self.store, within),
            *self.telemetry.routes(),
            *streams.routes(
                logs,
                self.pages,
                self.operating.sessions,
                overview=self.watching.board.given,
                findings=lambda: self.watching.watch.current,
            ),
        ]

    def _vitals(self) -> "Vitals":
        from chimney.table import health  # noqa: PLC0415

        return health.Vitals(
            health.Parts(
                boot=self.boot,
                shell=self.shell,
                store=self.store,
                ingest=self.ingest,
                retention=self.storage.retention,
                followed=self.watching.followed,
                watch=self.watching.watch,
                hubs={"logs": self.log_hub, "page": self.pages.hub, "wall": self.showing.walls.hub},
                loops=self.loops,
                pipe=self._pipe,
                requests=self.requests,
                receiver=self.telemetry.receiver,
                telling=self.telling,
            )
        )

    async def drain(self) -> None:
        self.shell.phase = Phase.DRAINING
        self.log_hub.close()
        self.pages.hub.close()
        self.showing.drain()

    async def stop(self) -> None:
        """Saves what is not on disk yet. Also after a start that failed half-way."""
        self.shell.panics.unwatch()
        await self.loops.stop()
        await self.assistant.close()
        await self._clients.close()
        if self._folder is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SAVE_SECONDS):
                await self.watching.save()
        log.info("table stopped", extra={"boot": self.boot})
        await self._pipe.stop()
        await self.ingest.write_last()
        await self.telemetry.stop()
        self.operating.close()
        await self.storage.close()
        await self.database.close()
        self._folder.close()


def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document, of a table that is built and never started."""
    table = Table(TableSettings(), pipe=LogPipe())
    table.build()
    document: dict[str, Any] = table.schema_app.openapi_schema.to_schema()
    return document
