"""Role 2, composed: the stores, the loops and every route. Read this first.

/livez /readyz                        web/app    liveness and readiness, from the first millisecond
/healthz /api/version /api/metrics    health     what this process says of itself
/api/session                          signing    signing in and out
/api/overview /api/origins            overview   the first screen
/api/pipelines                        pipelines  over all repositories; delivery figures
/api/findings                         findings   what is wrong now
/api/acts/{act} /api/audit            acts       what operators have origins do, and its audit
/api/origins/{origin}/{path}          through    an origin's own answers
/api/cache                            caches     each origin's cache
/api/logs /api/logs/histogram         queries    everything that is kept
/api/logs/stream /api/stream          streams    the log as it is stored; the overview as it changes
/v1/{signal}                          telemetry  OTLP, and what is read of it: traces, series, Jaeger and the like
/api/schema/openapi.json              web/framework
/                                     web/static the page

Loops: probe:<origin> deploy:<origin> pipeline:<origin> follow:<origin> ingest findings overview sessions
retention seal verify.
"""

import asyncio
import contextlib
import logging
import secrets
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chimney import __version__
from chimney.config import FollowedOrigin, TableSettings
from chimney.instrumentation import LogPipe
from chimney.store.accounts import Accounts
from chimney.store.audit import AuditLog
from chimney.store.database import Database
from chimney.store.errors import StoreError
from chimney.store.folder import DataFolder
from chimney.store.local import LocalStore
from chimney.store.uptime import Uptime
from chimney.table.clients import Clients
from chimney.table.findings import Followed, Watch
from chimney.table.follow import Follower
from chimney.table.ingest import Ingest
from chimney.table.memory import return_large_blocks
from chimney.table.overview import Board
from chimney.table.page import page
from chimney.table.probe import Probe, deploys_every
from chimney.table.reach import Reach
from chimney.table.sessions import Sessions
from chimney.table.storage import Storage, bounds
from chimney.table.streams import LogStreams, PageStreams
from chimney.table.telemetry import Telemetry
from chimney.web.app import Phase, Shell
from chimney.web.asgi import Receive, Scope, Send
from chimney.web.capacity import capacity
from chimney.web.hub import Hub, Room
from chimney.web.loops import Loop, Supervisor
from chimney.web.metrics import RequestMetrics
from chimney.web.same_origin import same_origin
from chimney.wire.finding import Findings

if TYPE_CHECKING:
    from chimney.table.health import Vitals

SAVE_SECONDS = 1.5  # of a thousand origins some lose the last minute of their uptime: the process is to end in time
APART_SECONDS = 0.01  # origins are begun with one after the other: of a thousand, the last after 10 s
PAGE = Path(__file__).parent / "static"
log = logging.getLogger(__name__)


class Table:
    """A Role. Nothing is opened before `start`, which raises StoreError when the data folder cannot be used.

    `sign_in` is the password made up for the first operator, None when one was configured or made up before.
    """

    def __init__(self, settings: TableSettings, *, pipe: LogPipe, page_folder: Path = PAGE) -> None:
        self._settings = settings
        self._pipe = pipe
        self._page_folder = page_folder
        self._folder: DataFolder | None = None
        self.sign_in: str | None = None
        self.boot = secrets.token_hex(4)
        self.storage = Storage(LocalStore(settings.data_dir, **bounds(settings)), settings)
        self.store = self.storage.store
        self.database = Database(settings.data_dir / "table.sqlite", "table")
        self.requests = RequestMetrics()
        self.shell = Shell(pipe.request)
        self.loops = Supervisor(self.shell.panics)
        self._deploy_loops: dict[str, Loop] = {}
        room = Room(capacity().streams)
        self.log_hub = Hub(room=room)
        self.ingest = Ingest(self.store, self.log_hub, reported=self._reported)
        self.sessions = Sessions(Accounts(self.database))
        self.pages = PageStreams(self.boot, room)
        self._clients = Clients()
        self._client = self._clients.new()
        self.telemetry = Telemetry(
            settings, store=self.store, database=self.database, ingest=self.ingest, client=self._client
        )
        self.shell.hot = self.telemetry.hot
        uptime = Uptime(self.database)
        self.followed = [self._follow(origin, uptime) for origin in settings.origins]
        self.watch = Watch(
            self.followed,
            ingest=self.ingest,
            retention=self.storage.retention,
            telemetry=self.telemetry,
            damage=lambda: self.storage.damage or self.database.damage,
            changed=self._findings_changed,
        )
        self.board = Board(
            self.followed, watch=self.watch, telemetry=self.telemetry, ingest=self.ingest, pages=self.pages
        )

    def _follow(self, origin: FollowedOrigin, uptime: Uptime) -> Followed:
        client = self._clients.new()
        probe = Probe(
            origin,
            client=client,
            uptime=uptime,
            every=self._settings.probe_seconds,
            changed=self._changed,
            deployed=self.telemetry.deployments.hear,
            deploy_every=deploys_every(len(self._settings.origins)),
            turn=self._clients.turn,
        )
        self.telemetry.collect(origin, client=client, reachable=probe.answers, turn=self._clients.turn)
        follower = Follower(
            origin,
            client=client,
            store=self.store,
            ingest=self.ingest,
            changed=self._changed,
            turn=self._clients.turn,
        )
        return Followed(probe, follower)

    def _changed(self) -> None:
        self.board.changed()

    def _reported(self, source: str) -> None:
        if source in self._deploy_loops:
            self._deploy_loops[source].nudge()

    def _findings_changed(self, findings: Findings) -> None:
        self.pages.publish("findings", findings)
        self.board.changed()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.shell(scope, receive, send)

    async def start(self) -> None:
        settings = self._settings
        return_large_blocks()
        self.shell.panics.watch()
        self._folder = await asyncio.to_thread(DataFolder, settings.data_dir)
        await asyncio.gather(self.storage.open(), self.database.open())
        self._pipe.start(self.ingest.take_own, batches=[self.requests.take])
        password = settings.password.get_secret_value() if settings.password else None
        _, self.sign_in, _ = await asyncio.gather(
            asyncio.to_thread(self.build), self.sessions.load(password=password), self.ingest.recall()
        )
        await self._tell_token(self._folder)
        await self.telemetry.load()
        for one in self.followed:
            await one.probe.load()
        self._add_loops()
        self.loops.start()
        self.shell.phase = Phase.READY
        log.info(
            "table started: %d origins, SQLite %s, data in %s",
            len(self.followed),
            sqlite3.sqlite_version,
            settings.data_dir,
            extra={"boot": self.boot, "version": __version__, "origins": [one.name for one in settings.origins]},
        )

    async def _tell_token(self, folder: DataFolder) -> None:
        """On a full disk the token of the last start stays: what is stored is to be seen all the same."""
        try:
            token = await self.sessions.new_token("cli", "operator")
            await asyncio.to_thread(folder.write_secret, "cli.token", token + "\n")
        except StoreError as error:
            log.warning("there is no new token for commands: %s", error)

    def _add_loops(self) -> None:
        self.loops.add("ingest", self.ingest.write)
        for number, one in enumerate(self.followed):
            name, after = one.probe.origin.name, number * APART_SECONDS
            self.loops.add(f"probe:{name}", one.probe.ask_health, after=after)
            self._deploy_loops[name] = self.loops.add(f"deploy:{name}", one.probe.ask_deploy, after=after)
            self.loops.add(f"pipeline:{name}", one.probe.ask_pipeline, after=after)
            self.loops.add(f"follow:{name}", one.follower.follow, after=after)
        self.telemetry.add_loops(self.loops, apart=APART_SECONDS)
        self.loops.add("findings", self.watch.check)
        self.loops.add("overview", self.board.tell)
        self.loops.add("sessions", self.sessions.sweep)
        self.storage.start(self.loops)

    def build(self) -> None:
        """Everything that needs the framework, imported here so that /livez need not wait for it."""
        from litestar import Router  # noqa: PLC0415

        from chimney.table import access, documented  # noqa: PLC0415
        from chimney.web.framework import build  # noqa: PLC0415

        handlers = self._handlers()
        access.check_declared(handlers)
        self.schema_app = build(
            [Router("/", route_handlers=handlers, guards=[access.guard(self.sessions)])],
            title="chimney table",
            version=__version__,
            recover=self.shell.recover,
            extra_paths=documented.paths(),
        )
        self.shell.framework = same_origin(self.schema_app)  # type: ignore[arg-type]
        self.shell.fallback = page(self._page_folder)

    def _handlers(self) -> list[Any]:
        """Every route, with who may use it."""
        from chimney.table import acts, audit, caches, findings, health, overview, queries, signing, streams, through  # noqa: PLC0415

        within = self.telemetry.deployments.narrow
        logs = LogStreams(hub=self.log_hub, store=self.store, ingest=self.ingest, boot=self.boot, within=within)
        reach = Reach(self._settings.origins, self._client)
        audited = audit.Audit(AuditLog(self.database))
        return [
            *health.routes(self._vitals(), self.requests),
            *signing.routes(self.sessions),
            *overview.routes(self.board, reach),
            *findings.routes(self.watch),
            *acts.routes(acts.Acts(reach, audited)),
            *audit.routes(audited),
            *caches.routes(reach),
            *through.routes(reach),
            *queries.routes(self.store, within),
            *self.telemetry.routes(),
            *streams.routes(
                logs,
                self.pages,
                self.sessions,
                overview=self.board.overview,
                findings=lambda: self.watch.current,
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
                followed=self.followed,
                watch=self.watch,
                hubs={"logs": self.log_hub, "page": self.pages.hub},
                loops=self.loops,
                pipe=self._pipe,
                requests=self.requests,
                receiver=self.telemetry.receiver,
            )
        )

    async def drain(self) -> None:
        self.shell.phase = Phase.DRAINING
        self.log_hub.close()
        self.pages.hub.close()

    async def stop(self) -> None:
        """Saves what is not on disk yet. Also after a start that failed half-way."""
        self.shell.panics.unwatch()
        await self.loops.stop()
        await self._clients.close()
        if self._folder is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SAVE_SECONDS):
                await asyncio.gather(*(one.probe.save() for one in self.followed), return_exceptions=True)
        log.info("table stopped", extra={"boot": self.boot})
        await self._pipe.stop()
        await self.ingest.write_last()
        await self.telemetry.stop()
        self.sessions.close()
        await self.storage.close()
        await self.database.close()
        self._folder.close()


def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document, of a table that is built and never started."""
    table = Table(TableSettings(), pipe=LogPipe())
    table.build()
    document: dict[str, Any] = table.schema_app.openapi_schema.to_schema()
    return document
