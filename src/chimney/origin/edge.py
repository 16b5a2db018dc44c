"""All that concerns Caddy, as one room: its logs, its configuration, and switching it.

/api/edge                            edge_watch  where Caddy points, and whether it can be reached
/api/edge/switch                     switch    sends visitors to the other slot
/api/logs/caddy /api/logs/caddy/stream  edge_log  its access log
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from prometheus_client.core import CounterMetricFamily, Metric

from chimney.config import OriginSettings
from chimney.origin.caddy import Admin
from chimney.origin.edge_log import EdgeLog, Files
from chimney.origin.edge_watch import EdgeWatch
from chimney.origin.events import EventLog
from chimney.origin.lease import Lease
from chimney.origin.prober import Prober
from chimney.origin.slot_check import SlotChecks
from chimney.web.hub import Room
from chimney.web.loops import Supervisor
from chimney.web.metrics import counter, gauge
from chimney.wire.edge import Slot

if TYPE_CHECKING:
    from chimney.origin.audit import Audit
    from chimney.origin.deployments import Deployments

ScopeGuard = Callable[..., None]


class Edge:
    """Without any setting of Caddy's it watches nothing, and says so."""

    def __init__(self, settings: OriginSettings, *, folder: Path, boot: str, events: EventLog, room: Room) -> None:
        self._settings = settings
        self._folder = folder
        self._events = events
        self._serving = False
        self.admin = Admin(settings.caddy_admin) if settings.caddy_admin else None
        self._lease = Lease(folder / "edge.lock")
        files = Files(settings.caddy_access_log, settings.caddy_log)
        self.log = EdgeLog(folder, files, slot=settings.slot, boot=boot, lease=self._lease, room=room)
        self.watch = EdgeWatch(
            self.admin,
            SlotChecks(cast("dict[Slot, str]", settings.slots or {}), Prober()),
            self.log,
            events,
            repo=settings.repo,
            own_slot=settings.slot,
            caddyfile=settings.caddyfile,
            lease=self._lease,
        )

    def serve(self, audit: "Audit", deployments: "Deployments") -> None:
        """What a switch needs of others."""
        from chimney.origin.switch import Switcher  # noqa: PLC0415 — the framework takes half a second

        self._serving = True
        self.switcher = Switcher(
            self.watch, audit, deployments, self._events, folder=self._folder, own_slot=self._settings.slot
        )

    def start(self, loops: Supervisor, *, on_left: Callable[[], None]) -> None:
        """`on_left` is called when visitors were taken from this process's own slot."""
        self.watch.on_left = on_left
        for name, verb in self.log.loops().items():
            loops.add(name, verb)
        if self.admin:
            loops.add("edge", self.watch.round)

    def metrics(self) -> Iterator[Metric]:
        yield gauge("chimney_edge_up", "1 while Caddy's admin API answers.", int(self.watch.reading is not None))
        lines = CounterMetricFamily("chimney_edge_log_lines", "Lines of Caddy's access log.", labels=["result"])
        status = self.log.status()
        for result, count in (("read", status.lines), ("malformed", status.malformed), ("too_long", status.too_long)):
            lines.add_metric([result], count)
        yield lines
        failures = self.watch.reloads().failures
        yield counter("chimney_edge_reload_failures", "Configurations that Caddy refused, or would.", failures)

    def routes(self, *, read_scope: ScopeGuard, operate_scope: ScopeGuard) -> list[Any]:
        """Imported here: the framework takes half a second."""
        from chimney.origin import edge_routes, logs  # noqa: PLC0415

        what = "requests as Caddy logged them"
        return [
            *edge_routes.routes(self.watch, self.switcher, read_scope=read_scope, operate_scope=operate_scope),
            *logs.record_routes(self.log, "/api/logs/caddy", what, read_scope=read_scope),
        ]

    async def close(self) -> None:
        if self._serving:
            await self.switcher.close()
        await self.watch.close()
        self.log.close()
        self._lease.close()
