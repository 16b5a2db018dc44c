"""Telling people and programs what is wrong, without their looking.

/api/notifications   notify/routes    who is notified, what was sent, a test

Loops: causes, notify:<receiver> for each, heartbeat alertmanager.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Any

import httpx2
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from chimney.config import NotifyTarget, TableSettings
from chimney.core.facts import Sighting
from chimney.store.audit import AuditLog
from chimney.store.database import Database
from chimney.store.notifications import NotifyLog
from chimney.table.audit import Audit
from chimney.table.ingest import Ingest
from chimney.table.notify.causes import Causes
from chimney.table.notify.egress import Egress
from chimney.table.notify.outgoing import Heartbeat
from chimney.table.notify.posting import Posting
from chimney.table.notify.receiver import Receiver
from chimney.table.notify.senders import AT_ONCE, AppriseSender, HookSender, Sender
from chimney.table.telemetry import Telemetry
from chimney.table.watching import Watching
from chimney.web.loops import Supervisor
from chimney.wire.notification import Notifications, QuietWindow, SentNotification

MOST_SHOWN = 100
SURE_SECONDS = 5.0  # after everything was asked once, nothing that is not seen is still so
HOOK = "webhook+"


class Telling:
    def __init__(
        self,
        settings: TableSettings,
        *,
        database: Database,
        watching: Watching,
        telemetry: Telemetry,
        ingest: Ingest,
        client: httpx2.AsyncClient,
    ) -> None:
        self._settings = settings
        self._kept = NotifyLog(database)
        self._audit = Audit(AuditLog(database))
        self._ingest = ingest
        self._loops: Supervisor | None = None
        self._egress = Egress(client, settings.notify_networks)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._sent: deque[SentNotification] = deque(maxlen=MOST_SHOWN)
        self._attempts = {True: 0, False: 0}
        self.causes = Causes(
            findings=lambda: watching.watch.current.items,
            alive=watching.watch.lives.alive,
            deployments=telemetry.deployments.since,
            verdict=telemetry.verdicts.of,
            quiet_seconds=settings.notify_quiet_seconds,
            settling=watching.unsure_seconds + SURE_SECONDS,
        )
        self.posting = (
            Posting(
                settings.alertmanager_url,
                client,
                findings=lambda: watching.watch.current.items,
                public_url=settings.public_url,
            )
            if settings.alertmanager_url and settings.alertmanager_send
            else None
        )
        receivers = [self._receiver(target) for target in settings.notify]
        self.receivers = {one.id: one for one in receivers}
        watching.ask_undelivered(self.undelivered)
        url = settings.heartbeat_url
        self.heartbeat = (
            Heartbeat(url.get_secret_value(), self._egress, trouble=self._trouble) if url is not None else None
        )

    def _receiver(self, target: NotifyTarget) -> Receiver:
        settings = self._settings
        return Receiver(
            target,
            self._sender(target),
            self._kept,
            now=lambda: self.causes.now,
            public_url=settings.public_url,
            wait=settings.notify_wait_seconds,
            interval=settings.notify_interval_seconds,
            noted=self._note,
        )

    def _sender(self, target: NotifyTarget) -> Sender:
        url = target.url.get_secret_value()
        if url.lower().startswith(HOOK):
            return HookSender(url, self._egress, secret=target.secret.get_secret_value() if target.secret else None)
        return AppriseSender(url, networks=self._settings.notify_networks, slots=self._slots)

    def _note(self, sent: SentNotification) -> None:
        self._sent.appendleft(sent)
        self._attempts[sent.ok] += 1

    def _trouble(self) -> str | None:
        """Why the table does not do its work; None while it does."""
        if self._ingest.full_since is not None:
            return "nothing can be stored"
        failing = [loop.name for loop in self._loops.loops if loop.error] if self._loops else []
        return f"{failing[0]} fails" if failing else None

    def undelivered(self) -> list[tuple[str, str, Sighting]]:
        """What cannot be told, by id and name."""
        outgoing = [one.outgoing for one in (self.heartbeat, self.posting) if one]
        all_of_them = [(one.id, one.label, one.trouble()) for one in self.receivers.values()]
        all_of_them += [(one.name.lower(), one.name, one.trouble()) for one in outgoing]
        return [(known, name, seen) for known, name, seen in all_of_them if seen]

    async def load(self) -> None:
        """What earlier runs of the table kept."""
        memories = await self._kept.memories()
        for name in memories.keys() & self.receivers.keys():
            self.receivers[name].recall(memories[name])
        self._sent.extend(await self._kept.sent(MOST_SHOWN))

    def add_loops(self, loops: Supervisor) -> None:
        self._loops = loops
        loops.add("causes", self.causes.look)
        for name, receiver in self.receivers.items():
            loops.add(f"notify:{name}", receiver.deliver)
        if self.heartbeat:
            loops.add("heartbeat", self.heartbeat.beat)
        if self.posting:
            loops.add("alertmanager", self.posting.post)

    def told(self) -> Notifications:
        windows = [
            QuietWindow(
                origin=one.origin, deployment=one.deployment, began=one.began, open=one.open, overdue=one.overdue
            )
            for one in self.causes.quiet.windows.values()
        ]
        return Notifications(
            targets=[receiver.state() for receiver in self.receivers.values()],
            sent=list(self._sent),
            heartbeat=self.heartbeat.outgoing.state() if self.heartbeat else None,
            alertmanager=self.posting.outgoing.state() if self.posting else None,
            quiet=windows,
        )

    def metrics(self) -> Iterator[Metric]:
        sent = CounterMetricFamily(
            "chimney_table_notifications", "Notifications by what became of them.", labels=["result"]
        )
        sent.add_metric(["delivered"], self._attempts[True])
        sent.add_metric(["failed"], self._attempts[False])
        states = [receiver.state() for receiver in self.receivers.values()]
        sent.add_metric(["dropped"], sum(one.dropped for one in states))
        yield sent
        queued = GaugeMetricFamily("chimney_table_notifications_queued", "What waits to be told, all receivers.")
        queued.add_metric([], sum(one.queued for one in states))
        yield queued

    def routes(self) -> list[Any]:
        from chimney.table.notify import routes  # noqa: PLC0415

        return routes.routes(self.told, self.receivers.get, self._audit)
