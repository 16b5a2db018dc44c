"""Webhook deliveries by id, each once, in the origin's state. Raises StorageFullError or StorageFailedError.

Deliveries that come together share one transaction: a disk that takes 50 ms to sync still takes hundreds a second.
"""

import asyncio
import logging
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from chimney.core.delivery import Delivery, Version, subject_of
from chimney.store.database import Database
from chimney.store.errors import StoreError
from chimney.wire.base import stamp
from chimney.wire.webhook import DeliveryRecord, Outcome

KEPT = 5_000  # ~300 B each when they are worked off ≈ 1.5 MB
BATCH = 200
CHANGED = 50  # stored responses that are named of one delivery
log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Delivery).decode


class Arrival(NamedTuple):
    """A delivery as it came. `received_at` is Unix seconds."""

    id: str
    received_at: float
    delivery: Delivery


class Finished(NamedTuple):
    id: str
    result: Outcome
    changed: Sequence[str] = ()


class Known(NamedTuple):
    """The newest version of a subject that was ever delivered. `repo` in lower case."""

    repo: str
    subject: str
    version: Version


class DeliveryLog:
    """The last 5,000. What became of them is written with the next that come, or by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Arrival, asyncio.Future[bool]]] = []
        self._finished: list[Finished] = []
        self._writer: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def add(self, arrival: Arrival) -> bool:
        """True when it is new, or failed when it came before, and is durable now; False when its id was known."""
        told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, told))
        self._write_soon()
        return await told

    def finish(self, finished: Iterable[Finished]) -> None:
        """Written soon. What is lost of it by a crash is worked off once more, which changes nothing."""
        self._finished += finished
        self._write_soon()

    async def flush(self) -> None:
        """Returns when everything so far is written, or could not be."""
        while self._writer is not None and not self._writer.done():
            await asyncio.wait((self._writer,))

    def _write_soon(self) -> None:
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="write webhook deliveries")

    async def _write(self) -> None:
        while self._waiting or self._finished:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            finished, self._finished = self._finished, []
            arrivals = [arrival for arrival, _ in batch]
            try:
                new: list[bool] | StoreError = await self._database.run(partial(_write_all, arrivals, finished))
            except StoreError as error:
                new = error
                if finished:
                    log.warning("what became of %d webhook deliveries was not recorded: %s", len(finished), error)
            for place, (_, told) in enumerate(batch):
                if told.done():
                    continue
                if isinstance(new, StoreError):
                    told.set_exception(new)
                else:
                    told.set_result(new[place])

    async def pending(self, count: int, *, after: int = 0) -> tuple[list[Arrival], int]:
        """The oldest after that place that were taken and not worked off; and the place of the last one looked at."""

        def select(db: sqlite3.Connection) -> tuple[list[Arrival], int]:
            rows = db.execute(
                "SELECT seq, id, received_at, delivery FROM webhook_delivery"
                " WHERE result IS NULL AND seq > ? ORDER BY seq LIMIT ?",
                (after, count),
            ).fetchall()
            read = [Arrival(name, at, delivery) for _, name, at, raw in rows if (delivery := _unpacked(raw))]
            broken = [(name,) for _, name, _, raw in rows if _unpacked(raw) is None]
            db.executemany("UPDATE webhook_delivery SET result = 'failed' WHERE id = ?", broken)
            return read, rows[-1][0] if rows else after

        await self.flush()
        return await self._database.run(select)

    async def page(self, *, limit: int, before: int | None) -> tuple[list[DeliveryRecord], int | None]:
        """The newest first, from before that place; and the place to go on before, None at the end."""

        def select(db: sqlite3.Connection) -> list[tuple[int, DeliveryRecord]]:
            rows = db.execute(
                "SELECT seq, id, event, action, repo, received_at, result, changed FROM webhook_delivery"
                " WHERE seq < ? ORDER BY seq DESC LIMIT ?",
                (before if before is not None else 2**62, limit + 1),
            )
            return [(seq, _record(*rest)) for seq, *rest in rows]

        rows = await self._database.run(select)
        return [record for _, record in rows[:limit]], rows[limit - 1][0] if len(rows) > limit else None

    async def last_received(self) -> float | None:
        """Unix seconds; None when there never was one."""

        def select(db: sqlite3.Connection) -> float | None:
            at: float | None = db.execute("SELECT max(received_at) FROM webhook_delivery").fetchone()[0]
            return at

        return await self._database.run(select)

    async def known(self, ids: Sequence[str]) -> set[str]:
        """Which of these were taken and did not fail."""

        def select(db: sqlite3.Connection) -> set[str]:
            asked = "SELECT 1 FROM webhook_delivery WHERE id = ? AND coalesce(result, '') != 'failed'"
            return {one for one in ids if db.execute(asked, (one,)).fetchone()}

        return await self._database.run(select)

    async def versions(self) -> list[Known]:
        """What is known of every subject, so that what comes late after a restart moves nothing back."""

        def select(db: sqlite3.Connection) -> list[Known]:
            rows = db.execute("SELECT lower(repo), subject, version FROM webhook_delivery WHERE subject IS NOT NULL")
            return [Known(repo, subject, msgspec.json.decode(version, type=Version)) for repo, subject, version in rows]

        return await self._database.run(select)


def _write_all(arrivals: Sequence[Arrival], finished: Sequence[Finished], db: sqlite3.Connection) -> list[bool]:
    rows = [(one.result, _encode(list(one.changed[:CHANGED])), one.result, one.id) for one in finished]
    keep = "delivery = CASE ? WHEN 'failed' THEN delivery END"  # what failed may be worked off when it comes again
    db.executemany(f"UPDATE webhook_delivery SET result = ?, changed = ?, {keep} WHERE id = ?", rows)  # noqa: S608
    new = [_insert_one(db, arrival) for arrival in arrivals]
    db.execute("DELETE FROM webhook_delivery WHERE seq <= (SELECT max(seq) FROM webhook_delivery) - ?", (KEPT,))
    return new


def _insert_one(db: sqlite3.Connection, arrival: Arrival) -> bool:
    delivery = arrival.delivery
    subject, version = subject_of(delivery) or (None, None)
    packed = zlib.compress(_encode(delivery), 1)
    row = (arrival.received_at, delivery.event, delivery.action, delivery.repo, subject, version and _encode(version))
    cursor = db.execute(
        "INSERT INTO webhook_delivery (id, received_at, event, action, repo, subject, version, delivery)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE"
        " SET result = NULL, received_at = excluded.received_at, delivery = excluded.delivery"
        " WHERE result = 'failed'",
        (arrival.id, *row, packed),
    )
    return cursor.rowcount == 1


def _unpacked(raw: bytes | None) -> Delivery | None:
    """None for what cannot be read: a damaged row, or one of another version."""
    try:
        return _decode(zlib.decompress(raw or b""))
    except (zlib.error, msgspec.DecodeError):
        return None


def _record(
    name: str, event: str, action: str | None, repo: str | None, at: float, result: str | None, changed: bytes | None
) -> DeliveryRecord:
    return DeliveryRecord(
        id=name,
        event=event,
        action=action,
        repo=repo,
        received_at=stamp(at),
        result=Outcome(result) if result else Outcome.PENDING,
        changed=msgspec.json.decode(changed, type=list[str]) if changed else [],
    )
